"""What happened between two looks, the latest events, and who waits for them."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable

import msgspec
import pytest

from alight.errors import AlightError
from alight.model import Answer, EventKind, State
from alight.server.events import EVENTS_LIMIT, SETTLING_SECONDS, Events, difference
from alight.server.followers import FOLLOWERS_LIMIT, Followers
from alight.server.looks import Look, look
from alight.wire.limits import FOLLOW_SECONDS
from alight.wire.messages import Message
from alight.wire.requests import FollowReply
from support.playfield import Clock, Playfield, link, write


class Field:
    """A project whose looks are taken one after the other."""

    def __init__(self, field: Playfield) -> None:
        self.field = field
        self.root = field.home / "code/app"
        self.prefix = self.root / ".venv"
        self.state: State | None = None
        write(self.root / "pyproject.toml", '[project]\nname = "app"\n')
        field.clock.ahead_ns = 0

    def look(self, former: Look | None = None) -> Look:
        found = self.field.resolve(self.root)
        state: State = found.condition if found.condition != "found" else self.state or "trusted"
        return look(Answer(found, state), self.field.disk(), former)


@pytest.fixture
def app(field: Playfield) -> Field:
    return Field(field)


def _state(app: Field, state: State) -> None:
    app.state = state


def _remade(app: Field) -> None:
    os.rename(app.prefix, app.root / "old")
    app.field.venv(app.prefix)


def _installed(app: Field) -> None:
    (app.prefix / "lib/python3.11/site-packages/six-1.16.0.dist-info").mkdir()


CASES: dict[str, tuple[bool, Callable[[Field], object], EventKind, str]] = {
    "made": (False, lambda app: app.field.venv(app.prefix), "environment-created", "app (Python 3.11.7) at"),
    "removed": (True, lambda app: shutil.rmtree(app.prefix), "environment-deleted", "is gone"),
    "made anew": (True, _remade, "environment-recreated", "was made anew"),
    "broken": (True, lambda app: (app.prefix / "bin/python").unlink(), "environment-broken", "is absent"),
    "another Python": (
        True,
        lambda app: write(
            app.field.home / ".pyenv/versions/3.11.7/include/python3.11/patchlevel.h", '#define PY_VERSION "3.11.9"\n'
        ),
        "interpreter-changed",
        "app runs on Python 3.11.9, was 3.11.7",
    ),
    "packages": (True, _installed, "packages-changed", "packages of app changed: six 1.16.0"),
    "lock": (True, lambda app: write(app.root / "poetry.lock"), "lock-changed", "poetry.lock appeared"),
    "manifest": (True, lambda app: write(app.root / "pyproject.toml", "x = 1\n"), "manifest-changed", "changed"),
    "settings": (True, lambda app: write(app.root / ".python-version", "3.11"), "settings-changed", "appeared"),
    "denied": (True, lambda app: _state(app, "denied"), "trust-changed", "is denied now"),
}


@pytest.mark.parametrize("case", CASES)
def test_each_thing_that_happens_is_one_event(app: Field, case: str) -> None:
    """The kind, whose environment it is, and a sentence that names what happened."""
    has_one, happens, kind, said = CASES[case]
    if has_one:
        app.field.venv(app.prefix)
    former = app.look()
    happens(app)
    changes = difference(former, app.look(former))
    kinds = [change.kind for change in changes]
    assert kind in kinds
    assert set(kinds) <= {kind, "interpreter-changed"} if kind != "environment-created" else kinds == [kind]
    change = changes[kinds.index(kind)]
    assert change.prefix == os.fsencode(app.prefix)
    assert said in change.message


def test_nothing_happened(app: Field) -> None:
    """Two looks at the same thing are no event, nor is a file that says nothing about an environment."""
    app.field.venv(app.prefix)
    former = app.look()
    write(app.root / "notes.txt")
    write(app.root / "tox.ini")
    assert difference(former, app.look(former)) == ()


def test_healed(app: Field) -> None:
    """What was broken and works again is healed, not made."""
    python = app.prefix / "bin/python"
    app.field.venv(app.prefix)
    target = os.readlink(python)
    python.unlink()
    former = app.look()
    link(python, target)
    assert [change.kind for change in difference(former, app.look(former))] == ["environment-healed"]


def test_another_one_that_was_there_before(app: Field) -> None:
    """Where the project turns to another environment, and both are there, neither was made nor removed."""
    former = app.look()
    app.field.venv(app.root / "venv")
    first = app.look()
    assert first.environment is not None
    later = msgspec.structs.replace(first, time_ns=first.time_ns + 10**12)
    app.field.venv(app.prefix)
    second = msgspec.structs.replace(app.look(later), born_ns=first.time_ns)
    assert [change.kind for change in difference(later, second)] == ["environment-changed"]
    assert [change.kind for change in difference(former, first)] == ["environment-created"]


def test_a_name_from_disk_is_made_fit(app: Field) -> None:
    """Whoever names a folder or a package does not get to talk to the terminal."""
    app.field.venv(app.prefix, lines="prompt = e\x1b[31m\n")
    former = app.look()
    (app.prefix / "lib/python3.11/site-packages/a\x1b]0;x\x07-1.dist-info").mkdir()
    messages = [change.message for change in difference(former, app.look(former))]
    assert len(messages) == 1
    assert messages[0].isprintable()


class Times(Clock):
    """Time that passes when a test says so; ``later`` collects what is to be called."""

    def __init__(self) -> None:
        super().__init__(0)
        self.now = 100.0
        self.due: list[tuple[float, Callable[[], None]]] = []

    def monotonic(self) -> float:
        return self.now

    def later(self, seconds: float, callback: Callable[[], None]) -> None:
        self.due.append((self.now + seconds, callback))

    def passes(self, seconds: float) -> None:
        self.now += seconds
        due, self.due = [one for one in self.due if one[0] <= self.now], [one for one in self.due if one[0] > self.now]
        for _, callback in due:
            callback()


def test_what_is_being_made_is_not_broken(app: Field) -> None:
    """An environment that is broken for a moment is told once it is whole; one that stays broken is told then."""
    times, told = Times(), list[str]()
    events = Events(times, times.later, lambda: told.append("told"))
    root = os.fsencode(app.root)

    def observe() -> None:
        seen = app.look()
        events.observe(root, seen.answer, app.field.disk(), observe)

    observe()
    app.field.venv(app.prefix)
    python = app.prefix / "bin/python"
    target = os.readlink(python)
    python.unlink()
    observe()
    assert told == []
    link(python, target)
    times.passes(SETTLING_SECONDS)
    assert [event.kind for event in events.after(0)] == ["environment-created"]
    python.unlink()
    observe()
    times.passes(SETTLING_SECONDS)
    assert [event.kind for event in events.after(1)] == ["environment-broken"]
    assert events.after(2) == ()
    assert [event.sequence for event in events.after(0)] == [1, 2]
    assert {event.root for event in events.after(0)} == {root}


def test_the_ring_is_bounded(app: Field) -> None:
    """However much happens, so many events are kept and the numbers go on."""
    times = Times()
    events = Events(times, None, lambda: None)
    root = os.fsencode(app.root)
    app.field.venv(app.prefix)
    seen = app.look()
    states: tuple[State, State] = ("trusted", "denied")
    for number in range(EVENTS_LIMIT + 10):
        answer = msgspec.structs.replace(seen.answer, state=states[number % 2])
        events.observe(root, answer, app.field.disk(), lambda: None)
    assert events.last == EVENTS_LIMIT + 9
    found, after = 0, 0
    while page := events.after(after):
        found, after = found + len(page), page[-1].sequence
    assert found == EVENTS_LIMIT


class Room:
    """Followers and a project in which something happens on demand."""

    def __init__(self, app: Field) -> None:
        self.times = Times()
        self.followers = Followers(self.times, self.times.later)
        self.replies: list[tuple[str, FollowReply]] = []
        self._app = app
        self._number = 0
        app.field.venv(app.prefix)
        self.happens()

    def happens(self) -> None:
        self._number += 1
        state: State = "trusted" if self._number % 2 else "denied"
        answer = msgspec.structs.replace(self._app.look().answer, state=state)
        self.followers.events.observe(os.fsencode(self._app.root), answer, self._app.field.disk(), lambda: None)

    def follow(self, name: str, after: int, *, gone: bool = False) -> FollowReply | None:
        def reply(message: Message) -> bool:
            assert isinstance(message, FollowReply)
            self.replies.append((name, message))
            return not gone

        return self.followers.follow(name.encode(), after, reply)


@pytest.fixture
def room(app: Field) -> Room:
    return Room(app)


def test_who_is_behind_is_answered_at_once(room: Room) -> None:
    """Events that are there already are the reply; who knows them all waits for the next one and gets it at once."""
    room.happens()
    first = room.follow("a", 0)
    assert first is not None
    assert (len(first.events), first.last) == (1, 1)
    assert room.follow("a", 1) is None
    assert room.follow("b", 1) is None
    room.happens()
    assert sorted((name, reply.last, len(reply.events)) for name, reply in room.replies) == [("a", 2, 1), ("b", 2, 1)]
    assert len(room.followers) == 0


def test_silence_is_answered_in_the_end(room: Room) -> None:
    """With no event the reply is an empty one after the time that the protocol names, by one timer for all."""
    room.follow("a", 0)
    room.times.passes(FOLLOW_SECONDS / 2)
    room.follow("b", 0)
    assert len(room.times.due) == 1
    room.times.passes(FOLLOW_SECONDS / 2)
    assert room.replies == [("a", FollowReply((), 0))]
    room.times.passes(FOLLOW_SECONDS / 2)
    assert [name for name, _ in room.replies] == ["a", "b"]
    assert room.times.due == []


def test_followers_are_bounded_and_those_that_left_forgotten(room: Room) -> None:
    """One connection waits once, so many wait at all, and one that is gone is tried no more than once."""
    room.follow("same", 0)
    room.follow("same", 0)
    assert len(room.followers) == 1
    for number in range(FOLLOWERS_LIMIT - 1):
        room.follow(str(number), 0, gone=True)
    with pytest.raises(AlightError, match="follow the events already"):
        room.follow("one too many", 0)
    room.happens()
    assert len(room.replies) == FOLLOWERS_LIMIT
    room.happens()
    assert len(room.replies) == FOLLOWERS_LIMIT
    assert len(room.followers) == 0


def test_where_nothing_can_wait_the_answer_comes_at_once(app: Field) -> None:
    """Without a connection to answer later, or without timers, there is no waiting."""
    assert Followers(Times(), Times().later).follow(b"a", 0, None) == FollowReply((), 0)
    assert Followers(Times(), None).follow(b"a", 0, lambda _message: True) == FollowReply((), 0)


def test_folders_of_conda_packages(app: Field) -> None:
    """A conda environment's packages are named by the records that conda writes."""
    prefix = app.root / ".conda"
    write(prefix / "conda-meta/history", "")
    write(prefix / "bin/python").chmod(0o755)
    (prefix / "lib/python3.12/site-packages").mkdir(parents=True)
    write(prefix / "conda-meta/python-3.12.4-h1_0.json", '{"name": "python", "version": "3.12.4"}')
    os.utime(prefix / "conda-meta/python-3.12.4-h1_0.json", (1, 1))
    former = app.look()
    assert former.environment is not None
    write(prefix / "conda-meta/ca-certificates-2024.7.4-hb_0.json", "{}")
    changes = difference(former, app.look(former))
    assert [change.kind for change in changes] == ["packages-changed"]
    assert changes[0].message.endswith("changed: ca-certificates 2024.7.4")
