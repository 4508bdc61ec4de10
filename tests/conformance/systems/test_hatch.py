"""Hatch itself and alight name the same environment; Hatch is asked without an active environment."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from alight.files.disk import Disk
from alight.files.documents import Documents
from alight.model import Resolution
from alight.resolver import resolve
from alight.systems.base import Facts
from alight.systems.hatch import Hatch
from support.playfield import Clock, write
from support.pythons import pythons
from support.tools import clean_environment, tool

NEWEST = pythons()[-1]
MANIFEST = """[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"
[project]
name = "My_Demo.App"
version = "0"
"""
DETACHED = "[tool.hatch.envs.default]\nskip-install = true\n"


@dataclass
class World:
    """A home, a project in it, and the override variables of one shell."""

    home: Path
    overrides: dict[str, str] = field(default_factory=dict)

    @property
    def project(self) -> Path:
        return self.home / "work" / "A Folder.d"

    def config(self, text: str) -> Path:
        return write(self.home / ".config" / "hatch" / "config.toml", text)

    def manifest(self, text: str) -> None:
        write(self.project / "pyproject.toml", MANIFEST + text)

    def hatch(self, *arguments: str, where: Path | None = None) -> str:
        """What Hatch prints, run in the project."""
        path = f"{NEWEST.executable.parent}{os.pathsep}/usr/bin{os.pathsep}/bin"
        environment = clean_environment(self.home, HATCH_PYTHON=str(NEWEST.executable), **self.overrides)
        done = subprocess.run(
            [tool("hatch"), *arguments], cwd=where or self.project, env=environment | {"PATH": path},
            capture_output=True, text=True, timeout=50, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def create(self, *name: str) -> None:
        self.hatch("env", "create", *name)

    def ask(self, *name: str, where: Path | None = None) -> list[str]:
        return self.hatch("env", "find", *name, where=where).splitlines()

    def look(self, where: Path | None = None) -> Resolution:
        overrides = {name: os.fsencode(value) for name, value in self.overrides.items()}
        disk = Disk(os.getuid(), Clock())
        return resolve(os.fsencode(where or self.project), overrides, disk, os.fsencode(self.home))


@pytest.fixture
def world(tmp_path: Path) -> World:
    made = World(Path(os.path.realpath(tmp_path)) / "home")
    made.manifest(DETACHED)
    return made


def nested(world: World) -> None:
    del world


def by_data_variable(world: World) -> None:
    world.overrides["HATCH_DATA_DIR"] = str(world.home / "data")


def by_data_variable_with_a_tilde(world: World) -> None:
    world.overrides["HATCH_DATA_DIR"] = "~/data"


def by_data_setting(world: World) -> None:
    world.config('[dirs]\ndata = "$HOME/data"\n')


def by_data_home(world: World) -> None:
    world.overrides["XDG_DATA_HOME"] = str(world.home / "data")


def variable_over_setting(world: World) -> None:
    by_data_setting(world)
    world.overrides["HATCH_DATA_DIR"] = str(world.home / "other")


def by_storage_setting(world: World) -> None:
    world.config('[dirs.env]\nvirtual = "~/pool"\n')


def by_config_home(world: World) -> None:
    world.overrides["XDG_CONFIG_HOME"] = str(world.home / "settings")
    write(world.home / "settings" / "hatch" / "config.toml", '[dirs.env]\nvirtual = "${HOME}/pool"\n')


def by_config_variable(world: World) -> None:
    world.config('[dirs.env]\nvirtual = "~/ignored"\n')
    world.overrides["HATCH_CONFIG"] = str(write(world.home / "own.toml", '[dirs.env]\nvirtual = "~/pool"\n'))


def flat_in_virtualenvs(world: World) -> None:
    world.config('[dirs.env]\nvirtual = "~/.virtualenvs"\n')


def flat_in_the_project(world: World) -> None:
    world.config('[dirs.env]\nvirtual = ".hatch"\n')


def flat_below_the_project(world: World) -> None:
    world.config(f'[dirs.env]\nvirtual = "{world.project}/deep/envs"\n')


def ignored_in_pyproject(world: World) -> None:
    world.manifest(DETACHED + '[tool.hatch.dirs.env]\nvirtual = ".hatch"\n')


def ignored_in_hatch_toml(world: World) -> None:
    write(world.project / "hatch.toml", '[dirs.env]\nvirtual = ".hatch"\n[envs.default]\nskip-install = true\n')


def path_of_the_environment(world: World) -> None:
    world.manifest(DETACHED + 'path = ".venv"\n')


def path_elsewhere(world: World) -> None:
    world.manifest(DETACHED + f'path = "{world.home}/elsewhere"\n')


def path_by_variable(world: World) -> None:
    world.manifest(DETACHED + 'path = "ignored"\n')
    world.overrides["HATCH_ENV_TYPE_VIRTUAL_PATH"] = "../outside"


def path_in_hatch_toml(world: World) -> None:
    world.manifest(DETACHED + 'path = "ignored"\n')
    write(world.project / "hatch.toml", '[envs.default]\nskip-install = true\npath = "taken"\n')


def without_a_project_table(world: World) -> None:
    write(world.project / "pyproject.toml", DETACHED)


def with_hatch_toml_alone(world: World) -> None:
    (world.project / "pyproject.toml").unlink()
    write(world.project / "hatch.toml", "[envs.default]\nskip-install = true\n")


def with_setup_py(world: World) -> None:
    with_hatch_toml_alone(world)
    write(world.project / "setup.py")


CASES: tuple[Callable[[World], None], ...] = (
    nested, by_data_variable, by_data_variable_with_a_tilde, by_data_setting, by_data_home, variable_over_setting,
    by_storage_setting, by_config_home, by_config_variable, flat_in_virtualenvs, flat_in_the_project,
    flat_below_the_project, ignored_in_pyproject, ignored_in_hatch_toml, path_of_the_environment, path_elsewhere,
    path_by_variable, path_in_hatch_toml, without_a_project_table, with_hatch_toml_alone, with_setup_py,
)  # fmt: skip


@pytest.mark.parametrize("arrange", CASES)
def test_hatch_says_the_same(world: World, arrange: Callable[[World], None]) -> None:
    """Whatever the configuration, the environment is where Hatch says, before it exists and after."""
    arrange(world)
    said = world.ask()
    before = world.look()
    assert (before.condition, before.rule) == ("missing", "hatch-project")
    assert before.would_create is not None
    assert before.would_create.command == "hatch env create"
    assert [os.fsdecode(before.would_create.prefix)] == said
    world.create()
    after = world.look()
    assert after.environment is not None
    assert [os.fsdecode(after.environment.prefix)] == said
    assert (after.condition, after.rule, after.environment.system) == ("found", "hatch-project", "hatch")
    assert after.linked == (not arrange.__name__.startswith(("flat", "path")))


@pytest.mark.parametrize("flat", [False, True])
def test_a_named_environment(world: World, flat: bool) -> None:
    """HATCH_ENV chooses the environment commands run in; the others of the project are alternatives."""
    if flat:
        flat_in_virtualenvs(world)
    world.manifest(DETACHED + "[tool.hatch.envs.test]\n")
    for name in ("default", "test"):
        world.create(name)
    by_default = world.look()
    world.overrides["HATCH_ENV"] = "test"
    chosen = world.look()
    asked = world.hatch("run", "python", "-c", "import sys; print(sys.prefix)").strip()
    assert by_default.environment is not None
    assert chosen.environment is not None
    assert os.fsdecode(chosen.environment.prefix) == asked == world.ask("test")[0]
    assert [os.fsdecode(by_default.environment.prefix)] == world.ask("default")
    assert [other.environment.prefix for other in by_default.alternatives] == [chosen.environment.prefix]
    assert [other.environment.prefix for other in chosen.alternatives] == [by_default.environment.prefix]


def test_a_named_environment_does_not_stand_for_the_default(world: World) -> None:
    """While the default is missing, another environment of the project is an alternative and no answer."""
    world.manifest(DETACHED + "[tool.hatch.envs.test]\n")
    world.create("test")
    answer = world.look()
    assert answer.condition == "missing"
    assert [[os.fsdecode(other.environment.prefix)] for other in answer.alternatives] == [world.ask("test")]


def test_an_environment_nobody_asked_for(world: World) -> None:
    """With Hatch's backend alone a level is Hatch's only once its environment exists."""
    world.manifest("")
    assert world.look().condition == "none"
    world.manifest(DETACHED)
    world.create()
    world.manifest("")
    answer = world.look()
    assert answer.environment is not None
    assert [os.fsdecode(answer.environment.prefix)] == world.ask()
    assert (answer.rule, answer.linked) == ("hatch-project", True)


MATRIX = """[[tool.hatch.envs.{0}.matrix]]
version = ["9", "10"]
python = ["{1}"]
[[tool.hatch.envs.{0}.matrix]]
feature = ["a"]
"""


@pytest.mark.parametrize("name", ["default", "test"])
@pytest.mark.parametrize("form", ["", 'matrix-name-format = "{variable}_{value}"\n'])
def test_the_names_of_a_matrix(world: World, name: str, form: str) -> None:
    """A matrix has no environment of its own, and those it generates are named as Hatch names them."""
    own = "" if name == "default" else "[tool.hatch.envs.test]\n"
    world.manifest(DETACHED + own + form + MATRIX.format(name, ".".join(NEWEST.version.split(".")[:2])))
    said = world.ask(name)
    assert len(said) == 3
    for path in said[1:]:
        world.create(Path(path).name)
    for path in said[1:]:
        world.overrides["HATCH_ENV"] = Path(path).name
        environment = world.look().environment
        assert environment is not None
        assert os.fsdecode(environment.prefix) == path
    world.overrides["HATCH_ENV"] = name
    answer = world.look()
    assert answer.environment is not None
    assert os.fsdecode(answer.environment.prefix) == said[1]
    assert "ambiguous" in {finding.code for finding in answer.findings}
    assert said[2] in {os.fsdecode(other.environment.prefix) for other in answer.alternatives}


def test_a_linked_path_and_a_subdirectory(world: World) -> None:
    """Through a link and from below it is the same environment: Hatch takes the path without links."""
    world.create()
    (world.home / "link").symlink_to(world.project)
    below = world.home / "link" / "src" / "deep"
    below.mkdir(parents=True)
    for place in (world.home / "link", below, world.project / "src"):
        environment = world.look(place).environment
        assert environment is not None
        assert [os.fsdecode(environment.prefix)] == world.ask(where=place)


def test_listed(world: World) -> None:
    """Every environment Hatch made in its storage is listed and described as Hatch's."""
    world.manifest(DETACHED + "[tool.hatch.envs.test]\n")
    for name in ("default", "test"):
        world.create(name)
    disk = Disk(os.getuid(), Clock())
    facts = Facts(disk, {}, os.fsencode(world.home), b"/", Documents(disk))
    listed = [*Hatch().list(facts)]
    assert [os.fsdecode(prefix) for prefix in listed] == sorted(world.ask("default") + world.ask("test"))
    for prefix in listed:
        described = Hatch().describe(prefix, facts)
        assert described is not None
        assert (described.system, described.kind) == ("hatch", "venv")
