"""Words of a command line: what is known of them before the shell expands them, and what they become."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal as OneOf
from typing import TypeAlias

Variables: TypeAlias = Mapping[str, bytes | None]
"""What the shell's variables hold; None is known to be unset, a missing name is not known at all."""

Mode = OneOf["quoted", "whole", "split", "list"]
"""How a parameter's value enters its word.

``quoted`` as one piece whatever it holds (quotes, assignments); ``whole`` as one piece, but an empty value leaves no
word (zsh); ``split`` into fields, each of which is a pattern (bash, sh); ``list`` one word per element (fish).
"""

Doubt = OneOf["substitution", "glob", "brace", "arithmetic", "parameter", "tilde", "array", "loop", "input", "escape"]
"""Why a piece is not known: output of a command, file names, several words, …, arguments from standard input."""

EXPANSION_LIMIT = 32 * 1024
"""Octets that one word may become: a variable may be made of itself again and again."""

_BLANKS = b" \t\n"
_PATTERN = re.compile(rb"[*?\[\\]")
_ASSIGNED = re.compile(rb"([A-Za-z_][A-Za-z0-9_]*)(\+?)=")


@dataclass(frozen=True, slots=True)
class Literal:
    """Octets that stand for themselves, quotes and escapes removed; ``quoted`` when any were there."""

    text: bytes
    quoted: bool = False


@dataclass(frozen=True, slots=True)
class Parameter:
    """``$NAME``, or ``${NAME<operator>default}`` with one of ``:-  -  :=  =  :+  +``."""

    name: str
    mode: Mode
    operator: str = ""
    default: tuple[Piece, ...] = ()


@dataclass(frozen=True, slots=True)
class Home:
    """``~``, or ``~user`` with the name."""

    user: bytes = b""


@dataclass(frozen=True, slots=True)
class Unknown:
    """What nobody can say without running something; ``source`` is how it was typed."""

    kind: Doubt
    source: bytes = b""


Piece: TypeAlias = Literal | Parameter | Home | Unknown
Span: TypeAlias = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Word:
    """One word as typed: its pieces in order, and the octets of the line it was typed in.

    ``text`` is the word when all of it is literal, else None. ``span`` is None for words that were not typed as such:
    out of ``-c`` strings and ``eval``, or supplied by a wrapper.
    """

    pieces: tuple[Piece, ...]
    span: Span | None
    text: bytes | None

    @property
    def head(self) -> bytes:
        """The literal beginning: enough to tell an option from an operand when the rest is unknown."""
        known = b""
        for piece in self.pieces:
            if not isinstance(piece, Literal):
                break
            known += piece.text
        return known

    @property
    def plain(self) -> bytes | None:
        """``text``, with patterns standing for themselves as bash leaves them where no file matches."""
        parts = []
        for piece in self.pieces:
            if isinstance(piece, Literal):
                parts.append(piece.text)
            elif isinstance(piece, Unknown) and piece.kind == "glob":
                parts.append(piece.source)
            else:
                return None
        return b"".join(parts)

    @property
    def doubt(self) -> Doubt | None:
        """The first reason why this word cannot be known, or None when values of variables are all it needs."""
        return next((piece.kind for piece in self.pieces if isinstance(piece, Unknown)), None)

    @property
    def quoted(self) -> bool:
        """Whether anything in it was quoted or escaped, which keeps aliases away."""
        return any(isinstance(piece, Literal) and piece.quoted for piece in self.pieces)

    @property
    def single(self) -> bool:
        """Whether it is exactly one word whatever its variables hold."""
        return self.text is not None or all(
            isinstance(piece, Literal | Home) or (isinstance(piece, Parameter) and piece.mode == "quoted")
            for piece in self.pieces
        )


def word(pieces: Sequence[Piece], span: Span | None = None) -> Word:
    """Make a word of its pieces; literal neighbours that were quoted alike are joined."""
    joined: list[Piece] = []
    for piece in pieces:
        last = joined[-1] if joined else None
        if isinstance(piece, Literal) and isinstance(last, Literal) and piece.quoted == last.quoted:
            joined[-1] = Literal(last.text + piece.text, last.quoted)
        else:
            joined.append(piece)
    texts = [piece.text for piece in joined if isinstance(piece, Literal)]
    return Word(tuple(joined), span, b"".join(texts) if len(texts) == len(joined) else None)


def literal(text: bytes, span: Span | None = None, *, quoted: bool = False) -> Word:
    """A word that is known."""
    return Word((Literal(text, quoted),), span, text)


def unknown(kind: Doubt, source: bytes = b"", span: Span | None = None) -> Word:
    """A word of which nothing is known."""
    return Word((Unknown(kind, source),), span, None)


@dataclass(frozen=True, slots=True)
class Assignment:
    """``NAME=value``; ``append`` for ``NAME+=value``; ``value`` does not hold what is appended to."""

    name: str
    value: Word
    append: bool = False


def assignment(typed: Word, *, quoted: bool) -> Assignment | None:
    """Read a word as ``NAME=value``, or None; the name may be ``quoted`` for commands that see the finished word."""
    if not typed.pieces or not isinstance(typed.pieces[0], Literal):
        return None
    first = typed.pieces[0]
    text = typed.head if quoted else first.text
    found = _ASSIGNED.match(text)
    if found is None or (first.quoted and not quoted) or (quoted and found[2]):
        return None
    value = without(typed, found.end())
    return Assignment(found[1].decode("ascii"), word(value.pieces), bool(found[2]))


def without(typed: Word, skipped: int) -> Word:
    """The word without its first octets, which are literal."""
    rest: list[Piece] = []
    for piece in typed.pieces:
        if skipped and isinstance(piece, Literal):
            kept = piece.text[skipped:]
            skipped = max(0, skipped - len(piece.text))
            if kept or piece.quoted:
                rest.append(Literal(kept, piece.quoted))
        else:
            rest.append(piece)
    return word(rest)


def unsplit(typed: Word) -> Word:
    """The word as the value of an assignment: parameters are not split and patterns stand for themselves."""
    return word([_unsplit(piece) for piece in typed.pieces], typed.span)


def _unsplit(piece: Piece) -> Piece:
    if isinstance(piece, Parameter):
        return Parameter(piece.name, "quoted", piece.operator, tuple(_unsplit(part) for part in piece.default))
    if isinstance(piece, Unknown) and piece.kind == "glob":
        return Literal(piece.source)
    return piece


def expand(typed: Word, variables: Variables, home: bytes | None) -> bytes | None:
    """The one word that ``typed`` becomes, or None when that is not known, or it becomes none or several."""
    if typed.text is not None:
        return typed.text
    found = fields(typed, variables, home)
    return found[0] if found is not None and len(found) == 1 else None


def fields(typed: Word, variables: Variables, home: bytes | None) -> tuple[bytes, ...] | None:
    """The words that ``typed`` becomes, in the order and number the command receives them; None when not known.

    ``home`` is what ``~`` stands for; other users' homes are not known here.
    """
    fold = _Fields()
    return tuple(fold.done) if _expand(typed.pieces, variables, home, fold) and fold.finish() else None


class _Fields:
    """Fields under construction: an empty one only exists where something quoted stands."""

    def __init__(self) -> None:
        self.done: list[bytes] = []
        self.room = EXPANSION_LIMIT
        self._open: bytearray | None = None

    def add(self, text: bytes) -> None:
        self.room -= len(text)
        if self._open is None:
            self._open = bytearray()
        if self.room >= 0:
            self._open += text

    def split(self, value: bytes) -> None:
        """Enter an unquoted value: blanks end fields."""
        if value[:1] and value[0] in _BLANKS:
            self.finish()
        for index, part in enumerate(value.split()):
            if index:
                self.finish()
            self.add(part)
        if value[-1:] and value[-1] in _BLANKS:
            self.finish()

    def finish(self) -> bool:
        if self._open is not None:
            self.done.append(bytes(self._open))
            self._open = None
        return self.room >= 0


def _expand(pieces: Sequence[Piece], variables: Variables, home: bytes | None, fold: _Fields) -> bool:
    for piece in pieces:
        if fold.room < 0:
            return False
        if isinstance(piece, Literal):
            if piece.text or piece.quoted:
                fold.add(piece.text)
        elif isinstance(piece, Home):
            if piece.user or home is None:
                return False
            fold.add(home)
        elif isinstance(piece, Unknown) or not _parameter(piece, variables, home, fold):
            return False
    return True


def _parameter(piece: Parameter, variables: Variables, home: bytes | None, fold: _Fields) -> bool:
    if piece.name not in variables:
        return False
    value = variables[piece.name]
    if piece.operator:
        usable = bool(value) if piece.operator.startswith(":") else value is not None
        if piece.operator.endswith("+"):
            usable = not usable
            value = b""
        if not usable:
            return _expand(piece.default, variables, home, fold)
    if piece.mode == "quoted":
        fold.add(value or b"")
    elif piece.mode == "whole":
        if value:
            fold.add(value)
    elif piece.mode == "list":
        # An unset list leaves no word, whatever stands beside it.
        if value is None:
            return False
        fold.add(value)
    else:
        if value and (_PATTERN.search(value) or variables.get("IFS", b" \t\n") not in (b" \t\n", None)):
            return False
        fold.split(value or b"")
    return True
