"""What is watched when more is asked about than may be: the roots take turns, at a bounded pace."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import pytest

from alight.clock import SystemClock
from alight.index import Index
from alight.server.covering import TURN_SECONDS, TURNOVER, Covering
from alight.watch.coverage import Coverage
from alight.watch.names import Interest

ROOM = 10
PEOPLE = 4 * TURNOVER


@dataclass
class Clock:
    """Stands still until it is moved."""

    now: float = 100.0

    def monotonic(self) -> float:
        return self.now

    def wall_ns(self) -> int:
        return int(self.now * 1e9)


@dataclass
class Watch:
    """The real book-keeping of what is watched, without watching; ``began`` tells since when changes are news."""

    coverage: Coverage = field(default_factory=lambda: Coverage(ROOM))
    began: list[tuple[bytes, int | None]] = field(default_factory=list)

    def has_room(self, root: bytes, folders: tuple[bytes, ...]) -> bool:
        return self.coverage.has_room(root, folders)

    def cover(self, root: bytes, folders: tuple[bytes, ...], *, asked_ns: int | None = None) -> None:
        self.coverage.cover(root, folders)
        self.began.append((root, asked_ns))

    def share(self, folders: Mapping[bytes, Interest], *, asked_ns: int | None = None) -> None:
        """There is nothing in common."""


class Desk:
    """``leave`` is the end of a turn; ``wait`` lets the time pass that was asked for, and calls what was due."""

    def __init__(self) -> None:
        self.clock, self.watch = Clock(), Watch()
        self.due: list[tuple[float, Callable[[], None]]] = []
        index = Index(SystemClock(), os.getuid(), b"/nowhere")
        self.covering = Covering(
            self.watch,  # type: ignore[arg-type]
            index,
            self.clock,
            lambda seconds, call: self.due.append((seconds, call)),
        )

    def ask(self, number: int) -> bytes:
        root = b"/p%d" % number
        self.covering.cover(root, (root,))
        self.leave()
        return root

    def leave(self) -> None:
        while self.due and self.due[-1][0] == 0.0:
            self.due.pop()[1]()

    def wait(self) -> None:
        [(seconds, call)] = self.due
        self.due.clear()
        self.clock.now += seconds
        call()


@pytest.fixture
def desk() -> Desk:
    return Desk()


def test_nobody_waits_for_the_watch(desk: Desk) -> None:
    """A root is covered when the replies have left, once, as it was asked about last, since it was first."""
    first_ns = desk.clock.wall_ns()
    desk.covering.cover(b"/p", (b"/p",))
    desk.clock.now += 0.25
    desk.covering.cover(b"/q", (b"/q",))
    desk.covering.cover(b"/p", (b"/p", b"/p/.venv"))
    assert desk.watch.began == []
    desk.leave()
    assert desk.watch.began == [(b"/p", first_ns), (b"/q", first_ns + 250_000_000)]
    assert set(desk.watch.coverage.folders) == {b"/p", b"/p/.venv", b"/q"}


def test_where_there_is_room_nobody_waits(desk: Desk) -> None:
    """Roots are watched at once as long as no other has to leave, however many come."""
    roots = [desk.ask(number) for number in range(ROOM)] + [desk.ask(0) for _ in range(PEOPLE)]
    assert [root for root, _ in desk.watch.began] == roots
    assert not desk.due


def test_some_take_the_place_of_others_at_once(desk: Desk) -> None:
    """Who works in a few more projects than may be watched never waits for the watch."""
    for number in range(ROOM + TURNOVER):
        assert desk.ask(number) in desk.watch.coverage.roots
    assert not desk.due


def test_the_others_take_turns(desk: Desk) -> None:
    """At most so many a second, in the order in which they asked, until all had their turn; then nothing is due."""
    roots = [desk.ask(number) for number in range(PEOPLE)]
    at_once = len(desk.watch.began)
    assert at_once == ROOM + TURNOVER
    began = desk.clock.now
    while desk.due:
        before = len(desk.watch.began)
        desk.wait()
        assert len(desk.watch.began) - before <= TURNOVER * TURN_SECONDS + 1
    assert [root for root, _ in desk.watch.began] == roots
    assert desk.clock.now - began == pytest.approx((PEOPLE - at_once) / TURNOVER, abs=2 * TURN_SECONDS)


def test_who_waited_has_news(desk: Desk) -> None:
    """Nobody told of what happened between the question and the turn, so everything counts as changed since ever."""
    for number in range(ROOM + TURNOVER + 1):
        last = desk.ask(number)
    assert last not in desk.watch.coverage.roots
    desk.wait()
    assert desk.watch.began[-1] == (last, 0)
    assert 0 not in {asked_ns for _, asked_ns in desk.watch.began[:-1]}


def test_nobody_overtakes(desk: Desk) -> None:
    """While somebody waits, others that ask do so behind them, and asking again does not cost the place."""
    for number in range(ROOM + TURNOVER + 3):
        desk.ask(number)
    desk.clock.now += 1.0
    for number in (ROOM + TURNOVER + 5, ROOM + TURNOVER + 1):
        desk.ask(number)
    desk.wait()
    taken = [int(root[2:]) - ROOM - TURNOVER for root, asked_ns in desk.watch.began if asked_ns == 0]
    assert taken == [0, 1, 2, 5]
