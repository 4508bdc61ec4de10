"""The checks of discovery rules 3.1 on one conda or pixi prefix, whose Python is its own and need not exist."""

from __future__ import annotations

import re
from collections.abc import Iterator

from alight.files.disk import Disk, join
from alight.model import Finding
from alight.systems import prefixes
from alight.systems.base import Prefix

FRESH_NS = 60_000_000_000
"""Age up to which a prefix without a history is still being made."""

_UNSAFE = re.compile(rb"[:\x00-\x08\x0b-\x1f\x7f]")
_SHEBANG = re.compile(rb"#!(/[^\r\n]*)/bin/python[\d.]*t?[ \t]*\r?\n")
_MADE_AS = re.compile(rb" (?:-p|--prefix)[ =](/[^ ]*)")


def examine(prefix: Prefix, disk: Disk) -> tuple[Finding, ...]:
    """Everything wrong with the environment, errors first. One without Python is in order: it has other programs."""
    foreign = tuple(_foreign(prefix, disk))
    found = [
        *_unsafe(prefix),
        *(foreign or (*_history(prefix, disk), *_interpreter(prefix, disk), *_libraries(prefix, disk))),
        *_moved(prefix, disk),
        *_owned(prefix, disk),
    ]
    return tuple(sorted(found, key=lambda finding: finding.severity != "error"))


def _unsafe(prefix: Prefix) -> Iterator[Finding]:
    if _UNSAFE.search(prefix.path):
        message = "the path holds a colon or control characters, so it cannot stand in PATH"
        yield Finding("unsafe-path", "error", message, (prefix.path,))


def _foreign(prefix: Prefix, disk: Disk) -> Iterator[Finding]:
    if prefixes.is_foreign(prefix.path, disk):
        message = "made for Windows: its Python is a python.exe"
        yield Finding("interpreter-missing", "error", message, (join(prefix.path, b"python.exe"),))


def _history(prefix: Prefix, disk: Disk) -> Iterator[Finding]:
    if disk.is_file(join(prefix.path, prefixes.HISTORY)) or not disk.exists(prefix.path):
        return
    metadata = join(prefix.path, prefixes.METADATA)
    own = disk.stat(metadata)
    fresh = own is not None and abs(disk.now_ns - own.st_mtime_ns) < FRESH_NS
    if fresh:
        disk.provisional()
    message = "conda-meta/history is not there yet" if fresh else "conda-meta has no history: it was never finished"
    yield Finding("history-missing", "info" if fresh else "error", message, (metadata,))


def _interpreter(prefix: Prefix, disk: Disk) -> Iterator[Finding]:
    if disk.lstat(prefix.path) is not None and not disk.exists(prefix.path):
        target = disk.readlink(prefix.path) or b"nothing"
        message = f"{_shown(prefix.path)} is a link to {_shown(target)}, which is gone"
        yield Finding("interpreter-dangling", "error", message, (prefix.path,))
        return
    path = prefix.interpreter
    if disk.lstat(path) is None:
        if prefix.python_version and _finished(prefix, disk):
            message = f"{_shown(path)} is absent, though Python {prefix.python_version} is installed"
            yield Finding("interpreter-missing", "error", message, (path,))
        elif _finished(prefix, disk) and not disk.is_directory(join(prefix.path, b"bin")):
            message = "there is no bin: nothing is installed that could be run"
            yield Finding("interpreter-missing", "info", message, (join(prefix.path, b"bin"),))
    elif not disk.exists(path):
        target = disk.readlink(path) or b"nothing"
        message = f"{_shown(path)} is a link to {_shown(target)}, which is gone"
        yield Finding("interpreter-dangling", "error", message, (path, target))
    elif not disk.is_file(path):
        yield Finding("interpreter-missing", "error", f"{_shown(path)} is no file", (path,))


def _libraries(prefix: Prefix, disk: Disk) -> Iterator[Finding]:
    if prefix.python_version and not prefix.site_packages and _finished(prefix, disk):
        message = f"Python {prefix.python_version} is installed, but there is no site-packages of it"
        yield Finding("site-packages-missing", "error", message, (join(prefix.path, b"lib"),))


def _finished(prefix: Prefix, disk: Disk) -> bool:
    """False while the history is missing, which says enough."""
    return disk.is_file(join(prefix.path, prefixes.HISTORY))


def _moved(prefix: Prefix, disk: Disk) -> Iterator[Finding]:
    birth, evidence = _birth(prefix, disk)
    if birth and birth != prefix.path and not _same(birth, prefix.path, disk):
        message = f"made as {_shown(birth)}; the files in it still point there"
        yield Finding("moved", "warning", message, (evidence,))


def _birth(prefix: Prefix, disk: Disk) -> tuple[bytes, bytes]:
    """(the path the prefix was made for, the file that says so): pixi's own note, a script's first line, the history.

    The scripts come before the history: a packed and unpacked environment was moved and set right again.
    """
    evidence = join(prefix.path, b"conda-meta/pixi_env_prefix")
    noted = (disk.read(evidence) or b"").strip()
    if noted.startswith(b"/") and noted.endswith(b"/" + prefixes.METADATA) and b"\0" not in noted:
        return noted.removesuffix(b"/" + prefixes.METADATA), evidence
    for name in (b"pip", b"conda"):
        evidence = join(prefix.path, b"bin/" + name)
        match = _SHEBANG.match(disk.read(evidence) or b"")
        if match is not None:
            return match.group(1), evidence
    evidence = join(prefix.path, prefixes.HISTORY)
    for command in prefixes.commands(prefix.path, disk)[:1]:
        # Words are joined by spaces there, so that a path with spaces can only be recognised, not read.
        if re.search(rb" (?:-p|--prefix)[ =]" + re.escape(prefix.path) + rb"/?(?: |\Z)", command):
            return prefix.path, evidence
        made = _MADE_AS.search(command)
        if made is not None:
            return made.group(1).rstrip(b"/"), evidence
    return b"", evidence


def _same(birth: bytes, path: bytes, disk: Disk) -> bool:
    """True when both lead to one directory: a symlinked home or a bind mount is not a move."""
    old, new = disk.stat(birth), disk.stat(path)
    return old is not None and new is not None and (old.st_dev, old.st_ino) == (new.st_dev, new.st_ino)


def _owned(prefix: Prefix, disk: Disk) -> Iterator[Finding]:
    own = (prefix.path, *(join(prefix.path, name) for name in (prefixes.METADATA, b"bin")), prefix.interpreter)
    for path in own:
        facts = disk.stat(path)
        if facts is None:
            continue
        if facts.st_uid not in {disk.uid, 0}:
            yield Finding("not-owned", "warning", f"{_shown(path)} belongs to uid {facts.st_uid}", (path,))
            return
        if facts.st_mode & 0o002:
            yield Finding("not-owned", "warning", f"{_shown(path)} is writable by everybody", (path,))
            return


def _shown(path: bytes) -> str:
    return path.decode("utf-8", "backslashreplace")
