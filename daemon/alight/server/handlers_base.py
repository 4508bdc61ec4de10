"""What the server asks of whoever answers requests, and what they are given."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from alight.errors import BadRequest
from alight.files.moment import Moment
from alight.model import GuardMode
from alight.server.news import News
from alight.wire.messages import Message


@dataclass(frozen=True)
class Peer:
    """Who sent a request.

    ``routing_id`` names the connection for as long as it lives. ``pid`` and ``uid`` come from the kernel by way of
    libzmq (``Peer-Address``) and are None where the platform does not tell. ``reply`` answers later and is False when
    the peer is gone; it is None where a request has to be answered at once.
    """

    routing_id: bytes
    pid: int | None = None
    uid: int | None = None
    reply: Callable[[Message], bool] | None = None


class Handler(Protocol):
    """Answers requests, one at a time, on the loop's thread."""

    def handle(self, request: Message, peer: Peer, moment: Moment) -> Message | None:
        """The reply to ``request``, None for one that is given later; an AlightError becomes a Failure.

        The ``moment`` began after the request came; whoever changes the disk ends it.
        ``Listen`` never arrives here.
        """


class Watcher(Protocol):
    """What the handlers tell the watch, and what it says about itself."""

    def cover(self, root: bytes, folders: tuple[bytes, ...]) -> None:
        """Watch these folders for ``root`` from now on."""

    @property
    def degraded(self) -> tuple[str, ...]:
        """Why events may be missing; empty when all is well."""

    @property
    def watched(self) -> int:
        """Watched folders."""


@dataclass(frozen=True)
class Surface:
    """What the handlers are given from outside: the news, the watch, how to stop, and what the settings want.

    ``segment`` is the hooks' own prompt segment, ``wrapper`` virtualenvwrapper's hook files, ``guard`` what the
    guard does where somebody has set it. ``later`` has a callable called in so many seconds.
    """

    news: News | None
    watch: Watcher | None
    stop: Callable[[str], None]
    segment: bool
    wrapper: bool = False
    guard: GuardMode | None = None
    later: Callable[[float, Callable[[], None]], None] | None = None


def absolute(directory: bytes) -> bytes:
    """The directory of a request; raises BadRequest unless it is an absolute path."""
    if not directory.startswith(b"/") or b"\0" in directory:
        raise BadRequest("bad-field", "a directory is an absolute path")
    return directory
