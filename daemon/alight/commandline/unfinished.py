"""Lines at whose end the shell asks for more: what is typed of a command, closed in the shortest way.

Nothing is read here: it is only found out what is still open, and ``read`` judges the closed text. Where this and the
shell might see a text differently, it is left as it is, and the reader alone decides whether it is a line.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from alight.commandline.childshell import SHELLS
from alight.commandline.lexing import NAMED, PLAIN, Cut, Lexer
from alight.commandline.reading import LINE_LIMIT
from alight.commandline.tree import Unreadable

_REDIRECTION = re.compile(rb"<<<|<<-|<<|&>>|&>|>>|[<>]&|>\||<>|[<>]")
_DESCRIPTOR = re.compile(rb"[0-9]+|\{[A-Za-z_][A-Za-z0-9_]*\}")
_CALL = re.compile(rb"\([ \t]*\)")
_QUOTES = b"\\'\"$`"
_RESERVED = frozenset(b"then elif else fi do done esac in } ]] coproc".split())
_RESERVED_ZSH = _RESERVED | {b"foreach", b"end", b"always"}
_ENDINGS = (b";;&", b";;", b";&", b";|")
_BODY = (b"do :", b"done")


def closed(before: bytes, line: bytes, shell: str) -> bytes | None:
    """``before + line``, the text that ``shell`` has at Enter, with what it takes to make it a complete command.

    A complete command comes back as it is. None where nothing can be said of the text: it ends inside a word, a quote,
    an expansion or a here document, so that more words will come, or ``before`` needs no further line, so that ``line``
    is something else's input. Whatever is added stands at the end.
    """
    text = before + line
    manner = SHELLS.get(shell)
    if manner is None or len(text) > LINE_LIMIT:
        return None
    if manner == "fish":
        # Its editor holds a command until it is complete.
        return text
    try:
        if before and _missing(before if before.endswith(b"\n") else before + b"\n", manner) == ():
            return None
    except Unreadable:
        return None
    try:
        missing = _missing(text + b"\n", manner)
    except Unreadable:
        return text
    if missing is None:
        return None
    finished = b"\n".join((text, *missing))
    return finished if len(finished) <= LINE_LIMIT else None


def _missing(text: bytes, shell: str) -> tuple[bytes, ...] | None:
    """The lines that are missing behind ``text``; None when it takes more than lines; raises Unreadable."""
    try:
        _Reader(text, shell).sequence(0, frozenset())
    except Cut as cut:
        return cut.closing
    return ()


class _Reader(Lexer):
    """The grammar of commands, as far as it takes to know what is open."""

    def __init__(self, text: bytes, shell: str) -> None:
        super().__init__(text, shell)
        self._reserved = _RESERVED_ZSH if shell == "zsh" else _RESERVED
        self._compounds: dict[bytes, Callable[[int], None]] = {
            b"{": self._group,
            b"if": self._if,
            b"while": self._while,
            b"until": self._while,
            b"for": self._for,
            b"select": self._for,
            b"case": self._case,
            b"[[": self._test,
            b"function": self._function,
        }

        self._keywords = self._reserved | self._compounds.keys() | {b"!", b"time"}

    def sequence(self, depth: int, ends: frozenset[bytes]) -> None:
        """Commands up to one of ``ends``, or the end of the text where there are none."""
        self.budget.spend(depth)
        is_empty = True
        while True:
            self.lines()
            if self.is_over:
                if ends:
                    raise Cut(*([b":"] if is_empty else []))
                return
            if self._ends(ends):
                return
            self._and_or(depth)
            is_empty = False
            self.blanks()
            self.comment()
            if self.sees(b"&!", b"&|") and self.shell == "zsh":
                self.at += 2
            elif self.sees(b";", b"&") and not self.sees(b"&&", *_ENDINGS):
                self.at += 1
            elif not self.sees(b"\n") and not self._ends(ends):
                raise Unreadable("something behind a command")

    def _ends(self, ends: frozenset[bytes]) -> bool:
        if self.sees(b")"):
            return b")" in ends
        if self.sees(*_ENDINGS):
            return b";;" in ends
        return self._keyword() in ends

    def _keyword(self) -> bytes:
        """The word that comes next where nothing in it is quoted or expanded, else b""."""
        found = PLAIN.match(self.text, self.at)
        if found is None:
            return b""
        if self.text.startswith(b"\\\n", found.end()) and any(word.startswith(found[0]) for word in self._keywords):
            raise Unreadable("a reserved word on two lines, or not")
        if self.text[found.end()] in _QUOTES:
            return b""
        return found[0]

    def _take(self, keyword: bytes) -> None:
        if self._keyword() != keyword:
            raise Unreadable(f"no {keyword.decode('ascii')}")
        self.at += len(keyword)

    def _within(self, depth: int, ends: set[bytes], *closing: bytes) -> None:
        """Commands that need an end."""
        try:
            self.sequence(depth + 1, frozenset(ends))
        except Cut as cut:
            raise Cut(*closing, within=cut) from None

    def _awaited(self, *closing: bytes) -> None:
        """Go on to what has to come, on this line or another."""
        self.lines(telling=True)
        if self.is_over:
            raise Cut(*closing)

    def _and_or(self, depth: int) -> None:
        self._pipeline(depth)
        while True:
            self.blanks()
            if not self.sees(b"&&", b"||"):
                return
            self.at += 2
            self._awaited(b":")
            self._pipeline(depth)

    def _pipeline(self, depth: int) -> None:
        while self._keyword() in (b"!", b"time"):
            is_time = self._keyword() == b"time"
            self.at += len(self._keyword())
            if self.sees(b"("):
                raise Unreadable("a pattern, or not")
            self.blanks()
            if is_time and self._keyword() in (b"-p", b"--"):
                self.at += len(self._keyword())
                self.blanks()
            if self.sees(b"\n", b";"):
                return
        self._command(depth)
        self.blanks()
        while self.sees(b"|") and not self.sees(b"||"):
            self.at += 2 if self.sees(b"|&") else 1
            self._awaited(b":")
            self._command(depth)
            self.blanks()

    def _command(self, depth: int) -> None:
        self.budget.spend(depth)
        keyword = self._keyword()
        compound = self._compounds.get(keyword)
        if compound is not None:
            self.at += len(keyword)
            compound(depth + 1)
        elif self.sees(b"("):
            self._parentheses(depth + 1)
        elif keyword in self._reserved or (keyword[:1] == b"{" and self.shell == "zsh"):
            raise Unreadable("a reserved word as a command")
        else:
            self._simple(depth)
            return
        self.blanks()
        while self._redirection(depth):
            self.blanks()

    def _redirection(self, depth: int) -> bool:
        start = self.at
        descriptor = _DESCRIPTOR.match(self.text, self.at)
        self.at = descriptor.end() if descriptor and self.text[descriptor.end()] in b"<>" else start
        operator = None if self.sees(b"<(", b">(") else _REDIRECTION.match(self.text, self.at)
        if operator is None:
            self.at = start
            return False
        self.at = operator.end()
        if self.shell == "zsh" and operator[0] in (b">>", b">", b"&>", b"&>>") and self.sees(b"!", b"|"):
            self.at += 1
        self.blanks()
        if operator[0] in (b"<<", b"<<-"):
            self.expect_document(depth, is_indented=operator[0] == b"<<-")
        elif not self.word(depth, is_argument=True):
            raise Unreadable("a redirection to nothing")
        return True

    def _simple(self, depth: int) -> None:
        start, words = self.at, 0
        while True:
            self.blanks()
            if self._redirection(depth):
                continue
            if self.sees(b"("):
                call = _CALL.match(self.text, self.at)
                if words == 1 and call:
                    self.at = call.end()
                    self._body(depth)
                    return
                if words == 0 or self.shell != "zsh":
                    raise Unreadable("a parenthesis behind a word")
            elif self.sees(b"#"):
                self.comment()
            before = self.at
            typed = self.word(depth, is_argument=words > 0)
            if not typed:
                break
            if self.shell == "zsh" and words and typed in (b"{", b"}"):
                if typed == b"{":
                    raise Unreadable("a brace behind a word")
                self.at = before
                break
            if words or not NAMED.match(typed):
                words += 1
        if self.at == start:
            raise Unreadable("a command is missing")

    def _parentheses(self, depth: int) -> None:
        if self.sees(b"(("):
            end = self.arithmetic(self.at, depth)
            if end is not None:
                self.at = end
                return
        if _CALL.match(self.text, self.at):
            raise Unreadable("parentheses around nothing")
        self.at += 1
        self._within(depth, {b")"}, b")")
        self.at += 1

    def _group(self, depth: int) -> None:
        self._within(depth, {b"}"}, b"}")
        self._take(b"}")

    def _if(self, depth: int) -> None:
        keyword = b"elif"
        while keyword == b"elif":
            self._within(depth, {b"then"}, b"then :", b"fi")
            self._take(b"then")
            self._within(depth, {b"elif", b"else", b"fi"}, b"fi")
            keyword = self._keyword()
            self.at += len(keyword)
        if keyword == b"else":
            self._within(depth, {b"fi"}, b"fi")
            self._take(b"fi")

    def _while(self, depth: int) -> None:
        self._within(depth, {b"do"}, *_BODY)
        self._loop(depth)

    def _loop(self, depth: int) -> None:
        self._take(b"do")
        self._within(depth, {b"done"}, b"done")
        self._take(b"done")

    def _for(self, depth: int) -> None:
        self.blanks()
        if self.sees(b"(("):
            end = self.arithmetic(self.at, depth)
            if end is None:
                raise Unreadable("a loop that is not known")
            self.at = end
        elif not self.word(depth):
            raise Unreadable("a loop without a name")
        else:
            self._awaited(*_BODY)
            if self._keyword() == b"in":
                self.at += len(b"in")
                self.blanks()
                while self.word(depth, is_argument=True):
                    self.blanks()
                    self.comment()
                if not self.sees(b";", b"\n"):
                    raise Unreadable("a loop over something else")
        self.blanks()
        if self.sees(b";") and not self.sees(*_ENDINGS):
            self.at += 1
        self._awaited(*_BODY)
        if self.sees(b"{") and self._keyword() == b"{":
            self.at += 1
            self._group(depth)
        else:
            self._loop(depth)

    def _case(self, depth: int) -> None:
        self.blanks()
        if not self.word(depth, is_argument=True):
            raise Unreadable("a choice of nothing")
        self._awaited(b"in", b"esac")
        self._take(b"in")
        while True:
            self._awaited(b"esac")
            if self._keyword() == b"esac":
                self.at += len(b"esac")
                return
            self._patterns(depth)
            self._within(depth, {b";;", b"esac"}, b"esac")
            ending = next((sign for sign in _ENDINGS if self.sees(sign)), b"")
            self.at += len(ending)

    def _patterns(self, depth: int) -> None:
        self.at += self.sees(b"(")
        while True:
            self.blanks()
            if not self.word(depth):
                raise Unreadable("a pattern is missing")
            self.blanks()
            if self.sees(b")"):
                self.at += 1
                return
            if not self.sees(b"|"):
                raise Unreadable("a pattern that is not known")
            self.at += 1

    def _test(self, depth: int) -> None:
        while True:
            self.lines(telling=True)
            if self.is_over:
                raise Cut(is_word=True)
            if self._keyword() == b"]]":
                self.at += len(b"]]")
                return
            if self.sees(b"#", b";"):
                raise Unreadable("a condition that is not known")
            if not self.word(depth):
                self.at += 1

    def _function(self, depth: int) -> None:
        self.blanks()
        if self.sees(b"-", b"{", b"(") or not self.word(depth):
            raise Unreadable("a function without a name")
        self.blanks()
        call = _CALL.match(self.text, self.at)
        self.at = call.end() if call else self.at
        self._body(depth)

    def _body(self, depth: int) -> None:
        self._awaited(b"{ :", b"}")
        if not self.sees(b"(") and self._keyword() not in self._compounds:
            raise Unreadable("a function without a body")
        self._command(depth + 1)
