"""Shells at a prompt: what they are told to do, beside what a daemon that knows nothing would tell them."""

from __future__ import annotations

import itertools
import os
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec
import zmq

from alight.clock import SystemClock
from alight.index import Index
from alight.server.handlers import Handlers
from alight.server.handlers_base import Surface
from alight.trust.answers import Answers
from alight.trust.judge import Judge
from alight.trust.maker import Makers
from alight.trust.records import Records
from alight.wire import shellframe
from alight.wire.messages import Ask, Plan

COUNT = 2
DEADLINE_MS = 20_000
SETTLE_SECONDS = 5.0


class Shells:
    """Some that ask at the same moment, each over a connection of its own; ``close`` ends them."""

    def __init__(self, socket: Path, home: bytes, trust: Path) -> None:
        self._home = home
        self._trust = trust
        self._numbers = itertools.count(1)
        self._patience = SETTLE_SECONDS
        self._context = zmq.Context()
        self._sockets: list[zmq.Socket[bytes]] = []
        for _ in range(COUNT):
            one: zmq.Socket[bytes] = self._context.socket(zmq.DEALER)
            one.setsockopt(zmq.RCVTIMEO, DEADLINE_MS)
            one.setsockopt(zmq.LINGER, 0)
            one.connect(f"ipc://{socket}")
            self._sockets.append(one)

    def ask(self, directories: Sequence[bytes], variables: Mapping[str, bytes]) -> list[tuple[Plan, Plan]]:
        """(what the daemon says, what is right) for each of at most ``COUNT`` directories."""
        asked = []
        for number, (socket, directory) in enumerate(zip(self._sockets, directories, strict=False)):
            ask = _question(number, directory, variables)
            identifier = b"%d" % next(self._numbers)
            socket.send_multipart(shellframe.encode_request(identifier, ask))
            asked.append((socket, identifier, ask))
        given = [_reply(socket, identifier) for socket, identifier, _ in asked]
        pairs = [(_bare(one), _bare(self._right(ask))) for one, (_, _, ask) in zip(given, asked, strict=True)]
        return [self._in_time(pair, ask) for pair, (_, _, ask) in zip(pairs, asked, strict=True)]

    def _in_time(self, pair: tuple[Plan, Plan], ask: Ask) -> tuple[Plan, Plan]:
        """What is said once the daemon has read what lies in the pools, where that is what a shell does not wait for.

        Only what the project does not hold itself may come a moment later; the shells at their prompts are told then.
        """
        given, right = pair
        if given == right or not all(_is_elsewhere(plan) for plan in pair):
            return pair
        end = time.monotonic() + self._patience
        while given != right and time.monotonic() < end:
            identifier = b"%d" % next(self._numbers)
            self._sockets[0].send_multipart(shellframe.encode_request(identifier, ask))
            given = _bare(_reply(self._sockets[0], identifier))
        if given != right:
            # One that stays wrong is enough to know.
            self._patience = 0.0
        return given, right

    def _right(self, ask: Ask) -> Plan:
        clock, uid = SystemClock(), os.getuid()
        answers = Answers(Index(clock, uid, self._home), Judge(Records(self._trust, uid, clock), uid), uid, clock)
        surface = Surface(None, None, lambda _reason: None, segment=True)
        plan = Handlers(answers, Makers(clock), surface, clock).handle(ask, None)
        assert isinstance(plan, Plan)
        return plan

    def close(self) -> None:
        """Leave."""
        for socket in self._sockets:
            socket.close()
        self._context.term()


def _question(number: int, directory: bytes, variables: Mapping[str, bytes]) -> Ask:
    told = tuple(name.encode() + b"=" + value for name, value in variables.items())
    return Ask("zsh", 100_000 + number, directory, "on", "", b"", b"", 0, first=False, variables=told)


def _reply(socket: zmq.Socket[bytes], identifier: bytes) -> Plan:
    while True:
        header, reply = shellframe.decode_reply(socket.recv_multipart())
        # News has no id.
        if header.id == identifier:
            assert isinstance(reply, Plan)
            return reply


def _is_elsewhere(plan: Plan) -> bool:
    return not plan.prefix.startswith(plan.root + b"/")


def _bare(plan: Plan) -> Plan:
    """Without what tells of news, which only a daemon has."""
    return msgspec.structs.replace(plan, generation=b"", mark="")
