"""The only place that reads time.

Deadlines and ages inside the process use ``monotonic``; ``wall_ns`` is compared with file times, nothing else.
"""

from __future__ import annotations

import time
from typing import Protocol


class Clock(Protocol):
    """Where a module that needs time gets it from; tests pass a fake."""

    def monotonic(self) -> float:
        """Seconds on a clock that never steps."""

    def wall_ns(self) -> int:
        """Nanoseconds since the epoch, comparable with ``st_mtime_ns``."""


class SystemClock:
    """The machine's own clocks."""

    def monotonic(self) -> float:
        return time.monotonic()

    def wall_ns(self) -> int:
        return time.time_ns()
