"""The heartbeat file: shells that cannot bound a connect look at it first."""

from __future__ import annotations

import contextlib
import os

from alight.clock import Clock
from alight.paths import Places
from alight.server.news import write_line


class Heartbeat:
    """Writes ``PID EPOCHSECONDS`` into ``<runtime>/alive``."""

    def __init__(self, places: Places, clock: Clock) -> None:
        self._places = places
        self._clock = clock

    def beat(self) -> None:
        """Say that the loop turns; also keeps cleaners of temporary directories off the socket and the lock.

        A full disk or a vanished directory is the self-check's business, not a reason to fail here.
        """
        with contextlib.suppress(OSError):
            write_line(os.fsencode(self._places.alive), f"{os.getpid()} {self._clock.wall_ns() // 10**9}")
            os.utime(self._places.socket)
            os.utime(self._places.lock)

    def stop(self) -> None:
        """Remove the file, so that no shell waits for a daemon that left."""
        with contextlib.suppress(OSError):
            os.unlink(self._places.alive)
