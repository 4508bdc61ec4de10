"""Where the real Poetry keeps a project's environment is where it is found without asking it."""

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
from support.pythons import Python, pythons
from support.tools import clean_environment, tool

PROJECT = """
[project]
name = "My_Demo.App"
version = "0"
requires-python = ">=3.9"
[build-system]
requires = ["poetry-core"]
build-backend = "poetry.core.masonry.api"
"""
PYTHONS = [python for python in pythons() if int(python.version.split(".")[1]) >= 9][-2:]
"""The newest two that Poetry can make environments with."""

CONFIG = ".config/pypoetry/config.toml"


@dataclass
class Case:
    """A project, the files around it, and the variables that Poetry and alight are both given."""

    project: Path
    home: Path
    variables: dict[str, str] = field(default_factory=dict)

    def run(self, *arguments: str, where: Path | None = None) -> subprocess.CompletedProcess[str]:
        """Poetry in the project, with one ``python`` on PATH and no index to ask."""
        environment = clean_environment(
            self.home, PATH=f"{self.home}/bin:/usr/bin:/bin", PIP_NO_INDEX="1", POETRY_KEYRING_ENABLED="false"
        )
        return subprocess.run(
            [str(tool("poetry")), "-n", *arguments], cwd=where or self.project, env=environment | self.variables,
            capture_output=True, text=True, timeout=50, check=False,
        )  # fmt: skip

    def install(self) -> None:
        """The environment, as ``poetry install`` makes it."""
        done = self.run("install", "--no-root")
        assert done.returncode == 0, done.stderr

    def said(self, where: Path | None = None) -> str | None:
        """Poetry's own word, which it gives relative to where it stands; None when it has no environment."""
        done = self.run("env", "info", "-p", where=where)
        return str((where or self.project) / done.stdout.strip()) if done.returncode == 0 else None

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
        assert (answer.condition, answer.rule, answer.environment.system) == ("found", "poetry-project", "poetry")
        return answer


@pytest.fixture
def case(tmp_path: Path) -> Case:
    home = tmp_path / "home"
    project = home / "my app"
    write(project / "pyproject.toml", PROJECT)
    use(home, PYTHONS[-1])
    return Case(project, home)


def use(home: Path, python: Python) -> None:
    """Make ``python`` on PATH this one."""
    link(home / "bin" / "python", str(python.executable))


def plain_venv(prefix: Path) -> Path:
    command = [str(PYTHONS[-1].executable), "-m", "venv", "--without-pip", str(prefix)]
    subprocess.run(command, check=True, capture_output=True, timeout=50)
    return prefix


@pytest.mark.parametrize(
    ("files", "variables", "where", "linked"),
    [
        ({}, {}, ".cache/pypoetry/virtualenvs", True),
        ({CONFIG: "[virtualenvs]\nin-project = true\n"}, {}, "my app", False),
        ({}, {"POETRY_VIRTUALENVS_IN_PROJECT": "true"}, "my app", False),
        ({"my app/poetry.toml": "[virtualenvs]\nin-project = true\n"}, {}, "my app", False),
        (
            {"my app/poetry.toml": "[virtualenvs]\nin-project = true\n"},
            {"POETRY_VIRTUALENVS_IN_PROJECT": "false"},
            ".cache/pypoetry/virtualenvs",
            True,
        ),
        (
            {"my app/poetry.toml": "[virtualenvs]\nin-project = true\n"},
            {"POETRY_VIRTUALENVS_IN_PROJECT": ""},
            ".cache/pypoetry/virtualenvs",
            True,
        ),
        ({}, {"POETRY_VIRTUALENVS_PATH": "~/by-variable"}, "by-variable", True),
        ({CONFIG: 'virtualenvs.path = "~/by-user"\n'}, {}, "by-user", True),
        ({CONFIG: 'cache-dir = "~/cache"\nvirtualenvs.path = "{cache-dir}/here"\n'}, {}, "cache/here", True),
        ({"my app/poetry.toml": 'virtualenvs.path = "~/by-project"\n'}, {}, "by-project", False),
        ({"my app/poetry.toml": 'virtualenvs.path = "envs"\n'}, {}, "my app/envs", False),
        ({}, {"POETRY_CACHE_DIR": "~/cached"}, "cached/virtualenvs", True),
        ({"conf/config.toml": 'virtualenvs.path = "~/by-conf"\n'}, {"POETRY_CONFIG_DIR": "{}/conf"}, "by-conf", True),
        ({}, {"XDG_CACHE_HOME": "{}/xdg"}, "xdg/pypoetry/virtualenvs", True),
        ({"xdg/pypoetry/config.toml": 'cache-dir = "~/c"\n'}, {"XDG_CONFIG_HOME": "{}/xdg"}, "c/virtualenvs", True),
    ],
)
def test_where_it_is_made(
    case: Case, files: dict[str, str], variables: dict[str, str], where: str, linked: bool
) -> None:
    """Missing before, and found where Poetry made it, for every way to configure the place."""
    for name, text in files.items():
        write(case.home / name, text)
    case.variables = {name: value.format(case.home) for name, value in variables.items()}
    before = case.seen()
    assert before.condition == ("missing" if (case.project / "poetry.toml").exists() else "none")
    case.install()
    answer = case.agree()
    assert answer.environment is not None
    parent = Path(os.fsdecode(answer.environment.prefix)).parent
    assert (parent, answer.linked, answer.confidence) == (case.home / where, linked, "high")
    if before.would_create is not None and before.would_create.prefix:
        assert before.would_create.prefix == answer.environment.prefix


@pytest.mark.parametrize(
    "manifest",
    [
        "[tool.poetry]\npackage-mode = false\n",
        '[tool.poetry]\nname = "Old.Style"\nversion = "0"\ndescription = ""\nauthors = []\n',
        PROJECT + '[tool.poetry]\nname = "other"\n',
        '[project]\nname = "' + "long-" * 12 + 'name"\nversion = "0"\n[tool.poetry]\npackage-mode = false\n',
    ],
)
def test_names(case: Case, manifest: str) -> None:
    """The name in the hash comes from where Poetry takes it."""
    write(case.project / "pyproject.toml", manifest)
    case.install()
    case.agree()


def test_a_dot_venv_beside_a_hashed_one(case: Case) -> None:
    """A plain ``python -m venv .venv`` takes the place of the hashed one, unless in-project is false."""
    case.install()
    hashed = case.agree().environment
    assert hashed is not None
    dot = plain_venv(case.project / ".venv")
    beside = case.agree().environment
    assert beside is not None
    assert beside.prefix == os.fsencode(dot)
    case.variables = {"POETRY_VIRTUALENVS_IN_PROJECT": "false"}
    assert case.agree().environment == hashed


def test_a_dot_venv_that_is_ignored(case: Case) -> None:
    """With in-project false and nothing hashed, Poetry has no environment, and neither is the .venv its answer."""
    write(case.project / "poetry.lock")
    plain_venv(case.project / ".venv")
    case.variables = {"POETRY_VIRTUALENVS_IN_PROJECT": "false"}
    assert case.said() is None
    assert case.seen().condition == "missing"


def test_in_project_after_a_hashed_one(case: Case) -> None:
    """Poetry keeps its hashed environment when in-project is set later, until there is a .venv."""
    case.install()
    case.variables = {"POETRY_VIRTUALENVS_IN_PROJECT": "true"}
    case.agree()


def test_an_empty_dot_venv(case: Case) -> None:
    """Poetry names an empty .venv as its environment and makes one there: here that is missing, at that place."""
    (case.project / ".venv").mkdir()
    write(case.project / "poetry.toml")
    before = case.seen()
    assert before.would_create is not None
    assert case.said() == os.fsdecode(before.would_create.prefix)
    case.install()
    case.agree()


def test_no_environments_wanted(case: Case) -> None:
    """With virtualenvs.create false, neither knows an environment."""
    case.install()
    write(case.home / CONFIG, "virtualenvs.create = false\n")
    assert case.said() is None
    assert case.seen().condition == "none"


def test_env_use(case: Case) -> None:
    """Whichever Python ``poetry env use`` chose is the one, whatever ``python`` is on PATH."""
    for python in PYTHONS:
        done = case.run("env", "use", str(python.executable))
        assert done.returncode == 0, done.stderr
    for python in PYTHONS:
        assert case.run("env", "use", str(python.executable)).returncode == 0
        answer = case.agree()
        assert answer.environment is not None
        assert answer.environment.python_version == python.version
        assert len(answer.alternatives) == len(PYTHONS) - 1
    envs = case.home / ".cache/pypoetry/virtualenvs/envs.toml"
    assert os.fsencode(envs) in case.seen().evidence


def test_without_a_choice_it_is_a_guess(case: Case) -> None:
    """Without envs.toml Poetry takes the minor of ``python`` on PATH, which is nobody's file: a guess that says so."""
    for python in PYTHONS:
        use(case.home, python)
        assert case.run("env", "use", str(python.executable)).returncode == 0
    (case.home / ".cache/pypoetry/virtualenvs/envs.toml").unlink()
    answer = case.agree()
    several = len(PYTHONS) > 1
    assert answer.confidence == ("guess" if several else "high")
    assert [finding.code for finding in answer.findings] == ["ambiguous"] * several


def test_from_below_and_by_a_link(case: Case) -> None:
    """From a folder of the project, and by a link to it, both find the same."""
    case.install()
    (case.project / "src").mkdir()
    case.agree(case.project / "src")
    link(case.home / "linked", str(case.project))
    case.agree(case.home / "linked")
