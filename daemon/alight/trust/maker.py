"""Environments the user has just made: the one way into trust without asking.

A line counts only when it is nothing but an environment maker (optionally followed by sourcing what it made), the
maker is a file outside the project, the environment was absent when the line was accepted, and the line ended with 0.
``python -m venv`` over a planted folder keeps the folder's files, and ``uv sync`` leaves a shipped ``.venv`` as it is;
both are therefore asked about.
"""

from __future__ import annotations

import os
import re
import shlex
import stat
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass

from alight.clock import Clock
from alight.files.disk import Disk

LINE_LIMIT = 4096
PENDING_LIMIT = 512
_LEVELS = 64
_CLOCK_SLACK_NS = 20_000_000
"""File times come from the kernel's coarse clock, which lags by up to one tick."""

_META = re.compile(r"[$`(){}<>|;*?\[\]!#~\\\n\r\0]")
_PYTHON = re.compile(r"python(\d+(\.\d+)?)?$")
_PROJECT_MAKERS: dict[str, frozenset[str]] = {
    "uv": frozenset({"sync", "add"}),
    "poetry": frozenset({"install", "add"}),
    "pipenv": frozenset({"install"}),
    "pdm": frozenset({"install", "add"}),
    "pixi": frozenset({"install"}),
    "hatch": frozenset({"env"}),
}


@dataclass(frozen=True)
class Making:
    """What a line would make: the tool's word and the prefixes it may create."""

    tool: str
    prefixes: tuple[bytes, ...]


@dataclass(frozen=True)
class _Pending:
    prefixes: frozenset[bytes]
    noted_ns: int


def recognise(line: str, directory: bytes) -> Making | None:
    """The environment maker that ``line`` is, or None; pure, no disk."""
    if len(line) > LINE_LIMIT or _META.search(line) or re.search(r"(?<!&)&(?!&)|&&&", line):
        return None
    try:
        commands = [shlex.split(part) for part in line.split("&&")]
    except ValueError:
        return None
    first, *others = commands
    if not first or any(not _sources(words) for words in others):
        return None
    return _making(first, directory)


def _sources(words: Sequence[str]) -> bool:
    return len(words) == 2 and words[0] in ("source", ".") and "/bin/activate" in words[1]


def _making(words: Sequence[str], directory: bytes) -> Making | None:
    tool, rest = words[0], list(words[1:])
    name = tool.rpartition("/")[2]
    if _PYTHON.match(name):
        if "-m" not in rest:
            return None
        at = rest.index("-m")
        if rest[at + 1 : at + 2] not in (["venv"], ["virtualenv"]) or any(not w.startswith("-") for w in rest[:at]):
            return None
        return Making(tool, _named(rest[at + 2 :], directory))
    if name == "virtualenv":
        return Making(tool, _named(rest, directory))
    verb = next((word for word in rest if not word.startswith("-")), "")
    if name == "uv" and verb == "venv":
        return Making(tool, (*_named(rest[rest.index("venv") + 1 :], directory), os.path.join(directory, b".venv")))
    if name in _PROJECT_MAKERS and verb in _PROJECT_MAKERS[name]:
        return Making(tool, _upward(directory))
    return None


def _named(words: Sequence[str], directory: bytes) -> tuple[bytes, ...]:
    return tuple(
        os.path.normpath(os.path.join(directory, os.fsencode(word))) for word in words if not word.startswith("-")
    )


def _upward(directory: bytes) -> tuple[bytes, ...]:
    levels = [directory]
    while levels[-1] not in (b"/", b"") and len(levels) < _LEVELS:
        levels.append(os.path.dirname(levels[-1]))
    return tuple(os.path.join(level, b".venv") for level in levels)


class Makers:
    """The lines that were accepted and have not ended yet, one per shell."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._pending: OrderedDict[int, _Pending] = OrderedDict()

    def note(self, pid: int, line: bytes, word: str, directory: bytes, path: bytes, project: bytes, disk: Disk) -> bool:
        """Remember a line that may make an environment; True when it is one.

        ``word`` is what the shell says the first word is, ``path`` its PATH, ``project`` the root it stands in.
        """
        self._pending.pop(pid, None)
        if word != "file":
            return False
        making = recognise(os.fsdecode(line), directory)
        if making is None:
            return False
        tool = _find(os.fsencode(making.tool), path, directory, disk)
        if tool is None or _inside(tool, project or directory, disk):
            return False
        absent = frozenset(prefix for prefix in making.prefixes if disk.lstat(prefix) is None)
        if not absent:
            return False
        self._pending[pid] = _Pending(absent, self._clock.wall_ns())
        while len(self._pending) > PENDING_LIMIT:
            self._pending.popitem(last=False)
        return True

    def made(self, pid: int, status: int, prefix: bytes, disk: Disk) -> bool:
        """Whether the line that this shell noted ended well and made ``prefix``; asked once per note."""
        pending = self._pending.pop(pid, None)
        if pending is None or status != 0 or prefix not in pending.prefixes:
            return False
        facts = disk.lstat(prefix)
        return (
            facts is not None
            and stat.S_ISDIR(facts.st_mode)
            and facts.st_ctime_ns >= pending.noted_ns - _CLOCK_SLACK_NS
        )


def _find(tool: bytes, path: bytes, directory: bytes, disk: Disk) -> bytes | None:
    if b"/" in tool:
        return os.path.normpath(os.path.join(directory, tool))
    for entry in path.split(b":"):
        candidate = os.path.join(directory, entry, tool)
        facts = disk.stat(candidate)
        if facts is not None and stat.S_ISREG(facts.st_mode) and facts.st_mode & 0o111:
            return candidate
    return None


def _inside(path: bytes, root: bytes, disk: Disk) -> bool:
    roots = {root.rstrip(b"/") + b"/", disk.realpath(root).rstrip(b"/") + b"/"}
    spellings = (path, disk.realpath(os.path.dirname(path)) + b"/" + os.path.basename(path), disk.realpath(path))
    return any(spelling.startswith(prefix) for spelling in spellings for prefix in roots)
