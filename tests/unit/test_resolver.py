"""The walk, and the choice on each level."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from alight.model import Resolution
from support.playfield import Playfield, link, write


def prefix(resolution: Resolution) -> Path | None:
    return None if resolution.environment is None else Path(os.fsdecode(resolution.environment.prefix))


def codes(resolution: Resolution) -> list[str]:
    return [finding.code for finding in resolution.findings]


def health(resolution: Resolution) -> list[str]:
    assert resolution.environment is not None
    return [finding.code for finding in resolution.environment.health]


def test_the_nearest_level_wins(field: Playfield) -> None:
    """A subfolder belongs to the nearest environment upward, not to a farther or a sibling one."""
    outer, inner = field.home / "outer", field.home / "outer" / "inner"
    field.venv(outer / ".venv")
    field.venv(inner / ".venv")
    (inner / "src" / "deep").mkdir(parents=True)
    (field.home / "outer2").mkdir()
    assert prefix(field.resolve(inner / "src" / "deep")) == inner / ".venv"
    assert prefix(field.resolve(outer)) == outer / ".venv"
    assert field.resolve(field.home / "outer2").condition == "none"


def test_the_whole_answer(field: Playfield) -> None:
    """Every field of an ordinary answer."""
    project = field.home / "app"
    field.venv(project / ".venv", "3.12.4")
    write(project / "pyproject.toml", '[project]\nname = "app"\nrequires-python = ">=3.12"\n')
    write(project / ".python-version", "3.12\n")
    (project / "src").mkdir()
    answer = field.resolve(project / "src")
    environment = answer.environment
    assert environment is not None
    assert (answer.condition, answer.rule, answer.confidence) == ("found", "venv-directory", "high")
    assert answer.directory == os.fsencode(project / "src")
    assert answer.project is not None
    assert answer.project.root == os.fsencode(project)
    assert answer.project.markers == ("pyproject.toml", ".python-version")
    assert answer.project.system is None
    assert environment.prefix == os.fsencode(project / ".venv")
    assert (environment.kind, environment.system, environment.name) == ("venv", "venv", "app")
    assert environment.python_version == "3.12.4"
    assert environment.interpreter == os.fsencode(project / ".venv/bin/python")
    assert environment.base == os.fsencode(field.home / ".pyenv/versions/3.12.4")
    assert environment.site_packages == (os.fsencode(project / ".venv/lib/python3.12/site-packages"),)
    assert not (environment.health or answer.findings or answer.alternatives or answer.trail)
    assert answer.evidence == (os.fsencode(project / ".venv/pyvenv.cfg"),)
    assert (answer.would_create, answer.interpreter) == (None, None)


def test_weak_markers_do_not_stop_the_walk(field: Playfield) -> None:
    """A bare pyproject, requirements file, setup.py or .git shares the environment of a level above."""
    root = field.home / "mono"
    field.venv(root / ".venv")
    for name in ("pyproject.toml", "requirements.txt", "setup.py"):
        write(root / name.partition(".")[0] / name)
    (root / "clone" / ".git").mkdir(parents=True)
    for name in ("pyproject", "requirements", "setup", "clone"):
        answer = field.resolve(root / name)
        assert prefix(answer) == root / ".venv"
        assert answer.root == os.fsencode(root)


def test_home_counts_only_in_itself(field: Playfield) -> None:
    """$HOME/.venv is the answer in $HOME and nowhere below, and nothing above $HOME is looked at."""
    field.venv(field.home / ".venv")
    field.venv(field.home.parent / ".venv")
    write(field.home / "uv.lock")
    (field.home / "code").mkdir()
    assert prefix(field.resolve(field.home)) == field.home / ".venv"
    assert field.resolve(field.home / "code").condition == "none"
    (field.home / ".venv" / "pyvenv.cfg").unlink()
    link(field.home.parent / "other-name", str(field.home))
    assert field.resolve(field.home.parent / "other-name" / "code").condition == "none"


def test_a_level_of_somebody_else_ends_the_walk(field: Playfield) -> None:
    """Neither a foreign level nor anything above it has a say."""
    shared = field.home / "shared"
    field.venv(shared / ".venv")
    (shared / "theirs" / "mine").mkdir(parents=True)
    field.owners[os.fsencode(shared / "theirs")] = 4242
    assert field.resolve(shared / "theirs" / "mine").condition == "none"
    assert field.resolve(shared / "theirs").condition == "none"
    assert field.resolve(shared).condition == "found"


@pytest.mark.parametrize("planted", [".venv", "uv.lock"])
def test_what_others_put_into_an_open_level_does_not_count(field: Playfield, planted: str) -> None:
    """In a place like /tmp, an environment or a lock file of another user answers nothing."""
    shared = field.home / "tmp"
    (shared / "mine").mkdir(parents=True)
    shared.chmod(0o1777)
    if planted == ".venv":
        field.venv(shared / ".venv")
    else:
        write(shared / planted)
    assert field.resolve(shared / "mine").condition in {"found", "missing"}
    field.owners[os.fsencode(shared / planted)] = 4242
    assert field.resolve(shared / "mine").condition == "none"


def test_at_most_64_levels(field: Playfield) -> None:
    """A very deep directory is answered, from the 64 levels above it."""
    field.venv(field.home / "p" / ".venv")
    near = field.home / "p" / Path(*["d"] * 60)
    far = field.home / "p" / Path(*["d"] * 1000)
    level = far.parents[999]
    for _ in range(1000):
        level /= "d"
        level.mkdir()
    assert field.resolve(near).condition == "found"
    assert field.resolve(far).condition == "none"
    os.removedirs(far)


@pytest.mark.parametrize(
    "directory", [b"", b"relative", b"/absent/at/all", b"/dev/null", b"/nul\0nul", b"/" + b"x" * 5000]
)
def test_no_such_directory(field: Playfield, directory: bytes) -> None:
    """What is no directory belongs to nothing, without an error."""
    answer = field.resolve(directory)
    assert (answer.condition, answer.project, answer.directory) == ("none", None, directory)


@pytest.mark.parametrize(
    "name", [b"a\nb", b"-rf", b"$(id)", b"caf\xe9", "naïve".encode(), b"a b", b"'\"", b"\x1b[31m", b"a\tb"]
)
def test_hostile_names(field: Playfield, name: bytes) -> None:
    """Octets of a name are kept in paths and cleaned in the name that is shown."""
    project = Path(os.fsdecode(os.fsencode(field.home) + b"/" + name))
    field.venv(project / ".venv")
    answer = field.resolve(project)
    assert answer.environment is not None
    assert answer.environment.prefix == os.fsencode(project / ".venv")
    assert answer.environment.name.isprintable()
    expected = "broken" if b"\x1b" in name else "found"
    assert answer.condition == expected


def test_links_in_the_path_are_kept(field: Playfield) -> None:
    """The prefix is the logical level plus the name, through a linked project as through a linked .venv."""
    real = field.home / "real"
    field.venv(field.home / "elsewhere" / "env")
    real.mkdir()
    link(real / ".venv", "../elsewhere/env")
    alias = link(field.home / "alias", "real")
    assert prefix(field.resolve(alias)) == alias / ".venv"


def test_a_broken_environment_is_an_answer(field: Playfield) -> None:
    """The walk stops at an environment that cannot be used, and says what is wrong."""
    field.venv(field.home / "p" / ".venv")
    inner = field.home / "p" / "inner"
    field.venv(inner / ".venv")
    link(inner / ".venv" / "bin" / "python", "/gone/python")
    answer = field.resolve(inner)
    assert (answer.condition, prefix(answer)) == ("broken", inner / ".venv")
    assert health(answer) == ["interpreter-dangling"]


def test_an_empty_dot_venv_falls_through(field: Playfield) -> None:
    """An empty .venv directory, or one of something else, is no environment."""
    field.venv(field.home / "p" / ".venv")
    (field.home / "p" / "empty" / ".venv").mkdir(parents=True)
    write(field.home / "p" / "other" / ".venv" / "notes.txt")
    assert prefix(field.resolve(field.home / "p" / "empty")) == field.home / "p" / ".venv"
    assert prefix(field.resolve(field.home / "p" / "other")) == field.home / "p" / ".venv"


def test_ruins_are_broken_not_passed_over(field: Playfield) -> None:
    """A .venv that lost its pyvenv.cfg, and one that links to nothing, are broken answers."""
    project = field.home / "p"
    field.venv(project / ".venv")
    (project / ".venv" / "pyvenv.cfg").unlink()
    assert health(field.resolve(project)) == ["config-unreadable"]
    link(field.home / "q" / ".venv", "/gone/env")
    assert health(field.resolve(field.home / "q")) == ["interpreter-dangling"]


@pytest.mark.parametrize("name", [".venv", ".python-envs", ".python-version", "pyproject.toml", "uv.lock", "Pipfile"])
def test_a_fifo_in_any_place_does_not_hang(field: Playfield, name: str) -> None:
    """A FIFO where a file is expected is never opened for reading."""
    project = field.home / "p"
    project.mkdir()
    os.mkfifo(project / name)
    assert field.resolve(project).condition in {"none", "missing"}


@pytest.mark.parametrize("content", [b"", b"\0\0\0", b"home\n", b"\xff\xfehome = /x\n", b"home = /x\0\n", None])
def test_unusable_pyvenv_cfg(field: Playfield, content: bytes | None) -> None:
    """Binary, empty, keyless and 1 GB sparse configurations make a broken environment."""
    config = field.venv(field.home / "p" / ".venv") / "pyvenv.cfg"
    if content is None:
        os.truncate(config, 1 << 30)
    else:
        config.write_bytes(content)
    answer = field.resolve(field.home / "p")
    assert (answer.condition, health(answer)[0]) == ("broken", "config-unreadable")


def test_a_fifo_for_pyvenv_cfg(field: Playfield) -> None:
    """An environment whose configuration is a FIFO is broken, at once."""
    config = field.venv(field.home / "p" / ".venv") / "pyvenv.cfg"
    config.unlink()
    os.mkfifo(config)
    assert health(field.resolve(field.home / "p"))[0] == "config-unreadable"


def test_a_byte_order_mark_is_not_part_of_the_first_key(field: Playfield) -> None:
    """pyvenv.cfg with a BOM and CRLF is read as it was meant."""
    config = field.venv(field.home / "p" / ".venv") / "pyvenv.cfg"
    config.write_bytes(b"\xef\xbb\xbf" + config.read_bytes().replace(b"\n", b"\r\n"))
    assert field.resolve(field.home / "p").condition == "found"


def test_the_trail_names_every_rule_on_every_level(field: Playfield) -> None:
    """With ``trail``, each level tells what was looked for, what was found, and why the walk ended."""
    field.venv(field.home / "p" / ".venv")
    (field.home / "p" / "sub").mkdir()
    answer = field.resolve(field.home / "p" / "sub", trail=True)
    looked = [(step.rule, step.outcome) for step in answer.trail]
    venvs = ("inside-environment", "venv-pointer-file", "venv-directory", "python-envs", "local-prefix", "child-prefix")
    assert [step for step in looked if step[0] in venvs] == [
        ("inside-environment", "miss"),
        ("venv-pointer-file", "miss"),
        ("venv-directory", "miss"),
        ("python-envs", "miss"),
        ("local-prefix", "miss"),
        ("child-prefix", "miss"),
        ("inside-environment", "miss"),
        ("venv-pointer-file", "miss"),
        ("venv-directory", "hit"),
        ("python-envs", "miss"),
        ("local-prefix", "miss"),
    ]
    assert [step for step in looked if step[1] == "hit"] == [("venv-directory", "hit")]
    assert all(step.reason for step in answer.trail)


def test_a_pinned_interpreter_without_environment(field: Playfield) -> None:
    """A bare .python-version gives the base interpreter it names, $PYENV_VERSION before it; nothing else is claimed."""
    field.base("3.11.7")
    field.base("3.12.1")
    project = field.home / "p"
    write(project / ".python-version", "3.11\n")
    answer = field.resolve(project)
    assert (answer.condition, answer.rule, answer.environment) == ("none", "interpreter-only", None)
    assert answer.interpreter is not None
    assert (answer.interpreter.python_version, answer.interpreter.origin) == ("3.11.7", "pyenv")
    chosen = field.resolve(project, {"PYENV_VERSION": b"3.12.1"}).interpreter
    assert chosen is not None
    assert chosen.python_version == "3.12.1"
    write(project / ".python-version", "../../../etc\nsome-virtualenv\n")
    assert field.resolve(project).rule == "none"


def test_what_python_the_project_asks_for(field: Playfield) -> None:
    """requires-python and the nearest pin within the project contradict an environment of another version."""
    project = field.home / "p"
    field.venv(project / ".venv", "3.11.7")
    write(project / "pyproject.toml", '[project]\nrequires-python = ">=3.12"\n')
    write(project / "sub" / ".python-version", "# pinned\npython-3.10\n")
    write(field.home / ".python-version", "3.9\n")
    assert codes(field.resolve(project)) == ["requires-python"]
    assert codes(field.resolve(project / "sub")) == ["requires-python", "pinned-python"]


def test_inside_an_environment(field: Playfield) -> None:
    """In an environment's own folders that environment is the answer, and the project is the one around it."""
    project = field.home / "p"
    write(project / "setup.py")
    env = field.venv(project / ".venv")
    answer = field.resolve(env / "lib" / "python3.11")
    assert (answer.rule, answer.confidence, prefix(answer)) == ("inside-environment", "certain", env)
    assert answer.root == os.fsencode(project)
    assert answer.environment is not None
    assert answer.environment.name == "p"


def test_active_variables_are_ignored(field: Playfield) -> None:
    """VIRTUAL_ENV and CONDA_PREFIX never influence what belongs to a directory."""
    other = field.venv(field.home / "other")
    (field.home / "p").mkdir()
    variables = {"VIRTUAL_ENV": os.fsencode(other), "CONDA_PREFIX": os.fsencode(other)}
    assert field.resolve(field.home / "p", variables) == field.resolve(field.home / "p")
