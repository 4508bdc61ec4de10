"""Project markers and what they prove."""

from __future__ import annotations

import os

import pytest

from support.playfield import Playfield, write


@pytest.mark.parametrize(
    ("files", "markers", "system"),
    [
        ({"setup.py": ""}, ("setup.py",), None),
        ({"requirements-dev.txt": "", "notes.txt": ""}, ("requirements-dev.txt",), None),
        ({"pylock.dev.toml": ""}, ("pylock.dev.toml",), None),
        ({"pyproject.toml": "[tool.uv]\ndev-dependencies = []\n"}, ("pyproject.toml",), "uv"),
        ({"pyproject.toml": "[tool.uv]\nmanaged = false\n"}, ("pyproject.toml",), None),
        ({"pyproject.toml": "[tool.poetry]\nname = 'x'\n"}, ("pyproject.toml",), "poetry"),
        ({"pyproject.toml": "[tool.pdm]\ndistribution = true\n"}, ("pyproject.toml",), "pdm"),
        ({"pyproject.toml": "# [tool.poetry] poetry-core\n"}, ("pyproject.toml",), None),
        ({"poetry.toml": "", "pyproject.toml": ""}, ("poetry.toml", "pyproject.toml"), "poetry"),
        ({".python-version": "3.12", "mise.toml": ""}, (".python-version", "mise.toml"), None),
        ({".git/HEAD": ""}, (".git",), None),
    ],
)
def test_markers(field: Playfield, files: dict[str, str], markers: tuple[str, ...], system: str | None) -> None:
    """Markers make a project; its tool is what its files name, never a mere mention."""
    for name, text in files.items():
        write(field.home / "p" / name, text)
    (field.home / "p" / "sub").mkdir()
    project = field.resolve(field.home / "p" / "sub").project
    assert project is not None
    assert project.root == os.fsencode(field.home / "p")
    assert (project.markers, project.system) == (markers, system)


def test_no_marker_no_project(field: Playfield) -> None:
    """A directory without markers up to the home belongs to no project, whatever lies in the home itself."""
    write(field.home / "pyproject.toml")
    (field.home / "p").mkdir()
    assert field.resolve(field.home / "p").project is None


def test_a_pin_alone_is_the_weaker_root(field: Playfield) -> None:
    """A level that only names a Python is the root only where nothing stronger is upward."""
    write(field.home / "p" / "setup.py")
    write(field.home / "p" / "sub" / ".python-version", "3.12")
    project = field.resolve(field.home / "p" / "sub").project
    assert project is not None
    assert project.root == os.fsencode(field.home / "p")


def test_the_level_that_answers_is_the_root(field: Playfield) -> None:
    """Where the environment lies, there is the root: below the next marker as above it."""
    write(field.home / "repo" / ".git" / "HEAD")
    write(field.home / "repo" / "service" / "pyproject.toml")
    field.venv(field.home / "repo" / ".venv")
    field.venv(field.home / "repo" / "scratch" / ".venv")
    for place, root in (("service", "repo"), ("scratch", "repo/scratch")):
        answer = field.resolve(field.home / "repo" / place)
        assert answer.project is not None
        assert answer.project.root == os.fsencode(field.home / root)
