"""A kept connection to a daemon, for tests that need more than one exchange."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from alight import query


class Connection:
    """A DEALER after its handshake; every read ends at one deadline, ten seconds after the start."""

    def __init__(self, path: bytes) -> None:
        self._stream = query._Connection(time.monotonic() + 10)
        self._stream.connect(path)
        self._stream.shake_hands()

    def send(self, frames: Sequence[bytes]) -> None:
        """One message."""
        self._stream.send(query.encode(frames))

    def receive(self) -> list[bytes]:
        """The next message, up to 16 MiB."""
        return self._stream.read_message(2**24, 2**24)

    def ask(self, frames: Sequence[bytes]) -> list[bytes]:
        """One message there and the next one back."""
        self.send(frames)
        return self.receive()

    def close(self) -> None:
        """Leave."""
        self._stream.close()


@contextmanager
def connected(path: bytes) -> Iterator[Connection]:
    """A connection for the length of the block."""
    connection = Connection(path)
    try:
        yield connection
    finally:
        connection.close()
