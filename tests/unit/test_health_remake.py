"""What makes an environment anew with a Python that fits."""

from __future__ import annotations

import os
from pathlib import Path

import msgspec
import pytest

from alight.health.remake import with_remedies
from support.playfield import Playfield, write


@pytest.fixture
def project(field: Playfield) -> Path:
    """A project for Python below 3.12 with an environment of 3.13, and two Pythons of pyenv's."""
    for version in ("3.9.18", "3.11.7", "3.13.0"):
        field.base(version)
    root = field.home / "p"
    write(root / "pyproject.toml", '[project]\nname = "p"\nrequires-python = "<3.12"\n')
    field.venv(root / ".venv", "3.13.0")
    return root


def said(field: Playfield, project: Path, **changes: str) -> list[str]:
    """The messages about the wrong Python, for an environment whose owner may be another."""
    found = field.resolve(project)
    assert found.environment is not None
    environment = msgspec.structs.replace(found.environment, **changes)
    found = msgspec.structs.replace(found, environment=environment)
    return [one.message for one in with_remedies(found, {"HOME": os.fsencode(field.home)}, field.disk())]


def test_the_newest_python_that_fits(field: Playfield, project: Path) -> None:
    """A plain venv is made anew in its place by the newest Python that requires-python allows."""
    python = field.home / ".pyenv/versions/3.11.7/bin/python3.11"
    (message,) = said(field, project)
    assert message.startswith("Python 3.13.0 is outside requires-python <3.12; `")
    assert message.endswith(f"{python} -m venv --clear {project}/.venv` makes it anew")


def test_the_pin_decides_between_them(field: Playfield, project: Path) -> None:
    """The version that .python-version names, where one is installed; both findings say the same."""
    write(project / ".python-version", "3.9\n")
    assert all("3.9.18/bin/python3.9 -m venv" in message for message in said(field, project))


@pytest.mark.parametrize(
    ("system", "command"),
    [
        ("uv", "`uv sync --python 3.11` makes it anew"),
        ("poetry", "bin/python3.11 && poetry install` makes it anew"),
        ("pipenv", "bin/python3.11 install` makes it anew"),
        ("pdm", "bin/python3.11 && pdm install` makes it anew"),
        ("conda", "`conda install python=3.11` makes it anew"),
        ("pixi", "`pixi add python=3.11` makes it anew"),
    ],
)
def test_the_owners_own_command(field: Playfield, project: Path, system: str, command: str) -> None:
    """The tool that owns the environment makes it anew."""
    (message,) = said(field, project, system=system)
    assert message.endswith(command)


def test_nothing_that_fits(field: Playfield, project: Path) -> None:
    """Where no such Python is installed, that is what is said."""
    write(project / "pyproject.toml", '[project]\nname = "p"\nrequires-python = "<3"\n')
    (message,) = said(field, project)
    assert message.endswith("; no Python that fits is installed")
