"""Writing down what the index knows, in the loop's idle moments and at the end."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from threading import Thread

from alight.clock import Clock
from alight.index import Index
from alight.store import Steps, Store

STEP_NS = 2_000_000
"""What one step of putting it together may take: a shell that asks meanwhile waits as long at most."""

SPACING_SECONDS = 5.0
OCTETS_PER_SECOND = 64 * 1024
"""What is written a second on average: a large index is written more rarely, since little of it is new each time."""


class Keeping:
    """``again`` has a callable called on the loop's thread after whatever waits; it is callable from every thread.

    The disk is waited for in a thread of its own that ends with the file: a slow one must keep no shell waiting.
    """

    def __init__(self, index: Index, store: Store, clock: Clock, again: Callable[[Callable[[], None]], None]) -> None:
        self._index = index
        self._store = store
        self._clock = clock
        self._again = again
        self._job: Steps | None = None
        self._thread: Thread | None = None
        self._kept = index.changes
        self._next = clock.monotonic() + SPACING_SECONDS

    def tick(self) -> None:
        """Begin when there is something new and the last time is long enough ago."""
        busy = self._job is not None or (self._thread is not None and self._thread.is_alive())
        if not busy and self._index.changes != self._kept and self._clock.monotonic() >= self._next:
            self._begin()
            self._step()

    def close(self) -> None:
        """Write what is new at once; for the end of the daemon, when nobody waits any more."""
        if self._thread is not None:
            self._thread.join()
        if self._index.changes != self._kept or self._job is not None:
            self._store.write(_all(self._begin()))

    def _begin(self) -> Steps:
        self._kept = self._index.changes
        self._job = self._store.encoded(self._index.memory())
        return self._job

    def _step(self) -> None:
        if self._job is None:
            return
        end = self._clock.monotonic() + STEP_NS / 1e9
        while True:
            try:
                next(self._job)
            except StopIteration as done:
                self._job = None
                self._write(done.value)
                return
            if self._clock.monotonic() >= end:
                self._again(self._step)
                return

    def _write(self, parts: Sequence[bytes]) -> None:
        pause = max(SPACING_SECONDS, sum(map(len, parts)) / OCTETS_PER_SECOND)
        self._next = self._clock.monotonic() + pause
        self._thread = Thread(target=self._store.write, args=(parts,), name="index")
        self._thread.start()


def _all(job: Steps) -> Sequence[bytes]:
    while True:
        try:
            next(job)
        except StopIteration as done:
            parts: Sequence[bytes] = done.value
            return parts
