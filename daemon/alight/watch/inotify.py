"""One inotify instance and one reading thread for any number of folders, on watchdog's own classes.

watchdog's observer makes a thread for every ``schedule()``, hides overflow and moved folders from its handlers, and
stays blind when a folder is made again (rules/reliability.md 0, 11 and 12). The classes under it do not. Relied on, as
of watchdog 7.1: ``InotifyFD`` (``add_callback``, ``remove_callbacks``, ``start``, ``stop``, ``handle_event``), which
reports ``IN_MOVE_SELF`` where the mask asks for it, and its ``WatchCallback`` protocol.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import count

from watchdog.observers.inotify_c import (
    CallbackId,
    InotifyConstants,
    InotifyEvent,
    InotifyFD,
    Mask,
    WatchDescriptor,
)

from alight.watch.hints import Hint, Lost, Missed, Outcome
from alight.watch.names import Sight, Weight, weigh_in

# Neither IN_OPEN nor IN_ACCESS: the kernel does not even wake us for readers.
MASK = Mask(
    InotifyConstants.IN_CREATE
    | InotifyConstants.IN_DELETE
    | InotifyConstants.IN_MOVE
    | InotifyConstants.IN_CLOSE_WRITE
    | InotifyConstants.IN_DELETE_SELF
    | InotifyConstants.IN_MOVE_SELF
    | InotifyConstants.IN_ONLYDIR
)

_LIMITS = {
    errno.ENOSPC: Outcome.FULL,
    errno.ENOMEM: Outcome.FULL,
    errno.EMFILE: Outcome.CLOSED,
    errno.ENFILE: Outcome.CLOSED,
}

Weigh = Callable[[bytes, Sight], Weight | None]


class Emitter:
    """Reports what happens in the armed folders, from its own thread. The other methods belong to one thread.

    ``weigh`` tells on that thread what an event in a folder is worth.
    """

    def __init__(self, report: Callable[[Hint | Lost], None], weigh: Weigh = weigh_in) -> None:
        self._report = report
        self._weigh = weigh
        self._reader: _Reader | None = None
        self._armed: dict[bytes, tuple[WatchDescriptor, CallbackId]] = {}
        self._numbers = count(1)

    def __len__(self) -> int:
        return len(self._armed)

    def holds(self, folder: bytes) -> bool:
        """Whether the folder was there when it was last looked at."""
        return folder in self._armed

    @property
    def alive(self) -> bool:
        """False when the reading thread ended by itself."""
        return self._reader is None or self._reader.is_alive()

    def arm(self, folder: bytes) -> Outcome:
        """Watch the directory that is at this path now, and none that was there before.

        Asking the kernel again is the check: it answers with the same descriptor for the same directory only.
        """
        former = self._armed.pop(folder, None)
        number = CallbackId(next(self._numbers))
        try:
            descriptor = self._open().add_callback(folder, MASK, _Folder(folder, self._report, self._weigh), number)
        except OSError as error:
            self._release(former)
            return _LIMITS.get(error.errno or 0, Outcome.ABSENT)
        if descriptor == -1:  # how watchdog 7.1 says EACCES
            self._release((descriptor, number))
            self._release(former)
            return Outcome.ABSENT
        self._armed[folder] = (descriptor, number)
        # Only now: the last callback of a descriptor takes the kernel's watch with it.
        self._release(former)
        return Outcome.KEPT if former is not None and former[0] == descriptor else Outcome.NEW

    def drop(self, folders: Iterable[bytes]) -> None:
        """Cease watching; folders that are not armed are fine."""
        for folder in folders:
            self._release(self._armed.pop(folder, None))

    def close(self) -> None:
        """Free every watch and end the thread."""
        self._armed.clear()
        if self._reader is not None:
            self._reader.stop()
            self._reader.join()
            self._reader = None

    def _release(self, watch: tuple[WatchDescriptor, CallbackId] | None) -> None:
        if watch is not None:
            self._open().remove_callbacks([watch])

    def _open(self) -> _Reader:
        if self._reader is None:
            reader = _Reader(self._report)
            reader.start()
            self._reader = reader
        return self._reader


class _Reader(InotifyFD):
    """watchdog's reading thread: reports an overflow once, and leaks no descriptor (7.1 does so in three ways)."""

    def __init__(self, report: Callable[[Hint | Lost], None]) -> None:
        try:
            super().__init__()
        except OSError:
            # The instance was made, but not the pipe beside it.
            if "_inotify_fd" in vars(self):
                os.close(self._inotify_fd)
            raise
        self.name = "alight-inotify"
        # True from the start would leave the descriptors open when ``stop`` comes before the first read.
        self._is_reading = False
        self._report = report

    def handle_event(self, event: InotifyEvent) -> None:
        """As watchdog's, which would tell every folder of an overflow."""
        if event.is_queue_overflow:
            self._report(Lost(None, Missed.OVERFLOW))
        else:
            super().handle_event(event)

    @classmethod
    def _create_inotify_fd(cls) -> int:
        descriptor = super()._create_inotify_fd()
        os.set_inheritable(descriptor, False)
        return descriptor


@dataclass(frozen=True)
class _Folder:
    """What the reading thread calls for one folder. Reads no disk: an event's name is only weighed."""

    folder: bytes
    report: Callable[[Hint | Lost], None]
    weigh: Weigh

    def on_event(self, event: InotifyEvent) -> None:
        if event.is_move_self:
            self.report(Lost(self.folder))
        elif event.name:
            sight = Sight(
                event.name,
                appeared=event.is_create or event.is_moved_to,
                written=event.is_close_write,
                directory=event.is_directory,
            )
            weight = self.weigh(self.folder, sight)
            if weight is not None:
                self.report(Hint(self.folder, weight, event.name))

    def on_watch_deleted(self, wd: WatchDescriptor) -> None:  # noqa: ARG002 - watchdog's protocol
        self.report(Lost(self.folder))

    def on_queue_overflow(self) -> None:
        """Never called: the reader reports it."""
