"""What bash's guard hears, says and puts into a line: words whatever their octets, aliases, functions, variables."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import pytest

from support import rawserver
from support.bashguard import KIND, SAYS, Field, Judge, asking, history, run
from support.shells import quote
from support.world import World


@pytest.fixture
def field(world: World, runtime_directory: Path) -> Iterator[Field]:
    """A place to install things in, and the daemon's stand-in."""
    judge = Judge()
    with rawserver.raw_server(runtime_directory, judge.serve):
        yield Field(world, judge)


# --- words ---

ODD: Sequence[bytes] = (
    b"", b" ", b"a b", b"it's", b'"', b"$(touch hurt)", b"`touch hurt`", b"!!", b"a!b'c", b"~", b"~root", b"-n", b"a=b",
    b"*?[a]", b"{a,b}", b"back\\slash", b"\\", b"two\nlines", b"tab\t", b"\x1b[31m", b"#x", b"x#", b";&|<>()",
    "é 环".encode(), b"caf\xe9", b"\xff\xfe", "é".encode() + b"\xff'", b"pkg[extra]>=1,<2", b"%s", b"\x7f",
)  # fmt: skip


def test_words_come_through_whatever_their_octets(field: Field) -> None:
    """The words of an edit run as they were sent, and none is expanded, in a line of several octets a character."""
    field.judge.verdict = asking((b"instead", *ODD))
    shell = field.shell()
    field.answered(shell, "echo 'é 环' && pip install 'ü' && true", "r")
    assert field.ran() == [b"instead", *ODD, "ü".encode()]
    assert not list(field.world.home.rglob("hurt"))


@pytest.mark.parametrize("word", [b"a!b", b"!!", b"^a", b"it's!x"])
def test_an_edit_is_not_expanded_as_history(field: Field, word: bytes) -> None:
    """A word with a history mark runs as it was sent."""
    field.judge.verdict = asking((b"instead", word))
    shell = field.shell()
    field.answered(shell, "pip install x", "r")
    assert field.ran() == [b"instead", word, b"x"]


@pytest.mark.parametrize(
    "frames",
    [
        [b"@0:99", b".x"], [b"@5:3", b".x"], [b"@-1:3", b".x"], [b"@a[$(touch hurt)]:3", b".x"], [b"@0:", b".x"],
        [b"@0:3:4", b".x"], [b"@4:8", b".x", b"@0:3", b".y"], [b".x"], [b"?"], [b"@0:18446744073709551617", b".x"],
    ],
)  # fmt: skip
def test_a_verdict_that_does_not_fit_is_no_verdict(field: Field, frames: list[bytes]) -> None:
    """Places outside of the line, or that are no numbers, mean that the line runs without a word."""
    field.judge.verdict = lambda *_: (b"ask", b"", b"judged", b"rpac", b"t", *frames)
    shell = field.shell()
    assert shell.run("pip install x") == "pip ran\n"
    assert field.ran() == [b"pip", b"install", b"x"]
    assert not list(field.world.home.rglob("hurt"))


def test_messages_are_printed_without_control_characters_and_once(field: Field) -> None:
    """A note comes once for its text, a verdict to stop runs nothing, and nothing raw reaches the terminal."""
    field.judge.verdict = lambda *_: (b"say", b"key", b"alight: \x1b[31mred\x07", b"", b"", b"-  more\x9b1m")
    shell = field.shell()
    for _ in range(2):
        shell.run("pip install x")
        assert shell.screen().count("alight: ?[31mred?") == 1
    field.ran()
    field.judge.verdict = asking(act=b"stop")
    shell.run("pip install y")
    assert SAYS in shell.screen()
    assert field.ran() == []
    assert history(shell)[-1] == "pip install y"


# --- the filter ---

LEADING: Mapping[str, tuple[str, str]] = {
    "alias": ("alias i='pip install'", "i x"),
    "alias-of-alias": ("alias j=i i='pip install'", "cd .; j x"),
    "function": ('i() { pip install "$@"; }', "true && i x"),
    "alias-of-function": ('f() { pip install "$@"; }; alias i=f', "if true; then i x; fi"),
    "blank": ("alias sudo='env ' i='pip install'", "sudo i x"),
    "assignment": ('i() { pip install "$@"; }', "A=1 i x"),
    "escaped": ('i() { pip install "$@"; }', "\\i x"),
    "redirected": ('i() { pip install "$@"; }', "i<x"),
    "substitution": ('i() { pip install "$@"; }', "echo $(i x)"),
}


@pytest.mark.parametrize("case", LEADING)
def test_aliases_and_functions_that_lead_to_an_installer_are_heard(field: Field, case: str) -> None:
    """The daemon hears of the line, with what the words of it are."""
    definition, line = LEADING[case]
    shell = field.shell()
    shell.run("i x 2>/dev/null >&2; true")
    field.judge.verdict = lambda *_: run()
    for each in definition.split("; alias"):
        shell.run(each if each.startswith(("alias", "i(", "f(")) else f"alias{each}")
    heard = len(field.judge.heard)
    shell.run(line)
    assert field.judge.lines[heard:] == [line.encode()]
    kinds = {fact.split(b"=")[0] for fact in field.judge.facts}
    assert kinds & {b"alias i", b"function i"}


@pytest.mark.parametrize(
    "line",
    ["ls -la", "git status", "echo pipe pipeline uvicorn duvet conduit", "echo my-pip pip-tools pip_x xpip uv.lock",
     "for i in 1 2; do echo $i; done | sort >/dev/null && (true; { true; })", "echo `echo a` $(echo b)", "", "   ",
     "poetry_in_motion=1 true", "true # nothing", "ls 'a b' \"c\"", "x='; '", "! true"],
)  # fmt: skip
def test_ordinary_lines_are_not_heard_of(field: Field, line: str) -> None:
    """A line without an installer's word is nobody's business."""
    shell = field.shell("alias ls='ls --color=never'", "g() { echo pipeline; }")
    shell.run(line)
    shell.run("g")
    assert field.judge.heard == []


@pytest.mark.parametrize(
    "line",
    ["/usr/bin/true pip", "true -mpip", "true -Im pip", "true 'pip'", "true pip3.12", "true a/pip", "true;uv",
     "true $(conda)", "true {pixi,x}", "true x=setup.py", "true\thatch"],
)  # fmt: skip
def test_installers_are_heard_of_as_whole_words(field: Field, line: str) -> None:
    """Each of PROTOCOL.md's words is found in paths, quotes, behind `-m` and beside operators."""
    shell = field.shell("bind 'set disable-completion on'")
    shell.run(line.replace("\t", "\x16\t"))
    assert field.judge.lines == [line.encode()]


def test_a_redefined_word_is_looked_at_again(field: Field) -> None:
    """What was harmless when it was typed before is not when it has become an alias or another function."""
    shell = field.shell("w() { true; }")
    shell.run("w x")
    shell.run("w() { uv pip; }")
    shell.run("w x")
    assert len(field.judge.heard) == 2
    shell.run("unset -f w")
    shell.run("w x")
    shell.run("alias w='pip'")
    shell.run("w x")
    assert field.judge.lines[2:] == [b"alias w='pip'", b"w x"]


def test_the_facts_of_a_line_are_sent_and_nothing_else(field: Field) -> None:
    """Variables of this shell that the line names, without secrets; nothing of it stays in the environment."""
    field.judge.verdict = lambda *_: run()
    shell = field.shell("alias g='git -C .'", "place='a b' list=(1) API_TOKEN=hush", "export shown=1", "ls >/dev/null")
    shell.run("pip install $place ${nothing:-x} ${list[0]} $shown $API_TOKEN $? $$ $1; g --version; ls >/dev/null")
    facts = {fact for fact in field.judge.facts if not fact.startswith(b"hash ")}
    assert facts == {b"shell place=a b", b"unset nothing", b"alias g=git -C ."}
    assert any(fact.startswith(b"hash ls=/") for fact in field.judge.facts)
    assert b"shown=1" in field.judge.heard[-1]
    assert not [name for name in shell.env() if name in (b"ALIGHT_LINE", b"ALIGHT_BEFORE", b"ALIGHT_WORDS")]


@pytest.mark.parametrize("name", ["line", "word", "key", "text", "IFS", "LC_ALL", "code", "each", "rest", "place"])
def test_no_local_variable_stands_before_the_users(field: Field, name: str) -> None:
    """A variable that the line names has the user's value, whatever its name."""
    field.judge.verdict = lambda *_: run()
    shell = field.shell()
    value = "C" if name == "LC_ALL" else "my own"
    shell.run(f"{name}={quote(KIND, value.encode())}")
    shell.run(f"pip install ${name}")
    assert f"shell {name}={value}".encode() in field.judge.facts


def children_faults(pid: int) -> int:
    """A number that grows with every process that this one has started and waited for."""
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[8])


def test_an_ordinary_line_starts_no_process(field: Field) -> None:
    """The filter is made of builtins, also for aliases and for functions that were met before."""
    shell = field.shell("alias t='true '", "f() { true; }")
    lines = ["true a b", "t f", "f x", "for i in 1; do f; done", "{ t; } && ! false", "f"]
    for line in lines:
        shell.run(line)
    before = children_faults(shell.pid)
    for line in lines:
        shell.run(line)
    assert children_faults(shell.pid) == before
    shell.run("(true)")
    assert children_faults(shell.pid) > before


def test_check_is_told_what_the_shell_knows(field: Field) -> None:
    """`alight check` gets the line's facts, unless the user says whose line it is."""
    program = field.world.home / "bin" / "alight"
    program.write_text("#!/bin/sh\nprintf '<%s>' \"$@\"\n")
    program.chmod(0o755)
    shell = field.shell(f"__alight_command={program}", "alias i='pip install'", "place='a b'")
    assert shell.run("alight check --json -- 'i $place'") == (
        "<check><--shell><bash><--word><shell place=a b><--word><alias i=pip install><--json><--><i $place>"
    )
    assert shell.run("alight check --shell fish -- i") == "<check><--shell><fish><--><i>"
    assert shell.run("alight check --help") == "<check><--shell><bash><--help>"
