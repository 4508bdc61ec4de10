"""Folders that are no project's: watched before all others, heard of by everybody, and only for what matters there."""

from __future__ import annotations

import pytest

from alight.watch.coverage import SHARED, Coverage, Difference
from alight.watch.names import USUAL, Interest, Sight, Weight, weigh_in

POOL, HOME = b"/h/.virtualenvs", b"/h"
RC = Interest(frozenset({b".condarc"}), only=True)


def test_pools_never_make_room() -> None:
    """Projects give way to each other; what is shared stays, up to half of the limit, the first ones first."""
    coverage = Coverage(4)
    assert coverage.share({POOL: Interest(every=True), HOME: RC, b"/etc": RC}) == Difference((POOL, HOME))
    coverage.cover(b"/a", [b"/a", b"/a/.venv"])
    assert coverage.cover(b"/b", [b"/b", b"/b/.venv"]) == Difference((b"/b", b"/b/.venv"), (b"/a", b"/a/.venv"))
    assert coverage.roots == {SHARED, b"/b"}
    assert coverage.roots_of(POOL) == {SHARED}


def test_environments_in_pools_get_the_room_that_is_left() -> None:
    """They are taken where nobody else needs the room, and go first when somebody does."""
    coverage = Coverage(4)
    coverage.share({POOL: Interest(every=True)})
    coverage.cover(b"/a", [b"/a"])
    assert coverage.offer(b"environment:/e", [b"/e", b"/e/lib"]) == Difference((b"/e", b"/e/lib"))
    assert coverage.offer(b"environment:/f", [b"/f"]) == Difference()
    assert coverage.cover(b"/b", [b"/b"]) == Difference((b"/b",), (b"/e", b"/e/lib"))
    assert coverage.roots == {SHARED, b"/a", b"/b"}


def test_what_matters_in_a_folder() -> None:
    """A project's folder matters as every project's does; one that is shared as well matters to both."""
    coverage = Coverage(10)
    coverage.share({HOME: RC, POOL: Interest(every=True)})
    assert coverage.interest(HOME) == RC
    assert coverage.interest(b"/nobody's") is None
    coverage.cover(b"/h", [HOME])
    assert coverage.interest(HOME) == Interest(RC.names)
    coverage.cover(b"/a", [b"/a"])
    assert coverage.interest(b"/a") == USUAL


@pytest.mark.parametrize(
    ("folder", "sight", "interest", "weight"),
    [
        (HOME, Sight(b".condarc", written=True), RC, Weight.NOW),
        (HOME, Sight(b".zsh_history", appeared=True), RC, None),
        (HOME, Sight(b"new", appeared=True, directory=True), RC, None),
        (HOME, Sight(b"new", appeared=True, directory=True), Interest(RC.names), Weight.SETTLE),
        (POOL, Sight(b"web", appeared=True), Interest(every=True), Weight.NOW),
        (POOL, Sight(b"web", appeared=True, directory=True), Interest(every=True), Weight.SETTLE),
        (POOL, Sight(b"web", directory=True), Interest(every=True), Weight.NOW),
        (POOL, Sight(b".lock", written=True), Interest(every=True), Weight.FLUSH),
        (b"/e/conda-meta", Sight(b"numpy-2.0-0.json", written=True), USUAL, Weight.LATER),
        (b"/e/conda-meta", Sight(b"history", written=True), USUAL, Weight.LATER),
        (b"/e/lib/python3.12/site-packages", Sight(b"x-1.dist-info", appeared=True), USUAL, Weight.LATER),
        (b"/e/lib/python3.12/site-packages", Sight(b"x", appeared=True, directory=True), USUAL, None),
    ],
)
def test_weights(folder: bytes, sight: Sight, interest: Interest, weight: Weight | None) -> None:
    """Where only names matter nothing else is heard of, in a pool everything is, packages wait for quiet."""
    assert weigh_in(folder, sight, interest) == weight
