"""Plans that are given again: only to whom asks the same, and only while everything that decided them is as it was."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from alight.files.moment import Moment
from alight.index import Index
from alight.paths import Places
from alight.server import planning
from alight.server.handlers import Handlers
from alight.server.handlers_base import Surface
from alight.server.news import News
from alight.server.shell_handlers import COARSE_CLOCK_NS
from alight.trust.answers import Answers
from alight.trust.judge import Judge
from alight.trust.maker import Makers
from alight.trust.records import Records
from alight.wire.messages import Ask, Message, Plan
from alight.wire.requests import Decide
from support.playfield import Clock, Playfield, write


class Office:
    """Handlers an hour from now, so that nothing is racy, and how many plans were made."""

    def __init__(self, field: Playfield, runtime: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.field = field
        runtime.mkdir(mode=0o700)
        self.places = Places(runtime, runtime / "c", runtime / "d", runtime / "s")
        self.news = News(self.places, Clock())
        self.news.open(lambda _routing, _news: True)
        self.handlers = self.fresh()
        self.made = 0
        make = planning.make_plan

        def counted(*arguments: object, **options: object) -> Plan:
            self.made += 1
            return make(*arguments, **options)  # type: ignore[arg-type]

        monkeypatch.setattr(planning, "make_plan", counted)

    def fresh(self) -> Handlers:
        """Handlers that know nothing yet."""
        clock, uid = Clock(), os.getuid()
        judge = Judge(Records(self.places.trust, uid, clock), uid)
        answers = Answers(Index(clock, uid, os.fsencode(self.field.home)), judge, uid, clock)
        surface = Surface(self.news, None, lambda _reason: None, segment=True)
        return Handlers(answers, Makers(clock), surface, clock)

    def handle(self, request: Message, moment: Moment | None = None) -> Message | None:
        return self.handlers.handle(request, None, moment)

    def ask(self, directory: Path, *variables: str, moment: Moment | None = None, **fields: object) -> Plan:
        told = (f"HOME={self.field.home}", "PATH=/usr/bin:/bin", *variables)
        values: dict[str, object] = {"pid": 1, "status": 0, "first": False, "shell": "zsh", **fields}
        reply = self.handle(
            Ask(
                directory=os.fsencode(directory),
                switch="on",
                owner="",
                applied=b"",
                declined=b"",
                variables=tuple(os.fsencode(one) for one in told),
                **values,  # type: ignore[arg-type]
            ),
            moment,
        )
        assert isinstance(reply, Plan)
        return reply

    def project(self, name: str) -> Path:
        root = self.field.home / name
        write(root / "pyproject.toml", "[project]\nname = 'x'\n")
        self.field.venv(root / ".venv")
        return root


@pytest.fixture
def office(field: Playfield, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Office:
    return Office(field, tmp_path / "office", monkeypatch)


def test_whoever_asks_the_same_is_told_the_same(office: Office) -> None:
    """Neither the shell's process nor the end of its last command makes another plan; everything else does."""
    app = office.project("app")
    plan = office.ask(app)
    assert office.ask(app, pid=2, status=1) == plan
    assert office.made == 1
    others = [office.ask(app, shell="bash"), office.ask(app, "VIRTUAL_ENV_DISABLE_PROMPT=1"), office.ask(app / ".venv")]
    assert office.made == 4
    assert others[1] == plan


CHANGES: dict[str, Callable[[Office, Path], object]] = {
    "decision": lambda office, app: office.handle(Decide("allow", os.fsencode(app), ())),
    "script": lambda _, app: write(app / ".venv/bin/activate", "VIRTUAL_ENV=/elsewhere\nexport VIRTUAL_ENV\n"),
    "environment": lambda _, app: (app / ".venv/pyvenv.cfg").unlink(),
    "another": lambda office, app: office.field.venv(app / "venv"),
    "manifest": lambda _, app: write(app / "uv.lock", "version = 1\n"),
}


@pytest.mark.parametrize("change", CHANGES)
def test_what_decided_it_is_looked_at_again(office: Office, change: str) -> None:
    """After each change the plan is the one that a daemon without a memory makes."""
    app = office.project("app")
    if change == "script":
        office.handle(Decide("allow", os.fsencode(app), ()))
    office.ask(app)
    CHANGES[change](office, app)
    plan = office.ask(app)
    office.handlers = office.fresh()
    assert plan == office.ask(app)


def test_another_projects_environment_that_is_on_counts(office: Office) -> None:
    """Where the shell has something else on, what that is belongs to what decided the plan."""
    app, other = office.project("app"), office.project("other")
    office.handle(Decide("allow", os.fsencode(app), ()))
    on = f"VIRTUAL_ENV={other / '.venv'}"
    first = office.ask(app, on, first=True)
    assert office.ask(app, on, first=True) == first
    assert office.made == 1
    (other / "pyproject.toml").unlink()
    (other / ".venv/pyvenv.cfg").unlink()
    office.ask(app, on, first=True)
    assert office.made == 2


def test_the_mark_is_of_now(office: Office) -> None:
    """A plan that is given again carries the newest mark, since the shell hears of news after that one."""
    app = office.project("app")
    before = office.ask(app)
    office.news.bump(os.fsencode(app))
    after = office.ask(app)
    assert office.made == 1
    assert after.mark == office.news.mark_of(os.fsencode(app)) != before.mark


def test_a_decision_counts_for_who_asks_after_it(office: Office) -> None:
    """Requests that came at once are one moment, but what one of them changes is seen by those behind it."""
    app, moment = office.project("app"), Moment(Clock())
    states = []
    for decision in ("", "allow", "deny"):
        if decision:
            office.handle(Decide(decision, os.fsencode(app), ()), moment)
        states += [office.ask(app, moment=moment).action, office.ask(app, moment=moment).action]
    assert states == ["keep", "keep", "enter", "enter", "keep", "keep"]


def test_the_file_of_news_is_as_old_as_the_moment(office: Office) -> None:
    """A witness that changes after a look, though before its question's turn, is newer than the file."""
    app = office.project("app")
    generation = os.fsdecode(office.ask(app).generation)
    office.news.touch(os.fsencode(app), 0)
    moment = Moment(Clock())
    moment.began_ns = 5_000_000_000
    office.ask(app, moment=moment)
    assert os.stat(generation).st_mtime_ns == moment.began_ns - COARSE_CLOCK_NS


def test_a_witness_newer_than_the_file_is_news(office: Office) -> None:
    """Who asks gives the shells of the project a new mark then, once, though the plan is given again."""
    app = office.project("app")
    former = office.ask(app).mark
    assert office.ask(app).mark == former
    office.news.touch(os.fsencode(app), 0)
    mark = office.ask(app).mark
    assert mark == office.news.mark_of(os.fsencode(app)) != former
    assert office.ask(app).mark == mark
    assert office.made == 1
