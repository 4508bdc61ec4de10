"""The watch: tells which projects have news. Two threads at any number of folders.

Linux only so far. watchdog's observers for macOS and the BSDs make a thread for every folder, so there is no watching
there, ``degraded`` says so, and answers are right by stat at each question.
"""

from __future__ import annotations

import queue
import sys
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from watchdog.observers.api import EventDispatcher, EventQueue

from alight.clock import Clock
from alight.watch.coverage import Coverage, budget
from alight.watch.debounce import Debouncer
from alight.watch.hints import Hint, Lost
from alight.watch.names import Weight
from alight.watch.watches import Watches

if sys.platform == "linux":
    from alight.watch.inotify import Emitter

Deliver = Callable[[frozenset[bytes]], None]
"""Takes the roots that have news, on the watch's thread; it must neither block nor raise."""

STOP_SECONDS = 5.0
"""How long ``stop`` waits for a thread that a hung network disk holds."""


class Watch:
    """Which of the covered projects have news, as hints. ``limit`` is the most folders to watch, else ``budget()``.

    ``cover``, ``degraded`` and ``watched`` never wait for the disk.
    """

    def __init__(self, deliver: Deliver, clock: Clock, *, limit: int | None = None) -> None:
        self._deliver = deliver
        self._clock = clock
        self._lock = threading.Lock()
        self._coverage = Coverage(budget() if limit is None else limit)
        self._dispatcher: _Dispatcher | None = None

    def start(self) -> None:
        """Begin with what is covered already."""
        if sys.platform == "linux":
            self._dispatcher = _Dispatcher(self._coverage, self._lock, self._deliver, self._clock)
            self._dispatcher.start()
            self._dispatcher.event_queue.put(_Begin(self._coverage.folders, self._clock.wall_ns()))

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
        dispatcher = self._dispatcher
        if dispatcher is None:
            return
        if difference.dropped:
            dispatcher.event_queue.put(_Cease(difference.dropped))
        if difference.added:
            dispatcher.event_queue.put(_Begin(difference.added, asked_ns))
        elif overdue := dispatcher.watches.overdue(wanted):
            dispatcher.event_queue.put(_Retry(overdue))

    @property
    def degraded(self) -> tuple[str, ...]:
        """Why news may be missing; empty when all is well or nothing was started."""
        if sys.platform != "linux":
            return ("watching: not available here",)
        dispatcher = self._dispatcher
        if dispatcher is None:
            return ()
        if not dispatcher.working:
            return ("watching: stopped by a failure",)
        return ("watches: the system's limit is reached",) if dispatcher.watches.full else ()

    @property
    def watched(self) -> int:
        """Folders watched at this moment."""
        return len(self._dispatcher.watches) if self._dispatcher is not None else 0


@dataclass(frozen=True)
class _Begin:
    folders: tuple[bytes, ...]
    asked_ns: int


@dataclass(frozen=True)
class _Cease:
    folders: tuple[bytes, ...]


@dataclass(frozen=True)
class _Retry:
    folders: tuple[bytes, ...]


if sys.platform == "linux":

    class _Dispatcher(EventDispatcher):
        """The one thread that arms folders and tells news; watchdog's dispatcher gives it life and queue."""

        def __init__(self, coverage: Coverage, lock: threading.Lock, deliver: Deliver, clock: Clock) -> None:
            super().__init__()
            self.name = "alight-watch"
            self._coverage = coverage
            self._lock = lock
            self._deliver = deliver
            self._emitter = Emitter(self.event_queue.put)
            self._debouncer = Debouncer(clock)
            self.watches = Watches(self._emitter, clock)

        @property
        def working(self) -> bool:
            """Both threads run."""
            return self.is_alive() and self._emitter.alive

        def close(self) -> None:
            """Free every watch, once this thread has ended."""
            self._emitter.close()

        def dispatch_events(self, event_queue: EventQueue) -> None:
            """Wait for an item or until something is due, take all there is, and tell what is due."""
            news = self._debouncer.wait()
            pause = self.watches.wait() if news is None else min(news, self.watches.wait())
            try:
                self._handle(event_queue.get(timeout=pause))
                while True:
                    self._handle(event_queue.get_nowait())
            except queue.Empty:
                self._tell(self.watches.tick(self._wanted), Weight.SETTLE)
            due = self._debouncer.take_due()
            if due:
                self._deliver(due)

        def _handle(self, item: object) -> None:
            match item:
                case Hint(folder, weight):
                    self._tell([folder], weight)
                    if weight in (Weight.NOW, Weight.SETTLE):
                        self._tell(self.watches.check(self._below(folder)), Weight.SETTLE)
                case Lost(None):
                    with self._lock:
                        roots = self._coverage.roots
                    self._debouncer.add(roots, Weight.NOW)
                    self.watches.check(self._wanted())
                case Lost(folder) if folder is not None:
                    self._tell([folder], Weight.SETTLE)
                    self._tell(self.watches.check([folder, *self._below(folder)]), Weight.SETTLE)
                case _Begin(folders, asked_ns):
                    self._tell(self.watches.add(folders, asked_ns), Weight.NOW)
                case _Cease(folders):
                    self.watches.drop(folders)
                case _Retry(folders):
                    self._tell(self.watches.check(folders), Weight.SETTLE)

        def _tell(self, folders: Iterable[bytes], weight: Weight) -> None:
            with self._lock:
                roots = {root for folder in folders for root in self._coverage.roots_of(folder)}
            self._debouncer.add(roots, weight)

        def _below(self, folder: bytes) -> tuple[bytes, ...]:
            with self._lock:
                return self._coverage.below(folder)

        def _wanted(self) -> tuple[bytes, ...]:
            with self._lock:
                return self._coverage.folders
