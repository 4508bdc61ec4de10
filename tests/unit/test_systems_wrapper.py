"""Environments known by name: the pools, their projects, and what a mere name proves."""

from __future__ import annotations

import base64
import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from alight.files.documents import Documents
from alight.systems import SYSTEMS
from alight.systems.base import Facts
from alight.systems.pipx import Pipx
from alight.systems.wrapper import Wrapper, named, project_of
from support.playfield import Playfield, write

POOLS = {
    "WORKON_HOME": "chosen",
    "VIRTUALFISH_HOME": "fish",
    "~/.virtualenvs": ".virtualenvs",
    "~/Envs": "Envs",
    "data": ".local/share/virtualenvs",
}


@pytest.fixture(autouse=True)
def registered(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """These tests ask this system before all others but once, whatever the usual order is."""
    systems = (Wrapper(), *(system for system in SYSTEMS if not isinstance(system, Wrapper)))
    monkeypatch.setattr("alight.resolver.SYSTEMS", systems)
    return iter(())


def facts_of(field: Playfield, overrides: dict[str, bytes] | None = None) -> Facts:
    disk = field.disk()
    return Facts(disk, overrides or {}, os.fsencode(field.home), b"/", Documents(disk))


def chosen(field: Playfield) -> dict[str, bytes]:
    return {name: os.fsencode(field.home / POOLS[name]) for name in ("WORKON_HOME", "VIRTUALFISH_HOME")}


@pytest.mark.parametrize("pool", POOLS.values())
def test_every_pool(field: Playfield, pool: str) -> None:
    """An environment of each pool is listed, and found by its name from a .venv file."""
    env = field.venv(field.home / pool / "web")
    write(field.home / pool / "notes.txt")
    (field.home / pool / "empty").mkdir()
    facts = facts_of(field, chosen(field))
    assert list(Wrapper().list(facts)) == [os.fsencode(env)]
    assert Wrapper().pools(facts) == tuple(os.fsencode(field.home / directory) for directory in POOLS.values())
    write(field.home / "p" / ".venv", "web\n")
    answer = field.resolve(field.home / "p", chosen(field))
    assert (answer.rule, answer.condition) == ("venv-pointer-file", "found")
    assert answer.environment is not None
    assert answer.environment.prefix == os.fsencode(env)


def test_the_shells_pool_comes_first(field: Playfield) -> None:
    """Of two environments of one name, $WORKON_HOME's is meant."""
    expected = field.venv(field.home / "chosen" / "web")
    field.venv(field.home / ".virtualenvs" / "web")
    assert named(b"web", facts_of(field, chosen(field))) == os.fsencode(expected)


@pytest.mark.parametrize("name", [b"", b".", b"..", b"a/b", b"/", b"x\0", b"n" * 300, b"absent"])
def test_what_is_no_name(field: Playfield, name: bytes) -> None:
    """Paths, dots, NULs and names of nothing lead nowhere."""
    field.venv(field.home / ".virtualenvs")
    assert named(name, facts_of(field)) is None


@pytest.mark.parametrize(
    ("content", "project"),
    [
        ("/code/web\n", b"/code/web"),
        ("/code/web", b"/code/web"),
        ("/code/web\r\n", b"/code/web"),
        ("/code//web/./\n", b"/code/web"),
        ("/code/my web \n", b"/code/my web "),
        ("code/web\n", None),
        ("", None),
        ("/code\n/web\n", None),
        ("/co\0de", None),
        ("/" + "x" * 5000, None),
    ],
)
def test_project_files(field: Playfield, content: str, project: bytes | None) -> None:
    """.project holds one absolute path, its line ended or not; everything else names no project."""
    env = field.venv(field.home / ".virtualenvs" / "web")
    assert project_of(os.fsencode(env), facts_of(field)) is None
    write(env / ".project", content)
    assert project_of(os.fsencode(env), facts_of(field)) == project


def test_whose_it_is(field: Playfield) -> None:
    """With a .project it is virtualenvwrapper's or virtualfish's; without one, and with Pipenv's hash, it is not."""
    project = field.home / "p"
    digest = base64.urlsafe_b64encode(hashlib.sha256(os.fsencode(project / "Pipfile")).digest()[:6]).decode()
    facts = facts_of(field, chosen(field))
    found = {}
    for place in ("chosen/web", "fish/web", "chosen/plain", f"chosen/p-{digest}", "chosen/my-frontend", "other/web"):
        env = field.venv(field.home / place)
        if "plain" not in place:
            write(env / ".project", f"{project}\n")
        described = Wrapper().describe(os.fsencode(env), facts)
        found[place] = None if described is None else described.system
    assert found == {
        "chosen/web": "virtualenvwrapper",
        "fish/web": "virtualfish",
        "chosen/plain": None,
        f"chosen/p-{digest}": None,
        "chosen/my-frontend": "virtualenvwrapper",
        "other/web": None,
    }


def same_name(field: Playfield, directory: Path) -> list[tuple[str, bytes]]:
    answer = field.resolve(directory)
    return [(alternative.rule, alternative.environment.prefix) for alternative in answer.alternatives]


def test_the_same_name_is_only_a_guess(field: Playfield) -> None:
    """An environment called as the project's directory is an alternative and never the answer."""
    env = field.venv(field.home / ".virtualenvs" / "web")
    write(field.home / "web" / "setup.py")
    (field.home / "web" / "docs").mkdir()
    for directory in (field.home / "web", field.home / "web" / "docs"):
        assert field.resolve(directory).environment is None
        assert same_name(field, directory) == [("same-name", os.fsencode(env))]


def test_where_the_same_name_is_no_guess(field: Playfield) -> None:
    """Not without a project's marker, not above another project, and not when it says itself whose it is."""
    env = field.venv(field.home / ".virtualenvs" / "web")
    bare = field.home / "a" / "web"
    bare.mkdir(parents=True)
    assert same_name(field, bare) == []
    write(field.home / "web" / "setup.py")
    write(field.home / "web" / "inner" / "setup.py")
    assert same_name(field, field.home / "web" / "inner") == []
    for project in ("elsewhere", "web"):
        write(env / ".project", f"{field.home}/{project}\n")
        assert same_name(field, field.home / "web") == []


@pytest.mark.parametrize("pool", [".local/share/pipx/venvs", ".local/pipx/venvs"])
def test_pipx_applications_are_listed(field: Playfield, pool: str) -> None:
    """An application's environment is pipx's, and no project's even when it is called as the project."""
    env = field.venv(field.home / pool / "black")
    facts = facts_of(field)
    assert list(Pipx().list(facts)) == [os.fsencode(env)]
    described = Pipx().describe(os.fsencode(env), facts)
    assert described is not None
    assert described.system == "pipx"
    assert Pipx().describe(os.fsencode(field.venv(field.home / "black" / ".venv")), facts) is None
    assert Pipx().claim(os.fsencode(field.home / "black"), facts) is None
