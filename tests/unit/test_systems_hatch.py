"""How Hatch's claims are made, and what a hostile project cannot make of them."""

from __future__ import annotations

import base64
import hashlib
import os
from pathlib import Path

import pytest

from alight import resolver
from alight.files.documents import Documents
from alight.model import Resolution
from alight.systems.base import Facts
from alight.systems.hatch import Hatch
from support.playfield import Playfield, write

MANIFEST = '[build-system]\nbuild-backend = "hatchling.build"\n[project]\nname = "My_Demo.App"\n'
ENVS = "[tool.hatch.envs.default]\nskip-install = true\n"


@pytest.fixture
def project(field: Playfield) -> Path:
    write(field.home / "p" / "pyproject.toml", MANIFEST)
    return field.home / "p"


def facts(field: Playfield, platform: str = "linux", **overrides: str) -> Facts:
    disk = field.disk()
    chosen = {name: os.fsencode(value) for name, value in overrides.items()}
    home = os.fsencode(field.home)
    return Facts(disk, chosen, home, home, Documents(disk), platform=platform)


def identity(project: Path | str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(os.fsencode(project)).digest()).decode()[:8]


def stored(field: Playfield, project: Path, leaf: str = "my-demo-app", name: str = "my-demo-app") -> Path:
    return field.home / ".local/share/hatch/env/virtual" / name / identity(os.path.realpath(project)) / leaf


def seen(answer: Resolution) -> tuple[str, str | None]:
    environment = answer.environment
    return answer.rule, None if environment is None else os.fsdecode(environment.prefix)


def test_the_worked_example() -> None:
    """The hash is the one of the rule book's example."""
    assert identity("/home/ana/work/My_Demo.App") == "LJzAUMVV"


def test_the_backend_alone_is_weak(field: Playfield, project: Path) -> None:
    """The backend is everybody's: only an environment that exists makes the level Hatch's."""
    assert field.resolve(project).condition == "none"
    prefix = field.venv(stored(field, project))
    answer = field.resolve(project)
    assert seen(answer) == ("hatch-project", str(prefix))
    assert (answer.linked, answer.confidence, answer.condition) == (True, "high", "found")
    assert answer.environment is not None
    assert answer.environment.system == "hatch"


@pytest.mark.parametrize(
    "text", ['[project]\nname = "Other"\n', "project.name='other'\n", '["project"]\n"name"="OTHER"\n']
)
def test_another_backend_with_an_environment_of_hatch(field: Playfield, project: Path, text: str) -> None:
    """Hatch works with every backend; a manifest that never names it counts once the environment exists."""
    write(project / "pyproject.toml", text)
    (field.home / ".local/share/hatch/env/virtual").mkdir(parents=True)
    assert field.resolve(project).condition == "none"
    prefix = field.venv(stored(field, project, "other", "other"))
    assert seen(field.resolve(project)) == ("hatch-project", str(prefix))


def test_a_dot_venv_is_worked_in_while_hatch_has_none(field: Playfield, project: Path) -> None:
    """Many projects use Hatch for single tasks: what exists wins over what would be created, not over Hatch's own."""
    write(project / "pyproject.toml", MANIFEST + ENVS)
    local = field.venv(project / ".venv")
    assert seen(field.resolve(project)) == ("venv-directory", str(local))
    prefix = field.venv(stored(field, project))
    answer = field.resolve(project)
    assert seen(answer) == ("hatch-project", str(prefix))
    assert [alternative.rule for alternative in answer.alternatives] == ["venv-directory"]


def test_missing(field: Playfield, project: Path) -> None:
    """A level that defines environments says what would be created, and where."""
    write(project / "pyproject.toml", MANIFEST + ENVS)
    answer = field.resolve(project)
    assert (answer.condition, answer.rule) == ("missing", "hatch-project")
    assert answer.would_create is not None
    assert answer.would_create.command == "hatch env create"
    assert os.fsdecode(answer.would_create.prefix) == str(stored(field, project))


@pytest.mark.parametrize("name", ["../../x", "a/b", "/", "", ".", "a\\u0000b"])
def test_a_name_that_would_escape(field: Playfield, project: Path, name: str) -> None:
    """A project's name is one part of a path or nothing is computed from it; an empty one is the directory's."""
    write(project / "pyproject.toml", f'[project]\nname = "{name}"\n' + ENVS)
    answer = field.resolve(project)
    assert answer.would_create is not None
    expected = {"": stored(field, project, "p", "p"), ".": stored(field, project, "-", "-")}
    assert answer.would_create.prefix == (os.fsencode(expected[name]) if name in expected else b"")


@pytest.mark.parametrize("name", ["../x", "a/b", ".."])
def test_an_environment_s_name_that_would_escape(field: Playfield, project: Path, name: str) -> None:
    """The same holds for the names of environments."""
    write(project / "pyproject.toml", MANIFEST + f'[tool.hatch.envs."{name}"]\n')
    answer = field.resolve(project, {"HATCH_ENV": name.encode()})
    assert answer.would_create is not None
    assert answer.would_create.prefix == b""


def test_an_environment_the_project_does_not_define(field: Playfield, project: Path) -> None:
    """HATCH_ENV with a name from elsewhere: Hatch would fail, and claims nothing."""
    write(project / "pyproject.toml", MANIFEST + ENVS)
    field.venv(stored(field, project))
    assert field.resolve(project, {"HATCH_ENV": b"docs"}).condition == "none"


def test_a_system_environment_is_none(field: Playfield, project: Path) -> None:
    """An environment of type "system" means the Python that runs Hatch."""
    write(project / "pyproject.toml", MANIFEST + ENVS + 'type = "system"\n')
    assert field.resolve(project).condition == "none"


def test_path_is_inherited_from_the_template(field: Playfield, project: Path) -> None:
    """An environment has its template's path unless it is detached; a circle of templates ends."""
    local = field.venv(field.home / "local")
    text = MANIFEST + ENVS + 'path = "../local"\n[tool.hatch.envs.test]\n[tool.hatch.envs.apart]\ndetached = true\n'
    text += '[tool.hatch.envs.a]\ntemplate = "b"\n[tool.hatch.envs.b]\ntemplate = "a"\n'
    write(project / "pyproject.toml", text)
    answer = field.resolve(project, {"HATCH_ENV": b"test"})
    assert seen(answer) == ("hatch-project", str(local))
    assert not answer.linked
    for name in ("apart", "a"):
        answer = field.resolve(project, {"HATCH_ENV": name.encode()})
        assert answer.would_create is not None
        assert os.fsdecode(answer.would_create.prefix) == str(stored(field, project, name))
        assert answer.would_create.command == f"hatch env create {name}"


def test_older_hatch_without_a_project_table(field: Playfield, project: Path) -> None:
    """Hatch takes the directory's name; older versions' unmanaged environments are found while they exist."""
    write(project / "pyproject.toml", ENVS)
    answer = field.resolve(project)
    assert answer.would_create is not None
    assert os.fsdecode(answer.would_create.prefix) == str(stored(field, project, "p", "p"))
    name = f"{identity(os.path.realpath(project))}-unmanaged"
    older = field.venv(stored(field, project, name, name))
    assert seen(field.resolve(project)) == ("hatch-project", str(older))
    newer = field.venv(stored(field, project, "p", "p"))
    assert seen(field.resolve(project)) == ("hatch-project", str(newer))


@pytest.mark.parametrize("text", ["envs = 1", "[envs]\ndefault = 1", "[envs.default]\npath = 1",
                                  "[envs.default]\nmatrix = 1",
                                  "[envs.default]\nmatrix = [1]", "[[envs.default.matrix]]\npython = 1",
                                  "[[envs.default.matrix]]\npython = [1]", "[envs.default]\ntemplate = []",
                                  "[envs.default]\ntype = 1\nmatrix-name-format = 2", '[envs.default]\ntype = "../x"',
                                  '[envs.default]\npath = "\\u0000"'])  # fmt: skip
def test_wrong_types_never_raise(field: Playfield, project: Path, text: str) -> None:
    """A definition of the wrong type is none."""
    write(project / "hatch.toml", text)
    assert field.resolve(project).rule == "hatch-project"


@pytest.mark.parametrize("text", ["dirs = 1", "[dirs]\ndata = 1", "[dirs]\nenv = 1", "[dirs.env]\nvirtual = 1",
                                  '[dirs]\ndata = "\\u0000"', '[dirs.env]\nvirtual = "\\u0000"'])  # fmt: skip
def test_wrong_settings_never_raise(field: Playfield, project: Path, text: str) -> None:
    """A setting of the wrong type is no setting."""
    write(field.home / ".config/hatch/config.toml", text)
    prefix = field.venv(stored(field, project))
    assert seen(field.resolve(project)) == ("hatch-project", str(prefix))


def test_a_large_matrix_is_bounded(field: Playfield, project: Path) -> None:
    """A matrix of a million environments costs no more than a few."""
    axes = "".join(f"v{number} = {[str(value) for value in range(10)]}\n" for number in range(6))
    write(project / "pyproject.toml", MANIFEST + ENVS + f"[[tool.hatch.envs.default.matrix]]\n{axes}")
    disk = field.disk()
    home = os.fsencode(field.home)
    resolver.resolve(os.fsencode(project), {}, disk, home)
    assert len(disk.fingerprint().records) < 200


def test_macos(field: Playfield, project: Path) -> None:
    """On macOS platformdirs' directory is used, and the path's hash does not tell capitals."""
    support = field.home / "Library/Application Support/hatch/env/virtual"
    assert Hatch().pools(facts(field, "darwin")) == (os.fsencode(support),)
    folded = identity(os.path.realpath(project).casefold())
    prefix = field.venv(support / "my-demo-app" / folded / "my-demo-app")
    claim = Hatch().claim(os.fsencode(project), facts(field, "darwin"))
    assert claim is not None
    assert (claim.prefix, claim.linked) == (os.fsencode(prefix), True)


def test_listed_and_described(field: Playfield, project: Path) -> None:
    """Three levels below the storage, without Hatch's own scripts and Pythons; a flat storage tells nothing."""
    prefix = field.venv(stored(field, project))
    second = field.venv(stored(field, project, "test"))
    storage = prefix.parents[2]
    field.venv(storage / ".scripts" / "abcdefgh" / "x")
    (storage / "loose" / "abcdefgh" / "empty").mkdir(parents=True)
    known = facts(field)
    assert [*Hatch().list(known)] == [os.fsencode(prefix), os.fsencode(second)]
    assert set(Hatch().pools(known)) == {
        os.fsencode(storage), os.fsencode(prefix.parent), os.fsencode(storage / "loose" / "abcdefgh"),
    }  # fmt: skip
    described = Hatch().describe(os.fsencode(prefix), known)
    assert described is not None
    assert (described.system, described.kind) == ("hatch", "venv")
    assert Hatch().describe(os.fsencode(field.venv(project / ".venv")), known) is None
    write(field.home / ".config/hatch/config.toml", '[dirs.env]\nvirtual = ".hatch"\n')
    relative = facts(field)
    assert (Hatch().pools(relative), [*Hatch().list(relative)]) == ((), [])
    assert Hatch().describe(b"/x/abcdefgh/y", relative) is None


def test_the_trail(field: Playfield, project: Path) -> None:
    """``alight why`` says what Hatch looked at."""
    write(project / "pyproject.toml", MANIFEST + ENVS)
    steps = field.resolve(project, trail=True).trail
    assert [(step.rule, step.outcome) for step in steps if step.rule == "hatch-project"] == [("hatch-project", "hit")]


def test_beside_a_lock_file_the_newer_of_the_two_counts(field: Playfield, project: Path) -> None:
    """An edit of the manifest both tools share does not make Hatch's environment newer than uv's lock file."""
    write(project / "pyproject.toml", MANIFEST + ENVS)
    prefix, local = field.venv(stored(field, project)), field.venv(project / ".venv")
    write(project / "uv.lock")
    times = {prefix / "pyvenv.cfg": 1_000, project / "uv.lock": 2_000, project / "pyproject.toml": 3_000}
    for path, seconds in times.items():
        os.utime(path, (seconds, seconds))
    assert seen(field.resolve(project)) == ("uv-project", str(local))
    os.utime(prefix / "pyvenv.cfg", (2_500, 2_500))
    assert seen(field.resolve(project)) == ("hatch-project", str(prefix))
