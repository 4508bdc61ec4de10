"""Reading the environments in pools in the loop's idle moments, a little at a time."""

from __future__ import annotations

from collections.abc import Callable

from alight.index import Index

STEP_NS = 2_000_000
"""What one step may take: a shell that asks meanwhile waits as long at most."""

PERIOD_SECONDS = 2.0


class Reading:
    """``again`` has a callable called after whatever waits; ``changed`` hears that answers may be others now."""

    def __init__(self, index: Index, changed: Callable[[], None], again: Callable[[Callable[[], None]], None]) -> None:
        self._index = index
        self._changed = changed
        self._again = again
        self._under_way = False

    def tick(self) -> None:
        """Begin, unless it is under way."""
        if not self._under_way:
            self._step()

    def _step(self) -> None:
        before = self._index.generation
        self._under_way = self._index.advance(STEP_NS)
        if self._index.generation != before:
            self._changed()
        if self._under_way:
            self._again(self._step)
