"""Which folders are watched for whom, within a budget."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alight.watch.coverage import FOLDER_LIMIT, Coverage, Difference, budget


def test_a_shared_folder_is_wanted_once_and_as_long_as_anybody_wants_it() -> None:
    """Two roots that share a folder add it once; it is dropped with the second."""
    coverage = Coverage(10)
    assert coverage.cover(b"/a", [b"/a", b"/pool/env"]) == Difference((b"/a", b"/pool/env"))
    assert coverage.cover(b"/b", [b"/b", b"/pool/env"]) == Difference((b"/b",))
    assert coverage.roots_of(b"/pool/env") == {b"/a", b"/b"}
    assert coverage.cover(b"/a", [b"/a"]) == Difference()
    assert coverage.cover(b"/b", []) == Difference((), (b"/b", b"/pool/env"))
    assert coverage.roots == {b"/a"}


def test_covering_again_replaces() -> None:
    """Only the difference is begun and ceased; the same again is nothing."""
    coverage = Coverage(10)
    coverage.cover(b"/a", [b"/a", b"/a/.venv"])
    assert coverage.cover(b"/a", [b"/a", b"/a/.venv"]) == Difference()
    assert coverage.cover(b"/a", [b"/a", b"/a/env"]) == Difference((b"/a/env",), (b"/a/.venv",))


def test_the_least_recently_covered_root_makes_room() -> None:
    """Covering anew, even without a change, is use."""
    coverage = Coverage(4)
    coverage.cover(b"/a", [b"/a", b"/a/.venv"])
    coverage.cover(b"/b", [b"/b", b"/b/.venv"])
    coverage.cover(b"/a", [b"/a", b"/a/.venv"])
    assert coverage.cover(b"/c", [b"/c"]) == Difference((b"/c",), (b"/b", b"/b/.venv"))
    assert coverage.roots == {b"/a", b"/c"}


def test_a_root_above_the_budget_keeps_its_first_folders() -> None:
    """A single root never takes more than the budget, and the project's own folder comes first."""
    coverage = Coverage(2)
    assert coverage.cover(b"/a", [b"/a", b"/a/1", b"/a/2"]) == Difference((b"/a", b"/a/1"))


def test_below_is_what_lies_there() -> None:
    """The folder itself and those in it, whoever wants them, by whole parts of the path."""
    coverage = Coverage(10)
    coverage.cover(b"/a", [b"/a", b"/a/.venv", b"/a/.venv/lib"])
    coverage.cover(b"/b", [b"/ab", b"/a/pool"])
    assert coverage.below(b"/a/.venv") == (b"/a/.venv", b"/a/.venv/lib")
    assert set(coverage.below(b"/a")) == {b"/a", b"/a/.venv", b"/a/.venv/lib", b"/a/pool"}
    assert coverage.below(b"/nobody's") == ()


def test_relative_names_are_no_folders() -> None:
    """Nothing is watched below the daemon's own working directory."""
    assert Coverage(2).cover(b"/a", [b"", b"x"]) == Difference()


_FOLDER = st.sampled_from([b"/%d" % number for number in range(8)])


@given(st.lists(st.tuples(_FOLDER, st.lists(_FOLDER, max_size=6)), max_size=30), st.integers(1, 7))
def test_differences_add_up(calls: list[tuple[bytes, list[bytes]]], limit: int) -> None:
    """What was added and dropped so far is always what is wanted, and never more than the budget."""
    coverage, watched = Coverage(limit), set()
    for root, folders in calls:
        difference = coverage.cover(root, folders)
        assert watched.isdisjoint(difference.added)
        assert watched.issuperset(difference.dropped)
        watched = watched.difference(difference.dropped).union(difference.added)
        assert watched == set(coverage.folders)
        assert len(watched) <= limit
        assert {owner for folder in watched for owner in coverage.roots_of(folder)} == coverage.roots


@given(
    st.lists(st.tuples(st.sampled_from([b"/a", b"/b", b"/c"]), st.lists(st.sampled_from([b"/1", b"/2", b"/3"])))),
    st.integers(1, 4),
)
def test_where_there_is_room_nobody_leaves(calls: list[tuple[bytes, list[bytes]]], limit: int) -> None:
    """Whoever is told that there is room takes nobody's place."""
    coverage = Coverage(limit)
    for root, folders in calls:
        has_room, before = coverage.has_room(root, folders), coverage.roots
        coverage.cover(root, folders)
        assert not has_room or before - {root} <= coverage.roots


@pytest.mark.parametrize(
    ("content", "expected"), [("192536\n", 1925), ("8192\n", 81), ("1048576\n", 2000), ("5\n", 1), ("x", 2000)]
)
def test_the_budget_is_a_hundredth_of_the_systems(content: str, expected: int, tmp_path: Path) -> None:
    """The budget leaves the rest to other programs, is never zero, and has a limit of its own."""
    file = tmp_path / "max_user_watches"
    file.write_text(content)
    assert budget(str(file)) == expected


def test_the_budget_of_a_system_without_limit(tmp_path: Path) -> None:
    """Where the system names no limit, ours holds."""
    assert budget(str(tmp_path / "none")) == FOLDER_LIMIT
