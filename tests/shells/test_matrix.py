"""The table of systems in the README is what alight does."""

from __future__ import annotations

from pathlib import Path

import pytest

from support.makers import MAKERS, Maker
from support.matrix import HEADING, measure, rows_of
from support.world import World

README = Path(__file__).resolve().parents[2] / "README.md"


def stated() -> dict[str, tuple[str, ...]]:
    """The README's lines by their first cell."""
    lines = README.read_text("utf-8").splitlines()
    start = lines.index(f"| {' | '.join(HEADING)} |")
    found = {}
    for line in lines[start + 2 :]:
        if not line.startswith("|"):
            break
        cells = tuple(cell.strip() for cell in line.strip("|").split("|"))
        found[cells[0]] = cells
    return found


@pytest.mark.limit(240)
@pytest.mark.parametrize("maker", MAKERS, ids=lambda maker: maker.system)
def test_the_readme_says_what_is_so(world: World, maker: Maker) -> None:
    """Each system's line: found, listed, activated in every shell, left without a trace, and whether it asks first."""
    row = measure(world, maker)
    assert stated()[row.system] == row.cells()


def test_every_system_has_its_line() -> None:
    """The table lists the systems that are measured, and no others."""
    assert tuple(stated()) == rows_of()
