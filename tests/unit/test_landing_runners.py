"""What the runners of project tools start, and in which environment, without running them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from alight.landing import program
from alight.landing.base import Run, Runner
from alight.landing.condarunners import CondaRun, PixiRun
from alight.landing.runners import HatchRun, PdmRun, PipenvRun, PoetryRun
from support.condashape import conda_root, pixi_environment, pixi_manifest
from support.playfield import Playfield, write
from support.projectland import ProjectLand, activate
from support.uvland import ELF

MANIFEST = '[project]\nname = "app"\nversion = "1"\nrequires-python = ">=3.8"\n'


@pytest.fixture
def land(field: Playfield) -> ProjectLand:
    land = ProjectLand(field, "poetry")
    for tool in ("pipenv", "pdm", "hatch", "pixi"):
        write(land.tools / tool, f"#!{land.own}/bin/python\n").chmod(0o755)
    land.manifest(MANIFEST)
    return land


def pip(prefix: Path) -> Path:
    write(prefix / "bin/pip", f"#!{prefix}/bin/python\n").chmod(0o755)
    return prefix


def started(answer: object) -> Run:
    assert isinstance(answer, Run), answer
    return answer


def found(run: Run, word: bytes = b"pip") -> str | None:
    """The file that a word is inside."""
    assert run.context is not None
    program_ = program.find(word, run.context)
    return None if program_ is None else os.fsdecode(program_.path)


@pytest.mark.parametrize(
    ("runner", "line", "start"),
    [
        (PoetryRun(), "poetry run pip install x", 2),
        (PoetryRun(), "poetry -q run -n -- pip install x", 5),
        (PipenvRun(), "pipenv run pip install x", 2),
        (PdmRun(), "pdm -q run -s pip install x", 4),
    ],
)
def test_the_environment_comes_first_on_path(land: ProjectLand, runner: Runner, line: str, start: int) -> None:
    """The words behind the runner's own, with its bin first and VIRTUAL_ENV set."""
    land.manifest("[packages]\n", "Pipfile")
    own = pip(activate(land.venv("code/app/.venv")))
    run = started(land.ran(runner, line))
    assert (run.start, run.prediction) == (start, None)
    assert run.context is not None
    assert run.context.variables["VIRTUAL_ENV"] == os.fsencode(own)
    assert found(run) == str(own / "bin/pip")


@pytest.mark.parametrize(("runner", "line"), [(PipenvRun(), "pipenv run pip"), (PdmRun(), "pdm run pip")])
def test_without_a_pip_the_next_on_path_is_taken(land: ProjectLand, runner: Runner, line: str) -> None:
    """An environment without pip lets the word walk on to the caller's own."""
    land.manifest("[packages]\n", "Pipfile")
    activate(land.venv("code/app/.venv"))
    outer = pip(land.venv("outer"))
    assert found(started(land.ran(runner, line, PATH=f"{land.tools}:{outer}/bin"))) == str(outer / "bin/pip")


def test_poetry_brings_a_pip_of_its_own(land: ProjectLand) -> None:
    """For the very word pip Poetry uses the one it carries; pip3 walks on along PATH."""
    land.venv("code/app/.venv")
    assert land.ran(PoetryRun(), "poetry run pip install x") == "unknown-settings"
    assert isinstance(land.ran(PoetryRun(), "poetry run pip3 install x"), Run)


def test_environments_that_are_made_first(land: ProjectLand) -> None:
    """The environment is predicted, and what is started finds its pip on the disk as it will be."""
    own = {"POETRY_VIRTUALENVS_IN_PROJECT": "1", "POETRY_VIRTUALENVS_USE_POETRY_PYTHON": "1"}
    run = started(land.ran(PoetryRun(), "poetry run pip install x", **own))
    assert run.prediction is not None
    assert (run.prediction.action, run.prediction.creates) == ("create", True)
    assert found(run) == str(land.project / ".venv/bin/pip")


def test_hatch_names_its_environment_in_the_command(land: ProjectLand) -> None:
    """`test:pip` is pip in the environment test, `:pip` the caller's own, a script's name is not looked into."""
    land.manifest(MANIFEST + '[tool.hatch.envs.test]\npath = "t"\n[tool.hatch.envs.default]\npath = "d"\n')
    default = pip(land.venv("code/app/d"))
    assert found(started(land.ran(HatchRun(), "hatch run pip install x"))) == str(default / "bin/pip")
    named = started(land.ran(HatchRun(), "hatch run test:pip install x", PATH=f"{land.tools}:{default}/bin"))
    assert (named.start, named.front) == (3, (b"pip",))
    assert named.prediction is not None and named.prediction.creates
    assert found(named) == str(land.project / "t/bin/pip")
    assert started(land.ran(HatchRun(), "hatch run test:uv pip install x")).front == (b"uv",)
    land.manifest(MANIFEST + '[tool.hatch.envs.default]\npath = "d"\nscripts.grab = "pip install x"\n')
    assert land.ran(HatchRun(), "hatch run grab") == "opaque-line"


def test_scripts_are_not_looked_into(land: ProjectLand) -> None:
    """A word that the project's files define as a script may start anything."""
    activate(land.venv("code/app/.venv"))
    land.manifest(MANIFEST + '[project.scripts]\ngrab = "a:b"\n[tool.pdm.scripts]\ngrab = "pip install x"\n')
    land.manifest('[scripts]\ngrab = "pip install x"\n', "Pipfile")
    for runner, line in ((PoetryRun(), "poetry"), (PipenvRun(), "pipenv"), (PdmRun(), "pdm")):
        assert land.ran(runner, f"{line} run grab") == "opaque-line"


def test_conda(land: ProjectLand) -> None:
    """-n and -p choose, CONDA_PREFIX is set, VIRTUAL_ENV stays; scripts that set what installers hear are unknown."""
    root = conda_root(land.home / "conda", environments=("kid",))
    (root / "bin/python3.12").write_bytes(ELF)
    kid, known = root / "envs/kid", {"PATH": f"{root}/condabin"}
    run = started(land.ran(CondaRun(), "conda run --no-capture-output -n kid pip install x", **known))
    assert run.start == 5
    assert run.context is not None
    assert run.context.variables["CONDA_PREFIX"] == os.fsencode(kid)
    assert "VIRTUAL_ENV" not in run.context.variables
    ended = started(land.ran(CondaRun(), "conda run -n nowhere pip", **known)).prediction
    assert ended is not None
    assert ended.reason == "no-environment"
    write(kid / "etc/conda/activate.d/x.sh", "export PIP_TARGET=/x\n")
    assert land.ran(CondaRun(), "conda run -n kid pip", **known) == "unknown-settings"


def test_pixi(land: ProjectLand) -> None:
    """A program in the workspace's environment; a task may be anything."""
    pixi_manifest(land.project, activation='\n[tasks]\ngrab = "pip install x"\n')
    prefix = pixi_environment(land.project)
    run = started(land.ran(PixiRun(), "pixi run python -m pip install x"))
    assert run.context is not None
    assert run.context.variables["CONDA_PREFIX"] == os.fsencode(prefix)
    assert land.ran(PixiRun(), "pixi run grab") == "opaque-line"


@pytest.mark.parametrize(
    ("runner", "line"),
    [
        (PoetryRun(), "poetry add x"), (PoetryRun(), "poetry run"), (PipenvRun(), "pipenv install x"),
        (PdmRun(), "pdm run --list"), (PdmRun(), "pdm add x"), (HatchRun(), "hatch env create"),
        (HatchRun(), "hatch run"), (CondaRun(), "conda install x"), (PixiRun(), "pixi add x"),
    ],
)  # fmt: skip
def test_what_starts_nothing(land: ProjectLand, runner: Runner, line: str) -> None:
    """Other commands of the same tools are their installers' business."""
    assert land.ran(runner, line) is None
