"""Shells without the shell: connections that stay open and ask what a hook asks, in zsh's packed form.

Each is a plain DEALER on its socket, as zsh has it. Nothing is applied, and all of them live in one process.
"""

from __future__ import annotations

import os
import select
import socket
import time
from collections.abc import Iterator, Sequence
from itertools import count
from pathlib import Path

from alight import query
from alight.wire import shellframe
from alight.wire.messages import Ask, Message, Ping, Plan, Pong

DEADLINE_S = 30.0
SEARCH_PATH = b"PATH=/usr/local/bin:/usr/bin:/bin"


class Shell:
    """One connection; at most one question waits for its reply."""

    def __init__(self, path: bytes, home: bytes, pid: int) -> None:
        connection = query._Connection(time.monotonic() + DEADLINE_S)
        connection.connect(path)
        connection.shake_hands()
        self.socket: socket.socket = connection._socket  # type: ignore[assignment]
        self.socket.settimeout(DEADLINE_S)
        self._received = bytearray(connection._received)
        self._variables = (SEARCH_PATH, b"HOME=" + home)
        self._pid = pid
        self._numbers = count(1)
        self._made = b""
        self._asked = (b"", b"")
        self._sent = 0
        self._unopened: list[tuple[int, bytes]] = []

    def ask(self, directory: bytes) -> None:
        """What belongs to this directory?"""
        self.make(directory)
        self.send()

    def ping(self) -> None:
        """Nothing but the way there and back."""
        self._make(Ping(b"/"), b"/")
        self.send()

    def make(self, directory: bytes) -> None:
        """Have the question ready that ``ask`` would send."""
        self._make(
            Ask("zsh", self._pid, directory, "on", "", b"", b"", 0, first=False, variables=self._variables), directory
        )

    def send(self) -> None:
        """Send what was made."""
        self._sent = time.perf_counter_ns()
        self.socket.sendall(self._made)

    def take(self) -> int | None:
        """Read what has come: the nanoseconds since the question once its reply is there; others are news.

        Raises RuntimeError for a reply that is none to this question, and when the daemon left.
        """
        self.receive()
        return self.open()

    def receive(self) -> bool:
        """Only read what has come; whether there is something whole to ``open``. Raises RuntimeError as ``take``."""
        octets = self.socket.recv(65536)
        now = time.perf_counter_ns()
        if not octets:
            raise RuntimeError("the daemon left")
        self._received += octets
        self._unopened += [(now, body) for body in self._messages()]
        return bool(self._unopened)

    def open(self) -> int | None:
        """What ``take`` gives, of what was received."""
        unopened, self._unopened = self._unopened, []
        for now, body in unopened:
            header, reply = shellframe.decode_reply(shellframe.unpack(body))
            if header.id:
                if (header.id, header.directory) != self._asked or not isinstance(reply, Plan | Pong):
                    raise RuntimeError(f"not the reply to this question: {header} {reply}")
                return now - self._sent
        return None

    def _make(self, message: Message, directory: bytes) -> None:
        identifier = b"%d" % next(self._numbers)
        self._made = query.encode([shellframe.pack(shellframe.encode_request(identifier, message))])
        self._asked = (identifier, directory)

    def _messages(self) -> Iterator[bytes]:
        """The packed messages that are whole; frames of others (news) are of no interest and left out."""
        while len(self._received) >= 2:
            flags, size, start = self._received[0], self._received[1], 2
            if flags & query.LONG:
                if len(self._received) < 9:
                    return
                size, start = int.from_bytes(self._received[1:9], "big"), 9
            if len(self._received) < start + size:
                return
            body = bytes(self._received[start : start + size])
            del self._received[: start + size]
            if not flags & (query.MORE | query.COMMAND) and body.count(b"\0") > 5:
                yield body

    def close(self) -> None:
        """Leave."""
        self.socket.close()


class Crowd:
    """``count`` shells of one user, asking about known directories. A context manager."""

    def __init__(self, path: bytes, home: Path, number: int) -> None:
        self.shells = [Shell(path, os.fsencode(home), 100_000 + index) for index in range(number)]
        self._poll = select.poll()
        self._by_descriptor = {shell.socket.fileno(): shell for shell in self.shells}
        for descriptor in self._by_descriptor:
            self._poll.register(descriptor, select.POLLIN)

    def __enter__(self) -> Crowd:
        return self

    def __exit__(self, *_: object) -> None:
        for shell in self.shells:
            shell.close()

    def at_once(self, directories: Sequence[bytes]) -> list[int]:
        """Every shell asks at the same moment, about one of these each; nanoseconds until each has its reply.

        The questions are made before, and the replies opened when all are there: shells do so each for itself.
        """
        for number, shell in enumerate(self.shells):
            shell.make(directories[number % len(directories)])
        for shell in self.shells:
            shell.send()
        found: list[int] = []
        waiting = set(self.shells)
        while waiting:
            silent = set(waiting)
            while silent:
                silent -= {shell for shell in self._ready() if shell.receive()}
            took = {shell: shell.open() for shell in waiting}
            found += [one for one in took.values() if one is not None]
            # To the others something else came: news.
            waiting = {shell for shell, one in took.items() if one is None}
        return found

    def stream(self, directories: Iterator[bytes] | None, seconds: float) -> tuple[float, list[int]]:
        """Every shell asks again as soon as it has its reply: replies a second, and nanoseconds each took.

        Without directories they ping.
        """
        found: list[int] = []

        def next_question(shell: Shell) -> None:
            if directories is None:
                shell.ping()
            else:
                shell.ask(next(directories))

        began = time.perf_counter()
        for shell in self.shells:
            next_question(shell)
        waiting = len(self.shells)
        while waiting:
            for shell, took in self._replies():
                found.append(took)
                if time.perf_counter() - began < seconds:
                    next_question(shell)
                else:
                    waiting -= 1
        return len(found) / (time.perf_counter() - began), found

    def visit(self, directories: Sequence[bytes]) -> None:
        """The first shell asks about each of them."""
        shell = self.shells[0]
        for directory in directories:
            shell.ask(directory)
            while shell.take() is None:
                pass

    def _replies(self) -> Iterator[tuple[Shell, int]]:
        for shell in self._ready():
            took = shell.take()
            if took is not None:
                yield shell, took

    def _ready(self) -> Iterator[Shell]:
        ready = self._poll.poll(DEADLINE_S * 1000)
        if not ready:
            raise RuntimeError(f"no reply within {DEADLINE_S:g} s")
        return (self._by_descriptor[descriptor] for descriptor, _ in ready)
