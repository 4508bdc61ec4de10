"""One object for equal ones, for a while."""

from __future__ import annotations

import os

from alight.files.disk import Fingerprint, Record
from alight.files.sharing import LIMIT, Sharing


def test_equal_values_become_one() -> None:
    """What was given before is given again, and equal values of other types are left as they are."""
    sharing = Sharing()
    first, again = b"".join([b"/a", b"/b"]), b"".join([b"/a", b"/b"])
    assert first is not again
    assert sharing.of(first) is first
    assert sharing.of(again) is first
    assert sharing.of(1) is not sharing.of(True)


def test_it_is_bounded_and_keeps_what_is_asked_for() -> None:
    """Any number of values leaves a bounded number of them; one that is asked for now and then stays shared."""
    sharing = Sharing()
    common = sharing.of(Record(b"/etc", "stat", 1))
    for number in range(20 * LIMIT):
        sharing.of(Record(b"/p%d" % number, "stat", number))
        if number % (LIMIT // 2) == 0:
            assert sharing.of(Record(b"/etc", "stat", 1)) is common
        assert len(sharing) <= 2 * LIMIT


def test_fingerprints_share_records() -> None:
    """Two answers that were decided by the same looks hold the same records, in the same order."""
    sharing = Sharing()

    def taken() -> Fingerprint:
        records = (Record(os.fsencode(f"/d/{number}"), "stat", number) for number in range(9))
        return sharing.fingerprint(Fingerprint(tuple(records), racy=True))

    one, other = taken(), taken()
    assert one == other
    assert one.racy
    assert all(mine is its for mine, its in zip(one.records, other.records, strict=True))
