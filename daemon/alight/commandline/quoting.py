"""Words of sh, bash and zsh: quotes, escapes, parameters and tildes, from the octets of one word.

The grammar says where a word and the constructs in it begin and end; this reads what it means, and refuses a word that
the shell would not take for one.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from alight.commandline.tree import PIECES_LIMIT, Unreadable
from alight.commandline.words import Doubt, Home, Literal, Mode, Parameter, Piece, Unknown

SIMPLE = re.compile(rb"[A-Za-z0-9_@%+,./:-][A-Za-z0-9_@%+,./:=-]*")
"""Words that stand for themselves in every shell."""

_PLAIN = re.compile(rb"[^\\'\"$`*?\[{~()<>|&;\s]+")
_QUOTED = re.compile(rb"[^\\\"$`]+")
_NAME = re.compile(rb"[A-Za-z_][A-Za-z0-9_]*")
_BRACED = re.compile(rb"\$\{([A-Za-z_][A-Za-z0-9_]*)(?:(:?[-+=])(.*))?\}", re.DOTALL)
_SPECIAL = b"0123456789?@*#-$!"
_USER = re.compile(rb"~([A-Za-z0-9_][A-Za-z0-9_.-]*)?(?=[/:]|$)")
_BRACES = re.compile(rb"\{[^{}]*(?:,|\.\.)")
_ZSH_MODIFIER = re.compile(rb":[aAcehlpPqQrstuwWxg&]|\[")
_ZSH_FLAGGED = b"+#^=~:"
_ANSI = re.compile(
    rb"\\(?:([0-7]{1,3})|x([0-9A-Fa-f]{1,2})|u([0-9A-Fa-f]{1,4})|U([0-9A-Fa-f]{1,8})|c(.)|(.))", re.DOTALL
)
# fmt: off
_ANSI_LETTERS = {
    b"a": b"\a", b"b": b"\b", b"e": b"\x1b", b"E": b"\x1b", b"f": b"\f", b"n": b"\n", b"r": b"\r", b"t": b"\t",
    b"v": b"\v", b"\\": b"\\", b"'": b"'", b'"': b'"', b"?": b"?",
}
# fmt: on


@dataclass(slots=True)
class Scanner:
    """Reads one word of ``line``; ``inner`` are the constructs in it: start -> (end, what it is)."""

    line: bytes
    shell: str
    inner: Mapping[int, tuple[int, Doubt]] = field(default_factory=dict)
    value: bool = False
    """Whether it is the value of an assignment: not split, no patterns, ``~`` after ``:``, too."""

    def read(self, start: int, end: int) -> list[Piece]:
        """The pieces between two offsets; raises Unreadable when they are not one word."""
        pieces: list[Piece] = []
        at = start
        if self.shell == "zsh" and not self.value and self.line[at : at + 1] == b"=" and end - at > 1:
            pieces.append(Unknown("tilde", b"="))
            at += 1
        while at < end:
            if len(pieces) > PIECES_LIMIT:
                raise Unreadable("too long")
            found = _PLAIN.match(self.line, at, end)
            if found:
                text = found[0]
                pieces.append(Literal(text))
                at = found.end()
            else:
                at = self._special(pieces, start, at, end)
        return pieces

    def _special(self, pieces: list[Piece], start: int, at: int, end: int) -> int:
        line, char = self.line, self.line[at : at + 1]
        if at in self.inner and char in b"$`<>=":
            return self._construct(pieces, at, "quoted" if self.value else self._mode())
        if char == b"\\":
            if line[at + 1 : at + 2] != b"\n":
                if at + 1 >= end:
                    raise Unreadable("a backslash ends the line")
                pieces.append(Literal(line[at + 1 : at + 2], quoted=True))
            return at + 2
        if char == b"'":
            return self._single(pieces, at, end)
        if char == b'"':
            return self._double(pieces, at + 1, end)
        if char == b"$":
            return self._dollar(pieces, at, end)
        if char == b"~":
            return self._tilde(pieces, start, at, end)
        if char in b"*?[" and self.value:
            pieces.append(Literal(char))
            return at + 1
        if char in b"*?[":
            is_set = char != b"[" or line.find(b"]", at, end) > 0
            pieces.append(Unknown("glob", char) if is_set else Literal(char))
            return at + 1
        if char == b"{":
            if not self.value and _BRACES.match(line, at, end) and line.find(b"}", at, end) > 0:
                pieces.append(Unknown("brace", line[at:end]))
                return end
            pieces.append(Literal(char))
            return at + 1
        raise Unreadable("a word that the grammar and the shell see differently")

    def _mode(self) -> Mode:
        return "whole" if self.shell == "zsh" else "split"

    def _single(self, pieces: list[Piece], at: int, end: int) -> int:
        close = self.line.find(b"'", at + 1, end)
        if close < 0:
            raise Unreadable("a quote is not closed")
        pieces.append(Literal(self.line[at + 1 : close], quoted=True))
        return close + 1

    def _double(self, pieces: list[Piece], at: int, end: int) -> int:
        line = self.line
        pieces.append(Literal(b"", quoted=True))
        while at < end and len(pieces) <= PIECES_LIMIT:
            found = _QUOTED.match(line, at, end)
            if found:
                pieces.append(Literal(found[0], quoted=True))
                at = found.end()
                continue
            char, after = line[at : at + 1], line[at + 1 : at + 2]
            if char == b'"':
                return at + 1
            if char == b"\\":
                if after != b"\n":
                    pieces.append(Literal(after if after and after in b'$`"\\' else char + after, quoted=True))
                at += 2
            elif at in self.inner:
                start, at = at, self._construct(pieces, at, "quoted")
                last = pieces[-1]
                if isinstance(last, Parameter) and any(isinstance(piece, Home) for piece in last.default):
                    # In quotes, a tilde stands for itself in one shell and not in the other.
                    pieces[-1] = Unknown("parameter", line[start:at])
            elif char == b"$":
                at = self._named(pieces, at, end, "quoted")
            else:
                raise Unreadable("a quote is not closed")
        raise Unreadable("too long" if at < end else "a quote is not closed")

    def _dollar(self, pieces: list[Piece], at: int, end: int) -> int:
        after = self.line[at + 1 : at + 2]
        if after == b"'":
            return self._ansi(pieces, at + 2, end)
        if after == b'"' and self.shell != "zsh":
            return self._double(pieces, at + 2, end)
        return self._named(pieces, at, end, "quoted" if self.value else self._mode())

    def _named(self, pieces: list[Piece], at: int, end: int, mode: Mode) -> int:
        line = self.line
        found = _NAME.match(line, at + 1, end)
        if found:
            after = found.end()
            if self.shell == "zsh" and _ZSH_MODIFIER.match(line, after, end):
                pieces.append(Unknown("parameter", line[at:end]))
            else:
                pieces.append(Parameter(found[0].decode("ascii"), mode))
            return after
        after_dollar = line[at + 1 : at + 2]
        if after_dollar and at + 1 < end and after_dollar in _SPECIAL:
            pieces.append(Unknown("parameter", line[at : at + 2]))
            return at + 2
        if self.shell == "zsh" and after_dollar and at + 1 < end and after_dollar in _ZSH_FLAGGED:
            pieces.append(Unknown("parameter", line[at : at + 2]))
            return at + 2
        if after_dollar in (b"{", b"(", b"["):
            raise Unreadable("a word that the grammar and the shell see differently")
        pieces.append(Literal(b"$"))
        return at + 1

    def _construct(self, pieces: list[Piece], at: int, mode: Mode) -> int:
        end, kind = self.inner[at]
        source = self.line[at:end]
        found = _BRACED.fullmatch(source) if kind == "parameter" else None
        if found is None:
            pieces.append(Unknown(kind, source))
            return end
        operator = (found[2] or b"").decode("ascii")
        default: list[Piece] = []
        if operator:
            begin = at + found.start(3)
            if re.search(rb"[\s\\'\"]", found[3]):
                # Quotes and blanks in there follow rules of their own, and each shell has its own.
                pieces.append(Unknown("parameter", source))
                return end
            default = Scanner(self.line, self.shell, self.inner, value=True).read(begin, end - 1) if found[3] else []
            if mode != "quoted" and any(not isinstance(piece, Literal | Home) for piece in default):
                pieces.append(Unknown("parameter", source))
                return end
        pieces.append(Parameter(found[1].decode("ascii"), mode, operator, tuple(default)))
        return end

    def _ansi(self, pieces: list[Piece], at: int, end: int) -> int:
        begin = at
        while at < end and self.line[at : at + 1] != b"'":
            at += 2 if self.line[at : at + 1] == b"\\" else 1
        if at >= end:
            raise Unreadable("a quote is not closed")
        text = _ANSI.sub(_decoded, self.line[begin:at])
        pieces.append(Unknown("escape", self.line[begin:at]) if b"\0" in text else Literal(text, quoted=True))
        return at + 1

    def _tilde(self, pieces: list[Piece], start: int, at: int, end: int) -> int:
        begins = at == start or (self.value and self.line[at - 1 : at] == b":")
        if not begins:
            begins = self._named_value(start, at)
        if not begins:
            pieces.append(Literal(b"~"))
            return at + 1
        found = _USER.match(self.line, at, end)
        if found and not (found[1] or b"").isdigit():
            pieces.append(Home(found[1] or b""))
            return found.end()
        pieces.append(Unknown("tilde", self.line[at:end]))
        return at + 1

    def _named_value(self, start: int, at: int) -> bool:
        """Whether ``~`` stands where bash expands it in an argument that looks like an assignment."""
        if self.shell != "bash" or self.value:
            return False
        before = self.line[start:at]
        name = _NAME.match(before)
        return name is not None and before[name.end() : name.end() + 1] == b"=" and before[-1:] in (b"=", b":")


def _decoded(found: re.Match[bytes]) -> bytes:
    octal, hexadecimal, short, long, control, letter = found.groups()
    if octal:
        return bytes([int(octal, 8) & 0xFF])
    if hexadecimal:
        return bytes([int(hexadecimal, 16)])
    if short or long:
        code = int(short or long, 16)
        return chr(code).encode() if code < 0x110000 and not 0xD800 <= code < 0xE000 else b"\0"
    if control:
        return bytes([control[0] & 0x1F])
    known: bytes | None = _ANSI_LETTERS.get(letter)
    return found[0] if known is None else known
