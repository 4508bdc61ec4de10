"""Which prefix conda, mamba and micromamba work on, without them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from alight.landing.conda import Conda
from support.condashape import conda_root, micromamba_root
from support.playfield import Playfield, write
from support.projectland import ProjectLand
from support.uvland import ELF, where


@pytest.fixture
def land(field: Playfield) -> ProjectLand:
    return ProjectLand(field, "unused")


@pytest.fixture
def root(land: ProjectLand) -> Path:
    root = conda_root(land.home / "conda", environments=("kid",))
    (root / "bin/python3.12").write_bytes(ELF)
    return root


def variables(root: Path, **more: str | Path) -> dict[str, str | Path]:
    return {"PATH": f"{root}/condabin", **more}


def test_the_order_of_prefixes(land: ProjectLand, root: Path) -> None:
    """-p, -n, CONDA_PREFIX, CONDA_DEFAULT_ENV, the root; a venv on top is not looked at."""
    conda, kid = Conda(), root / "envs/kid"
    active = variables(root, CONDA_PREFIX=kid, CONDA_DEFAULT_ENV="kid", VIRTUAL_ENV=land.venv("a"))
    assert where(land.said(conda, "conda install x", **variables(root))) == str(root)
    assert land.said(conda, "conda install x", **variables(root)).reason == "conda-base"
    assert where(land.said(conda, "conda install x", **active)) == str(kid)
    assert where(land.said(conda, "conda install x", **variables(root, CONDA_DEFAULT_ENV="kid"))) == str(kid)
    assert where(land.said(conda, "conda install -n base x", **active)) == str(root)
    assert where(land.said(conda, f"conda install -p {root} x", **active)) == str(root)


def test_new_environments(land: ProjectLand, root: Path) -> None:
    """The first directory for environments that can be written, or the path; a name or a path there must be."""
    conda = Conda()
    made = land.said(conda, "conda create -n new python", **variables(root))
    assert (where(made), made.creates, made.action) == (str(root / "envs/new"), True, "create")
    chosen = land.said(conda, "conda create -n new", **variables(root, CONDA_ENVS_DIRS=land.home / "pool"))
    assert where(chosen) == str(land.home / "pool/new")
    assert where(land.said(conda, "conda create -p ./here", **variables(root))) == str(land.project / "here")
    assert land.said(conda, "conda create python", **variables(root)).reason == "bad-options"


@pytest.mark.parametrize(
    ("line", "outcome", "reason"),
    [
        ("conda install --dry-run x", "nothing", "no-landing"),
        ("conda install --download-only x", "nothing", "no-landing"),
        ("conda install -n nowhere x", "stops", "no-environment"),
        ("conda install -n kid -p /x y", "stops", "bad-options"),
        ("conda install", "stops", "bad-options"),
        ("conda install --no-such x", "unknown", "unknown-settings"),
        ("conda env create", "stops", "no-project"),
    ],
)
def test_commands(land: ProjectLand, root: Path, line: str, outcome: str, reason: str) -> None:
    """What only pretends, what is refused, and an option that is not known."""
    found = land.said(Conda(), line, **variables(root))
    assert (found.outcome, found.reason) == (outcome, reason)


def test_frozen_environments(land: ProjectLand, root: Path) -> None:
    """conda-meta/frozen stops conda unless it is told to go on."""
    write(root / "envs/kid/conda-meta/frozen")
    assert land.said(Conda(), "conda install -n kid x", **variables(root)).reason == "frozen-environment"
    assert land.said(Conda(), "conda install -n kid --override-frozen x", **variables(root)).outcome == "lands"


def test_files(land: ProjectLand, root: Path) -> None:
    """An environment.yml names the environment; its pip section is spoken of; the command's own name comes first."""
    land.manifest("name: kid\ndependencies:\n- pip\n- pip:\n  - x\n", "environment.yml")
    found = land.said(Conda(), "conda env update", **variables(root))
    assert where(found) == str(root / "envs/kid")
    assert any("pip section" in text for text in found.because)
    assert land.said(Conda(), "conda env create", **variables(root)).reason == "bad-options"
    named = land.said(Conda(), "conda env create -n other -f environment.yml", **variables(root))
    assert (where(named), named.creates) == (str(root / "envs/other"), True)


def test_micromamba(land: ProjectLand) -> None:
    """`create` falls back to nothing, `remove` to CONDA_PREFIX only, everything else to the root."""
    root = micromamba_root(land.home / "mm", environments=("kid",))
    write(land.tools / "micromamba", ELF).chmod(0o755)
    conda, known = Conda(), {"MAMBA_ROOT_PREFIX": root}
    assert land.said(conda, "micromamba remove x", **known).reason == "no-environment"
    assert land.said(conda, "micromamba create x", **known).reason == "bad-options"
    kid = root / "envs/kid"
    assert where(land.said(conda, "micromamba remove x", CONDA_PREFIX=kid, **known)) == str(kid)
    assert where(land.said(conda, "micromamba install -n kid x", **known)) == str(kid)
    assert where(land.said(conda, "micromamba install x", MAMBA_TARGET_PREFIX=kid, **known)) == str(kid)


@pytest.mark.parametrize("line", ["conda", "conda list", "conda env list", "conda run -n kid pip", "conda install -h"])
def test_nothing_of_interest(land: ProjectLand, root: Path, line: str) -> None:
    """Commands that only show, or start something, are not predicted."""
    assert land.answer(Conda(), line, **variables(root)) is None


def test_purelib_is_that_of_the_prefix(land: ProjectLand, root: Path) -> None:
    """Where the prefix has a Python, its site-packages are named."""
    found = land.said(Conda(), "conda install -n kid x", **variables(root))
    assert found.landing is not None
    assert found.landing.purelib == os.fsencode(root / "envs/kid/lib/python3.12/site-packages")
