"""Answers kept in memory, each as long as the files that decided it look the same; and what there is to list.

One owner, no threads: the caller's loop. Events only make this forget sooner; without them it is still right.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

import msgspec

from alight import interpreters
from alight.clock import Clock
from alight.files.disk import Disk, Fingerprint, join
from alight.files.documents import Documents
from alight.files.moment import Moment
from alight.files.sharing import Sharing
from alight.model import Environment, Interpreter, Resolution
from alight.resolver import describe, resolve
from alight.store import ANSWERS_LIMIT as KEPT_ANSWERS
from alight.store import KnownAnswer, KnownInterpreters, Memory
from alight.systems import SYSTEMS
from alight.systems.base import Facts
from alight.systems.described import Described
from alight.systems.described import place as place_of
from alight.systems.linktable import LinkTable
from alight.systems.pools import Steps
from alight.systems.reached import Reached, own_folders
from alight.wire.facts import OVERRIDES

ANSWERS_LIMIT = 4096
"""Cached answers; one takes about 4 KiB."""

ENVIRONMENTS_LIMIT = 16384
"""Environments remembered for listings; one takes about 0.4 KiB."""

LISTINGS_LIMIT = 4
"""Listings whose pages are being fetched."""

PAGE_LIMIT = 4096
"""Environments of one page, which must fit into a reply."""

STEPS_BETWEEN = 64

UNSETTLED = -1
"""No generation of the link table."""

MAKERS = frozenset({"venv", "virtualenv", "uv"})
"""Who makes environments for others: the tool in whose pool one lies is its owner."""

_OVERRIDES = frozenset(OVERRIDES)
_K = TypeVar("_K")
_V = TypeVar("_V")
_Key = tuple[bytes, tuple[tuple[str, bytes], ...]]


@dataclass(frozen=True, slots=True)
class Page:
    """Some environments in the order of their prefixes; ``total`` is 0 while they are still being counted."""

    environments: tuple[Environment, ...]
    total: int
    more: bool


@dataclass(frozen=True, slots=True)
class _Known:
    """An answer; ``generation`` is the link table's: what environments in pools say may always be an alternative.

    A ``witnessed`` one may be decided by what they say; its fingerprint tells of the pools as they were ``listed``.
    """

    resolution: Resolution
    fingerprint: Fingerprint
    generation: int
    witnessed: bool = True
    listed: int = -1


@dataclass(slots=True)
class _Listing:
    """What one listing goes through, and the work that finds it out, None when that is done.

    ``unchanged`` are those that were seen to be as they were while that was done.
    """

    steps: Steps | None = None
    prefixes: tuple[bytes, ...] = ()
    owners: Mapping[bytes, str] = field(default_factory=dict)
    unchanged: dict[bytes, Described] = field(default_factory=dict)


class Index:
    """What one user's directories were found to hold. ``home`` serves shells that send no ``HOME``.

    A question spends ``links_budget_ns`` on environments in pools that were not read yet, and ``advance`` does the
    rest; None is for callers without a loop, whose every answer is complete.
    """

    def __init__(self, clock: Clock, uid: int, home: bytes, *, links_budget_ns: int | None = None) -> None:
        self._clock = clock
        self._uid = uid
        self._home = home
        self._links_budget_ns = links_budget_ns
        self._links = LinkTable(clock, uid, SYSTEMS)
        self._answers: OrderedDict[_Key, _Known] = OrderedDict()
        self._environments: OrderedDict[bytes, Described] = OrderedDict()
        self._listings: OrderedDict[_Key, _Listing] = OrderedDict()
        self._interpreters: dict[_Key, tuple[tuple[Interpreter, ...], Fingerprint]] = {}
        self._changes = 0
        self.reached = Reached(self._links)
        self.sharing = Sharing()

    @property
    def changes(self) -> int:
        """Another number when there is more to remember than before."""
        return self._changes + self._links.changes

    @property
    def generation(self) -> int:
        """Another number when environments in pools name other projects than before: answers may be others."""
        return self._links.generation

    @property
    def home(self) -> bytes:
        """The home of shells that send none."""
        return self._home

    @property
    def settled(self) -> bool:
        """False while answers may lack what an environment in a pool says of itself."""
        return self._links.settled

    def advance(self, budget_ns: int) -> bool:
        """Read environments in pools for ``budget_ns``; True while there is more to read."""
        return self._links.advance(budget_ns)

    def resolve(
        self,
        directory: bytes,
        overrides: Mapping[str, bytes],
        *,
        trail: bool = False,
        hurried: bool = False,
        moment: Moment | None = None,
    ) -> Resolution:
        """What belongs to ``directory``; other variables than overrides are ignored. A ``trail`` is never cached.

        For who is ``hurried``, the alternatives of a kept answer may be those of a while ago. A kept answer is tested
        by the looks of the ``moment``, which is over when the answer is another one.
        """
        key = (directory, _relevant(overrides))
        moment = Moment(self._clock) if moment is None else moment
        if not trail:
            known = self._answers.get(key)
            if (
                known is not None
                and moment.holds(known.fingerprint)
                and self._is_told(known, key, moment, hurried=hurried)
            ):
                self._answers.move_to_end(key)
                return known.resolution
        moment.over()
        chosen = dict(key[1])
        disk = Disk(self._uid, self._clock)
        # Whoever reads a trail waits a little longer, and wants to see what was just installed.
        patience = None if self._links_budget_ns is None else self._links_budget_ns * (10 if trail else 1)
        links = self._links.question(patience, thorough=trail)
        resolution = resolve(directory, chosen, disk, self._home_of(chosen), links=links, trail=trail)
        fingerprint = self.sharing.fingerprint(disk.fingerprint())
        if not trail:
            self._changes += 1
            self.reached.learn(resolution, fingerprint)
            known = _Known(resolution, fingerprint, self._generation_now(), links.witnessed, links.listed)
            _keep(self._answers, key, known, ANSWERS_LIMIT)
        if resolution.environment is not None:
            self._remember(resolution.environment, disk, settled=not fingerprint.racy)
        return resolution

    def memory(self) -> Memory:
        """What is worth knowing when the daemon is started again; taken now, so what comes later does not count."""
        answers = [
            KnownAnswer(*key, known.resolution, known.fingerprint)
            for key, known in reversed(self._answers.items())
            if not known.fingerprint.racy and self._told_the_same(known)
        ]
        interpreters = [KnownInterpreters(key[1], *known) for key, known in self._interpreters.items()]
        environments = list(reversed(self._environments.items()))
        links = self._links
        return Memory(
            self._home, environments, interpreters, links.pools.listed(), links.entries(), answers[:KEPT_ANSWERS]
        )

    def recall(self, memory: Memory) -> None:
        """Begin with what an earlier daemon knew, each as long as the disk says the same."""
        if memory.home != self._home:
            return
        self._links.recall(memory.views, memory.links)
        # One path for what both know.
        listed_as = {prefix: prefix for prefix, _ in self._links.entries()}
        for prefix, described in reversed(memory.environments):
            chosen = listed_as.get(prefix, prefix)
            _keep(self._environments, chosen, described.shared(self.sharing), ENVIRONMENTS_LIMIT)
        for found in memory.interpreters:
            self._interpreters = {(b"", found.overrides): (found.interpreters, found.fingerprint)}
        for answer in reversed(memory.answers):
            known = _Known(answer.resolution, self.sharing.fingerprint(answer.fingerprint), self.generation)
            _keep(self._answers, (answer.directory, answer.overrides), known, ANSWERS_LIMIT)
        self._changes = -self._links.changes

    def forget(self, under: bytes) -> None:
        """Drop every answer about, or decided by, something at or below ``under``."""
        inside = _below(under)
        for key, known in list(self._answers.items()):
            environment = known.resolution.environment
            if (
                inside(key[0])
                or inside(known.resolution.root)
                or (environment is not None and inside(environment.prefix))
                or any(inside(path) for path in known.resolution.evidence)
            ):
                del self._answers[key]
        for prefix in [prefix for prefix in self._environments if inside(prefix)]:
            del self._environments[prefix]
        self._links.forget(under)

    def environments(self, overrides: Mapping[str, bytes] | None = None) -> tuple[Environment, ...]:
        """Every environment met so far that is still there, and those in the systems' pools, by prefix."""
        found: list[Environment] = []
        page = Page((), 0, more=True)
        while page.more:
            page = self.page(overrides or {}, found[-1].prefix if found else b"", None)
            found += page.environments
        return tuple(found)

    def page(self, overrides: Mapping[str, bytes], after: bytes, budget_ns: int | None) -> Page:
        """The environments whose prefixes follow ``after``, as many as ``budget_ns`` allows; None: all of them.

        An empty ``after`` begins a listing, unless one is still being counted: then it goes on, and the page is
        empty. Otherwise there is at least one environment on a page, if there are any left.
        """
        end = None if budget_ns is None else self._clock.monotonic() + budget_ns / 1e9
        chosen = dict(_relevant(overrides))
        key = (b"", _relevant(overrides))
        listing = self._listings.get(key)
        if listing is None or (not after and listing.steps is None):
            listing = _Listing()
            listing.steps = self._count(listing, chosen)
        _keep(self._listings, key, listing, LISTINGS_LIMIT)
        if listing.steps is not None:
            for _ in listing.steps:
                if end is not None and self._clock.monotonic() >= end:
                    return Page((), 0, more=True)
            listing.steps = None
        position = bisect_right(listing.prefixes, after)
        found: list[Environment] = []
        disk = Disk(self._uid, self._clock)
        for prefix in listing.prefixes[position:]:
            unchanged = listing.unchanged.get(prefix)
            found.append(
                unchanged.environment(prefix)
                if unchanged is not None
                else self._environment(prefix, chosen, listing.owners.get(prefix, ""), disk)
            )
            if len(found) >= PAGE_LIMIT or (end is not None and self._clock.monotonic() >= end):
                break
        return Page(tuple(found), len(listing.prefixes), more=position + len(found) < len(listing.prefixes))

    def interpreters(self, overrides: Mapping[str, bytes] | None = None) -> tuple[Interpreter, ...]:
        """Every base Python on this machine, as far as it can be found without running anything."""
        key = (b"", _relevant(overrides or {}))
        known = self._interpreters.get(key)
        if known is not None and Moment(self._clock).holds(known[1]):
            return known[0]
        disk = Disk(self._uid, self._clock)
        chosen = dict(key[1])
        found = interpreters.list_interpreters(disk, chosen, self._home_of(chosen))
        self._interpreters = {key: (found, disk.fingerprint())}
        self._changes += 1
        return found

    def pools(self, overrides: Mapping[str, bytes] | None = None) -> tuple[bytes, ...]:
        """Directories in which environments and interpreters appear; they need not exist."""
        chosen = dict(_relevant(overrides or {}))
        disk = Disk(self._uid, self._clock)
        home = self._home_of(chosen)
        facts = Facts(disk, chosen, home, b"/", Documents(disk))
        systems = (pool for system in SYSTEMS for pool in system.pools(facts))
        return tuple(dict.fromkeys((*systems, *(pool.directory for pool in interpreters.pools(chosen, home)))))

    @staticmethod
    def watch_paths(resolution: Resolution) -> tuple[bytes, ...]:
        """The directories of its own whose changes can change this answer; ``reached`` knows those of all."""
        return own_folders(resolution)

    def _generation_now(self) -> int:
        """What an answer is kept with; one that was given before everything was read is never given again."""
        return self.generation if self.settled else UNSETTLED

    def _told_the_same(self, known: _Known) -> bool:
        """Whether environments in pools say what they said when the answer was given, for all that was read of them."""
        return known.generation == self.generation and not self._links.doubted

    def _is_told(self, known: _Known, key: _Key, moment: Moment, *, hurried: bool) -> bool:
        """The same, after a look at the environments: a link that was written a moment ago is seen, too.

        Whoever is in a hurry does not look at alternatives, and waits only where they might be the answer.
        """
        if hurried and not known.witnessed:
            return True
        if moment.first((key[1], hurried, known.listed)):
            chosen = dict(key[1])
            home, budget_ns = self._home_of(chosen), self._links_budget_ns
            self._links.look(chosen, home, budget_ns, hurried=hurried, listed=known.listed)
        return self._told_the_same(known)

    def _count(self, listing: _Listing, overrides: Mapping[str, bytes]) -> Steps:
        """Find every prefix once: with two paths to one environment, the one without links."""
        view = self._links.pools.view(overrides, self._home_of(overrides))
        if (yield from self._links.pools.refresh(view, thorough=True)):
            view.settled = False
        disk = Disk(self._uid, self._clock)
        places: dict[object, list[bytes]] = {}
        for number, prefix in enumerate(sorted({*view.owners, *self._environments})):
            known = self._environments.get(prefix)
            if known is not None and known.holds(prefix):
                listing.unchanged[prefix] = known
                places.setdefault(known.place or prefix, []).append(prefix)
            elif (place := place_of(prefix, disk)) is not None or disk.lstat(prefix) is not None:
                places.setdefault(place or prefix, []).append(prefix)
            else:
                self._environments.pop(prefix, None)
            if number % STEPS_BETWEEN == 0:
                yield
        listing.owners = view.owners
        listing.prefixes = tuple(sorted(_shown(paths, disk) for paths in places.values()))

    def _environment(self, prefix: bytes, overrides: Mapping[str, bytes], owner: str, disk: Disk) -> Environment:
        known = self._environments.get(prefix)
        facts = Facts(disk, overrides, self._home_of(overrides), b"/", Documents(disk))
        environment = describe(prefix, facts, owner=known.shape.system if known is not None else "")
        if known is None and owner not in {"", *MAKERS} and environment.system in MAKERS:
            environment = msgspec.structs.replace(environment, system=owner)
        self._remember(environment, disk, settled=True)
        return environment

    def _remember(self, environment: Environment, disk: Disk, *, settled: bool) -> None:
        self._changes += 1
        described = Described.of(environment, disk, self.sharing, settled=settled)
        _keep(self._environments, environment.prefix, described, ENVIRONMENTS_LIMIT)

    def _home_of(self, overrides: Mapping[str, bytes]) -> bytes:
        home = overrides.get("HOME", b"")
        return home if home.startswith(b"/") else self._home


def _shown(paths: list[bytes], disk: Disk) -> bytes:
    if len(paths) == 1:
        return paths[0]
    return next((path for path in paths if disk.realpath(path) == path), paths[0])


def _relevant(overrides: Mapping[str, bytes]) -> tuple[tuple[str, bytes], ...]:
    return tuple(sorted((name, value) for name, value in overrides.items() if name in _OVERRIDES))


def _below(under: bytes) -> Callable[[bytes], bool]:
    prefix = join(under, b"")
    return lambda path: path == under or path.startswith(prefix)


def _keep(kept: OrderedDict[_K, _V], key: _K, value: _V, limit: int) -> None:
    kept[key] = value
    kept.move_to_end(key)
    while len(kept) > limit:
        kept.popitem(last=False)
