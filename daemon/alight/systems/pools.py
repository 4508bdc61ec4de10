"""Which environments lie in the systems' pools: listed once, and again when a pool looks different.

A listing may be long, so it is a generator whose every step is short; whoever runs it decides when to pause. It
belongs to no directory: project files choose no pool here.
"""

from __future__ import annotations

import os
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass, field

import msgspec

from alight.clock import Clock
from alight.files.disk import Disk, join
from alight.files.documents import Documents
from alight.files.glance import Glance
from alight.systems.base import Facts, System

ENVIRONMENTS_LIMIT = 16384
"""Environments of one system, and of all together, that are considered."""

ENTRIES_LIMIT = 65536
"""Entries of a pool; more than a project's directory is read for."""

GATES_LIMIT = 48
"""Looks on which a listing is tested at every question: pools, the files that name pools, folders being filled."""

UNFINISHED = 16
"""How many of them are inside pools: an environment in the making is there before what makes it one."""

INNER_LIMIT = 8192
SMALL = 256
"""Looks inside the pools that every question may take: 0.2 ms."""

VIEWS_LIMIT = 8
"""Sets of override variables whose pools are remembered; a machine has one or two."""

Steps = Generator[None, None, None]
"""Work in short steps."""

Key = tuple[bytes, tuple[tuple[str, bytes], ...]]


class PoolDisk(Disk):
    """A disk for looking through pools, which hold more entries than a project's directory may."""

    def __init__(self, uid: int, clock: Clock) -> None:
        super().__init__(uid, clock)
        self._large: dict[bytes, tuple[frozenset[bytes], tuple[bytes, ...]]] = {}
        self._recent: dict[bytes, None] = {}

    def stat(self, path: bytes) -> os.stat_result | None:
        self._recent[path] = None
        return super().stat(path)

    def lstat(self, path: bytes) -> os.stat_result | None:
        self._recent[path] = None
        return super().lstat(path)

    def names(self, directory: bytes) -> frozenset[bytes] | None:
        names = super().names(directory)
        if names is not None:
            return names
        if directory not in self._large:
            self._large[directory] = _entries(directory)
        return self._large[directory][0]

    def folders(self, directory: bytes) -> tuple[bytes, ...]:
        names = super().names(directory)
        if names is not None:
            return super().folders(directory)
        self.names(directory)
        return self._large[directory][1]

    def take_looks(self, below: bytes) -> list[bytes]:
        """The paths looked at since the last call, without ``below`` and what is in it; empty means all."""
        inside = join(below, b"")
        taken = [path for path in self._recent if not below or (path != below and not path.startswith(inside))]
        self._recent.clear()
        return taken


class Listing(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """What one system listed; ``gates`` hold while nothing new can be there, ``inner`` while nothing nested can."""

    prefixes: tuple[bytes, ...]
    pools: tuple[bytes, ...]
    gates: Glance
    inner: Glance


class Listed(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A view as it outlives the daemon: variables, home, and what each system listed."""

    overrides: dict[str, bytes]
    home: bytes
    listings: dict[str, Listing]


@dataclass(slots=True)
class View:
    """The pools of one set of override variables; ``owners`` maps each prefix to the first system that lists it.

    ``settled`` says that everything listed was also read by the one who goes through the view, ``told`` is the
    ``owners`` that one knows of and ``told_pools`` the ``pools``, ``position`` is how far it came with testing,
    ``asked`` says that there was a question since the last time all of it was looked at again, which was at ``round``
    (monotonic seconds). ``stale`` are systems to be listed again. A ``doubted`` view is from before the daemon was
    started. ``job`` is the rest of the work that was begun on it, which looks at everything again when it is
    ``thorough`` and goes through all of it once more when it is to do so ``again``. ``listed`` is another number
    whenever something was listed, for any view.
    """

    overrides: Mapping[str, bytes]
    home: bytes
    round: float
    listings: dict[str, Listing] = field(default_factory=dict)
    owners: Mapping[bytes, str] = field(default_factory=dict)
    told: Mapping[bytes, str] = field(default_factory=dict)
    told_pools: tuple[bytes, ...] | None = None
    stale: set[str] = field(default_factory=set)
    position: int = 0
    settled: bool = False
    asked: bool = False
    doubted: bool = False
    job: Steps | None = None
    thorough: bool = False
    again: bool = False
    listed: int = 0

    @property
    def gates(self) -> tuple[bytes, ...]:
        """Every path whose change may bring an environment."""
        return tuple(dict.fromkeys(path for listing in self.listings.values() for path in listing.gates.tails))

    @property
    def pools(self) -> tuple[bytes, ...]:
        """Every directory in which environments appear."""
        return tuple(dict.fromkeys(pool for listing in self.listings.values() for pool in listing.pools))


class Pools:
    """The pools of one user, for every set of override variables that shells sent lately."""

    def __init__(self, clock: Clock, uid: int, systems: Sequence[System]) -> None:
        self.systems = tuple(systems)
        self._clock = clock
        self._uid = uid
        self._views: dict[Key, View] = {}
        self._listed = 0

    def view(self, overrides: Mapping[str, bytes], home: bytes) -> View:
        """The view for these variables, unlisted when it is new."""
        key = (home, tuple(sorted(overrides.items())))
        view = self._views.pop(key, None) or View(dict(overrides), home, self._clock.monotonic())
        self._views[key] = view
        while len(self._views) > VIEWS_LIMIT:
            del self._views[next(iter(self._views))]
        return view

    @property
    def views(self) -> tuple[View, ...]:
        """Every view that is remembered, the latest last."""
        return tuple(self._views.values())

    def current(self, view: View, listed: int = -1) -> bool:
        """True when no system needs to be listed again, as far as the gates tell, and small pools' insides.

        Who has just seen that the gates are as they were when the view was ``listed`` by that number, says so.
        """
        thorough, known = self._is_small(view), listed == view.listed
        return all(self._current(view, system, thorough=thorough, known=known) for system in self.systems)

    def unchanged(self, view: View) -> bool:
        """True when all looks as it did when it was listed, also what had changed just before that."""
        thorough = self._is_small(view)
        return all(
            listing.gates.same() and (not thorough or listing.inner.same()) for listing in view.listings.values()
        )

    def refresh(self, view: View, *, thorough: bool) -> Generator[None, None, bool]:
        """List again what looks different; ``thorough`` also tests what is inside large pools. True when it listed."""
        changed, thorough = False, thorough or self._is_small(view)
        for system in self.systems:
            if not self._current(view, system, thorough=thorough):
                view.listings[system.name] = yield from self._list(system, view)
                view.stale.discard(system.name)
                changed = True
            yield
        if changed:
            view.owners = self._owners(view.listings)
            self._listed += 1
            view.listed = self._listed
        return changed

    @staticmethod
    def doubt(view: View, prefixes: Sequence[bytes]) -> None:
        """Have what lists one of these environments listed again: it may be none any more."""
        chosen = set(prefixes)
        view.stale.update(name for name, known in view.listings.items() if not chosen.isdisjoint(known.prefixes))

    def listed(self) -> list[Listed]:
        """What every view lists, the latest first."""
        views = reversed(self._views.values())
        return [Listed(dict(view.overrides), view.home, dict(view.listings)) for view in views]

    def recall(self, listed: Sequence[Listed]) -> None:
        """Take over what an earlier daemon listed: doubted, until all of it was looked at again."""
        names = {system.name for system in self.systems}
        for known in reversed(listed[:VIEWS_LIMIT]):
            view = self.view(known.overrides, known.home)
            view.listings = {name: listing for name, listing in known.listings.items() if name in names}
            view.owners = view.told = self._owners(view.listings)
            view.told_pools = view.pools
            view.doubted = True

    def _owners(self, listings: Mapping[str, Listing]) -> Mapping[bytes, str]:
        owners: dict[bytes, str] = {}
        for system in self.systems:
            listing = listings.get(system.name)
            for prefix in listing.prefixes if listing is not None else ():
                if len(owners) < ENVIRONMENTS_LIMIT:
                    owners.setdefault(prefix, system.name)
        return owners

    @staticmethod
    def _is_small(view: View) -> bool:
        return sum(len(listing.inner.tails) for listing in view.listings.values()) <= SMALL

    @staticmethod
    def _current(view: View, system: System, *, thorough: bool, known: bool = False) -> bool:
        listing = view.listings.get(system.name)
        if listing is None or system.name in view.stale or listing.gates.racy:
            return False
        return (known or listing.gates.same()) and (not thorough or listing.inner.holds())

    def _list(self, system: System, view: View) -> Generator[None, None, Listing]:
        disk = PoolDisk(self._uid, self._clock)
        facts = Facts(disk, view.overrides, view.home, b"/", Documents(disk))
        prefixes: dict[bytes, None] = {}
        looks: list[bytes] = []
        for prefix in system.list(facts):
            prefixes[prefix] = None
            looks += disk.take_looks(prefix)
            if len(prefixes) >= ENVIRONMENTS_LIMIT:
                break
            yield
        pools = tuple(dict.fromkeys(system.pools(facts)))
        looks += disk.take_looks(b"")
        outer, inner = _parted(dict.fromkeys((*pools, *looks)), pools)
        gates = [*outer[: GATES_LIMIT - UNFINISHED], *(path for path in inner if disk.lstat(path) is None)]
        return Listing(
            tuple(prefixes), pools, Glance.of(gates[:GATES_LIMIT], disk), Glance.of(inner[:INNER_LIMIT], disk)
        )


def _parted(looks: Mapping[bytes, None], pools: Sequence[bytes]) -> tuple[list[bytes], list[bytes]]:
    """(the pools and what lies outside them, what lies inside)."""
    roots = tuple(join(pool, b"") for pool in pools)
    outer: list[bytes] = []
    inner: list[bytes] = []
    for path in looks:
        (inner if path.startswith(roots) and path not in pools else outer).append(path)
    return outer, inner


def _entries(directory: bytes) -> tuple[frozenset[bytes], tuple[bytes, ...]]:
    names: list[bytes] = []
    folders: list[bytes] = []
    try:
        with os.scandir(directory) as entries:
            for entry in entries:
                names.append(entry.name)
                if entry.is_dir(follow_symlinks=False) or entry.is_symlink():
                    folders.append(entry.name)
                if len(names) >= ENTRIES_LIMIT:
                    break
    except OSError:
        return frozenset(), ()
    return frozenset(names), tuple(sorted(folders))
