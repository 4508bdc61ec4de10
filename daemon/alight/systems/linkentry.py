"""What one environment says about projects, and the looks that tell whether it still says so."""

from __future__ import annotations

import os
from collections.abc import Mapping

import msgspec

from alight.clock import Clock
from alight.files.disk import Disk
from alight.files.glance import Glance
from alight.systems import linkfiles
from alight.systems.pools import PoolDisk

Place = tuple[int, int]
"""Device and inode."""


class Entry(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """What one environment said: each word with what stands where it points, or None."""

    glance: Glance
    words: tuple[tuple[linkfiles.Word, Place | None], ...]

    @property
    def looks(self) -> int:
        """How many looks ``same`` takes."""
        return len(self.glance.paths) + len(self.words)

    def same(self) -> bool:
        """True when the environment says what it said, and about the same directories.

        Not to be believed of an entry whose glance is racy.
        """
        return self.glance.same() and all(place == _stands(word.project) for word, place in self.words)


def read(prefix: bytes, uid: int, clock: Clock) -> tuple[Entry, int]:
    """(what the environment says now, when it changed last in nanoseconds)."""
    disk = PoolDisk(uid, clock)
    words = tuple((word, place(disk.stat(word.project))) for word in linkfiles.read(prefix, disk))
    glance = linkfiles.glance(prefix, disk)
    return Entry(glance, words), _youngest_ns(glance, disk)


def keys(entry: Entry | None) -> Mapping[bytes | Place, None]:
    """The projects that are named, by path and by what stands there."""
    if entry is None:
        return {}
    places = (known for _, known in entry.words if known is not None)
    return dict.fromkeys((*(word.project for word, _ in entry.words), *places))


def place(look: os.stat_result | None) -> Place | None:
    """What tells one directory from another, whatever its path."""
    return None if look is None else (look.st_dev, look.st_ino)


def _youngest_ns(glance: Glance, disk: Disk) -> int:
    return max((look.st_ctime_ns for path in glance.paths if (look := disk.stat(path)) is not None), default=0)


def _stands(path: bytes) -> Place | None:
    try:
        return place(os.stat(path))
    except (OSError, ValueError):
        return None
