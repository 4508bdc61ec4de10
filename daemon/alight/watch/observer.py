"""The watch: tells which projects have news. Two threads at any number of folders.

Linux only so far. watchdog's observers for macOS and the BSDs make a thread for every folder, so there is no watching
there, ``degraded`` says so, and answers are right by stat at each question.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterable, Mapping

from alight.clock import Clock
from alight.text import display_path
from alight.watch.coverage import Coverage, Difference, budget
from alight.watch.dispatcher import Begin, Cease, Deliver, Dispatcher, Retry
from alight.watch.hints import Lost, Missed, Outcome
from alight.watch.mounts import MOUNTS_FILE, Mounts
from alight.watch.names import Interest

AVAILABLE: bool = sys.platform == "linux"

REFUSALS = {
    Outcome.FULL: "watches: the system's limit is reached (fs.inotify.max_user_watches)",
    Outcome.CLOSED: "watches: the system gives no inotify instance (fs.inotify.max_user_instances, or open files)",
}

MISSED = {
    Missed.OVERFLOW: "events: the kernel dropped some (fs.inotify.max_queued_events), so everything is looked at again",
    Missed.GAP: "events: some may be missing, since the machine slept or alight was stopped; all is looked at again",
}

SHOWN_DISKS = 3

STOP_SECONDS = 5.0
"""How long ``stop`` waits for a thread that a hung network disk holds."""


class Watch:
    """Which of the covered projects have news, as hints. ``limit`` is the most folders to watch, else ``budget()``.

    All methods belong to one thread; only ``stop`` ever waits.
    """

    def __init__(
        self, deliver: Deliver, clock: Clock, *, limit: int | None = None, mounts_file: str = MOUNTS_FILE
    ) -> None:
        self._deliver = deliver
        self._clock = clock
        self._mounts = Mounts(clock, mounts_file)
        self._lock = threading.Lock()
        self._coverage = Coverage(budget() if limit is None else limit)
        self._dispatcher: Dispatcher | None = None

    def start(self) -> None:
        """Begin with what is covered already. Does nothing where watching is not available."""
        if not AVAILABLE:
            return
        # Its part of watchdog can be imported on Linux only.
        from alight.watch.inotify import Emitter

        self._dispatcher = Dispatcher(Emitter, self._coverage, self._lock, self._deliver, self._clock, self._mounts)
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

    def has_room(self, root: bytes, folders: Iterable[bytes]) -> bool:
        """Whether all of these can be watched for ``root`` while every other root stays."""
        with self._lock:
            return self._coverage.has_room(root, folders)

    def cover(self, root: bytes, folders: Iterable[bytes], *, asked_ns: int | None = None) -> None:
        """Watch these folders for ``root`` from now on, instead of those it had; they need not exist yet.

        Where the budget does not suffice, the roots that were not covered for longest are no longer watched. What
        changed since ``asked_ns`` (wall clock), None for this moment, has news.
        """
        wanted = tuple(folders)
        with self._lock:
            since_ns = self._clock.wall_ns() if asked_ns is None else asked_ns
            difference = self._coverage.cover(root, wanted)
        self._request(difference, since_ns, wanted)

    def share(self, folders: Mapping[bytes, Interest], *, asked_ns: int | None = None) -> None:
        """Watch these for everybody from now on, instead of those before; their news are those of ``SHARED``.

        What changed since ``asked_ns`` (wall clock), None for this moment, has news.
        """
        with self._lock:
            since_ns = self._clock.wall_ns() if asked_ns is None else asked_ns
            difference = self._coverage.share(folders)
        self._request(difference, since_ns, ())

    def offer(self, root: bytes, folders: Iterable[bytes]) -> None:
        """Watch these for ``root`` as long as nothing else needs the room."""
        with self._lock:
            asked_ns, difference = self._clock.wall_ns(), self._coverage.offer(root, folders)
        self._request(difference, asked_ns, ())

    def look_again(self) -> None:
        """Events may have been lost: everything has news, and every folder is looked at again."""
        if self._dispatcher is not None:
            self._dispatcher.event_queue.put(Lost(None, Missed.GAP))

    def _request(self, difference: Difference, asked_ns: int, wanted: tuple[bytes, ...]) -> None:
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
        watches = self._dispatcher.watches
        disks = [f"watches: {display_path(one.point)} is a network disk ({one.kind})" for one in watches.remote]
        refused = () if watches.full is None else (REFUSALS[watches.full],)
        missed = () if watches.missed is None else (MISSED[watches.missed],)
        return (*refused, *missed, *disks[:SHOWN_DISKS])

    @property
    def watched(self) -> int:
        """Folders watched at this moment."""
        return len(self._dispatcher.watches) if self._dispatcher is not None else 0
