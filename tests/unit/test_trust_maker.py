"""Lines that make environments, and what is believed about them."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alight.clock import SystemClock
from alight.files.disk import Disk
from alight.trust.maker import LINE_LIMIT, PENDING_LIMIT, Makers, recognise

HERE = b"/code/app"
UPWARD = (b"/code/app/.venv", b"/code/.venv", b"/.venv")

ACCEPTED = {
    "python -m venv .venv": (b"/code/app/.venv",),
    "python3 -m venv .venv": (b"/code/app/.venv",),
    "python3.12 -m venv env": (b"/code/app/env",),
    "/usr/bin/python3 -m venv .venv": (b"/code/app/.venv",),
    "python -Im venv .venv": (b"/code/app/.venv",),
    "python -I -B -m venv .venv": (b"/code/app/.venv",),
    "python -m venv --prompt app .venv": (b"/code/app/.venv",),
    "python -m venv --prompt=app --without-pip .venv": (b"/code/app/.venv",),
    "python -m venv .venv --system-site-packages": (b"/code/app/.venv",),
    "python -m venv --clear .venv": (b"/code/app/.venv",),
    "python -m venv 'my env'": (b"/code/app/my env",),
    'python -m venv "my env"': (b"/code/app/my env",),
    "python -m venv a b": (b"/code/app/a", b"/code/app/b"),
    "python -m venv ../x": (b"/code/x",),
    "python -m venv /tmp/x": (b"/tmp/x",),
    "  python   -m\tvenv  .venv  ": (b"/code/app/.venv",),
    "python -m virtualenv .venv": (b"/code/app/.venv",),
    "virtualenv .venv": (b"/code/app/.venv",),
    "virtualenv -p python3.11 --no-download .venv": (b"/code/app/.venv",),
    "python -m venv .venv && source .venv/bin/activate": (b"/code/app/.venv",),
    "python -m venv .venv && . ./.venv/bin/activate": (b"/code/app/.venv",),
    "python -m venv .venv&&source /code/app/.venv/bin/activate.fish": (b"/code/app/.venv",),
    "uv venv": (b"/code/app/.venv",),
    "uv venv --python 3.12": (b"/code/app/.venv",),
    "uv -q venv --seed env": (b"/code/app/env",),
    "uv sync": UPWARD,
    "uv sync --frozen && source .venv/bin/activate": UPWARD,
    "uv add requests": UPWARD,
    "poetry install": UPWARD,
    "poetry add requests": UPWARD,
    "pipenv install": UPWARD,
    "pdm install": UPWARD,
    "pdm add x": UPWARD,
    "pixi install": UPWARD,
    "hatch env create": UPWARD,
    "hatch env create test": UPWARD,
}

REFUSED = [
    "",
    "   ",
    "python",
    "python -m",
    "python -m pip install x",
    "python -m venvx .venv",
    "python script.py -m venv .venv",
    "python -c 'import x' -m venv .venv",
    "python -cimport -m venv .venv",
    "python -X utf8 -m venv .venv",
    "python -W -m venv .venv",
    "python - -m venv .venv",
    "mypython -m venv .venv",
    "python\uff13 -m venv .venv",
    "python\u00a0-m venv .venv",
    "pythonx -m venv .venv",
    "X=1 python -m venv .venv",
    "X=/python -m venv .venv",
    "PATH=/x/uv sync",
    "sudo python -m venv .venv",
    "env python -m venv .venv",
    "time python -m venv .venv",
    "git status; python -m venv .venv",
    "python -m venv .venv; git pull",
    "python -m venv .venv && git pull",
    "git pull && python -m venv .venv",
    "python -m venv .venv && pip install x",
    "python -m venv .venv &",
    "python -m venv .venv & git pull",
    "python -m venv .venv &&& true",
    "python -m venv .venv &&",
    "&& python -m venv .venv",
    "python -m venv .venv || git pull",
    "python -m venv .venv | tee log",
    "python -m venv .venv > log",
    "python -m venv .venv < /dev/null",
    "python -m venv $(cat name)",
    "python -m venv `cat name`",
    "python -m venv $NAME",
    "python -m venv ~/x",
    "python -m venv *",
    "python -m venv {a,b}",
    "python -m venv 'x",
    "python -m venv .venv\ngit pull",
    "python -m venv .venv\rgit pull",
    "python -m venv .venv # note",
    "(python -m venv .venv)",
    "! python -m venv .venv",
    "python -m venv a\\ b",
    "python -m venv .venv && source planted/bin/activate",
    "python -m venv .venv && source .venv/bin/activate/../../evil.sh",
    "python -m venv .venv && source .venv/bin/activate now",
    "python -m venv .venv && source activate",
    "python -m venv .venv && evil .venv/bin/activate",
    "python -m venv 'a && source b/bin/activate'",
    "virtualenv --extra-search-dir ./wheels .venv",
    "virtualenv --app-data=./seeds .venv",
    "uv",
    "uv run x",
    "uv pip sync requirements.txt",
    "uv tool install x",
    "uv --directory other sync",
    "uv sync --project other",
    "uv venv --directory=other",
    "uv --project venv sync",
    "uvx venv",
    "poetry run x",
    "poetry -C other install",
    "hatch env remove",
    "hatch create",
    "pip install uv sync",
    "make venv",
    "./setup.sh venv",
    "conda install x",
    "x" * (LINE_LIMIT + 1),
    "python -m venv " + "x" * LINE_LIMIT,
]


@pytest.mark.parametrize("line", ACCEPTED)
def test_a_maker_is_recognised(line: str) -> None:
    """The prefixes are those that the tool will use, and values of options are not among them."""
    making = recognise(line, HERE)
    assert making is not None
    assert making.prefixes == ACCEPTED[line]


@pytest.mark.parametrize("line", REFUSED)
def test_everything_else_is_not(line: str) -> None:
    """What also does something else, or does it elsewhere, or cannot be read for sure, is no maker."""
    assert recognise(line, HERE) is None


_WORDS = st.sampled_from(
    [
        "python",
        "-m",
        "venv",
        "uv",
        "sync",
        "source",
        ".venv/bin/activate",
        "&&",
        "&",
        "'",
        '"',
        "\\",
        "$(x)",
        "=",
        "-",
        "\udcff",
        "\0",
        "\n",
        "🐍",
        "",
        "/",
        "..",
        "--prompt",
    ]
)


@settings(max_examples=500, deadline=None)
@given(st.lists(_WORDS, max_size=12).map(" ".join) | st.binary(max_size=80).map(os.fsdecode))
def test_no_line_raises(line: str) -> None:
    """Whatever is typed, there is an answer, and it never holds a shell's metacharacters."""
    making = recognise(line, b"/code/\xff")
    if making is not None:
        assert not set(line) & set("$`;|<>\n\\")
        assert all(prefix.startswith(b"/") for prefix in making.prefixes)


@pytest.mark.parametrize("piece", ["&&", "& ", "'", '"', " ", "a ", "-m ", "source x && ", "''"])
def test_the_longest_line_takes_little_time(piece: str) -> None:
    """A paste of 4 KiB of anything takes milliseconds, where a pattern that backtracks would take minutes."""
    began = time.process_time()
    recognise(("uv sync " + piece * LINE_LIMIT)[:LINE_LIMIT], HERE)
    assert time.process_time() - began < 5.0


class Shell:
    """A directory with a project, a tool outside it, and the lines typed there."""

    def __init__(self, base: Path) -> None:
        self.root = base / "code" / "app"
        self.root.mkdir(parents=True)
        self.tools = base / "tools"
        self.tool(self.tools)
        self.makers = Makers(SystemClock())
        self.path = os.fsencode(self.tools)

    @staticmethod
    def tool(directory: Path) -> Path:
        directory.mkdir(exist_ok=True)
        for name in ("python", "uv"):
            (directory / name).write_text("#!/bin/sh\n")
            (directory / name).chmod(0o755)
        return directory

    @staticmethod
    def disk() -> Disk:
        return Disk(os.getuid(), SystemClock())

    def note(
        self, line: str, word: str = "file", path: bytes | None = None, pid: int = 1, project: bytes | None = None
    ) -> bool:
        root = os.fsencode(self.root)
        return self.makers.note(
            pid,
            line.encode(),
            word,
            root,
            self.path if path is None else path,
            root if project is None else project,
            self.disk(),
        )

    def made(self, name: str = ".venv", status: int = 0, pid: int = 1) -> bool:
        return self.makers.made(pid, status, os.fsencode(self.root / name), self.disk())


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    return Shell(tmp_path)


LINE = "python -m venv .venv"


def test_what_appears_between_the_line_and_its_end_was_made(shell: Shell) -> None:
    """Absent when the line was accepted, there when it ended well: made by the user, once."""
    assert shell.note(LINE)
    (shell.root / ".venv").mkdir()
    assert shell.made()
    assert not shell.made()


@pytest.mark.parametrize("word", ["alias", "function", "builtin", "keyword", "none", "", "File"])
def test_only_a_file_is_believed(shell: Shell, word: str) -> None:
    """An alias or a function may do anything under a tool's name."""
    assert not shell.note(LINE, word)


def test_a_failed_line_made_nothing(shell: Shell) -> None:
    """The status must be 0, and a failed line is forgotten."""
    assert shell.note(LINE)
    (shell.root / ".venv").mkdir()
    assert not shell.made(status=1)
    assert not shell.made()


def test_the_note_is_gone_after_any_question(shell: Shell) -> None:
    """A maker that made nothing must not vouch for what the next line unpacks."""
    assert shell.note(LINE)
    assert not shell.makers.made(1, 0, b"", shell.disk())
    (shell.root / ".venv").mkdir()
    assert not shell.made()


def test_another_line_replaces_the_note(shell: Shell) -> None:
    """One line per shell: a later line that is no maker ends what the earlier one stands for."""
    assert shell.note(LINE)
    assert not shell.note("tar xf environment.tar")
    (shell.root / ".venv").mkdir()
    assert not shell.made()


@pytest.mark.parametrize("planted", ["directory", "file", "link", "dangling"])
def test_what_was_there_before_is_not_the_users(shell: Shell, planted: str) -> None:
    """A planted folder, pointer or link keeps its content or leads elsewhere, whatever the tool does."""
    place = shell.root / ".venv"
    if planted == "directory":
        place.mkdir()
    elif planted == "file":
        place.write_text("elsewhere")
    else:
        place.symlink_to(shell.tools if planted == "link" else shell.root / "nowhere")
    assert not shell.note(LINE)
    assert not shell.made()


def test_what_appears_must_be_a_directory_of_that_name(shell: Shell) -> None:
    """A link in its place, another name, another shell: not made."""
    assert shell.note(LINE)
    (shell.root / ".venv").symlink_to(shell.tools)
    assert not shell.made()
    (shell.root / ".venv").unlink()
    assert shell.note(LINE)
    (shell.root / "other").mkdir()
    assert not shell.made("other")
    assert shell.note(LINE)
    (shell.root / ".venv").mkdir()
    assert not shell.made(pid=2)


def test_a_tool_in_the_project_is_not_believed(shell: Shell) -> None:
    """Found through PATH, by an entry relative to the directory, by its path, or through links either way."""
    inside = os.fsencode(Shell.tool(shell.root / "bin"))
    Shell.tool(shell.root)
    assert not shell.note(LINE, path=inside + b":" + shell.path)
    for entry in (b"", b".", b"bin", b"./bin", b"../app/bin"):
        assert not shell.note(LINE, path=entry + b":" + shell.path), entry
    assert not shell.note("./bin/python -m venv .venv")
    assert not shell.note(f"{shell.root}/bin/python -m venv .venv")
    link = shell.root.parent / "link"
    link.symlink_to(shell.root / "bin")
    assert not shell.note(LINE, path=os.fsencode(link))
    outward = shell.root / "outward"
    outward.mkdir()
    (outward / "python").symlink_to(shell.tools / "python")
    assert not shell.note(LINE, path=os.fsencode(outward))
    assert shell.note(LINE, path=shell.path)


def test_a_relative_entry_is_not_believed_even_outside(shell: Shell) -> None:
    """What ``..`` holds is no more the user's choice than what ``.`` holds."""
    Shell.tool(shell.root.parent / "bin")
    assert not shell.note(LINE, path=b"../bin:" + shell.path)
    assert shell.note(LINE, path=b"../absent:" + shell.path)


def test_the_directory_counts_where_the_answer_is_from_elsewhere(shell: Shell) -> None:
    """Where the environment's root is a pool, a tool in the directory itself is still a tool in the project."""
    inside = os.fsencode(Shell.tool(shell.root / "bin"))
    for project in (b"", b"/pool", os.fsencode(shell.root.parent), os.fsencode(shell.root)):
        assert not shell.note(LINE, path=inside, project=project), project
    assert not shell.note(LINE, path=shell.path, project=os.fsencode(shell.tools.parent))


def test_a_tool_that_is_not_there_makes_nothing(shell: Shell) -> None:
    """Not on PATH, or not executable."""
    assert not shell.note(LINE, path=b"")
    assert not shell.note(LINE, path=b"/nonexistent\0:\xff")
    (shell.tools / "python").chmod(0o644)
    assert not shell.note(LINE)


def test_older_notes_are_dropped(shell: Shell) -> None:
    """Shells that never come back do not fill the memory."""
    for pid in range(PENDING_LIMIT + 1):
        assert shell.note(LINE, pid=pid)
    (shell.root / ".venv").mkdir()
    assert not shell.made(pid=0)
    assert shell.made(pid=PENDING_LIMIT)
