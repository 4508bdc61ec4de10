"""Lines of sh, bash and zsh: tree-sitter's bash grammar says where constructs begin and end.

The grammar is lenient where shells are not, and knows bash only. What it reports is therefore checked: words are read
again by ``quoting``, nothing but blanks may stand between them, and reserved words are no commands. A line on which
the two disagree is not read at all.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

import tree_sitter_bash
from tree_sitter import Language, Parser

from alight.commandline.masking import masked
from alight.commandline.quoting import SIMPLE, Scanner
from alight.commandline.tree import Budget, Command, Node, Sequence, Unreadable
from alight.commandline.words import Assignment, Doubt, Literal, Span, Unknown, Word, literal, word

if TYPE_CHECKING:
    from tree_sitter import Node as Branch
    from tree_sitter import Tree

_LANGUAGE = Language(tree_sitter_bash.language())
_WATCHED = 256
"""Octets above which the grammar is watched: its recovery from errors takes long for some lines."""

_CHUNK = 512
"""Octets the grammar is given at a time; it asks again and again while it recovers."""

_SIGNS = b"|&;(){}[]<>`~!#$"
_SIGNS_LIMIT = 256
"""How often each of the signs may stand in a line; the grammar's work grows with their square."""

_OPENING = re.compile(rb"\b(?:if|case|for|while|until|select|then|do|function)\b")
_OPENING_LIMIT = 128
"""The same for words that open constructs, which the grammar has to hold open until it knows better."""

_BLANKS = re.compile(rb"(?:[ \t]|\\\n)*")
_ESCAPED_BLANK = re.compile(rb"\\[ \t]")
_SPLIT_OPERATOR = re.compile(rb"[&|;<>](?:\\\n)+[&|;<>]")
_CONTROLS = re.compile(rb"[\0-\x08\x0b-\x1f\x7f]")
_NAMED = re.compile(rb"([A-Za-z_][A-Za-z0-9_]*)(?:\[[^]]*\])?(\+?)=")
_RESERVED = frozenset(
    b"{ } then do done fi else elif esac in if for while until case select function ! [[ ]]".split()
)  # fmt: skip
_RESERVED_ZSH = _RESERVED | frozenset(b"foreach end always repeat".split())
_CONSTRUCTS: dict[str, Doubt] = {
    "command_substitution": "substitution",
    "process_substitution": "substitution",
    "arithmetic_expansion": "arithmetic",
    "expansion": "parameter",
}
_PARTS = frozenset(_CONSTRUCTS) | {
    "word", "string", "raw_string", "ansi_c_string", "translated_string", "concatenation", "simple_expansion",
    "brace_expression", "number", "variable_name", "special_variable_name", "command_name", "variable_assignment",
    "regex", "test_operator", "extglob_pattern", "array", "subscript", "$", "==", "=~", "=", "!=",
}  # fmt: skip
_LEAVES = frozenset({"word", "raw_string", "number", "variable_name", "ansi_c_string", "simple_expansion", "regex"})
_REDIRECTIONS = frozenset({"file_redirect", "herestring_redirect", "heredoc_redirect"})


class Line:
    """One line, or one string that is a line itself: the grammar's tree, and the words in it."""

    def __init__(self, text: bytes, shell: str, budget: Budget, *, typed: bool) -> None:
        self.text = text
        self.shell = shell
        self.budget = budget
        self._typed = typed
        self._has_escaped_blanks = _ESCAPED_BLANK.search(text) is not None
        self._covered: list[Span] = []

    def parse(self) -> Branch:
        """The grammar's tree of the line; raises Unreadable when it has an error in it."""
        if _CONTROLS.search(self.text):
            raise Unreadable("control characters")
        if _SPLIT_OPERATOR.search(self.text):
            raise Unreadable("an operator on two lines")
        if len(self.text) > _SIGNS_LIMIT and any(self.text.count(sign) > _SIGNS_LIMIT for sign in _SIGNS):
            raise Unreadable("too long")
        if len(self.text) > _SIGNS_LIMIT and len(_OPENING.findall(self.text)) > _OPENING_LIMIT:
            raise Unreadable("too long")
        tree = _tree(self.text)
        if (tree is None or tree.root_node.has_error) and self.shell == "zsh":
            text = masked(self.text)
            if text != self.text:
                self.text = text
                tree = _tree(text)
        if tree is None or tree.root_node.has_error:
            raise Unreadable("a syntax error, or syntax that is not known")
        return tree.root_node

    def check(self) -> None:
        """Raise Unreadable where the grammar took an escaped blank, which is part of a word, for a blank."""
        if self._has_escaped_blanks:
            for found in _ESCAPED_BLANK.finditer(self.text):
                if not any(start <= found.start() < end for start, end in self._covered):
                    raise Unreadable("an escaped blank")

    def source(self, branch: Branch) -> bytes:
        """The octets of a part of the tree."""
        return self.text[branch.start_byte : branch.end_byte]

    def runs(self, branches: Iterable[Branch]) -> Iterator[list[Branch]]:
        """Parts that touch each other are one word; raises Unreadable when something else than a word is there."""
        run: list[Branch] = []
        for branch in branches:
            if branch.type not in _PARTS and branch.type not in _REDIRECTIONS:
                raise Unreadable(f"{branch.type} where a word should be")
            if run:
                gap = self.text[run[-1].end_byte : branch.start_byte]
                # A line that is continued in the middle of a word goes on with the word.
                joins = not gap or not gap.replace(b"\\\n", b"")
                if joins and not (branch.type in _REDIRECTIONS or run[-1].type in _REDIRECTIONS):
                    run.append(branch)
                    continue
                if gap != b" " and not _BLANKS.fullmatch(gap):
                    raise Unreadable("something that is no word")
                yield run
            run = [branch]
        if run:
            yield run

    def word(self, run: list[Branch], nested: list[Branch]) -> Word:
        """Read one word; the substitutions in it are added to ``nested``."""
        start, end = run[0].start_byte, run[-1].end_byte
        span = (start, end) if self._typed else None
        text = self.text[start:end]
        self.budget.spend(0)
        if SIMPLE.fullmatch(text) and (b"}" not in text):
            return literal(text, span)
        self._cover(start, end)
        if run[0].type == "variable_assignment":
            named, value = self._value(run, nested)
            return word([Literal(named), *value], span)
        pieces = Scanner(self.text, self.shell, self._inner(run, nested)).read(start, end)
        self.budget.spend(0, len(pieces) // 2)
        return word(pieces, span)

    def assignment(self, run: list[Branch], nested: list[Branch]) -> Assignment:
        """Read ``NAME=value`` in front of a command."""
        named, value = self._value(run, nested)
        name = _NAMED.match(named)
        if name is None:
            raise Unreadable("an assignment without a name")
        return Assignment(name[1].decode("ascii"), word(value), bool(name[2]))

    def _value(self, run: list[Branch], nested: list[Branch]) -> tuple[bytes, list[Literal | Unknown]]:
        start, end = run[0].start_byte, run[-1].end_byte
        self._cover(start, end)
        named = _NAMED.match(self.text, start, end)
        if named is None:
            raise Unreadable("an assignment without a name")
        is_array = b"[" in named[0] or any(child.type == "array" for child in run[0].children)
        inner = self._inner(run, nested)
        if is_array:
            return named[0], [Unknown("array", self.text[named.end() : end])]
        value = Scanner(self.text, self.shell, inner, value=True).read(named.end(), end)
        return named[0], value  # type: ignore[return-value]

    def _cover(self, start: int, end: int) -> None:
        if self._has_escaped_blanks:
            self._covered.append((start, end))

    def _inner(self, run: Iterable[Branch], nested: list[Branch]) -> dict[int, tuple[int, Doubt]]:
        """Where constructs in a word begin and end; the substitutions among them are added to ``nested``."""
        inner: dict[int, tuple[int, Doubt]] = {}
        waiting = [branch for branch in run if branch.type not in _LEAVES][::-1]
        while waiting:
            branch = waiting.pop()
            self.budget.spend(0)
            kind = _CONSTRUCTS.get(branch.type)
            if kind is not None:
                start = branch.start_byte
                # In quotes, the grammar counts blanks in front of a construct to it.
                while self.text[start : start + 1] in (b" ", b"\t", b"\n"):
                    start += 1
                inner[start] = (branch.end_byte, kind)
            if kind == "substitution":
                nested.append(branch)
            else:
                waiting.extend(child for child in reversed(branch.children) if child.type not in _LEAVES)
        return inner

    def substitutions(self, branch: Branch) -> list[Branch]:
        """The substitutions in something that is no command of its own: a condition, a here document."""
        nested: list[Branch] = []
        self._cover(branch.start_byte, branch.end_byte)
        self._inner([branch], nested)
        return nested

    def is_reserved(self, first: Word) -> bool:
        """Whether the word is syntax that the grammar took for a command."""
        reserved = _RESERVED_ZSH if self.shell == "zsh" else _RESERVED
        return first.text in reserved and not first.quoted and first.text != b"repeat"


def _tree(text: bytes) -> Tree | None:
    parser = Parser(_LANGUAGE)
    if len(text) <= _WATCHED:
        return parser.parse(text)
    calls = 0

    def stop(offset: int, has_error: bool) -> bool:
        nonlocal calls
        calls += 1
        return has_error or calls > 16 + offset // 16

    try:
        return parser.parse(lambda offset, _point: text[offset : offset + _CHUNK], progress_callback=stop)
    except ValueError:
        return None


def last_command(node: Node, words: tuple[Word, ...]) -> Node:
    """``node`` with words that the grammar took for a part of a redirection given back to its last command."""
    if isinstance(node, Command) and (node.words or node.assignments):
        return Command((*node.words, *words), node.assignments, node.nested, redirected=True, stray=True)
    if isinstance(node, Sequence) and len(node.parts) == 1:
        return last_command(node.parts[0], words)
    raise Unreadable("words behind a redirection")
