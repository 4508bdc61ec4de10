"""Where Hatch's environments are and what makes them, without running it."""

from __future__ import annotations

import base64
import hashlib
import os
from pathlib import Path

import pytest

from alight.landing.hatch import Hatch
from support.playfield import Playfield, write
from support.projectland import ProjectLand
from support.uvland import where

MANIFEST = """
[project]
name = "My_App"
requires-python = ">=3.8"
[tool.hatch.envs.test]
[tool.hatch.envs.near]
path = "nearby"
[tool.hatch.envs.grid]
[[tool.hatch.envs.grid.matrix]]
v = ["1", "2"]
[tool.hatch.envs.box]
type = "container"
"""


@pytest.fixture
def land(field: Playfield) -> ProjectLand:
    land = ProjectLand(field, "hatch")
    land.manifest(MANIFEST)
    return land


def identity(land: ProjectLand) -> str:
    root = os.fsencode(os.path.realpath(land.project))
    return base64.urlsafe_b64encode(hashlib.sha256(root).digest())[:8].decode()


def stored(land: ProjectLand, name: str, project: str = "my-app") -> Path:
    return land.home / ".local/share/hatch/env/virtual" / project / identity(land) / name


def test_where_environments_are_made(land: ProjectLand) -> None:
    """Storage, project, hash, name; the default is called like the project; an active environment changes nothing."""
    hatch = Hatch()
    found = land.said(hatch, "hatch env create", VIRTUAL_ENV=land.venv("a"))
    assert (where(found), found.action, found.creates) == (str(stored(land, "my-app")), "create", True)
    assert where(land.said(hatch, "hatch env create test")) == str(stored(land, "test"))
    assert where(land.said(hatch, "hatch -e test shell")) == str(stored(land, "test"))
    assert where(land.said(hatch, "hatch env create near")) == str(land.project / "nearby")


def test_other_storages(land: ProjectLand) -> None:
    """HATCH_DATA_DIR, a flat folder in the project or for all, and one path for all by a variable."""
    hatch, line, settings = Hatch(), "hatch env create", land.home / ".config/hatch/config.toml"
    kept = land.home / "kept/env/virtual/my-app" / identity(land) / "my-app"
    assert where(land.said(hatch, line, HATCH_DATA_DIR=land.home / "kept")) == str(kept)
    assert where(land.said(hatch, f"hatch --data-dir {land.home}/kept env create")) == str(kept)
    assert where(land.said(hatch, line, HATCH_ENV_TYPE_VIRTUAL_PATH="/one")) == "/one"
    write(settings, '[dirs.env]\nvirtual = ".hatch"\n')
    assert where(land.said(hatch, line)) == str(land.project / ".hatch/my-app")
    write(settings, '[dirs.env]\nvirtual = "~/.virtualenvs"\n')
    assert where(land.said(hatch, line)) == str(land.home / ".virtualenvs/my-app")


def test_projects_without_a_name(land: ProjectLand) -> None:
    """A manifest without [project] is called by its hash, a folder without a manifest by its own name."""
    land.manifest("[build-system]\nrequires = []\n")
    name = f"{identity(land)}-unmanaged"
    assert where(land.said(Hatch(), "hatch env create")) == str(stored(land, name, name))
    (land.project / "pyproject.toml").unlink()
    assert where(land.said(Hatch(), "hatch env create")) == str(stored(land, "app", "app"))


def test_what_is_there_is_not_made_again(land: ProjectLand) -> None:
    """`env create` leaves an environment alone, and `shell` is of no interest then."""
    stored(land, "my-app").mkdir(parents=True)
    assert land.said(Hatch(), "hatch env create").outcome == "nothing"
    assert land.answer(Hatch(), "hatch shell") is None


@pytest.mark.parametrize(
    ("line", "outcome", "reason"),
    [
        ("hatch env create nowhere", "stops", "no-environment"),
        ("hatch env create grid", "unknown", "unknown-settings"),
        ("hatch env create box", "unknown", "unknown-settings"),
        ("hatch -p other env create", "unknown", "unknown-settings"),
        ("hatch env create a b", "stops", "bad-options"),
    ],
)
def test_what_is_refused_or_not_known(land: ProjectLand, line: str, outcome: str, reason: str) -> None:
    """An environment that is not defined, several at once, a plugin's type, another project."""
    found = land.said(Hatch(), line)
    assert (found.outcome, found.reason) == (outcome, reason)


@pytest.mark.parametrize("line", ["hatch", "hatch --version", "hatch env show", "hatch run pip", "hatch env create -h"])
def test_nothing_of_interest(land: ProjectLand, line: str) -> None:
    """Commands that only show, or start something, are not predicted."""
    assert land.answer(Hatch(), line) is None
