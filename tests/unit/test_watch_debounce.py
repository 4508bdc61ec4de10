"""When news is told, by a clock that moves when the test says so."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from alight.watch.debounce import (
    APART_SECONDS,
    LONG_QUIET_SECONDS,
    LONGEST_SECONDS,
    QUIET_SECONDS,
    SPACING_SECONDS,
    Debouncer,
)
from alight.watch.names import Weight

A, B = b"/a", b"/b"


@dataclass
class FakeClock:
    """Time that passes when a test says so."""

    now: float = 100.0

    def monotonic(self) -> float:
        return self.now

    def wall_ns(self) -> int:
        return int(self.now * 1e9)


@pytest.fixture
def clock() -> FakeClock:
    """The tests' own time."""
    return FakeClock()


@pytest.fixture
def debouncer(clock: FakeClock) -> Debouncer:
    """A debouncer without news."""
    return Debouncer(clock)


def drain(debouncer: Debouncer, clock: FakeClock, until: float) -> list[tuple[float, frozenset[bytes]]]:
    """What is told up to a time, and when, by a thread that sleeps exactly as long as it is told to."""
    told = []
    while (pause := debouncer.wait()) is not None and clock.now + pause <= until:
        clock.now += pause + 1e-9
        told.append((round(clock.now, 3), debouncer.take_due()))
    clock.now = max(clock.now, until)
    return told


def test_without_news_there_is_nothing_to_wait_for(debouncer: Debouncer) -> None:
    """An idle debouncer asks for no wake-up."""
    assert debouncer.wait() is None
    assert debouncer.take_due() == frozenset()


def test_a_state_change_is_due_at_once(debouncer: Debouncer) -> None:
    """All roots that changed at once are told in one go, once."""
    debouncer.add([A, B], Weight.NOW)
    debouncer.add([A], Weight.NOW)
    assert debouncer.wait() == 0.0
    assert debouncer.take_due() == {A, B}
    assert debouncer.wait() is None


def test_packages_wait_for_quiet(debouncer: Debouncer, clock: FakeClock) -> None:
    """Changes closer together than the quiet time are one piece of news, after the last of them."""
    start = clock.now
    for step in range(5):
        clock.now = start + step * 0.1
        debouncer.add([A], Weight.LATER)
        assert debouncer.take_due() == frozenset()
    assert drain(debouncer, clock, start + 5) == [(round(start + 0.4 + QUIET_SECONDS, 3), {A})]


def test_packages_wait_no_longer_than_the_limit(debouncer: Debouncer, clock: FakeClock) -> None:
    """An installation that never pauses is told after a second, and its rest when it is over."""
    start, told = clock.now, []
    for step in range(150):
        told += drain(debouncer, clock, start + step * 0.01)
        debouncer.add([A], Weight.LATER)
    told += drain(debouncer, clock, start + 5)
    assert [at for at, _ in told] == [
        pytest.approx(start + LONGEST_SECONDS, abs=0.011),
        pytest.approx(start + 1.49 + LONG_QUIET_SECONDS, abs=0.011),
    ]


def test_an_installation_with_pauses_is_told_twice(debouncer: Debouncer, clock: FakeClock) -> None:
    """Fifty packages a third of a second apart are told after the first of them and after the last."""
    start, told = clock.now, []
    for step in range(50):
        told += drain(debouncer, clock, start + step / 3)
        debouncer.add([A], Weight.LATER)
    end = start + 49 / 3
    told += drain(debouncer, clock, end + 20)
    assert [at for at, _ in told] == [
        pytest.approx(start + QUIET_SECONDS, abs=0.011),
        pytest.approx(end + LONG_QUIET_SECONDS, abs=0.011),
    ]


def test_the_next_installation_is_told_soon_again(debouncer: Debouncer, clock: FakeClock) -> None:
    """What comes well after an installation is told after the short quiet, and nothing is kept of the former one."""
    start = clock.now
    debouncer.add([A], Weight.LATER)
    drain(debouncer, clock, start + APART_SECONDS)
    debouncer.add([A], Weight.LATER)
    assert [at - clock.now for at, _ in drain(debouncer, clock, clock.now + 5)] == [pytest.approx(-5 + QUIET_SECONDS)]
    clock.now += 60
    debouncer.add([B], Weight.NOW)
    debouncer.take_due()
    assert not debouncer._installing


def test_a_beginning_is_told_again_when_it_is_quiet(debouncer: Debouncer, clock: FakeClock) -> None:
    """What begins with a watched name and goes on unseen is told at once and after the quiet time."""
    start = clock.now
    debouncer.add([A], Weight.SETTLE)
    assert [at for at, _ in drain(debouncer, clock, start + 5)] == [start, start + QUIET_SECONDS]


def test_the_end_of_a_transaction_hurries_what_waits(debouncer: Debouncer, clock: FakeClock) -> None:
    """The sign of uv tells package changes at once, and tells nothing when there are none."""
    debouncer.add([A], Weight.FLUSH)
    assert debouncer.wait() is None
    debouncer.add([A], Weight.LATER)
    clock.now += 0.01
    debouncer.add([A], Weight.FLUSH)
    assert debouncer.take_due() == {A}
    assert debouncer.wait() is None


def test_a_storm_of_state_changes_is_spaced(debouncer: Debouncer, clock: FakeClock) -> None:
    """The first is told at once, the last is always told, and there are at most ten a second for one root."""
    start, told = clock.now, []
    for step in range(1000):
        debouncer.add([A], Weight.NOW)
        told += drain(debouncer, clock, start + step * 0.001)
    last = clock.now
    told += drain(debouncer, clock, start + 5)
    assert told[0][0] == start
    assert told[-1][0] >= last
    assert len(told) <= 1 / SPACING_SECONDS + 2


def test_roots_do_not_wait_for_each_other(debouncer: Debouncer, clock: FakeClock) -> None:
    """A storm in one project delays no other project's news."""
    debouncer.add([A], Weight.NOW)
    assert debouncer.take_due() == {A}
    debouncer.add([A, B], Weight.NOW)
    assert debouncer.take_due() == {B}
    clock.now += SPACING_SECONDS
    assert debouncer.take_due() == {A}
