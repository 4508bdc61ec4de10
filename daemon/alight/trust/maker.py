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

_META = re.compile(r"[$`(){}<>|;*?\[\]!#~^\\\n\r\0]")
_LONE_AMPERSAND = re.compile(r"(?<!&)&(?!&)|&&&")
_PYTHON = re.compile(r"python(?:[0-9]+(?:\.[0-9]+)?)?")
_PYTHON_FLAGS = re.compile(r"-[BEIObdqsSuv]+")
_MODULE_FLAG = re.compile(r"-[BEIObdqsSuv]*m")
_ELSEWHERE = ("--directory", "--project", "--manifest-path", "-C", "-P", "--extra-search-dir", "--app-data")
"""Options that work in another directory, or seed the environment with files from one."""
# fmt: off
_VALUED = frozenset({
    "--prompt", "--without-scm-ignore-files", "-p", "--python", "--try-first-with", "--discovery", "--creator",
    "--seeder", "--activators", "--pip", "--setuptools", "--wheel", "--index-url", "--default-index", "--index",
    "--link-mode", "--cache-dir", "--config-file",
})
# fmt: on
"""Options of venv, virtualenv and uv whose value is the next word."""
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
    if len(line) > LINE_LIMIT or _META.search(line) or _LONE_AMPERSAND.search(line):
        return None
    try:
        first, *others = [shlex.split(part) for part in line.split("&&")]
    except ValueError:
        return None
    if not first or "=" in first[0] or any(word.startswith(_ELSEWHERE) for word in first):
        return None
    making = _making(first, directory)
    if making is None or not all(_sources(words, directory, making.prefixes) for words in others):
        return None
    return making


def _sources(words: Sequence[str], directory: bytes, prefixes: Sequence[bytes]) -> bool:
    """Whether a command does nothing but source the script of one of these prefixes."""
    if len(words) != 2 or words[0] not in ("source", ".") or "/" not in words[1]:
        return False
    script = _path(words[1], directory)
    return any(script in (prefix + b"/bin/activate", prefix + b"/bin/activate.fish") for prefix in prefixes)


def _making(words: Sequence[str], directory: bytes) -> Making | None:
    tool, rest = words[0], list(words[1:])
    name = tool.rpartition("/")[2]
    if _PYTHON.fullmatch(name):
        while rest and _PYTHON_FLAGS.fullmatch(rest[0]):
            del rest[0]
        if len(rest) < 2 or not _MODULE_FLAG.fullmatch(rest[0]) or rest[1] not in ("venv", "virtualenv"):
            return None
        return Making(tool, _named(rest[2:], directory))
    if name == "virtualenv":
        return Making(tool, _named(rest, directory))
    verbs = [word for word in rest if not word.startswith("-")][:2]
    if name == "uv" and verbs[:1] == ["venv"]:
        named = _named(rest[rest.index("venv") + 1 :], directory)
        return Making(tool, named or (_path(".venv", directory),))
    if not verbs or verbs[0] not in _PROJECT_MAKERS.get(name, frozenset()):
        return None
    if name == "hatch" and verbs != ["env", "create"]:
        return None
    return Making(tool, _upward(directory))


def _named(words: Sequence[str], directory: bytes) -> tuple[bytes, ...]:
    named: list[bytes] = []
    is_value = False
    for word in words:
        if not is_value and not word.startswith("-"):
            named.append(_path(word, directory))
        is_value = word in _VALUED
    return tuple(named)


def _path(word: str, directory: bytes) -> bytes:
    return os.path.normpath(os.path.join(directory, os.fsencode(word)))


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
        # An environment from elsewhere has a root elsewhere: the directory itself counts then, too.
        roots = [project] if project and _inside(directory + b"/", project, disk) else [project or directory, directory]
        if tool is None or any(_inside(tool, root, disk) for root in roots):
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
            # What an entry like "." or "" finds is whatever the directory holds.
            return candidate if entry.startswith(b"/") else None
    return None


def _inside(path: bytes, root: bytes, disk: Disk) -> bool:
    roots = {root.rstrip(b"/") + b"/", disk.realpath(root).rstrip(b"/") + b"/"}
    spellings = (path, disk.realpath(os.path.dirname(path)) + b"/" + os.path.basename(path), disk.realpath(path))
    return any(spelling.startswith(prefix) for spelling in spellings for prefix in roots)
