"""A server that speaks ZMTP badly, octet by octet, as a test tells it to."""

from __future__ import annotations

import contextlib
import os
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from alight import query

GREETING = b"\xff\0\0\0\0\0\0\0\x01\x7f\x03\x01NULL" + b"\0" * 48
READY = b"\x04\x29\x05READY\x0bSocket-Type\0\0\0\x06ROUTER\x08Identity\0\0\0\0"

Script = Callable[[socket.socket], None]


def reply_to(request: list[bytes], *, verb: bytes = b"pong") -> list[bytes]:
    """A well-formed reply to a shell request, with the directory of ``ping``."""
    return [b"1", b"0.1.0", request[2], b"epoch", b"7", request[3], verb, b"42"]


def read_request(peer: socket.socket) -> list[bytes]:
    """Greeting and READY, then (after the server's own were sent by the caller) one message."""
    frames: list[bytes] = []
    while True:
        flags, size = _exactly(peer, 2)
        if flags & 2:
            size = int.from_bytes(bytes([size]) + _exactly(peer, 7), "big")
        frames.append(_exactly(peer, size))
        if not flags & 1:
            return frames


def _exactly(peer: socket.socket, size: int) -> bytes:
    taken = b""
    while len(taken) < size:
        piece = peer.recv(size - len(taken))
        if not piece:
            raise EOFError
        taken += piece
    return taken


def serve_well(peer: socket.socket, send: Callable[[bytes], None] | None = None) -> None:
    """One correct exchange; ``send`` decides how octets leave."""
    give = send or peer.sendall
    _exactly(peer, len(query.GREETING + query.READY))
    give(GREETING + READY)
    give(query.encode(reply_to(read_request(peer))))


@contextmanager
def raw_server(runtime: Path, script: Script, backlog: int = 16) -> Iterator[bytes]:
    """Run ``script`` on each connection in turn; yields the socket's path."""
    runtime.mkdir(mode=0o700, exist_ok=True)
    path = os.fsencode(runtime / "alight.sock")
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(path)
    listener.listen(backlog)

    def serve() -> None:
        while True:
            try:
                peer, _ = listener.accept()
            except OSError:
                return
            with peer, contextlib.suppress(EOFError, OSError):
                peer.settimeout(10)
                script(peer)

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield path
    finally:
        with contextlib.suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join()
        os.unlink(path)
