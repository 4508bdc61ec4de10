"""setup.py install and develop, and ensurepip."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest

from alight.landing import program
from alight.landing.base import Installer, Prediction
from alight.landing.ensurepip import EnsurePip
from alight.landing.setuppy import SetupPy
from support.callers import caller
from support.installers import with_pip, with_tool
from support.playfield import Playfield, write

OWN = "env/lib/python3.11/site-packages"


@pytest.fixture
def field(tmp_path: Path) -> Playfield:
    home = tmp_path / "home"
    home.mkdir()
    return Playfield(home)


@pytest.fixture
def env(field: Playfield) -> Path:
    return with_tool(with_pip(field, field.venv(field.home / "env")), "x")


def said(installer: Installer, field: Playfield, prefix: Path, line: str, **variables: str) -> Prediction | None:
    """What the rules say to words that this environment's Python runs."""
    context = caller(field.home, field.home, variables)
    words = tuple(word.encode() for word in line.split(" "))
    python = program.find(str(prefix / "bin" / "python").encode(), context)
    assert python is not None
    return installer.predict(words, replace(python, script=words[0]), context)


def result(installer: Installer, field: Playfield, prefix: Path, line: str, **variables: str) -> str:
    """The purelib below the home, or how it ends."""
    found = said(installer, field, prefix, line, **variables)
    if found is None or found.landing is None or found.landing.purelib is None:
        return "" if found is None else f"{found.outcome} {found.reason}"
    return os.path.relpath(os.fsdecode(found.landing.purelib), field.home)


@pytest.fixture
def script(field: Playfield, env: Path) -> Path:
    (env / "lib" / "python3.11" / "site-packages" / "setuptools-65.5.0.dist-info").mkdir()
    write(env / "lib" / "python3.11" / "site-packages" / "setuptools" / "__init__.py")
    return write(field.home / "setup.py")


@pytest.mark.usefixtures("script")
def test_the_pythons_own_scheme(field: Playfield, env: Path) -> None:
    """Install and develop write into the Python that runs the script, whatever stands before them on the line."""
    setup = SetupPy()
    for words in ("install", "develop", "-q develop", "build install", "develop -N -q", "install --record r"):
        assert result(setup, field, env, f"setup.py {words}") == OWN
    assert result(setup, field, env, "setup.py -n develop") == "nothing no-landing"
    for words in ("build", "sdist", "--version", "--help install", "bdist_wheel"):
        assert result(setup, field, env, f"setup.py {words}") == ""
    removal = said(setup, field, env, "setup.py develop -u")
    assert removal is not None
    assert removal.action == "uninstall"


@pytest.mark.usefixtures("script")
def test_what_is_not_guessed_at(field: Playfield, env: Path) -> None:
    """Options that move the files, and configuration files that may, are unknown."""
    setup = SetupPy()
    for words in ("install --prefix p", "install --home h", "develop -d t", "install --user", "build -b x install"):
        assert result(setup, field, env, f"setup.py {words}") == "unknown unknown-settings"
    write(field.home / "setup.cfg", "[install]\nprefix=/x\n")
    assert result(setup, field, env, "setup.py install") == "unknown unknown-settings"


def test_no_script_and_no_setuptools(field: Playfield, env: Path) -> None:
    """A script that is not there, and develop without setuptools, end at once."""
    setup = SetupPy()
    assert result(setup, field, env, "setup.py develop") == "stops no-project"
    write(field.home / "setup.py")
    assert result(setup, field, env, "setup.py develop") == "stops no-such-module"


def test_a_new_develop_is_pip(field: Playfield, env: Path) -> None:
    """Since setuptools 80, develop is pip install -e and pip's variables and refusals hold."""
    site = env / "lib" / "python3.11" / "site-packages"
    (site / "setuptools-80.9.0.dist-info").mkdir()
    write(site / "setuptools" / "__init__.py")
    write(field.home / "setup.py")
    assert result(SetupPy(), field, env, "setup.py develop") == OWN
    assert result(SetupPy(), field, env, "setup.py develop", PIP_TARGET="t") == "t"
    assert result(SetupPy(), field, env, "setup.py develop --user") == "stops bad-options"


def test_ensurepip_puts_pip_where_there_is_none(field: Playfield, env: Path) -> None:
    """It leaves a pip alone, replaces an older one on demand, and hears nothing of PIP_*."""
    ensure = EnsurePip()
    base = field.home / ".pyenv" / "versions" / "3.11.7"
    bundled = base / "lib" / "python3.11" / "ensurepip" / "_bundled"
    write(bundled / "pip-23.2.1-py3-none-any.whl")
    assert result(ensure, field, env, "ensurepip") == "nothing no-landing"
    assert result(ensure, field, env, "ensurepip -U") == "nothing no-landing"
    write(env / "lib" / "python3.11" / "site-packages" / "pip" / "__init__.py", '__version__ = "22.0"\n')
    assert result(ensure, field, env, "ensurepip -U") == OWN
    (env / "lib" / "python3.11" / "site-packages" / "pip" / "__init__.py").unlink()
    assert result(ensure, field, env, "ensurepip", PIP_TARGET="t") == OWN
    assert result(ensure, field, env, "ensurepip --user") == "stops bad-options"
    assert result(ensure, field, env, "ensurepip --version") == ""
