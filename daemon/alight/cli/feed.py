"""Waiting for the daemon and for something else at once."""

from __future__ import annotations

import contextlib
import os
import queue
import select
import threading
from collections.abc import Iterator
from typing import TYPE_CHECKING

from alight.cli.following import Following

if TYPE_CHECKING:
    from alight.model import Event


class Feed:
    """What ``following`` gives, while something else can be waited for; a thread asks the daemon."""

    def __init__(self, following: Following) -> None:
        self._following = following
        self._items: queue.SimpleQueue[tuple[Event, ...] | str | BaseException] = queue.SimpleQueue()
        self._reader, self._writer = os.pipe()
        os.set_blocking(self._writer, False)
        self._is_closed = False

    def __enter__(self) -> Feed:
        # The thread waits for the daemon, which may take ten seconds more: nobody waits for it at the end.
        threading.Thread(target=self._run, name="events", daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._is_closed = True

    def _run(self) -> None:
        try:
            for item in self._following:
                self._put(item)
                if self._is_closed:
                    return
        except BaseException as error:  # raised again where it can be told
            self._put(error)

    def _put(self, item: tuple[Event, ...] | str | BaseException) -> None:
        self._items.put(item)
        self.wake()

    def wake(self) -> None:
        """Have ``wait`` return."""
        with contextlib.suppress(BlockingIOError):
            os.write(self._writer, b"\0")

    def wait(self, stdout: int | None = None, stdin: int | None = None) -> bool:
        """Wait for an item or a key; False when nobody reads ``stdout`` any more."""
        poller = select.poll()
        poller.register(self._reader, select.POLLIN)
        if stdin is not None:
            poller.register(stdin, select.POLLIN)
        if stdout is not None:
            poller.register(stdout, 0)
        ready = dict(poller.poll())
        if self._reader in ready:
            os.read(self._reader, 4096)
        return stdout is None or not ready.get(stdout, 0) & (select.POLLERR | select.POLLHUP)

    def take(self) -> Iterator[tuple[Event, ...] | str]:
        """What has come; raises what ended the asking."""
        with contextlib.suppress(queue.Empty):
            while True:
                item = self._items.get_nowait()
                if isinstance(item, BaseException):
                    raise item
                yield item
