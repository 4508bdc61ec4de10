"""Pools are read in the loop's idle moments: one chain of small steps, and news when links came or went."""

from __future__ import annotations

from collections.abc import Callable

from alight.server.reading import STEP_NS, Reading


class _Index:
    """``steps`` are what each call to ``advance`` does to the generation; the last one ends the work."""

    def __init__(self, steps: list[int]) -> None:
        self.generation = 0
        self.budgets: list[int] = []
        self._steps = steps

    def advance(self, budget_ns: int) -> bool:
        self.budgets.append(budget_ns)
        self.generation += self._steps.pop(0) if self._steps else 0
        return bool(self._steps)


class _Hears:
    """What was said, in order."""

    def __init__(self) -> None:
        self.said: list[str] = []

    def everything(self) -> None:
        self.said.append("changed")

    def read(self) -> None:
        self.said.append("read")


def test_one_chain_of_small_steps() -> None:
    """A tick while a chain is under way begins no second one; answers are reconsidered only when links changed."""
    index, waiting, hears = _Index([0, 1, 0]), list[Callable[[], None]](), _Hears()
    reading = Reading(index, hears, waiting.append)  # type: ignore[arg-type]
    reading.tick()
    reading.tick()
    assert len(waiting) == 1
    while waiting:
        waiting.pop()()
    assert index.budgets == [STEP_NS] * 3
    assert hears.said == ["changed", "read"]
    reading.tick()
    assert not waiting
