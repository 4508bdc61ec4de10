"""Which environment pixi works on, without it."""

from __future__ import annotations

import pytest

from alight.landing.pixi import Pixi
from support.condashape import pixi_environment, pixi_manifest
from support.playfield import Playfield, write
from support.projectland import ProjectLand
from support.uvland import where


@pytest.fixture
def land(field: Playfield) -> ProjectLand:
    land = ProjectLand(field, "pixi")
    pixi_manifest(land.project, environments=("test",))
    return land


def test_the_workspace_decides(land: ProjectLand) -> None:
    """The nearest manifest upward, whatever is active; --manifest-path before, the shell's variable after."""
    prefix, pixi = pixi_environment(land.project), Pixi()
    below, aside = land.folder("code/app/sub"), land.folder("aside")
    line = "pixi add x"
    assert where(land.said(pixi, line, below, VIRTUAL_ENV=land.venv("a"))) == str(prefix)
    assert land.said(pixi, line, aside).reason == "no-project"
    assert where(land.said(pixi, f"pixi add --manifest-path {land.project} x", aside)) == str(prefix)
    shell = {"PIXI_PROJECT_MANIFEST": land.project / "pixi.toml"}
    assert where(land.said(pixi, line, aside, **shell)) == str(prefix)


def test_environments_that_are_made(land: ProjectLand) -> None:
    """What is not there is made below .pixi/envs, unless a setting puts it where only pixi knows."""
    found = land.said(Pixi(), "pixi install")
    assert (where(found), found.creates) == (str(land.project / ".pixi/envs/default"), True)
    assert where(land.said(Pixi(), "pixi install -e test")) == str(land.project / ".pixi/envs/test")
    write(land.project / ".pixi/config.toml", "detached-environments = true\n")
    assert land.said(Pixi(), "pixi install").outcome == "unknown"


@pytest.mark.parametrize(
    ("line", "outcome", "reason"),
    [
        ("pixi lock", "nothing", "no-landing"),
        ("pixi add --no-install x", "nothing", "no-landing"),
        ("pixi add", "stops", "bad-options"),
        ("pixi install -e nowhere", "stops", "no-environment"),
        ("pixi install --all", "unknown", "unknown-settings"),
        ("pixi add --feature f x", "unknown", "unknown-settings"),
        ("pixi install --no-such", "unknown", "unknown-settings"),
        ("pixi global install x", "lands", "isolated-tool"),
    ],
)
def test_commands(land: ProjectLand, line: str, outcome: str, reason: str) -> None:
    """What only locks, what is refused, and what concerns environments that are not known."""
    found = land.said(Pixi(), line)
    assert (found.outcome, found.reason) == (outcome, reason)


def test_global_tools(land: ProjectLand) -> None:
    """Every tool has an environment of its own below PIXI_HOME."""
    assert where(land.said(Pixi(), "pixi global install x=1")) == str(land.home / ".pixi/envs/x")
    found = land.said(Pixi(), "pixi global install -e two x y", PIXI_HOME=land.home / "p")
    assert where(found) == str(land.home / "p/envs/two")


@pytest.mark.parametrize("line", ["pixi", "pixi list", "pixi run pip", "pixi add --help", "pixi global list"])
def test_nothing_of_interest(land: ProjectLand, line: str) -> None:
    """Commands that only show, or start something, are not predicted."""
    assert land.answer(Pixi(), line) is None
