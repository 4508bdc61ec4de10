"""fish's ``set``: one command for every kind of variable."""

from __future__ import annotations

import re
from collections.abc import Sequence

from alight.commandline.effects import Effect, Opaque, SetVariable, Unset
from alight.commandline.options import Syntax, parse
from alight.commandline.words import Literal, Parameter, Piece, Word, assignment, unknown, word

_NAME = re.compile(rb"[A-Za-z0-9_]+")
_SET = Syntax(
    "acefghlLnpqSuUxv",
    "",
    "",
    frozenset(),
    {"append": "a", "erase": "e", "function": "f", "global": "g", "local": "l", "long": "L", "names": "n",
     "prepend": "p", "query": "q", "show": "S", "unexport": "u", "universal": "U", "export": "x"},
)  # fmt: skip
_ASKING = frozenset("qnSLh")
_UNKNOWN_SCOPES = frozenset({"U", "path", "unpath"})


def effects(arguments: Sequence[Word], _shell: str) -> tuple[Effect, ...]:
    """What ``set`` changes."""
    parsed = parse(arguments, _SET)
    if parsed is None:
        return (Opaque("assignment"),)
    if parsed.flags & _ASKING or not parsed.rest:
        return ()
    first, *values = parsed.rest
    if first.text is None:
        return (Opaque("assignment"),)
    if "e" in parsed.flags:
        return _erased(parsed.rest, parsed.flags)
    name, _, index = first.text.partition(b"[")
    if not _NAME.fullmatch(name):
        return (Opaque("assignment"),)
    text = name.decode("ascii")
    exported = True if "x" in parsed.flags else False if "u" in parsed.flags else None
    local = "l" in parsed.flags
    if index or parsed.flags & _UNKNOWN_SCOPES:
        return (SetVariable(text, unknown("array"), exported, local),)
    own = Word((Parameter(text, "quoted"),), None, None)
    if "p" in parsed.flags:
        values = [*values, own]
    if "a" in parsed.flags:
        values = [own, *values]
    return (SetVariable(text, _joined(text, values), exported, local),)


def _erased(names: Sequence[Word], flags: frozenset[str]) -> tuple[Effect, ...]:
    if any(typed.text is None for typed in names) or flags & _UNKNOWN_SCOPES:
        return (Opaque("assignment"),)
    found: list[Effect] = []
    for typed in names:
        name, _, index = (typed.text or b"").partition(b"[")
        text = name.decode("utf-8", "replace")
        found.append(SetVariable(text, unknown("array"), None) if index else Unset(text))
    return tuple(found)


def _joined(name: str, values: Sequence[Word]) -> Word:
    """The value as programs see it: lists that are search paths are joined by colons, others by blanks."""
    separator = b":" if name.endswith("PATH") else b" "
    pieces: list[Piece] = [Literal(b"", quoted=True)]
    for at, typed in enumerate(values):
        if at:
            pieces.append(Literal(separator))
        pieces.extend(_whole(piece, name) for piece in typed.pieces)
    return word(pieces)


def _whole(piece: Piece, name: str) -> Piece:
    if isinstance(piece, Parameter):
        return Parameter(piece.name, "quoted", piece.operator, piece.default)
    # A search path put into a search path: its elements stay elements.
    if getattr(piece, "source", b"") == b"$" + name.encode("ascii"):
        return Parameter(name, "quoted")
    return piece


def functions(arguments: Sequence[Word], _shell: str) -> tuple[Effect, ...]:
    """``functions`` only prints, unless it erases or copies."""
    harmless = all(
        typed.text is not None and typed.text not in (b"-e", b"--erase", b"-c", b"--copy") for typed in arguments
    )
    return () if harmless else (Opaque("function"),)


def export(arguments: Sequence[Word], _shell: str) -> tuple[Effect, ...]:
    """The function ``export NAME=value`` that fish has for those who come from elsewhere."""
    found: list[Effect] = []
    for typed in arguments:
        given = assignment(typed, quoted=True)
        if given is None or given.name.endswith("PATH"):
            return (Opaque("assignment"),)
        found.append(SetVariable(given.name, _joined(given.name, [given.value]), exported=True))
    return tuple(found)
