"""What real tools write into an environment about its project is understood; the project itself says nothing."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from alight import index as index_module
from alight import resolver
from alight.index import Index
from alight.model import Resolution
from alight.systems import SYSTEMS
from alight.systems.backlinks import BackLinks
from support.playfield import Clock, write
from support.shelf import Shelf
from support.tools import clean_environment, tool

BACKEND = """
import zipfile

def build_editable(directory, config_settings=None, metadata_directory=None):
    name = "app-1.0-py3-none-any.whl"
    with zipfile.ZipFile(directory + "/" + name, "w") as wheel:
        wheel.writestr("app.pth", __file__.rpartition("/")[0])
        wheel.writestr("app-1.0.dist-info/METADATA", "Metadata-Version: 2.1\\nName: app\\nVersion: 1.0\\n")
        wheel.writestr("app-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n")
        wheel.writestr("app-1.0.dist-info/RECORD", "")
    return name

build_wheel = build_editable
"""
MANIFEST = """
[project]
name = "app"
version = "1.0"

[build-system]
requires = []
build-backend = "backend"
backend-path = ["."]
"""


@pytest.fixture(autouse=True)
def _shelf(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pools are ``$WORKON_HOME`` or ``~/.virtualenvs``; the tools' own rules, which go by names, stay out of it."""
    shelf = Shelf()
    systems = (shelf, BackLinks((shelf,)), SYSTEMS[-1])
    monkeypatch.setattr(resolver, "SYSTEMS", systems)
    monkeypatch.setattr(index_module, "SYSTEMS", systems)


def look(directory: Path, home: Path) -> Resolution:
    """What belongs to the directory."""
    return Index(Clock(), os.getuid(), os.fsencode(home)).resolve(os.fsencode(directory), {})


def run(*words: str | Path, home: Path, where: Path | None = None, **more: str) -> str:
    """What a tool prints, asked in ``where``."""
    environment = clean_environment(home, **more)
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    done = subprocess.run(
        [str(word) for word in words], cwd=where or home, env=environment, capture_output=True, text=True, timeout=50
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.strip()


def check(project: Path, prefix: Path, evidence: str, home: Path) -> None:
    """The environment is found by its own word, in the project and below it, and may be trusted for it."""
    (project / "src").mkdir(exist_ok=True)
    for directory in (project, project / "src"):
        found = look(directory, home)
        assert found.environment is not None
        assert (os.fsdecode(found.environment.prefix), found.root) == (str(prefix), os.fsencode(project))
        assert (found.rule, found.confidence, found.linked) == ("back-link", "high", True)
        assert [os.fsdecode(path).removeprefix(f"{prefix}/") for path in found.evidence] == [evidence]


def editable_project(folder: Path) -> Path:
    """A project that every installer can build without the network."""
    write(folder / "pyproject.toml", MANIFEST)
    write(folder / "backend.py", BACKEND)
    return folder


@pytest.mark.parametrize("installer", ["pip", "uv"])
def test_editable_installs(home: Path, installer: str) -> None:
    """Both pip and uv record where an editable install comes from, whatever the path; a plain install says nothing."""
    project = editable_project(home / "my pr\u00f6ject #1")
    pip = tool("pip")
    env = home / ".virtualenvs" / "any"
    run(sys.executable, "-m", "venv", "--without-pip", env, home=home)
    target = ("--python", env / "bin/python")
    install = (
        (pip, *target, "install", "-q", "--no-build-isolation", "--no-deps")
        if installer == "pip"
        else (tool("uv"), "pip", "install", "-q", "--no-config", "--offline", *target, "--no-deps")
    )
    run(*install, ".", home=home, where=project)
    assert look(project, home).condition == "none"
    run(
        *install,
        *(("--reinstall",) if installer == "uv" else ("--force-reinstall",)),
        "-e",
        ".",
        home=home,
        where=project,
    )
    packages = next((env / "lib").glob("python3.*")).name
    check(project, env, f"lib/{packages}/site-packages/app-1.0.dist-info/direct_url.json", home)


def test_pipenv(home: Path) -> None:
    """The ``.project`` of pipenv counts in an environment that was renamed, not where pipenv no longer looks for it."""
    project = write(home / "code/web/Pipfile", "[packages]\n").parent
    pipenv = tool("pipenv")
    pool = home / ".virtualenvs"
    quiet = {"WORKON_HOME": str(pool), "PIPENV_IGNORE_VIRTUALENVS": "1", "PIPENV_NOSPIN": "1"}
    run(pipenv, "--python", sys.executable, home=home, where=project, **quiet)
    asked = Path(run(pipenv, "--venv", home=home, where=project, **quiet))
    assert look(project, home).environment is None
    renamed = asked.rename(pool / "another-name")
    check(project, renamed, ".project", home)


def test_virtualenvwrapper(home: Path) -> None:
    """``mkproject`` links the environment to an empty folder; ``setvirtualenvproject`` links it to another."""
    script = tool("virtualenvwrapper.sh", "virtualenvwrapper", "virtualenv", "setuptools")
    more = {
        "PROJECT_HOME": str(home / "code"),
        "VIRTUALENVWRAPPER_PYTHON": str(script.parent / "python"),
        "VIRTUALENVWRAPPER_VIRTUALENV": str(script.parent / "virtualenv"),
        "VIRTUALENV_NO_SEED": "1",
        "WORKON_HOME": str(home / ".virtualenvs"),
    }
    (home / "code").mkdir()
    run("bash", "-c", f"source '{script}' && mkproject shop", home=home, **more)
    env = home / ".virtualenvs" / "shop"
    check(home / "code/shop", env, ".project", home)
    (home / "elsewhere").mkdir()
    run("bash", "-c", f"source '{script}' && setvirtualenvproject '{env}' '{home}/elsewhere'", home=home, **more)
    check(home / "elsewhere", env, ".project", home)
    assert look(home / "code/shop", home).condition == "none"


def test_poetry(home: Path) -> None:
    """``poetry install`` leaves an editable record: a moved pool still knows its project."""
    project = home / "app"
    write(project / "app.py")
    write(
        project / "pyproject.toml",
        '[project]\nname = "app"\nversion = "1.0"\nrequires-python = ">=3.8"\n'
        '[tool.poetry]\npackages = [{include = "app.py"}]\n'
        '[build-system]\nrequires = ["poetry-core"]\nbuild-backend = "poetry.core.masonry.api"\n',
    )
    poetry = tool("poetry")
    own = {"POETRY_VIRTUALENVS_PATH": str(home / "first"), "POETRY_CACHE_DIR": str(home / "cache")}
    run(poetry, "install", "-q", "--no-interaction", home=home, where=project, **own)
    made = Path(run(poetry, "env", "info", "-p", home=home, where=project, **own))
    (home / "first").rename(home / ".virtualenvs")
    env = home / ".virtualenvs" / made.name
    packages = next((env / "lib").glob("python3.*")).name
    record = env / "lib" / packages / "site-packages" / "app-1.0.dist-info" / "direct_url.json"
    assert json.loads(record.read_text())["dir_info"] == {"editable": True}
    check(project, env, str(record.relative_to(env)), home)
