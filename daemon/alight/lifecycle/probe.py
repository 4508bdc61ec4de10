"""Is there a daemon, and is it one this command can talk to?

Alive means: answered on the socket. A live process id or a held lock proves nothing (reliability 1.3).
"""

from __future__ import annotations

from dataclasses import dataclass

from alight import __version__
from alight.client import Client
from alight.errors import BadRequest, Unreachable
from alight.model import Stamp
from alight.paths import Places
from alight.wire.messages import Ping, Pong

DEADLINE_SECONDS = 0.5


@dataclass(frozen=True)
class Ready:
    """A daemon of this version answers."""

    pid: int
    version: str
    stamp: Stamp


@dataclass(frozen=True)
class NeedsRestart:
    """A daemon answers, but it is of another version ("" when it speaks another protocol)."""

    version: str
    pid: int = 0


@dataclass(frozen=True)
class Silent:
    """Nobody answers, and why."""

    error: Unreachable


def probe(places: Places, deadline: float = DEADLINE_SECONDS) -> Ready | NeedsRestart | Silent:
    """One ping, at most ``deadline`` seconds."""
    try:
        header, reply = Client(places, deadline).request(Ping())
    except Unreachable as error:
        return Silent(error)
    except BadRequest:
        return NeedsRestart("")
    pid = reply.pid if isinstance(reply, Pong) else 0
    if header.version != __version__:
        return NeedsRestart(header.version, pid)
    return Ready(pid, header.version, header.stamp)
