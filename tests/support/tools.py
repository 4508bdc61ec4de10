"""Real tools from the package index, each in an environment of its own that all test processes share."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from alight.wire.facts import FACTS

_CACHE = Path(__file__).parent.parent / ".cache" / "tools"
_INSTALL_SECONDS = 300


def tool(name: str, *packages: str) -> Path:
    """The tool's program, installed first when it is not; ``packages`` are what to install when it is not ``name``.

    The environments stay in ``tests/.cache/tools``; delete that folder for newer versions.
    """
    wanted = packages or (name,)
    key = hashlib.sha256("\n".join((sys.executable, *wanted)).encode()).hexdigest()[:12]
    folder = _CACHE / f"{name}-{key}"
    program = folder / "bin" / name
    _CACHE.mkdir(parents=True, exist_ok=True)
    with open(_CACHE / f"{folder.name}.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "complete").exists():
            shutil.rmtree(folder, ignore_errors=True)
            uv = _uv()
            for command in (
                [uv, "venv", "-q", "--no-config", "-p", sys.executable, str(folder)],
                [uv, "pip", "install", "-q", "--no-config", "-p", str(folder / "bin" / "python"), *wanted],
            ):
                subprocess.run(command, check=True, capture_output=True, timeout=_INSTALL_SECONDS, env=_installing())
            (folder / "complete").touch()
    return program


def clean_environment(home: Path, **more: str) -> dict[str, str]:
    """The environment of these tests without anything that a Python tool listens to, with another home."""
    kept: Mapping[str, str] = {
        name: value
        for name, value in os.environ.items()
        if name not in FACTS
        and not name.startswith(("PIP_REQUIRE", "POETRY_", "PIPENV_", "PDM_", "HATCH_", "UV_PROJECT"))
    }
    return {**kept, "PATH": os.environ["PATH"], "HOME": str(home), **more}


def _installing() -> dict[str, str]:
    """Also in a fixture that is older than the test's own home: the system's certificates, and one cache for all."""
    own = {"UV_SYSTEM_CERTS": "1", "UV_CACHE_DIR": str(_CACHE.parent / "uv")}
    return {name: value for name, value in os.environ.items() if not name.startswith(("UV_", "VIRTUAL_ENV"))} | own


def _uv() -> str:
    path = shutil.which("uv", path=f"{Path(sys.executable).parent}:{os.environ['PATH']}")
    assert path is not None, "uv belongs to the test environment"
    return path
