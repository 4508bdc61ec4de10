"""When news is told: state changes at once, package changes when they are quiet (design section 10)."""

from __future__ import annotations

from collections.abc import Iterable

from alight.clock import Clock
from alight.watch.names import Weight

QUIET_SECONDS = 0.15
"""Package changes are told when none came for so long ..."""

LONGEST_SECONDS = 1.0
"""... and when the first of them is so old."""

SPACING_SECONDS = 0.1
"""A root that was told something at once is told more only after this: a storm is at most ten a second."""


class Debouncer:
    """The roots that have news, each until it is due. Used on one thread; knows time only from its clock."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._urgent: dict[bytes, float] = {}
        self._waiting: dict[bytes, tuple[float, float]] = {}
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
            if weight is not Weight.NOW:
                first, _ = self._waiting.get(root, (now, now))
                self._waiting[root] = (first, now)

    def wait(self) -> float | None:
        """Seconds until a root is due, 0.0 when one is; None when there is no news."""
        due = [*self._urgent.values(), *(_due(*times) for times in self._waiting.values())]
        return max(0.0, min(due) - self._clock.monotonic()) if due else None

    def take_due(self) -> frozenset[bytes]:
        """The roots that are due, each once."""
        now = self._clock.monotonic()
        settled = {root for root, times in self._waiting.items() if _due(*times) <= now}
        for root in settled:
            del self._waiting[root]
        told = frozenset(settled.union(root for root, due in self._urgent.items() if due <= now))
        self._urgent = {root: due for root, due in self._urgent.items() if root not in told}
        self._told = {root: at for root, at in self._told.items() if now - at < SPACING_SECONDS}
        self._told.update(dict.fromkeys(told, now))
        return told

    def _hurry(self, root: bytes, now: float) -> None:
        told = self._told.get(root)
        due = now if told is None else max(now, told + SPACING_SECONDS)
        self._urgent.setdefault(root, due)


def _due(first: float, last: float) -> float:
    return min(last + QUIET_SECONDS, first + LONGEST_SECONDS)
