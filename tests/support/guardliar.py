"""A daemon that says about every line what a test wants, and remembers what it was told."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from alight import query
from support import rawserver
from support.liar import Liar, answer, in_kind

QUESTION = "[c]ancel"
"""What the last line of a question ends in."""


@dataclass(frozen=True)
class Told:
    """One ``guard`` request."""

    directory: bytes
    before: bytes
    line: bytes
    frames: tuple[bytes, ...]

    def variable(self, name: str) -> bytes | None:
        """The value of a variable that was sent."""
        start = name.encode() + b"="
        return next((frame.removeprefix(start) for frame in self.frames if frame.startswith(start)), None)

    def facts(self) -> set[bytes]:
        """What the shell knows of words and unexported variables."""
        return {frame for frame in self.frames if b" " in frame.partition(b"=")[0]}


class GuardLiar(Liar):
    """``verdict`` are the fields of the answer to every ``guard``, None is no answer; ``always`` likewise."""

    def __init__(self, runtime: Path) -> None:
        super().__init__(runtime)
        self.verdict: Sequence[bytes] | None = None
        self.always: tuple[bytes, ...] = (b"done",)
        self.told: list[Told] = []
        self.tokens: list[bytes] = []
        self.listening = 0

    def asks(self, line: str | bytes, old: str | bytes, *new: str | bytes, begin: int | None = None) -> None:
        """Ask from now on; in ``line``, ``r`` puts the words ``new``, if there are any, in the place of ``old``."""
        text, part = _octets(line), _octets(old)
        at = text.index(part) if begin is None else begin
        edit = [b"@%d:%d" % (at, at + len(part)), *(b"." + _octets(word) for word in new)] if new else []
        self.verdict = [b"ask", b"", b"alight: here is the message", b"rpac" if new else b"pac", b"a-token"]
        self.verdict += [b"-  lands in   /elsewhere", *edit]

    def serve(self, peer: socket.socket) -> None:
        """One connection until its end."""
        rawserver._exactly(peer, len(query.GREETING + query.READY))
        peer.sendall(rawserver.GREETING + rawserver.READY)
        while True:
            request = rawserver.read_request(peer)[0].split(b"\0")
            verb, reply = request[1], [b"failure", b"internal", b"not today"]
            if verb == b"listen":
                self.listening += 1
                continue
            if verb == b"guard":
                self.told.append(Told(request[5], request[6], request[7], tuple(request[8:])))
                if self.verdict is None:
                    continue
                reply = [b"verdict", *self.verdict]
            elif verb == b"always":
                self.tokens.append(request[6])
                reply = list(self.always)
            peer.sendall(query.encode(in_kind(answer(request, reply[0], *reply[1:]), packed=True)))


def _octets(text: str | bytes) -> bytes:
    return os.fsencode(text)


@contextmanager
def guarding(runtime: Path) -> Iterator[GuardLiar]:
    """Serve ``runtime`` for the length of the block."""
    liar = GuardLiar(runtime)
    with rawserver.raw_server(runtime, liar.serve):
        liar.beat()
        yield liar
    (runtime / "alive").unlink()
