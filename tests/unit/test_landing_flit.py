"""flit install: into which Python, and how."""

from __future__ import annotations

from pathlib import Path

import pytest

from alight.landing.flit import Flit
from support.installers import ask, ends, lands, with_pip, with_tool
from support.playfield import Playfield, write

OWN = "env/lib/python3.11/site-packages"


@pytest.fixture
def field(tmp_path: Path) -> Playfield:
    home = tmp_path / "home"
    home.mkdir()
    return Playfield(home)


@pytest.fixture
def env(field: Playfield) -> Path:
    return with_tool(with_pip(field, field.venv(field.home / "env")), "flit")


ROOT = {"FLIT_ROOT_INSTALL": "1"}


@pytest.fixture(autouse=True)
def manifest(field: Playfield) -> Path:
    return write(field.home / "pyproject.toml")


def test_it_installs_where_it_runs(field: Playfield, env: Path) -> None:
    """VIRTUAL_ENV does not matter; --python and FLIT_INSTALL_PYTHON do, the option first."""
    other = with_pip(field, field.venv(field.home / "other"))
    flit = f"{env}/bin/flit install"
    where = "other/lib/python3.11/site-packages"
    assert lands(Flit(), field, flit, VIRTUAL_ENV=str(other), **ROOT) == OWN
    assert lands(Flit(), field, flit, FLIT_INSTALL_PYTHON=str(other), **ROOT) == where
    assert lands(Flit(), field, f"{flit} --python {other}/bin/python", **ROOT) == where
    assert lands(Flit(), field, f"{flit} --python {env}", FLIT_INSTALL_PYTHON=str(other), **ROOT) == OWN


def test_links_are_written_past_the_marker(field: Playfield, env: Path) -> None:
    """-s and --pth-file write the files themselves; without them pip does, and PEP 668 holds."""
    base = field.home / ".pyenv" / "versions" / "3.11.7"
    with_tool(with_pip(field, base), "flit")
    write(base / "lib" / "python3.11" / "EXTERNALLY-MANAGED")
    flit = f"{base}/bin/flit install"
    assert ends(Flit(), field, flit, **ROOT) == ("stops", "externally-managed")
    own = ".pyenv/versions/3.11.7/lib/python3.11/site-packages"
    assert lands(Flit(), field, f"{flit} -s", **ROOT) == own
    assert lands(Flit(), field, f"{flit} --pth-file --user", **ROOT) == ".local/lib/python3.11/site-packages"


def test_what_it_refuses(field: Playfield, env: Path) -> None:
    """Unknown options, no manifest; other commands are of no interest."""
    flit = f"{env}/bin/flit"
    assert ends(Flit(), field, f"{flit} install --bogus", **ROOT) == ("stops", "bad-options")
    assert ends(Flit(), field, f"{flit} -f gone.toml install", **ROOT) == ("stops", "no-project")
    assert ask(Flit(), field, f"{flit} build") is None
    assert ask(Flit(), field, f"{flit} install --help", **ROOT) is None
