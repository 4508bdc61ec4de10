"""The budgets of the design beside what was measured. They are shown, never asserted: a machine is not a promise."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from bench.record import RIVALS, SPAWN, START, Record
from bench.tools import SUBJECT
from bench.visits import FIRST, LATER


@dataclass(frozen=True)
class Budget:
    """Milliseconds that a thing may add in a shell at the median and, where that is limited, at the 99th percentile.

    ``guard`` are lines at Enter.
    """

    what: str
    shell: str
    p50: float
    p99: float | None = None
    guard: bool = False


@dataclass(frozen=True)
class Judged:
    """A line of the table: measured and allowed, in words, and whether it is kept."""

    what: str
    shell: str
    measured: str
    allowed: str
    kept: bool | None


COMPILED = (Budget("cd", "zsh", 0.5, 2), Budget("cd", "bash", 2, 6), Budget("cd", "fish", 3, 6))
INTERPRETED = (Budget("cd", "zsh", 0.5, 2), Budget("cd", "bash", 20), Budget("cd", "fish", 20))
"""The same where no C compiler was found."""
BUDGETS = (
    *(Budget("prompt", shell, 0.06) for shell in ("zsh", "bash", "fish")),
    *(Budget(FIRST, shell, 3, 15) for shell in ("zsh", "bash", "fish")),
    Budget(START, "zsh", 3),
    Budget(START, "bash", 5),
    Budget(START, "fish", 8),
    *(Budget("ordinary", shell, 0.02, guard=True) for shell in ("zsh", "bash", "fish")),
    *(Budget("installer", shell, 5, guard=True) for shell in ("zsh", "bash", "fish")),
    Budget(SPAWN, "", 250, 600),
)
TIMES = {"zsh": 20.0, "bash": 5.0, "fish": 5.0}
"""How many times less alight is to add to a ``cd`` than the faster of ``RIVALS``."""
NAMES = {
    "cd": "`cd`, known directory",
    "prompt": "prompt without `cd`",
    LATER: "`cd`, known directory, answer not in the shell",
    FIRST: "`cd`, never-seen directory",
    START: "start of a shell",
    "ordinary": "guard, ordinary line",
    "installer": "guard, installer line",
    SPAWN: "daemon: spawn to first answer",
}


def judged(record: Record) -> list[Judged]:
    """Every budget that the run has a figure for."""
    interpreted = "Python client" in record.versions.get(SUBJECT, "")
    cds = INTERPRETED if interpreted else COMPILED
    later = [replace(budget, what=LATER) for budget in cds]
    return [*(line for budget in (*cds, *later, *BUDGETS) for line in _judged(record, budget)), *_ratios(record)]


def _judged(record: Record, budget: Budget) -> Sequence[Judged]:
    if budget.guard:
        lines = (row for row in record.lines if (row.line, row.shell) == (budget.what, budget.shell))
        spread = next((row.guard for row in lines), None)
    else:
        spread = record.added(budget.what, budget.shell)
    if spread is None:
        return ()
    kept = spread.p50 <= budget.p50 and (budget.p99 is None or spread.p99 <= budget.p99)
    measured = f"{spread.p50:.3g} / {spread.p99:.3g}"
    allowed = f"{budget.p50:g}" + ("" if budget.p99 is None else f" / {budget.p99:g}")
    return (Judged(NAMES[budget.what], budget.shell, measured, allowed, kept),)


def _ratios(record: Record) -> list[Judged]:
    lines = []
    for shell, times in TIMES.items():
        mine, rival = record.added("cd", shell), record.fastest("cd", shell, RIVALS)
        if mine is None or rival is None:
            continue
        measured = times_less(rival[1], mine.p50)
        what = f"`cd`, times less than {rival[0]}"
        lines.append(Judged(what, shell, f"{measured:.1f}", f"at least {times:g}", measured >= times))
    return lines


def times_less(other: float, mine: float) -> float:
    """How many times ``mine`` fits into ``other``; below a thousandth of a millisecond nothing is told apart."""
    return max(other, 0.0) / max(mine, 0.001)
