"""Who waits for events: a request that is kept open until there are some, so that nobody has to ask again and again."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from alight.clock import Clock
from alight.errors import AlightError
from alight.server.events import Events
from alight.wire.limits import FOLLOW_SECONDS
from alight.wire.messages import Message
from alight.wire.requests import FollowReply

FOLLOWERS_LIMIT = 64

Later = Callable[[float, Callable[[], None]], None]
Reply = Callable[[Message], bool]
"""Sends the late reply; False when the follower is gone."""


@dataclass(frozen=True)
class _Waiting:
    after: int
    until: float
    reply: Reply


class Followers:
    """Kept requests by connection, the one that waits longest first. Used on the loop's thread only.

    One that left is forgotten at the next event or when its time is over, whatever comes first.
    """

    def __init__(self, clock: Clock, later: Later | None) -> None:
        self.events = Events(clock, later, self._tell)
        self._clock = clock
        self._later = later
        self._waiting: OrderedDict[bytes, _Waiting] = OrderedDict()
        self._armed = False

    def __len__(self) -> int:
        return len(self._waiting)

    def follow(self, who: bytes, after: int, reply: Reply | None) -> FollowReply | None:
        """The reply when there is one already; None when it is given later. Raises AlightError for one too many."""
        events = self.events.after(after)
        self._waiting.pop(who, None)
        if events or reply is None or self._later is None:
            return FollowReply(events, events[-1].sequence if events else self.events.last)
        if len(self._waiting) >= FOLLOWERS_LIMIT:
            raise AlightError(f"{FOLLOWERS_LIMIT} programs follow the events already", "end one of them")
        self._waiting[who] = _Waiting(after, self._clock.monotonic() + FOLLOW_SECONDS, reply)
        self._arm()
        return None

    def _tell(self) -> None:
        waiting, self._waiting = self._waiting, OrderedDict()
        for one in waiting.values():
            self._answer(one)

    def _expire(self) -> None:
        self._armed = False
        now = self._clock.monotonic()
        for who, one in list(self._waiting.items()):
            if one.until <= now:
                del self._waiting[who]
                self._answer(one)
        self._arm()

    def _answer(self, one: _Waiting) -> None:
        events = self.events.after(one.after)
        one.reply(FollowReply(events, events[-1].sequence if events else self.events.last))

    def _arm(self) -> None:
        """One timer for all, and none while nobody waits."""
        if self._waiting and not self._armed and self._later is not None:
            self._armed = True
            first = next(iter(self._waiting.values()))
            self._later(max(0.0, first.until - self._clock.monotonic()), self._expire)
