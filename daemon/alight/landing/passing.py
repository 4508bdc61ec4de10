"""Functions of the shell that only pass their arguments on to one command, which makes them aliases for it."""

from __future__ import annotations

from alight.commandline import read
from alight.commandline.definition import only_command
from alight.commandline.words import Home, Literal, Parameter, Word

_ARGUMENTS: dict[str, frozenset[bytes]] = {
    "bash": frozenset({b'"$@"', b"$@", b"$*", b'"${@}"', b"${@}", b"${*}"}),
    "zsh": frozenset({
        b'"$@"', b"$@", b"$*", b'"${@}"', b"${@}", b"${*}", b"$argv", b"${argv}", b'"$argv[@]"', b'"${argv[@]}"',
        b"$argv[@]", b"${argv[@]}",
    }),
    "fish": frozenset({b"$argv"}),
}  # fmt: skip
"""How all arguments are written, each as a word of its own."""

_PROGRAMS = frozenset({"env", "sudo", "nohup", "nice", "ionice", "timeout", "stdbuf", "setsid", "chronic"})
_KEYWORDS = frozenset({"assignments", "noglob", "nocorrect", "time"})
_COMMAND = "command"


def passed_on(name: bytes, source: bytes, shell: str) -> bytes | None:
    """What the function stands for, as the text of an alias; None for one that does anything else.

    The text is that of the function: a command word without ``command`` in front of it may be a function in its turn.
    One that calls itself is none of these.
    """
    found = only_command(name, source, shell)
    if found is None:
        return None
    body, command = found
    reading = read(body, shell)
    if command.nested or command.stray or len(command.words) < 2 or len(reading.commands) != 1:
        return None
    last, before = command.words[-1], command.words[:-1]
    simple = reading.commands[0]
    if last.span is None or body[slice(*last.span)] not in _ARGUMENTS[shell]:
        return None
    if simple.effects or simple.conditional or len(simple.words) < 2 or simple.words[-1].span != last.span:
        return None
    values = [given.value for given in command.assignments]
    if not all(_is_settled(word, shell) for word in (*before, *values)):
        return None
    kinds = {wrapper.kind for wrapper in simple.wrappers}
    if kinds - _PROGRAMS - _KEYWORDS - {_COMMAND} or _calls_itself(name, kinds, before[0], simple.words[0]):
        return None
    text = _source(body, before[-1])
    return text if len(read(text, shell).commands) == 1 else None


def _is_settled(word: Word, shell: str) -> bool:
    """Whether the word means the same in the function as where it is called: none of the function's own variables."""
    return all(
        isinstance(piece, Literal | Home)
        or (isinstance(piece, Parameter) and shell != "fish" and piece.name != "argv" and not piece.default)
        for piece in word.pieces
    )


def _calls_itself(name: bytes, kinds: set[str], first: Word, started: Word) -> bool:
    if _COMMAND in kinds:
        return False
    return name == (first.text if kinds & _PROGRAMS else started.text)


def _source(body: bytes, last: Word) -> bytes:
    """What stands in the body up to the last word, without comments before it."""
    text = body[: last.span[1]].lstrip(b" \t\n;") if last.span else b""
    while text.startswith(b"#"):
        text = text.partition(b"\n")[2].lstrip()
    return text
