"""Each way in which Pipenv claims a level, by Pipenv's own precedence."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from alight.files.documents import Documents
from alight.model import Resolution
from alight.systems.base import Facts
from alight.systems.pipenv import Pipenv, hashed_name
from support.playfield import Playfield, link, write


@pytest.fixture
def project(field: Playfield) -> Path:
    directory = field.home / "p"
    write(directory / "Pipfile", "[packages]\n")
    return directory


def pool(field: Playfield) -> Path:
    return field.home / ".local" / "share" / "virtualenvs"


def hashed(directory: Path, python: str = "") -> str:
    return os.fsdecode(hashed_name(os.fsencode(directory / "Pipfile"), os.fsencode(python)))


def prefix(answer: Resolution) -> str | None:
    return None if answer.environment is None else os.fsdecode(answer.environment.prefix)


def would(answer: Resolution) -> tuple[str, str]:
    assert answer.condition == "missing"
    assert answer.would_create is not None
    return answer.would_create.command, os.fsdecode(answer.would_create.prefix)


def facts(field: Playfield, overrides: dict[str, bytes] | None = None) -> Facts:
    disk = field.disk()
    return Facts(disk, overrides or {}, os.fsencode(field.home), b"/", Documents(disk))


def test_the_name() -> None:
    """The worked example of the rule book, with $PIPENV_PYTHON as a suffix, and dangerous characters replaced."""
    pipfile = b"/home/ana/work/My_Demo.App/Pipfile"
    assert hashed_name(pipfile) == b"My_Demo.App-esNhEC-y"
    assert hashed_name(pipfile, b"3.9") == b"My_Demo.App-esNhEC-y-3.9"
    assert hashed_name(pipfile, b"/usr/bin/python3") == b"My_Demo.App-esNhEC-y-python3"
    assert hashed_name(b"/a b(c)$/Pipfile").startswith(b"a_b_c__-")
    assert hashed_name(b"/" + b"x" * 60 + b"/Pipfile").startswith(b"x" * 42 + b"-")


def test_the_hashed_environment(field: Playfield, project: Path) -> None:
    """A name with this project's hash in the pool is the answer, linked, from below the project, too."""
    env = field.venv(pool(field) / hashed(project))
    (project / "src").mkdir()
    for directory in (project, project / "src"):
        answer = field.resolve(directory)
        assert (answer.rule, answer.confidence, answer.linked) == ("pipenv-project", "high", True)
        assert (prefix(answer), answer.root) == (str(env), os.fsencode(project))
        assert answer.environment is not None
        assert answer.environment.system == "pipenv"


def test_nothing_made_yet(field: Playfield, project: Path) -> None:
    """A Pipfile owns its level: missing, with the place Pipenv would make it in."""
    field.venv(field.home / ".venv")
    assert would(field.resolve(project)) == ("pipenv install", str(pool(field) / hashed(project)))


@pytest.mark.parametrize(("content", "linked"), [("{}", True), ("{}\n", True), ("/elsewhere", False), ("", True)])
def test_the_back_link(field: Playfield, project: Path, content: str, linked: bool) -> None:
    """What .project says is stronger than the hash: an environment that names another project is no link."""
    env = field.venv(pool(field) / hashed(project))
    write(env / ".project", content.format(project))
    answer = field.resolve(project)
    assert (prefix(answer), answer.linked) == (str(env), linked)
    assert (os.fsencode(env / ".project") in answer.evidence) is (content != "")


@pytest.mark.parametrize("form", ["plain", "~/chosen", "$HOME/chosen", "${XDG_DATA_HOME}/../chosen"])
def test_workon_home(field: Playfield, project: Path, form: str) -> None:
    """$WORKON_HOME moves the pool, with variables and ~ replaced."""
    (field.home / "data").mkdir()
    env = field.venv(field.home / "chosen" / hashed(project))
    value = str(field.home / "chosen") if form == "plain" else form
    overrides = {"WORKON_HOME": value.encode(), "XDG_DATA_HOME": os.fsencode(field.home / "data")}
    answer = field.resolve(project, overrides)
    assert answer.environment is not None
    assert os.path.samefile(answer.environment.prefix, env)
    assert answer.linked


def test_xdg_data_home(field: Playfield, project: Path) -> None:
    """Without $WORKON_HOME the pool lies in $XDG_DATA_HOME."""
    env = field.venv(field.home / "data" / "virtualenvs" / hashed(project))
    assert prefix(field.resolve(project, {"XDG_DATA_HOME": os.fsencode(field.home / "data")})) == str(env)


@pytest.mark.parametrize("value", ["~other/x", "relative"])
def test_unusable_pools(field: Playfield, project: Path, value: str) -> None:
    """Another user's home is not looked up, and what is relative to the shell's directory is nobody's pool."""
    overrides = {"WORKON_HOME": value.encode()}
    assert Pipenv().pools(facts(field, overrides)) == ()
    field.venv(project / "relative" / hashed(project))
    answer = field.resolve(project, overrides)
    assert (prefix(answer) is not None) is (value == "relative")
    assert not answer.linked


@pytest.mark.parametrize(
    ("variable", "written", "in_pool", "expected"),
    [
        (None, None, False, ".venv"),
        (None, None, True, "pool"),
        (None, "true", True, ".venv"),
        (None, "false", True, "pool"),
        ("1", "false", True, ".venv"),
        ("Yes", None, True, ".venv"),
        ("0", "true", True, "pool"),
        ("off", None, True, "pool"),
        ("", None, True, "pool"),
        ("maybe", None, True, ".venv"),
        ("maybe", "false", True, "pool"),
    ],
)
def test_in_project(
    field: Playfield, project: Path, variable: str | None, written: str | None, in_pool: bool, expected: str
) -> None:
    """Variable before Pipfile before what stands there, which yields to an environment in the pool."""
    wanted = {".venv": field.venv(project / ".venv"), "pool": pool(field) / hashed(project)}
    if in_pool:
        field.venv(wanted["pool"])
    if written:
        write(project / "Pipfile", f"[pipenv]\nvenv_in_project = {written}\n")
    answer = field.resolve(project, {} if variable is None else {"PIPENV_VENV_IN_PROJECT": variable.encode()})
    assert prefix(answer) == str(wanted[expected])
    assert answer.linked is (expected == "pool")


@pytest.mark.parametrize(("variable", "written"), [("0", None), (None, "false")])
def test_an_ignored_dot_venv(field: Playfield, project: Path, variable: str | None, written: str | None) -> None:
    """Told not to, Pipenv ignores the .venv that stands there: it is an alternative to the missing one."""
    env = field.venv(project / ".venv")
    write(project / "Pipfile", f"[pipenv]\nvenv_in_project = {written}\n" if written else "")
    answer = field.resolve(project, {} if variable is None else {"PIPENV_VENV_IN_PROJECT": variable.encode()})
    assert would(answer) == ("pipenv install", str(pool(field) / hashed(project)))
    assert [alternative.environment.prefix for alternative in answer.alternatives] == [os.fsencode(env)]


def test_in_project_before_it_is_made(field: Playfield, project: Path) -> None:
    """Told to keep it in the project, Pipenv would make .venv there, whatever the pool holds."""
    field.venv(pool(field) / hashed(project))
    answer = field.resolve(project, {"PIPENV_VENV_IN_PROJECT": b"1"})
    assert would(answer) == ("pipenv install", str(project / ".venv"))


def test_a_custom_name(field: Playfield, project: Path) -> None:
    """$PIPENV_CUSTOM_VENV_NAME replaces the whole name; only .project links such an environment."""
    env = field.venv(pool(field) / "shared")
    overrides = {"PIPENV_CUSTOM_VENV_NAME": b"shared", "PIPENV_PYTHON": b"3.9"}
    answer = field.resolve(project, overrides)
    assert (prefix(answer), answer.linked) == (str(env), False)
    write(env / ".project", str(project))
    assert field.resolve(project, overrides).linked
    away = field.venv(field.home / "away")
    assert prefix(field.resolve(project, {"PIPENV_CUSTOM_VENV_NAME": os.fsencode(away)})) == str(away)


def test_pipenv_python_is_a_suffix(field: Playfield, project: Path) -> None:
    """$PIPENV_PYTHON adds to the name, and without it that environment is not this project's."""
    env = field.venv(pool(field) / hashed(project, "3.9"))
    answer = field.resolve(project, {"PIPENV_PYTHON": b"3.9"})
    assert (prefix(answer), answer.linked) == (str(env), True)
    assert field.resolve(project).condition == "missing"


@pytest.mark.parametrize(("content", "target"), [("one\n", "pool"), ("envs/one", "project"), ("{}", "absolute")])
def test_a_dot_venv_file(field: Playfield, project: Path, content: str, target: str) -> None:
    """A .venv file comes first: a name in the pool, or a path."""
    field.venv(pool(field) / hashed(project))
    where = {"pool": pool(field) / "one", "project": project / "envs/one", "absolute": field.home / "abs"}[target]
    write(project / ".venv", content.format(where))
    answer = field.resolve(project)
    if target != "pool":
        assert would(answer) == ("pipenv install", str(where))
    field.venv(where)
    answer = field.resolve(project)
    assert (prefix(answer), answer.confidence, answer.linked) == (str(where), "certain", False)
    assert os.fsencode(project / ".venv") in answer.evidence
    write(where / ".project", str(project))
    assert field.resolve(project).linked is (target == "pool")


def test_a_dot_venv_file_with_another_tools_name(field: Playfield, project: Path) -> None:
    """A name that is not in Pipenv's pool may be in another; else Pipenv would make it in its own."""
    write(project / ".venv", "web\n")
    assert would(field.resolve(project)) == ("pipenv install", str(pool(field) / "web"))
    env = field.venv(field.home / ".virtualenvs" / "web")
    answer = field.resolve(project)
    assert (answer.rule, prefix(answer)) == ("venv-pointer-file", str(env))


@pytest.mark.parametrize("content", ["", "\n", "a\nb", "..", "x\0y", "x" * 70_000, "/etc"])
def test_a_useless_dot_venv_file(field: Playfield, project: Path, content: str) -> None:
    """An empty one means the usual name; what is no name, or leads to something else, leaves it to other rules."""
    env = field.venv(pool(field) / hashed(project))
    write(project / ".venv", content)
    answer = field.resolve(project)
    assert (prefix(answer) == str(env)) is (content.strip() == "")


@pytest.mark.parametrize("base", ["Pipfile", "Pipfile.dev"])
def test_pipenv_pipfile(field: Playfield, project: Path, base: str) -> None:
    """$PIPENV_PIPFILE names the project wherever the shell is, and its own name is part of the hash."""
    write(project / base)
    overrides = {"PIPENV_PIPFILE": os.fsencode(project / base)}
    (field.home / "elsewhere").mkdir()
    write(field.home / "q" / "Pipfile")
    assert field.resolve(field.home / "elsewhere", overrides).condition == "none"
    assert field.resolve(field.home / "q", overrides).condition == "none"
    name = os.fsdecode(hashed_name(os.fsencode(project / base)))
    assert would(field.resolve(project, overrides)) == ("pipenv install", str(pool(field) / name))
    env = field.venv(pool(field) / name)
    (project / "src").mkdir()
    for directory in (field.home / "elsewhere", field.home / "q", project, project / "src"):
        answer = field.resolve(directory, overrides)
        assert (prefix(answer), answer.root, answer.linked) == (str(env), os.fsencode(project), True)
    relative = field.resolve(project / "src", {"PIPENV_PIPFILE": f"../{base}".encode()})
    assert prefix(relative) == str(env)


def test_pipenv_pipfile_that_is_not_there(field: Playfield, project: Path) -> None:
    """Pipenv refuses to work then, so nothing is claimed."""
    field.venv(pool(field) / hashed(project))
    assert field.resolve(project, {"PIPENV_PIPFILE": b"/gone/Pipfile"}).condition == "none"


def test_links_on_the_way(field: Playfield, project: Path) -> None:
    """The physical path's environment comes first where the shell stands, the logical one's for the variable."""
    link(field.home / "l", str(project))
    logical = field.venv(pool(field) / hashed(field.home / "l"))
    assert prefix(field.resolve(field.home / "l")) == str(logical)
    physical = field.venv(pool(field) / hashed(project))
    assert prefix(field.resolve(field.home / "l")) == str(physical)
    overrides = {"PIPENV_PIPFILE": os.fsencode(field.home / "l" / "Pipfile")}
    assert prefix(field.resolve(field.home / "l", overrides)) == str(logical)


@pytest.mark.parametrize(
    ("value", "below", "found"),
    [
        (None, 9, True),
        (None, 10, False),
        ("2", 1, True),
        ("2", 2, False),
        ("1", 1, False),
        ("0", 0, True),
        ("junk", 9, True),
    ],
)
def test_max_depth(field: Playfield, project: Path, value: str | None, below: int, found: bool) -> None:
    """Ten levels are looked at, or $PIPENV_MAX_DEPTH; the directory itself always is."""
    env = field.venv(pool(field) / hashed(project))
    directory = project.joinpath(*["d"] * below)
    directory.mkdir(parents=True, exist_ok=True)
    answer = field.resolve(directory, {} if value is None else {"PIPENV_MAX_DEPTH": value.encode()})
    assert prefix(answer) == (str(env) if found else None)


@pytest.mark.parametrize(
    "text", ["pipenv = 3\nvenv_in_project", "[pipenv]\nvenv_in_project = []\n", "\xff venv_in_project"]
)
def test_hostile_pipfiles(field: Playfield, project: Path, text: str) -> None:
    """A Pipfile of another shape says nothing."""
    write(project / "Pipfile", text.encode("latin-1"))
    env = field.venv(pool(field) / hashed(project))
    assert prefix(field.resolve(project)) == str(env)


@pytest.mark.parametrize("kind", ["fifo", "directory"])
def test_a_pipfile_that_is_no_file(field: Playfield, kind: str) -> None:
    """Only a regular Pipfile counts; a FIFO is not opened."""
    (field.home / "p").mkdir()
    (os.mkfifo if kind == "fifo" else os.mkdir)(field.home / "p" / "Pipfile")
    assert field.resolve(field.home / "p").condition == "none"


def test_a_fifo_for_a_back_link(field: Playfield, project: Path) -> None:
    """A FIFO named .project is not opened and says nothing."""
    env = field.venv(pool(field) / hashed(project))
    os.mkfifo(env / ".project")
    assert prefix(field.resolve(project)) == str(env)


def test_active_environments_say_nothing(field: Playfield, project: Path) -> None:
    """VIRTUAL_ENV and PIPENV_ACTIVE never influence what belongs here."""
    env, other = field.venv(pool(field) / hashed(project)), os.fsencode(field.venv(field.home / "other"))
    assert prefix(field.resolve(project, {"VIRTUAL_ENV": other, "PIPENV_ACTIVE": b"1"})) == str(env)


def test_listing_and_describing(field: Playfield, project: Path) -> None:
    """Environments that name a project are listed; Pipenv's are those whose name is that project's hash."""
    env, suffixed = field.venv(pool(field) / hashed(project)), field.venv(pool(field) / hashed(project, "3.9"))
    wrapper, plain = field.venv(pool(field) / "my-frontend"), field.venv(pool(field) / "ml-training")
    away = field.venv(field.home / "w" / hashed(project))
    for prefix_ in (env, suffixed, wrapper, away):
        write(prefix_ / ".project", str(project))
    seen = facts(field)
    assert sorted(Pipenv().list(seen)) == sorted(os.fsencode(path) for path in (env, suffixed, wrapper))
    for path in (env, suffixed):
        described = Pipenv().describe(os.fsencode(path), seen)
        assert described is not None
        assert (described.system, described.kind) == ("pipenv", "venv")
    for path in (wrapper, plain, away):
        assert Pipenv().describe(os.fsencode(path), seen) is None


def test_what_pipenv_left_in_another_pool(field: Playfield, project: Path) -> None:
    """With $WORKON_HOME Pipenv no longer uses what it made in its default pool, though that one names the project."""
    write(field.venv(pool(field) / hashed(project)) / ".project", str(project))
    other = field.home / "other"
    answer = field.resolve(project, {"WORKON_HOME": os.fsencode(other)})
    assert would(answer) == ("pipenv install", str(other / hashed(project)))
