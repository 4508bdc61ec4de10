"""The question at Enter, with a daemon, environments and a pip that are real: when it is asked, what answers do."""

from __future__ import annotations

import os
import signal
from collections.abc import Sequence
from dataclasses import dataclass

import pytest

from support.guardfield import (
    MODES,
    QUESTION,
    WORDS,
    GuardField,
    ask,
    awaited,
    finish,
    history,
    new_second,
    press,
    recall,
    squeezed,
    unasked,
    wait_question,
)
from support.shells import ShellSession
from support.until import until
from support.world import World, export, source_activate

GLOBAL = "installs into Python 3.11 (global), "
"""Where the pip of the base Python lands."""


@pytest.fixture
def field(world: World) -> GuardField:
    """A home in which the project's environment is trusted."""
    return GuardField(world).allow()


@dataclass(frozen=True)
class Form:
    """A way to type ``pip install tiny``: what is set up, the lines up to the question, what ends the command."""

    name: str
    lines: Sequence[str]
    before: Sequence[str] = ()
    rest: str = ""


def forms(kind: str) -> list[Form]:
    """What the guard has to see through in a shell."""
    fish = kind == "fish"
    found = [
        Form("plain", [WORDS]),
        Form("pipeline", [f"{WORDS} 2>&1 | cat"]),
        Form("list", [f"cd src && {WORDS}"]),
        Form("block", [f"begin; {WORDS}; end"] if fish else [f"( {WORDS} )"]),
        Form("loop", ["for one in 1", WORDS, "end"]) if fish else Form("loop", ["for one in 1; do", WORDS], (), "done"),
        Form("alias", ["get tiny"], ["alias get='pip install'"]),
        Form("trap", [WORDS], ["trap 'echo caught' INT"]),
    ]
    return found if fish else [*found, Form("errexit", [WORDS], ["set -e"])]


@pytest.mark.parametrize("mode", MODES)
def test_every_form_is_asked_about(field: GuardField, kind: str, mode: str) -> None:
    """Named with its landing: `c` runs nothing, the line is kept; `r` lands in the project; `p` is what was typed."""
    shell = field.shell(kind, mode=mode)
    shell.run("deactivate")
    for form in forms(kind):
        for line in form.before:
            shell.run(line)
        _cancel(field, shell, form)
        _replace(field, shell, form)
        _proceed(field, shell, form)
    shell.cd(field.elsewhere)
    shell.cd(field.app)
    assert shell.variable("VIRTUAL_ENV") == os.fsencode(field.environment)


def _cancel(field: GuardField, shell: ShellSession, form: Form) -> None:
    screen = ask(shell, *form.lines)
    assert squeezed(f"{GLOBAL}not into this project's .venv") in screen, form
    assert squeezed(f"lands in {field.machine}/lib/python3.11/site-packages") in screen, form
    assert squeezed(f"project {field.environment} (Python") in screen, form
    assert field.stand_in not in press(shell, "c"), form
    status = shell.run("echo status $status" if shell.kind == "fish" else "echo status $?").strip()
    assert (status == "status 0") == (shell.kind == "bash" and not form.rest), (form, status)
    assert field.installed() == set(), form


def _replace(field: GuardField, shell: ShellSession, form: Form) -> None:
    """The line comes back from the history, which tells what ran afterwards."""
    screen = recall(shell, form.lines[0], 2)
    assert all(squeezed(line) in screen for line in form.lines), form
    assert squeezed(f"[r]un `{field.instead}` instead") in screen, form
    finish(shell, "r", form.rest)
    assert field.instead in history(shell), form
    assert field.installed() == {"project"}, form
    shell.cd(field.app)


def _proceed(field: GuardField, shell: ShellSession, form: Form) -> None:
    ask(shell, *form.lines)
    assert field.stand_in in finish(shell, "p", form.rest), form
    assert field.installed() == set(), form
    shell.cd(field.app)


def assert_silent(field: GuardField, shell: ShellSession) -> None:
    """The line runs as it was typed, and nothing else is on the screen."""
    screen = unasked(shell, WORDS)
    assert "alight:" not in screen
    assert squeezed(screen).count(squeezed(field.stand_in)) == 1


@pytest.mark.parametrize("mode", MODES)
def test_outside_any_project(field: GuardField, kind: str, mode: str) -> None:
    """Nothing to offer instead; Escape and Ctrl-C cancel, other keys ask again, the user's trap is not run."""
    shell = field.shell(kind, field.elsewhere, mode, after=["trap 'echo caught' INT"])
    screen = ask(shell, WORDS)
    assert squeezed(f"{GLOBAL[:-2]}; no environment is active") in screen
    assert "[r]un" not in screen
    shell.send_keys("x")
    wait_question(shell, 2)
    shell.send_keys("\x1b[A")
    wait_question(shell, 3)
    shell.send_keys("r")
    wait_question(shell, 4)
    shown = press(shell, "\x1b")
    ask(shell, WORDS)
    shown += press(shell, "\x03")
    assert field.stand_in not in shown
    assert "caught" not in shown
    assert history(shell) == WORDS
    shell.cd(field.app)
    assert shell.variable("VIRTUAL_ENV") == os.fsencode(field.environment)


@pytest.mark.parametrize("mode", MODES)
def test_another_environment_activated_by_hand(field: GuardField, kind: str, mode: str) -> None:
    """`c` leaves both alone, `p` installs into the one that is on, `r` into the project's; a right line is silent."""
    shell = field.shell(kind, mode=mode)
    shell.run(source_activate(kind, field.other))
    screen = ask(shell, WORDS)
    assert squeezed(f"installs into the environment {field.other}, not into this project's .venv") in screen
    press(shell, "c")
    assert field.installed() == set()
    ask(shell, WORDS)
    press(shell, "p")
    assert field.installed() == {"other"}
    ask(shell, WORDS)
    press(shell, "r")
    assert field.installed() == {"project"}
    shell.run("deactivate")
    assert shell.variable("VIRTUAL_ENV") == os.fsencode(field.environment)
    assert "alight:" not in unasked(shell, WORDS)
    assert field.installed() == {"project"}


def test_always_here(field: GuardField, kind: str) -> None:
    """`a` runs the line and ends the questions about this project and landing, in every shell, until it is revoked."""
    shell, other = field.shell(kind), field.shell(kind)
    for one in (shell, other):
        one.run("deactivate")
    ask(shell, WORDS)
    assert field.stand_in in press(shell, "a")
    for one in (shell, other):
        assert_silent(field, one)
    ask(shell, f"cd {field.elsewhere} && {WORDS}")
    press(shell, "c")
    listed = [row.split("\t") for row in field.world.alight("trust", "--list").splitlines()]
    [(identifier, *about)] = [row[:4] for row in listed if "always" in row[1]]
    assert about == ["always pip", str(field.app), str(field.machine)]
    field.world.alight("trust", "--revoke", identifier)
    ask(other, WORDS)
    press(other, "c")


def test_lines_that_install_nothing_are_silent(field: GuardField, kind: str) -> None:
    """Words in a message, an argument, a function that is only defined, and commands that only look: no question."""
    shell = field.shell(kind)
    shell.run("deactivate")
    shell.run("git init -q .")
    lines = [
        "git commit -q --allow-empty -m 'pip install tiny' 2>/dev/null",
        f"echo {WORDS}",
        "function get; pip install $argv; end" if kind == "fish" else 'get() { pip install "$@"; }',
        "pip download tiny",
        "pip list",
    ]
    for line in lines:
        assert "alight:" not in unasked(shell, line), line
    ask(shell, "get tiny")
    press(shell, "c")


def test_without_trust_nothing_is_offered(world: World, kind: str) -> None:
    """The project's environment is named, with the way to allow it; `r` is there after that only."""
    field = GuardField(world)
    shell = field.shell(kind)
    screen = ask(shell, WORDS)
    assert squeezed("not into this project's .venv, which is not trusted (`alight allow`)") in screen
    assert "[r]un" not in screen
    shell.send_keys("r")
    wait_question(shell, 2)
    assert field.stand_in in press(shell, "p")
    shell.run("alight allow")
    shell.run("deactivate")
    assert "[r]un" in ask(shell, WORDS)
    press(shell, "c")


def test_modes(field: GuardField, kind: str) -> None:
    """ALIGHT_GUARD: warn says it and runs, block says it and does not, off is silent."""
    shell = field.shell(kind)
    shell.run("deactivate")
    shell.run(export(kind, "ALIGHT_GUARD", "warn"))
    screen = unasked(shell, WORDS)
    assert GLOBAL in screen
    assert squeezed(f"instead {field.instead}") in squeezed(screen)
    assert squeezed(field.stand_in) in squeezed(screen)
    shell.run(export(kind, "ALIGHT_GUARD", "block"))
    new_second(shell)
    screen = unasked(shell, WORDS)
    assert GLOBAL in screen
    assert "not run" in screen
    assert squeezed(field.stand_in) not in squeezed(screen)
    assert history(shell) == WORDS
    shell.run(export(kind, "ALIGHT_GUARD", "off"))
    assert_silent(field, shell)
    shell.run(export(kind, "ALIGHT_GUARD", "ask"))
    ask(shell, WORDS)
    press(shell, "c")


@pytest.mark.parametrize("bracketed", [True, False])
def test_a_pasted_block_is_never_asked_about(field: GuardField, kind: str, bracketed: bool) -> None:
    """Several lines at once: what is wrong is said, all of it runs, nothing of it is taken for an answer."""
    shell = field.shell(kind, after=["bind 'set enable-bracketed-paste on'"] if kind == "bash" else [])
    shell.run("deactivate")
    # What tells the last line of a paste without brackets from a typed one, fish does not know.
    typed = kind == "fish" and not bracketed
    last, ending = ("echo the e''nd", "the end") if typed else (f"{WORDS} last", f"{field.stand_in} last")
    block = f"echo first\n{WORDS}\necho can''celled\n{last}"
    if bracketed:
        shell.send_keys(f"\x1b[200~{block}\x1b[201~")
        shell.wait_screen(last)
        shell.send_keys("\r")
    else:
        shell.send_keys(block.replace("\n", "\r") + "\r")
    screen = squeezed(awaited(shell, lambda screen: squeezed(ending) in squeezed(screen)))
    assert QUESTION not in screen
    assert squeezed(GLOBAL) in screen
    assert "cancelled" in screen


@pytest.mark.parametrize("state", ["killed", "stopped", "absent"])
def test_without_an_answer_the_line_runs(field: GuardField, kind: str, state: str) -> None:
    """A daemon that is dead, stopped or was never there: the line runs as it was typed, without a word."""
    if state == "absent":
        field.world.daemon.kill()
    # The hook would start another one, which might be there in time.
    nobody = "set -g __alight_daemon_python ''" if kind == "fish" else "__alight_daemon_python="
    shell = field.shell(kind, env={"ALIGHT_DEADLINE": "0.2"}, after=[nobody], daemon=state != "absent")
    shell.run("deactivate")
    if state == "killed":
        field.world.daemon.kill()
    elif state == "stopped":
        field.world.daemon.signal(signal.SIGSTOP)
    assert_silent(field, shell)
    if state == "stopped":
        field.world.daemon.signal(signal.SIGCONT)


def test_switched_off_it_is_silent(field: GuardField, kind: str) -> None:
    """`alight off`, `alight pause` and ALIGHT_DISABLE: no questions, until they are taken back."""
    shell = field.shell(kind, field.elsewhere)
    for off, on in (
        ("alight pause", "alight on"),
        ("alight off", "alight on"),
        (export(kind, "ALIGHT_DISABLE", "1"), export(kind, "ALIGHT_DISABLE", "0")),
    ):
        shell.run(off)
        assert_silent(field, shell)
        shell.run(on)
        ask(shell, WORDS)
        press(shell, "c")


def test_zsh_runs_a_handler_meanwhile_that_is_no_answer(field: GuardField) -> None:
    """A handler of zle that runs while the question waits, and leaves a letter in REPLY, has not answered it."""
    shell = field.shell("zsh", field.elsewhere)
    pipe, heard = field.home / "pipe", field.home / "heard"
    shell.run(f"mkfifo {pipe}; exec {{watched}}<>{pipe}")
    shell.run(f"hear() {{ zle -F $1; REPLY=p; : >{heard} }}; zle -F $watched hear")
    ask(shell, WORDS)
    pipe.write_text("news\n")
    until("the handler ran", heard.exists)
    shell.send_keys("x")
    wait_question(shell, 2)
    assert field.stand_in not in press(shell, "c")


def test_bash_cancels_an_unfinished_command_under_errexit(field: GuardField) -> None:
    """The syntax error that drops it does not end the shell, and errexit is on again at the next prompt."""
    shell = field.shell("bash", field.elsewhere)
    shell.run("set -e")
    ask(shell, "for one in 1; do", WORDS)
    press(shell, "c")
    assert "e" in shell.run("echo $-").strip()
    assert shell.exit("false") == 1
