"""What reaches the terminal, and what happens when it goes away."""

from __future__ import annotations

import os
import subprocess
import sys
from io import StringIO

import pytest
from hypothesis import given, settings, strategies

from alight.cli import render
from support.commandline import alight, answering

PACKAGE_PATH = {"PYTHONPATH": os.pathsep.join(sys.path)}
PROGRAM = (
    "import sys; from support.commandline import answering, session; from alight.cli.main import run;"
    "sys.exit(run(sys.argv[1:], session(answering('trusted'))))"
)


@settings(derandomize=True, database=None)
@given(octets=strategies.binary(max_size=60))
def test_shown_text_is_harmless(octets: bytes) -> None:
    """Whatever a name holds, what is shown has no control characters and no surrogates."""
    text = render.shown(octets)
    assert not any(ord(character) < 0x20 or 0x7F <= ord(character) < 0xA0 for character in text)
    text.encode("utf-8")


@pytest.mark.parametrize(
    ("octets", "text"),
    [
        (b"a\nb\t\r", r"a\nb\t\r"),
        (b"\x1b[2J\x9b", r"\x1b[2J\x9b"),
        ("\u202eevil\u2066".encode(), r"\u202eevil\u2066"),
        ("\x85\x9b".encode(), r"\x85\x9b"),
        ("naïve 日本".encode(), "naïve 日本"),
    ],
)
def test_what_a_terminal_obeys_is_spelled_out(octets: bytes, text: str) -> None:
    """C0, C1 and bidi marks are spelled out; other scripts stay as they are."""
    assert render.shown(octets) == text


class Terminal(StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("environ", "coloured"),
    [({"TERM": "xterm"}, True), ({"TERM": "xterm", "NO_COLOR": "1"}, False), ({"TERM": "dumb"}, False)],
)
def test_colour_needs_a_willing_terminal(
    environ: dict[str, str], coloured: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Colour appears on a terminal, and not with ``NO_COLOR`` or ``TERM=dumb``."""
    monkeypatch.delenv("NO_COLOR", raising=False)
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    terminal = Terminal()
    monkeypatch.setattr(sys, "stdout", terminal)
    alight("why", "/", service=answering("trusted"))
    assert ("\x1b[" in terminal.getvalue()) is coloured


def test_tables_on_a_terminal_are_aligned_and_clean(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a terminal a table has a head, and cells hold no markup and no control characters."""
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.delenv("NO_COLOR", raising=False)
    terminal = Terminal()
    monkeypatch.setattr(sys, "stdout", terminal)
    render.table(("name", "where"), [("[bold]x[/]\x1b[31m", "/a")])
    assert "name" in terminal.getvalue()
    assert r"[bold]x[/]\x1b[31m" in terminal.getvalue()


def test_a_narrow_encoding_loses_no_line(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the output's encoding lacks a character it is spelled out instead of failing."""
    import io

    stream = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    monkeypatch.setattr(sys, "stdout", stream)
    render.line(render.shown("日本".encode()))
    stream.flush()
    assert stream.buffer.getvalue() == b"\\u65e5\\u672c\n"  # type: ignore[attr-defined]


@pytest.mark.parametrize("words", [["why", "/"], ["env", "--json", "/"], ["--help"], ["why", "--help"]])
def test_a_closed_pipe_is_success(words: list[str]) -> None:
    """A reader that goes away is no failure and no traceback."""
    read_end, write_end = os.pipe()
    os.close(read_end)
    result = subprocess.run(
        [sys.executable, "-c", PROGRAM, *words],
        stdout=write_end,
        stderr=subprocess.PIPE,
        check=False,
        env=os.environ | PACKAGE_PATH,
        timeout=30,
    )
    os.close(write_end)
    assert (result.returncode, result.stderr) == (0, b"")


def test_output_that_cannot_be_written_is_a_failure() -> None:
    """Where stdout takes nothing, that is said on stderr and is not success."""
    with open(os.devnull, "rb") as readable:
        result = subprocess.run(
            [sys.executable, "-c", PROGRAM, "env", "/"],
            stdout=readable,
            stderr=subprocess.PIPE,
            check=False,
            env=os.environ | PACKAGE_PATH,
            timeout=30,
        )
    assert result.returncode == 1
    assert result.stderr.startswith(b"alight: cannot write the output: Bad file descriptor\n")


def test_a_closed_stdout_is_no_traceback() -> None:
    """Started without stdout, a command still answers by its exit code."""
    command = 'exec "$0" "$@" >&-'
    result = subprocess.run(
        ["/bin/sh", "-c", command, sys.executable, "-c", PROGRAM, "env", "/"],
        capture_output=True,
        check=False,
        env=os.environ | PACKAGE_PATH,
        timeout=30,
    )
    assert (result.returncode, result.stderr) == (0, b"")
