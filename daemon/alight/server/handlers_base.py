"""What the server asks of whoever answers requests."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from alight.wire.messages import Message


@dataclass(frozen=True)
class Peer:
    """Who sent a request.

    ``routing_id`` names the connection for as long as it lives. ``pid`` and ``uid`` come from the kernel by way of
    libzmq (``Peer-Address``) and are None where the platform does not tell.
    """

    routing_id: bytes
    pid: int | None = None
    uid: int | None = None


class Handler(Protocol):
    """Answers requests, one at a time, on the loop's thread."""

    def handle(self, request: Message, peer: Peer) -> Message:
        """The reply to ``request``; an AlightError becomes a Failure. ``Listen`` never arrives here."""
