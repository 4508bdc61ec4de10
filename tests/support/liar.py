"""A daemon that lies: it speaks the protocol well enough to be heard, and says whatever a test wants."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from alight import query

from support.rawserver import GREETING, READY, exactly, raw_server, read_request

Lie = Callable[[list[bytes]], bytes | Sequence[bytes] | None]
"""From the request's frames to the reply's frames, to raw octets, or to silence."""


class Liar:
    """``lie`` answers every ``ask``; ``asked`` counts them. Everything else is answered with ``done``."""

    def __init__(self, runtime: Path) -> None:
        self.runtime = runtime
        self.asked = 0
        self.lie: Lie = lambda _request: None

    def beat(self) -> None:
        """A fresh heartbeat, as shells without a bounded connect want to see."""
        (self.runtime / "alive").write_text(f"{os.getpid()} {int(time.time())}\n")

    def serve(self, peer: socket.socket) -> None:
        """One connection until its end."""
        exactly(peer, len(query.GREETING + query.READY))
        peer.sendall(GREETING + READY)
        while True:
            request = read_request(peer)
            if request[1] == b"listen":
                continue
            if request[1] != b"ask":
                peer.sendall(query.encode(answer(request, b"done")))
                continue
            self.asked += 1
            reply = self.lie(request)
            if isinstance(reply, bytes):
                peer.sendall(reply)
            elif reply is not None:
                peer.sendall(query.encode(reply))


def answer(request: list[bytes], verb: bytes, *fields: bytes) -> list[bytes]:
    """The frames of a well-formed reply."""
    return [b"1", b"0.1.0", request[2], b"epoch", b"1", request[5], verb, *fields]


@contextmanager
def lying(runtime: Path) -> Iterator[Liar]:
    """Serve ``runtime`` for the length of the block."""
    liar = Liar(runtime)
    with raw_server(runtime, liar.serve):
        liar.beat()
        yield liar
    (runtime / "alive").unlink()
