"""When news is told: state changes at once, package changes when they are quiet (design section 10)."""

from __future__ import annotations

from collections.abc import Iterable

from alight.clock import Clock
from alight.watch.names import Weight

QUIET_SECONDS = 0.15
"""Package changes are told when none came for so long ..."""

LONGEST_SECONDS = 1.0
"""... and when the first of them is so old."""

LONG_QUIET_SECONDS = 1.0
"""What comes soon after belongs to the same installation, whose end alone is told: when it was quiet for so long ..."""

LONGEST_QUIET_SECONDS = 8.0
"""... and if that was not the end either, twice as long each time, up to this."""

APART_SECONDS = 3.0
"""Package changes that come so much later than the last one are another installation."""

SPACING_SECONDS = 0.1
"""A root that was told something at once is told more only after this: a storm is at most ten a second."""


class Debouncer:
    """The roots that have news, each until it is due. Used on one thread; knows time only from its clock."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._urgent: dict[bytes, float] = {}
        self._waiting: dict[bytes, tuple[float, float]] = {}
        self._settling: dict[bytes, tuple[float, float]] = {}
        # The installation a root is in: when its last event came, and the quiet its next telling takes.
        self._installing: dict[bytes, tuple[float, float]] = {}
        self._told: dict[bytes, float] = {}

    def add(self, roots: Iterable[bytes], weight: Weight) -> None:
        """An event of this weight concerns these roots."""
        now = self._clock.monotonic()
        for root in roots:
            if weight is Weight.FLUSH:
                if self._waiting.pop(root, None) is not None:
                    self._hurry(root, now)
                continue
            if weight is not Weight.LATER:
                self._hurry(root, now)
            if weight is Weight.SETTLE:
                first, _ = self._settling.get(root, (now, now))
                self._settling[root] = (first, now)
            if weight is Weight.LATER:
                first, _ = self._waiting.get(root, (now, now))
                self._waiting[root] = (first, now)
                last, quiet = self._installing.get(root, (now, 0.0))
                if now - last >= max(APART_SECONDS, 2 * quiet):
                    quiet = 0.0
                self._installing[root] = (now, quiet)

    def wait(self) -> float | None:
        """Seconds until a root is due, 0.0 when one is; None when there is no news."""
        settling = (_due(*times) for times in self._settling.values())
        due = [*self._urgent.values(), *settling, *(self._due(root) for root in self._waiting)]
        return max(0.0, min(due) - self._clock.monotonic()) if due else None

    def take_due(self) -> frozenset[bytes]:
        """The roots that are due, each once."""
        now = self._clock.monotonic()
        settled = {root for root in self._waiting if self._due(root) <= now}
        for root in settled:
            del self._waiting[root]
            last, quiet = self._installing[root]
            self._installing[root] = (last, min(LONGEST_QUIET_SECONDS, max(LONG_QUIET_SECONDS, 2 * quiet)))
        quiet_now = {root for root, times in self._settling.items() if _due(*times) <= now}
        self._settling = {root: times for root, times in self._settling.items() if root not in quiet_now}
        told = frozenset((*settled, *quiet_now, *(root for root, due in self._urgent.items() if due <= now)))
        self._urgent = {root: due for root, due in self._urgent.items() if root not in told}
        self._told = {root: at for root, at in self._told.items() if now - at < SPACING_SECONDS}
        self._installing = {
            root: (last, quiet)
            for root, (last, quiet) in self._installing.items()
            if root in self._waiting or now - last < max(APART_SECONDS, 2 * quiet)
        }
        self._told.update(dict.fromkeys(told, now))
        return told

    def _hurry(self, root: bytes, now: float) -> None:
        told = self._told.get(root)
        due = now if told is None else max(now, told + SPACING_SECONDS)
        self._urgent.setdefault(root, due)

    def _due(self, root: bytes) -> float:
        first, last = self._waiting[root]
        _, quiet = self._installing[root]
        return last + quiet if quiet else _due(first, last)


def _due(first: float, last: float) -> float:
    return min(last + QUIET_SECONDS, first + LONGEST_SECONDS)
