"""Folders that are missing, replaced or refused, and who is told, with an emitter that does as it is told."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from alight.watch.coverage import Coverage
from alight.watch.debounce import SPACING_SECONDS
from alight.watch.dispatcher import Begin, Cease, Dispatcher, Retry
from alight.watch.hints import Hint, Lost, Missed, Outcome
from alight.watch.names import Weight
from alight.watch.watches import FIRST_RETRY_SECONDS, RACY_NS, RECONCILE_SECONDS, Watches
from support.arms import FakeArms, FakeClock

A, B = b"/p/a", b"/q/b"


@pytest.fixture
def clock() -> FakeClock:
    """The tests' own time."""
    return FakeClock()


@pytest.fixture
def arms() -> FakeArms:
    """An empty disk."""
    return FakeArms()


@pytest.fixture
def watches(arms: FakeArms, clock: FakeClock) -> Watches:
    """Nothing wanted yet."""
    return Watches(arms, clock)


def test_a_missing_folder_is_tried_less_and_less_often(watches: Watches, arms: FakeArms, clock: FakeClock) -> None:
    """Pauses begin at a second and double; when the folder is there, it is news, and polling ends."""
    start = clock.now
    watches.add([A], 0)
    moments = []
    while clock.now < start + 30:
        clock.now += watches.wait()
        watches.tick(lambda: [A])
        moments.append(clock.now - start)
    assert moments == [FIRST_RETRY_SECONDS, 3.0, 7.0, 15.0, 31.0]
    arms.disk[A] = 1
    clock.now += watches.wait()
    assert watches.tick(lambda: [A]) == {A}
    assert watches.overdue([A]) == ()
    clock.now += 1
    assert watches.tick(lambda: [A]) == set()


def test_a_missing_folder_with_a_watched_parent_is_not_polled(watches: Watches, arms: FakeArms) -> None:
    """The parent's event tells when it appears, so the next wake-up is the look at everything."""
    arms.disk[b"/p"] = 1
    watches.add([b"/p", A], 0)
    assert watches.wait() == RECONCILE_SECONDS
    arms.disk[A] = 2
    assert watches.check([A]) == {A}


def test_a_missing_folder_is_tried_on_request_but_not_by_every_one(watches: Watches, clock: FakeClock) -> None:
    """Requests right after a try find nothing to do."""
    watches.add([A], 0)
    assert watches.overdue([A, B]) == ()
    clock.now += 0.2
    assert watches.overdue([A, B]) == (A,)


def test_replaced_and_vanished_folders_are_news(watches: Watches, arms: FakeArms) -> None:
    """Another directory under the same path is news, none is news once, the same one is none."""
    arms.disk[A] = 1
    watches.add([A], 0)
    assert watches.check([A]) == set()
    arms.disk[A] = 2
    assert watches.check([A]) == {A}
    del arms.disk[A]
    assert watches.check([A]) == {A}
    assert watches.check([A]) == set()


def test_everything_is_looked_at_once_a_minute(watches: Watches, arms: FakeArms, clock: FakeClock) -> None:
    """A folder replaced without any event is noticed by the look at all folders, and not by earlier ticks."""
    arms.disk[A] = 1
    watches.add([A], 0)
    arms.disk[A] = 2
    clock.now += RECONCILE_SECONDS - 1
    assert watches.tick(lambda: [A]) == set()
    clock.now += watches.wait()
    assert watches.tick(lambda: [A]) == {A}


def test_a_refusal_ends_adding_until_the_next_look(watches: Watches, arms: FakeArms, clock: FakeClock) -> None:
    """At the system's limit no more is tried for a minute, what is watched stays so, and room is used when it comes."""
    arms.disk = {A: 1, B: 2, b"/r/c": 3}
    arms.room = 1
    watches.add([A, B, b"/r/c"], 0)
    assert (watches.full, len(watches)) == (Outcome.FULL, 1)
    assert arms.tried == [A, B]
    assert watches.check([A]) == set()
    assert watches.overdue([B]) == ()
    assert watches.wait() == RECONCILE_SECONDS
    arms.room = 3
    clock.now += RECONCILE_SECONDS
    assert watches.tick(lambda: [A, B, b"/r/c"]) == {B, b"/r/c"}
    assert (watches.full, len(watches)) == (None, 3)


def test_dropped_folders_are_forgotten(watches: Watches, arms: FakeArms, clock: FakeClock) -> None:
    """Neither an armed nor a missing folder is looked at after it was dropped."""
    arms.disk[A] = 1
    watches.add([A, B], 0)
    watches.drop([A, B])
    assert len(watches) == 0
    assert watches.wait() == RECONCILE_SECONDS
    clock.now += 5
    assert watches.overdue([A, B]) == ()


def test_a_change_between_question_and_watch_is_news(watches: Watches, arms: FakeArms, tmp_path: Path) -> None:
    """A folder changed about when it was asked for may have changed unseen; one that rested before has not."""
    folder = os.fsencode(tmp_path)
    arms.disk[folder] = 1
    changed_ns = os.stat(tmp_path).st_mtime_ns
    assert watches.add([folder], changed_ns + 2 * RACY_NS) == set()
    watches.drop([folder])
    assert watches.add([folder], changed_ns + RACY_NS // 2) == {folder}
    watches.drop([folder])
    arms.disk[B] = 2
    assert watches.add([B], changed_ns) == {B}


class Rig:
    """A dispatcher that takes its steps when the test says so, over the fake emitter."""

    def __init__(self, arms: FakeArms, clock: FakeClock) -> None:
        self.coverage = Coverage(10)
        self.told: list[frozenset[bytes]] = []
        self.dispatcher = Dispatcher(lambda *_: arms, self.coverage, threading.Lock(), self.told.append, clock)

    def handle(self, item: Begin | Cease | Retry | Hint | Lost) -> list[frozenset[bytes]]:
        """What one item makes it tell at once."""
        self.told.clear()
        self.dispatcher.event_queue.put(item)
        self.dispatcher.dispatch_events(self.dispatcher.event_queue)
        return list(self.told)


@pytest.fixture
def rig(arms: FakeArms, clock: FakeClock) -> Rig:
    """Nothing covered yet."""
    return Rig(arms, clock)


def test_a_folder_nobody_wants_any_more_is_not_armed_again(rig: Rig, arms: FakeArms) -> None:
    """A late word of a folder that was dropped in the meantime changes nothing."""
    arms.disk[A] = 1
    assert rig.handle(Lost(A)) == []
    assert rig.handle(Hint(A, Weight.NOW)) == []
    assert arms.tried == []


def test_a_retry_that_succeeds_is_news(rig: Rig, arms: FakeArms) -> None:
    """A missing folder that is there when somebody asks is watched, and its roots are told."""
    rig.coverage.cover(b"/root", [A])
    assert rig.handle(Begin((A,), 0)) == []
    arms.disk[A] = 1
    assert rig.handle(Retry((A,))) == [frozenset({b"/root"})]
    assert arms.holds(A)
    assert rig.handle(Cease((A,))) == []
    assert not arms.holds(A)


def test_a_hint_is_told_to_the_roots_of_its_folder_only(rig: Rig, arms: FakeArms) -> None:
    """Every root that wants the folder hears of it, no other does."""
    arms.disk = {A: 1, B: 2}
    rig.coverage.cover(b"/one", [A])
    rig.coverage.cover(b"/two", [A, B])
    rig.coverage.cover(b"/three", [B])
    assert rig.handle(Hint(A, Weight.NOW)) == [frozenset({b"/one", b"/two"})]
    assert rig.handle(Hint(B, Weight.LATER)) == []


def test_an_event_concerns_what_lies_at_its_name_only(
    rig: Rig, arms: FakeArms, clock: FakeClock, tmp_path: Path
) -> None:
    """Where projects lie beside each other, one that is made is no reason to look at all of them."""
    code = os.fsencode(tmp_path)
    projects = [code + b"/%d" % number for number in range(3)]
    arms.disk = {code: 1} | {project: number + 2 for number, project in enumerate(projects)}
    rig.coverage.cover(code, [code])
    for project in projects:
        rig.coverage.cover(project, [project, project + b"/.venv"])
    rig.handle(Begin(rig.coverage.folders, 0))
    # Folders of which the clock cannot tell when they changed were told about just now: the next news is spaced.
    clock.now += SPACING_SECONDS
    arms.tried.clear()
    arms.disk[projects[1] + b"/.venv"] = 99
    rig.handle(Hint(code, Weight.SETTLE, b"new"))
    assert arms.tried == []
    assert rig.handle(Hint(projects[1], Weight.SETTLE, b".venv")) == [frozenset({projects[1]})]
    assert arms.tried == [projects[1] + b"/.venv"]


@pytest.mark.parametrize("missed", Missed)
def test_missed_events_are_said_until_a_later_look(rig: Rig, arms: FakeArms, clock: FakeClock, missed: Missed) -> None:
    """Everything has news at once; that some may be missing is said for a minute, and again if it happens again."""
    arms.disk = {A: 1, B: 2}
    rig.coverage.cover(b"/one", [A])
    rig.coverage.cover(b"/two", [B])
    rig.handle(Begin((A, B), 0))
    watches = rig.dispatcher.watches
    assert watches.missed is None
    for _ in range(2):
        clock.now += SPACING_SECONDS
        assert rig.handle(Lost(None, missed)) == [frozenset({b"/one", b"/two"})]
        assert watches.missed is missed
        clock.now += RECONCILE_SECONDS - 1
        rig.handle(Cease(()))
        assert watches.missed is missed
    clock.now += 1
    rig.handle(Cease(()))
    assert watches.missed is None
