"""Samples in, percentiles out: the table for people and the document for programs. Times are milliseconds."""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

WHATS = ("cd", "prompt")
HEADINGS = (
    *("shell", "tool", "what", "n", "total p50", "total p99"),
    *("added mean", "added p50", "added p95", "added p99", "added max"),
)
RESOLUTION_MS = 0.001
"""Differences below are taken as this much where one divides by them."""
KINDS = ("enter", "stay", "switch", "leave")
NOT_INSTALLED, NOT_FOR = "not installed", "not for"
"""What a problem begins with that is none: peers are compared where somebody has them, each in its shells."""


@dataclass(frozen=True)
class Spread:
    """The mean, and percentiles by nearest rank, in milliseconds.

    The mean is there for tools whose cds are of two sorts (direnv: load or not): their median lies on the edge.
    """

    mean: float
    p50: float
    p95: float
    p99: float
    max: float

    def less(self, milliseconds: float) -> Spread:
        """The same, with a constant taken off each."""
        return Spread(
            *(round(value - milliseconds, 4) for value in (self.mean, self.p50, self.p95, self.p99, self.max))
        )


@dataclass(frozen=True)
class Samples:
    """What one shell with one tool gave: nanoseconds of each cd by kind, and of each prompt without one."""

    cds: Mapping[str, Sequence[int]]
    prompts: Sequence[int]

    def of(self, what: str) -> list[int]:
        """All samples of ``cd`` (every kind) or of ``prompt``."""
        return [sample for kind in KINDS for sample in self.cds[kind]] if what == "cd" else list(self.prompts)


@dataclass(frozen=True)
class Row:
    """One line of the table: a shell, a tool and what was timed, or why there is nothing."""

    shell: str
    tool: str
    what: str
    count: int
    total: Spread | None
    added: Spread | None
    kinds: Mapping[str, Spread]
    problem: str

    @property
    def failed(self) -> bool:
        """Whether something that should have been measured was not."""
        return bool(self.problem) and not self.problem.startswith((NOT_INSTALLED, NOT_FOR))

    def document(self) -> dict[str, object]:
        """The row for JSON."""
        return asdict(self)


def spread(samples: Sequence[int]) -> Spread:
    """Percentiles of nanosecond samples; there must be at least one."""
    ordered = sorted(samples)

    def rank(share: float) -> float:
        return round(ordered[max(0, math.ceil(share * len(ordered)) - 1)] / 1e6, 4)

    return Spread(round(statistics.fmean(ordered) / 1e6, 4), rank(0.5), rank(0.95), rank(0.99), rank(1.0))


def row(shell: str, tool: str, what: str, samples: Samples, bare: Samples | None) -> Row:
    """The figures of one tool; ``added`` takes the bare shell's median off, that of the same kind for each kind."""
    values = samples.of(what)
    total = spread(values)
    if bare is None or tool == "bare":
        return Row(shell, tool, what, len(values), total, None, {}, "")
    kinds = {kind: spread(samples.cds[kind]).less(spread(bare.cds[kind]).p50) for kind in KINDS} if what == "cd" else {}
    return Row(shell, tool, what, len(values), total, total.less(spread(bare.of(what)).p50), kinds, "")


def plain(shell: str, tool: str, what: str, samples: Sequence[int], floor: Sequence[int]) -> Row:
    """The figures of something of one kind; ``added`` takes the median of ``floor`` off, nothing when that is empty."""
    total = spread(samples)
    added = total.less(spread(floor).p50) if floor else total
    return Row(shell, tool, what, len(samples), total, added, {}, "")


def absent(shell: str, tool: str, what: str, problem: str) -> Row:
    """The row of a tool that is missing or does not do its job."""
    return Row(shell, tool, what, 0, None, None, {}, problem)


def table(rows: Sequence[Row]) -> str:
    """Markdown. The columns from ``added mean`` on have the bare shell's median taken off."""
    lines = [
        f"| {' | '.join(HEADINGS)} |",
        "|---|---|---" + "|--:" * (len(HEADINGS) - 3) + "|",
    ]
    for entry in rows:
        head = f"| {entry.shell} | {entry.tool} | {entry.what} | {entry.count} |"
        if entry.total is None:
            lines.append(f"{head} **{entry.problem}** | | | | | | |")
        elif entry.added is None:
            lines.append(f"{head} {entry.total.p50:.3f} | {entry.total.p99:.3f} | | | | | |")
        else:
            added = entry.added
            cells = (entry.total.p50, entry.total.p99, added.mean, added.p50, added.p95, added.p99, added.max)
            lines.append(f"{head} {' | '.join(f'{value:.3f}' for value in cells)} |")
    return "\n".join(lines)


def by_kind(rows: Sequence[Row]) -> str:
    """Markdown: the added median of each kind of cd."""
    lines = [f"| shell | tool | {' | '.join(KINDS)} |", "|---|---|--:|--:|--:|--:|"]
    lines += [
        f"| {entry.shell} | {entry.tool} | {' | '.join(f'{entry.kinds[kind].p50:.3f}' for kind in KINDS)} |"
        for entry in rows
        if entry.kinds
    ]
    return "\n".join(lines)


def ratios(rows: Sequence[Row], subject: str = "alight") -> list[str]:
    """One sentence per other tool, shell and thing timed: how many times ``subject``'s added median it adds.

    For cds also the kind in which the two are nearest, which is the claim that holds for every cd.
    """
    measured = {(entry.shell, entry.tool, entry.what): entry for entry in rows if entry.added is not None}
    sentences = []
    for (shell, tool, what), other in measured.items():
        mine = measured.get((shell, subject, what))
        if mine is None or mine.added is None or other.added is None or tool in (subject, "control"):
            continue
        sentence = f"{shell}, {what}: {tool} adds {_times(other.added.p50, mine.added.p50)}"
        if mine.kinds:
            least = min(KINDS, key=lambda kind: other.kinds[kind].p50 / max(mine.kinds[kind].p50, RESOLUTION_MS))
            sentence += f"; nearest at {least}: {_times(other.kinds[least].p50, mine.kinds[least].p50)}"
        sentences.append(sentence)
    return sentences


def _times(other: float, mine: float) -> str:
    factor = other / max(mine, RESOLUTION_MS)
    return f"{other:.3f} ms to {mine:.3f} ms, {factor:.1f} times"
