"""Servers for the clients: what a good one says, and all the ways to say it badly."""

from __future__ import annotations

import contextlib
import os
import socket
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from alight import query
from support.rawserver import GREETING, READY, Script, _exactly, raw_server, read_request

FRAMES = Path(__file__).parent.parent / "frames"
"""The golden frames."""

PING = b"\x04\x07\x04PING\0\0"
LONG_PING = b"\x06" + (7).to_bytes(8, "big") + b"\x04PING\0\0"


def golden(name: str) -> list[bytes]:
    """The frames of a golden file."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        ours.sendall((FRAMES / name).read_bytes())
        return read_request(theirs)


DIRECTORY = golden("ping.request.bin")[3]
"""The one that the golden frames are about."""


def long_frame(size: int, *, flags: int = 2) -> bytes:
    """A frame's head with a length of eight octets."""
    return bytes([flags]) + size.to_bytes(8, "big")


def hear(peer: socket.socket) -> tuple[list[bytes], bool]:
    """A request's fields and whether it was packed."""
    frames = read_request(peer)
    return (frames[0].split(b"\0"), True) if len(frames) == 1 else (frames, False)


def wire(fields: Sequence[bytes], *, packed: bool) -> bytes:
    """A message on the wire, in kind."""
    return query.encode([b"\0".join(fields)] if packed else fields)


def directory_of(request: Sequence[bytes]) -> bytes:
    """The directory that a request is about."""
    return request[3 + query.VERBS[request[1].decode()][1]]


def answer(request: Sequence[bytes], *fields: bytes) -> list[bytes]:
    """A well-formed reply with this verb and these fields."""
    return [b"1", b"0.1.0", request[2], b"epoch", b"7", directory_of(request), *fields]


def hear_hello(peer: socket.socket) -> None:
    """The client's greeting and READY, in whatever pieces they come."""
    _exactly(peer, len(query.GREETING + query.READY))


def shake(peer: socket.socket) -> None:
    """The server's half of the handshake."""
    hear_hello(peer)
    peer.sendall(GREETING + READY)


def replies(make: Callable[[list[bytes], bool], bytes], *, hang_up: bool = False) -> Script:
    """A server that shakes hands and answers with octets of our making; then it waits, or leaves."""

    def serve(peer: socket.socket) -> None:
        shake(peer)
        peer.sendall(make(*hear(peer)))
        if not hang_up:
            peer.recv(1)

    return serve


def fields(*verb: bytes) -> Script:
    """A server that answers well, with this verb and these fields."""
    return replies(lambda request, packed: wire(answer(request, *verb), packed=packed))


def says(*octets: bytes) -> Script:
    """A server that says this whatever it is asked, without a handshake, and waits."""

    def serve(peer: socket.socket) -> None:
        hear_hello(peer)
        for piece in octets:
            peer.sendall(piece)
        peer.recv(1)

    return serve


def by_octets(peer: socket.socket) -> None:
    """Everything comes and goes one octet at a time."""

    def give(data: bytes) -> None:
        for octet in data:
            peer.sendall(bytes([octet]))

    for _ in query.GREETING + query.READY:
        peer.recv(1)
    give(GREETING + READY)
    with _Slow(peer) as slow:
        request, packed = hear(slow)
    give(wire(answer(request, b"pong", b"42"), packed=packed))
    peer.recv(1)


class _Slow(socket.socket):
    """A socket from which a single octet is read at a time."""

    def __init__(self, peer: socket.socket) -> None:
        super().__init__(fileno=os.dup(peer.fileno()))
        self.settimeout(peer.gettimeout())

    def recv(self, size: int, flags: int = 0) -> bytes:
        return super().recv(min(size, 1), flags)


def silent(peer: socket.socket) -> None:
    """Accepts and says nothing."""
    hear_hello(peer)
    peer.recv(1)


def greets_only(peer: socket.socket) -> None:
    """Leaves the client waiting for READY."""
    peer.sendall(GREETING)
    silent(peer)


def never_replies(peer: socket.socket) -> None:
    """Takes the request, and that is all."""
    shake(peer)
    hear(peer)
    peer.recv(1)


def commands_for_ever(peer: socket.socket) -> None:
    """Talks without end and says nothing."""
    shake(peer)
    hear(peer)
    while True:
        peer.sendall(PING)


def others_for_ever(peer: socket.socket) -> None:
    """Answers somebody else without end."""
    shake(peer)
    request, packed = hear(peer)
    while True:
        peer.sendall(wire(answer([*request[:2], b"other", *request[3:]], b"pong", b"42"), packed=packed))


def never_reads(peer: socket.socket) -> None:
    """Shakes hands and takes nothing of the request."""
    shake(peer)
    done = threading.Event()
    while not done.wait(0.02):
        peer.send(PING)


@contextmanager
def full_backlog(runtime: Path) -> Iterator[tuple[bytes, Callable[[], None]]]:
    """A listener at which one more connection has to wait, and what lets those that wait in and serves them."""
    runtime.mkdir(mode=0o700, exist_ok=True)
    path = os.fsencode(runtime / "alight.sock")
    with contextlib.ExitStack() as stack:
        listener = stack.enter_context(socket.socket(socket.AF_UNIX))
        listener.bind(path)
        listener.listen(1)
        waiting = 0
        while True:
            peer = stack.enter_context(socket.socket(socket.AF_UNIX))
            peer.setblocking(False)
            if peer.connect_ex(path):
                break
            waiting += 1

        def serve() -> None:
            for _ in range(waiting):
                listener.accept()[0].close()
            with listener.accept()[0] as served:
                served.settimeout(10)
                fields(b"pong", b"42")(served)

        yield path, serve


@contextmanager
def recording(runtime: Path, *, verb: Sequence[bytes] = (b"done",)) -> Iterator[tuple[bytes, list[list[bytes]]]]:
    """A good server that keeps the frames of every request as they came."""
    seen: list[list[bytes]] = []

    def serve(peer: socket.socket) -> None:
        shake(peer)
        frames = read_request(peer)
        seen.append(frames)
        packed = len(frames) == 1
        request = frames[0].split(b"\0") if packed else frames
        peer.sendall(wire(answer(request, *verb), packed=packed))

    with raw_server(runtime, serve) as path:
        yield path, seen
