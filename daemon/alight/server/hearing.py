"""Hints of the watch, taken up a little at a time: one storm must not keep the shells waiting."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Protocol

from alight.clock import Clock
from alight.server.covering import Covering, environments_of
from alight.watch.coverage import SHARED

STEP_NS = 2_000_000
"""What one step may take: a shell that asks meanwhile waits as long at most."""


class Hears(Protocol):
    """What the handlers offer."""

    @property
    def roots(self) -> tuple[bytes, ...]:
        """Every root that was asked about, the latest last."""

    def heard(self, root: bytes) -> None:
        """Something changed on disk about ``root``."""


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
        self._waiting: dict[bytes, None] = {}
        self._under_way = False

    def take(self, roots: Iterable[bytes]) -> None:
        """These have news."""
        news = frozenset(roots)
        environments = environments_of(news)
        for prefix in environments:
            self._forget(prefix)
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
        end = self._clock.monotonic() + STEP_NS / 1e9
        while self._waiting:
            root = next(iter(self._waiting))
            del self._waiting[root]
            self._hears.heard(root)
            if self._clock.monotonic() >= end:
                break
        self._under_way = bool(self._waiting)
        if self._under_way:
            self._again(self._step)
