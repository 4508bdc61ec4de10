"""Lines of fish, by recursive descent: ``end`` ends blocks, parentheses substitute, nothing is a subshell."""

from __future__ import annotations

import re

from alight.commandline.fishwords import Words
from alight.commandline.tree import (
    AndOr,
    Block,
    Branches,
    Budget,
    Choice,
    Command,
    Function,
    Loop,
    Node,
    Not,
    Operator,
    Pipeline,
    Sequence,
    Subshell,
    Test,
    Unreadable,
)
from alight.commandline.words import Assignment, Word

_CONTROLS = re.compile(rb"[\0-\x08\x0b-\x1f\x7f]")
_SPACE = re.compile(rb"(?:[ \t]|\\\n)*")
_BETWEEN = re.compile(rb"(?:[ \t\n;]|\\\n)*")
_LINES = re.compile(rb"(?:[ \t\n]|\\\n)*")
_COMMENT = re.compile(rb"#[^\n]*")
_KEYWORD = re.compile(rb"(?:[a-z]+|!)(?=[\s;&|)<>]|\\\n|$)")
_REDIRECTION = re.compile(rb"(?:[0-9]+|&)?(?:>>|>\?|>|<)(?!\|)(&?)")
_PIPE = re.compile(rb"(?:&|(?:[0-9]+)?>)?\|(?!\|)")
_ASSIGNED = re.compile(rb"([A-Za-z_][A-Za-z0-9_]*)=")
_OPERATOR = re.compile(rb"&&|\|\|")
_BLOCKS = frozenset({b"begin", b"if", b"while", b"for", b"switch", b"function"})
_PREFIXES = frozenset({b"not", b"!"})
_NO_COMMANDS = frozenset({b"end", b"else", b"case", b"and", b"or"})
_END = frozenset({b"end"})
_ELSE = frozenset({b"end", b"else"})
_CASE = frozenset({b"end", b"case"})


def parse(text: bytes, budget: Budget, depth: int, *, typed: bool) -> Node:
    """The shape of ``text``; raises Unreadable. ``typed`` when offsets in it are offsets in the line."""
    if _CONTROLS.search(text):
        raise Unreadable("control characters")
    return _Reader(text, budget, typed=typed).line(depth)


class _Reader:
    def __init__(self, text: bytes, budget: Budget, *, typed: bool) -> None:
        self._text = text
        self._budget = budget
        self._at = 0
        self._depth = 0
        self._words = Words(text, budget, self._substitution, typed=typed)

    def line(self, depth: int) -> Node:
        """The whole text."""
        node = self._list(depth, frozenset())
        if self._at < len(self._text):
            raise Unreadable("a parenthesis that closes nothing")
        return node

    def _substitution(self, start: int) -> int:
        held = self._words.nested
        self._words.nested = []
        self._at = start
        node = self._list(self._depth + 1, frozenset())
        if self._text[self._at : self._at + 1] != b")":
            raise Unreadable("a parenthesis is not closed")
        self._at += 1
        held.append(Subshell(node))
        self._words.nested = held
        return self._at

    def _word(self) -> Word:
        held = self._at
        found, self._at = self._words.read(held)
        if self._at == held:
            raise Unreadable("a word is missing")
        return found

    def _skip(self, pattern: re.Pattern[bytes]) -> None:
        """Go over blanks and comments."""
        while True:
            found = pattern.match(self._text, self._at)
            self._at = found.end() if found else self._at
            comment = _COMMENT.match(self._text, self._at)
            if comment is None:
                return
            self._at = comment.end()

    def _keyword(self) -> bytes:
        found = _KEYWORD.match(self._text, self._at)
        return found[0] if found else b""

    def _take(self, keyword: bytes) -> None:
        if self._keyword() != keyword:
            raise Unreadable(f"no {keyword.decode('ascii')}")
        self._at += len(keyword)

    def _list(self, depth: int, closers: frozenset[bytes]) -> Node:
        """Jobs up to a closing parenthesis, the end of the text, or one of the keywords."""
        self._budget.spend(depth)
        held, self._depth = self._depth, depth
        parts: list[Node] = []
        while True:
            self._skip(_BETWEEN)
            if self._at >= len(self._text) or self._text[self._at : self._at + 1] == b")":
                if closers:
                    raise Unreadable("a block is not closed")
                break
            keyword = self._keyword()
            if keyword in closers:
                break
            self._job(parts, keyword, depth)
        self._depth = held
        return parts[0] if len(parts) == 1 else Sequence(tuple(parts))

    def _job(self, parts: list[Node], keyword: bytes, depth: int) -> None:
        operator: Operator | None = None
        if keyword in {b"and", b"or"}:
            operator = "&&" if keyword == b"and" else "||"
            self._at += len(keyword)
            self._skip(_SPACE)
        node = self._conjunction(depth)
        if operator is None:
            parts.append(node)
        elif not parts:
            parts.append(AndOr(Test(), ((operator, node),)))
        else:
            before = parts.pop()
            first, rest = (before.first, before.rest) if isinstance(before, AndOr) else (before, ())
            parts.append(AndOr(first, (*rest, (operator, node))))

    def _conjunction(self, depth: int) -> Node:
        first = self._pipeline(depth)
        rest: list[tuple[Operator, Node]] = []
        while True:
            self._skip(_SPACE)
            found = _OPERATOR.match(self._text, self._at)
            if found is None:
                break
            self._at = found.end()
            self._skip(_LINES)
            rest.append(("&&" if found[0] == b"&&" else "||", self._pipeline(depth)))
        return AndOr(first, tuple(rest)) if rest else first

    def _pipeline(self, depth: int) -> Node:
        parts = [self._statement(depth + 1)]
        while True:
            self._skip(_SPACE)
            found = _PIPE.match(self._text, self._at)
            if found is None:
                break
            self._at = found.end()
            self._skip(_LINES)
            parts.append(self._statement(depth + 1))
        node = parts[0] if len(parts) == 1 else Pipeline(tuple(parts))
        if self._text[self._at : self._at + 1] == b"&" and self._text[self._at : self._at + 2] != b"&&":
            self._at += 1
            return Subshell(node)
        return node

    def _statement(self, depth: int) -> Node:
        self._budget.spend(depth)
        keyword = self._keyword()
        if keyword in _PREFIXES:
            self._at += len(keyword)
            self._skip(_SPACE)
            return Not(self._statement(depth + 1))
        if keyword == b"time":
            held = self._at
            self._at += len(keyword)
            self._skip(_SPACE)
            if self._keyword() in _BLOCKS | _PREFIXES:
                return self._statement(depth + 1)
            self._at = held
        if keyword in _NO_COMMANDS:
            raise Unreadable("a keyword that belongs to no block")
        if keyword not in _BLOCKS:
            return self._command(depth)
        self._at += len(keyword)
        self._skip(_SPACE)
        node = self._block(keyword, depth)
        return self._redirected(node, depth)

    def _block(self, keyword: bytes, depth: int) -> Node:
        node: Node
        if keyword == b"if":
            return self._if(depth)
        if keyword == b"begin":
            node = Block(self._list(depth + 1, _END))
        elif keyword == b"while":
            condition = self._condition(depth)
            node = Loop(self._list(depth + 1, _END), condition)
        elif keyword == b"for":
            node = self._for(depth)
        elif keyword == b"switch":
            return self._switch(depth)
        else:
            name = self._word()
            self._arguments()
            self._list(depth + 1, _END)
            node = Function(name.text)
        self._take(b"end")
        return node

    def _condition(self, depth: int) -> Node:
        """A conjunction and the jobs behind it that start with ``and`` or ``or``."""
        parts = [self._conjunction(depth + 1)]
        while True:
            held = self._at
            self._skip(_BETWEEN)
            keyword = self._keyword()
            if keyword not in {b"and", b"or"}:
                self._at = held
                return parts[0]
            self._job(parts, keyword, depth + 1)

    def _if(self, depth: int) -> Node:
        arms: list[tuple[Node, Node]] = []
        otherwise: Node | None = None
        while True:
            condition = self._condition(depth)
            arms.append((condition, self._list(depth + 1, _ELSE)))
            if self._keyword() == b"end":
                break
            self._take(b"else")
            self._skip(_SPACE)
            if self._keyword() != b"if":
                otherwise = self._list(depth + 1, _END)
                break
            self._take(b"if")
            self._skip(_SPACE)
        self._take(b"end")
        return Branches(tuple(arms), otherwise)

    def _for(self, depth: int) -> Node:
        variable = self._word().text or b""
        self._skip(_SPACE)
        self._take(b"in")
        words, nested = self._arguments()
        body = self._list(depth + 1, _END)
        return Loop(body, None, variable.decode("ascii", "replace"), tuple(words), tuple(nested))

    def _switch(self, depth: int) -> Node:
        _, nested = self._arguments()
        bodies: list[Node] = []
        self._skip(_BETWEEN)
        while self._keyword() == b"case":
            self._take(b"case")
            _, inner = self._arguments()
            nested.extend(inner)
            bodies.append(self._list(depth + 1, _CASE))
        self._take(b"end")
        return Choice(tuple(nested), tuple(bodies))

    def _arguments(self) -> tuple[list[Word], list[Node]]:
        """Words up to the end of the command."""
        words: list[Word] = []
        held, self._words.nested = self._words.nested, []
        while True:
            self._skip(_SPACE)
            if self._text[self._at : self._at + 1] in (b"", b"\n", b";", b")"):
                break
            words.append(self._word())
        nested, self._words.nested = self._words.nested, held
        return words, nested

    def _redirected(self, node: Node, depth: int) -> Node:
        """A block with what redirections behind its ``end`` substitute."""
        held, self._words.nested = self._words.nested, []
        self._skip(_SPACE)
        while self._redirection():
            self._skip(_SPACE)
        nested, self._words.nested = self._words.nested, held
        self._budget.spend(depth)
        return Sequence((*nested, node)) if nested else node

    def _redirection(self) -> bool:
        found = _REDIRECTION.match(self._text, self._at)
        if found is None or _PIPE.match(self._text, self._at):
            return False
        self._at = found.end()
        self._skip(_SPACE)
        self._word()
        return True

    def _command(self, depth: int) -> Node:
        words: list[Word] = []
        assignments: list[Assignment] = []
        redirected = stray = False
        held, self._words.nested = self._words.nested, []
        while True:
            self._skip(_SPACE)
            char = self._text[self._at : self._at + 1]
            if char in (b"", b"\n", b";", b")") or _PIPE.match(self._text, self._at):
                break
            if self._redirection():
                if not words:
                    raise Unreadable("a redirection in front of a command")
                redirected = True
                continue
            if char in (b"&", b"|"):
                break
            assigned = None if words else _ASSIGNED.match(self._text, self._at)
            if assigned is not None:
                self._at = assigned.end()
                value, self._at = self._words.read(self._at)
                assignments.append(Assignment(assigned[1].decode("ascii"), value))
            elif char == b"{" and not words:
                raise Unreadable("braces as a command")
            else:
                stray = redirected
                words.append(self._word())
        nested, self._words.nested = tuple(self._words.nested), held
        self._budget.spend(depth)
        if not words:
            raise Unreadable("a command is missing")
        return Command(tuple(words), tuple(assignments), nested, redirected, stray)
