"""From the grammar's tree to the shape of a line, for sh, bash and zsh."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from alight.commandline.constructs import Constructs
from alight.commandline.grammar import Line, last_command
from alight.commandline.tree import (
    AndOr,
    Budget,
    Command,
    Node,
    Not,
    Operator,
    Pipeline,
    Sequence,
    Subshell,
    Unreadable,
)
from alight.commandline.words import Assignment, Word

if TYPE_CHECKING:
    from tree_sitter import Node as Branch

_REDIRECTS = frozenset({"file_redirect", "herestring_redirect"})
_SEPARATING = re.compile(rb"[;&|()`$<>'\"\\]|(?:^|\s)-")


def parse(text: bytes, shell: str, budget: Budget, depth: int, *, typed: bool) -> Node:
    """The shape of ``text``; raises Unreadable. ``typed`` when offsets in it are offsets in the line."""
    line = Line(text, shell, budget, typed=typed)
    shape = _Shape(line).sequence(line.parse().children, depth)
    line.check()
    return shape


class _Shape(Constructs):
    def __init__(self, line: Line) -> None:
        super().__init__(line)
        self._kinds: dict[str, Callable[[Branch, int], Node]] = {
            "command": self._command,
            "declaration_command": self._declaration,
            "unset_command": self._declaration,
            "variable_assignment": lambda branch, depth: self._assignments([branch], depth),
            "variable_assignments": lambda branch, depth: self._assignments(branch.children, depth),
            "redirected_statement": self._redirected,
            "list": self._list,
            "pipeline": self._pipeline,
            "subshell": lambda branch, depth: Subshell(self.sequence(branch.children[1:-1], depth)),
            "compound_statement": self.compound,
            "test_command": self.test,
            "negated_command": lambda branch, depth: Not(self._statement(branch.children[1], depth)),
            "if_statement": self.branches,
            "while_statement": self.loop,
            "for_statement": self.each,
            "c_style_for_statement": self.counting,
            "case_statement": self.choice,
            "function_definition": self.function,
        }

    def sequence(self, branches: Iterable[Branch], depth: int) -> Node:
        """Commands one after the other, some of them left to the background."""
        parts: list[Node] = []
        for branch in branches:
            kind = branch.type
            if kind in {";", "\n"}:
                continue
            if kind == "&":
                if not parts:
                    raise Unreadable("a lone &")
                parts[-1] = self._background(parts[-1])
            elif kind == "comment":
                self._comment(branch)
            else:
                parts.append(self._statement(branch, depth))
        return parts[0] if len(parts) == 1 else Sequence(tuple(parts))

    def _background(self, part: Node) -> Node:
        if self.line.shell == "zsh" and isinstance(part, AndOr):
            # zsh leaves only the last pipeline of a list to the background.
            operator, final = part.rest[-1]
            return AndOr(part.first, (*part.rest[:-1], (operator, Subshell(final))))
        return Subshell(part)

    def _statement(self, branch: Branch, depth: int) -> Node:
        self.line.budget.spend(depth)
        shape = self._kinds.get(branch.type)
        if shape is None:
            raise Unreadable(f"{branch.type} where a command should be")
        return shape(branch, depth + 1)

    def _comment(self, branch: Branch) -> None:
        # An interactive zsh has no comments unless an option says so: then these are words and commands.
        if self.line.shell == "zsh" and _SEPARATING.search(self.line.source(branch)[1:]):
            raise Unreadable("a comment, or not")

    def nested(self, branches: Iterable[Branch], depth: int) -> tuple[Node, ...]:
        """What substitutions hold, each in a subshell."""
        return tuple(self._substitution(branch, depth) for branch in branches)

    def _substitution(self, branch: Branch, depth: int) -> Node:
        line = self.line
        line.budget.spend(depth)
        source = line.source(branch).lstrip()
        if source.startswith(b"`"):
            if b"\\" in source:
                inner = re.sub(rb"\\([\\`$])", rb"\1", source[1:-1])
                return Subshell(parse(inner, line.shell, line.budget, depth + 1, typed=False))
        elif not source.startswith((b"$(", b"<(", b">(")):
            raise Unreadable("a substitution that is not known")
        inside = branch.children[1:-1]
        if all(child.type in _REDIRECTS for child in inside):
            return Sequence(())
        return Subshell(self.sequence(inside, depth + 1))

    def _command(self, branch: Branch, depth: int) -> Node:
        line = self.line
        words: list[Word] = []
        assignments: list[Assignment] = []
        nested: list[Branch] = []
        redirected = stray = False
        children = branch.children
        if children[-1].type == "subshell" and line.source(branch).startswith(b"time"):
            timed = self._statement(children[-1], depth)
            return timed if len(children) == 2 else _refuse("time with more than a subshell")
        for run in line.runs(children):
            first = run[0]
            if first.type in _REDIRECTS:
                words.extend(self._redirect(first, nested))
                redirected, stray = True, stray or bool(words)
            elif first.type == "heredoc_redirect":
                raise Unreadable("a here document in a place that is not known")
            elif first.type == "variable_assignment" and not words:
                assignments.append(line.assignment(run, nested))
            else:
                words.append(line.word(run, nested))
        if words and line.is_reserved(words[0]):
            raise Unreadable("a reserved word as a command")
        if line.shell == "zsh" and any(typed.text == b"}" and not typed.quoted for typed in words):
            raise Unreadable("a brace that closes nothing")
        return Command(tuple(words), tuple(assignments), self.nested(nested, depth), redirected, stray)

    def _declaration(self, branch: Branch, depth: int) -> Node:
        nested: list[Branch] = []
        children = branch.children
        keyword, rest = children[0], children[1:]
        span = (keyword.start_byte, keyword.end_byte)
        first = Word((), span, self.line.source(keyword))
        words = [first, *(self.line.word(run, nested) for run in self.line.runs(rest))]
        return Command(tuple(words), (), self.nested(nested, depth))

    def _assignments(self, branches: list[Branch], depth: int) -> Node:
        nested: list[Branch] = []
        found = tuple(self.line.assignment(run, nested) for run in self.line.runs(branches))
        return Command((), found, self.nested(nested, depth))

    def _redirect(self, branch: Branch, nested: list[Branch]) -> list[Word]:
        """Words that follow a redirection's target; the grammar takes them for more targets."""
        line = self.line
        children = [child for child in branch.children if child.type != "file_descriptor"]
        runs = list(line.runs(children[1:]))
        words = [line.word(run, nested) for run in runs]
        operator = line.source(children[0])
        if line.shell == "zsh" and words and words[0].text in (b"!", b"|") and not words[0].quoted:
            del words[0]
        if operator in (b">&-", b"<&-"):
            return words
        return words[1:]

    def _redirected(self, branch: Branch, depth: int) -> Node:
        nested: list[Branch] = []
        extra: list[Word] = []
        after: list[Branch] = []
        body: Node | None = None
        for child in branch.children:
            if child.type in _REDIRECTS:
                extra.extend(self._redirect(child, nested))
            elif child.type == "heredoc_redirect":
                extra.extend(self._heredoc(child, nested, after))
            elif body is None:
                body = self._statement(child, depth)
            else:
                raise Unreadable("two bodies of one redirection")
        if body is None:
            body = Command(tuple(extra), redirected=True, stray=False)
        elif extra:
            body = self._given_back(body, tuple(extra))
        elif isinstance(body, Command):
            body = Command(body.words, body.assignments, body.nested, redirected=True, stray=body.stray)
        if nested:
            body = Sequence((*self.nested(nested, depth), body))
        return self._continued(body, after, depth) if after else body

    def _given_back(self, body: Node, extra: tuple[Word, ...]) -> Node:
        if isinstance(body, AndOr):
            operator, final = body.rest[-1]
            return AndOr(body.first, (*body.rest[:-1], (operator, self._given_back(final, extra))))
        if isinstance(body, Pipeline):
            return Pipeline((*body.parts[:-1], self._given_back(body.parts[-1], extra)))
        return last_command(body, extra)

    def _heredoc(self, branch: Branch, nested: list[Branch], after: list[Branch]) -> list[Word]:
        """Words and redirections on the line of ``<<``; commands behind it go to ``after``."""
        line = self.line
        extra: list[Word] = []
        for child in branch.children[1:]:
            kind = child.type
            if kind == "heredoc_body":
                nested.extend(line.substitutions(child))
            elif kind in _REDIRECTS:
                extra.extend(self._redirect(child, nested))
            elif kind in {"pipeline", "&&", "||"} or (after and child.is_named and kind != "heredoc_end"):
                after.append(child)
            elif kind not in {"heredoc_start", "heredoc_end"}:
                extra.append(line.word([child], nested))
        return extra

    def _continued(self, body: Node, after: list[Branch], depth: int) -> Node:
        first = after[0]
        if first.type == "pipeline" and len(after) == 1:
            return Pipeline((body, *self._piped(first, depth)))
        if len(after) == 2 and first.type in {"&&", "||"}:
            return AndOr(body, ((_operator(first.type), self._statement(after[1], depth)),))
        raise Unreadable("commands behind a here document")

    def _piped(self, branch: Branch, depth: int) -> list[Node]:
        parts: list[Node] = []
        for child in branch.children:
            if child.type == "pipeline":
                parts.extend(self._piped(child, depth))
            elif child.type not in {"|", "|&"}:
                parts.append(self._statement(child, depth))
        return parts

    def _list(self, branch: Branch, depth: int) -> Node:
        rest: list[tuple[Operator, Node]] = []
        while branch.type == "list":
            self.line.budget.spend(depth)
            inside = [child for child in branch.children if child.type not in {"comment", "\n"}]
            for child in branch.children:
                if child.type == "comment":
                    self._comment(child)
            if len(inside) != 3:
                raise Unreadable("a list of an unknown shape")
            rest.append((_operator(inside[1].type), self._statement(inside[2], depth)))
            branch = inside[0]
        return AndOr(self._statement(branch, depth), tuple(reversed(rest)))

    def _pipeline(self, branch: Branch, depth: int) -> Node:
        parts = self._piped(branch, depth)
        if isinstance(parts[0], Not):
            return Not(Pipeline((parts[0].part, *parts[1:])))
        return Pipeline(tuple(parts))


def _operator(kind: str) -> Operator:
    if kind == "&&":
        return "&&"
    if kind == "||":
        return "||"
    raise Unreadable("a list of an unknown shape")


def _refuse(reason: str) -> Node:
    raise Unreadable(reason)
