"""What only fish's guard has: the list of completions, abbreviations, its quoting, its keys."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from support import rawserver
from support.bashguard import Judge, asking, run
from support.shells import ShellSession
from support.until import until
from support.world import World

QUESTION = "[c]ancel"
"""What the last line of a question ends in."""

LINE = "echo pip install one"
"""A line that passes the filter and does no harm."""

COMPLETIONS = 'complete -c echo -f -a "tiny tinier"'

Start = Callable[..., ShellSession]


@pytest.fixture
def judge(runtime_directory: Path) -> Iterator[Judge]:
    """The daemon's stand-in; it asks about ``pip install`` and has a replacement."""
    made = Judge()
    with rawserver.raw_server(runtime_directory, made.serve):
        yield made


@pytest.fixture
def start(world: World, judge: Judge) -> Start:
    """Starts a shell that talks to the stand-in."""

    def begin(*after: str) -> ShellSession:
        return world.shell("fish", after=after, daemon=False)

    return begin


def enter(shell: ShellSession, line: str = LINE) -> None:
    """Type a line, press Enter, wait for the question."""
    shown = shell.screen().count(QUESTION)
    shell.send_keys(line)
    shell.send_keys("\r")
    until("the question is asked", lambda: shell.refresh().count(QUESTION) > shown, 15)


def press(shell: ShellSession, key: str) -> str:
    """Answer, wait for the prompt; what was displayed behind the question."""
    shell.send_keys(key)
    return shell.wait_prompt().rpartition(QUESTION)[2]


def complete(shell: ShellSession, line: str) -> None:
    """Type a line and one Tab, which lists both completions and selects none."""
    shell.send_keys(line)
    shell.send_keys("\t")
    shell.wait_screen("tinier")


def test_enter_below_a_list_of_completions_is_asked(judge: Judge, start: Start) -> None:
    """With nothing selected Enter runs the line, so it is asked like any other."""
    with start(COMPLETIONS) as shell:
        complete(shell, "echo pip install tin")
        enter(shell, "")
        assert "pip install tin\n" not in press(shell, "c").replace("\r", "")
        assert judge.lines[-1] == b"echo pip install tin"
        assert shell.run("echo status $status") == "status 1\n"


def test_a_completion_that_is_taken_is_asked_about_once(judge: Judge, start: Start) -> None:
    """Enter takes what is selected, the next one runs it: the answer to the first holds for both, and for no more."""
    with start(COMPLETIONS) as shell:
        complete(shell, "echo pip install tin")
        shell.send_keys("\t")
        shell.wait_screen("echo pip install tinier")
        enter(shell, "")
        shell.send_keys("p")
        shell.send_keys("\r")
        assert "pip install tinier\n" in shell.wait_prompt().replace("\r", "").rpartition(QUESTION)[2]
        assert len(judge.lines) == 1
        enter(shell, "echo pip install tinier")
        press(shell, "c")
        assert len(judge.lines) == 2


def test_an_abbreviation_is_asked_about_as_what_it_stands_for(judge: Judge, start: Start) -> None:
    """Enter expands it behind our back: the question is about the line as it will run."""
    with start("abbr -a pin 'echo pip install'") as shell:
        enter(shell, "pin")
        assert "instead" in press(shell, "r")
        assert judge.lines[-1] == b"echo pip install"
        enter(shell, "pin")
        assert "pip install" in press(shell, "p")


def test_an_abbreviation_that_leads_nowhere_is_forgotten(judge: Judge, start: Start) -> None:
    """What an abbreviation stood for is judged with its own line only."""
    with start("abbr -a pin 'echo one'") as shell:
        assert shell.run("pin") == "one\n"
        enter(shell)
        press(shell, "c")
        assert judge.lines == [LINE.encode()]


def test_commands_that_led_nowhere_are_looked_at_again(judge: Judge, start: Start, tmp_path: Path) -> None:
    """What is known of commands, alone and side by side, ends with a line that may define functions."""
    (tmp_path / "more.fish").write_text("function get; echo pip install; end\n")
    with start("function get; echo one; end") as shell:
        assert shell.run("get") == "one\n"
        assert shell.run("get; true") == "one\n"
        shell.run(f"source {tmp_path}/more.fish")
        assert judge.lines == []
        assert shell.run("get; true") == "pip install\n"
        assert judge.lines == [b"get; true"]


@pytest.mark.parametrize(
    "word",
    ["it's", "a b", "$HOME", "(echo x)", "back\\slash", "{a,b}", "*", "~", "a;b", '"q"', "#no", "new\nline", "%self"],
)
def test_a_replacement_is_quoted_for_fish(judge: Judge, start: Start, word: str) -> None:
    """Whatever a word holds, it arrives as one word, and nothing of it is run or expanded."""
    with start('function show; for one in $argv; echo "<$one>"; end; end') as shell:
        judge.verdict = asking([word.encode()])
        enter(shell, "show pip install one")
        assert f"<{word}>\n<one>\n" in press(shell, "r").replace("\r", "")


def test_control_characters_of_a_message_are_not_printed(judge: Judge, start: Start) -> None:
    """What the daemon tells may name a hostile folder: nothing of it reaches the terminal as a command."""
    with start() as shell:
        judge.verdict = lambda *_: [
            b"ask",
            b"",
            b"alight: \x1b]0;owned\x07 \x1b[2J \xc2\x9b2J",
            b"pac",
            b"a-token",
            b"-  one \r two",
        ]
        enter(shell)
        shown = shell.screen()
        assert "owned" in shown
        assert "alight: ?]0;owned?" in shown
        assert "one ? two" in shown
        press(shell, "c")


@pytest.mark.parametrize(
    "verdict",
    [
        [b"ask"],
        [b"ask", b"", b"", b"pac", b"t"],
        [b"dance", b"", b"alight: hear", b"pac", b"t"],
        [b"ask", b"", b"alight: hear", b"rpac", b"t", b"@9:99999", b".x"],
        [b"ask", b"", b"alight: hear", b"rpac", b"t", b"@b:1", b".x"],
        [b"ask", b"", b"alight: hear", b"rpac", b"t", b".x"],
        [b"ask", b"", b"alight: hear", b"rpac", b"t", b"!x"],
    ],
)
def test_an_answer_that_does_not_fit_is_no_answer(judge: Judge, start: Start, verdict: list[bytes]) -> None:
    """The line runs as typed, without a word."""
    with start() as shell:
        judge.verdict = lambda *_: verdict
        assert shell.run(LINE) == "pip install one\n"
        assert "alight" not in shell.screen()


def test_a_users_key_runs_behind_ours(judge: Judge, start: Start) -> None:
    """Enter bound to a command of the user's: the question comes first, then theirs runs, once."""
    with start("function mine; set -g count (math 0$count + 1); commandline -f execute; end; bind \\r mine") as shell:
        judge.verdict = lambda *_: run()
        assert shell.run("echo $count") == "1\n"
        judge.verdict = asking()
        enter(shell)
        press(shell, "p")
        judge.verdict = lambda *_: run()
        assert shell.run("echo $count") == "3\n"


def test_private_mode_keeps_no_cancelled_line(judge: Judge, start: Start, world: World) -> None:
    """What was not run does not reach the file either."""
    with start("set -g fish_private_mode 1") as shell:
        enter(shell)
        press(shell, "c")
        assert not any("pip install" in path.read_text() for path in world.home.rglob("fish_history"))
