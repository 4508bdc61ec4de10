"""Pipenv's choice of an environment and its command line, without running it."""

from __future__ import annotations

import os

import pytest

from alight.landing.pipenv import Pipenv
from alight.systems.pipenv import hashed_name
from support.playfield import Playfield, write
from support.projectland import ProjectLand, activate
from support.uvland import where


@pytest.fixture
def land(field: Playfield) -> ProjectLand:
    land = ProjectLand(field, "pipenv")
    land.manifest("[packages]\n", "Pipfile")
    return land


def hashed(land: ProjectLand) -> str:
    pipfile = os.path.join(os.path.realpath(land.project), "Pipfile")
    return str(land.home / ".local/share/virtualenvs" / os.fsdecode(hashed_name(os.fsencode(pipfile))))


def test_the_active_environment_comes_first(land: ProjectLand) -> None:
    """VIRTUAL_ENV is taken unless Pipenv runs inside its own or is told to ignore it; CONDA_PREFIX is not looked at."""
    active, own = activate(land.venv("a")), activate(land.venv("code/app/.venv"))
    line, pipenv = "pipenv install x", Pipenv()
    assert where(land.said(pipenv, line, VIRTUAL_ENV=active)) == str(active)
    for name in ("PIPENV_ACTIVE", "PIPENV_IGNORE_VIRTUALENVS"):
        assert where(land.said(pipenv, line, VIRTUAL_ENV=active, **{name: "1"})) == str(own)
    assert where(land.said(pipenv, line, CONDA_PREFIX=active)) == str(own)


def test_where_the_environment_will_be(land: ProjectLand) -> None:
    """The pool by the Pipfile's hash, WORKON_HOME, a name of its own, .venv by variable or Pipfile, a .venv file."""
    pipenv, line = Pipenv(), "pipenv install x"
    assert where(land.said(pipenv, line)) == hashed(land)
    assert land.said(pipenv, line).creates
    assert where(land.said(pipenv, line, WORKON_HOME=land.home / "w", PIPENV_CUSTOM_VENV_NAME="n")) == str(
        land.home / "w/n"
    )
    assert where(land.said(pipenv, line, PIPENV_VENV_IN_PROJECT="1")) == str(land.project / ".venv")
    land.manifest("[pipenv]\nvenv_in_project = true\n", "Pipfile")
    assert where(land.said(pipenv, line)) == str(land.project / ".venv")
    write(land.project / ".venv", "named\n")
    assert where(land.said(pipenv, line)) == str(land.home / ".local/share/virtualenvs/named")


@pytest.mark.parametrize(
    ("line", "outcome", "reason"),
    [
        ("pipenv lock", "nothing", "no-landing"),
        ("pipenv upgrade x", "nothing", "no-landing"),
        ("pipenv update --dry-run", "nothing", "no-landing"),
        ("pipenv sync", "stops", "no-project"),
        ("pipenv install --system x", "stops", "bad-options"),
        ("pipenv install -v -q x", "stops", "bad-options"),
        ("pipenv uninstall", "stops", "bad-options"),
        ("pipenv uninstall x", "lands", "project-environment"),
        ("pipenv install --no-such x", "unknown", "unknown-settings"),
    ],
)
def test_commands(land: ProjectLand, line: str, outcome: str, reason: str) -> None:
    """What only locks does not land, and what Pipenv refuses stops."""
    activate(land.venv("code/app/.venv"))
    found = land.said(Pipenv(), line)
    assert (found.outcome, found.reason) == (outcome, reason)


@pytest.mark.parametrize("variable", ["PIP_TARGET", "PIP_PREFIX", "PIP_PYTHON"])
def test_variables_of_pip_that_reach_through(land: ProjectLand, variable: str) -> None:
    """Pipenv starts pip with the caller's variables: nothing is said where one of them moves the landing."""
    activate(land.venv("code/app/.venv"))
    assert land.said(Pipenv(), "pipenv install x", **{variable: "/t"}).outcome == "unknown"


def test_a_file_of_variables_is_not_guessed(land: ProjectLand) -> None:
    """A .env that sets what Pipenv listens to makes the answer unknown; another does not, nor one that is not read."""
    activate(land.venv("code/app/.venv"))
    write(land.project / ".env", "SECRET=1\n")
    assert land.said(Pipenv(), "pipenv install x").outcome == "lands"
    write(land.project / ".env", "WORKON_HOME=/w\n")
    assert land.said(Pipenv(), "pipenv install x").outcome == "unknown"
    assert land.said(Pipenv(), "pipenv install x", PIPENV_DONT_LOAD_ENV="1").outcome == "lands"


@pytest.mark.parametrize("line", ["pipenv", "pipenv --venv", "pipenv graph", "pipenv install --help", "pipenv run pip"])
def test_nothing_of_interest(land: ProjectLand, line: str) -> None:
    """Commands that only show, or start something, are not predicted."""
    assert land.answer(Pipenv(), line) is None
