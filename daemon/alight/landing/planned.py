"""The disk as it will be when a command of the line runs, after those before it made or removed directories."""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass

from alight.files.disk import LINKS_LIMIT, Disk, Fingerprint, join


@dataclass(frozen=True, slots=True)
class _Then:
    """The moment at which the real disk was looked at."""

    now_ns: int

    def monotonic(self) -> float:
        return 0.0

    def wall_ns(self) -> int:
        return self.now_ns


@dataclass(frozen=True, slots=True)
class Entry:
    """What will stand at a path: a directory, a file with its content, or a link.

    Of an ``emptied`` directory nothing is left that the real disk has below it.
    """

    mode: int
    content: bytes = b""
    emptied: bool = False


def directory(*, emptied: bool = False) -> Entry:
    """A directory."""
    return Entry(stat.S_IFDIR | 0o755, emptied=emptied)


def file(content: bytes, *, executable: bool = False) -> Entry:
    """A regular file."""
    return Entry(stat.S_IFREG | (0o755 if executable else 0o644), content)


def link(target: bytes) -> Entry:
    """A symbolic link."""
    return Entry(stat.S_IFLNK | 0o777, target)


class Planned(Disk):
    """A disk on which some entries are added, or gone when they are None; everything else is ``real``."""

    def __init__(self, real: Disk, entries: Mapping[bytes, Entry | None]) -> None:
        super().__init__(real.uid, _Then(real.now_ns))
        self._real = real
        self._entries: dict[bytes, Entry | None] = {}
        self._keys: dict[bytes, bytes] = {}
        self._parents: dict[bytes, bytes] = {}
        for path, entry in entries.items():
            self._put(path, entry)

    def with_entries(self, entries: Mapping[bytes, Entry | None]) -> Planned:
        """The same disk after some more."""
        later = Planned(self._real, {})
        later._entries |= self._entries
        for path, entry in entries.items():
            later._put(path, entry)
        return later

    def stat(self, path: bytes) -> os.stat_result | None:
        for _ in range(LINKS_LIMIT):
            known, entry = self._entry(path)
            if not known:
                return self._real.stat(path)
            if entry is None:
                return None
            if not stat.S_ISLNK(entry.mode):
                return self._facts(entry)
            path = join(path.rpartition(b"/")[0], entry.content) if entry.content[:1] != b"/" else entry.content
        return None

    def lstat(self, path: bytes) -> os.stat_result | None:
        known, entry = self._entry(path)
        if not known:
            return self._real.lstat(path)
        return None if entry is None else self._facts(entry)

    def permissions(self, path: bytes) -> os.stat_result | None:
        return self.lstat(path) if self._entry(path)[0] else self._real.permissions(path)

    def names(self, directory: bytes) -> frozenset[bytes] | None:
        known, entry = self._entry(directory)
        found = frozenset() if known else self._real.names(directory)
        if found is None or (known and entry is None):
            return found
        here = join(self._key(directory), b"")
        children = {
            path.rpartition(b"/")[2]: entry
            for path, entry in self._entries.items()
            if path.startswith(here) and b"/" not in path[len(here) :]
        }
        gone = {name for name, entry in children.items() if entry is None}
        return (found - gone) | (children.keys() - gone)

    def folders(self, directory: bytes) -> tuple[bytes, ...]:
        names = self.names(directory)
        real = () if self._entry(directory)[0] else self._real.folders(directory)
        added = [name for name in names or () if self._entry(join(directory, name))[1] is not None]
        kept = {name for name in (*real, *added) if names is None or name in names}
        return tuple(sorted(name for name in kept if self.lstat(join(directory, name)) is not None))

    def is_writable(self, path: bytes) -> bool:
        known, entry = self._entry(path)
        return entry is not None if known else self._real.is_writable(path)

    def read(self, path: bytes, limit: int = 64 * 1024) -> bytes | None:
        path = self.realpath(path)
        known, entry = self._entry(path)
        if not known:
            return self._real.read(path, limit)
        regular = entry is not None and stat.S_ISREG(entry.mode) and len(entry.content) <= limit
        return entry.content if entry is not None and regular else None

    def head(self, path: bytes, count: int) -> bytes:
        path = self.realpath(path)
        return (self.read(path) or b"")[:count] if self._entry(path)[0] else self._real.head(path, count)

    def readlink(self, path: bytes) -> bytes | None:
        known, entry = self._entry(path)
        if not known:
            return self._real.readlink(path)
        return entry.content if entry is not None and stat.S_ISLNK(entry.mode) else None

    def realpath(self, path: bytes) -> bytes:
        for _ in range(LINKS_LIMIT):
            target = self.readlink(path) if self._entry(path)[0] else None
            if target is None:
                break
            path = target if target.startswith(b"/") else join(path.rpartition(b"/")[0], target)
        return self._key(path) if self._entry(path)[0] else self._real.realpath(path)

    def provisional(self) -> None:
        self._real.provisional()

    def fingerprint(self) -> Fingerprint:
        return self._real.fingerprint()

    def _put(self, path: bytes, entry: Entry | None) -> None:
        key = self._key(path)
        if entry is None or entry.emptied:
            for other in [other for other in self._entries if other.startswith(join(key, b""))]:
                del self._entries[other]
        self._entries[key] = entry

    def _key(self, path: bytes) -> bytes:
        """The path by which an entry is known: links are followed up to its last part."""
        key = self._keys.get(path)
        if key is None:
            parent, _, name = os.path.normpath(path).rpartition(b"/")
            real = self._parents.get(parent)
            if real is None:
                real = self._parents[parent] = self._real.realpath(parent or b"/")
            key = self._keys[path] = join(real, name) if name else b"/"
        return key

    def _entry(self, path: bytes) -> tuple[bool, Entry | None]:
        """(whether it is not the real disk's, what it is)."""
        key = self._key(path)
        if key in self._entries:
            return True, self._entries[key]
        level = key
        while level not in (b"/", b""):
            level = level.rpartition(b"/")[0] or b"/"
            if level in self._entries:
                # Below what was removed or made anew nothing of the real disk is left.
                above = self._entries[level]
                return above is None or above.emptied or not self._real.is_directory(level), None
        return False, None

    def _facts(self, entry: Entry) -> os.stat_result:
        seconds = self.now_ns // 1_000_000_000
        uid = self.uid
        return os.stat_result((entry.mode, 0, 0, 1, uid, uid, len(entry.content), seconds, seconds, seconds))
