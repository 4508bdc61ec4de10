"""Who else can change what a path leads to."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from alight.files.ownership import first_offender
from support.playfield import Clock, OwnedDisk, link, write


@pytest.fixture
def place(tmp_path: Path) -> Path:
    (tmp_path / "a" / "b").mkdir(parents=True)
    for path in (tmp_path / "a", tmp_path / "a" / "b"):
        path.chmod(0o755)
    return tmp_path


def offender(path: Path, owners: dict[bytes, int] | None = None) -> bytes | None:
    uid = os.getuid()
    return first_offender(OwnedDisk(uid, Clock(), owners or {}), os.fsencode(path), uid)


def test_ours_and_roots_offend_nobody(place: Path) -> None:
    """A path whose every component is ours or root's and closed to others has no offender."""
    assert offender(place / "a" / "b") is None
    assert offender(Path("/usr/bin/env")) is None


def test_the_first_foreign_component_is_named(place: Path) -> None:
    """Somebody else's directory is the offender, not what lies in it."""
    directory = os.fsencode(place / "a")
    assert offender(place / "a" / "b", {directory: 4242}) == directory


@pytest.mark.parametrize(("mode", "offends"), [(0o777, True), (0o757, True), (0o1777, False), (0o755, False)])
def test_writable_by_others_offends_without_the_sticky_bit(place: Path, mode: int, offends: bool) -> None:
    """World-writable directories offend; with the sticky bit others cannot replace what is ours."""
    (place / "a").chmod(mode)
    assert offender(place / "a" / "b") == (os.fsencode(place / "a") if offends else None)


def test_a_link_is_judged_by_its_target(place: Path) -> None:
    """A link of ours to a place that others may write offends by that place."""
    (place / "a").chmod(0o777)
    pointer = link(place / "pointer", str(place / "a" / "b"))
    assert offender(pointer) == os.path.realpath(os.fsencode(place / "a"))


def test_what_is_absent_offends(place: Path) -> None:
    """A path that leads nowhere cannot be vouched for."""
    assert offender(place / "a" / "absent" / "x") == os.fsencode(place / "a" / "absent")


def test_a_file_that_others_may_write_offends(place: Path) -> None:
    """The last component counts, too."""
    file = write(place / "a" / "file")
    file.chmod(0o666)
    assert offender(file) == os.fsencode(file)
