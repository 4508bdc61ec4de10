"""Answers kept in memory, each as long as the files that decided it look the same.

One owner, no threads: the caller's loop. Events only make this forget sooner; without them it is still right.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Mapping
from typing import TypeVar

from alight import interpreters
from alight.clock import Clock
from alight.files.disk import Disk, Fingerprint, join
from alight.files.documents import Documents
from alight.model import Environment, Interpreter, Resolution
from alight.resolver import describe, resolve
from alight.systems import SYSTEMS
from alight.systems.base import Facts
from alight.wire.facts import OVERRIDES

ANSWERS_LIMIT = 4096
"""Cached answers; one takes about 4 KiB."""

ENVIRONMENTS_LIMIT = 16384
"""Environments remembered for listings."""

_OVERRIDES = frozenset(OVERRIDES)
_K = TypeVar("_K")
_V = TypeVar("_V")
_Key = tuple[bytes, tuple[tuple[str, bytes], ...]]


class Index:
    """What one user's directories were found to hold. ``home`` serves shells that send no ``HOME``."""

    def __init__(self, clock: Clock, uid: int, home: bytes) -> None:
        self._clock = clock
        self._uid = uid
        self._home = home
        self._answers: OrderedDict[_Key, tuple[Resolution, Fingerprint]] = OrderedDict()
        self._environments: OrderedDict[bytes, tuple[Environment, Fingerprint]] = OrderedDict()
        self._interpreters: dict[_Key, tuple[tuple[Interpreter, ...], Fingerprint]] = {}

    def resolve(self, directory: bytes, overrides: Mapping[str, bytes], *, trail: bool = False) -> Resolution:
        """What belongs to ``directory``; other variables than overrides are ignored. A ``trail`` is never cached."""
        key = (directory, _relevant(overrides))
        if not trail:
            known = self._answers.get(key)
            if known is not None and known[1].holds():
                self._answers.move_to_end(key)
                return known[0]
        chosen = dict(key[1])
        disk = Disk(self._uid, self._clock)
        resolution = resolve(directory, chosen, disk, self._home_of(chosen), trail=trail)
        fingerprint = disk.fingerprint()
        if not trail:
            _keep(self._answers, key, (resolution, fingerprint), ANSWERS_LIMIT)
        if resolution.environment is not None:
            environment = resolution.environment
            _keep(self._environments, environment.prefix, (environment, fingerprint), ENVIRONMENTS_LIMIT)
        return resolution

    def forget(self, under: bytes) -> None:
        """Drop every answer about, or decided by, something at or below ``under``."""
        inside = _below(under)
        for key, (resolution, _) in list(self._answers.items()):
            environment = resolution.environment
            if (
                inside(key[0])
                or inside(resolution.root)
                or (environment is not None and inside(environment.prefix))
                or any(inside(path) for path in resolution.evidence)
            ):
                del self._answers[key]
        for prefix in [prefix for prefix in self._environments if inside(prefix)]:
            del self._environments[prefix]

    def environments(self, overrides: Mapping[str, bytes] | None = None) -> tuple[Environment, ...]:
        """Every environment met so far that is still there, and those in the systems' pools, by prefix."""
        chosen = dict(_relevant(overrides or {}))
        disk = Disk(self._uid, self._clock)
        facts = Facts(disk, chosen, self._home_of(chosen), b"/", Documents(disk))
        prefixes = {prefix for system in SYSTEMS for prefix in system.list(facts)}
        for prefix in [prefix for prefix in self._environments if disk.lstat(prefix) is None]:
            del self._environments[prefix]
        return tuple(self._environment(prefix, chosen) for prefix in sorted(prefixes | set(self._environments)))

    def interpreters(self, overrides: Mapping[str, bytes] | None = None) -> tuple[Interpreter, ...]:
        """Every base Python on this machine, as far as it can be found without running anything."""
        key = (b"", _relevant(overrides or {}))
        known = self._interpreters.get(key)
        if known is not None and known[1].holds():
            return known[0]
        disk = Disk(self._uid, self._clock)
        chosen = dict(key[1])
        found = interpreters.list_interpreters(disk, chosen, self._home_of(chosen))
        self._interpreters = {key: (found, disk.fingerprint())}
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
        """The directories whose changes can change this answer: project, environment, site-packages (discovery 5.2)."""
        paths = [resolution.root] if resolution.root else [resolution.directory]
        if resolution.environment is not None:
            paths += [resolution.environment.prefix, *resolution.environment.site_packages]
        else:
            paths.append(join(paths[0], b".venv"))
            if resolution.would_create is not None and resolution.would_create.prefix:
                paths.append(resolution.would_create.prefix.rpartition(b"/")[0] or b"/")
        return tuple(dict.fromkeys(paths))

    def _environment(self, prefix: bytes, overrides: Mapping[str, bytes]) -> Environment:
        known = self._environments.get(prefix)
        if known is not None and known[1].holds():
            return known[0]
        disk = Disk(self._uid, self._clock)
        facts = Facts(disk, overrides, self._home_of(overrides), b"/", Documents(disk))
        owner = known[0].system if known is not None else ""
        environment = describe(prefix, facts, owner=owner)
        _keep(self._environments, prefix, (environment, disk.fingerprint()), ENVIRONMENTS_LIMIT)
        return environment

    def _home_of(self, overrides: Mapping[str, bytes]) -> bytes:
        home = overrides.get("HOME", b"")
        return home if home.startswith(b"/") else self._home


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
