"""The one thread that arms folders and tells news; the emitter's own thread only fills its queue."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Protocol

from watchdog.observers.api import EventDispatcher, EventQueue

from alight.clock import Clock
from alight.files.disk import join
from alight.watch.coverage import Coverage
from alight.watch.debounce import Debouncer
from alight.watch.hints import Hint, Lost
from alight.watch.mounts import Mounts
from alight.watch.names import Sight, Weight, weigh_in
from alight.watch.watches import Arms, Watches

Deliver = Callable[[frozenset[bytes]], None]
"""Takes the roots that have news, on the watch's thread; it must neither block nor raise."""

Report = Callable[[Hint | Lost], None]

Weigh = Callable[[bytes, Sight], Weight | None]


class Emits(Arms, Protocol):
    """What an emitter of events offers beside arming: see ``Emitter``."""

    @property
    def alive(self) -> bool:
        """False when its thread ended by itself."""

    def close(self) -> None:
        """Free every watch and end its thread."""


@dataclass(frozen=True)
class Begin:
    """Watch these folders, asked for at this time (wall clock)."""

    folders: tuple[bytes, ...]
    asked_ns: int


@dataclass(frozen=True)
class Cease:
    """Watch these no longer."""

    folders: tuple[bytes, ...]


@dataclass(frozen=True)
class Retry:
    """Look for these missing ones again."""

    folders: tuple[bytes, ...]


class Dispatcher(EventDispatcher):
    """Takes requests and hints from ``event_queue`` in their order.

    watchdog's ``EventDispatcher`` gives thread, queue and ``stop``. ``coverage`` is changed by others under ``lock``.
    """

    def __init__(
        self,
        emitter: Callable[[Report, Weigh], Emits],
        coverage: Coverage,
        lock: threading.Lock,
        deliver: Deliver,
        clock: Clock,
        mounts: Mounts | None = None,
    ) -> None:
        super().__init__()
        self.name = "alight-watch"
        self._coverage = coverage
        self._lock = lock
        self._deliver = deliver
        self._emitter = emitter(self.event_queue.put, self._weigh)
        self._debouncer = Debouncer(clock)
        self.watches = Watches(self._emitter, clock, mounts)

    @property
    def working(self) -> bool:
        """Both threads run."""
        return self.is_alive() and self._emitter.alive

    def close(self) -> None:
        """Free every watch, once this thread has ended."""
        self._emitter.close()

    def dispatch_events(self, event_queue: EventQueue) -> None:
        """Wait for an item or until something is due, take what has come, and tell what is due."""
        news = self._debouncer.wait()
        pause = self.watches.wait()
        try:
            self._handle(event_queue.get(timeout=pause if news is None else min(news, pause)))
            # So many and no more: a storm that never pauses must not keep the news back.
            for _ in range(event_queue.qsize()):
                self._handle(event_queue.get_nowait())
        except queue.Empty:
            pass
        self._tell(self.watches.tick(self._wanted), Weight.SETTLE)
        due = self._debouncer.take_due()
        if due:
            self._deliver(due)

    def _handle(self, item: object) -> None:
        match item:
            case Hint(folder, weight, name):
                self._tell([folder], weight)
                if weight in (Weight.NOW, Weight.SETTLE):
                    # Only what lies there: a folder may have thousands beside it.
                    concerned = (*self._below(join(folder, name)), *self.watches.waiting_for(folder, name))
                    self._tell(self.watches.check(dict.fromkeys(concerned)), Weight.SETTLE)
            case Lost(None, missed):
                with self._lock:
                    roots = self._coverage.roots
                self._debouncer.add(roots, Weight.NOW)
                self.watches.reconcile(self._wanted(), missed)
            case Lost(bytes(folder)):
                self._tell([folder], Weight.SETTLE)
                self._tell(self.watches.lost(folder), Weight.SETTLE)
                self._tell(self.watches.check(self._below(folder)), Weight.SETTLE)
            case Begin(folders, asked_ns):
                self._tell(self.watches.add(folders, asked_ns), Weight.NOW)
            case Cease(folders):
                self.watches.drop(folders)
            case Retry(folders):
                self._tell(self.watches.check(folders), Weight.SETTLE)

    def _weigh(self, folder: bytes, sight: Sight) -> Weight | None:
        """On the emitter's thread: both are one look into a table each, which others replace and never change."""
        if sight.name in self.watches.awaited(folder):
            return Weight.SETTLE if sight.appeared else Weight.NOW
        interest = self._coverage.interest(folder)
        return None if interest is None else weigh_in(folder, sight, interest)

    def _tell(self, folders: Iterable[bytes], weight: Weight) -> None:
        self._debouncer.add(self._roots_of(folders), weight)

    def _roots_of(self, folders: Iterable[bytes]) -> set[bytes]:
        with self._lock:
            return {root for folder in folders for root in self._coverage.roots_of(folder)}

    def _below(self, folder: bytes) -> tuple[bytes, ...]:
        with self._lock:
            return self._coverage.below(folder)

    def _wanted(self) -> tuple[bytes, ...]:
        with self._lock:
            return self._coverage.folders
