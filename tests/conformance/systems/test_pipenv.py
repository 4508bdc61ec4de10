"""Where the real Pipenv keeps a project's environment is where it is found without asking it."""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from alight import resolver
from alight.files.disk import Disk
from alight.model import Resolution
from alight.wire.facts import OVERRIDES
from support.playfield import Clock, link, write
from support.pythons import pythons
from support.tools import clean_environment, tool

POOL = ".local/share/virtualenvs"


@dataclass
class Case:
    """A project, the files around it, and the variables that Pipenv and alight are both given."""

    project: Path
    home: Path
    variables: dict[str, str] = field(default_factory=dict)

    def run(self, *arguments: str, where: Path | None = None) -> subprocess.CompletedProcess[str]:
        """Pipenv in the project, with no index to ask; PWD is the logical path, as a shell has it."""
        directory = where or self.project
        # virtualenv would otherwise look for newer wheels, in a process that outlives it.
        environment = clean_environment(
            self.home, PIP_NO_INDEX="1", PIPENV_NOSPIN="1", PWD=str(directory),
            VIRTUALENV_NO_SEED="1", VIRTUALENV_NO_PERIODIC_UPDATE="1",
        )  # fmt: skip
        return subprocess.run(
            [str(tool("pipenv")), *arguments], cwd=directory, env=environment | self.variables,
            capture_output=True, text=True, timeout=50, check=False,
        )  # fmt: skip

    def make(self, where: Path | None = None) -> None:
        """The environment, as Pipenv makes it before it installs or runs anything."""
        done = self.run("run", "true", where=where)
        assert done.returncode == 0, done.stderr

    def said(self, where: Path | None = None) -> str | None:
        """Pipenv's own word; None when it has no environment."""
        done = self.run("--venv", where=where)
        return done.stdout.strip() if done.returncode == 0 else None

    def seen(self, where: Path | None = None) -> Resolution:
        """What is read of the same files with the same variables."""
        known = {name: value.encode() for name, value in self.variables.items() if name in OVERRIDES}
        disk = Disk(os.getuid(), Clock())
        return resolver.resolve(os.fsencode(where or self.project), known, disk, os.fsencode(self.home))

    def agree(self, where: Path | None = None) -> Resolution:
        """Both name the same directory, which exists; the answer."""
        said, answer = self.said(where), self.seen(where)
        assert answer.environment is not None, answer
        assert said is not None
        assert os.path.samefile(said, answer.environment.prefix), (said, answer.environment.prefix)
        assert (answer.condition, answer.rule, answer.environment.system) == ("found", "pipenv-project", "pipenv")
        return answer


@pytest.fixture
def case(tmp_path: Path) -> Case:
    home = tmp_path / "home"
    project = home / "my (demo) app"
    write(project / "Pipfile", "[packages]\n")
    return Case(project, home)


def plain_venv(prefix: Path) -> Path:
    command = [str(pythons()[-1].executable), "-m", "venv", "--without-pip", str(prefix)]
    subprocess.run(command, check=True, capture_output=True, timeout=50)
    return prefix


@pytest.mark.parametrize(
    ("files", "variables", "where", "linked"),
    [
        ({}, {}, POOL, True),
        ({}, {"WORKON_HOME": "{}/workon"}, "workon", True),
        ({}, {"WORKON_HOME": "~/tilde"}, "tilde", True),
        ({}, {"XDG_DATA_HOME": "{}/data"}, "data/virtualenvs", True),
        ({}, {"PIPENV_VENV_IN_PROJECT": "1"}, "my (demo) app", False),
        ({}, {"PIPENV_VENV_IN_PROJECT": "False"}, POOL, True),
        ({"Pipfile": "[pipenv]\nvenv_in_project = true\n"}, {}, "my (demo) app", False),
        ({"Pipfile": "[pipenv]\nvenv_in_project = true\n"}, {"PIPENV_VENV_IN_PROJECT": "no"}, POOL, True),
        ({"Pipfile": "[pipenv]\nvenv_in_project = false\n"}, {"PIPENV_VENV_IN_PROJECT": "on"}, "my (demo) app", False),
        ({".venv": "by-name\n"}, {}, POOL, True),
        ({".venv": "./envs/here"}, {}, "my (demo) app/envs", False),
        ({".venv": "../away/there\n"}, {}, "away", False),
        ({".venv": ""}, {}, POOL, True),
        ({}, {"PIPENV_CUSTOM_VENV_NAME": "custom"}, POOL, True),
        ({}, {"PIPENV_PIPFILE": "{}/my (demo) app/Pipfile"}, POOL, True),
        ({"Pipfile.dev": "[packages]\n"}, {"PIPENV_PIPFILE": "Pipfile.dev"}, POOL, True),
        ({}, {"PIPENV_PYTHON": str(pythons()[-1].executable)}, POOL, True),
        ({}, {"PIPENV_PYTHON": ".".join(pythons()[-1].version.split(".")[:2])}, POOL, True),
    ],
)
def test_where_it_is_made(
    case: Case, files: dict[str, str], variables: dict[str, str], where: str, linked: bool
) -> None:
    """Missing before, at the very place where Pipenv then makes it, for every way to configure the place."""
    for name, text in files.items():
        write(case.project / name, text)
    case.variables = {name: value.format(case.home) for name, value in variables.items()}
    if "PIPENV_PYTHON" in variables:
        case.variables["PATH"] = f"{pythons()[-1].executable.parent}:/usr/bin:/bin"
    before = case.seen()
    assert case.said() is None
    assert before.condition == "missing"
    assert before.would_create is not None
    case.make()
    answer = case.agree()
    assert answer.environment is not None
    assert os.path.samefile(before.would_create.prefix, answer.environment.prefix)
    parent = Path(os.fsdecode(answer.environment.prefix)).parent
    assert os.path.samefile(parent, case.home / where)
    assert answer.linked is linked


def test_a_dot_venv_beside_a_hashed_one(case: Case) -> None:
    """An environment in the pool goes before a .venv that merely stands there, not before one that was asked for."""
    dot = plain_venv(case.project / ".venv")
    assert case.said() == str(dot)
    case.agree()
    dot.rename(case.home / "kept")
    case.make()
    (case.home / "kept").rename(dot)
    for variables in ({}, {"PIPENV_VENV_IN_PROJECT": "0"}, {"PIPENV_VENV_IN_PROJECT": ""}):
        case.variables = variables
        assert case.agree().linked
    for variables in ({"PIPENV_VENV_IN_PROJECT": "1"}, {"PIPENV_VENV_IN_PROJECT": "maybe"}):
        case.variables = variables
        assert not case.agree().linked


def test_an_ignored_dot_venv(case: Case) -> None:
    """Told not to use it, Pipenv has no environment, and neither is the .venv its answer."""
    plain_venv(case.project / ".venv")
    case.variables = {"PIPENV_VENV_IN_PROJECT": "0"}
    assert case.said() is None
    assert case.seen().condition == "missing"


@pytest.mark.parametrize("depth", [None, "2", "1", "0"])
def test_from_below(case: Case, depth: str | None) -> None:
    """From a folder of the project, as far up as both look."""
    case.make()
    case.variables = {} if depth is None else {"PIPENV_MAX_DEPTH": depth}
    below = case.project / "a"
    below.mkdir()
    case.agree()
    if depth in {None, "2"}:
        case.agree(below)
    else:
        assert case.said(below) is None
        assert case.seen(below).condition == "none"


def test_as_deep_as_pipenv_looks(case: Case) -> None:
    """The tenth level is the last."""
    case.make()
    last = case.project.joinpath(*"abcdefghi")
    (last / "j").mkdir(parents=True)
    case.agree(last)
    assert case.said(last / "j") is None
    assert case.seen(last / "j").condition == "none"


def test_elsewhere_with_a_pipfile_in_a_variable(case: Case) -> None:
    """$PIPENV_PIPFILE makes that project's environment the one for every directory, in both."""
    case.variables = {"PIPENV_PIPFILE": str(case.project / "Pipfile")}
    case.make()
    elsewhere = case.home / "elsewhere"
    write(elsewhere / "Pipfile", "[packages]\n")
    assert case.agree(elsewhere).root == os.fsencode(case.project)


def test_by_a_link(case: Case) -> None:
    """By a link to the project both go by the physical path, and by the variable's path where one is set."""
    linked = case.home / "linked"
    link(linked, str(case.project))
    case.make(linked)
    first = case.agree(linked).environment
    case.variables = {"PIPENV_PIPFILE": str(linked / "Pipfile")}
    case.make(linked)
    second = case.agree(linked).environment
    assert first is not None
    assert second is not None
    assert first.prefix != second.prefix
