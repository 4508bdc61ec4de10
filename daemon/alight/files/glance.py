"""A few looks that tell whether something is worth reading again: what is kept by the thousand keeps these.

A fingerprint answers for every look that decided something; a glance only for the paths whose change is known to
show that the rest changed (discovery rules 3: environment, its configuration, its interpreter, its site-packages).
"""

from __future__ import annotations

import os
from collections.abc import Iterable

import msgspec

from alight.files.disk import RACY_NS, Disk


class Glance(msgspec.Struct, frozen=True, gc=False):
    """What the paths led to. A ``racy`` one never holds: something had changed just before it was taken.

    Kept by the thousand and never part of a cycle, so the garbage collector need not walk over them.
    """

    paths: tuple[bytes, ...]
    seen: tuple[int | None, ...]
    racy: bool

    @staticmethod
    def of(paths: Iterable[bytes], disk: Disk) -> Glance:
        """The looks of ``disk``; they are taken now where it did not look yet."""
        chosen = tuple(dict.fromkeys(paths))
        looks = [disk.stat(path) for path in chosen]
        horizon = disk.now_ns - RACY_NS
        racy = any(
            look.st_ctime_ns > horizon or horizon < look.st_mtime_ns <= disk.now_ns + RACY_NS
            for look in looks
            if look is not None
        )
        return Glance(chosen, tuple(None if look is None else _mark(look) for look in looks), racy)

    @property
    def sound(self) -> bool:
        """Whether there is one look for each path, which only a file that somebody tampered with gets wrong."""
        return len(self.paths) == len(self.seen)

    def holds(self) -> bool:
        """True when every path leads to what it led to; one ``stat`` each."""
        return not self.racy and self.same()

    def same(self) -> bool:
        """The same for one whose caller knows what to think of ``racy``."""
        look = os.stat
        for path, seen in zip(self.paths, self.seen, strict=True):
            try:
                now = look(path)
            except (OSError, ValueError):
                if seen is not None:
                    return False
                continue
            if seen != hash((now.st_ino, now.st_ctime_ns, now.st_mtime_ns, now.st_dev)):
                return False
        return True


def _mark(look: os.stat_result) -> int:
    # One number instead of four: there are tens of thousands of these. Whatever changes moves the change time.
    return hash((look.st_ino, look.st_ctime_ns, look.st_mtime_ns, look.st_dev))
