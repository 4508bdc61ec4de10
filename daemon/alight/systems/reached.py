"""The folders beside projects whose changes can change answers: pools, containers, settings (discovery rules 5.2)."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping, Sequence

from alight import interpreters
from alight.files.disk import Fingerprint, join
from alight.files.reach import Names, outside, reach
from alight.model import Resolution
from alight.systems.linktable import LinkTable
from alight.systems.pools import View

LIMIT = 192
"""Folders on which answers depended lately."""

DPKG = interpreters.DPKG_STATUS.rpartition(b"/")[0]
"""Where every run of Debian's package manager writes one file, instead of thousands in ``/usr``."""

TOLD_BY = (b"/site-packages", b"/conda-meta")
"""What tells of an environment's packages, beside its root."""


class Reached:
    """What the answers of one user depended on, and the pools of ``links``."""

    def __init__(self, links: LinkTable) -> None:
        self._links = links
        self._learned: OrderedDict[bytes, frozenset[bytes]] = OrderedDict()
        self._pools: tuple[bytes, ...] = ()
        self._listed: tuple[tuple[View, int], ...] = ()
        self._folders: dict[bytes, Names] | None = None

    def learn(self, resolution: Resolution, fingerprint: Fingerprint) -> None:
        """An answer was given by these looks; what lies in its own project, or in a pool, is not meant."""
        environment = resolution.environment
        own = (resolution.root, environment.prefix if environment is not None else b"", *self._pools)
        for folder, names in outside(reach(fingerprint.records), *own).items():
            former = self._learned.get(folder)
            joined = names | former if former is not None else names
            if joined != former:
                self._folders = None
            self._learned[folder] = joined
            self._learned.move_to_end(folder)
        while len(self._learned) > LIMIT:
            self._learned.popitem(last=False)

    def folders(self) -> Mapping[bytes, Names]:
        """Each folder with the names in it that matter; the same object as long as it is the same.

        Pools come first, what decided answers long ago last.
        """
        views = self._links.pools.views
        listed = tuple((view, view.listed) for view in views)
        if self._folders is not None and listed == self._listed:
            return self._folders
        self._listed = listed
        pools = tuple(dict.fromkeys(pool for view in views for pool in (*view.pools, *_containers(view))))
        if self._folders is None or pools != self._pools:
            named: dict[bytes, frozenset[bytes]] = {
                interpreters.DPKG_STATUS.rpartition(b"/")[0]: frozenset({b"status"})
            }
            for path in dict.fromkeys(gate for view in views for gate in view.gates):
                folder, _, name = path.rpartition(b"/")
                named[folder or b"/"] = named.get(folder or b"/", frozenset()) | {name}
            for folder, names in reversed(self._learned.items()):
                named[folder] = named.get(folder, frozenset()) | names
            whole: dict[bytes, Names] = dict.fromkeys(pools)
            self._pools, self._folders = pools, whole | outside(named, *pools) | whole
        return self._folders

    def environments(self) -> dict[bytes, tuple[bytes, ...]]:
        """Every environment in a pool that was read, with the folders in it that tell when to read it again.

        Each is what follows the prefix in its path.
        """
        # Most are laid out alike.
        told: dict[tuple[bytes, ...], tuple[bytes, ...]] = {}
        found: dict[bytes, tuple[bytes, ...]] = {}
        for prefix, entry in self._links.entries():
            tails = entry.glance.tails
            if tails not in told:
                told[tails] = tuple(tail for tail in tails if not tail or tail.endswith(TOLD_BY))
            found[prefix] = told[tails]
        return found


def own_folders(resolution: Resolution) -> tuple[bytes, ...]:
    """The directories of an answer's own: project, environment, site-packages; for a missing one, where it would be.

    An interpreter that goes leaves nothing in the environment's own directory, so its folder and its base's count, too.
    Where somebody asked from below the project's root, an environment may appear on each level in between.
    """
    root = resolution.root or resolution.directory
    paths = [root]
    environment = resolution.environment
    if environment is not None:
        metadata = (join(environment.prefix, b"conda-meta"),) if environment.kind == "conda" else ()
        paths += [
            environment.prefix,
            *metadata,
            *environment.site_packages,
            environment.interpreter.rpartition(b"/")[0],
        ]
        if environment.base is not None:
            paths.append(join(environment.base, b"bin"))
    else:
        paths.append(join(root, b".venv"))
        if resolution.would_create is not None and resolution.would_create.prefix:
            paths.append(resolution.would_create.prefix.rpartition(b"/")[0] or b"/")
    return tuple(dict.fromkeys((*paths, *_levels(resolution.directory, root))))


def _levels(directory: bytes, root: bytes) -> Sequence[bytes]:
    levels = []
    while directory.startswith(join(root, b"")):
        levels.append(directory)
        directory = directory.rpartition(b"/")[0]
    return levels


def _containers(view: View) -> tuple[bytes, ...]:
    """Where interpreters appear for these variables."""
    return tuple(pool.directory for pool in interpreters.pools(view.overrides, view.home))
