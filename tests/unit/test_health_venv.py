"""The checks of one environment, each by the smallest damage that shows it."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from alight.clock import SystemClock
from alight.files.moment import Moment
from alight.health.venv import outside_pin, outside_requirement
from alight.model import Environment
from alight.resolver import resolve
from support.playfield import Playfield, link, write


@pytest.fixture
def env(field: Playfield) -> Path:
    return field.venv(field.home / "p" / ".venv")


def look(field: Playfield, env: Path) -> Environment:
    environment = field.resolve(env.parent).environment
    assert environment is not None
    return environment


def found(field: Playfield, env: Path) -> list[tuple[str, str]]:
    return [(finding.code, finding.severity) for finding in look(field, env).health]


def test_a_sound_environment_has_no_findings(field: Playfield, env: Path) -> None:
    """Nothing is found where nothing is wrong."""
    assert found(field, env) == []


def test_no_interpreter(field: Playfield, env: Path) -> None:
    """Neither bin/python nor bin/python3 is an error."""
    (env / "bin" / "python").unlink()
    assert found(field, env) == [("interpreter-missing", "error")]


def test_only_python3(field: Playfield, env: Path) -> None:
    """bin/python3 alone is enough, and is what is started."""
    os.rename(env / "bin" / "python", env / "bin" / "python3")
    assert look(field, env).interpreter == os.fsencode(env / "bin" / "python3")
    assert found(field, env) == []


def test_a_dangling_interpreter_names_its_target(field: Playfield, env: Path) -> None:
    """A link to nothing is an error that says where it points, and the home that is gone is not said twice."""
    base = field.home / ".pyenv" / "versions" / "3.11.7"
    shutil.rmtree(base)
    environment = look(field, env)
    assert found(field, env) == [("interpreter-dangling", "error")]
    assert str(base) in environment.health[0].message
    assert environment.base is None
    assert environment.python_version == "3.11.7"


def test_a_loop_is_dangling(field: Playfield, env: Path) -> None:
    """An interpreter that links to itself leads nowhere."""
    link(env / "bin" / "python", "python")
    assert found(field, env) == [("interpreter-dangling", "error")]


def test_a_copied_interpreter_without_base(field: Playfield, env: Path) -> None:
    """A binary that was copied may still start after its base is gone: a warning."""
    (env / "bin" / "python").unlink()
    write(env / "bin" / "python", "#!/bin/false\n")
    shutil.rmtree(field.home / ".pyenv")
    assert found(field, env) == [("base-missing", "warning")]


def test_another_minor_version_below(field: Playfield, env: Path) -> None:
    """A base that became another X.Y does not see the packages: an error."""
    newer = field.base("3.12.1", field.home / ".pyenv" / "versions" / "3.11.7")
    link(newer / "bin" / "python", "python3.12")
    environment = look(field, env)
    assert found(field, env) == [("python-changed", "error")]
    assert environment.python_version == "3.12.1"


def test_another_patch_version_below(field: Playfield, env: Path) -> None:
    """A base upgraded within X.Y is worth knowing, and no more."""
    field.base("3.11.9", field.home / ".pyenv" / "versions" / "3.11.7")
    assert found(field, env) == [("python-patched", "info")]
    assert "3.11.7" in look(field, env).health[0].message
    assert "3.11.9" in look(field, env).health[0].message


@pytest.mark.parametrize("line", ["version_info = 3.11.7.final.0", "version_info = 3.11", "version = 3.11"])
def test_only_what_was_recorded_is_compared(field: Playfield, env: Path, line: str) -> None:
    """A version recorded in two parts says nothing about the third."""
    text = (env / "pyvenv.cfg").read_text().replace("version = 3.11.7", line)
    (env / "pyvenv.cfg").write_text(text)
    assert found(field, env) == []


def test_the_base_shows_through(field: Playfield, env: Path) -> None:
    """``--system-site-packages`` is said, as information."""
    text = (env / "pyvenv.cfg").read_text()
    (env / "pyvenv.cfg").write_text(text.replace("packages = false", "packages = True"))
    assert found(field, env) == [("system-site-packages", "info")]


def test_a_link_through_the_cellar(field: Playfield, env: Path) -> None:
    """Homebrew's versioned folder is a warning wherever the chain of links inside the environment leads out."""
    cellar = field.base("3.11.7", field.home / "brew" / "Cellar" / "python@3.11" / "3.11.7_1")
    link(env / "bin" / "python", "python3")
    link(env / "bin" / "python3", str(cellar / "bin" / "python3.11"))
    assert found(field, env) == [("homebrew-cellar", "warning")]
    assert f"{field.home}/brew/opt/python@3.11/bin/python3.11 -m venv" in look(field, env).health[0].message


def test_a_home_in_the_cellar(field: Playfield, env: Path) -> None:
    """A copied interpreter's ``home`` counts as much as a link."""
    cellar = field.base("3.11.7", field.home / "brew" / "Cellar" / "python@3.11" / "3.11.7_1")
    (env / "bin" / "python").unlink()
    write(env / "bin" / "python", "#!/bin/false\n")
    (env / "pyvenv.cfg").write_text(f"home = {cellar}/bin\nversion = 3.11.7\n")
    assert found(field, env) == [("homebrew-cellar", "warning")]


def test_half_made(field: Playfield, env: Path) -> None:
    """Without site-packages it is an error; in its first minute it is only not finished, and asked again."""
    shutil.rmtree(env / "lib")
    assert found(field, env) == [("site-packages-missing", "error")]
    field.clock.ahead_ns = 30 * 1_000_000_000
    assert found(field, env) == [("site-packages-missing", "info")]
    disk = field.disk()
    resolve(os.fsencode(env.parent), {}, disk, os.fsencode(field.home))
    assert not Moment(SystemClock()).holds(disk.fingerprint())


@pytest.mark.parametrize("by", ["activate", "command"])
def test_moved(field: Playfield, env: Path, by: str) -> None:
    """An environment made under another path still works, but its scripts point to the old one."""
    if by == "command":
        with (env / "pyvenv.cfg").open("a") as config:
            config.write(f"command = /usr/bin/python3 -m venv --prompt x {env}\n")
    assert found(field, env) == []
    moved = field.home / "q" / ".venv"
    moved.parent.mkdir()
    os.rename(env, moved)
    assert found(field, moved) == [("moved", "warning")]
    assert str(env) in look(field, moved).health[0].message


def test_a_copy_is_moved_too(field: Playfield, env: Path) -> None:
    """That the original still stands does not make the copy's scripts right."""
    shutil.copytree(env, field.home / "q" / ".venv", symlinks=True)
    assert found(field, field.home / "q" / ".venv") == [("moved", "warning")]


def test_another_name_of_the_same_place_is_no_move(field: Playfield, env: Path) -> None:
    """Through a linked home the recorded path differs, but the place is the same."""
    alias = link(field.home / "alias", "p")
    assert found(field, alias / ".venv") == []


def test_relocatable_is_never_moved(field: Playfield) -> None:
    """An environment that says it may be moved may be."""
    env = field.venv(field.home / "p" / ".venv", lines="relocatable = true", made_as="/elsewhere")
    assert found(field, env) == []


def test_a_line_break_in_the_path_is_no_move(field: Playfield) -> None:
    """pyvenv.cfg cuts a recorded path at its line break, which proves nothing."""
    env = field.venv(field.home / "a\nb" / ".venv")
    with (env / "pyvenv.cfg").open("a") as config:
        config.write(f"command = /usr/bin/python3 -m venv {env}\n")
    assert found(field, env) == []


def test_somebody_elses(field: Playfield, env: Path) -> None:
    """An environment of another user, or writable by everybody, is not ours to use unasked."""
    field.owners[os.fsencode(env / "bin")] = 4242
    assert found(field, env) == [("not-owned", "warning")]
    field.owners.clear()
    env.chmod(0o777)
    assert found(field, env) == [("not-owned", "warning")]


@pytest.mark.parametrize(
    ("name", "unsafe"), [("a:b", True), ("a\x07b", True), ("a\nb", False), ("a\tb", False), ("é ü", False)]
)
def test_paths_that_cannot_stand_in_path(field: Playfield, name: str, unsafe: bool) -> None:
    """A colon would split PATH; control octets other than tab and newline are refused."""
    env = field.venv(field.home / name / ".venv")
    assert found(field, env) == ([("unsafe-path", "error")] if unsafe else [])


@pytest.mark.parametrize(
    ("version", "requirement", "outside"),
    [
        ("3.12.4", ">=3.12", False),
        ("3.11.9", ">=3.12", True),
        ("3.14.0b1", ">=3.13", False),
        ("3.12", ">=3.12.3", False),
        ("3.11", ">=3.12", True),
        ("3.12", "~=3.11.2", True),
        ("3.12.4", "no version", False),
        ("3.12.4", ">=" + "3" * 300, False),
        ("", ">=3.12", False),
        ("3.12.4", "", False),
    ],
)
def test_requires_python(version: str, requirement: str, outside: bool) -> None:
    """Only a certain contradiction is a finding; an unreadable requirement says nothing."""
    assert bool(outside_requirement(version, requirement, b"/p/pyproject.toml")) is outside


@pytest.mark.parametrize(
    ("version", "pin", "outside"),
    [
        ("3.12.4", "3.12", False),
        ("3.12.4", "3", False),
        ("3.12.4", "3.1", True),
        ("3.12", "3.12.4", False),
        ("3.12.4", "3.12.5", True),
    ],
)
def test_pins(version: str, pin: str, outside: bool) -> None:
    """A pin is compared part by part, as far as both go."""
    assert bool(outside_pin(version, pin, b"/p/.python-version")) is outside
