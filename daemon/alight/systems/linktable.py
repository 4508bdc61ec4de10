"""Which environments name which project, kept between questions: every environment has to be read for it.

Only environments in pools count, so that the answer does not depend on what else was asked before, and no repository
brings one along. What is kept is a hint; each hit is confirmed on the question's own disk, which records it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain, islice

from alight.clock import Clock
from alight.files.disk import join
from alight.files.sharing import Sharing
from alight.systems import linkentry, linkfiles
from alight.systems.base import Facts, Link, System
from alight.systems.linkentry import Entry as Entry
from alight.systems.linkentry import Place, keys, place
from alight.systems.pools import Listed, Pools, Steps, View

ROUND_SECONDS = 60.0
"""How often every environment is looked at again while questions are asked (discovery rules 5.3)."""

LOOKS_LIMIT = 512
"""Looks one question takes to see that the table is what the disk says, some 0.4 ms; a longer table is tested by
parts, and otherwise relies on events and rounds."""

HURRIED_LIMIT = 64
"""The same where a shell waits."""

PASSES_LIMIT = 3
"""How often everything is gone through while environments keep changing; the next question begins anew."""

COARSE_CLOCK_NS = 10_000_000
"""File times may lag the precise clock by one tick of the kernel."""


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
        self._sharing = Sharing()
        self._unsettled: set[bytes] = set()
        # Those that were found changed and not read since: no question need say so again.
        self._doubtful: set[bytes] = set()
        self._named: dict[bytes | Place, dict[bytes, None]] = {}
        self._asked: View | None = None

    @property
    def settled(self) -> bool:
        """Whether nothing is left to be read of what the last question began."""
        return self._asked is None or self._asked.job is None

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
        # One path for what both know.
        listed_as = {prefix: prefix for view in self.pools.views for prefix in view.owners}
        for prefix, entry in entries:
            if prefix in listed_as:
                self._put(listed_as[prefix], entry)
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
        now = self._clock.monotonic()
        end = now + budget_ns / 1e9
        for view in reversed(self.pools.views):
            due = view.asked and now - view.round >= ROUND_SECONDS
            if view.job is None and (due or not view.settled):
                self._begin(view, thorough=due)
            if not self._run(view, end):
                return True
        return False

    def prepare(self, facts: Facts, budget_ns: int | None, *, thorough: bool) -> View:
        """The view for this question, as complete as the budget allows."""
        return self._prepare(self.pools.view(facts.overrides, facts.home), budget_ns, thorough=thorough)

    def _prepare(
        self, view: View, budget_ns: int | None, *, thorough: bool, limit: int = LOOKS_LIMIT, listed: int = -1
    ) -> View:
        view.asked, self._asked = True, view
        # What cannot wait is found out first: the rest of a job that was begun does not look for it.
        is_suspect = self._suspects(view, limit)
        # A job that looks at everything is not begun anew by each who wants that: it would never come to an end.
        is_behind = thorough and (budget_ns is None or not view.thorough)
        is_joined = view.job is not None and not is_behind
        if is_behind or (view.job is None and (is_suspect or not view.settled or not self.pools.current(view, listed))):
            self._begin(view, thorough=thorough)
        end = None if budget_ns is None else self._clock.monotonic() + budget_ns / 1e9
        if self._run(view, end) and is_joined and not (view.settled and self.pools.unchanged(view)):
            # It was begun for an earlier question: what it had passed may have changed before this one.
            self._begin(view, thorough=False)
            self._run(view, end)
        return view

    def look(
        self, overrides: Mapping[str, bytes], home: bytes, budget_ns: int | None, *, hurried: bool, listed: int
    ) -> None:
        """Look at what may change ``generation``; reads for ``budget_ns`` what did change.

        ``listed`` is that of the question whose fingerprint was just seen to hold.
        """
        limit = HURRIED_LIMIT if hurried else LOOKS_LIMIT
        self._prepare(self.pools.view(overrides, home), budget_ns, thorough=False, limit=limit, listed=listed)

    def forget(self, under: bytes) -> None:
        """Read again what lies at or below ``under`` when it is asked about next."""
        inside = join(under, b"")
        self._doubt([prefix for prefix in self._entries if join(prefix, b"").startswith(inside)])

    def candidates(self, project: bytes, facts: Facts, view: View) -> list[Link]:
        """What is known to name the project, unconfirmed; by path, or by what stands there when it has two paths."""
        own = place(facts.disk.stat(project))
        prefixes = {**self._named.get(project, {}), **(self._named.get(own, {}) if own is not None else {})}
        return [
            Link(prefix, word.evidence, view.owners[prefix])
            for prefix in sorted(prefixes)
            if prefix in view.owners
            for word, known in self._entries[prefix].words
            if word.project == project or (known is not None and known == own)
        ]

    def _suspects(self, view: View, limit: int) -> bool:
        """Find what has to be read again: all of a short table, the next part of a long one."""
        looks, suspects = 0, list[bytes]()
        for prefix in self._next(view):
            entry = self._entries.get(prefix)
            if entry is not None and prefix not in self._doubtful:
                looks += entry.looks
                if not entry.same(prefix):
                    suspects.append(prefix)
            view.position += 1
            if looks >= limit:
                break
        self._doubt(suspects)
        return bool(suspects) or any(prefix in view.owners for prefix in self._unsettled)

    def _doubt(self, prefixes: Sequence[bytes]) -> None:
        """Read these again, and list again what lists them: they may be no environments any more."""
        if prefixes:
            self._unsettled.update(prefixes)
            self._doubtful.update(prefixes)
            self._list_again(prefixes)

    def _list_again(self, prefixes: Sequence[bytes]) -> None:
        for view in self.pools.views:
            self.pools.doubt(view, prefixes)
            # A job may have passed them already: it goes on, and round once more.
            view.settled, view.again = False, True

    @staticmethod
    def _next(view: View) -> Iterator[bytes]:
        """The view's environments, each once, beginning after the last one that was tested."""
        if view.position >= len(view.owners):
            view.position = 0
        start = view.position
        return chain(islice(view.owners, start, None), islice(view.owners, start))

    def _begin(self, view: View, *, thorough: bool) -> None:
        view.settled, view.thorough = False, thorough or view.doubted
        if view.thorough:
            view.round, view.asked = self._clock.monotonic(), False
        view.job = self._refresh(view)

    def _run(self, view: View, end: float | None) -> bool:
        """Go on until ``end``, one step at least; True when the view's job is done."""
        for _ in view.job or ():
            if end is not None and self._clock.monotonic() >= end:
                return False
        view.job, view.thorough = None, False
        return True

    def _refresh(self, view: View) -> Steps:
        """Every pass comes to its end, however often the view is doubted meanwhile; then there is another one."""
        thorough = view.thorough
        for _ in range(PASSES_LIMIT):
            view.again = False
            yield from self._pass(view, thorough=thorough)
            thorough = False
            if not view.again:
                break
        view.settled, view.doubted = not view.again, False

    def _pass(self, view: View, *, thorough: bool) -> Steps:
        # Before the pools are listed: what changes after it was read is found out by the next look at it.
        first = dict.fromkeys(prefix for prefix in view.owners if prefix in self._unsettled)
        for prefix in first:
            self._read(prefix)
            yield
        began_ns = self._clock.wall_ns()
        listed = yield from self.pools.refresh(view, thorough=thorough)
        if view.told is not view.owners:
            # What another set of variables made known is read already: nothing else would tell that it counts here.
            moved = view.told_pools not in {None, view.pools}
            if moved or any(self._says(prefix) for prefix in view.told.keys() ^ view.owners.keys()):
                self.generation += 1
            view.told, view.told_pools = view.owners, view.pools
        for prefix in list(view.owners):
            entry = self._entries.get(prefix)
            if entry is None or (prefix in self._unsettled and prefix not in first):
                self._read(prefix, began_ns)
                yield
            elif thorough or listed:
                # Another view may have read it long ago; no question in this one has looked at it since.
                if not entry.same(prefix):
                    self._doubt([prefix])
                yield
        if listed:
            known = set().union(*(other.owners for other in self.pools.views))
            for prefix in [prefix for prefix in self._entries if prefix not in known]:
                self._put(prefix, None)

    def _says(self, prefix: bytes) -> bool:
        entry = self._entries.get(prefix)
        return entry is not None and bool(entry.words)

    def _read(self, prefix: bytes, listed_ns: int | None = None) -> None:
        """Read it; ``listed_ns`` (wall clock) is when the pools were begun to be listed, if that is done."""
        former = self._entries.get(prefix)
        entry, changed_ns = linkentry.read(prefix, self._uid, self._clock)
        self._put(prefix, entry)
        is_other = former is not None and former.glance != entry.glance
        if is_other or (listed_ns is not None and changed_ns >= listed_ns - COARSE_CLOCK_NS):
            # From now on it looks as it did, to every view: that it may be no environment any more is said here.
            self._list_again([prefix])

    def _put(self, prefix: bytes, entry: Entry | None) -> None:
        self.changes += 1
        former = self._entries.pop(prefix, None)
        self._unsettled.discard(prefix)
        self._doubtful.discard(prefix)
        for key in keys(former):
            del self._named[key][prefix]
            if not self._named[key]:
                del self._named[key]
        for key in keys(entry):
            self._named.setdefault(key, {})[prefix] = None
        if entry is not None:
            self._entries[prefix] = entry.shared(self._sharing)
            if entry.glance.racy:
                self._unsettled.add(prefix)
        if (former.words if former is not None else ()) != (entry.words if entry is not None else ()):
            self.generation += 1


class LinkQuestion:
    """The table as one question sees it; ``witnessed`` says that the answer depends on it.

    Then the fingerprint holds the gates of the view, and ``listed`` tells when they were so; -1 when they were not.
    """

    def __init__(self, table: LinkTable, budget_ns: int | None, *, thorough: bool) -> None:
        self.witnessed = False
        self.listed = -1
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
            view = self._prepared(facts)
            agreeing = [listing.gates.agrees(facts.disk) for listing in view.listings.values()]
            if all(agreeing):
                self.listed = view.listed

    def _prepared(self, facts: Facts) -> View:
        if self._view is None:
            self._view = self._table.prepare(facts, self._budget_ns, thorough=self._thorough)
        return self._view


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
