"""Time the process did not live through: the machine slept, or somebody stopped us."""

from __future__ import annotations

from collections.abc import Callable

from alight.clock import Clock

GAP_SECONDS = 5.0


class Gap:
    """Called every ``period`` seconds; ``resumed`` hears of a gap of more than five seconds between two calls.

    The monotonic clock stands still while the machine sleeps, the wall clock does not; while we are stopped both go on.
    A wall clock that was set counts, too: nothing is lost by looking again.
    """

    def __init__(self, clock: Clock, period: float, resumed: Callable[[], None]) -> None:
        self._clock = clock
        self._longest = period + GAP_SECONDS
        self._resumed = resumed
        self._last = self._now()

    def tick(self) -> None:
        """One of the calls."""
        last, self._last = self._last, self._now()
        if any(abs(now - before) > self._longest for now, before in zip(self._last, last, strict=True)):
            self._resumed()

    def _now(self) -> tuple[float, float]:
        return self._clock.monotonic(), self._clock.wall_ns() / 1e9
