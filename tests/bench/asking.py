"""Questions to a daemon as the one-shot client asks them, a connection each, from this process."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from pathlib import Path

from alight import query

DEADLINE_S = 10.0


class NoAnswer(Exception):
    """The daemon did not answer, or not with what was asked for."""


def question(directory: Path, environment: Mapping[str, str]) -> list[bytes]:
    """The frames of ``ask`` (PROTOCOL.md 3) of a bash that has nothing on."""
    variables = query.variables({os.fsencode(name): os.fsencode(value) for name, value in environment.items()})
    fields = [b"bash", str(os.getpid()).encode(), os.fsencode(directory), b"on", b"", b"", b"", b"0", b"0"]
    return [query.PROTOCOL, b"ask", query.identifier(), *fields, *variables]


def asked(runtime: Path, frames: list[bytes], verb: bytes = b"plan") -> tuple[int, list[bytes]]:
    """Nanoseconds from before the connection until the whole reply was there, and the reply. Raises NoAnswer."""
    socket = os.fsencode(runtime / "alight.sock")
    start = time.perf_counter_ns()
    try:
        reply = query.exchange(socket, frames, DEADLINE_S)
    except query.ExchangeError as error:
        raise NoAnswer(f"the daemon does not answer: {error}") from error
    taken = time.perf_counter_ns() - start
    if len(reply) < 7 or reply[6] != verb:
        raise NoAnswer(f"the daemon answers with {reply[6:9]!r}")
    return taken, reply


def ping() -> list[bytes]:
    """The frames of a request that looks at no disk."""
    return [query.PROTOCOL, b"ping", query.identifier(), b""]
