"""uv's project commands, `uv run`, `uv venv` and tools, without running them."""

from __future__ import annotations

import os
import shlex
from pathlib import Path

import pytest

from alight.landing import program
from alight.landing.base import Run
from alight.landing.uvrun import UvRun
from alight.model import Reason
from support.playfield import Playfield, link, write
from support.uvland import Land, where

MANIFEST = '[project]\nname = "{name}"\nversion = "1"\n'


@pytest.fixture
def land(field: Playfield) -> Land:
    return Land(field)


@pytest.fixture
def project(land: Land) -> Path:
    """A project without an environment, and a Python on PATH to make one with."""
    return write(land.folder("p") / "pyproject.toml", MANIFEST.format(name="p")).parent


def path(land: Land, *more: Path) -> str:
    """PATH with uv, and ``bin`` of what is named."""
    return ":".join(map(str, (land.uv.parent, *(prefix / "bin" for prefix in more))))


def run(land: Land, line: str, directory: Path, **variables: str | Path) -> Run | Reason | None:
    context = land.context(directory, **variables)
    words = tuple(os.fsencode(word) for word in shlex.split(line))
    return UvRun().run(words, program.find(words[0], context), context)


def test_the_projects_own_environment(land: Land, project: Path) -> None:
    """What is active does not count, from whichever folder below the root."""
    own, active = land.venv("p/.venv"), land.venv("a")
    found = land.asked("uv add x", land.folder("p/deep"), VIRTUAL_ENV=active)
    assert (where(found), found.reason, found.creates) == (str(own), "project-environment", False)
    assert where(land.asked("uv add --active x", project, VIRTUAL_ENV=active)) == str(active)
    assert where(land.asked("uv sync", project, UV_PROJECT_ENVIRONMENT=active)) == str(active)
    assert where(land.asked("uv sync", project, UV_PROJECT_ENVIRONMENT="envx", PATH=path(land, land.base()))) == str(
        project / "envx"
    )


def test_a_missing_environment_is_made(land: Land, project: Path) -> None:
    """With the first Python on PATH that is no environment, whose X.Y decides where packages go."""
    found = land.asked("uv add x", project, PATH=path(land, land.venv("a"), land.base("3.12.1")))
    assert (found.reason, found.creates, found.certainty) == ("creates-environment", True, "sure")
    assert found.landing is not None
    assert found.landing.purelib == os.fsencode(project / ".venv/lib/python3.12/site-packages")
    assert not found.landing.exists


def test_a_python_that_would_be_fetched(land: Land, project: Path) -> None:
    """Without a Python that fits uv fetches one where it may, and nobody knows which."""
    found = land.asked("uv add x", project)
    assert (found.outcome, found.certainty) == ("lands", "likely")
    assert found.landing is not None
    assert found.landing.purelib is None
    assert land.asked("uv add x --offline", project).reason == "no-environment"
    assert land.asked("uv add x", project, UV_PYTHON_DOWNLOADS="never").reason == "no-environment"


def test_an_environment_that_does_not_fit_is_made_again(land: Land, project: Path) -> None:
    """requires-python, .python-version and --python are conditions for keeping it."""
    land.venv("p/.venv", "3.11.7")
    newer = path(land, land.base("3.12.1"))
    assert not land.asked("uv sync", project, PATH=newer).creates
    assert land.asked("uv sync -p 3.12", project, PATH=newer).creates
    assert not land.asked("uv sync -p 3.11", project, PATH=newer).creates
    write(project / ".python-version", "3.12\n")
    assert land.asked("uv sync", project, PATH=newer).creates
    (project / ".python-version").unlink()
    write(project / "pyproject.toml", MANIFEST.format(name="p") + 'requires-python = ">=3.12"\n')
    assert land.asked("uv sync", project, PATH=newer).creates


def test_what_is_no_environment_is_not_touched(land: Land, project: Path) -> None:
    """A directory with other things in it stops uv, an empty one does not; a base Python is used as it is."""
    write(project / ".venv" / "file")
    newer = path(land, land.base("3.12.1"))
    assert land.asked("uv sync", project, PATH=newer).reason == "no-environment"
    (project / ".venv" / "file").unlink()
    assert land.asked("uv sync", project, PATH=newer).creates
    base = land.base("3.12.1")
    found = land.asked("uv sync", project, UV_PROJECT_ENVIRONMENT=base)
    assert (where(found), found.reason) == (str(base), "pyenv-global")


@pytest.mark.parametrize(
    ("member", "root"), [("one", "p"), ("skipped", "p/skipped"), ("one/inner", "p/one/inner"), ("plain/below", "p")]
)
def test_workspaces(land: Land, project: Path, member: str, root: str) -> None:
    """A member has its root's environment; only the next manifest above can be that root."""
    write(project / "pyproject.toml", MANIFEST.format(name="p")
          + '[tool.uv.workspace]\nmembers = ["*", "one/*"]\nexclude = ["skipped"]\n')  # fmt: skip
    for name in ("one", "skipped", "one/inner"):
        write(project / name / "pyproject.toml", MANIFEST.format(name=Path(name).name))
    found = land.asked("uv add x", land.folder(f"p/{member}"), PATH=path(land, land.base()))
    assert where(found) == str(land.home / root / ".venv")


@pytest.mark.parametrize(
    ("text", "line", "expected"),
    [
        ("", "uv add x", "no-project"),
        ("[tool.uv]\nmanaged = false\n" + MANIFEST, "uv add x", "no-project"),
        ("[tool.x]\n", "uv add x", "no-project"),
        ("[tool.x]\n", "uv sync", "p/.venv"),
        ("= 1", "uv sync", "no-project"),
        ("[tool.uv]\nno-such = 1\n" + MANIFEST, "uv sync", "p/.venv"),
    ],
)
def test_manifests(land: Land, text: str, line: str, expected: str) -> None:
    """Which files are projects, and that nothing in them raises."""
    directory = land.folder("p")
    if text:
        write(directory / "pyproject.toml", text)
    found = land.asked(line, directory, PATH=path(land, land.base()))
    assert where(found) == (str(land.home / expected) if "/" in expected else expected)


@pytest.mark.parametrize(
    "line",
    ["uv lock", "uv add --frozen x", "uv add --no-sync x", "uv sync --dry-run", "uv sync --check",
     "uv remove x --frozen", "uv add --help", "uvx x",
     "uv tool run x", "uv run --isolated true", "uv run --no-project true"],
)  # fmt: skip
def test_what_writes_nothing(land: Land, project: Path, line: str) -> None:
    """Locks, dry runs and what lives in uv's cache."""
    land.venv("p/.venv")
    assert land.asked(line, project).outcome == "nothing"


@pytest.mark.parametrize(
    ("variables", "line"),
    [
        ({"UV_FROZEN": ""}, "uv add x"),
        ({"UV_FROZEN": "1", "UV_NO_SYNC": "1"}, "uv add x"),
        ({"UV_FROZEN": "1"}, "uv sync"),
        ({"UV_LOCKED": "1"}, "uv add x"),
        ({"UV_FROZEN": "1", "UV_LOCKED": "1"}, "uv sync"),
        ({}, "uv add"),
        ({}, "uv remove"),
        ({}, "uv --directory /none/at/all sync"),
    ],
)
def test_contradictions(land: Land, project: Path, variables: dict[str, str], line: str) -> None:
    """Variables that are no switches, exclude each other, or ask for a lock file that is not there."""
    land.venv("p/.venv")
    found = land.asked(line, project, **variables)
    assert (found.outcome, found.reason) == ("stops", "bad-options")


def test_central_environments_are_not_guessed(land: Land, project: Path) -> None:
    """The preview feature that keeps environments in the cache."""
    found = land.asked("uv add x", project, UV_PREVIEW_FEATURES="centralized-project-envs")
    assert (found.outcome, found.reason) == ("unknown", "unknown-settings")


def test_uv_venv(land: Land, project: Path) -> None:
    """At the very root the project's environment, below it a stray one, and what stands is asked about."""
    base = {"PATH": path(land, land.base())}
    assert where(land.asked("uv venv", project, UV_PROJECT_ENVIRONMENT="envx", **base)) == str(project / "envx")
    assert where(land.asked("uv venv", land.folder("p/sub"), **base)) == str(project / "sub/.venv")
    assert where(land.asked("uv venv x/y", project, **base)) == str(project / "x/y")
    land.venv("p/.venv")
    assert land.asked("uv venv", project, **base).outcome == "unknown"
    assert land.asked("uv venv --clear", project, **base).outcome == "lands"
    write(project / "full" / "file")
    assert land.asked("uv venv full", project, **base).outcome == "stops"


def test_run_puts_the_environment_first(land: Land, project: Path) -> None:
    """The inner command finds the project's environment first on PATH, and the caller's own behind it."""
    own, active = land.venv("p/.venv"), land.venv("a")
    found = run(land, "uv run -q -- pip install x", project, VIRTUAL_ENV=active, PATH=path(land, active))
    assert isinstance(found, Run)
    assert found.start == 4
    assert found.context is not None
    assert found.context.variables["VIRTUAL_ENV"] == os.fsencode(own)
    entries = found.context.variables["PATH"].split(b":")
    assert entries == [os.fsencode(own / "bin"), os.fsencode(land.uv.parent), os.fsencode(active / "bin")]


def test_run_in_an_environment_that_is_made_first(land: Land, project: Path) -> None:
    """For the inner command the new environment stands already."""
    found = run(land, "uv run uv pip install x", project, PATH=path(land, land.base()))
    assert isinstance(found, Run)
    assert found.prediction is not None
    assert found.prediction.creates
    assert found.context is not None
    assert found.context.disk.is_file(os.fsencode(project / ".venv/pyvenv.cfg"))
    assert not (project / ".venv").exists()


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("uv run --with y pip install x", "unknown-settings"),
        ("uv run --isolated pip install x", "unknown-settings"),
        ("uv run --env-file e pip install x", "unknown-settings"),
        ("uvx poetry add x", "unknown-program"),
        ("uv add x", None),
        ("uv run", None),
    ],
)
def test_runs_that_are_not_followed(land: Land, project: Path, line: str, expected: str | None) -> None:
    """Layers of packages, files of variables and tools in the cache; and what is no runner."""
    land.venv("p/.venv")
    write(project / "e", "PIP_TARGET=t\n")
    assert run(land, line, project) == expected


@pytest.mark.parametrize("line", ["uv run true", "uv run --with y pytest", "uv run s.py", "uvx pip install x"])
def test_runs_that_install_nothing(land: Land, project: Path, line: str) -> None:
    """What is no installer, or finds none in an environment of uv's, ends the story."""
    land.venv("p/.venv")
    write(project / "s.py", "print(1)\n")
    found = run(land, line, project)
    assert isinstance(found, Run)
    assert found.start is None


def test_a_module_is_run_by_the_python_of_the_environment(land: Land, project: Path) -> None:
    """`uv run -m pip install x` is `python -m pip install x` there, and never another pip on PATH."""
    own = land.venv("p/.venv")
    found = run(land, "uv run -m pip install x", project)
    assert isinstance(found, Run) and found.start == 3
    assert found.front in ((os.fsencode(own / "bin/python"), b"-m"), (os.fsencode(own / "bin/python3"), b"-m"))


def test_a_sync_before_the_run(land: Land, project: Path) -> None:
    """That `uv run` installs is said when something of the project's is missing."""
    own = land.venv("p/.venv")
    write(project / "pyproject.toml", MANIFEST.format(name="p") + 'dependencies = ["Some.Thing>=1"]\n')
    assert where(land.asked("uv run true", project)) == str(own)
    (own / "lib/python3.11/site-packages/some_thing-1.0.dist-info").mkdir()
    assert land.predict("uv run true", project) is None


def test_scripts_live_in_the_cache(land: Land, project: Path) -> None:
    """A script with inline metadata has an environment that is nobody's project."""
    write(project / "s.py", "# /// script\n# dependencies = []\n# ///\n")
    land.venv("p/.venv")
    for line in ("uv run s.py", "uv sync --script s.py", "uv add --script s.py x"):
        assert land.asked(line, project).outcome == "nothing"


@pytest.mark.parametrize(
    ("line", "name"),
    [("uv tool install Some_Thing", "some-thing"), ("uv tool install 'ruff==0.5'", "ruff"),
     ("uv tool install --from black-tool black", "black-tool"), ("uv tool install ruff@latest", "ruff")],
)  # fmt: skip
def test_tools(land: Land, line: str, name: str) -> None:
    """Each tool has an environment of its normalised name in uv's directory."""
    found = land.asked(line)
    assert (where(found), found.reason) == (str(land.home / ".local/share/uv/tools" / name), "isolated-tool")
    assert where(land.asked(line, UV_TOOL_DIR=land.home / "t")) == str(land.home / "t" / name)


def test_tools_from_elsewhere_and_missing_ones(land: Land) -> None:
    """A tool by its address has a name that nobody knows yet; one that is not there cannot be removed."""
    found = land.asked("uv tool install git+https://host/x")
    assert (where(found), found.certainty) == (str(land.home / ".local/share/uv/tools"), "likely")
    assert land.asked("uv tool uninstall x").outcome == "stops"
    land.venv("", where=land.home / ".local/share/uv/tools/x")
    assert land.asked("uv tool uninstall x").outcome == "lands"


def test_a_linked_directory(land: Land, project: Path) -> None:
    """Uv works where the directory really is."""
    own = land.venv("p/.venv")
    land.folder("p/sub")
    link(land.home / "far", str(project / "sub"))
    assert where(land.asked("uv pip install x", land.home / "far")) == str(own)
    assert where(land.asked("uv add x", land.home / "far")) == str(own)
