"""The table of back-links goes on with each question, however little one may spend, and lists what it reads anew."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from alight.files.disk import RACY_NS
from alight.files.documents import Documents
from alight.systems.base import Facts
from alight.systems.linktable import ROUND_SECONDS, LinkTable
from support.playfield import Playfield, write
from support.shelf import Shelf

ENOUGH = 400
"""Questions after which the smallest steps must have come to an end."""

OTHER = {"PIXI_HOME": b"/elsewhere"}
"""Variables that choose no other pool here, but another view."""


class Still:
    """A clock on which each look is a microsecond later, so that no budget lasts for two steps."""

    def __init__(self, wall_ns: int) -> None:
        self.now = 0.0
        self._wall_ns = wall_ns

    def monotonic(self) -> float:
        self.now += 1e-6
        return self.now

    def wall_ns(self) -> int:
        return self._wall_ns


class Bench:
    """A home with a pool of environments, and questions about one project."""

    def __init__(self, field: Playfield) -> None:
        self.field = field
        self.project = field.home / "code/p"
        self.project.mkdir(parents=True)
        self.pool = field.home / ".virtualenvs"
        self.clock = Still(field.clock.wall_ns())
        self.table = LinkTable(self.clock, os.getuid(), (Shelf(),))
        for number in range(8):
            self.environment(f"e{number}")

    def environment(self, name: str, *, linked: bool = False) -> Path:
        prefix = self.field.venv(self.pool / name)
        if linked:
            write(prefix / ".project", str(self.project))
        return prefix

    def ask(
        self, budget_ns: int | None = 1, overrides: dict[str, bytes] | None = None, *, thorough: bool = False
    ) -> list[str]:
        """The names of the environments that are known to name the project."""
        facts = self.facts(overrides)
        links = self.table.question(budget_ns, thorough=thorough).of(facts.directory, facts)
        return [os.path.basename(os.fsdecode(link.prefix)) for link in links]

    def facts(self, overrides: dict[str, bytes] | None = None) -> Facts:
        """A new question in the project."""
        disk = self.field.disk()
        return Facts(disk, overrides or {}, os.fsencode(self.field.home), os.fsencode(self.project), Documents(disk))

    def rest(self) -> None:
        """What the loop does in its idle moments."""
        while self.table.advance(10**6):
            continue


@pytest.fixture
def bench(field: Playfield) -> Bench:
    return Bench(field)


def test_questions_alone_come_to_an_end(bench: Bench) -> None:
    """Where no moment is idle, the smallest budget suffices: each question goes on where the last one stopped."""
    bench.environment("e9", linked=True)
    turns = next(turn for turn in range(ENOUGH) if bench.ask() and bench.table.settled)
    assert turns > 5
    for change in range(2):
        write(bench.pool / f"e{change}/.project", str(bench.project))
        expected = [*(f"e{number}" for number in range(change + 1)), "e9"]
        assert any(bench.ask() == expected and bench.table.settled for _ in range(ENOUGH))


def test_two_sets_of_variables_come_to_an_end(bench: Bench) -> None:
    """Questions in turn for two sets of variables do not undo each other's work."""
    bench.environment("e9", linked=True)
    done = {False: False, True: False}
    for turn in range(2 * ENOUGH):
        is_other = bool(turn % 2)
        found = bench.ask(1, OTHER if is_other else {})
        done[is_other] = found == ["e9"] and bench.table.settled
    assert done == {False: True, True: True}


def test_a_look_at_everything_comes_to_an_end(bench: Bench) -> None:
    """Who asks for it again and again gets it once it is done, instead of its beginning each time."""
    bench.rest()
    bench.environment("e9", linked=True)
    assert any(bench.ask(thorough=True) == ["e9"] and bench.table.settled for _ in range(ENOUGH))


def test_a_change_during_the_reading_is_read_too(bench: Bench) -> None:
    """What changes after it was passed makes another pass, and no answer is complete before that."""
    bench.environment("e9", linked=True)
    while not bench.ask():
        continue
    write(bench.pool / "e0/.project", str(bench.project))
    answers = []
    while not answers or not bench.table.settled:
        answers.append(bench.ask())
    assert answers[-1] == ["e0", "e9"]


def test_a_change_of_what_an_earlier_question_listed(bench: Bench) -> None:
    """What appears where the listing had passed is there for the question that comes after it, once all is read."""
    while not bench.table.pools.views or not bench.table.pools.views[-1].listings:
        bench.ask()
    bench.environment("e9", linked=True)
    answers = []
    while not answers or not bench.table.settled:
        answers.append(bench.ask())
    assert answers[-1] == ["e9"]


@pytest.mark.parametrize("is_changed", [False, True])
def test_an_answer_is_kept_with_the_listing_it_was_seen_to_fit(bench: Bench, *, is_changed: bool) -> None:
    """Pools that are others when the question looks at them than when they were listed are tested at the next one."""
    facts = bench.facts()
    question = bench.table.question(None)
    assert question.of(facts.directory, facts) == ()
    if is_changed:
        bench.environment("e9", linked=True)
    question.witness(facts)
    listed = bench.table.pools.views[-1].listed
    assert question.listed == (-1 if is_changed else listed)
    records = {record.path for record in facts.disk.fingerprint().records}
    assert os.fsencode(bench.pool) in records


@pytest.mark.parametrize("overrides", [{}, OTHER])
def test_what_is_read_anew_is_listed_anew(bench: Bench, overrides: dict[str, bytes]) -> None:
    """An environment that is none any more is none for every set of variables, whoever reads its folder first."""
    gone = bench.environment("e9", linked=True)
    for chosen in ({}, OTHER):
        assert bench.ask(None, chosen) == ["e9"]
    (gone / "pyvenv.cfg").unlink()
    view = bench.table.pools.views[-1]
    view.round -= 2 * ROUND_SECONDS
    bench.rest()
    assert bench.ask(None, overrides) == []


def test_an_installation_under_way(bench: Bench) -> None:
    """An editable install whose folder stands but whose record is not written yet is read again when it is."""
    bench.table = LinkTable(Still(time.time_ns() + 10 * RACY_NS), os.getuid(), (Shelf(),))
    write(bench.project / "pyproject.toml")
    packages = next((bench.pool / "e3/lib").iterdir()) / "site-packages"
    (packages / "p-1.dist-info").mkdir()
    (packages / "done-1.dist-info").mkdir()
    write(packages / "done-1.dist-info/RECORD")
    assert bench.ask(None) == []
    assert bench.table.settled
    url = json.dumps({"url": bench.project.as_uri(), "dir_info": {"editable": True}})
    write(packages / "p-1.dist-info/direct_url.json", url)
    assert bench.ask(None) == ["e3"]


def test_what_changes_between_listing_and_reading(bench: Bench) -> None:
    """An environment that was listed and is none any more when it is read is none, at that very question."""

    class Leaving(Shelf):
        def list(self, facts: Facts) -> Iterator[bytes]:
            yield from super().list(facts)
            (bench.pool / "e9/pyvenv.cfg").unlink(missing_ok=True)

    bench.table = LinkTable(Still(time.time_ns()), os.getuid(), (Leaving(),))
    bench.environment("e9", linked=True)
    assert bench.ask(None) == []


def test_an_environment_that_never_rests(bench: Bench) -> None:
    """What changes whenever it is looked at keeps nobody waiting: the answer is that of a moment ago."""

    class Restless(Shelf):
        def list(self, facts: Facts) -> Iterator[bytes]:
            yield from super().list(facts)
            (bench.pool / f"e0/{self.listings}").mkdir()

    bench.table = LinkTable(bench.clock, os.getuid(), (Restless(),))
    bench.environment("e9", linked=True)
    for _ in range(3):
        assert bench.ask(None) == ["e9"]
        write(bench.pool / "e0/.project", "/elsewhere")
