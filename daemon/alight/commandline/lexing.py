"""Where the words of sh, bash and zsh end, in text that may end in the middle of one."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod

from alight.commandline.tree import Budget, Unreadable

PLAIN = re.compile(rb"[^\\'\"$`()<>|&; \t\n]+")
NAMED = re.compile(rb"[A-Za-z_][A-Za-z0-9_]*(?:\[[^]]*\])?\+?=")
_BLANKS = re.compile(rb"(?:[ \t]|\\\n)+")
_COMMENT = re.compile(rb"#[^\n]*")
_TELLING = re.compile(rb"[;&|()`$<>'\"\\{}]")
_SINGLE = re.compile(rb"[^']*'")
_ANSI = re.compile(rb"(?:[^\\']|\\.)*'", re.DOTALL)
_BACKQUOTED = re.compile(rb"`(?:[^\\`]|\\.)*`", re.DOTALL)
_IN_DOUBLE = re.compile(rb"(?:[^\\\"$`]|\\.)+", re.DOTALL)
_IN_BRACES = re.compile(rb"(?:[^\\'\"$`}]|\\.)+", re.DOTALL)
_IN_PARENTHESES = re.compile(rb"(?:[^\\'\"$`()\n]|\\.)+", re.DOTALL)
_IN_ARITHMETIC = re.compile(rb"(?:[^\\'\"$`()]|\\.)+", re.DOTALL)
_PLAIN_QUOTED = re.compile(rb"'[^'}\"$`\\\n]*'")
_NUMBERS = re.compile(rb"<[0-9]*-[0-9]*>")
_QUOTING = re.compile(rb"[\\'\"]")
_ODD_BACKSLASHES = re.compile(rb"(?<!\\)(?:\\\\)*\\\Z")


class Cut(Exception):
    """The text ends before something does; ``closing`` are the lines that end it, None where more words will come."""

    def __init__(self, *closing: bytes, within: Cut | None = None, is_word: bool = False) -> None:
        super().__init__()
        self.closing: tuple[bytes, ...] | None = None
        before = () if within is None else within.closing
        if before is not None and not is_word:
            self.closing = (*before, *closing)


class Lexer(ABC):
    """Goes over ``text``, which ends in a newline, from ``at`` on; raises Cut at its end, Unreadable where in doubt."""

    def __init__(self, text: bytes, shell: str) -> None:
        self.text = text
        self.at = 0
        self.shell = shell
        self.budget = Budget()
        self._documents: list[tuple[bytes, bool, bool]] = []

    @abstractmethod
    def sequence(self, depth: int, ends: frozenset[bytes]) -> None:
        """Commands up to one of ``ends``, or the end of the text where there are none."""

    @property
    def is_over(self) -> bool:
        """Whether nothing is left."""
        return self.at >= len(self.text)

    def sees(self, *signs: bytes) -> bool:
        """Whether one of these comes next."""
        return self.text.startswith(signs, self.at)

    def blanks(self) -> None:
        """Go over blanks and continued lines; behind the last of these, more words will come."""
        found = _BLANKS.match(self.text, self.at)
        if found:
            self.at = found.end()
            if self.is_over:
                raise Cut(is_word=True)

    def comment(self, *, telling: bool = False) -> None:
        """Go over a comment. An interactive zsh has none unless an option says so: what both see alike is not told."""
        found = _COMMENT.match(self.text, self.at)
        if found:
            if self.shell == "zsh" and (telling or _TELLING.search(found[0])):
                raise Unreadable("a comment, or not")
            self.at = found.end()

    def lines(self, *, telling: bool = False) -> None:
        """Go over newlines, with the here documents behind them, blanks and comments."""
        while True:
            self.blanks()
            self.comment(telling=telling)
            if not self.sees(b"\n"):
                return
            self.newline()

    def newline(self) -> None:
        """Go over a newline and the here documents that begin behind it."""
        self.budget.spend(0)
        self.at += 1
        documents, self._documents = self._documents, []
        for mark, is_indented, is_literal in documents:
            self._document(mark, is_indented=is_indented, is_literal=is_literal)

    def _document(self, mark: bytes, *, is_indented: bool, is_literal: bool) -> None:
        joined = False
        while not self.is_over:
            self.budget.spend(0)
            end = self.text.index(b"\n", self.at)
            line = self.text[self.at : end]
            self.at = end + 1
            if not joined and (line.lstrip(b"\t") if is_indented else line) == mark:
                return
            joined = not is_literal and _ODD_BACKSLASHES.search(line) is not None
        raise Cut(is_word=True)

    def expect_document(self, depth: int, *, is_indented: bool) -> None:
        """Read the word behind ``<<``: its here document begins behind the next newline."""
        raw = self.word(depth)
        mark = _QUOTING.sub(b"", raw)
        self._documents.append((mark, is_indented, mark != raw))

    def word(self, depth: int, *, is_argument: bool = False) -> bytes:
        """Go over one word and give it as typed; an empty one where none begins."""
        self.budget.spend(depth)
        text, start = self.text, self.at
        while True:
            found = PLAIN.match(text, self.at)
            self.at = found.end() if found else self.at
            char = text[self.at : self.at + 1]
            if char == b"(" and not self._parenthesis(start, depth, is_argument=is_argument):
                break
            if char == b"\\":
                self.at += 2
                if self.is_over:
                    raise Cut(is_word=True)
            elif char == b"'":
                self._rest(_SINGLE, 1)
            elif char == b'"':
                self._double(depth)
            elif char == b"$":
                self._dollar(depth, is_quoted=False)
            elif char == b"`":
                self._rest(_BACKQUOTED, 0)
            elif char in (b"<", b">"):
                numbers = _NUMBERS.match(text, self.at) if self.shell == "zsh" and is_argument else None
                if self.sees(b"<(", b">("):
                    self._substitution(2, depth)
                elif numbers:
                    self.at = numbers.end()
                else:
                    break
            elif char in (b" ", b"\t", b"\n", b";", b"&", b"|", b")", b""):
                break
        return text[start : self.at]

    def _parenthesis(self, start: int, depth: int, *, is_argument: bool) -> bool:
        """Go over what a parenthesis in a word begins; False where it is none of the word."""
        before = self.text[start : self.at]
        self.budget.spend(depth, len(before) // 16)
        if NAMED.fullmatch(before):
            self._array(depth + 1)
        elif self.shell == "zsh" and before == b"=":
            self._substitution(1, depth)
        elif (self.shell == "zsh" and is_argument) or (self.shell != "zsh" and before[-1:] in (b"?", b"*", b"+", b"@")):
            self._pattern(depth + 1)
        else:
            return False
        return True

    def _array(self, depth: int) -> None:
        self.at += 1
        while True:
            self.lines(telling=True)
            if self.is_over:
                raise Cut(is_word=True)
            if self.sees(b")"):
                self.at += 1
                return
            if not self.word(depth, is_argument=True):
                raise Unreadable("an array that is not known")

    def _pattern(self, depth: int) -> None:
        level = 0
        while True:
            self._inside(_IN_PARENTHESES, depth)
            if self.sees(b"\n"):
                raise Unreadable("a pattern on two lines")
            level += 1 if self.sees(b"(") else -1
            self.at += 1
            if level == 0:
                return

    def _inside(self, plain: re.Pattern[bytes], depth: int, *, is_quoted: bool = False) -> None:
        """Go over plain octets, quotes and expansions, to a sign that is none of these."""
        while True:
            self.budget.spend(depth)
            found = plain.match(self.text, self.at)
            self.at = found.end() if found else self.at
            if self.sees(b"'"):
                if is_quoted:
                    return
                self._rest(_SINGLE, 1)
            elif self.sees(b'"'):
                self._double(depth)
            elif self.sees(b"$"):
                self._dollar(depth, is_quoted=is_quoted)
            elif self.sees(b"`"):
                self._rest(_BACKQUOTED, 0)
            elif self.is_over or self.sees(b"\\"):
                raise Cut(is_word=True)
            else:
                return

    def _rest(self, pattern: re.Pattern[bytes], skipped: int) -> None:
        found = pattern.match(self.text, self.at + skipped)
        if found is None:
            raise Cut(is_word=True)
        self.at = found.end()

    def _double(self, depth: int) -> None:
        self.at += 1
        while True:
            self.budget.spend(depth)
            found = _IN_DOUBLE.match(self.text, self.at)
            self.at = found.end() if found else self.at
            if self.sees(b'"'):
                self.at += 1
                return
            if self.sees(b"$"):
                self._dollar(depth, is_quoted=True)
            elif self.sees(b"`"):
                self._rest(_BACKQUOTED, 0)
            else:
                raise Cut(is_word=True)

    def _dollar(self, depth: int, *, is_quoted: bool) -> None:
        if self.sees(b"$(("):
            end = self.arithmetic(self.at + 1, depth + 1)
            if end is not None:
                self.at = end
                return
        if self.sees(b"$("):
            self._substitution(2, depth)
        elif self.sees(b"${"):
            self._braces(depth + 1, is_quoted=is_quoted)
        elif self.sees(b"$["):
            raise Unreadable("old arithmetic")
        elif self.sees(b"$'") and not is_quoted:
            self._rest(_ANSI, 2)
        else:
            self.at += 2 if self.sees(b"$#", b"$$", b"$!", b"$?", b"$*", b"$@", b"$-") else 1

    def _braces(self, depth: int, *, is_quoted: bool) -> None:
        self.at += 2
        if self.sees(b" ", b"\t", b"\n", b"|"):
            raise Unreadable("a substitution in braces")
        while True:
            self._inside(_IN_BRACES, depth, is_quoted=is_quoted)
            if self.sees(b"}"):
                self.at += 1
                return
            # In double quotes, some operators take a single quote for one and others do not.
            found = _PLAIN_QUOTED.match(self.text, self.at)
            if found is None:
                raise Unreadable("a quote, or not")
            self.at = found.end()

    def _substitution(self, skipped: int, depth: int) -> None:
        self.at += skipped
        held, self._documents = self._documents, []
        try:
            self.sequence(depth + 1, frozenset({b")"}))
        except Cut:
            raise Cut(is_word=True) from None
        if self._documents:
            raise Unreadable("a here document without a line of its own")
        self._documents = held
        self.at += 1

    def arithmetic(self, start: int, depth: int) -> int | None:
        """The offset behind the ``((…))`` at ``start``, or None where the parentheses are something else."""
        held, self.at = self.at, start + 2
        level = 2
        while level:
            self._inside(_IN_ARITHMETIC, depth)
            if level == 1 and not (self.sees(b")") and self.text[self.at - 1 : self.at] == b")"):
                break
            level += 1 if self.sees(b"(") else -1
            self.at += 1
        end, self.at = self.at, held
        self.budget.spend(depth, (end - start) // 16)
        return None if level else end
