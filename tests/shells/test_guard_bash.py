"""What only bash has of the guard: readline's Enter, continuation lines, the history, signals, options."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import pytest

from support import rawserver
from support.bashguard import KIND, SAYS, Field, Judge, history
from support.checkout import ROOT
from support.shells import ShellSession, quote
from support.until import until
from support.world import PATH, World

CONTROL_C, CONTROL_D, ESCAPE = "\x03", "\x04", "\x1b"


@pytest.fixture
def field(world: World, runtime_directory: Path) -> Iterator[Field]:
    """A place to install things in, and the daemon's stand-in."""
    judge = Judge()
    with rawserver.raw_server(runtime_directory, judge.serve):
        yield Field(world, judge)


# --- continuation lines ---

UNFINISHED: Mapping[str, Sequence[str]] = {
    "list": ["true &&", "pip install x"],
    "pipeline": ["true |", "pip install x"],
    "backslash": ["pip install \\", "x"],
    "backslash-twice": ["pip \\", "install \\", "x y"],
    "semicolon": ["{", "pip install x;", "}"],
    "loop": ["for i in 1 2; do", "pip install x", "done"],
    "loop-end": ["while true", "do pip install x; break; done"],
    "subshell": ["(", "pip install x)"],
    "subshell-open": ["(true", "pip install x"],
    "group": ["{ true", "pip install x; }"],
    "case": ["case x in", "x) pip install x ;;", "esac"],
    "case-open": ["case x in", "y) true ;;", "x) pip install x"],
    "if": ["if true", "then pip install x; fi"],
    "condition": ["[[ a == a &&", "b == b ]] && pip install x"],
    "arithmetic": ["echo $((1 +", "2)); pip install x"],
    "array": ["x=(1", "2); pip install x"],
    "quoted": ["echo 'it is", "done'; pip install x"],
    "double-quoted": ['echo "it`s', "x`\"; pip install x # it's"],
    "substitution": ["echo $(echo", "it); pip install x"],
    "negation": ["! true ||", "pip install x"],
    "comment": ["true && # it's", "pip install x # and (that"],
}
"""Commands over several lines; the question comes at the first line that completes ``pip install``."""


@pytest.mark.parametrize("case", UNFINISHED)
def test_a_cancelled_continuation_drops_the_whole_command(field: Field, case: str) -> None:
    """At PS2, wherever bash is in its grammar, `c` runs nothing of the command, and the next line is a new one."""
    shell = field.shell()
    *begun, last = [line for line in UNFINISHED[case] if line not in ("}", "done", "esac")]
    field.begin(shell, *begun)
    assert "ran" not in field.answered(shell, last, "c")
    assert field.ran() == []
    assert shell.run("echo $?; echo behind").splitlines()[-1] == "behind"
    assert field.ran() == []
    remembered = "\n".join(history(shell))
    assert last in remembered
    assert "&& &&" not in remembered


def test_a_continuation_that_proceeds_runs_once(field: Field) -> None:
    """At PS2 `p` leaves the command what it is, the lines behind it included."""
    shell = field.shell()
    field.begin(shell, "for i in 1 2; do")
    field.ask(shell, "pip install $i; done")
    shell.send_keys("p")
    assert shell.wait_prompt().count("pip ran") == 2
    assert field.ran() == [b"pip", b"install", b"1", b"pip", b"install", b"2"]
    assert field.judge.heard[-1][0] == b"for i in 1 2; do\n"


def test_an_edited_continuation_runs_in_its_command(field: Field) -> None:
    """At PS2 `r` replaces the line alone, and the history has the edited command."""
    shell = field.shell()
    field.begin(shell, "true &&")
    assert "instead ran" in field.answered(shell, "pip install x", "r")
    assert field.ran() == [b"instead", b"x"]
    assert "true && instead x" in history(shell)


def test_a_cancelled_continuation_keeps_the_history_in_order(field: Field) -> None:
    """What was typed over several lines is one entry, as without the guard, and what came before is untouched."""
    shell = field.shell("HISTTIMEFORMAT='%F '")
    shell.run("history -c")
    shell.run("echo 'first  one'")
    field.begin(shell, "for i in 1 2; do")
    field.answered(shell, "pip install x; done", "c")
    assert history(shell)[:2] == ["echo 'first  one'", "for i in 1 2; do pip install x; done"]


def test_a_cancelled_continuation_stays_out_of_the_history_where_its_first_line_did(field: Field) -> None:
    """A command that HISTCONTROL keeps out is not put in, and no other entry is lost."""
    shell = field.shell("HISTCONTROL=ignorespace")
    shell.run("history -c")
    shell.run("echo first")
    field.begin(shell, " true &&")
    field.answered(shell, "pip install x", "c")
    assert history(shell)[0] == "echo first"
    assert "pip" not in "\n".join(history(shell))


# --- what is no command line ---


@pytest.mark.parametrize(
    "reader", ["read -e answer", "f() { read -e answer; }; f", "true; { read -e answer; }", "read -ei '' answer"]
)
def test_what_a_command_reads_is_never_asked_about(field: Field, reader: str) -> None:
    """`read -e` gets what was typed, and the daemon does not hear of it."""
    shell = field.shell()
    shell.send_keys(f"{reader}; echo waiting >/dev/null\r")
    shell.wait_screen("waiting")
    shell.send_keys("pip install x\r")
    shell.wait_prompt()
    assert shell.variable("answer") == b"pip install x"
    assert field.judge.heard == []
    field.answered(shell, "pip install y", "c")


@pytest.mark.parametrize("line", ["alight off", "export ALIGHT_GUARD=off", "export ALIGHT_DISABLE=1"])
def test_what_is_switched_off_is_silent(field: Field, line: str) -> None:
    """A shell that is off asks nothing."""
    shell = field.shell()
    shell.run(line)
    assert shell.run("pip install x") == "pip ran\n"
    assert field.judge.heard == []


@pytest.mark.parametrize("bracketed", [False, True])
def test_a_paste_is_told_and_runs(field: Field, bracketed: bool) -> None:
    """Where more input waits, or a line came as several, the message is printed and everything runs, unasked."""
    shell = field.shell(f"bind 'set enable-bracketed-paste {'on' if bracketed else 'off'}'")
    pasted = "pip install x\necho behind"
    shell.send_keys(f"\x1b[200~{pasted}\x1b[201~\r" if bracketed else pasted.replace("\n", "\r") + "\r")
    shell.wait_screen("\nbehind")
    assert "[c]ancel" not in shell.screen()
    assert SAYS in shell.screen()
    assert field.ran() == [b"pip", b"install", b"x"]


# --- the history ---


@pytest.mark.parametrize(
    ("control", "typed", "kept"),
    [
        ("", " pip install x", ["echo first", " pip install x"]),
        ("ignorespace", " pip install x", ["echo first"]),
        ("ignoredups", "pip install x", ["echo first", "pip install x"]),
        ("erasedups", "pip install x", ["echo first", "pip install x"]),
    ],
)
def test_a_cancelled_line_is_remembered_as_a_line_that_ran(
    field: Field, control: str, typed: str, kept: list[str]
) -> None:
    """HISTCONTROL decides about it, and no other entry is lost."""
    shell = field.shell(f"HISTCONTROL={control}")
    shell.run("history -c")
    shell.run("echo first")
    for _ in range(2 if "dups" in control else 1):
        field.answered(shell, typed, "c")
    shell.send_keys("\x1b[A")
    shell.wait_screen(kept[-1])
    shell.send_keys("\x15")
    entries = shell.run("history").splitlines()[:-1]
    assert [entry[7:] for entry in entries] == kept


def test_a_cancelled_line_is_not_remembered_without_a_history(field: Field) -> None:
    """`set +o history` keeps it out, as any other."""
    shell = field.shell()
    shell.run("history -c; set +o history")
    field.answered(shell, "pip install x", "c")
    assert "pip" not in shell.run("history")


@pytest.mark.parametrize("typed", ["!!", "!pip", "^x^y^", "echo a; !?install?", "!pip:0 install z"])
def test_history_is_expanded_before_it_is_judged(field: Field, typed: str) -> None:
    """What is judged is what bash will run; the history is as bash leaves it."""
    shell = field.shell()
    field.answered(shell, "pip install x", "p")
    field.ran()
    field.ask(shell, typed)
    shell.send_keys("p")
    shell.wait_prompt()
    expanded = history(shell)[-1]
    assert field.judge.lines[-1] == expanded.encode()
    assert field.ran()[-1] in (b"x", b"y", b"z")


def test_history_that_is_only_shown_is_not_judged(field: Field) -> None:
    """With histverify the line comes back to be edited, and `:p` prints it: neither runs or is asked about."""
    shell = field.shell("shopt -s histverify")
    field.answered(shell, "pip install x", "c")
    shell.send_keys("!!\r")
    shell.wait_screen("$ pip install x" if os.getuid() else "# pip install x")
    field.answered(shell, " y", "p")
    assert field.judge.lines == [b"pip install x", b"pip install x y"]
    assert field.judge.heard[-1][0] == b""
    shell.run("shopt -u histverify")
    shell.send_keys("!pip:p\r")
    field.answered(shell, "pip install z", "p")
    assert field.judge.heard[2:] == [[b"", b"pip install z", *field.judge.heard[-1][2:]]]


def test_what_only_looks_like_history_is_judged_as_typed(field: Field) -> None:
    """A mark before a blank or in quotes, and one that finds no event, are what they are for bash."""
    shell = field.shell()
    field.answered(shell, "! pip install '!x'", "c")
    assert field.judge.lines == [b"! pip install '!x'"]
    shell.send_keys("pip install !nothing-like-it\r")
    shell.wait_screen("event not found")
    field.answered(shell, "pip install y", "c")
    assert field.judge.heard[1:] == [[b"", b"pip install y", *field.judge.heard[1][2:]]]
    assert history(shell)[-1] == "pip install y"
    shell.run("set +H")
    field.answered(shell, "pip install !!", "c")
    assert field.judge.lines[-1] == b"pip install !!"


# --- keys, signals, traps ---


@pytest.mark.parametrize("key", [CONTROL_C, ESCAPE, "c"])
@pytest.mark.parametrize("mode", ["emacs", "vi"])
def test_cancelling_leaves_everything_as_it_was(field: Field, key: str, mode: str) -> None:
    """Nothing runs, no INT trap, `$?` and the terminal are what they were, and the line is in the history."""
    shell = field.shell(f"set -o {mode}", "trap 'echo trapped' INT")
    before = shell.run("stty -g")
    shell.run("(exit 7)")
    said = field.answered(shell, "pip install x", key)
    assert "trapped" not in said + shell.run("echo $?")
    assert "7" in shell.screen().splitlines()[-2]
    assert field.ran() == []
    assert shell.run("stty -g") == before
    assert "pip install x" in history(shell)
    assert "trapped" in shell.run("trap")


def test_the_terminal_sends_signals_again_after_an_answer(field: Field) -> None:
    """Ctrl-C ends what runs once the question is answered, whatever the answer."""
    shell = field.shell()
    for key in "cp":
        field.answered(shell, "pip install x", key)
        shell.send_keys("echo be''gun; sleep 60; echo sle''pt\r")
        shell.wait_screen("begun")
        shell.send_keys(CONTROL_C)
        shell.wait_prompt()
        assert "slept" not in shell.screen()
        shell.run("clear")


@pytest.mark.parametrize("key", ["x", "\r", " ", "\x1a", "\x1c", "\x1b[A", "\x1bOP", "é", "\t", "R"])
def test_other_keys_ask_again(field: Field, key: str) -> None:
    """A key that is no answer, an arrow included, asks once more; the next one counts."""
    shell = field.shell()
    field.ask(shell, "pip install x")
    shell.send_keys(key)
    until("it asks again", lambda: shell.refresh().count("[c]ancel") == 2, 15)
    shell.send_keys("p")
    shell.wait_prompt()
    assert field.ran() == [b"pip", b"install", b"x"]


def test_end_of_input_proceeds_and_says_so(field: Field) -> None:
    """Ctrl-D at the question is no answer: the line runs, with a word about it."""
    shell = field.shell()
    field.answered(shell, "pip install x", CONTROL_D)
    assert "end of input" in shell.screen()
    assert field.ran() == [b"pip", b"install", b"x"]


def test_always_is_told_to_the_daemon(field: Field) -> None:
    """`a` sends the token and runs the line; what could not be remembered is said, with nothing raw in it."""
    shell = field.shell()
    field.answered(shell, "pip install x", "a")
    assert field.judge.tokens == [b"token-1"]
    field.judge.remembers = (b"failure", b"internal", b"no \x1b[31mroom")
    field.answered(shell, "pip install y", "a")
    assert "alight: no ?[31mroom" in shell.screen()
    assert field.ran() == [b"pip", b"install", b"x", b"pip", b"install", b"y"]


OPTIONS: Mapping[str, str] = {
    "errexit": "set -e",
    "nounset": "set -u",
    "noglob": "set -f",
    "noclobber": "set -C",
    "allexport": "set -a",
    "xtrace-like": "set -E -T; trap 'true' DEBUG ERR RETURN",
    "extdebug": "shopt -s extdebug; trap 'true' DEBUG",
    "fields": "IFS=pi",
    "case": "shopt -s nocasematch failglob nullglob",
    "posix": "set -o posix",
    "timeout": "TMOUT=50",
    "functions": 'for f in read history stty alias; do eval "$f() { builtin echo hurt; }"; done',
    "alias": "alias read='echo hurt' local='echo hurt' history='echo hurt' stty='echo hurt'",
    "no-expansion": "shopt -u promptvars",
}


@pytest.mark.parametrize("case", OPTIONS)
def test_the_users_options_neither_break_it_nor_change(field: Field, case: str) -> None:
    """Each answer does what it says under any options of the user, which are the same afterwards."""
    shell = field.shell()
    shell.run(OPTIONS[case])
    before = shell.variable("SHELLOPTS"), shell.variable("BASHOPTS"), shell.variable("IFS")
    assert "hurt" not in field.answered(shell, "pip install 'a b'", "r")
    assert field.ran() == [b"instead", b"a b"]
    field.answered(shell, "pip install x", "c")
    field.answered(shell, "pip install x", "p")
    assert field.ran() == [b"pip", b"install", b"x"]
    assert (shell.variable("SHELLOPTS"), shell.variable("BASHOPTS"), shell.variable("IFS")) == before


def test_enter_in_vi_command_mode_is_guarded(field: Field) -> None:
    """Escape and Enter ask, and every answer works there."""
    shell = field.shell("set -o vi")
    field.ask(shell, "pip install x\x1b")
    shell.send_keys("r")
    shell.wait_prompt()
    assert field.ran() == [b"instead", b"x"]


# --- beside ---


def test_a_hook_that_is_sourced_as_a_file_brings_the_guard(field: Field) -> None:
    """`alight.bash` finds its second half beside it."""
    home = field.world.home
    with ShellSession(
        KIND,
        home,
        field.world.environ({"PATH": f"{home}/bin:{PATH}"}),
        rc_lines=[f"source {quote(KIND, os.fsencode(ROOT / 'shell' / 'alight.bash'))}"],
    ) as shell:
        assert shell.run("builtin declare -F __alight_guard") == "__alight_guard\n"


def test_a_prompt_of_two_lines_and_a_long_line_are_shown_once(field: Field) -> None:
    """The question stands below the line as it was typed; what is accepted is drawn once, below the answer."""
    shell = field.shell(before=["PS1='above\\n% '"])
    line = "pip install " + " ".join(f"package-{number:03}" for number in range(20))
    field.ask(shell, line)
    rows = shell.screen().splitlines()
    typed = next(index for index, row in enumerate(rows) if row.startswith("% pip install"))
    assert rows[typed - 1] == "above"
    assert SAYS in rows[typed + 2]
    shell.send_keys("p")
    shell.wait_prompt()
    screen = shell.screen()
    assert screen.count("% pip install") == 2
    assert screen.count("package-019") == 2
    assert screen.count("above") == 2
