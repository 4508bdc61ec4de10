"""What one run of ``tests/bench/run`` measured, as it is kept in a file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from bench.figures import Row, Spread
from bench.lines import Row as LineRow
from bench.tools import FLOOR, SUBJECT

START, SPAWN = "start", "spawn"
"""Kinds of samples beside ``cd``, ``prompt`` and those of ``visits``. The shell of ``spawn`` is none."""
RIVALS = ("direnv", "mise")
"""The peers that do the same in all three shells, beside which alight's targets are set."""


@dataclass(frozen=True)
class Record:
    """All rows of a run (milliseconds), with what they must be read beside."""

    command: str
    date: str
    rounds: int
    seed: int
    machine: Mapping[str, object]
    versions: Mapping[str, str]
    rows: Sequence[Row]
    lines: Sequence[LineRow]
    unit: str = field(default="ms")

    def row(self, what: str, shell: str, tool: str = SUBJECT) -> Row | None:
        """The row of those three, if it was part of the run."""
        found = (row for row in self.rows if (row.what, row.shell, row.tool) == (what, shell, tool))
        return next(found, None)

    def added(self, what: str, shell: str, tool: str = SUBJECT) -> Spread | None:
        """What the tool adds there; None when it was not measured."""
        row = self.row(what, shell, tool)
        return row.added if row is not None else None

    def peers(self) -> list[str]:
        """Everybody but alight and the bare shells, in the order of the rows."""
        return list(dict.fromkeys(row.tool for row in self.rows if row.tool not in (SUBJECT, *FLOOR)))

    def shells(self) -> list[str]:
        """Shells in the order of the rows."""
        return list(dict.fromkeys(row.shell for row in self.rows if row.shell))

    def fastest(self, what: str, shell: str, among: Sequence[str] = ()) -> tuple[str, float] | None:
        """The peer that adds least at the median, and its milliseconds."""
        found = [(self.added(what, shell, name), name) for name in among or self.peers()]
        medians = [(added.p50, name) for added, name in found if added is not None]
        return (min(medians)[1], min(medians)[0]) if medians else None

    def save(self, path: Path) -> None:
        """Write the document."""
        path.write_bytes(msgspec.json.format(msgspec.json.encode(self), indent=1) + b"\n")


def load(path: Path) -> Record:
    """The document of an earlier run. Raises OSError, and ValueError for another document."""
    return msgspec.json.decode(path.read_bytes(), type=Record)
