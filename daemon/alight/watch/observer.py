"""The watch: tells which projects have news. Two threads at any number of folders.

Linux only so far. watchdog's observers for macOS and the BSDs make a thread for every folder, so there is no watching
there, ``degraded`` says so, and answers are right by stat at each question.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterable

from alight.clock import Clock
from alight.watch.coverage import Coverage, budget
from alight.watch.dispatcher import Begin, Cease, Deliver, Dispatcher, Retry

AVAILABLE: bool = sys.platform == "linux"

STOP_SECONDS = 5.0
"""How long ``stop`` waits for a thread that a hung network disk holds."""


class Watch:
    """Which of the covered projects have news, as hints. ``limit`` is the most folders to watch, else ``budget()``.

    All methods belong to one thread; only ``stop`` ever waits.
    """

    def __init__(self, deliver: Deliver, clock: Clock, *, limit: int | None = None) -> None:
        self._deliver = deliver
        self._clock = clock
        self._lock = threading.Lock()
        self._coverage = Coverage(budget() if limit is None else limit)
        self._dispatcher: Dispatcher | None = None

    def start(self) -> None:
        """Begin with what is covered already. Does nothing where watching is not available."""
        if not AVAILABLE:
            return
        # Its part of watchdog can be imported on Linux only.
        from alight.watch.inotify import Emitter

        self._dispatcher = Dispatcher(Emitter, self._coverage, self._lock, self._deliver, self._clock)
        self._dispatcher.start()
        self._dispatcher.event_queue.put(Begin(self._coverage.folders, self._clock.wall_ns()))

    def stop(self) -> None:
        """End the threads and free every watch; news not yet due is not told."""
        dispatcher, self._dispatcher = self._dispatcher, None
        if dispatcher is not None:
            dispatcher.stop()
            dispatcher.join(STOP_SECONDS)
            if not dispatcher.is_alive():
                dispatcher.close()

    def cover(self, root: bytes, folders: Iterable[bytes]) -> None:
        """Watch these folders for ``root`` from now on, instead of those it had; they need not exist yet.

        Where the budget does not suffice, the roots that were not covered for longest are no longer watched.
        """
        asked_ns = self._clock.wall_ns()
        wanted = tuple(folders)
        with self._lock:
            difference = self._coverage.cover(root, wanted)
        if self._dispatcher is None:
            return
        requests = self._dispatcher.event_queue
        if difference.dropped:
            requests.put(Cease(difference.dropped))
        if difference.added:
            requests.put(Begin(difference.added, asked_ns))
        elif overdue := self._dispatcher.watches.overdue(wanted):
            requests.put(Retry(overdue))

    @property
    def degraded(self) -> tuple[str, ...]:
        """Why news may be missing; empty when all is well, or before ``start``."""
        if not AVAILABLE:
            return ("watching: not available here",)
        if self._dispatcher is None:
            return ()
        if not self._dispatcher.working:
            return ("watching: stopped by a failure",)
        return ("watches: the system's limit is reached",) if self._dispatcher.watches.full else ()

    @property
    def watched(self) -> int:
        """Folders watched at this moment."""
        return len(self._dispatcher.watches) if self._dispatcher is not None else 0
