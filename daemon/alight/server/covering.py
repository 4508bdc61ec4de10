"""What is watched for whom: projects as they are asked about, and for everybody what no project owns."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from alight.files.reach import WHOLE, Names
from alight.index import Index
from alight.watch.names import Interest
from alight.watch.observer import Watch

ENVIRONMENT = b"environment:"
"""What the root of an environment in a pool begins with; a project's is an absolute path."""


class Covering:
    """The watch as the handlers see it; belongs to the loop's thread."""

    def __init__(self, watch: Watch, index: Index) -> None:
        self._watch = watch
        self._index = index
        self._shared: Mapping[bytes, Names] = {}
        self._environments: Mapping[bytes, tuple[bytes, ...]] = {}

    def cover(self, root: bytes, folders: tuple[bytes, ...]) -> None:
        """Watch these folders for ``root`` from now on, and what the last answers depended on beside them."""
        self._watch.cover(root, folders)
        self.share()

    def share(self) -> None:
        """Watch pools, settings and interpreters as far as they are known now."""
        shared = self._index.reached.folders()
        if shared is not self._shared:
            self._shared = shared
            self._watch.share({folder: _interest(names) for folder, names in shared.items()})

    def offer(self) -> None:
        """Watch the environments in the pools, as far as there is room."""
        environments = self._index.reached.environments()
        for prefix in self._environments.keys() - environments.keys():
            self._watch.cover(ENVIRONMENT + prefix, ())
        for prefix, folders in environments.items():
            if self._environments.get(prefix) != folders:
                self._watch.offer(ENVIRONMENT + prefix, tuple(prefix + tail for tail in folders))
        self._environments = environments

    @property
    def degraded(self) -> tuple[str, ...]:
        """Why events may be missing; empty when all is well."""
        return self._watch.degraded

    @property
    def watched(self) -> int:
        """Watched folders."""
        return self._watch.watched


def environments_of(roots: Iterable[bytes]) -> frozenset[bytes]:
    """The prefixes among the roots that have news."""
    return frozenset(root.removeprefix(ENVIRONMENT) for root in roots if root.startswith(ENVIRONMENT))


def _interest(names: Names) -> Interest:
    return Interest(every=True) if names is None else Interest(names, only=WHOLE not in names)
