"""What zsh tells about a line, which lines it tells, and what it makes of the answer octet for octet."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from support.guardliar import QUESTION, GuardLiar, guarding
from support.shells import HOSTILE_NAMES, ShellSession, quote
from support.until import until
from support.world import World

Start = Callable[..., ShellSession]


@pytest.fixture
def liar(runtime_directory: Path) -> Iterator[GuardLiar]:
    """The daemon of these tests, which at first has nothing to say."""
    with guarding(runtime_directory) as made:
        made.verdict = [b"run", b"", b"", b"", b""]
        yield made


@pytest.fixture
def start(world: World, liar: GuardLiar) -> Start:
    """Starts a shell that talks to the liar, with start-up lines behind the hook."""

    def begin(*after: str, env: dict[str, str] | None = None) -> ShellSession:
        return world.shell("zsh", after=["setopt no_beep", *after], env=env, daemon=False)

    return begin


def ask(shell: ShellSession, line: str | bytes, key: str | None = None) -> str:
    """Type a line, wait for the question, answer; what was displayed when the line had run."""
    shown = shell.screen().count(QUESTION)
    shell.send_keys(line if isinstance(line, bytes) else line.encode())
    shell.send_keys("\r")
    until("the question is asked", lambda: shell.refresh().count(QUESTION) > shown, 15)
    if key is None:
        return shell.screen()
    shell.send_keys(key)
    return shell.wait_prompt()


def words(shell: ShellSession) -> list[bytes]:
    """What the function ``keep`` got."""
    return (shell.home / "kept").read_bytes().split(b"\0")[:-1]


KEEP = 'keep() { print -rN -- "$@" > ~/kept; : }'


@pytest.mark.parametrize("name", HOSTILE_NAMES)
@pytest.mark.parametrize("option", ["setopt multibyte", "setopt no_multibyte", "setopt extended_glob rc_quotes"])
def test_words_are_quoted_octet_for_octet(liar: GuardLiar, start: Start, name: str, option: str) -> None:
    """`r`: whatever octets a word has, the command gets these, and the rest of the line stays what it was."""
    liar.asks("keep ü pip ü", "pip", "", HOSTILE_NAMES[name], "=ls", "~", "a=b", "--x={y,z}", "#", "%", "!!", "last")
    shell = start(KEEP, option, "setopt equals magic_equal_subst interactive_comments")
    ask(shell, "keep ü pip ü", "r")
    kept = [b"", HOSTILE_NAMES[name], b"=ls", b"~", b"a=b", b"--x={y,z}", b"#", b"%", b"!!", b"last"]
    assert words(shell) == ["ü".encode(), *kept, "ü".encode()]


def test_lines_that_are_no_text(liar: GuardLiar, start: Start) -> None:
    """Octets that are no UTF-8 are told as they are, counted as octets, and kept by an edit behind them."""
    line = b"keep caf\xe9 pip \xff"
    liar.asks(line, b"pip", b"new\xe9")
    shell = start(KEEP)
    shell.run(f"print -rs -- {quote('zsh', line)}")
    ask(shell, "\x10", "r")
    assert liar.told[-1].line == line
    assert words(shell) == [b"caf\xe9", b"new\xe9", b"\xff"]


def test_several_edits(liar: GuardLiar, start: Start) -> None:
    """Edits are applied together, shown together, and what lies between them stays."""
    shell = start(KEEP)
    line = "keep ü pip a; keep pip b"
    first, second = line.encode().index(b"pip"), line.encode().rindex(b"pip")
    edits = [b"@%d:%d" % (first, first + 5), b".one", ".1 ü".encode(), b"@%d:%d" % (second, second + 3), b".two"]
    liar.verdict = [b"ask", b"", b"alight: here", b"rpac", b"t", *edits]
    assert "[r]un `one '1 ü' … two` instead" in ask(shell, line)
    shell.send_keys("r")
    shell.wait_prompt()
    assert shell.run("fc -ln -1").strip() == "keep ü one '1 ü'; keep two b"


BAD = {
    "reversed": [b"@9:5", b".x"], "beyond": [b"@0:99", b".x"], "crossing": [b"@0:5", b".x", b"@4:6", b".y"],
    "empty": [b"@0:4"], "no-edit": [b".x"], "letters": [b"@a:b", b".x"], "unknown": [b"?x"], "sum": [b"@0:1+1", b".x"],
}  # fmt: skip


@pytest.mark.parametrize("frames", BAD.values(), ids=BAD)
def test_a_field_that_does_not_fit(liar: GuardLiar, start: Start, frames: list[bytes]) -> None:
    """An edit that is none, or a frame that is not known: the line runs as typed, without a word."""
    shell = start()
    liar.verdict = [b"ask", b"", b"alight: here", b"rpac", b"t", *frames]
    assert shell.run("print -r pip").strip() == "pip"
    assert "alight" not in shell.screen()
    assert len(liar.told) == 1


@pytest.mark.parametrize(
    "verdict",
    [[b"explode", b"", b"x", b"", b""], [b"ask", b"", b"x", b"z", b""], [b"ask", b"", b"", b"pc", b""], [b"ask"], None],
    ids=["act", "keys", "message", "short", "silence"],
)
def test_a_verdict_that_is_none(liar: GuardLiar, start: Start, verdict: list[bytes] | None) -> None:
    """Nonsense, or silence until the deadline: the line runs as typed; after silence nobody is asked for a while."""
    shell = start(env={"ALIGHT_DEADLINE": "0.2"} if verdict is None else None)
    liar.verdict = verdict
    assert shell.run("print -r pip").strip() == "pip"
    assert shell.run("print -r pip").strip() == "pip"
    assert "alight" not in shell.screen()
    assert len(liar.told) == (1 if verdict is None else 2)


def test_history_is_expanded_before_it_is_judged(liar: GuardLiar, start: Start) -> None:
    """`!!` and `^a^b` are judged as what they will be; `r` edits that, `p` runs it, and the cancelled line is it."""
    shell = start()
    shell.run("print -r pip one")
    liar.asks("builtin print -r pip one", "pip", "new")
    assert ask(shell, "builtin !!", "p").strip().endswith("pip one")
    assert liar.told[-1].line == b"builtin print -r pip one"
    assert ask(shell, "!!", "r").strip().endswith("new one")
    assert shell.run("fc -ln -1").strip() == "builtin print -r new one"
    liar.asks("print -r pip two", "pip", "new")
    shell.run("print -r hip two")
    ask(shell, "^hip^pip", "c")
    assert shell.run("fc -ln -1").strip() == "print -r pip two"
    liar.verdict = [b"run", b"", b"", b"", b""]
    shell.run("print -r '!!' \\!pip")
    assert liar.told[-1].line == b"print -r '!!' \\!pip"
    shell.run("setopt hist_verify")
    shell.run("print -r pip; clear")
    told = len(liar.told)
    shell.send_keys("!!\r")
    shell.wait_screen("# print -r pip; clear")
    assert len(liar.told) == told
    shell.send_keys("\x15")
    assert shell.run("print alive").strip() == "alive"


def test_a_replacement_that_history_would_change_is_not_offered(liar: GuardLiar, start: Start) -> None:
    """Where the edited line would be expanded once more, there is no `r`."""
    shell = start()
    shell.run("print -r one")
    liar.verdict = [b"ask", b"", b"alight: here", b"rpac", b"t", b"@14:15", b".y"]
    assert "[r]un" not in ask(shell, 'print -r "pip \\!print x"')
    shell.send_keys("c")
    shell.wait_prompt()


ASKED = {
    "print -r pip", "print -r x/pip3.12", "print -r -mpip", "print -r -Impip", "print $(print pip-sync)", "p x", "ü x",
    "sudo p x", "print; p x", "print `p x`", "print -r GLOBAL", "outer x", "print -r uvx", "file.inst", "./setup.py",
    "\\pip -V",
}  # fmt: skip
FREE = {
    "print -r pipe", "print -r uvicorn anaconda", "print -r pip.conf", "print -r hatchling", "print -r 'my-pip'",
    "ls -la", "lengthy x", "harmless x", "print -r flitter", "other x", "print -r conda.yml", "round",
}  # fmt: skip


def test_the_filter(liar: GuardLiar, start: Start) -> None:
    """Told are lines with a word that installs, or with an alias or a function that leads to one; no other."""
    shell = start(
        "sudo() { : }; python() { : }; ls() { : }; other() { : }",
        'inner() { print -r pip "$@" }; outer() { inner "$@" }',
        "alias ü=p p='q -r' q='print -r pip' other=harmless harmless=print",
        "alias round=around around=round; around() { round2 }",
        "round2() { around2 }; around2() { round2x }; alias -g GLOBAL='pip install'; alias -s inst='print pip'",
        'functions[lengthy]="print pip ${(l:1100::x:)}"',
    )
    for line in sorted(ASKED | FREE):
        told = len(liar.told)
        shell.run(line)
        assert (len(liar.told) > told) == (line in ASKED), line


def test_what_is_told(liar: GuardLiar, start: Start) -> None:
    """The variables and facts of PROTOCOL.md 7, no secrets; the shell's own table of commands stays as it is."""
    shell = start(
        "export PIP_TARGET=/t PIP_INDEX_URL=secret UV_TOKEN=secret NAMED='two words' OTHER=no; list=(1 2)",
        "alias p='print -r pip' -g GLOBAL=pip; short() { print -r p }; ALIGHT_GUARD=warn; MY_SECRET=x",
    )
    shell.run("hash pip=/somewhere/pip; local_one='a b'")
    shell.run("p; short $local_one ${NAMED} $list $missing $MY_SECRET GLOBAL; print -r pip ls $RANDOM")
    told = liar.told[-1]
    assert told.directory == os.fsencode(shell.home)
    assert (told.variable("PIP_TARGET"), told.variable("NAMED")) == (b"/t", b"two words")
    assert told.variable("PATH") == b"/usr/local/bin:/usr/bin:/bin"
    assert told.variable("ALIGHT_GUARD") == b"warn"
    assert not {b"PIP_INDEX_URL", b"UV_TOKEN", b"OTHER"} & {frame.partition(b"=")[0] for frame in told.frames}
    assert told.facts() == {
        b"alias p=print -r pip", b"alias GLOBAL=pip", b"function short=\tprint -r p", b"unset missing",
        b"shell local_one=a b", b"hash pip=/somewhere/pip",
    }  # fmt: skip
    shell.run("rehash; unsetopt hash_list_all; print -r pip nothing-of-this")
    assert shell.run("setopt no_hash_list_all; print $#commands").strip() == "0"


def test_when_nobody_is_asked(liar: GuardLiar, start: Start) -> None:
    """Switched off, paused, told so by a variable, over the bounds, or in `vared`: not a word."""
    shell = start()
    shell.run("many=(); for one in {1..61}; do export PIP_$one=1; done")
    shell.run("print -r pip")
    shell.run("unset -m 'PIP_*'")
    for before, after in (
        ("alight off", "alight on"), ("alight pause", "alight on"), ("ALIGHT_GUARD=off", "unset ALIGHT_GUARD"),
        ("ALIGHT_DISABLE=1", "unset ALIGHT_DISABLE"),
    ):  # fmt: skip
        shell.run(before)
        shell.run("print -r pip")
        shell.run(after)
    shell.run("print -r pip " + "x" * 8190)
    shell.run("print -r pip " + " ".join(f"$m{number}" for number in range(25)))
    shell.run("value='print -r pi'p")
    shell.send_keys("vared value\r")
    shell.wait_screen("\nprint -r pip")
    shell.send_keys("\r")
    shell.wait_prompt()
    assert liar.told == []
    shell.run("print -r pip")
    assert len(liar.told) == 1


def test_saying_and_stopping(liar: GuardLiar, start: Start) -> None:
    """`say` prints and runs, once a shell where it says so; `stop` does not run; controls are printed as `?`."""
    shell = start()
    liar.verdict = [b"say", b"once", b"alight: \x1b[31mred", b"", b"", b"-  more\x9b"]
    assert shell.run("print -r pip").strip().endswith("pip")
    assert "alight: ?[31mred\n  more" in shell.screen()
    shell.run("print -r pip")
    assert shell.screen().count("red") == 1
    liar.verdict = [b"stop", b"", b"alight: stopped", b"", b"", b"-  more"]
    assert "\npip" not in shell.run("print -r pip three").partition("more")[2]
    assert shell.run("fc -ln -1").strip() == "print -r pip three"
    assert shell.screen().count("stopped") == 1


def test_always(liar: GuardLiar, start: Start) -> None:
    """`a` names the token and runs the line; what could not be recorded is said."""
    shell = start()
    liar.asks("print -r pip", "pip")
    assert ask(shell, "print -r pip", "a").strip() == "pip"
    liar.always = (b"failure", b"internal", b"the disk is full\x1b")
    ask(shell, "print -r pip", "a")
    assert "alight: the disk is full?" in shell.screen()
    assert liar.tokens == [b"a-token"] * 2


def test_news_are_heard_after_a_question(liar: GuardLiar, start: Start) -> None:
    """The connection of the question is closed; the next prompt listens again, whatever the answer was."""
    shell = start()
    shell.run("true")
    liar.asks("print -r pip", "pip")
    for key in "cp":
        until("the shell listens", lambda: liar.listening > 0)
        liar.listening = 0
        ask(shell, "print -r pip", key)
    until("the shell listens", lambda: liar.listening > 0)


def test_no_daemon(world: World) -> None:
    """Without anybody to ask, the line runs, without a word."""
    shell = world.shell("zsh", env={"ALIGHT_DEADLINE": "0.2"}, after=["__alight_python="], daemon=False)
    assert shell.run("print -r pip").strip() == "pip"
    assert "alight" not in shell.screen()


def test_check_is_told_what_the_shell_knows(world: World, start: Start) -> None:
    """`alight check` gets the syntax and the facts of its words, no values of variables; a given shell stays."""
    shell = start("alias p='pip install'; short() { pip }; secret=value", "__alight_command=show", KEEP)
    shell.run(
        "show() { : }; mkdir -p ~/bin; print -l '#!/bin/sh' 'printf \"<%s>\" \"$@\"' > ~/bin/show; chmod +x ~/bin/show"
    )
    shell.run("path=(~/bin $path); unfunction show")
    assert (
        shell.run("alight check --json -- 'short; p $secret $none'")
        == "<check><--shell><zsh><--word=function short=\tpip><--word=alias p=pip install><--word=unset none>"
        "<--json><--><short; p $secret $none>"
    )
    for line in (
        "alight check --shell bash -- p x",
        "alight check --shell=fish -- p",
        "alight check",
        "alight check p --",
    ):
        arguments = "".join(f"<{word}>" for word in line.split()[1:])
        assert shell.run(line) == arguments


def test_the_hook_sourced_as_a_file(world: World, liar: GuardLiar) -> None:
    """`alight.zsh` as it lies in the checkout brings the guard that lies beside it."""
    hook = quote("zsh", os.fsencode(Path(__file__).resolve().parents[2] / "shell/alight.zsh"))
    shell = ShellSession("zsh", world.home, world.environ(), rc_lines=["PROMPT='%# '"], hook=f"source {hook}")
    with shell:
        shell.run("print -r pip")
        shell.run(f"source {hook}")
        shell.run("print -r pip")
    assert len(liar.told) == 2
