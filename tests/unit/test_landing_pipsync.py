"""pip-sync: whose environment it makes over."""

from __future__ import annotations

from pathlib import Path

import pytest

from alight.landing.pipsync import PipSync
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
    return with_tool(with_pip(field, field.venv(field.home / "env")), "pip-sync")


def test_it_works_on_its_own_environment(field: Playfield, env: Path) -> None:
    """VIRTUAL_ENV does not matter: the environment it is installed in is synchronised."""
    write(field.home / "requirements.txt")
    other = with_pip(field, field.venv(field.home / "other"))
    assert lands(PipSync(), field, f"{env}/bin/pip-sync", VIRTUAL_ENV=str(other)) == OWN
    found = ask(PipSync(), field, f"{env}/bin/pip-sync r.txt")
    assert found is not None
    assert (found.action, found.requirements, found.plain) == ("sync", (b"-r", b"r.txt"), True)


def test_another_python(field: Playfield, env: Path) -> None:
    """--python-executable, on the line or configured, names another environment; a missing one is an error."""
    other = with_pip(field, field.venv(field.home / "other"))
    sync = f"{env}/bin/pip-sync r.txt"
    where = "other/lib/python3.11/site-packages"
    assert lands(PipSync(), field, f"{sync} --python-executable {other}/bin/python") == where
    assert ends(PipSync(), field, f"{sync} --python-executable gone")[0] == "stops"
    write(field.home / "pyproject.toml", f'[tool.pip-tools.sync]\npython-executable = "{other}/bin/python"\n')
    assert lands(PipSync(), field, sync) == where
    assert lands(PipSync(), field, f"{sync} --no-config") == OWN


def test_pip_arguments_are_pips(field: Playfield, env: Path) -> None:
    """--pip-args, --user and PIP_* go through to pip."""
    sync = f"{env}/bin/pip-sync r.txt"
    assert lands(PipSync(), field, f"{sync} --pip-args --target=t") == "t"
    assert lands(PipSync(), field, sync, PIP_TARGET="t") == "t"
    assert ends(PipSync(), field, f"{sync} --user") == ("stops", "bad-options")


def test_what_it_refuses_and_what_it_pretends(field: Playfield, env: Path) -> None:
    """No requirements, .in files and unknown options end it; a dry run changes nothing; help is of no interest."""
    sync = f"{env}/bin/pip-sync"
    assert ends(PipSync(), field, sync) == ("stops", "no-project")
    assert ends(PipSync(), field, f"{sync} a.in") == ("stops", "bad-options")
    assert lands(PipSync(), field, f"{sync} --force a.in") == OWN
    assert ends(PipSync(), field, f"{sync} --bogus") == ("stops", "bad-options")
    assert ends(PipSync(), field, f"{sync} r.txt -n") == ("nothing", "no-landing")
    assert ask(PipSync(), field, f"{sync} --help") is None
