"""The daemon's events, one request after the other; the daemon may be restarted meanwhile."""

from __future__ import annotations

import datetime
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from alight.cli.render import text_of
from alight.cli.session import Service, ask
from alight.errors import DeadlineExpired, Unreachable
from alight.wire.requests import Follow, FollowReply

if TYPE_CHECKING:
    from alight.model import Event

RESTARTED = "the daemon was restarted; what happened meanwhile is not known"
SILENT = "the daemon does not answer; alight daemon restart"
PAUSE_SECONDS = 1.0
"""Between questions to a daemon that does not answer."""

ATTEMPTS = 5
"""To start one again after it ended: the former one may still hold its place."""


class Following:
    """What happens around ``directory``: groups of events, or a sentence about the daemon.

    ``past`` begins with what the daemon still remembers, else with what comes from now on.
    """

    def __init__(
        self,
        service: Service,
        directory: bytes,
        variables: tuple[bytes, ...],
        *,
        past: bool = False,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        self._service = service
        self._directory = directory
        self._variables = variables
        self._epoch, self._after = "", 0 if past else -1
        self._pause = pause

    def __iter__(self) -> Iterator[tuple[Event, ...] | str]:
        """For ever; raises Unreachable when there is no daemon and none can be started."""
        found, _ = self._next()
        yield found
        failures = 0
        while True:
            try:
                found, is_other = self._next()
            except Unreachable as error:
                failures += 1
                if isinstance(error, DeadlineExpired):
                    if failures == 1:
                        yield SILENT
                elif failures > ATTEMPTS:
                    raise
                self._pause(PAUSE_SECONDS)
                continue
            failures = 0
            if is_other:
                yield RESTARTED
            if found:
                yield found

    def _next(self) -> tuple[tuple[Event, ...], bool]:
        request = Follow(self._directory, self._variables, self._epoch, self._after)
        header, reply = ask(self._service, request, FollowReply)
        is_other = self._epoch not in {"", header.stamp.epoch}
        self._epoch, self._after = header.stamp.epoch, reply.last
        return reply.events, is_other


def event_shape(event: Event) -> dict[str, object]:
    """One line of ``watch --json``."""
    moment = datetime.datetime.fromtimestamp(event.time_ns // 1_000_000_000, tz=datetime.UTC)
    milliseconds = event.time_ns // 1_000_000 % 1000
    return {
        "time": f"{moment:%Y-%m-%dT%H:%M:%S}.{milliseconds:03d}Z",
        "event": event.kind,
        "root": text_of(event.root),
        "prefix": None if event.prefix is None else text_of(event.prefix),
        "message": event.message,
    }


def sentence(shape: dict[str, object]) -> str:
    """The same for a person whose terminal shows lines only."""
    return f"{shape['time']} {shape['event']} {shape['root']}: {shape['message']}"
