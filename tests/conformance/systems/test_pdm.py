"""PDM itself and alight name the same environment; PDM is asked without an active environment."""

from __future__ import annotations

import json
import os
import shutil
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
from alight.systems.pdm import Pdm
from support.playfield import Clock, write
from support.pythons import pythons
from support.tools import clean_environment, tool

MANIFEST = '[project]\nname = "demo"\nversion = "0"\nrequires-python = "{}"\n[tool.pdm]\ndistribution = false\n'
NEWEST, OLDER = pythons()[-1], pythons()[-2]


@dataclass
class World:
    """A home, a project in it, and the override variables of one shell."""

    home: Path
    overrides: dict[str, str] = field(default_factory=dict)

    @property
    def project(self) -> Path:
        return self.home / "work" / "My_Demo.App"

    def config(self, text: str) -> None:
        write(self.home / ".config" / "pdm" / "config.toml", text)

    def pdm(self, *arguments: str, where: Path | None = None, **more: str) -> str:
        """What PDM prints, run in the project."""
        path = f"{NEWEST.executable.parent}{os.pathsep}/usr/bin{os.pathsep}/bin"
        environment = clean_environment(self.home, PDM_CHECK_UPDATE="0", **self.overrides, **more) | {"PATH": path}
        done = subprocess.run(
            [tool("pdm", "pdm[locked]"), *arguments], cwd=where or self.project, env=environment, capture_output=True,
            text=True, timeout=50, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return done.stdout

    def install(self) -> None:
        self.pdm("install", "--no-lock", "-q")

    def ask(self, where: Path | None = None) -> str:
        """The prefix PDM uses: its interpreter's environment, or the project's own packages."""
        said = json.loads(self.pdm("info", "--json", where=where))
        packages = Path(said["project"]["pypackages"])
        local = packages.parent.name == "__pypackages__"
        return str(packages if local else Path(said["python"]["interpreter"]).parent.parent)

    def look(self, where: Path | None = None) -> Resolution:
        overrides = {name: os.fsencode(value) for name, value in self.overrides.items()}
        disk = Disk(os.getuid(), Clock())
        return resolve(os.fsencode(where or self.project), overrides, disk, os.fsencode(self.home))

    def venv(self, prefix: Path, python: Path = NEWEST.executable) -> Path:
        subprocess.run([python, "-m", "venv", "--without-pip", prefix], check=True, timeout=50)
        return prefix


@pytest.fixture
def world(tmp_path: Path) -> World:
    made = World(Path(os.path.realpath(tmp_path)) / "home")
    write(made.project / "pyproject.toml", MANIFEST.format(">=3.8"))
    return made


def default(world: World) -> None:
    world.install()


def unsaved(world: World) -> None:
    world.install()
    (world.project / ".pdm-python").unlink()


def pool_by_user_config(world: World) -> None:
    world.config("[venv]\nin_project = false\n")
    unsaved(world)


def pool_by_variable(world: World) -> None:
    world.overrides["PDM_VENV_IN_PROJECT"] = "0"
    unsaved(world)


def pool_by_project_config(world: World) -> None:
    write(world.project / "pdm.toml", "[venv]\nin_project = false\n")
    unsaved(world)


def pool_by_config_file(world: World) -> None:
    world.overrides["PDM_CONFIG_FILE"] = str(write(world.home / "own.toml", '[venv]\nin_project = "no"\n'))
    unsaved(world)


def pool_saved(world: World) -> None:
    world.config("[venv]\nin_project = false\n")
    world.install()


def pool_elsewhere(world: World) -> None:
    world.config('[venv]\nin_project = false\nlocation = "~/pool"\n')
    unsaved(world)


def pool_by_data_home(world: World) -> None:
    world.overrides |= {"XDG_DATA_HOME": str(world.home / "data"), "XDG_CONFIG_HOME": str(world.home / "settings")}
    write(world.home / "settings" / "pdm" / "config.toml", "[venv]\nin_project = false\n")
    unsaved(world)


def pool_of_the_project(world: World) -> None:
    write(world.project / "pdm.toml", f'[venv]\nin_project = false\nlocation = "{world.home}/theirs"\n')
    unsaved(world)


def variable_over_project_over_user(world: World) -> None:
    world.config("[venv]\nin_project = true\n[python]\nuse_venv = false\n")
    write(world.project / "pdm.toml", "[venv]\nin_project = true\n[python]\nuse_venv = true\n")
    world.overrides["PDM_VENV_IN_PROJECT"] = "no"
    unsaved(world)


def named(world: World) -> None:
    world.pdm("venv", "create", "-n", "dev")


def named_and_default(world: World) -> None:
    world.pdm("venv", "create", "-n", "dev")
    world.venv(world.project / ".venv")


def venv_directory(world: World) -> None:
    world.venv(world.project / "venv")


def env_directory(world: World) -> None:
    world.venv(world.project / "env")


def both_directories(world: World) -> None:
    world.venv(world.project / "venv")
    world.venv(world.project / ".venv")


def used(world: World) -> None:
    world.install()
    other = world.venv(world.home / "elsewhere")
    world.pdm("use", "-f", str(other / "bin" / "python"))


def ignored(world: World) -> None:
    used(world)
    world.overrides["PDM_IGNORE_SAVED_PYTHON"] = "1"


def by_variable(world: World) -> None:
    world.install()
    world.overrides["PDM_PYTHON"] = str(world.venv(world.home / "elsewhere") / "bin" / "python")


def saved_one_gone(world: World) -> None:
    used(world)
    shutil.rmtree(world.home / "elsewhere")


def saved_one_too_old(world: World) -> None:
    world.install()
    old = world.venv(world.home / "elsewhere", OLDER.executable)
    world.pdm("use", "-f", str(old / "bin" / "python"))
    write(world.project / "pyproject.toml", MANIFEST.format(f">={NEWEST.version}"))


def first_one_too_old(world: World) -> None:
    world.venv(world.project / ".venv", OLDER.executable)
    world.pdm("venv", "create", "-n", "dev", str(NEWEST.executable))
    write(world.project / "pyproject.toml", MANIFEST.format(f">={NEWEST.version}"))


def packages_by_variable(world: World) -> None:
    world.overrides["PDM_USE_VENV"] = "false"
    world.install()


def packages_by_project_config(world: World) -> None:
    write(world.project / "pdm.toml", "[python]\nuse_venv = false\n")
    world.install()


def packages_beside_an_environment(world: World) -> None:
    world.venv(world.project / ".venv")
    world.config("[python]\nuse_venv = false\n")
    world.install()


def packages_that_stand(world: World) -> None:
    (world.project / "__pypackages__").mkdir()
    world.install()


def packages_of_a_saved_base(world: World) -> None:
    write(world.project / ".pdm-python", str(NEWEST.executable))
    world.install()


def older_file(world: World) -> None:
    other = world.venv(world.home / "elsewhere")
    write(world.project / ".pdm.toml", f'[python]\npath = "{other}/bin/python"\nuse_venv = true\n')


CASES: tuple[tuple[Callable[[World], None], str], ...] = (
    (default, "pdm-python"),
    (unsaved, "pdm-project"),
    (pool_by_user_config, "pdm-project"),
    (pool_by_variable, "pdm-project"),
    (pool_by_project_config, "pdm-project"),
    (pool_by_config_file, "pdm-project"),
    (pool_saved, "pdm-python"),
    (pool_elsewhere, "pdm-project"),
    (pool_by_data_home, "pdm-project"),
    (pool_of_the_project, "pdm-project"),
    (variable_over_project_over_user, "pdm-project"),
    (named, "pdm-project"),
    (named_and_default, "pdm-project"),
    (venv_directory, "pdm-project"),
    (env_directory, "pdm-project"),
    (both_directories, "pdm-project"),
    (used, "pdm-python"),
    (ignored, "pdm-project"),
    (by_variable, "pdm-python"),
    (saved_one_gone, "pdm-project"),
    (saved_one_too_old, "pdm-project"),
    (first_one_too_old, "pdm-project"),
    (packages_by_variable, "pdm-pep582"),
    (packages_by_project_config, "pdm-pep582"),
    (packages_beside_an_environment, "pdm-pep582"),
    (packages_that_stand, "pdm-pep582"),
    (packages_of_a_saved_base, "pdm-pep582"),
    (older_file, "pdm-python"),
)
LINKED = {
    "pool_by_user_config", "pool_by_variable", "pool_by_project_config", "pool_by_config_file", "pool_saved",
    "pool_elsewhere", "pool_by_data_home", "variable_over_project_over_user", "named", "first_one_too_old",
}  # fmt: skip


@pytest.mark.parametrize(("arrange", "rule"), CASES, ids=lambda value: getattr(value, "__name__", None))
def test_pdm_says_the_same(world: World, arrange: Callable[[World], None], rule: str) -> None:
    """Whatever the configuration, the prefix is PDM's, before PDM saves its choice and after."""
    arrange(world)
    before = world.look()
    said = world.ask()
    assert before.environment is not None
    assert os.fsdecode(before.environment.prefix) == said
    assert before.rule == rule
    assert before.environment.kind == ("pep582" if rule == "pdm-pep582" else "venv")
    assert before.linked == (arrange.__name__ in LINKED)
    after = world.look()
    assert after.environment is not None
    assert os.fsdecode(after.environment.prefix) == said


@pytest.mark.parametrize("pooled", [False, True])
def test_a_linked_path_and_a_subdirectory(world: World, pooled: bool) -> None:
    """Through a link and from below, it is the environment PDM finds there, whose hash is of the path without links."""
    world.overrides["PDM_VENV_IN_PROJECT"] = str(not pooled).lower()
    unsaved(world)
    (world.home / "link").symlink_to(world.project)
    below = world.home / "link" / "src" / "deep"
    below.mkdir(parents=True)
    for place in (world.home / "link", below, world.project / "src"):
        environment = world.look(place).environment
        assert environment is not None
        said = world.ask(place)
        assert os.path.realpath(environment.prefix) == os.fsencode(os.path.realpath(said))
        (world.project / ".pdm-python").unlink()


def test_a_project_given_by_a_link(world: World) -> None:
    """``pdm -p`` hashes the path as given; that environment is found through the link, and the other is not taken."""
    world.overrides["PDM_VENV_IN_PROJECT"] = "0"
    link = world.home / "link"
    link.symlink_to(world.project)
    world.pdm("venv", "-p", str(link), "create", "-n", "dev")
    said = world.pdm("venv", "-p", str(link), "--path", "dev").strip()
    environment = world.look(link).environment
    assert environment is not None
    assert os.fsdecode(environment.prefix) == said
    assert world.look().condition == "missing"


@pytest.mark.parametrize("pattern", ["packages/*", "packages/one", "./packages/[no]ne", "**/one"])
def test_a_workspace_member_has_its_root_s_environment(world: World, pattern: str) -> None:
    """A member's own environment and saved Python do not count, before the workspace's exists and after."""
    member = world.project / "packages" / "one"
    write(world.project / "pyproject.toml",
          MANIFEST.format(">=3.8") + f'[tool.pdm.workspace]\nmembers = ["{pattern}"]\n')  # fmt: skip
    write(member / "pyproject.toml", MANIFEST.format(">=3.8").replace("demo", "one"))
    world.venv(member / ".venv")
    before = world.look(member)
    assert (before.condition, before.root) == ("missing", os.fsencode(world.project))
    assert before.would_create is not None
    assert before.would_create.command == f"pdm install -p {world.project}"
    said = world.pdm("run", "python", "-c", "import sys; print(sys.prefix)", where=member).strip()
    assert os.fsdecode(before.would_create.prefix) == said
    after = world.look(member)
    assert after.environment is not None
    assert os.fsdecode(after.environment.prefix) == said


def test_what_would_be_made_is_made(world: World) -> None:
    """The command named for a missing environment makes it, at the path named."""
    write(world.project / "pdm.lock")
    before = world.look()
    assert before.would_create is not None
    assert before.would_create.command == "pdm install"
    (world.project / "pdm.lock").unlink()
    world.install()
    after = world.look()
    assert after.environment is not None
    assert after.environment.prefix == before.would_create.prefix
    assert not after.environment.broken


def test_one_outside_requires_python_is_made_anew(world: World) -> None:
    """PDM replaces a .venv whose Python is too old by another in its place; alight names it, and what is wrong."""
    world.venv(world.project / ".venv", OLDER.executable)
    write(world.project / "pyproject.toml", MANIFEST.format(f">={NEWEST.version}"))
    before = world.look()
    assert before.environment is not None
    assert [finding.code for finding in before.findings] == ["requires-python"]
    assert os.fsdecode(before.environment.prefix) == world.ask()
    assert world.look().findings == ()


def test_listed(world: World) -> None:
    """What PDM lists in its pool is what alight lists."""
    world.pdm("venv", "create", "-n", "one")
    world.pdm("venv", "create", "-n", "two")
    disk = Disk(os.getuid(), Clock())
    facts = Facts(disk, {}, os.fsencode(world.home), b"/", Documents(disk))
    listed = [os.fsdecode(prefix) for prefix in Pdm().list(facts)]
    said = [line.split()[-1] for line in world.pdm("venv", "list").splitlines() if "/" in line]
    assert sorted(listed) == sorted(said)
    assert len(listed) == 2
