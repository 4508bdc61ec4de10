"""What only zsh's guard has: widgets that others chain, `zle`'s own history and status, options, keys and paste."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from support.guardliar import QUESTION, GuardLiar, guarding
from support.shells import ShellSession, quote
from support.until import until
from support.world import World

LINE = "print -r pip install one"
"""A line that passes the filter and does no harm."""

Start = Callable[..., ShellSession]


@pytest.fixture
def liar(runtime_directory: Path) -> Iterator[GuardLiar]:
    """The daemon of these tests; it asks about ``LINE`` and has a replacement."""
    with guarding(runtime_directory) as made:
        made.asks(LINE, "pip install", "instead", "of")
        yield made


@pytest.fixture
def start(world: World, liar: GuardLiar) -> Start:
    """Starts a shell that talks to the liar; ``before`` and ``after`` are start-up lines around the hook."""

    def begin(*after: str, before: Sequence[str] = (), env: dict[str, str] | None = None) -> ShellSession:
        return world.shell("zsh", before=before, after=["setopt no_beep", *after], env=env, daemon=False)

    return begin


def enter(shell: ShellSession, line: str | bytes = LINE, keys: str = "\r") -> None:
    """Type a line, press Enter, wait for the question."""
    shown = shell.screen().count(QUESTION)
    shell.send_keys(line)
    shell.send_keys(keys)
    until("the question is asked", lambda: shell.refresh().count(QUESTION) > shown, 15)


def press(shell: ShellSession, key: str | bytes) -> str:
    """Answer, wait for the prompt; what was displayed since the last one."""
    shell.send_keys(key)
    return shell.wait_prompt()


WRAPPERS = {
    "plain": "accept-line-of-mine() { (( ++mine )); zle .accept-line }; zle -N accept-line accept-line-of-mine",
    # As zsh-autosuggestions: at each prompt, what is not its own is saved by its function, under a name with a number.
    "suggesting": """
wrap() { [[ $widgets[accept-line] != user:wrapped* ]] || return 0
  if [[ $widgets[accept-line] == user:* ]]; then zle -N saved-$(( ++saved )) ${widgets[accept-line]#*:}
  else saved() { zle .accept-line }; zle -N saved-$(( ++saved )) saved; fi
  functions[wrapped$saved]="wrapped saved-$saved"; zle -N accept-line wrapped$saved }
wrapped() { [[ $1 != saved-1 ]] || (( ++mine )); POSTDISPLAY=; zle $1 }; precmd_functions+=(wrap)""",
    # The same without the number: it goes round in circles with whoever wraps it.
    "circular": """
wrap() { [[ $widgets[accept-line] != user:wrapped ]] || return 0
  if [[ $widgets[accept-line] == user:* ]]; then zle -N saved ${widgets[accept-line]#*:}
  else saved() { zle .accept-line }; zle -N saved saved; fi
  zle -N accept-line wrapped }
wrapped() { (( rounds++ )) || (( ++mine )); zle saved; rounds=0 }; precmd_functions+=(wrap)""",
    # As zsh-syntax-highlighting of before zsh 5.9: an alias of the widget is saved, and called with -w.
    "highlighting": """
zle -A accept-line saved-accept-line; zle -N accept-line wrapped
wrapped() { (( ++mine )); zle saved-accept-line -w -- "$@"; region_highlight=("0 1 bold") }""",
}


@pytest.mark.parametrize("place", ["before", "after"])
@pytest.mark.parametrize("wrapper", WRAPPERS)
def test_others_chain_the_same_widget(liar: GuardLiar, start: Start, wrapper: str, place: str) -> None:
    """Whoever wraps accept-line before us or after us: the user is asked once a line, and theirs runs once, too."""
    lines = ["typeset -gi mine saved rounds", *WRAPPERS[wrapper].strip().splitlines()]
    shell = start(before=lines) if place == "before" else start(*lines)
    shell.run("mine=0")
    enter(shell)
    assert press(shell, "r").strip().endswith("instead of one")
    assert shell.screen().count(QUESTION) == len(liar.told) == 1
    enter(shell)
    press(shell, "p")
    assert int(shell.variable("mine") or 0) == 3


@pytest.mark.parametrize("times", [1, 3])
def test_sourced_again_after_somebody_took_the_widget(world: World, liar: GuardLiar, start: Start, times: int) -> None:
    """Reading the start-up file again neither asks twice nor loses the guard to a widget that was defined anew."""
    shell = start()
    for _ in range(times):
        shell.run(WRAPPERS["plain"])
        shell.run(f"source {quote('zsh', str(world.hook_file('zsh')).encode())}")
    enter(shell)
    assert press(shell, "p").strip().endswith("pip install one")
    assert len(liar.told) == 1


def test_cancelled_lines_are_in_the_history(liar: GuardLiar, start: Start) -> None:
    """`c`: one entry with its words, `$?` not zero, the next line runs; none for a blank in front where that is set."""
    shell = start()
    enter(shell)
    assert "\npip install one" not in press(shell, "c")
    assert shell.run("print status $?").strip() == "status 1"
    assert shell.run("fc -ln 1").splitlines() == [LINE, "print status $?"]
    enter(shell)
    press(shell, "c")
    assert shell.run("print -r -- !$").strip().endswith("one")
    shell.run("setopt hist_ignore_space")
    enter(shell, f" {LINE} three")
    press(shell, "c")
    assert "three" not in shell.run("fc -ln 1")


def test_replaced_lines_are_in_the_history(liar: GuardLiar, start: Start) -> None:
    """`r`: what ran is in the history, once, and what was typed is not."""
    shell = start()
    enter(shell)
    assert press(shell, "r").strip().endswith("instead of one")
    assert shell.run("fc -ln 1").splitlines() == ["print -r instead of one"]


def test_cancelling_at_the_second_prompt(liar: GuardLiar, start: Start) -> None:
    """At PS2: what was taken before is told; `c` ends the whole command, and the history has all of it, last of all."""
    shell = start("PS2='more> '")
    shell.run("fc -p")
    shell.send_keys("for one in 1 2; do\r")
    shell.wait_screen("more>")
    enter(shell)
    assert "more> " not in press(shell, "c").rpartition(QUESTION)[2]
    assert (liar.told[-1].before, liar.told[-1].line) == (b"for one in 1 2; do\n", LINE.encode())
    assert shell.run("print status $?").strip() == "status 1"
    shell.send_keys("\x10\x10")
    shell.wait_screen(f"for one in 1 2; do\n{LINE}")


def test_replacing_at_the_second_prompt(liar: GuardLiar, start: Start) -> None:
    """At PS2: `r` replaces in the line that is edited, and the whole command runs."""
    shell = start("PS2='more> '")
    shell.send_keys("for one in 1 2; do\r")
    shell.wait_screen("more>")
    enter(shell)
    shell.send_keys("r")
    shell.wait_screen("more> print -r instead of one\nmore>")
    assert shell.run("done").splitlines() == ["instead of one"] * 2


OPTIONS = (
    "setopt ksh_arrays", "setopt sh_word_split", "setopt no_multibyte", "setopt no_unset",
    "setopt glob_subst sh_glob no_case_match", "setopt warn_create_global", "setopt err_return",
    "setopt no_clobber rc_quotes csh_junkie_quotes", "setopt ignore_braces no_brace_expand", "IFS=pi:/",
    "setopt extended_glob magic_equal_subst", "unsetopt aliases", "read() { : }; zle() { : }",
    "alias -g print=false zle=false return=false", "setopt sh_nullcmd posix_builtins posix_traps",
)  # fmt: skip


@pytest.mark.parametrize("option", OPTIONS)
def test_options_of_the_user(liar: GuardLiar, start: Start, option: str) -> None:
    """Under any options, with functions and aliases named like builtins: asked, replaced exactly, nothing said."""
    line = "/bin/echo ünï pip install"
    liar.asks(line, "pip", "it's", "a b", "ü", "$HOME")
    shell = start()
    shell.run(option)
    enter(shell, line)
    said = press(shell, "r")
    assert said.splitlines()[-1] == "ünï it's a b ü $HOME install", said
    enter(shell, line)
    press(shell, "c")
    assert shell.run("/bin/echo alive").strip() == "alive"


def test_a_cancelled_line_is_no_error_that_exits(liar: GuardLiar, start: Start) -> None:
    """Under errexit, `c` leaves the shell alive."""
    shell = start("setopt err_exit")
    enter(shell)
    press(shell, "c")
    assert shell.run("print alive").strip() == "alive"


@pytest.mark.parametrize(
    "trap", ["TRAPINT() { echo cau''ght; return 130 }", "trap \"echo cau''ght\" INT", "trap '' INT"]
)
def test_the_users_trap_is_not_run_and_stays(liar: GuardLiar, start: Start, trap: str) -> None:
    """Ctrl-C at the question cancels; the user's own trap neither runs nor is lost, and works at the next prompt."""
    shell = start(trap)
    before = shell.run("trap")
    enter(shell)
    assert "caught" not in press(shell, "\x03")
    assert shell.run("trap") == before
    assert shell.run("fc -ln -2 -2").strip() == LINE
    if trap != "trap '' INT":
        shell.send_keys("half")
        shell.wait_screen("half")
        shell.send_keys("\x03")
        shell.wait_screen("caught")


@pytest.mark.parametrize("mode", ["emacs", "viins", "vicmd", "newline"])
@pytest.mark.parametrize("answer", ["r", "c"])
def test_every_keymap(liar: GuardLiar, start: Start, mode: str, answer: str) -> None:
    """Enter in emacs and in both vi modes, and Ctrl-J: the question comes, the answer counts, the shell goes on."""
    shell = start("bindkey -e" if mode == "emacs" else "bindkey -v; KEYTIMEOUT=1")
    if mode == "vicmd":
        shell.send_keys(LINE + "\x1b")
        enter(shell, "0")
    else:
        enter(shell, LINE, "\n" if mode == "newline" else "\r")
    said = press(shell, answer)
    assert ("instead of one" in said.rpartition(QUESTION)[2]) == (answer == "r")
    assert shell.run("print alive").strip() == "alive"


@pytest.mark.parametrize("widget", ["accept-and-hold", "accept-line-and-down-history"])
def test_the_other_accepting_widgets(liar: GuardLiar, start: Start, widget: str) -> None:
    """They ask, too; what `r` made is what they hold, and after `c` nothing runs."""
    shell = start(f"bindkey '^T' {widget}")
    shell.run("print former")
    enter(shell, LINE, "\x14")
    shell.send_keys("r")
    shell.wait_screen("\ninstead of one")
    if widget == "accept-and-hold":
        shell.wait_screen("# print -r instead of one")
    shell.send_keys("\x15")
    shell.run("clear")
    enter(shell, LINE, "\x14")
    assert "\ninstead" not in press(shell, "c")


@pytest.mark.parametrize(
    ("key", "runs"),
    [
        ("\x1b", False),
        ("\x04", True),
        ("\x03", False),
        ("x\x1b[Aé\x1bOP\rp", True),
        ("\x1b[200~pracp\x1b[201~c", False),
    ],
    ids=["escape", "end-of-file", "interrupt", "others-first", "pasted"],
)
def test_keys_that_are_no_answers(liar: GuardLiar, start: Start, key: str, runs: bool) -> None:
    """Escape and Ctrl-C cancel, Ctrl-D proceeds with a word, arrows, letters and pasted text ask again."""
    shell = start()
    enter(shell)
    assert ("pip install one\n" in press(shell, key)) == runs
    assert ("no answer" in shell.screen()) == (key == "\x04")
    assert shell.run("print alive").strip() == "alive"


@pytest.mark.parametrize("bracketed", [True, False])
def test_a_paste_is_warned_about_and_run(liar: GuardLiar, start: Start, bracketed: bool) -> None:
    """Several lines at once are no conversation: the message is shown, they run, none of them is an answer."""
    block = f"print first\r{LINE}\rprint cancel\r{LINE} last"
    shell = start()
    if bracketed:
        shell.send_keys(f"\x1b[200~{block}\x1b[201~")
        shell.wait_screen("one last")
        shell.send_keys("\r")
    else:
        shell.send_keys(block + "\r")
    screen = shell.wait_screen("\npip install one last")
    assert "\ncancel" in screen and "here is the message" in screen
    assert QUESTION not in screen


def test_one_pasted_line_is_asked_about(liar: GuardLiar, start: Start) -> None:
    """A single line that was pasted, even with its newline, is a conversation like any other."""
    shell = start()
    shell.send_keys(f"\x1b[200~{LINE}\r\x1b[201~")
    shell.wait_screen(LINE)
    enter(shell, "", "\r")
    press(shell, "c")
    assert shell.run("print alive").strip() == "alive"
