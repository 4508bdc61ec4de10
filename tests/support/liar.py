"""A daemon that lies: it speaks the protocol well enough to be heard, and says whatever a test wants."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from alight import query
from support import rawserver

Lie = Callable[[list[bytes]], bytes | Sequence[bytes] | None]
"""From the request's frames to the reply's frames, to raw octets, or to silence."""

PLAN = (
    "action", "root", "prefix", "owner", "stamp", "state", "name", "kind", "python_version", "prompt", "segment",
    "notice", "generation", "mark", "witness_1", "witness_2", "witness_3", "witness_4",
)  # fmt: skip
"""The fields of a plan in front of its operations."""

DIRECTORY, APPLIED, DECLINED = 5, 8, 9
"""Where an ``ask`` has them."""


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
        rawserver._exactly(peer, len(query.GREETING + query.READY))
        peer.sendall(rawserver.GREETING + rawserver.READY)
        while True:
            request = rawserver.read_request(peer)
            packed = len(request) == 1
            if packed:
                request = request[0].split(b"\0")
            if request[1] == b"listen":
                continue
            if request[1] != b"ask":
                peer.sendall(query.encode(in_kind(answer(request, b"done"), packed=packed)))
                continue
            self.asked += 1
            reply = self.lie(request)
            if isinstance(reply, bytes):
                peer.sendall(reply)
            elif reply is not None:
                peer.sendall(query.encode(in_kind(reply, packed=packed)))


def in_kind(frames: Sequence[bytes], *, packed: bool) -> Sequence[bytes]:
    """A packed request is answered packed; a NUL in a field then makes two fields of it."""
    return [b"\0".join(frames)] if packed else frames


def answer(request: list[bytes], verb: bytes, *fields: bytes) -> list[bytes]:
    """The frames of a well-formed reply."""
    return [b"1", b"0.1.0", request[2], b"epoch", b"1", request[5], verb, *fields]


@contextmanager
def lying(runtime: Path) -> Iterator[Liar]:
    """Serve ``runtime`` for the length of the block."""
    liar = Liar(runtime)
    with rawserver.raw_server(runtime, liar.serve):
        liar.beat()
        yield liar
    (runtime / "alive").unlink()
