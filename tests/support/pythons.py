"""The real Pythons of this machine that environments can be made with.

Looked for where people have them: pyenv's versions (``$PYENV_ROOT``, else ``.pyenv`` in the user's real home, which
tests do not get as HOME), ``/usr/bin``, ``/usr/local/bin`` and the one that runs the tests. Never through shims.
"""

from __future__ import annotations

import os
import pwd
import re
import subprocess
import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path

OLDEST = (3, 6)


@dataclass(frozen=True)
class Python:
    """An interpreter that has the venv module."""

    executable: Path
    version: str

    def __str__(self) -> str:
        return self.version


@cache
def pythons() -> tuple[Python, ...]:
    """Every real interpreter from 3.6 on that can make environments, one per version, oldest first."""
    found: dict[str, Python] = {}
    for executable in _executables():
        asked = subprocess.run(
            [executable, "-I", "-c", "import ensurepip, venv, platform; print(platform.python_version())"],
            capture_output=True, text=True, timeout=30, check=False,
        )  # fmt: skip
        version = asked.stdout.strip()
        if asked.returncode == 0 and _numbers(version) >= OLDEST:
            found.setdefault(version, Python(executable, version))
    return tuple(sorted(found.values(), key=lambda python: _numbers(python.version)))


def _executables() -> list[Path]:
    root = Path(os.environ.get("PYENV_ROOT") or Path(pwd.getpwuid(os.getuid()).pw_dir) / ".pyenv")
    candidates = sorted(root.glob("versions/[0-9]*/bin/python"))
    for directory in (Path("/usr/bin"), Path("/usr/local/bin")):
        candidates += sorted(path for path in directory.glob("python3*") if re.fullmatch(r"python3(\.\d+)?", path.name))
    own = Path(getattr(sys, "_base_executable", sys.executable))
    return list({path.resolve(): path for path in (*candidates, own) if path.exists()}.values())


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", version)[:3])
