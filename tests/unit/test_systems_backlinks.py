"""Environments in pools that name a project: which are believed, which are not, and how little is read for it."""

from __future__ import annotations

import json
import os
import time
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from alight import index as index_module
from alight import resolver
from alight.files.disk import Disk
from alight.files.documents import Documents
from alight.index import Index
from alight.model import Resolution, Step
from alight.systems import SYSTEMS
from alight.systems.backlinks import BackLinks
from alight.systems.base import BACK_LINK, MISSING, POINTER, Claim, Facts, System
from alight.systems.linktable import ROUND_SECONDS, LinkTable
from support.condashape import conda_prefix
from support.playfield import LATER_NS, Playfield, link, write
from support.shelf import Shelf


@dataclass
class Ticking:
    """A clock that goes on by a millisecond at each look."""

    monotonic_seconds: float = 0.0
    step: float = 0.001

    def monotonic(self) -> float:
        self.monotonic_seconds += self.step
        return self.monotonic_seconds

    def wall_ns(self) -> int:
        return time.time_ns() + LATER_NS


@dataclass
class World:
    """A home whose only pool is ``~/.virtualenvs``."""

    field: Playfield
    shelf: Shelf
    systems: tuple[System, ...]
    steps: list[Step] = field(default_factory=list)

    @property
    def home(self) -> Path:
        return self.field.home

    def env(self, name: str, lines: str = "") -> Path:
        return self.field.venv(self.home / ".virtualenvs" / name, lines=lines)

    def project(self, name: str = "p", *files: str) -> Path:
        folder = self.home / "code" / name
        folder.mkdir(parents=True, exist_ok=True)
        for file in files:
            write(folder / file)
        return folder

    def claim(self, level: Path, table: LinkTable | None = None, disk: Disk | None = None) -> Claim | None:
        disk = disk or self.field.disk()
        links = table.question() if table is not None else None
        home = os.fsencode(self.home)
        self.steps.clear()
        facts = Facts(disk, {}, home, os.fsencode(level), Documents(disk), steps=self.steps, links=links)
        return BackLinks(self.systems).claim(os.fsencode(level), facts)

    def table(self, clock: Ticking | None = None) -> LinkTable:
        return LinkTable(clock or Ticking(), os.getuid(), self.systems)

    def index(self, budget_ns: int | None = None) -> Index:
        return Index(self.field.clock, os.getuid(), os.fsencode(self.home), links_budget_ns=budget_ns)


@pytest.fixture
def world(field: Playfield, monkeypatch: pytest.MonkeyPatch) -> World:
    shelf = Shelf()
    listed = (shelf, SYSTEMS[-1])
    systems = (shelf, BackLinks(listed), SYSTEMS[-1])
    monkeypatch.setattr(resolver, "SYSTEMS", systems)
    monkeypatch.setattr(index_module, "SYSTEMS", systems)
    return World(field, shelf, listed)


def editable(prefix: Path, project: Path | str, *, details: object = None, name: str = "p-1.dist-info") -> Path:
    """An editable install, as every installer records it (PEP 610)."""
    url = project.as_uri() if isinstance(project, Path) else project
    packages = next((prefix / "lib").iterdir()) / "site-packages"
    return write(
        packages / name / "direct_url.json", json.dumps({"url": url, "dir_info": details or {"editable": True}})
    )


@pytest.mark.parametrize("ending", ["", "\n", "\r\n"])
def test_project_file(world: World, ending: str) -> None:
    """``.project`` names its project with or without a newline, whatever markers the project has."""
    project, env = world.project(), world.env("web")
    write(env / ".project", f"{project}{ending}")
    claim = world.claim(project)
    assert claim is not None
    assert (claim.rule, claim.rank, claim.confidence, claim.linked) == ("back-link", BACK_LINK, "high", True)
    assert (claim.prefix, claim.root) == (os.fsencode(env), os.fsencode(project))
    assert claim.evidence == (os.fsencode(env / ".project"),)


def test_pixi_record(world: World) -> None:
    """``conda-meta/pixi`` names its manifest, and counts while that stands."""
    project, env = world.project("p", "pixi.toml"), world.home / ".virtualenvs/default"
    write(env / "conda-meta/pixi", json.dumps({"manifest_path": f"{project}/pixi.toml", "environment_name": "default"}))
    claim = world.claim(project)
    assert claim is not None
    assert claim.evidence == (os.fsencode(env / "conda-meta/pixi"),)
    (project / "pixi.toml").unlink()
    assert world.claim(project) is None


@pytest.mark.parametrize(
    "manifest", ['"\\ud800"', '"/\\ud800/pixi.toml"', '"pixi.toml"', '"\\u0000"', "7", "null", '["/p"]']
)
def test_hostile_pixi_records(world: World, manifest: str) -> None:
    """What is no path names no project, and raises nothing."""
    project, env = world.project("p", "pixi.toml"), world.home / ".virtualenvs/default"
    write(env / "conda-meta/pixi", '{"manifest_path": ' + manifest + "}")
    assert world.claim(project) is None


@pytest.mark.parametrize("manifest", ["pyproject.toml", "setup.py", "setup.cfg"])
def test_editable_install(world: World, manifest: str) -> None:
    """An editable install names its source, percent-encoded, while there is something to install."""
    project, env = world.project("my p\u00e9", manifest), world.env("any")
    url = editable(env, project)
    assert "%20" in url.read_text()
    claim = world.claim(project)
    assert claim is not None
    assert claim.evidence == (os.fsencode(url),)
    (project / manifest).unlink()
    assert world.claim(project) is None


@pytest.mark.parametrize(
    "record",
    [
        '{"url": "file://%s", "dir_info": {}}',
        '{"url": "file://%s", "dir_info": {"editable": "true"}}',
        '{"url": "file://%s", "dir_info": {"editable": 1}}',
        '{"url": "https://host%s", "dir_info": {"editable": true}}',
        '{"url": "file://elsewhere%s", "dir_info": {"editable": true}}',
        '{"url": ["file://%s"], "dir_info": {"editable": true}}',
        '{"url": "file://%s", "dir_info": [true]}',
        '{"url": "file://%s\\ud800", "dir_info": {"editable": true}}',
        '{"url": "file://%s%%00", "dir_info": {"editable": true}}',
        '["file://%s"]',
        '{"url": "file://%s", "dir_info": {"editable": true}',
        "[" * 100_000 + "%s",
        '{"url": "file://%s", "dir_info": {"editable": true}, "n": ' + "9" * 5000 + "}",
    ],
)
def test_other_records_say_nothing(world: World, record: str) -> None:
    """Installs that are not editable, other hosts, wrong types and broken JSON name no project."""
    project, env = world.project("p", "pyproject.toml"), world.env("any")
    editable(env, project).write_text(record.replace("%s", str(project)).replace("%%", "%"))
    assert world.claim(project) is None


@pytest.mark.parametrize("text", ["", "\n", "relative/p", "\0", "~/code/p", "/" + "x" * 5000, "/nowhere\n{0}"])
def test_other_project_files_say_nothing(world: World, text: str) -> None:
    """What is no absolute path of a directory names no project."""
    project, env = world.project(), world.env("web")
    write(env / ".project", text.format(project))
    assert world.claim(project) is None


@pytest.mark.parametrize("kind", ["fifo", "folder", "link"])
def test_only_regular_files_count(world: World, kind: str) -> None:
    """A FIFO does not hang the question, and a link is not the environment's own word."""
    project, env = world.project(), world.env("web")
    if kind == "fifo":
        os.mkfifo(env / ".project")
    elif kind == "folder":
        (env / ".project").mkdir()
    else:
        write(world.home / "elsewhere", str(project))
        link(env / ".project", str(world.home / "elsewhere"))
    assert world.claim(project) is None


@pytest.mark.parametrize("mark", ["uv-receipt.toml", "pipx_metadata.json"])
def test_programs_are_never_associated(world: World, mark: str) -> None:
    """An editable install of pipx or ``uv tool`` is a program of the user's, not the project's environment."""
    project, env = world.project("p", "pyproject.toml"), world.env("tool")
    editable(env, project)
    write(env / mark)
    assert world.claim(project) is None


def test_several(world: World) -> None:
    """The most explicit word comes first, the others follow, and none of them is sure."""
    project = world.project("p", "pyproject.toml")
    envs = [world.env(name) for name in ("a", "b", "c")]
    editable(envs[0], project)
    editable(envs[1], project)
    write(envs[2] / ".project", str(project))
    claim = world.claim(project)
    assert claim is not None
    assert [claim.prefix, *(other.prefix for other in claim.others)] == [
        os.fsencode(envs[number]) for number in (2, 0, 1)
    ]
    assert {claim.confidence, *(other.confidence for other in claim.others)} == {"medium"}


def test_two_names_of_one_environment(world: World) -> None:
    """A link in the pool to another of its environments (pyenv's) is no second candidate."""
    project, env = world.project(), world.env("web")
    write(env / ".project", str(project))
    link(world.home / ".virtualenvs/alias", "web")
    claim = world.claim(project)
    assert claim is not None
    assert (claim.prefix, claim.confidence) == (os.fsencode(env), "high")


def test_a_project_with_two_paths(world: World) -> None:
    """The word counts for every path to the project, since shells keep links in ``$PWD``."""
    project, env = world.project(), world.env("web")
    write(env / ".project", str(project))
    link(world.home / "short", str(project))
    claim = world.claim(world.home / "short")
    assert claim is not None
    assert claim.root == os.fsencode(world.home / "short")


def test_a_moved_project_is_not_named(world: World) -> None:
    """A word about a path where the project no longer is says nothing about where it is now."""
    project, env = world.project(), world.env("web")
    write(env / ".project", str(project))
    table = world.table()
    assert world.claim(project, table) is not None
    project.rename(world.home / "code/q")
    assert world.claim(world.home / "code/q", table) is None


def test_below_the_project(world: World) -> None:
    """An environment inside the project is never linked, by whichever path: a repository can bring it along."""
    project = world.project("p", "pyproject.toml")
    env = world.field.venv(project / ".virtualenvs" / "planted")
    write(env / ".project", str(project))
    world.shelf.places = (b"code/p/.virtualenvs",)
    assert world.claim(project) is None
    assert world.steps[0].reason == "the environment lies in the project"
    link(world.home / "pool", str(project / ".virtualenvs"))
    world.shelf.places = (b"pool",)
    assert world.claim(project) is None


def test_a_link_out_of_the_pool(world: World) -> None:
    """What a link in the pool leads to elsewhere is a repository's files, not the pool's."""
    project = world.project("p")
    env = world.field.venv(world.home / "other" / ".venv")
    write(env / ".project", str(project))
    link(world.home / ".virtualenvs/other", str(env))
    assert world.claim(project) is None


def test_environments_outside_pools_do_not_count(world: World) -> None:
    """Another project's own environment that names this one is not believed, however often it was asked about."""
    project = world.project("p", "pyproject.toml")
    env = world.field.venv(world.project("hostile") / ".venv")
    write(env / ".project", str(project))
    editable(env, project)
    index = world.index()
    assert index.resolve(os.fsencode(env.parent), {}).condition == "found"
    assert index.resolve(os.fsencode(project), {}).condition == "none"


def test_the_root_directory_is_no_project(world: World) -> None:
    """An environment that names ``/`` would be everybody's."""
    write(world.env("web") / ".project", "/")
    assert world.claim(Path("/")) is None


@pytest.mark.parametrize("where", ["", ".project"])
def test_environments_of_others(world: World, where: str) -> None:
    """Neither somebody else's environment nor somebody else's file in ours is believed."""
    project, env = world.project(), world.env("web")
    write(env / ".project", str(project))
    world.field.owners[os.fsencode(env / where)] = os.getuid() + 1
    assert world.claim(project) is None


@pytest.mark.parametrize("where", ["..", ".", ".project"])
def test_what_others_may_write(world: World, where: str) -> None:
    """A pool, an environment or a file that everybody may write proves nothing."""
    project, env = world.project(), world.env("web")
    write(env / ".project", str(project))
    assert world.claim(project) is not None
    os.chmod(env / where, 0o777)
    assert world.claim(project) is None


@pytest.mark.parametrize("change", ["pool", "removed", "rewritten", "contents"])
def test_changes_are_seen(world: World, change: str) -> None:
    """A kept table gives the word of the environments as they are now."""
    project, env = world.project("p", "pyproject.toml"), world.env("web")
    table = world.table()
    if change in {"removed", "rewritten"}:
        write(env / ".project", str(project))
    before = world.claim(project, table)
    if change == "pool":
        write(world.env("new") / ".project", str(project))
    elif change == "removed":
        env.rename(world.home / "gone")
    elif change == "rewritten":
        write(env / ".project", str(world.home))
    else:
        editable(env, project)
        while table.advance(10**9):
            continue
        table.pools.views[-1].round = -ROUND_SECONDS * 2
        while table.advance(10**9):
            continue
    after = world.claim(project, table)
    assert (before is None, after is None) == ((True, False) if change in {"pool", "contents"} else (False, True))


def test_nothing_is_read_twice(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Pools that look as before are not listed again, nor are environments read again."""
    project = world.project()
    for number in range(5):
        world.env(f"e{number}")
    table, read = world.table(), []
    real = table._read
    monkeypatch.setattr(table, "_read", lambda prefix, *rest: (read.append(prefix), real(prefix, *rest)))
    for _ in range(3):
        assert world.claim(project, table) is None
    assert (world.shelf.listings, len(read)) == (1, 5)
    write(world.env("e5") / ".project", str(project))
    assert world.claim(project, table) is not None
    assert (world.shelf.listings, len(read)) == (2, 6)


def test_a_question_has_a_budget(world: World) -> None:
    """A question reads no longer than it may; what is left is read in between, and the generation tells."""
    project = world.project()
    for number in range(40):
        write(world.env(f"e{number:02d}") / ".project", str(project if number == 39 else world.home))
    table = world.table(Ticking())
    disk = world.field.disk()
    facts = Facts(disk, {}, os.fsencode(world.home), os.fsencode(project), Documents(disk))
    assert table.question(2_000_000).of(os.fsencode(project), facts) == ()
    early, turns = table.generation, 0
    while table.advance(3_000_000):
        turns += 1
    assert turns > 5
    assert table.generation > early
    assert [found.prefix for found in table.question(0).of(os.fsencode(project), facts)] == [
        os.fsencode(world.home / ".virtualenvs/e39")
    ]
    assert not table.advance(3_000_000)


def test_an_idle_daemon_does_nothing(world: World) -> None:
    """Everything is looked at again once a minute, and only when somebody asked since."""
    clock = Ticking(step=0.0)
    table = world.table(clock)
    project, env = world.project("p", "pyproject.toml"), world.env("web")
    assert world.claim(project, table) is None
    editable(env, project)
    generation = table.generation
    for seconds, expected in ((1.0, generation), (ROUND_SECONDS, generation + 1)):
        clock.monotonic_seconds += seconds
        while table.advance(10**9):
            continue
        assert table.generation == expected
    looked = table.pools.views[-1].round
    clock.monotonic_seconds += ROUND_SECONDS * 2
    assert not table.advance(10**9)
    assert table.pools.views[-1].round == looked


def test_variables_choose_the_pools(world: World) -> None:
    """Each set of override variables has its own pools; what lies in another one's does not count."""
    project = world.project()
    env = world.field.venv(world.home / "elsewhere" / "web")
    write(env / ".project", str(project))
    index, chosen = world.index(), {"WORKON_HOME": os.fsencode(world.home / "elsewhere")}
    assert index.resolve(os.fsencode(project), {}).condition == "none"
    assert index.resolve(os.fsencode(project), chosen).linked
    assert index.resolve(os.fsencode(project), {}).condition == "none"


def witness(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have the resolver witness the pools, where it does not do so by itself."""
    real = resolver._choose

    def choose(level: bytes, facts: Facts) -> object:
        choice = real(level, facts)
        if facts.links is not None and (choice is None or choice.claim.rank >= BACK_LINK):
            facts.links.witness(facts)  # type: ignore[attr-defined]
        return choice

    monkeypatch.setattr(resolver, "_choose", choose)


def test_answers_without_one_are_fresh(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """An environment that appears in a pool changes the kept answer of the project it names, without any event."""
    witness(monkeypatch)
    project, index = world.project("p", "pyproject.toml"), world.index()
    first = index.resolve(os.fsencode(project), {})
    assert first.condition == "none"
    assert index.resolve(os.fsencode(project), {}) is first
    write(world.env("web") / ".project", str(project))
    second = index.resolve(os.fsencode(project), {})
    assert (second.condition, second.rule, second.linked) == ("found", "back-link", True)
    assert index.resolve(os.fsencode(project), {}) is second
    write(world.home / ".virtualenvs/web/.project", str(world.home))
    assert index.resolve(os.fsencode(project), {}).condition == "none"


def test_what_is_found_later_changes_answers(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """An answer given before every environment was read is given anew once the rest was."""
    witness(monkeypatch)
    project = world.project("p", "pyproject.toml")
    for number in range(10):
        world.env(f"e{number}")
    write(world.home / ".virtualenvs/e9/.project", str(project))
    clock = Ticking()
    index = Index(clock, os.getuid(), os.fsencode(world.home), links_budget_ns=0)
    assert index.resolve(os.fsencode(project), {}).condition == "none"
    generation = index.generation
    while index.advance(1_000_000):
        continue
    assert index.generation > generation
    assert index.resolve(os.fsencode(project), {}).rule == "back-link"


def test_stronger_answers_know_their_alternatives(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """An environment that appears in a pool and names a project is an alternative; shells need not wait for that."""
    witness(monkeypatch)
    project, index = world.project("p", "pyproject.toml"), world.index()
    world.field.venv(project / ".venv")
    write(world.field.venv(world.home / "made" / "web") / ".project", str(project))
    world.field.venv(world.home / "made" / "other")
    (world.home / ".virtualenvs").mkdir()
    first = index.resolve(os.fsencode(project), {})
    (world.home / "made/other").rename(world.home / ".virtualenvs/other")
    assert index.resolve(os.fsencode(project), {}) is first
    (world.home / "made/web").rename(world.home / ".virtualenvs/web")
    assert index.resolve(os.fsencode(project), {}, hurried=True) is first
    second = index.resolve(os.fsencode(project), {})
    assert second.environment == first.environment
    assert [one.rule for one in second.alternatives] == ["back-link"]


def test_ranks(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A back-link comes after the project's own prefixes and before an environment that only would be made."""
    project, env = world.project("p", "pyproject.toml"), world.env("web")
    write(env / ".project", str(project))

    class Owner(Shelf):
        rank = MISSING

        def claim(self, level: bytes, facts: Facts) -> Claim | None:
            return Claim("owner", self.rank, "high", None, level) if level == os.fsencode(project) else None

    owner = Owner(name="owner")
    monkeypatch.setattr(resolver, "SYSTEMS", (owner, *resolver.SYSTEMS))
    assert _resolve(world, project).rule == "back-link"
    assert _resolve(world, project / "sub").rule == "back-link"
    owner.rank = POINTER
    assert _resolve(world, project).rule == "owner"
    world.field.venv(project / ".venv")
    owner.rank = MISSING
    assert _resolve(world, project).rule == "venv-directory"


def test_why_sees_what_was_just_installed(world: World) -> None:
    """A trail looks at every environment again, for the one who reads it wonders about just that."""
    project, env, index = world.project("p", "pyproject.toml"), world.env("web"), world.index()
    assert index.resolve(os.fsencode(project), {}).condition == "none"
    editable(env, project)
    trail = index.resolve(os.fsencode(project), {}, trail=True)
    assert trail.rule == "back-link"
    assert [step.outcome for step in trail.trail if step.rule == "back-link"] == ["hit"]


def test_large_pools(world: World) -> None:
    """A pool is listed to its end, though a project's folder would be too large to list."""
    pool = world.home / ".virtualenvs"
    for number in range(1100):
        write(pool / f"e{number:04d}-with-a-name-as-long-as-those-that-tools-give" / "pyvenv.cfg", "home = /usr/bin\n")
    assert pool.stat().st_size > 16 * 1024
    table = world.table()
    world.claim(world.project(), table)
    assert len(table.pools.views[-1].owners) == 1100


def test_an_environment_in_the_making(world: World) -> None:
    """A folder that becomes an environment later is found, though the pool itself looks as before."""
    project, table = world.project(), world.table()
    folder = world.home / ".virtualenvs" / "slow"
    write(folder / ".project", str(project))
    assert world.claim(project, table) is None
    write(folder / "pyvenv.cfg", "home = /usr/bin\n")
    assert world.claim(project, table) is not None


def _resolve(world: World, directory: Path) -> Resolution:
    directory.mkdir(exist_ok=True)
    return world.field.resolve(directory)


def test_what_another_set_of_variables_made_known(world: World) -> None:
    """An answer given before the pools were listed for these variables is given anew, also when nothing was unread."""
    project = world.project("p", "pyproject.toml")
    write(world.env("web") / ".project", str(project))
    index = Index(Ticking(), os.getuid(), os.fsencode(world.home), links_budget_ns=0)
    for chosen in ({}, {"PIXI_HOME": b"/elsewhere"}):
        assert index.resolve(os.fsencode(project), chosen).condition == "none"
        generation = index.generation
        while index.advance(1_000_000):
            continue
        assert index.generation > generation
        assert index.resolve(os.fsencode(project), chosen).rule == "back-link"


def test_a_registered_environment_in_a_repository_names_nobody_else(field: Playfield) -> None:
    """What only conda's ``environments.txt`` lists may have come with a repository: its word is not believed."""
    project = field.home / "app"
    write(project / "pyproject.toml", "[project]\nname = 'app'\n")
    planted = conda_prefix(field.home / "clone/env", user=field.home)
    write(planted / ".project", f"{project}\n")
    answer = field.resolve(project)
    assert (answer.condition, answer.linked) == ("none", False)
    own = conda_prefix(field.home / ".conda/envs/own", user=field.home)
    write(own / ".project", f"{project}\n")
    assert field.resolve(project).linked
