"""Work of the loop that is due at a time, once or again and again."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterator
from itertools import count

from alight.clock import Clock


class Timers:
    """Callables due in so many seconds of the monotonic clock."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._order = count()
        self._heap: list[tuple[float, int, float | None, Callable[[], None]]] = []

    def every(self, seconds: float, callback: Callable[[], None]) -> None:
        """Call ``callback`` for the first time in ``seconds`` from now."""
        self._push(seconds, seconds, callback)

    def after(self, seconds: float, callback: Callable[[], None]) -> None:
        """Call ``callback`` once, in ``seconds`` from now."""
        self._push(seconds, None, callback)

    def wait(self) -> float | None:
        """Seconds until the next callable is due; None without any."""
        if not self._heap:
            return None
        return max(0.0, self._heap[0][0] - self._clock.monotonic())

    def take_due(self) -> Iterator[Callable[[], None]]:
        """Each callable that is due, once: time slept through (suspend) causes no burst."""
        now = self._clock.monotonic()
        due: list[Callable[[], None]] = []
        while self._heap and self._heap[0][0] <= now:
            _, _, seconds, callback = heapq.heappop(self._heap)
            if seconds is not None:
                self._push(seconds, seconds, callback)
            due.append(callback)
        yield from due

    def _push(self, seconds: float, again: float | None, callback: Callable[[], None]) -> None:
        heapq.heappush(self._heap, (self._clock.monotonic() + seconds, next(self._order), again, callback))
