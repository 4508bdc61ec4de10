"""A folder that is missing is waited for at its nearest existing parent, however much of the path is missing."""

from __future__ import annotations

import pytest

from alight.watch.watches import RECONCILE_SECONDS, Watches
from support.arms import FakeArms, FakeClock

POOL = b"/h/.cache/pypoetry/virtualenvs"


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def arms() -> FakeArms:
    """A home in which nothing is."""
    return FakeArms({b"/": 1, b"/h": 2})


@pytest.fixture
def watches(arms: FakeArms, clock: FakeClock) -> Watches:
    return Watches(arms, clock)


def test_the_parent_is_watched_and_nothing_is_polled(watches: Watches, arms: FakeArms) -> None:
    """It does not count as watched, and there is no other wake-up than the look once a minute."""
    assert watches.add([POOL], 0) == set()
    assert (set(arms.armed), len(watches)) == ({b"/h"}, 0)
    assert watches.awaited(b"/h") == {b".cache"}
    assert watches.waiting_for(b"/h") == (POOL,)
    assert watches.wait() == RECONCILE_SECONDS


def test_the_wait_goes_down_the_path(watches: Watches, arms: FakeArms) -> None:
    """Part by part as they appear, until the folder itself is watched, which is news; the parents are let go."""
    watches.add([POOL], 0)
    arms.disk[b"/h/.cache"] = 3
    assert watches.check(watches.waiting_for(b"/h")) == set()
    assert set(arms.armed) == {b"/h/.cache"}
    assert (watches.awaited(b"/h"), watches.awaited(b"/h/.cache")) == (frozenset(), {b"pypoetry"})
    arms.disk[b"/h/.cache/pypoetry"] = 4
    arms.disk[POOL] = 5
    assert watches.check(watches.waiting_for(b"/h/.cache")) == {POOL}
    assert (set(arms.armed), len(watches)) == ({POOL}, 1)


def test_a_parent_that_goes_away(watches: Watches, arms: FakeArms) -> None:
    """What waited there waits one part further up."""
    arms.disk[b"/h/.cache"] = 3
    watches.add([POOL], 0)
    del arms.disk[b"/h/.cache"]
    assert watches.lost(b"/h/.cache") == set()
    assert set(arms.armed) == {b"/h"}
    assert watches.awaited(b"/h") == {b".cache"}


def test_a_folder_that_goes_away_is_waited_for(watches: Watches, arms: FakeArms) -> None:
    """Its end is news, and so is the next one of that name."""
    arms.disk[POOL] = 5
    watches.add([POOL], 0)
    del arms.disk[POOL]
    assert watches.lost(POOL) == {POOL}
    assert watches.awaited(b"/h") == {b".cache"}
    arms.disk[POOL] = 6
    assert watches.check(watches.waiting_for(b"/h")) == {POOL}


def test_a_parent_that_is_wanted_itself(watches: Watches, arms: FakeArms) -> None:
    """It stays watched when nobody waits there any more, and is let go when neither wants it."""
    watches.add([b"/h", POOL], 0)
    assert len(watches) == 1
    watches.drop([b"/h"])
    assert set(arms.armed) == {b"/h"}
    watches.drop([POOL])
    assert not arms.armed
    watches.add([b"/h", POOL], 0)
    watches.drop([POOL])
    assert set(arms.armed) == {b"/h"}
    assert watches.awaited(b"/h") == frozenset()


def test_a_replaced_parent_is_watched_again(watches: Watches, arms: FakeArms, clock: FakeClock) -> None:
    """The look once a minute finds another directory where the parent was."""
    watches.add([POOL], 0)
    del arms.armed[b"/h"]
    arms.disk[b"/h"] = 7
    clock.now += RECONCILE_SECONDS
    watches.tick(lambda: [POOL])
    assert arms.armed == {b"/h": 7}


def test_what_was_refused_has_news_once_a_minute(watches: Watches, arms: FakeArms, clock: FakeClock) -> None:
    """As long as nobody would tell of it, somebody has to look."""
    arms.disk[POOL], arms.disk[b"/p"], arms.room = 5, 6, 1
    watches.add([b"/p", POOL], 0)
    assert watches.full
    for _ in range(2):
        clock.now += RECONCILE_SECONDS
        assert watches.tick(lambda: [b"/p", POOL]) == {POOL}
    arms.room = 9
    clock.now += RECONCILE_SECONDS
    assert watches.tick(lambda: [b"/p", POOL]) == {POOL}
    clock.now += RECONCILE_SECONDS
    assert (watches.tick(lambda: [b"/p", POOL]), watches.full) == (set(), None)
