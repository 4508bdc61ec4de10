"""pipx: which environment of its own."""

from __future__ import annotations

from pathlib import Path

import pytest

from alight.landing.pipx import Pipx
from support.installers import ask, ends, lands, with_pip, with_tool
from support.playfield import Playfield

OWN = "env/lib/python3.11/site-packages"


@pytest.fixture
def field(tmp_path: Path) -> Playfield:
    home = tmp_path / "home"
    home.mkdir()
    return Playfield(home)


@pytest.fixture
def env(field: Playfield) -> Path:
    return with_tool(with_pip(field, field.venv(field.home / "env")), "pipx")


def test_an_environment_for_every_application(field: Playfield, env: Path) -> None:
    """The home is PIPX_HOME, ~/.local/pipx if it is there, else the data directory; a suffix is normalised, too."""
    pipx = f"{env}/bin/pipx install"
    site = "lib/python3.11/site-packages"
    assert lands(Pipx(), field, f"{pipx} Tiny_One==1") == f".local/share/pipx/venvs/tiny-one/{site}"
    assert lands(Pipx(), field, f"{pipx} --suffix _a tiny") == f".local/share/pipx/venvs/tiny-a/{site}"
    assert lands(Pipx(), field, f"{pipx} tiny", PIPX_HOME=str(field.home / "h")) == f"h/venvs/tiny/{site}"
    assert (
        lands(Pipx(), field, f"{pipx} --global tiny", PIPX_GLOBAL_HOME=str(field.home / "g")) == f"g/venvs/tiny/{site}"
    )
    (field.home / ".local" / "pipx").mkdir(parents=True)
    assert lands(Pipx(), field, f"{pipx} tiny") == f".local/pipx/venvs/tiny/{site}"
    found = ask(Pipx(), field, f"{pipx} tiny")
    assert found is not None
    assert found.landing is not None
    assert (found.reason, found.creates, found.landing.kind) == ("isolated-tool", True, "tool")


def test_what_is_there_and_what_is_not(field: Playfield, env: Path) -> None:
    """An application is installed once; nothing is injected into or removed from what is not there."""
    pipx = f"{env}/bin/pipx"
    for words in ("inject tiny mini", "uninstall tiny", "runpip tiny install x", "upgrade tiny"):
        assert ends(Pipx(), field, f"{pipx} {words}") == ("stops", "no-environment")
    there = field.venv(field.home / ".local" / "share" / "pipx" / "venvs" / "tiny")
    where = str((there / "lib" / "python3.11" / "site-packages").relative_to(field.home))
    assert ends(Pipx(), field, f"{pipx} install tiny") == ("nothing", "no-landing")
    assert lands(Pipx(), field, f"{pipx} install --force tiny") == where
    assert lands(Pipx(), field, f"{pipx} inject tiny mini") == where
    assert lands(Pipx(), field, f"{pipx} runpip tiny install mini") == where
    assert ends(Pipx(), field, f"{pipx} runpip tiny install -t x mini")[0] == "unknown"


def test_what_is_of_no_interest(field: Playfield, env: Path) -> None:
    """Lists and help show; a run throws its environment away."""
    pipx = f"{env}/bin/pipx"
    for words in ("list", "--version", "install --help", "environment", "runpip tiny list"):
        field.venv(field.home / ".local" / "share" / "pipx" / "venvs" / "tiny")
        assert ask(Pipx(), field, f"{pipx} {words}") is None
        (field.home / ".local" / "share" / "pipx" / "venvs" / "tiny" / "lib/python3.11/site-packages").rmdir()
    assert ends(Pipx(), field, f"{pipx} run tiny --install") == ("nothing", "no-landing")
