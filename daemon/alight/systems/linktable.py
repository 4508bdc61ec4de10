"""Which environments name which project, kept between questions: every environment has to be read for it.

Only environments in pools count, so that the answer does not depend on what else was asked before, and no repository
brings one along. What is kept is a hint; each hit is confirmed on the question's own disk, which records it.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain, islice

import msgspec

from alight.clock import Clock
from alight.files.disk import join
from alight.files.glance import Glance
from alight.systems import linkfiles
from alight.systems.base import Facts, Link, System
from alight.systems.pools import Listed, PoolDisk, Pools, Steps, View

ROUND_SECONDS = 60.0
"""How often every environment is looked at again while questions are asked (discovery rules 5.3)."""

LOOKS_LIMIT = 512
"""Looks one question takes to see that the table is what the disk says, some 0.4 ms; a longer table is tested by
parts, and otherwise relies on events and rounds."""

HURRIED_LIMIT = 160
"""The same where a shell waits."""


Place = tuple[int, int]
"""Device and inode."""


class Entry(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """What one environment said: each word with what stands where it points, or None."""

    glance: Glance
    words: tuple[tuple[linkfiles.Word, Place | None], ...]

    @property
    def looks(self) -> int:
        """How many looks ``holds`` takes."""
        return len(self.glance.paths) + len(self.words)

    def holds(self) -> bool:
        """True when the environment says what it said, and about the same directories."""
        return not self.glance.racy and self.same()

    def same(self) -> bool:
        """The same for one whose caller reads a racy one again anyway."""
        return self.glance.same() and all(place == _stands(word.project) for word, place in self.words)


class LinkTable:
    """The links of one user's pools. One owner, no threads: the daemon's loop.

    ``generation`` is another number whenever a link came or went: every answer is then asked for again, since a link
    may stand among its alternatives.
    ``changes`` counts what was read.
    """

    def __init__(self, clock: Clock, uid: int, systems: Sequence[System]) -> None:
        self.pools = Pools(clock, uid, systems)
        self.generation = 0
        self.changes = 0
        self._clock = clock
        self._uid = uid
        self._entries: dict[bytes, Entry] = {}
        self._unsettled: set[bytes] = set()
        self._named: dict[bytes | Place, dict[bytes, None]] = {}
        self._job: tuple[View, Steps] | None = None

    @property
    def settled(self) -> bool:
        """Whether nothing that was begun is left to be read."""
        return self._job is None

    @property
    def doubted(self) -> bool:
        """Whether something from before the daemon was started is left that was not looked at again."""
        return any(view.doubted for view in self.pools.views)

    def entries(self) -> list[tuple[bytes, Entry]]:
        """What every environment said, by prefix."""
        return list(self._entries.items())

    def recall(self, listed: Sequence[Listed], entries: Iterable[tuple[bytes, Entry]]) -> None:
        """Take over what an earlier daemon read, into a new table."""
        self.pools.recall(listed)
        owned = set().union(*(view.owners for view in self.pools.views))
        for prefix, entry in entries:
            if prefix in owned and entry.glance.sound:
                self._put(prefix, entry)
        self.generation = 0

    def question(self, budget_ns: int | None = None, *, thorough: bool = False) -> LinkQuestion:
        """The table for one question, which may spend ``budget_ns`` on what is not known yet; None: all it takes.

        ``thorough`` also looks at every environment again, two or three stats each.
        """
        return LinkQuestion(self, budget_ns, thorough=thorough)

    def advance(self, budget_ns: int) -> bool:
        """Go on with what questions left undone; True while there is more.

        A minute after the last time, when questions were asked since, it begins to look at everything again.
        """
        if self._job is None:
            now = self._clock.monotonic()
            for view in reversed(self.pools.views):
                due = view.asked and now - view.round >= ROUND_SECONDS
                if due or not view.settled:
                    self._begin(view, thorough=due)
                    break
        self._run(budget_ns)
        return self._job is not None

    def prepare(self, facts: Facts, budget_ns: int | None, *, thorough: bool) -> View:
        """The view for this question, as complete as the budget allows."""
        return self._prepare(self.pools.view(facts.overrides, facts.home), budget_ns, thorough=thorough)

    def _prepare(self, view: View, budget_ns: int | None, *, thorough: bool, limit: int = LOOKS_LIMIT) -> View:
        view.asked = True
        if self._job is not None and (thorough or self._job[0] is not view):
            # What is asked about goes first; ``advance`` begins again with the other view.
            self._job = None
        # What cannot wait is found out first: the rest of a job that was begun does not look for it.
        is_suspect = self._suspects(view, limit)
        if self._job is None and (thorough or is_suspect or not view.settled or not self.pools.current(view)):
            self._begin(view, thorough=thorough)
        self._run(budget_ns)
        return view

    def look(self, overrides: Mapping[str, bytes], home: bytes, budget_ns: int | None, *, hurried: bool) -> None:
        """Look at what may change ``generation``; reads for ``budget_ns`` what did change."""
        limit = HURRIED_LIMIT if hurried else LOOKS_LIMIT
        self._prepare(self.pools.view(overrides, home), budget_ns, thorough=False, limit=limit)

    def forget(self, under: bytes) -> None:
        """Read again what lies at or below ``under`` when it is asked about next."""
        inside = join(under, b"")
        self._doubt([prefix for prefix in self._entries if join(prefix, b"").startswith(inside)])

    def candidates(self, project: bytes, facts: Facts, view: View) -> list[Link]:
        """What is known to name the project, unconfirmed; by path, or by what stands there when it has two paths."""
        place = _place(facts.disk.stat(project))
        prefixes = {**self._named.get(project, {}), **(self._named.get(place, {}) if place is not None else {})}
        return [
            Link(prefix, word.evidence, view.owners[prefix])
            for prefix in sorted(prefixes)
            if prefix in view.owners
            for word, known in self._entries[prefix].words
            if word.project == project or (known is not None and known == place)
        ]

    def _suspects(self, view: View, limit: int) -> bool:
        """Find what has to be read again: all of a short table, the next part of a long one."""
        looks, suspects = 0, list[bytes]()
        for prefix in self._next(view):
            entry = self._entries.get(prefix)
            if entry is not None:
                looks += entry.looks
                if not entry.same():
                    suspects.append(prefix)
            view.position += 1
            if looks >= limit:
                break
        self._doubt(suspects)
        return bool(suspects) or any(prefix in view.owners for prefix in self._unsettled)

    def _doubt(self, prefixes: Sequence[bytes]) -> None:
        """Read these again, and list again what lists them: they may be no environments any more."""
        if not prefixes:
            return
        # What was begun may have passed them already; ``advance`` and the next question begin anew.
        self._job = None
        self._unsettled.update(prefixes)
        for view in self.pools.views:
            self.pools.doubt(view, prefixes)
            view.settled = False

    @staticmethod
    def _next(view: View) -> Iterator[bytes]:
        """The view's environments, each once, beginning after the last one that was tested."""
        if view.position >= len(view.owners):
            view.position = 0
        start = view.position
        return chain(islice(view.owners, start, None), islice(view.owners, start))

    def _begin(self, view: View, *, thorough: bool) -> None:
        view.settled = False
        thorough = thorough or view.doubted
        if thorough:
            view.round, view.asked = self._clock.monotonic(), False
        self._job = (view, self._refresh(view, thorough=thorough))

    def _run(self, budget_ns: int | None) -> None:
        if self._job is None:
            return
        end = None if budget_ns is None else self._clock.monotonic() + budget_ns / 1e9
        for _ in self._job[1]:
            if end is not None and self._clock.monotonic() >= end:
                return
        self._job = None

    def _refresh(self, view: View, *, thorough: bool) -> Steps:
        listed = yield from self.pools.refresh(view, thorough=thorough)
        if view.told is not view.owners:
            # What another set of variables made known is read already: nothing else would tell that it counts here.
            moved = view.told_pools not in {None, view.pools}
            if moved or any(self._says(prefix) for prefix in view.told.keys() ^ view.owners.keys()):
                self.generation += 1
            view.told, view.told_pools = view.owners, view.pools
        for prefix in list(view.owners):
            entry = self._entries.get(prefix)
            if entry is None or prefix in self._unsettled:
                self._read(prefix)
                yield
            elif thorough or listed:
                # Another view may have read it long ago; no question in this one has looked at it since.
                if not entry.holds():
                    self._read(prefix)
                yield
        if listed:
            known = set().union(*(other.owners for other in self.pools.views))
            for prefix in [prefix for prefix in self._entries if prefix not in known]:
                self._put(prefix, None)
        view.settled, view.doubted = True, False

    def _says(self, prefix: bytes) -> bool:
        entry = self._entries.get(prefix)
        return entry is not None and bool(entry.words)

    def _read(self, prefix: bytes) -> None:
        disk = PoolDisk(self._uid, self._clock)
        words = tuple((word, _place(disk.stat(word.project))) for word in linkfiles.read(prefix, disk))
        self._put(prefix, Entry(linkfiles.glance(prefix, disk), words))

    def _put(self, prefix: bytes, entry: Entry | None) -> None:
        self.changes += 1
        former = self._entries.pop(prefix, None)
        self._unsettled.discard(prefix)
        for key in _keys(former):
            del self._named[key][prefix]
            if not self._named[key]:
                del self._named[key]
        for key in _keys(entry):
            self._named.setdefault(key, {})[prefix] = None
        if entry is not None:
            self._entries[prefix] = entry
            if entry.glance.racy:
                self._unsettled.add(prefix)
        if (former.words if former is not None else ()) != (entry.words if entry is not None else ()):
            self.generation += 1


class LinkQuestion:
    """The table as one question sees it; ``witnessed`` says that the answer depends on it."""

    def __init__(self, table: LinkTable, budget_ns: int | None, *, thorough: bool) -> None:
        self.witnessed = False
        self._table = table
        self._budget_ns = budget_ns
        self._thorough = thorough
        self._view: View | None = None

    def of(self, project: bytes, facts: Facts) -> tuple[Link, ...]:
        """The environments that name this directory, the most explicit first; one with two paths comes once."""
        view = self._prepared(facts)
        found: dict[tuple[int, int], Link] = {}
        for link in sorted(self._table.candidates(project, facts, view), key=lambda one: _order(one, facts)):
            reason = linkfiles.doubt(project, link.prefix, link.evidence, facts.disk) or _astray(link, view, facts)
            place = facts.disk.stat(link.prefix)
            if reason or place is None:
                facts.note("back-link", "skipped", reason or "the environment is gone", link.evidence)
                continue
            found.setdefault((place.st_dev, place.st_ino), link)
        return tuple(found.values())

    def witness(self, facts: Facts) -> None:
        """Make the question's fingerprint depend on the pools: on this level nothing stronger decided."""
        if not self.witnessed:
            self.witnessed = True
            for path in self._prepared(facts).gates:
                facts.disk.stat(path)

    def _prepared(self, facts: Facts) -> View:
        if self._view is None:
            self._view = self._table.prepare(facts, self._budget_ns, thorough=self._thorough)
        return self._view


def _keys(entry: Entry | None) -> Mapping[bytes | Place, None]:
    if entry is None:
        return {}
    places = (place for _, place in entry.words if place is not None)
    return dict.fromkeys((*(word.project for word, _ in entry.words), *places))


def _stands(path: bytes) -> Place | None:
    try:
        return _place(os.stat(path))
    except (OSError, ValueError):
        return None


def _place(look: os.stat_result | None) -> Place | None:
    return None if look is None else (look.st_dev, look.st_ino)


def _order(link: Link, facts: Facts) -> tuple[int, bool, bytes]:
    """The most explicit first, an environment's own path before a link to it (pyenv's), then by name."""
    return linkfiles.rank(link.evidence), facts.disk.readlink(link.prefix) is not None, link.prefix


def _astray(link: Link, view: View, facts: Facts) -> str:
    """What lies elsewhere than in a pool may be a repository's files, also where a link in a pool leads there.

    conda's ``environments.txt`` names environments in projects, and keeps naming them after they are gone.
    """
    real = facts.disk.realpath(link.prefix)
    if any(real.startswith(join(facts.disk.realpath(pool), b"")) for pool in view.pools):
        return ""
    return "it lies in no pool"
