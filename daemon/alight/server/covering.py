"""What is watched for whom: projects as they are asked about, and for everybody what no project owns."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping

from alight.clock import Clock
from alight.files.reach import WHOLE, Names
from alight.index import Index
from alight.watch.names import Interest
from alight.watch.observer import Watch

ENVIRONMENT = b"environment:"
"""What the root of an environment in a pool begins with; a project's is an absolute path."""

TURNOVER = 64
"""Roots that may take the place of others at once, and what is regained of that in a second."""

TURN_SECONDS = 0.1

WAITING_LIMIT = 4096


class Covering:
    """The watch as the handlers see it; belongs to the loop's thread. ``later`` calls something in so many seconds.

    Nobody waits for it: what is asked about is covered when the replies have left, as of when it was asked. Where more
    is asked about than may be watched, taking turns would cost more than all answers: only so many roots a second take
    the place of others, in the order in which they were asked about. A root that waited has news when its turn comes,
    since nobody would have told of what happened meanwhile.
    """

    def __init__(
        self, watch: Watch, index: Index, clock: Clock, later: Callable[[float, Callable[[], None]], None]
    ) -> None:
        self._watch = watch
        self._index = index
        self._clock = clock
        self._later = later
        self._turns = float(TURNOVER)
        self._counted = clock.monotonic()
        self._asked: dict[bytes, tuple[tuple[bytes, ...], int]] = {}
        self._waiting: OrderedDict[bytes, tuple[bytes, ...]] = OrderedDict()
        self._is_due = False
        self._shared: Mapping[bytes, Names] = {}
        self._environments: Mapping[bytes, tuple[bytes, ...]] = {}

    def cover(self, root: bytes, folders: tuple[bytes, ...]) -> None:
        """Watch these folders for ``root``, soon or in its turn, and what the last answers depended on beside them."""
        if not self._asked:
            self._later(0.0, self._cover_asked)
        _, asked_ns = self._asked.get(root, (folders, self._clock.wall_ns()))
        self._asked[root] = (folders, asked_ns)

    def share(self, asked_ns: int | None = None) -> None:
        """Watch pools, settings and interpreters as far as they are known; what changed since ``asked_ns`` has news."""
        shared = self._index.reached.folders()
        if shared is not self._shared:
            self._shared = shared
            interests = {folder: _interest(names) for folder, names in shared.items()}
            self._watch.share(interests, asked_ns=asked_ns)

    def offer(self) -> None:
        """Watch the environments in the pools, as far as there is room."""
        environments = self._index.reached.environments()
        for prefix in self._environments.keys() - environments.keys():
            self._watch.cover(ENVIRONMENT + prefix, ())
        for prefix, folders in environments.items():
            if self._environments.get(prefix) != folders:
                self._watch.offer(ENVIRONMENT + prefix, tuple(prefix + tail for tail in folders))
        self._environments = environments

    def _cover_asked(self) -> None:
        asked, self._asked = self._asked, {}
        for root, (folders, asked_ns) in asked.items():
            if self._watch.has_room(root, folders) or (not self._waiting and self._takes_turn()):
                self._waiting.pop(root, None)
                self._watch.cover(root, folders, asked_ns=asked_ns)
            elif root in self._waiting or len(self._waiting) < WAITING_LIMIT:
                self._waiting[root] = folders
                self._await_turn()
        self.share(min(asked_ns for _, asked_ns in asked.values()))

    def _take_turns(self) -> None:
        self._is_due = False
        while self._waiting and self._takes_turn():
            root, folders = self._waiting.popitem(last=False)
            self._watch.cover(root, folders, asked_ns=0)
        if self._waiting:
            self._await_turn()

    def _await_turn(self) -> None:
        if not self._is_due:
            self._is_due = True
            self._later(TURN_SECONDS, self._take_turns)

    def _takes_turn(self) -> bool:
        now = self._clock.monotonic()
        self._turns = min(float(TURNOVER), self._turns + TURNOVER * (now - self._counted))
        self._counted = now
        if self._turns < 1:
            return False
        self._turns -= 1
        return True

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
