"""Hints of the watch, taken up a little at a time: one storm must not keep the shells waiting."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Protocol

from alight.clock import Clock
from alight.files.moment import Moment
from alight.server.covering import Covering, environments_of
from alight.watch.coverage import SHARED

STEP_NS = 2_000_000
"""What one step may take: a shell that asks meanwhile waits as long at most."""


class Hears(Protocol):
    """What the handlers offer."""

    @property
    def roots(self) -> tuple[bytes, ...]:
        """Every root that was asked about, the latest last."""

    def heard(self, root: bytes, moment: Moment) -> None:
        """Something changed on disk about ``root``, before the ``moment`` began."""


class Hearing:
    """``again`` has a callable called after whatever waits, ``forget`` drops what is known of an environment."""

    def __init__(
        self,
        hears: Hears,
        forget: Callable[[bytes], None],
        covering: Covering | None,
        clock: Clock,
        again: Callable[[Callable[[], None]], None],
    ) -> None:
        self._hears = hears
        self._forget = forget
        self._covering = covering
        self._clock = clock
        self._again = again
        self._changed: dict[bytes, None] = {}
        self._waiting: dict[bytes, None] = {}
        self._under_way = False

    def take(self, roots: Iterable[bytes]) -> None:
        """These have news."""
        news = frozenset(roots)
        environments = environments_of(news)
        # After an overflow these are all of them.
        self._changed.update(dict.fromkeys(environments))
        if environments or SHARED in news:
            self.everything()
        else:
            self._hear(root for root in self._hears.roots if root in news)

    def everything(self) -> None:
        """Something changed that may concern any project."""
        if self._covering is not None:
            self._covering.share()
        self._hear(self._hears.roots)

    def read(self) -> None:
        """The environments in the pools are known now."""
        if self._covering is not None:
            self._covering.offer()

    def _hear(self, roots: Iterable[bytes]) -> None:
        """Those that somebody asked about last come first."""
        self._waiting.update(dict.fromkeys(reversed(tuple(roots))))
        if not self._under_way:
            self._step()

    def _step(self) -> None:
        # What is said of many projects at once is mostly about what they share.
        end, moment = self._clock.monotonic() + STEP_NS / 1e9, Moment(self._clock)
        while self._changed or self._waiting:
            if self._changed:
                self._forget(_taken(self._changed))
            else:
                self._hears.heard(_taken(self._waiting), moment)
            if self._clock.monotonic() >= end:
                break
        self._under_way = bool(self._changed or self._waiting)
        if self._under_way:
            self._again(self._step)


def _taken(waiting: dict[bytes, None]) -> bytes:
    first = next(iter(waiting))
    del waiting[first]
    return first
