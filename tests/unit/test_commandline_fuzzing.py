"""Reading arbitrary lines: never an exception, bounded work, nothing claimed that was not typed."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alight.commandline import LINE_LIMIT, Reading, read
from alight.commandline.tree import WORK_LIMIT
from alight.commandline.words import expand

SHELLS = ("bash", "zsh", "fish", "sh")
PARTS = [
    b"pip", b"install", b" ", b"x", b"cd a", b"&&", b"||", b";", b"|", b"&", b"\n", b"(", b")", b"$(", b"`", b"{ ",
    b" }", b"'", b'"', b"\\", b"$", b"${", b"}", b"$X", b"~", b"*", b"[", b"]", b"<", b">", b">>", b"<<EOF\n",
    b"EOF\n", b"<<<", b"<(", b"if ", b"then ", b"else ", b"fi ", b"for i in ", b"do ", b"done ", b"while ",
    b"case ", b" in ", b"esac ", b";;", b"f() ", b"function ", b"begin; ", b"end", b"and ", b"or ", b"not ",
    b"switch ", b"A=1 ", b"A=(", b"env ", b"sudo -u ", b"command ", b"exec ", b"eval ", b"bash -c ", b"xargs ",
    b"find . -exec ", b"time ", b"! ", b"[[ ", b" ]]", b"((", b"))", b"#", b"\xff", b"\0", b"\r", b"\t", b"export ",
    b"set -x ", b"unset ", b"source ", b"coproc ", b"repeat 3 ", b"$'", b"=pip", b"noglob ", b"&!", b"- ",
    b"env -S ", b"timeout ", b"{a,b}", b"\xc3\xa9", b"1", b"2>", b"!", b"\\\n", b"select ", b"until ",
]  # fmt: skip
LINES = [
    b"cd x && pip install -r requirements.txt",
    b"A=1 B=\"$X y\" sudo -E env -u C 'pip' install $(cat x) ~/y > out 2>&1",
    b"for d in a b; do (cd $d && pip install .); done | tee log &",
    b"if [ -d x ]; then source x/bin/activate; else python -m venv x; fi; pip install `cat y`",
    b"cat <<EOF | bash -c 'pip install \"$@\"'\n$(pip x)\nEOF\npip b",
    b"case $x in a|b) pip a;; *) eval 'cd x; pip b' ;; esac",
    b"begin; set -x A (pip a); and not pip b; or cd c; end | cat",
    b"switch $x; case a 'b*'; pip a; end; if test -d x; pip b; else if c; pip d; end",
    b"while read -r l; pip $l; end <f; for i in *.whl; pip install $i; end",
    b"find . -name '*.whl' -exec pip install {} \\; -o -print | xargs -I{} pip install {}",
]
NESTING = [
    b"(", b"$(", b"'", b'"', b"`", b"a|", b"a&&", b"a;", b"${", b"{ ", b"\\", b"<<A\n", b"$((", b"[[ ",
    b"if a;then ", b"case x in a) ", b"f() ", b"! ", b"<(", b'"$(', b"a=(", b"~", b"((", b"{a,", b"<<<", b"$'",
    b"& ", b"> a ", b"A=1 ", b"a\n", b"x=$(", b"$[", b"begin;", b"if a;", b"not ", b"(echo ", b"time ", b"env ",
    b"sudo ", b"bash -c ", b"eval ", b"while a;", b"switch a;case b;", b"function f;", b"echo ${x ~", b"echo ${x `",
    b"a ", b"'a'\"b\"$c", b"\0", b"\xff",
]  # fmt: skip
"""What a hostile line may repeat until it is as long as a line may be."""


def sound(line: bytes, reading: Reading) -> None:
    """What holds for every reading."""
    assert reading.complete or (reading.commands == () and reading.reason)
    assert reading.visited <= WORK_LIMIT + LINE_LIMIT // 4
    for command in reading.commands:
        assert command.words
        for word in command.words:
            assert word.span is None or 0 <= word.span[0] < word.span[1] <= len(line)
            expand(word, {"X": b"x y"}, b"/home/me")
        command.argv({}, None)
        spans = [word.span for word in command.words if word.span is not None]
        assert spans == sorted(spans)


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=200), st.sampled_from(SHELLS))
def test_arbitrary_octets_are_read(line: bytes, shell: str) -> None:
    """Octets without any meaning neither raise nor yield commands out of thin air."""
    sound(line, read(line, shell))


@settings(max_examples=700, deadline=None)
@given(st.lists(st.sampled_from(PARTS), max_size=25), st.sampled_from(SHELLS))
def test_arbitrary_syntax_is_read(parts: list[bytes], shell: str) -> None:
    """Pieces of real syntax in any order, where front ends break."""
    line = b"".join(parts)
    sound(line, read(line, shell))


@settings(max_examples=500, deadline=None)
@given(
    st.sampled_from(LINES),
    st.lists(st.tuples(st.integers(0, 120), st.integers(0, 3), st.sampled_from(PARTS)), max_size=4),
    st.sampled_from(SHELLS),
)
def test_mutated_lines_are_read(line: bytes, changes: list[tuple[int, int, bytes]], shell: str) -> None:
    """Real lines with a few octets replaced by others."""
    for at, cut, part in changes:
        line = line[:at] + part + line[at + cut :]
    sound(line, read(line, shell))


@pytest.mark.parametrize("shell", SHELLS)
@pytest.mark.parametrize("part", NESTING, ids=repr)
def test_work_is_bounded(shell: str, part: bytes) -> None:
    """The longest line of any repeated construct costs a limited number of steps, and no recursion error."""
    for line in ((part * LINE_LIMIT)[:LINE_LIMIT], b"pip " + (part * 30), part * 200 + b"pip" + b")" * 200):
        sound(line, read(line, shell))


def test_nesting_has_an_end() -> None:
    """Nine levels are read, a hundred and twenty are not; depth is what is refused, not length."""
    for shell, opening, closing in (("bash", b"( ", b")"), ("zsh", b"$(", b")"), ("fish", b"begin;", b";end")):
        shallow = read(opening * 9 + b"pip" + closing * 9, shell)
        assert shallow.complete, shallow.reason
        assert any(command.name == b"pip" for command in shallow.commands)
        deep = read(opening * 120 + b"pip" + closing * 120, shell)
        assert deep.reason == "nested too deeply"


def test_strings_in_strings_have_an_end() -> None:
    """``bash -c`` inside ``bash -c`` is read as deep as anything else, and then given up."""
    line = "pip"
    for _ in range(5):
        line = "bash -c '" + line.replace("'", "'\\''") + "'"
    reading = read(line.encode(), "bash")
    assert [command.name for command in reading.commands] == [b"pip"]
    assert len(reading.commands[0].effects) == 5


def test_a_line_may_be_eight_kibibytes_long() -> None:
    """Not an octet more, whatever it holds."""
    line = b"pip install " + b"x" * (LINE_LIMIT - 12)
    assert read(line, "bash").complete
    assert read(line + b"x", "bash").reason == "too long"


def test_an_unknown_shell_is_not_read() -> None:
    """tcsh, nushell and others have lines of their own."""
    assert not read(b"pip install", "tcsh").complete


@pytest.mark.parametrize("shell", SHELLS)
def test_a_word_has_so_many_pieces(shell: str) -> None:
    """Parameters and escapes in one word are counted: each is work for everyone who looks at the word."""
    for piece in (b"$X", b"'a'\"b\"", b"\\a"):
        assert read(b"pip install " + piece * 100, shell).complete
        reading = read(b"pip install " + piece * 1000, shell)
        assert (reading.complete, reading.reason) == (False, "too long")


def test_a_value_that_doubles_is_not_known() -> None:
    """``A=$A$A`` again and again fills no memory: beyond a size nobody needs, a word is not known."""
    assert read(b"A=$A$A", "bash").complete
    double = read(b"pip $A$A$A$A", "bash").commands[0].words[1]
    assert expand(double, {"A": b"x" * 1000}, None) == b"x" * 4000
    assert expand(double, {"A": b"x" * 30_000}, None) is None
