"""PDM's choice of a Python and its command line, without running it."""

from __future__ import annotations

import base64
import hashlib
import os

import pytest

from alight.landing.pdm import Pdm
from support.playfield import Playfield, write
from support.projectland import ProjectLand
from support.uvland import where

MANIFEST = '[project]\nname = "app"\nrequires-python = ">=3.8"\n'


@pytest.fixture
def land(field: Playfield) -> ProjectLand:
    land = ProjectLand(field, "pdm")
    land.manifest(MANIFEST)
    return land


def test_the_order_of_pythons(land: ProjectLand) -> None:
    """PDM_PYTHON, the saved one, the active environment, then the project's own .venv, venv and env."""
    active, own, saved, chosen = (land.venv(name) for name in ("a", "code/app/.venv", "s", "c"))
    pdm, line = Pdm(), "pdm add x"
    assert where(land.said(pdm, line)) == str(own)
    assert where(land.said(pdm, line, VIRTUAL_ENV=active)) == str(active)
    assert where(land.said(pdm, line, VIRTUAL_ENV=active, PDM_IGNORE_ACTIVE_VENV="1")) == str(own)
    assert where(land.said(pdm, line, VIRTUAL_ENV=active, CONDA_DEFAULT_ENV="base")) == str(own)
    write(land.project / ".pdm-python", str(saved / "bin/python"))
    assert where(land.said(pdm, line, VIRTUAL_ENV=active)) == str(saved)
    assert where(land.said(pdm, line, PDM_IGNORE_SAVED_PYTHON="1")) == str(own)
    assert where(land.said(pdm, "pdm -I add x", VIRTUAL_ENV=active)) == str(active)
    assert where(land.said(pdm, line, PDM_PYTHON=chosen / "bin/python")) == str(chosen)


def test_a_saved_python_that_is_gone_is_dropped(land: ProjectLand) -> None:
    """The next in order counts."""
    own = land.venv("code/app/.venv")
    write(land.project / ".pdm-python", "/nowhere/python")
    assert where(land.said(Pdm(), "pdm add x")) == str(own)


def test_the_pool(land: ProjectLand) -> None:
    """An environment whose name begins with the project's and its path's hash; of several nothing is said."""
    root = os.path.realpath(land.project)
    digest = base64.urlsafe_b64encode(hashlib.md5(os.fsencode(root), usedforsecurity=False).digest())[:8].decode()
    pool = land.home / ".local/share/pdm/venvs"
    first = land.venv("x", where=pool / f"app-{digest}-3.11")
    assert where(land.said(Pdm(), "pdm add x")) == str(first)
    land.venv("x", where=pool / f"app-{digest}-other")
    assert land.said(Pdm(), "pdm add x").outcome == "unknown"


def test_packages_beside_the_project(land: ProjectLand) -> None:
    """A saved base Python, or __pypackages__ and no environment, is PEP 582."""
    base = land.base("3.12.1", land.home / "py312")
    write(land.project / ".pdm-python", str(base / "bin/python3.12"))
    found = land.said(Pdm(), "pdm add x")
    assert found.landing is not None
    assert (found.landing.kind, found.landing.scheme) == ("pep582", "project")
    assert found.landing.purelib == os.fsencode(land.project / "__pypackages__/3.12/lib")


def test_the_global_project(land: ProjectLand) -> None:
    """-g is the first Python's own packages, marked or not; an environment's when that is first."""
    base = land.base("3.12.1", land.home / "py312")
    found = land.said(Pdm(), "pdm add -g x", PATH=f"{land.tools}:{base}/bin")
    assert found.landing is not None
    assert (found.landing.kind, where(found)) == ("base", str(base))
    active = land.venv("a")
    assert where(land.said(Pdm(), "pdm add -g x", PATH=f"{land.tools}:{active}/bin")) == str(active)


@pytest.mark.parametrize(
    ("line", "outcome", "reason"),
    [
        ("pdm lock", "nothing", "no-landing"),
        ("pdm add --no-sync x", "nothing", "no-landing"),
        ("pdm install --dry-run", "nothing", "no-landing"),
        ("pdm sync", "stops", "no-project"),
        ("pdm remove", "stops", "bad-options"),
        ("pdm add --venv test x", "unknown", "unknown-settings"),
        ("pdm add --no-such x", "unknown", "unknown-settings"),
        ("pdm self add x", "lands", "isolated-tool"),
    ],
)
def test_commands(land: ProjectLand, line: str, outcome: str, reason: str) -> None:
    """What locks or pretends does not land, what PDM refuses stops, and `self` is PDM's own environment."""
    land.venv("code/app/.venv")
    found = land.said(Pdm(), line)
    assert (found.outcome, found.reason) == (outcome, reason)


def test_options_from_the_manifest(land: ProjectLand) -> None:
    """[tool.pdm.options] puts words behind a command."""
    land.venv("code/app/.venv")
    land.manifest(MANIFEST + '[tool.pdm.options]\nadd = ["--no-sync"]\n')
    assert land.said(Pdm(), "pdm add x").outcome == "nothing"


def test_members_of_a_workspace(land: ProjectLand) -> None:
    """A member's packages go to the workspace's environment, and only the root can be installed."""
    own = land.venv("code/app/.venv")
    land.manifest(MANIFEST + '[tool.pdm.workspace]\nmembers = ["sub"]\n')
    land.manifest('[project]\nname = "sub"\n', "sub/pyproject.toml")
    assert where(land.said(Pdm(), "pdm add x", land.project / "sub")) == str(own)
    assert land.said(Pdm(), "pdm install", land.project / "sub").outcome == "stops"


@pytest.mark.parametrize("line", ["pdm", "pdm --version", "pdm list", "pdm add --help", "pdm run pip"])
def test_nothing_of_interest(land: ProjectLand, line: str) -> None:
    """Commands that only show, or start something, are not predicted."""
    land.venv("code/app/.venv")
    assert land.answer(Pdm(), line) is None
