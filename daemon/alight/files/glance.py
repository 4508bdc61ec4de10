"""A few looks that tell whether something is worth reading again: what is kept by the thousand keeps these.

A fingerprint answers for every look that decided something; a glance only for the paths whose change is known to
show that the rest changed (discovery rules 3: environment, its configuration, its interpreter, its site-packages).
"""

from __future__ import annotations

import os
from collections.abc import Iterable

import msgspec

from alight.files.disk import RACY_NS, Disk

NOTHING = 0
"""Where the number of no looks begins."""


class Glance(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """What some paths led to, as one number. A ``racy`` one never holds: something had changed just before.

    ``tails`` are the paths without the directory they lie in, which whoever keeps many knows: environments that are
    laid out alike share them. Kept by the thousand and never part of a cycle, so the collector need not walk over them.
    """

    tails: tuple[bytes, ...]
    seen: int
    racy: bool

    @staticmethod
    def of(paths: Iterable[bytes], disk: Disk, root: bytes = b"") -> Glance:
        """The looks of ``disk``, taken now where it did not look yet; all paths begin with ``root``."""
        chosen = tuple(dict.fromkeys(paths))
        looks = [disk.stat(path) for path in chosen]
        horizon = disk.now_ns - RACY_NS
        racy = any(
            look.st_ctime_ns > horizon or horizon < look.st_mtime_ns <= disk.now_ns + RACY_NS
            for look in looks
            if look is not None
        )
        seen = NOTHING
        for look in looks:
            seen = _with(seen, look)
        return Glance(tuple(path[len(root) :] for path in chosen), seen, racy)

    def paths(self, root: bytes = b"") -> tuple[bytes, ...]:
        """What was looked at."""
        return tuple(root + tail for tail in self.tails)

    def holds(self, root: bytes = b"") -> bool:
        """True when every path leads to what it led to; one ``stat`` each."""
        return not self.racy and self.same(root)

    def same(self, root: bytes = b"") -> bool:
        """The same for one whose caller knows what to think of ``racy``."""
        return seen(root + tail for tail in self.tails) == self.seen

    def agrees(self, disk: Disk) -> bool:
        """The same as ``disk`` has it: whatever depends on its looks depends on these, then."""
        return Glance.of(self.tails, disk).seen == self.seen


def seen(paths: Iterable[bytes]) -> int:
    """What these paths lead to now, as ``Glance.seen`` has it."""
    number, look = NOTHING, os.stat
    for path in paths:
        try:
            now = look(path)
        except (OSError, ValueError):
            number = hash((number,))
        else:
            number = hash((number, now.st_ino, now.st_ctime_ns, now.st_mtime_ns, now.st_dev))
    return number


def _with(number: int, look: os.stat_result | None) -> int:
    # One number instead of four for each path: there are tens of thousands. Whatever changes moves the change time.
    if look is None:
        return hash((number,))
    return hash((number, look.st_ino, look.st_ctime_ns, look.st_mtime_ns, look.st_dev))
