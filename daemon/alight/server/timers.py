"""Work of the loop that is due at a time, once or again and again."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterator
from itertools import count
from operator import itemgetter

from alight.clock import Clock

TOGETHER_SHARE = 0.1
"""Of its period: what is called again and again may come so much earlier, so that one waking serves for several."""

_Entry = tuple[float, int, float | None, Callable[[], None]]
"""When it is due, its place among equals, its period, and what is called."""


class Timers:
    """Callables due in so many seconds of the monotonic clock."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._order = count()
        self._heap: list[_Entry] = []

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
        if not self._heap or self._heap[0][0] > now:
            return
        taken: list[_Entry] = []
        left: list[_Entry] = []
        for entry in self._heap:
            due, _, seconds, _ = entry
            (taken if due - TOGETHER_SHARE * (seconds or 0.0) <= now else left).append(entry)
        heapq.heapify(left)
        self._heap = left
        taken.sort(key=itemgetter(0, 1))
        for _, _, seconds, callback in taken:
            if seconds is not None:
                self._push(seconds, seconds, callback)
        yield from [callback for _, _, _, callback in taken]

    def _push(self, seconds: float, again: float | None, callback: Callable[[], None]) -> None:
        heapq.heappush(self._heap, (self._clock.monotonic() + seconds, next(self._order), again, callback))
