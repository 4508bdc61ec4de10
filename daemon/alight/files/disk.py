"""A recording reader for one question, and the fingerprint that tells whether its answer still holds.

Nothing here raises on a bad disk: what cannot be looked at (EACCES, ELOOP, ENAMETOOLONG, EIO, a NUL in the
name) is absent. A fingerprint keeps few records, because it is tested on every cached answer.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from operator import attrgetter
from typing import Literal

import msgspec

from alight.clock import Clock

READ_LIMIT = 64 * 1024
"""Octets of a file that somebody else may have written (discovery rules 2.1)."""

LISTING_LIMIT = 16 * 1024
"""``st_size`` up to which listing a directory is cheaper than asking for each name (discovery rules 3)."""

NAMES_LIMIT = 1024
"""Entries after which a listing is given up; file systems differ in what a directory's size means."""

LINKS_LIMIT = 40
"""Links followed for one path, as the kernel does."""

RACY_NS = 2_000_000_000
"""A file changed less than this before it was read may change again without its times telling."""


_KEY = attrgetter("st_dev", "st_ino", "st_mode", "st_mtime_ns", "st_ctime_ns", "st_size")

Manner = Literal["stat", "lstat", "permissions"]
"""How a path was looked at: what it leads to, what stands there, or owner and mode of what stands there."""


class Record(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """What one look at a path gave; ``seen`` is None for absence.

    One number instead of what ``stat`` gives: there are hundreds of thousands of these. Whatever changes moves the
    change time, which nobody can choose.
    """

    path: bytes
    manner: Manner
    seen: int | None
    is_directory: bool = False


class Fingerprint(msgspec.Struct, frozen=True, gc=False):
    """The few looks that decided an answer. A ``racy`` one never holds, so that the question is asked again.

    Whether it holds is found out in a ``Moment``.
    """

    records: tuple[Record, ...]
    racy: bool = False


class Disk:
    """One question's view of the disk: each path is looked at once, and the look is recorded.

    ``uid`` is the user on whose behalf files are judged; the clock is read once, when the question begins.
    """

    def __init__(self, uid: int, clock: Clock) -> None:
        self.uid = uid
        self.now_ns = clock.wall_ns()
        self._stats: dict[bytes, os.stat_result | None] = {}
        self._lstats: dict[bytes, os.stat_result | None] = {}
        self._permissions: dict[bytes, os.stat_result | None] = {}
        self._names: dict[bytes, frozenset[bytes] | None] = {}
        self._folders: dict[bytes, tuple[bytes, ...]] = {}
        self._contents: dict[bytes, tuple[int, bytes | None]] = {}
        self._targets: dict[bytes, bytes] = {}
        # Paths without links above them that were found to be no links: most real paths have their beginning in common.
        self._plain: set[bytes] = set()
        self._provisional = False

    def stat(self, path: bytes) -> os.stat_result | None:
        """What the path leads to, or None."""
        try:
            return self._stats[path]
        except KeyError:
            facts = look(path, follow=True)
            self._stats[path] = facts
            return facts

    def lstat(self, path: bytes) -> os.stat_result | None:
        """What stands at the path itself, a link included, or None."""
        try:
            return self._lstats[path]
        except KeyError:
            facts = look(path, follow=False)
            self._lstats[path] = facts
            return facts

    def permissions(self, path: bytes) -> os.stat_result | None:
        """What stands at the path itself, looked at for its owner and mode only: other changes do not count."""
        try:
            return self._permissions[path]
        except KeyError:
            facts = look(path, follow=False)
            self._permissions[path] = facts
            return facts

    def exists(self, path: bytes) -> bool:
        """True when the path leads to something."""
        return self.stat(path) is not None

    def is_directory(self, path: bytes) -> bool:
        """True when the path leads to a directory."""
        facts = self.stat(path)
        return facts is not None and stat.S_ISDIR(facts.st_mode)

    def is_file(self, path: bytes) -> bool:
        """True when the path leads to a regular file."""
        facts = self.stat(path)
        return facts is not None and stat.S_ISREG(facts.st_mode)

    def names(self, directory: bytes) -> frozenset[bytes] | None:
        """The directory's entries; empty when there is no such directory, None when it is too large to list.

        Either way the directory's own times stand for all its absent children.
        """
        try:
            return self._names[directory]
        except KeyError:
            names = self._list(directory)
            self._names[directory] = names
            return names

    def folders(self, directory: bytes) -> tuple[bytes, ...]:
        """The entries that are directories or links, sorted; none when the directory is too large to list."""
        self.names(directory)
        return self._folders.get(directory, ())

    def has(self, directory: bytes, name: bytes) -> bool:
        """True when the directory has an entry of that name, whatever it is."""
        names = self.names(directory)
        if names is None:
            return self.lstat(join(directory, name)) is not None
        return name in names

    def is_writable(self, path: bytes) -> bool:
        """True when this process may write there; never part of a fingerprint, since permissions have many sources."""
        try:
            return os.access(path, os.W_OK)
        except ValueError:
            return False

    def is_executable(self, path: bytes) -> bool:
        """True for a regular file that somebody may execute."""
        facts = self.stat(path)
        return facts is not None and stat.S_ISREG(facts.st_mode) and bool(facts.st_mode & 0o111)

    def read(self, path: bytes, limit: int = READ_LIMIT) -> bytes | None:
        """The whole of a regular file of at most ``limit`` octets; None when it is absent, other or larger."""
        known = self._contents.get(path)
        if known is not None and known[0] == limit:
            return known[1]
        content = self._load(path, limit)
        self._contents[path] = (limit, content)
        return content

    def head(self, path: bytes, count: int) -> bytes:
        """The first octets of a regular file of any size, at most ``count``; empty when it cannot be read."""
        facts = self.stat(path)
        if facts is None or not stat.S_ISREG(facts.st_mode):
            return b""
        return self._opened(path, lambda descriptor: os.read(descriptor, count)) or b""

    def readlink(self, path: bytes) -> bytes | None:
        """The text of a link, or None when there is no link."""
        facts = self.lstat(path)
        if facts is None or not stat.S_ISLNK(facts.st_mode):
            return None
        try:
            target = os.readlink(path)
        except (OSError, ValueError):
            return None
        self._targets[path] = target
        return target

    def realpath(self, path: bytes) -> bytes:
        """The absolute path without links; parts that do not exist stay as they are, as does a path that loops.

        Only the links on the way and the end are recorded: they change when the result does.
        """
        self.stat(path)
        pending = path.split(b"/")[::-1]
        done = b""
        links = 0
        while pending:
            part = pending.pop()
            if part in {b"", b"."}:
                continue
            if part == b"..":
                done = done.rpartition(b"/")[0]
                continue
            here = done + b"/" + part
            if here in self._plain:
                done = here
                continue
            try:
                target = os.readlink(here)
            except (OSError, ValueError):
                self._plain.add(here)
                done = here
                continue
            links += 1
            if links > LINKS_LIMIT:
                return path
            self.lstat(here)
            self._targets[here] = target
            if target.startswith(b"/"):
                done = b""
            pending.extend(target.split(b"/")[::-1])
        return done or b"/"

    def provisional(self) -> None:
        """Say that the answer depends on how old something is: its fingerprint must not hold."""
        self._provisional = True

    def fingerprint(self) -> Fingerprint:
        """Everything looked at so far, without what follows from other looks."""
        horizon = self.now_ns - RACY_NS
        records: dict[tuple[Manner, bytes], Record] = {}
        racy = self._provisional

        def note(path: bytes, manner: Manner, seen: int | None, *, is_directory: bool = False) -> None:
            records[manner, path] = Record(path, manner, seen, is_directory)

        manners: tuple[tuple[dict[bytes, os.stat_result | None], Manner], ...] = (
            (self._stats, "stat"),
            (self._lstats, "lstat"),
        )
        for looks, manner in manners:
            for path, facts in looks.items():
                if facts is None:
                    if not self._is_implied(path):
                        note(path, manner, None)
                    continue
                if manner == "lstat" and self._is_seen(path, facts):
                    continue
                racy = racy or facts.st_ctime_ns > horizon or horizon < facts.st_mtime_ns <= self.now_ns + RACY_NS
                is_directory = stat.S_ISDIR(facts.st_mode)
                end = self._end(path) if manner == "stat" and not is_directory else path
                note(end, manner, key_of(facts), is_directory=is_directory)
        for path, facts in self._permissions.items():
            if facts is None or not self._is_recorded(path, facts):
                note(path, "permissions", None if facts is None else permissions_of(facts))
        return Fingerprint(tuple(records.values()), racy)

    def _is_seen(self, path: bytes, facts: os.stat_result) -> bool:
        """Whether what stands at the path follows from other looks: a link is never changed, only put in its place."""
        if not stat.S_ISLNK(facts.st_mode):
            return self._stats.get(path) is not None
        above = self._stats.get(path.rpartition(b"/")[0] or b"/")
        return above is not None and stat.S_ISDIR(above.st_mode)

    def _end(self, path: bytes) -> bytes:
        """Where the links at this path lead, each of which was looked at: many lead to one interpreter."""
        for _ in range(LINKS_LIMIT):
            target = self._targets.get(path)
            if target is None:
                break
            path = target if target.startswith(b"/") else join(path.rpartition(b"/")[0], target)
        return path

    def _is_implied(self, path: bytes) -> bool:
        """Whether an absence follows from a directory above, which changes when the next name on the way appears.

        What is absent by ``stat`` may be a link there, whose target appears elsewhere.
        """
        above = path
        while above not in {b"", b"/"}:
            below = above
            above = above.rpartition(b"/")[0] or b"/"
            names = self._names.get(above)
            if names is not None:
                return below.rpartition(b"/")[2] not in names
            if above in self._stats:
                facts = self._stats[above]
                if facts is None or not stat.S_ISDIR(facts.st_mode):
                    return True
                there = self._lstats[below] if below in self._lstats else look(below, follow=False)
                return there is None
        return False

    def _is_recorded(self, path: bytes, facts: os.stat_result) -> bool:
        """Whether a record of the same look tells of its owner and mode, too: the change time moves with them."""
        other = self._stats.get(path)
        return other is not None and (other.st_dev, other.st_ino) == (facts.st_dev, facts.st_ino)

    def _list(self, directory: bytes) -> frozenset[bytes] | None:
        facts = self.stat(directory)
        if facts is None or not stat.S_ISDIR(facts.st_mode):
            return frozenset()
        if facts.st_size > LISTING_LIMIT:
            return None
        names: list[bytes] = []
        folders: list[bytes] = []
        try:
            with os.scandir(directory) as entries:
                for entry in entries:
                    names.append(entry.name)
                    if entry.is_dir(follow_symlinks=False) or entry.is_symlink():
                        folders.append(entry.name)
                    if len(names) > NAMES_LIMIT:
                        return None
        except OSError:
            return None
        self._folders[directory] = tuple(sorted(folders))
        return frozenset(names)

    def _load(self, path: bytes, limit: int) -> bytes | None:
        facts = self.stat(path)
        if facts is None or not stat.S_ISREG(facts.st_mode) or facts.st_size > limit:
            return None
        return self._opened(path, lambda descriptor: _drain(descriptor, limit))

    @staticmethod
    def _opened(path: bytes, take: Callable[[int], bytes | None]) -> bytes | None:
        try:
            descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY)
        except (OSError, ValueError):
            return None
        try:
            # The path may have become something else since it was looked at.
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                return None
            return take(descriptor)
        except OSError:
            return None
        finally:
            os.close(descriptor)


def join(directory: bytes, name: bytes) -> bytes:
    """One path; the root directory gets no second slash."""
    return directory + name if directory.endswith(b"/") else directory + b"/" + name


def look(path: bytes, *, follow: bool) -> os.stat_result | None:
    """What the path leads to, or what stands there; None where nothing can be seen."""
    try:
        return os.stat(path) if follow else os.lstat(path)
    except (OSError, ValueError):
        return None


def is_absent(path: bytes, *, follow: bool) -> bool:
    """The same as whether ``look`` gives None, in half the time where it does."""
    try:
        return not os.access(path, os.F_OK, follow_symlinks=follow)
    except ValueError:
        return True


def key_of(facts: os.stat_result) -> int:
    """What a record keeps of a look at a path."""
    return hash(_KEY(facts))


def permissions_of(facts: os.stat_result) -> int:
    """What a record keeps of a look at owner and mode only."""
    return hash((facts.st_mode, facts.st_uid, facts.st_gid))


def _drain(descriptor: int, limit: int) -> bytes | None:
    chunks: list[bytes] = []
    left = limit + 1
    while left > 0:
        chunk = os.read(descriptor, left)
        if not chunk:
            return b"".join(chunks)
        chunks.append(chunk)
        left -= len(chunk)
    return None
