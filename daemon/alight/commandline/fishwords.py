"""Words of fish: its quotes, escapes, variables, braces and substitutions."""

from __future__ import annotations

import re
from collections.abc import Callable

from alight.commandline.tree import PIECES_LIMIT, Budget, Node, Unreadable
from alight.commandline.words import Home, Literal, Mode, Parameter, Piece, Unknown, Word, word

_PLAIN = re.compile(rb"[^\\'\"$*?{}~()<>|&;\s\[]+")
_BRACKETS = re.compile(rb"\[[^\[\]\\'\"$*?{}()<>|&;\s]*\]")
_QUOTED = re.compile(rb"[^\\\"$]+")
_NAME = re.compile(rb"[A-Za-z0-9_]+")
_BRACED = re.compile(rb"\{\$([A-Za-z_][A-Za-z0-9_]*)\}")
_BRACES = re.compile(rb"\{[^{}()'\"\\\n]*\}")
_USER = re.compile(rb"~([A-Za-z_][A-Za-z0-9_.-]*)?(?=[/\s;|&<>()]|$)")
_SELF = re.compile(rb"%self")
_ENDS = b" \t\n;|<>)"
_NUMBER = re.compile(
    rb"\\(?:x([0-9A-Fa-f]{1,2})|X([0-9A-Fa-f]{1,2})|([0-7]{1,3})|u([0-9A-Fa-f]{1,4})|U([0-9A-Fa-f]{1,8})|c([A-Za-z]))"
)
# fmt: off
_LETTERS = {
    b"a": b"\a", b"b": b"\b", b"e": b"\x1b", b"f": b"\f", b"n": b"\n", b"r": b"\r", b"t": b"\t", b"v": b"\v",
}
# fmt: on

Substitution = Callable[[int], int]
"""Reads the list behind the parenthesis at an offset and gives the offset behind the closing one."""


class Words:
    """Reads words of ``text``; ``substitution`` reads what stands in parentheses and collects it in ``nested``."""

    def __init__(self, text: bytes, budget: Budget, substitution: Substitution, *, typed: bool) -> None:
        self.text = text
        self.nested: list[Node] = []
        self._budget = budget
        self._substitution = substitution
        self._typed = typed
        self._at = 0

    def read(self, start: int) -> tuple[Word, int]:
        """The word at ``start`` and the offset behind it; raises Unreadable when it is not one."""
        self._budget.spend(0)
        pieces: list[Piece] = []
        self._at = start
        text = self.text
        while self._at < len(text):
            found = _PLAIN.match(text, self._at)
            if found:
                pieces.append(Literal(found[0]))
                self._at = found.end()
            elif not self._special(pieces, start):
                break
            if len(pieces) > PIECES_LIMIT:
                raise Unreadable("too long")
        self._budget.spend(0, len(pieces) // 2)
        return word(pieces, (start, self._at) if self._typed else None), self._at

    def _special(self, pieces: list[Piece], start: int) -> bool:
        """Read what is not plain; False at the end of the word."""
        text, at = self.text, self._at
        char = text[at : at + 1]
        if char in _ENDS:
            return False
        if char == b"&":
            after = text[at + 1 : at + 2]
            if after and after not in b" \t\n;|<>&)" and at > start:
                # Old versions end the command here, new ones do not.
                raise Unreadable("an ampersand in a word")
            return False
        if char == b"\\":
            self._escape(pieces)
        elif char == b"'":
            self._single(pieces)
        elif char == b'"':
            self._double(pieces)
        elif char == b"$":
            self._dollar(pieces, "list")
        elif char == b"(":
            self._parenthesis(pieces, at + 1)
        elif char == b"{":
            self._brace(pieces)
        elif char in b"*?":
            pieces.append(Unknown("glob", char))
            self._at += 1
        elif char == b"[" and at > start:
            # An index, in which blanks end no word.
            found = _BRACKETS.match(text, at)
            if found is None:
                raise Unreadable("brackets that are not plain")
            pieces.append(Literal(found[0]))
            self._at = found.end()
        elif char == b"~" and at == start:
            self._tilde(pieces)
        else:
            pieces.append(Literal(char))
            self._at += 1
        return True

    def _tilde(self, pieces: list[Piece]) -> None:
        found = _USER.match(self.text, self._at)
        if found:
            pieces.append(Home(found[1] or b""))
            self._at = found.end()
        else:
            pieces.append(Unknown("tilde", b"~"))
            self._at += 1

    def _escape(self, pieces: list[Piece]) -> None:
        text, at = self.text, self._at
        found = _NUMBER.match(text, at)
        if found:
            pieces.append(_numbered(found))
            self._at = found.end()
            return
        after = text[at + 1 : at + 2]
        if not after:
            raise Unreadable("a backslash ends the line")
        if after in (b"x", b"X", b"u", b"U", b"c"):
            raise Unreadable("an escape without digits")
        if after != b"\n":
            pieces.append(Literal(_LETTERS.get(after, after), quoted=True))
        self._at = at + 2

    def _single(self, pieces: list[Piece]) -> None:
        text, at = self.text, self._at + 1
        found: list[bytes] = []
        while at < len(text):
            char = text[at : at + 1]
            if char == b"'":
                pieces.append(Literal(b"".join(found), quoted=True))
                self._at = at + 1
                return
            if char == b"\\" and text[at + 1 : at + 2] in (b"'", b"\\"):
                at += 1
                char = text[at : at + 1]
            elif char == b"\\" and text[at + 1 : at + 2] == b"\n":
                raise Unreadable("an escaped newline in quotes")
            found.append(char)
            at += 1
        raise Unreadable("a quote is not closed")

    def _double(self, pieces: list[Piece]) -> None:
        text = self.text
        self._at += 1
        pieces.append(Literal(b"", quoted=True))
        while self._at < len(text) and len(pieces) <= PIECES_LIMIT:
            found = _QUOTED.match(text, self._at)
            if found:
                pieces.append(Literal(found[0], quoted=True))
                self._at = found.end()
                continue
            char, after = text[self._at : self._at + 1], text[self._at + 1 : self._at + 2]
            if char == b'"':
                self._at += 1
                return
            if char == b"$":
                self._dollar(pieces, "quoted")
                continue
            if after != b"\n":
                pieces.append(Literal(after if after and after in b'$"\\' else char + after, quoted=True))
            self._at += 2
        raise Unreadable("too long" if self._at < len(text) else "a quote is not closed")

    def _dollar(self, pieces: list[Piece], mode: Mode) -> None:
        text, at = self.text, self._at
        if text[at + 1 : at + 2] == b"(":
            self._parenthesis(pieces, at + 2)
            return
        found = _NAME.match(text, at + 1)
        if found is None:
            if text[at + 1 : at + 2] != b"$":
                raise Unreadable("a lone $")
            pieces.append(Unknown("parameter", b"$"))
            self._at = at + 1
            return
        self._at = found.end()
        name = found[0].decode("ascii")
        indexed = self._index()
        if indexed or name[0].isdigit() or text[at - 1 : at] == b"$" or (mode == "list" and name.endswith("PATH")):
            pieces.append(Unknown("parameter", text[at : self._at]))
        else:
            pieces.append(Parameter(name, mode))

    def _index(self) -> bool:
        """Skip ``[…]`` behind a variable or substitution; True when there was one."""
        if self.text[self._at : self._at + 1] != b"[":
            return False
        close = self.text.find(b"]", self._at)
        inside = self.text[self._at + 1 : close]
        if close < 0 or any(char in inside for char in b"[('\"\\\n;"):
            raise Unreadable("an index that is not plain")
        self._at = close + 1
        return True

    def _parenthesis(self, pieces: list[Piece], inside: int) -> None:
        begin = self._at
        self._at = self._substitution(inside)
        pieces.append(Unknown("substitution", self.text[begin : self._at]))
        self._index()

    def _brace(self, pieces: list[Piece]) -> None:
        named = _BRACED.match(self.text, self._at)
        if named:
            pieces.append(Parameter(named[1].decode("ascii"), "list"))
            self._at = named.end()
            return
        found = _BRACES.match(self.text, self._at)
        if found is None:
            raise Unreadable("braces that are not plain")
        pieces.append(Literal(found[0]) if found[0] == b"{}" else Unknown("brace", found[0]))
        self._at = found.end()


def _numbered(found: re.Match[bytes]) -> Piece:
    short, octets, octal, unicode, long, control = found.groups()
    if control:
        return Literal(bytes([control[0] & 0x1F]), quoted=True)
    code = int(octal, 8) if octal else int(short or octets or unicode or long, 16)
    if octets or (short and code < 0x80):
        text = bytes([code])
    elif octal and code >= 0x80:
        return Unknown("escape", found[0])
    elif code < 0x110000 and not 0xD800 <= code < 0xE000:
        text = chr(code).encode()
    else:
        return Unknown("escape", found[0])
    return Unknown("escape", found[0]) if text == b"\0" else Literal(text, quoted=True)
