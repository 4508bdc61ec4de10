"""One moment of the disk, shared by all who had asked before it began: each path is looked at once for them.

Answers stay right: what is told is no older than the question. Two hundred shells that ask at once ask about the same
interpreters, pools and settings.
"""

from __future__ import annotations

import os
from collections.abc import Hashable

from alight.clock import Clock
from alight.files.disk import Fingerprint, Record, is_absent, key_of, look, permissions_of


class Moment:
    """The looks since ``began_ns`` (wall clock), for one turn of the loop at most.

    Whoever looks through it must have been asked before it began, and whoever changes the disk says that it is over.
    """

    def __init__(self, clock: Clock) -> None:
        self.began_ns = clock.wall_ns()
        self._clock = clock
        self._stats: dict[bytes, os.stat_result | None] = {}
        self._lstats: dict[bytes, os.stat_result | None] = {}
        # By identity, and kept, so that it is not given to others: answers share what they have in common.
        self._held: dict[int, Fingerprint | Record] = {}
        self._done: set[Hashable] = set()

    def over(self) -> None:
        """The next moment begins: something was changed, or somebody asks who had not before."""
        self._stats.clear()
        self._lstats.clear()
        self._held.clear()
        self._done.clear()
        self.began_ns = self._clock.wall_ns()

    def stat(self, path: bytes) -> os.stat_result | None:
        """What the path leads to, or None."""
        if path not in self._stats:
            self._stats[path] = look(path, follow=True)
        return self._stats[path]

    def lstat(self, path: bytes) -> os.stat_result | None:
        """What stands at the path itself, a link included, or None."""
        if path not in self._lstats:
            self._lstats[path] = look(path, follow=False)
        return self._lstats[path]

    def holds(self, fingerprint: Fingerprint) -> bool:
        """True when every path looks as it did; at most one ``stat`` per record, nothing is opened."""
        if fingerprint.racy:
            return False
        if id(fingerprint) in self._held:
            return True
        held = self._held
        for record in fingerprint.records:
            if id(record) in held:
                continue
            if self._seen(record) != record.seen:
                return False
            held[id(record)] = record
        held[id(fingerprint)] = fingerprint
        return True

    def first(self, what: Hashable) -> bool:
        """True for the first who says so in this moment: what others would only do again."""
        if what in self._done:
            return False
        self._done.add(what)
        return True

    def _seen(self, record: Record) -> int | None:
        path, follow = record.path, record.manner == "stat"
        looks = self._stats if follow else self._lstats
        if path not in looks:
            # Nearly always what is expected is the case; to find out that something is there is another look then.
            absent = record.seen is None and is_absent(path, follow=follow)
            looks[path] = None if absent else look(path, follow=follow)
        facts = looks[path]
        if facts is None:
            return None
        return permissions_of(facts) if record.manner == "permissions" else key_of(facts)
