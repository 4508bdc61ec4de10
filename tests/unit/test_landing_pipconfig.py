"""pip's configuration files and variables: which one holds."""

from __future__ import annotations

from pathlib import Path

import pytest

from alight.landing.pip import Pip
from support.installers import ends, lands, with_pip, with_tool
from support.playfield import Playfield, write

OWN = "env/lib/python3.11/site-packages"


@pytest.fixture
def field(tmp_path: Path) -> Playfield:
    home = tmp_path / "home"
    home.mkdir()
    return Playfield(home)


@pytest.fixture
def env(field: Playfield) -> Path:
    return with_tool(with_pip(field, field.venv(field.home / "env")), "pip")


USER = ".config/pip/pip.conf"


def conf(field: Playfield, **files: str) -> None:
    """Write configuration files by where they are: user, legacy, site, custom."""
    places = {"user": USER, "legacy": ".pip/pip.conf", "site": "env/pip.conf", "custom": "custom.conf"}
    for name, text in files.items():
        write(field.home / places[name], text)


@pytest.mark.parametrize(
    ("files", "where"),
    [
        ({"user": "[install]\ntarget = u\n", "site": "[global]\ntarget = s\n"}, "u"),
        ({"user": "[global]\ntarget = u\n", "site": "[global]\ntarget = s\n"}, "s"),
        ({"user": "[global]\ntarget = u\n", "legacy": "[global]\ntarget = l\n"}, "u"),
        ({"legacy": "[global]\ntarget = l\n"}, "l"),
        ({"user": "[install]\nTARGET = u\n"}, "u"),
        ({"user": "[install]\n--target = u\n"}, "u"),
        ({"user": "[DEFAULT]\ntarget = u\n[install]\n"}, "u"),
        ({"user": "[install]\ntarget = ~/u\n"}, "~/u"),
        ({"user": "[install]\ntarget =\n", "site": "[global]\ntarget = s\n"}, "s"),
        ({"user": "[global]\ntarget = u\n", "site": "[global]\ntarget =\n"}, OWN),
        ({"user": "[uninstall]\ntarget = u\n[download]\ndest = z\n"}, OWN),
        ({"user": "[install]\nuser = no\nunknown = x\n"}, OWN),
        ({"user": "[install]\nprefix = p\n"}, "p/lib/python3.11/site-packages"),
    ],
)
def test_a_section_beats_a_file(field: Playfield, env: Path, files: dict[str, str], where: str) -> None:
    """[install] of any file holds over [global] of any; in one section the later file does; empty values are absent."""
    conf(field, **files)
    assert lands(Pip(), field, f"{env}/bin/pip install tiny") == where


def test_a_file_named_by_a_variable(field: Playfield, env: Path) -> None:
    """PIP_CONFIG_FILE drops the user's files if it is there, all for /dev/null, and is the last; sections still win."""
    pip = f"{env}/bin/pip install tiny"
    conf(field, user="[install]\ntarget = u\n", custom="[global]\ntarget = c\n")
    custom = str(field.home / "custom.conf")
    assert lands(Pip(), field, pip, PIP_CONFIG_FILE=custom) == "c"
    assert lands(Pip(), field, pip, PIP_CONFIG_FILE="/gone") == "u"
    assert lands(Pip(), field, pip, PIP_CONFIG_FILE="/dev/null") == OWN
    conf(field, site="[install]\ntarget = s\n")
    assert lands(Pip(), field, pip, PIP_CONFIG_FILE=custom) == "s"


def test_isolated(field: Playfield, env: Path) -> None:
    """--isolated drops variables and the user's files, but neither the environment's file nor a named one."""
    pip = f"{env}/bin/pip install --isolated tiny"
    conf(field, user="[install]\ntarget = u\n", custom="[global]\ntarget = c\n")
    assert lands(Pip(), field, pip, PIP_TARGET="t") == OWN
    assert lands(Pip(), field, pip, PIP_CONFIG_FILE=str(field.home / "custom.conf")) == "c"
    conf(field, site="[global]\ntarget = s\n")
    assert lands(Pip(), field, pip) == "s"


def test_other_places(field: Playfield, env: Path) -> None:
    """XDG_CONFIG_HOME moves the user's file, XDG_CONFIG_DIRS the global ones, which are weaker."""
    write(field.home / "x" / "pip" / "pip.conf", "[install]\ntarget = x\n")
    pip, xdg = f"{env}/bin/pip install tiny", str(field.home / "x")
    assert lands(Pip(), field, pip, XDG_CONFIG_HOME=xdg) == "x"
    assert lands(Pip(), field, pip, XDG_CONFIG_DIRS=xdg) == "x"
    conf(field, user="[install]\ntarget = u\n")
    assert lands(Pip(), field, pip, XDG_CONFIG_DIRS=xdg) == "u"


def test_bad_values_and_bad_files(field: Playfield, env: Path) -> None:
    """A value that is none of the option's and a file that is none end pip; an unclear file is unknown."""
    pip = f"{env}/bin/pip install tiny"
    for text in ("[global]\ntimeout = soon\n", "[install]\nuser = maybe\n", "nonsense\n"):
        conf(field, user=text)
        assert ends(Pip(), field, pip) == ("stops", "bad-options")
    conf(field, user="[install]\ntarget = a\ntarget = b\n")
    assert ends(Pip(), field, pip) == ("unknown", "unknown-settings")
    write(field.home / USER, b"[install]\ntarget = \xff\n")
    assert ends(Pip(), field, pip) == ("unknown", "unknown-settings")
    write(field.home / USER, b"#" * 70_000)
    assert ends(Pip(), field, pip) == ("unknown", "unknown-settings")


def test_contradicting_variables(field: Playfield, env: Path) -> None:
    """Which of PIP_USER and PIP_NO_USER holds depends on their order in memory: nobody knows."""
    line = f"{env}/bin/pip install tiny"
    assert ends(Pip(), field, line, PIP_USER="0", PIP_NO_USER="1") == ("unknown", "unknown-settings")
