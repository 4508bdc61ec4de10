"""The listening socket and the ROUTER on it.

libzmq would bind the path itself with mode 0777 & ~umask, and take it from a live daemon without an error. So the
listener is made here, under umask 0177, after the lifetime lock is held, and handed over with ``ZMQ_USE_FD``.
Options and measurements: reliability rules 0 and 2.7.
"""

from __future__ import annotations

import contextlib
import os
import socket
from collections.abc import Iterator, Sequence

import zmq

from alight.server.handlers_base import Peer
from alight.wire.limits import MAX_MESSAGE

BACKLOG = 1024
HIGH_WATER_MARK = 64
HANDSHAKE_MILLISECONDS = 2000
LINGER_MILLISECONDS = 200
"""How long replies already given (the one to ``stop``) may take to leave when the daemon ends."""


class Router:
    """The ROUTER of one runtime directory. Not thread-safe: one thread makes, uses and closes it."""

    def __init__(self, path: bytes, uid: int) -> None:
        self._path = path
        self._uid = uid
        self._context = zmq.Context(io_threads=1)
        self.socket: zmq.Socket[bytes] = self._context.socket(zmq.ROUTER)
        for option, value in (
            (zmq.IPC_FILTER_UID, uid),
            (zmq.MAXMSGSIZE, MAX_MESSAGE),
            (zmq.ROUTER_MANDATORY, 1),
            (zmq.ROUTER_HANDOVER, 0),
            (zmq.SNDHWM, HIGH_WATER_MARK),
            (zmq.RCVHWM, HIGH_WATER_MARK),
            (zmq.LINGER, LINGER_MILLISECONDS),
            (zmq.HANDSHAKE_IVL, HANDSHAKE_MILLISECONDS),
            (zmq.HEARTBEAT_IVL, 0),
        ):
            self.socket.setsockopt(option, value)
        self._inode: tuple[int, int] | None = None

    def bind(self) -> None:
        """Replace whatever is at the path by our own listener. The caller holds the lifetime lock."""
        with contextlib.suppress(FileNotFoundError):
            os.unlink(self._path)
        listener = _listen(self._path)
        facts = os.lstat(self._path)
        self._inode = (facts.st_dev, facts.st_ino)
        # libzmq owns the descriptor from here on and closes it with the socket.
        self.socket.setsockopt(zmq.USE_FD, listener.detach())
        self.socket.bind(self._endpoint())

    def rebind(self) -> None:
        """Listen again after the socket's file was removed; open connections live on.

        The former listener stays: ``unbind`` would end the connections it accepted, and nobody reaches it any more.
        """
        self.bind()

    def is_in_place(self) -> bool:
        """True while the file at the path is the socket bound here."""
        try:
            facts = os.lstat(self._path)
        except OSError:
            return False
        return (facts.st_dev, facts.st_ino) == self._inode

    def receive(self, limit: int) -> Iterator[tuple[Peer, list[bytes]]]:
        """At most ``limit`` waiting messages; those of another uid are dropped."""
        for _ in range(limit):
            try:
                parts = [self.socket.recv(zmq.NOBLOCK, copy=False)]
            except zmq.Again:
                return
            # The other parts of a message are here with the first.
            while parts[-1].more:
                parts.append(self.socket.recv(copy=False))
            peer = _peer(parts)
            if peer.uid in (None, self._uid):
                yield peer, [part.bytes for part in parts[1:]]

    def send(self, routing_id: bytes, frames: Sequence[bytes]) -> bool:
        """False when the peer is gone or does not read; the message is dropped then."""
        try:
            # As ``send_multipart`` does, without its looking at every part: it is called for every answer.
            self.socket.send(routing_id, zmq.NOBLOCK | zmq.SNDMORE)
            for frame in frames[:-1]:
                self.socket.send(frame, zmq.NOBLOCK | zmq.SNDMORE)
            self.socket.send(frames[-1], zmq.NOBLOCK)
        except zmq.ZMQError as error:
            if error.errno in (zmq.EHOSTUNREACH, zmq.EAGAIN):
                return False
            raise
        return True

    def close(self) -> None:
        """Remove the socket's file if it is ours and close; returns within the linger time."""
        if self.is_in_place():
            with contextlib.suppress(FileNotFoundError):
                os.unlink(self._path)
        self.socket.close()
        self._context.term()

    def _endpoint(self) -> str:
        return "ipc://" + os.fsdecode(self._path)


def _listen(path: bytes) -> socket.socket:
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    umask = os.umask(0o177)
    try:
        listener.bind(path)
        listener.listen(BACKLOG)
        listener.setblocking(False)
    except OSError:
        listener.close()
        raise
    finally:
        os.umask(umask)
    return listener


def _peer(parts: Sequence[zmq.Frame]) -> Peer:
    routing_id = parts[0].bytes
    try:
        address = parts[-1].get("Peer-Address")
    except zmq.ZMQError:
        return Peer(routing_id)
    # Linux: ``<host>:<uid>:<gid>:<pid>``.
    words = str(address).rsplit(":", 3)
    if len(words) != 4 or not (words[1].isdigit() and words[3].isdigit()):
        return Peer(routing_id)
    return Peer(routing_id, pid=int(words[3]), uid=int(words[1]))
