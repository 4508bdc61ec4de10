"""Answers in memory: as long as they hold, no longer, and not without bound."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import pytest

from alight import index as module
from alight import resolver
from alight.files.disk import Disk
from alight.index import Index
from alight.model import Environment, Resolution
from alight.systems import SYSTEMS
from alight.systems.base import Facts, Links
from support.playfield import Playfield, link, write
from support.shelf import Shelf


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """The directories for which the disk was really asked."""
    directories: list[bytes] = []

    def resolve(
        directory: bytes,
        overrides: Mapping[str, bytes],
        disk: Disk,
        home: bytes,
        *,
        links: Links | None = None,
        trail: bool = False,
    ) -> Resolution:
        directories.append(directory)
        return resolver.resolve(directory, overrides, disk, home, links=links, trail=trail)

    monkeypatch.setattr(module, "resolve", resolve)
    return directories


@pytest.fixture
def index(field: Playfield) -> Index:
    return Index(field.clock, os.getuid(), os.fsencode(field.home))


def test_an_answer_is_kept_while_it_holds(field: Playfield, index: Index, asked: list[bytes]) -> None:
    """The second question costs a few stats; a change of what decided the answer asks again."""
    project = field.home / "p"
    field.venv(project / ".venv")
    directory = os.fsencode(project)
    first = index.resolve(directory, {})
    assert index.resolve(directory, {}) is first
    assert asked == [directory]
    (project / ".venv" / "pyvenv.cfg").unlink()
    assert index.resolve(directory, {}).condition == "broken"
    assert len(asked) == 2


@pytest.mark.parametrize("event", ["created", "removed", "python", "lock", "above"])
def test_what_changes_an_answer_is_seen(field: Playfield, index: Index, event: str) -> None:
    """Environments, interpreters and markers that come and go change the next answer, without any event."""
    project = field.home / "code" / "p"
    write(project / "notes.txt")
    if event in {"removed", "python"}:
        field.venv(project / ".venv")
    before = index.resolve(os.fsencode(project), {})
    if event == "created":
        field.venv(project / "venv")
    elif event == "removed":
        os.rename(project / ".venv", field.home / "gone")
    elif event == "python":
        os.rename(field.home / ".pyenv", field.home / "gone")
    elif event == "lock":
        write(project / "uv.lock")
    else:
        field.venv(project.parent / ".venv")
    assert index.resolve(os.fsencode(project), {}).condition != before.condition


def test_overrides_are_part_of_the_question(field: Playfield, index: Index, asked: list[bytes]) -> None:
    """Each set of override variables has its own answer; session variables have none."""
    write(field.home / "p" / "uv.lock")
    directory = os.fsencode(field.home / "p")
    index.resolve(directory, {})
    index.resolve(directory, {"UV_PROJECT_ENVIRONMENT": b"env"})
    index.resolve(directory, {"VIRTUAL_ENV": b"/x", "PATH": b"/bin"})
    assert len(asked) == 2


def test_the_shells_home_ends_the_walk(field: Playfield, index: Index) -> None:
    """A shell with another HOME is answered with that one."""
    field.venv(field.home / ".venv")
    directory = os.fsencode(field.home / "p")
    os.mkdir(directory)
    assert index.resolve(directory, {}).condition == "none"
    assert index.resolve(directory, {"HOME": b"/elsewhere"}).condition == "found"


def test_a_trail_is_always_fresh(field: Playfield, index: Index, asked: list[bytes]) -> None:
    """``why`` looks again and leaves the kept answer alone."""
    directory = os.fsencode(field.home)
    index.resolve(directory, {})
    assert index.resolve(directory, {}, trail=True).trail
    assert not index.resolve(directory, {}).trail
    assert len(asked) == 2


def test_the_number_of_answers_is_bounded(
    field: Playfield, index: Index, asked: list[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The answer not asked for the longest goes first."""
    monkeypatch.setattr(module, "ANSWERS_LIMIT", 2)
    directories = [os.fsencode(write(field.home / name / "file").parent) for name in "abc"]
    for directory in (*directories[:2], directories[0], directories[2], directories[0]):
        index.resolve(directory, {})
    assert asked == directories


def test_forget(field: Playfield, index: Index, asked: list[bytes]) -> None:
    """Everything about or decided by a subtree is asked again; a sibling with the same beginning is not."""
    for name in ("p", "p2"):
        field.venv(field.home / name / ".venv")
    one, other = os.fsencode(field.home / "p"), os.fsencode(field.home / "p2")
    index.resolve(one, {})
    index.resolve(other, {})
    index.forget(one)
    index.resolve(one, {})
    index.resolve(other, {})
    assert asked == [one, other, one]


@pytest.fixture
def shelf(monkeypatch: pytest.MonkeyPatch) -> Shelf:
    """``~/.virtualenvs`` and ``~/pool`` are the pools; the index is made after it."""
    shelf = Shelf((b".virtualenvs", b"pool"), "poetry")
    systems = (shelf, SYSTEMS[-1])
    monkeypatch.setattr(module, "SYSTEMS", systems)
    monkeypatch.setattr(resolver, "SYSTEMS", systems)
    return shelf


def test_environments_known_and_pooled(field: Playfield, shelf: Shelf, index: Index) -> None:
    """Those met so far and still there, and those in the pools, each once."""
    met = field.venv(field.home / "p" / ".venv")
    pooled = field.venv(field.home / ".virtualenvs" / "web")
    index.resolve(os.fsencode(field.home / "p"), {})
    assert [one.prefix for one in index.environments()] == [os.fsencode(pooled), os.fsencode(met)]
    os.rename(met, field.home / "gone")
    assert [one.prefix for one in index.environments()] == [os.fsencode(pooled)]
    link(field.home / "p" / ".venv", "nowhere")
    index.resolve(os.fsencode(field.home / "p"), {})
    assert [one.broken for one in index.environments()] == [False, True]


def test_the_owner_of_a_pool_is_named(field: Playfield, shelf: Shelf, index: Index) -> None:
    """An environment in a tool's pool is the tool's, whoever made it; one met in a project stays what it is there."""
    field.venv(field.home / ".virtualenvs" / "web", lines="virtualenv = 20.26.3\n")
    field.venv(field.home / "p" / ".venv", lines="uv = 0.4.2\n")
    index.resolve(os.fsencode(field.home / "p"), {})
    assert [one.system for one in index.environments()] == ["poetry", "uv"]
    assert [one.system for one in index.environments()] == ["poetry", "uv"]


def test_an_environment_with_two_paths_is_listed_once(field: Playfield, shelf: Shelf, index: Index) -> None:
    """By the path without links, whether the other one is in a pool (pyenv's), in a project, or through a folder."""
    real = field.venv(field.home / "pool" / "web")
    link(field.home / ".virtualenvs" / "web", "../pool/web")
    link(field.home / "p" / ".venv", "../pool/web")
    link(field.home / "q", "p")
    index.resolve(os.fsencode(field.home / "p"), {})
    index.resolve(os.fsencode(field.home / "q"), {})
    assert [one.prefix for one in index.environments()] == [os.fsencode(real)]


@pytest.mark.parametrize("change", ["python", "config", "packages", "interpreter", "half-made"])
def test_a_listed_environment_is_what_it_is_now(
    field: Playfield, shelf: Shelf, index: Index, change: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Few looks are enough to see that an environment has to be read again, and that it need not be."""
    env = field.venv(field.home / "pool" / "web")
    read: list[bytes] = []

    def counting(prefix: bytes, facts: Facts, *, owner: str) -> Environment:
        read.append(prefix)
        return resolver.describe(prefix, facts, owner=owner)

    monkeypatch.setattr(module, "describe", counting)
    if change == "half-made":
        os.rename(env / "lib", field.home / "lib")
        assert index.environments()[0].health
        index.environments()
        os.rename(field.home / "lib", env / "lib")
        assert not index.environments()[0].health
        return
    (before,) = index.environments()
    assert index.environments()[0] == before
    assert read == [os.fsencode(env)]
    if change == "python":
        (env / "bin/python").unlink()
    elif change == "config":
        (env / "pyvenv.cfg").write_text((env / "pyvenv.cfg").read_text() + "prompt = shop\n")
    elif change == "packages":
        write(env / "lib/python3.11/site-packages/six-1.16.0.dist-info/METADATA")
        index.environments()
        assert read == [os.fsencode(env)] * 2
        return
    else:
        os.rename(field.home / ".pyenv", field.home / "gone")
    assert index.environments()[0] != before


def test_pages(field: Playfield, shelf: Shelf) -> None:
    """A page is as long as the clock allows; all pages together are everything, in order, each once."""
    names = [f"e{number:02d}" for number in range(30)]
    for name in reversed(names):
        field.venv(field.home / "pool" / name)

    class Ticking(type(field.clock)):  # type: ignore[misc]
        seconds = 0.0

        def monotonic(self) -> float:
            self.seconds += 0.001
            return self.seconds

    index = Index(Ticking(), os.getuid(), os.fsencode(field.home))
    pages = [index.page({}, b"", 4_000_000)]
    while pages[-1].more:
        assert len(pages) < 100
        found = [one.prefix for page in pages for one in page.environments]
        pages.append(index.page({}, found[-1] if found else b"", 4_000_000))
    found = [one.prefix for page in pages for one in page.environments]
    assert found == [os.fsencode(field.home / "pool" / name) for name in names]
    assert not pages[0].environments
    assert pages[0].total == 0
    assert {page.total for page in pages if page.environments} == {30}
    assert max(len(page.environments) for page in pages) < 10


def test_a_page_after_an_unknown_prefix(field: Playfield, shelf: Shelf, index: Index) -> None:
    """A daemon that was restarted between two pages, or an environment that went away, ends no listing."""
    for name in ("a", "c"):
        field.venv(field.home / "pool" / name)
    page = index.page({}, os.fsencode(field.home / "pool" / "b"), None)
    assert [one.prefix for one in page.environments] == [os.fsencode(field.home / "pool" / "c")]
    assert not page.more


def test_a_listing_begins_anew(field: Playfield, shelf: Shelf, index: Index) -> None:
    """Without ``after`` the pools are looked at again."""
    field.venv(field.home / "pool" / "a")
    assert index.page({}, b"", None).total == 1
    field.venv(field.home / "pool" / "b")
    assert index.page({}, b"", None).total == 2


def test_interpreters(field: Playfield, index: Index) -> None:
    """The base Pythons of this home are listed, and one that comes later, too."""
    field.base("3.11.7")
    home = os.fsencode(field.home)

    def versions() -> list[str]:
        return [one.python_version for one in index.interpreters() if one.prefix.startswith(home)]

    assert versions() == ["3.11.7"]
    field.base("3.12.1")
    assert versions() == ["3.11.7", "3.12.1"]


def test_what_to_watch(field: Playfield, index: Index) -> None:
    """Project, environment, site-packages, where interpreters are, levels below; where a missing one would appear."""
    env = field.venv(field.home / "p" / ".venv")
    (field.home / "p" / "sub").mkdir()
    found = index.resolve(os.fsencode(field.home / "p" / "sub"), {})
    watched = index.watch_paths(found)
    assert found.environment is not None
    assert found.environment.base is not None
    base = Path(os.fsdecode(found.environment.base))
    paths = (env.parent, env, env / "lib/python3.11/site-packages", env / "bin", base / "bin", env.parent / "sub")
    assert watched == tuple(os.fsencode(path) for path in paths)
    write(field.home / "q" / "uv.lock")
    overrides = {"UV_PROJECT_ENVIRONMENT": os.fsencode(field.home / "envs" / "q")}
    watched = index.watch_paths(index.resolve(os.fsencode(field.home / "q"), overrides))
    assert watched == tuple(
        os.fsencode(path) for path in (field.home / "q", field.home / "q/.venv", field.home / "envs")
    )
    (field.home / "bare").mkdir()
    watched = index.watch_paths(index.resolve(os.fsencode(field.home / "bare"), {}))
    assert watched == tuple(os.fsencode(path) for path in (field.home / "bare", field.home / "bare/.venv"))
