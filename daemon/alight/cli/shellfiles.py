"""Where the hooks are, and the interpreters and programs they start."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from alight.errors import AlightError
from alight.query import ABSENT

SHELLS = ("zsh", "bash", "fish")

_VERSIONED_PARENTS = (
    # Homebrew and Linuxbrew: Cellar/python@3.11/3.11.9/… is removed by an upgrade, opt/python@3.11/… follows it
    (re.compile(r"^(.*)/Cellar/([^/]+)/[^/]+/(.*)$"), r"\1/opt/\2/\3"),
    # uv keeps a link per minor version beside the exact one
    (re.compile(r"^(.*/cpython-\d+\.\d+)\.\d+(?:[a-z]+\d+)?(-[^/]+/.*)$"), r"\1\2"),
)


def shell_file(name: str) -> Path:
    """A file of ``shell/``: from the installed package, else from the checkout; raises AlightError when in neither."""
    package = Path(__file__).resolve().parent.parent
    checkout = package.parent.parent / "shell"
    for folder in (package / "shell", checkout):
        if folder == checkout and not (folder / "PROTOCOL.md").is_file():
            continue
        if (folder / name).is_file():
            return folder / name
    raise AlightError(f"{name} is missing from this installation of alight", "install alight again")


def base_interpreter() -> Path:
    """The interpreter the hooks start for one question: a real one, by the path that survives its upgrades."""
    recorded = Path(getattr(sys, "_base_executable", "") or sys.executable)
    return stable_interpreter(recorded, f"{sys.version_info.major}.{sys.version_info.minor}")


def stable_interpreter(recorded: Path, version: str) -> Path:
    """The most lasting name of the interpreter at ``recorded``: its link per minor version, never a script.

    Raises AlightError when ``recorded`` leads to no program: a shim that is a script would run its tool at each prompt.
    """
    if not os.access(recorded, os.X_OK) or is_script(recorded):
        raise AlightError(f"{recorded} is not a real Python interpreter", "install alight with a real one again")
    spellings = [recorded, Path(os.path.realpath(recorded))]
    followed = [Path(pattern.sub(link, str(path))) for path in spellings for pattern, link in _VERSIONED_PARENTS]
    lasting = [path for path in followed if path not in spellings]
    for candidate in [*lasting, recorded.with_name(f"python{version}"), recorded]:
        if _same_program(candidate, recorded):
            return candidate
    return recorded


def is_script(program: Path) -> bool:
    """Whether a file starts with ``#!``, as the shims of pyenv and its relatives do."""
    try:
        with program.open("rb") as file:
            return file.read(2) == b"#!"
    except OSError:
        return False


def command_path(invoked: str) -> Path:
    """The ``alight`` executable: beside this interpreter, else the one that was invoked."""
    beside = Path(sys.executable).with_name("alight")
    if os.access(beside, os.X_OK):
        return beside
    found = shutil.which(invoked)
    return Path(os.path.abspath(found or invoked))


def query_client() -> Path:
    """The one-shot client: the compiled one where it is there and works, else the one in Python beside it."""
    # not resolved: the installer keeps a link that outlives the versioned directory behind it
    python = Path(__file__).absolute().parent.parent / "query.py"
    compiled = python.with_name("alight-query")
    return compiled if _is_current(compiled) and _answers(compiled) else python


def _is_current(compiled: Path) -> bool:
    """Whether it is executable and, in a checkout, not older than its source."""
    source = compiled.parent.parent.parent / "shell" / "query" / "alight-query.c"
    try:
        return os.access(compiled, os.X_OK) and (
            not source.is_file() or compiled.stat().st_mtime_ns > source.stat().st_mtime_ns
        )
    except OSError:
        return False


def _answers(compiled: Path) -> bool:
    """Whether it runs here, whatever machine it was made for: where nobody can serve it has to say so."""
    question = [str(compiled), "/dev/null/alight.sock", "ping"]
    try:
        said = subprocess.run(  # noqa: S603 - a file of our own package
            question, stdin=subprocess.DEVNULL, capture_output=True, timeout=5, check=False
        )
    except (OSError, subprocess.SubprocessError):
        return False
    return (said.returncode, said.stdout, said.stderr) == (ABSENT, b"", b"")


def _same_program(candidate: Path, recorded: Path) -> bool:
    try:
        return os.access(candidate, os.X_OK) and os.path.samefile(candidate, recorded)
    except OSError:
        return False
