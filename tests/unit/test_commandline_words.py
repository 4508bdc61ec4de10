"""What words become when the shell's variables are known."""

from __future__ import annotations

import pytest

from alight.commandline import expand, fields, read
from alight.commandline.words import Word, assignment, literal, word

VARIABLES = {
    "A": b"alpha", "E": b"", "S": b"two words", "G": b"*.py", "L": b" led", "T": b"trailed ", "N": None,
    "PATH": b"/a:/b",
}  # fmt: skip


def argument(shell: str, text: str) -> Word:
    """The word as the shell's reader finds it."""
    *_, command = read(b"pip " + text.encode(), shell).commands
    (found,) = command.words[1:]
    return found


ROWS: list[tuple[str, str, tuple[bytes, ...] | None]] = [
    ("bash zsh fish", "x", (b"x",)),
    ("bash zsh fish", "''", (b"",)),
    ("bash zsh fish", "$A", (b"alpha",)),
    ("bash zsh fish", 'x"$A"y', (b"xalphay",)),
    ("bash zsh", "${A}y", (b"alphay",)),
    ("bash zsh", "$E", ()),
    ("bash zsh", "$N", ()),
    ("fish", "$E", (b"",)),
    ("fish", "$N", None),
    ("bash zsh fish", '"$E"', (b"",)),
    ("bash zsh fish", '"$N"', (b"",)),
    ("bash zsh", "x$E", (b"x",)),
    ("bash", "$S", (b"two", b"words")),
    ("zsh fish", "$S", (b"two words",)),
    ("bash", "x$S", (b"xtwo", b"words")),
    ("bash", "$S$A", (b"two", b"wordsalpha")),
    ("bash", "x$L", (b"x", b"led")),
    ("bash", "${T}x", (b"trailed", b"x")),
    ("bash", '"$S"', (b"two words",)),
    ("bash", "$G", None),
    ("zsh fish", "$G", (b"*.py",)),
    ("bash zsh fish", '"$G"', (b"*.py",)),
    ("bash zsh fish", "$MISSING", None),
    ("bash zsh", "${A:-d}", (b"alpha",)),
    ("bash zsh", "${E:-d}", (b"d",)),
    ("bash zsh", "${E-d}", ()),
    ("bash zsh", "${N-d}", (b"d",)),
    ("bash zsh", "${N:-$A}", None),
    ("bash zsh", '"${N:-$A}"', (b"alpha",)),
    ("bash zsh", '"${N:-}"', (b"",)),
    ("bash zsh", "${A:+d}", (b"d",)),
    ("bash zsh", "${E:+d}", ()),
    ("bash zsh", "${N:-~/x}", (b"/home/me/x",)),
    ("bash zsh", '"${N:-~/x}"', None),
    ("bash zsh fish", "~", (b"/home/me",)),
    ("bash zsh fish", "~/x", (b"/home/me/x",)),
    ("bash zsh fish", "~other/x", None),
    ("bash zsh fish", "'~'", (b"~",)),
    ("bash zsh fish", "*.py", None),
    ("bash zsh", "$(x)", None),
    ("fish", "(x)", None),
    ("fish", "$PATH", None),
    ("fish", '"$PATH"', (b"/a:/b",)),
]


@pytest.mark.parametrize(("shells", "text", "expected"), ROWS)
def test_a_word_becomes_its_fields(shells: str, text: str, expected: tuple[bytes, ...] | None) -> None:
    """No, one or several words, as each shell makes them of the values it has; None when that is not known."""
    for shell in shells.split():
        found = argument(shell, text)
        assert fields(found, VARIABLES, b"/home/me") == expected, shell
        one = expected[0] if expected is not None and len(expected) == 1 else None
        assert expand(found, VARIABLES, b"/home/me") == one


def test_a_changed_separator_is_not_guessed() -> None:
    """Values are split at blanks only while IFS says so."""
    found = argument("bash", "$S")
    assert fields(found, {**VARIABLES, "IFS": b":"}, None) is None
    assert fields(found, {**VARIABLES, "IFS": None}, None) == (b"two", b"words")


def test_a_command_receives_its_arguments() -> None:
    """Words that vanish or multiply do so among the arguments, unknown ones leave a gap."""
    *_, command = read(b'pip $E $S "$E" $(x) $A', "bash").commands
    assert command.argv(VARIABLES, None) == (b"pip", b"two", b"words", b"", None, b"alpha")


@pytest.mark.parametrize(
    ("text", "head", "plain"),
    [("--target=$X", b"--target=", None), ("req[sec]", b"req", b"req[sec]"), ("$X", b"", None), ("a'b'", b"ab", b"ab")],
)
def test_what_is_known_of_an_unknown_word(text: str, head: bytes, plain: bytes | None) -> None:
    """Its literal beginning, and the pattern that it is where no file matches."""
    found = argument("bash", text)
    assert (found.head, found.plain) == (head, plain)


def test_assignments_are_words_with_a_name() -> None:
    """A shell wants the name unquoted, a program sees the finished word; the value keeps its pieces."""
    found = assignment(argument("bash", "A='x y'$B"), quoted=False)
    assert found is not None
    assert (found.name, expand(found.value, {"B": b"b"}, None)) == ("A", b"x yb")
    quoted = argument("bash", "'A=x'")
    assert assignment(quoted, quoted=False) is None
    assert assignment(quoted, quoted=True) is not None
    assert assignment(literal(b"1A=x"), quoted=True) is None
    assert assignment(word(()), quoted=True) is None
