"""Poetry's choice of an environment and its command line, without running it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from alight.landing.poetry import Poetry
from alight.landing.poetryplace import allows
from alight.systems.poetry import base_name
from support.playfield import Playfield, write
from support.projectland import ProjectLand
from support.uvland import where

MANIFEST = '[project]\nname = "app"\nversion = "1"\nrequires-python = ">=3.8"\n'
OWN = {"POETRY_VIRTUALENVS_USE_POETRY_PYTHON": "true"}


@pytest.fixture
def land(field: Playfield) -> ProjectLand:
    land = ProjectLand(field, "poetry")
    land.manifest(MANIFEST)
    return land


def pooled(land: ProjectLand, minor: str = "3.11") -> Path:
    name = os.fsdecode(base_name("app", os.fsencode(os.path.realpath(land.project))))
    return land.home / ".cache/pypoetry/virtualenvs" / f"{name}-py{minor}"


def test_the_active_environment_comes_first(land: ProjectLand) -> None:
    """VIRTUAL_ENV beats .venv, then CONDA_PREFIX; an empty VIRTUAL_ENV hides CONDA_PREFIX; conda's base hides both."""
    active, own, other = land.venv("a"), land.venv("code/app/.venv"), land.venv("b")
    line, poetry = "poetry add x", Poetry()
    assert where(land.said(poetry, line, VIRTUAL_ENV=active)) == str(active)
    assert land.said(poetry, line, VIRTUAL_ENV=active).reason == "active-over-project"
    assert where(land.said(poetry, line, CONDA_PREFIX=other)) == str(other)
    assert where(land.said(poetry, line, VIRTUAL_ENV="", CONDA_PREFIX=other)) == str(own)
    assert where(land.said(poetry, line, VIRTUAL_ENV=active, CONDA_DEFAULT_ENV="base")) == str(own)


def test_an_entry_beats_the_active_environment(land: ProjectLand) -> None:
    """What `poetry env use` wrote into envs.toml comes before VIRTUAL_ENV."""
    active, prefix = land.venv("a"), land.venv("x", where=pooled(land))
    write(prefix.parent / "envs.toml", f'[{prefix.name.removesuffix("-py3.11")}]\nminor = "3.11"\npatch = "3.11.7"\n')
    assert where(land.said(Poetry(), "poetry add x", VIRTUAL_ENV=active)) == str(prefix)


def test_environments_to_be_made(land: ProjectLand) -> None:
    """Without an environment one is made: in the pool, or in the project where that is said."""
    found = land.said(Poetry(), "poetry add x", **OWN)
    assert (where(found), found.creates, found.reason) == (str(pooled(land)), True, "creates-environment")
    assert found.landing is not None
    assert not found.landing.exists
    inside = land.said(Poetry(), "poetry add x", POETRY_VIRTUALENVS_IN_PROJECT="1", **OWN)
    assert where(inside) == str(land.project / ".venv")


def test_a_base_python_is_taken_when_nothing_is_created(land: ProjectLand) -> None:
    """virtualenvs.create = false is the base of the Python that runs Poetry, marked as managed or not."""
    land.manifest("[virtualenvs]\ncreate = false\n", "poetry.toml")
    found = land.said(Poetry(), "poetry install")
    assert found.landing is not None
    assert (found.outcome, found.landing.kind) == ("lands", "base")
    assert land.own != Path(os.fsdecode(found.landing.prefix))


@pytest.mark.parametrize(
    ("line", "outcome", "reason"),
    [
        ("poetry lock", "nothing", "no-landing"),
        ("poetry add --lock x", "nothing", "no-landing"),
        ("poetry install --dry-run", "nothing", "no-landing"),
        ("poetry add", "stops", "bad-options"),
        ("poetry install --only-root --no-root", "stops", "bad-options"),
        ("poetry -C /nowhere add x", "stops", "no-project"),
        ("poetry add --no-such x", "unknown", "unknown-settings"),
        ("poetry self add x", "lands", "isolated-tool"),
        ("poetry self add --dry-run x", "nothing", "no-landing"),
    ],
)
def test_commands(land: ProjectLand, line: str, outcome: str, reason: str) -> None:
    """What locks or pretends does not land, what Poetry refuses stops, and `self` is Poetry's own environment."""
    land.venv("code/app/.venv")
    found = land.said(Poetry(), line)
    assert (found.outcome, found.reason) == (outcome, reason)


@pytest.mark.parametrize("line", ["poetry", "poetry --version", "poetry show", "poetry add --help x", "poetry run pip"])
def test_nothing_of_interest(land: ProjectLand, line: str) -> None:
    """Commands that only show, or start something, are not predicted."""
    land.venv("code/app/.venv")
    assert land.answer(Poetry(), line) is None


def test_locking_still_makes_the_environment(land: ProjectLand) -> None:
    """`poetry lock` installs nothing, but the environment is there afterwards."""
    found = land.said(Poetry(), "poetry lock", **OWN)
    assert (found.action, found.outcome, where(found)) == ("create", "lands", str(pooled(land)))


@pytest.mark.parametrize("text", ["", "[build-system]\nrequires = []\n", '[project]\nname = "app"\n', "no = [toml"])
def test_manifests_that_poetry_refuses(land: ProjectLand, text: str) -> None:
    """No table, no version, no TOML: Poetry stops before it looks for an environment."""
    land.manifest(text)
    assert land.said(Poetry(), "poetry add x").reason == "no-project"


@pytest.mark.parametrize(
    ("constraint", "version", "fits"),
    [("^3.9", "3.11.2", True), ("^3.9 || ^2.7", "2.7.18", True), (">=3.12", "3.11.2", False), (">=3.12", "3.12", None)],
)
def test_constraints(constraint: str, version: str, fits: bool | None) -> None:
    """Poetry's notation; of X.Y alone nothing is said."""
    assert allows((constraint,), version) is fits
