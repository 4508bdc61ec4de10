"""conda's settings: which files count, in which order, and how they are merged."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from alight.files.documents import Documents
from alight.systems import condarc
from alight.systems.base import Facts
from support.condashape import condarc as written
from support.playfield import Playfield, write


@pytest.fixture(autouse=True)
def _of_this_home_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(condarc, "SYSTEM", ())


def facts(field: Playfield, **overrides: object) -> Facts:
    disk = field.disk()
    values = {name: os.fsencode(str(value)) for name, value in overrides.items()}
    return Facts(disk, values, os.fsencode(field.home), os.fsencode(field.home), Documents(disk))


def read(field: Playfield, root: Path | None = None, **overrides: object) -> condarc.Settings:
    return condarc.read(None if root is None else os.fsencode(root), facts(field, **overrides))


def paths(*given: Path | str) -> tuple[bytes, ...]:
    return tuple(os.fsencode(path) for path in given)


def test_nothing_is_set(field: Playfield) -> None:
    """Without any file, conda's defaults hold."""
    assert read(field) == condarc.Settings((), True, "({default_env}) ", True)


def test_the_order_of_the_files(field: Playfield) -> None:
    """Root, XDG, ~/.config, ~/.conda, ~/.condarc, $CONDARC: each place's plain files before its condarc.d."""
    home, root, xdg = field.home, field.home / "root", field.home / "xdg"
    expected = [
        root / ".condarc", root / "condarc", root / "condarc.d" / "a.yml", root / "condarc.d" / "b.yaml",
        root / ".mambarc", xdg / "conda" / "condarc", home / ".config" / "conda" / ".condarc",
        home / ".conda" / ".condarc", home / ".conda" / "condarc.d" / "z.yml", home / ".condarc", home / ".mambarc",
        home / "own.yml",
    ]  # fmt: skip
    for path in reversed(expected):
        write(path, "channels: [x]\n")
    write(root / "condarc.d" / "c.txt")
    found = condarc.files(os.fsencode(root), facts(field, XDG_CONFIG_HOME=xdg, CONDARC=home / "own.yml"))
    mine = os.fsencode(home)
    assert [path for path in found if path.startswith(mine)] == [os.fsencode(path) for path in expected]


def test_lists_are_joined_and_values_replaced(field: Playfield) -> None:
    """Lists of later files stand before those of earlier ones, each path once; of single values the last one counts."""
    root = field.home / "root"
    written(root / ".condarc", envs_dirs=["/low", "/both"], changeps1=False, env_prompt="[{name}] ")
    written(field.home, envs_dirs=["/high", "/both"], changeps1=True, register_envs=False)
    settings = read(field, root)
    assert settings.envs_dirs == paths("/high", "/both", "/low")
    assert (settings.changeps1, settings.env_prompt, settings.register_envs) == (True, "[{name}] ", False)


@pytest.mark.parametrize("name", ["CONDA_ENVS_DIRS", "CONDA_ENVS_PATH"])
def test_variables_come_first(field: Playfield, name: str) -> None:
    """Either variable holds paths separated by colons, which come before those of files."""
    written(field.home, envs_dirs=["/file"])
    assert read(field, **{name: "/one:~/two::relative"}).envs_dirs == paths("/one", field.home / "two", "/file")


def test_both_variables(field: Playfield) -> None:
    """Where both are set, the recommended name counts."""
    assert read(field, CONDA_ENVS_DIRS="/new", CONDA_ENVS_PATH="/old").envs_dirs == paths("/new")


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("~/x", "{home}/x"), ("$HOME/x", "{home}/x"), ("${HOME}//x/", "{home}/x"), ("$XDG_DATA_HOME/x", "/data/x"),
        ("$NOBODY/x", None), ("x", None), ("./x", None), (3, None), (None, None), (["/x"], None), ("/a\0b", None),
    ],
)  # fmt: skip
def test_paths_in_a_file(field: Playfield, value: object, expected: str | None) -> None:
    """Home and known variables are put in; what is unknown, relative or no text is left out."""
    written(field.home, envs_dirs=[value, "/last"])
    first = () if expected is None else paths(expected.format(home=field.home))
    assert read(field, XDG_DATA_HOME="/data").envs_dirs == (*first, b"/last")


def test_the_former_name(field: Playfield) -> None:
    """``envs_path`` is the same setting."""
    write(field.home / ".condarc", "envs_path:\n  - /old\n")
    assert read(field).envs_dirs == paths("/old")


@pytest.mark.parametrize("text", ["yes", "true", "on", "True", '"yes"'])
def test_truths(field: Playfield, text: str) -> None:
    """YAML's and conda's words for true are the same."""
    write(field.home / ".condarc", f"changeps1: {text}\n")
    assert read(field).changeps1


@pytest.mark.parametrize("text", ["no", "false", "off", '"no"', '"0"'])
def test_falsehoods(field: Playfield, text: str) -> None:
    """So are those for false."""
    write(field.home / ".condarc", f"changeps1: {text}\n")
    assert not read(field).changeps1


def test_the_prompt_variable(field: Playfield) -> None:
    """``CONDA_CHANGEPS1`` comes before every file, where the shell sent it."""
    written(field.home, changeps1=True)
    assert not read(field, CONDA_CHANGEPS1="false").changeps1
    assert read(field, CONDA_CHANGEPS1="perhaps").changeps1


def test_condarc_by_name(field: Playfield) -> None:
    """$CONDARC counts when it is called like a configuration file, or is a directory of them."""
    for name in ("own.txt", "own.yml"):
        written(field.home / name, envs_dirs=["/own"])
    written(field.home / "many" / "a.yml", envs_dirs=["/a"])
    assert read(field, CONDARC=field.home / "own.txt").envs_dirs == ()
    assert read(field, CONDARC=field.home / "own.yml").envs_dirs == paths("/own")
    assert read(field, CONDARC=field.home / "many").envs_dirs == paths("/a")


@pytest.mark.parametrize(
    "text",
    [
        b"envs_dirs: [",
        b"envs_dirs: !!python/object/apply:os.system [x]",
        b"changeps1: &a [*b]",
        b"envs_dirs: {[]: 1}\n",
    ],
)
def test_a_file_that_is_no_yaml(field: Playfield, text: bytes) -> None:
    """A broken file does not count, and one finding says so."""
    path = write(field.home / ".condarc", text)
    known = facts(field)
    for _ in range(2):
        assert condarc.read(None, known).envs_dirs == ()
    assert [(finding.code, finding.evidence) for finding in known.findings] == [
        ("settings-unreadable", (os.fsencode(path),))
    ]


@pytest.mark.parametrize(
    "content", [b"", b"- a\n- b\n", b"channels: [\n", b"x" * 300_000, b"\0\xff", b"envs_dirs: 7\n"]
)
def test_files_without_these_settings(field: Playfield, content: bytes) -> None:
    """Other content is no concern, however it looks."""
    write(field.home / ".condarc", content)
    known = facts(field)
    assert condarc.read(None, known) == condarc.Settings()
    assert known.findings == []


def test_a_pipe_is_not_opened(field: Playfield) -> None:
    """Only regular files are read."""
    os.mkfifo(field.home / ".condarc")
    assert read(field) == condarc.Settings()
