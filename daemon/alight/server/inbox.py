"""The only door from other threads into the loop: a deque and a wake-up pair."""

from __future__ import annotations

import contextlib
import socket
from collections import deque
from collections.abc import Callable, Iterator


class Inbox:
    """Callables handed in by any thread, taken out by one."""

    def __init__(self) -> None:
        self._waiting: deque[Callable[[], None]] = deque()
        self._reader, self._writer = socket.socketpair()
        self._reader.setblocking(False)
        self._writer.setblocking(False)

    def fileno(self) -> int:
        """Readable while something may be waiting."""
        return self._reader.fileno()

    def wake_descriptor(self) -> int:
        """For ``signal.set_wakeup_fd``: a byte written here wakes the loop."""
        return self._writer.fileno()

    def put(self, callback: Callable[[], None]) -> None:
        """Have the loop's thread call ``callback``; callable from every thread."""
        self._waiting.append(callback)
        self.wake()

    def wake(self) -> None:
        """Make the loop turn; a full pipe means that it will anyway, a closed one that it ended."""
        with contextlib.suppress(BlockingIOError, BrokenPipeError, OSError):
            self._writer.send(b"\0")

    def take(self, limit: int) -> Iterator[Callable[[], None]]:
        """At most ``limit`` callables; with more waiting, the descriptor stays readable."""
        # Drained before the deque is read: what is put in between wakes the loop once more.
        with contextlib.suppress(BlockingIOError):
            while len(self._reader.recv(4096)) == 4096:
                pass
        # What these put in waits for the next turn: sockets are served in between.
        for _ in range(min(limit, len(self._waiting))):
            yield self._waiting.popleft()
        if self._waiting:
            self.wake()

    def close(self) -> None:
        """Nothing is taken after this; ``put`` stays harmless."""
        self._reader.close()
        self._writer.close()
