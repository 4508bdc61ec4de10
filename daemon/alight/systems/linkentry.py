"""What one environment says about projects, and the looks that tell whether it still says so."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping

import msgspec

from alight.clock import Clock
from alight.files.disk import Disk
from alight.files.glance import Glance
from alight.files.sharing import Sharing
from alight.systems import linkfiles
from alight.systems.pools import PoolDisk

Place = tuple[int, int]
"""Device and inode."""


class Entry(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """What the environment at a prefix said: each word with what stands where it points, or None."""

    glance: Glance
    words: tuple[tuple[linkfiles.Word, Place | None], ...]

    @property
    def looks(self) -> int:
        """How many looks ``same`` takes."""
        return len(self.glance.tails) + len(self.words)

    def same(self, prefix: bytes) -> bool:
        """True when the environment says what it said, and about the same directories.

        Not to be believed of an entry whose glance is racy.
        """
        return self.glance.same(prefix) and all(place == _stands(word.project) for word, place in self.words)

    def shared(self, sharing: Sharing) -> Entry:
        """The same, of shared parts."""
        return Entry(Glance(sharing.of(self.glance.tails), self.glance.seen, self.glance.racy), self.words)


def read(prefix: bytes, uid: int, clock: Clock) -> tuple[Entry, int]:
    """(what the environment says now, when it changed last in nanoseconds)."""
    disk = PoolDisk(uid, clock)
    words = tuple((word, place(disk.stat(word.project))) for word in linkfiles.read(prefix, disk))
    glance = linkfiles.glance(prefix, disk)
    return Entry(glance, words), _youngest_ns(glance.paths(prefix), disk)


def keys(entry: Entry | None) -> Mapping[bytes | Place, None]:
    """The projects that are named, by path and by what stands there."""
    if entry is None:
        return {}
    places = (known for _, known in entry.words if known is not None)
    return dict.fromkeys((*(word.project for word, _ in entry.words), *places))


def place(look: os.stat_result | None) -> Place | None:
    """What tells one directory from another, whatever its path."""
    return None if look is None else (look.st_dev, look.st_ino)


def _youngest_ns(paths: Iterable[bytes], disk: Disk) -> int:
    return max((look.st_ctime_ns for path in paths if (look := disk.stat(path)) is not None), default=0)


def _stands(path: bytes) -> Place | None:
    try:
        return place(os.stat(path))
    except (OSError, ValueError):
        return None
