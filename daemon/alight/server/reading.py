"""Reading the environments in pools in the loop's idle moments, a little at a time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from alight.index import Index

STEP_NS = 2_000_000
"""What one step may take: a shell that asks meanwhile waits as long at most."""

PERIOD_SECONDS = 2.0


class Hears(Protocol):
    """Who wants to know what was read."""

    def everything(self) -> None:
        """Environments name other projects than before: answers may be others now."""

    def read(self) -> None:
        """Everything was read."""


class Reading:
    """``again`` has a callable called after whatever waits."""

    def __init__(self, index: Index, hears: Hears, again: Callable[[Callable[[], None]], None]) -> None:
        self._index = index
        self._hears = hears
        self._again = again
        self._under_way = False
        self._told: int | None = None

    def tick(self) -> None:
        """Begin, unless it is under way."""
        if not self._under_way:
            self._step()

    def _step(self) -> None:
        before = self._index.generation
        self._under_way = self._index.advance(STEP_NS)
        if self._index.generation != before:
            self._hears.everything()
        if self._under_way:
            self._again(self._step)
        elif self._told != self._index.generation:
            self._told = self._index.generation
            self._hears.read()
