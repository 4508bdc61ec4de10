"""The pty harness itself, on bare shells: what later tests rest on."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from support.shells import HOSTILE_NAMES, KINDS, ShellFailed, ShellSession, quote

pytestmark = pytest.mark.parametrize("kind", KINDS)


@pytest.mark.parametrize("name", HOSTILE_NAMES.values(), ids=HOSTILE_NAMES.keys())
def test_cd_reaches_every_name(kind: str, name: bytes, tmp_path: Path) -> None:
    """``cd`` goes into a directory whatever its octets, and both the shell and pwd(1) report exactly those."""
    directory = os.path.join(os.fsencode(tmp_path), name)
    os.mkdir(directory)
    with ShellSession(kind, tmp_path) as session:
        assert session.cd(directory) == ""
        assert session.pwd() == directory
        assert session.run_bytes("command pwd -P") == _displayed(directory) + b"\n"
        target = os.fsencode(tmp_path) + b"/pwd"
        session.run(f"/bin/pwd > {quote(kind, target)}")
        with open(target, "rb") as file:
            assert file.read() == directory + b"\n"
    assert not os.path.exists(os.path.join(directory, b"hurt"))


def test_start_is_silent(kind: str, tmp_path: Path) -> None:
    """A bare shell displays nothing before its first prompt, so that whatever a hook prints there is seen."""
    with ShellSession(kind, tmp_path) as session:
        assert session.startup == ""
    with ShellSession(kind, tmp_path, hook="echo hello from the hook") as session:
        assert session.startup == "hello from the hook\n"


@pytest.mark.parametrize("terminal", ["xterm-256color", "dumb"])
def test_run_returns_exactly_the_output(kind: str, terminal: str, tmp_path: Path) -> None:
    """The output comes back whole: none, many lines, no final line end, after a long line or two typed ones."""
    with ShellSession(kind, tmp_path, {**os.environ, "TERM": terminal}) as session:
        assert session.run("true") == ""
        assert session.run("") == ""
        assert session.run("printf 'a\\nb\\n'") == "a\nb\n"
        assert session.run("printf bare") == "bare"
        assert session.run("echo " + "x" * 400) == "x" * 400 + "\n"
        assert session.run("echo first; echo second >&2") == "first\nsecond\n"
        assert session.run("echo 'over two\nlines'") == "over two\nlines\n"


def test_prompt_is_what_is_displayed(kind: str, tmp_path: Path) -> None:
    """``prompt`` is the last line of the prompt as a person reads it, colours and marks gone."""
    lines = {
        "zsh": r"PS1=$'two lines\n%F{red}(app)%f %1~ # '",
        "bash": r"PS1='two lines\n\[\e[31m\](app)\[\e[0m\] \W # '",
        "fish": "function fish_prompt; echo 'two lines'; set_color red; printf '(app)'; set_color normal; "
        "printf ' %s # ' (basename $PWD); end",
    }
    (tmp_path / "work").mkdir()
    with ShellSession(kind, tmp_path, rc_lines=[lines[kind]]) as session:
        session.cd(tmp_path / "work")
        assert session.prompt() == "(app) work # "


def test_environment_and_variables_are_octets(kind: str, tmp_path: Path) -> None:
    """``env`` and ``variable`` give values octet for octet, and tell unset from empty."""
    value = b"caf\xe9\n$(x) 'q'"
    environ = {**os.environ, "ODD": os.fsdecode(value), "EMPTY": ""}
    with ShellSession(kind, tmp_path, environ) as session:
        assert session.env()[b"ODD"] == value
        assert session.env()[b"HOME"] == os.fsencode(tmp_path)
        assert b"ZDOTDIR" not in session.env()
        assert session.variable("ODD") == value
        assert session.variable("EMPTY") == b""
        assert session.variable("NOT_SET_ANYWHERE") is None


def test_status_of_the_command_survives_the_prompt(kind: str, tmp_path: Path) -> None:
    """The harness's own marks leave the status of the last command alone."""
    with ShellSession(kind, tmp_path) as session:
        session.run("sh -c 'exit 7'")
        assert session.run("echo $status" if kind == "fish" else "echo $?") == "7\n"


def test_keys_and_exit(kind: str, tmp_path: Path) -> None:
    """Keys can be sent without Enter, a half-typed line shows on the screen, and ``exit`` gives the shell's status."""
    session = ShellSession(kind, tmp_path)
    session.send_keys("echo half")
    session.wait_screen("echo half")
    session.send_keys("way\r")
    assert session.wait_prompt() == "halfway\n"
    assert session.exit("exit 3") == 3


def test_failure_shows_the_screen(kind: str, tmp_path: Path) -> None:
    """A shell that does not come back fails at its deadline with what is on its screen; a dead one at once."""
    session = ShellSession(kind, tmp_path)
    with pytest.raises(ShellFailed, match="before the wait"):
        session.run("echo before the wait; cat", deadline=0.5)
    session.kill()
    session = ShellSession(kind, tmp_path)
    with pytest.raises(ShellFailed, match="ended with 5"):
        session.run("exit 5")
    session.close()


def test_starts_in_the_given_directory(kind: str, tmp_path: Path) -> None:
    """A session can start inside a directory with a hostile name, and the shell knows its name."""
    directory = os.path.join(os.fsencode(tmp_path), HOSTILE_NAMES["latin1"])
    os.mkdir(directory)
    with ShellSession(kind, tmp_path, cwd=directory) as session:
        assert session.pwd() == directory


def _displayed(octets: bytes) -> bytes:
    """What the terminal line discipline makes of octets: a line feed comes back as CR LF, undone by the harness."""
    return octets.replace(b"\r\n", b"\n")
