"""Constructs of sh, bash and zsh that hold commands: loops, conditions, functions."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Iterable
from typing import TYPE_CHECKING

from alight.commandline.grammar import Line
from alight.commandline.tree import Block, Branches, Choice, Function, Loop, Node, Test, Unreadable
from alight.commandline.words import Word, unknown

if TYPE_CHECKING:
    from tree_sitter import Node as Branch

_IDENTIFIER = re.compile(rb"[A-Za-z_][A-Za-z0-9_]*")
_ASSIGNS = re.compile(rb"(?<![=!<>])=(?!=)|\+\+|--")


class Constructs(ABC):
    """Reads constructs of one line; what they hold is read by the subclass."""

    def __init__(self, line: Line) -> None:
        self.line = line

    @abstractmethod
    def sequence(self, branches: Iterable[Branch], depth: int) -> Node:
        """Commands one after the other."""

    @abstractmethod
    def nested(self, branches: Iterable[Branch], depth: int) -> tuple[Node, ...]:
        """Substitutions."""

    def compound(self, branch: Branch, depth: int) -> Node:
        """``{ … }`` and ``(( … ))``."""
        if branch.children[0].type == "((":
            return self.test(branch, depth)
        return Block(self.sequence(branch.children[1:-1], depth))

    def test(self, branch: Branch, depth: int) -> Node:
        """``[[ … ]]``, ``[ … ]`` and ``(( … ))``: what is assigned and substituted in them."""
        nested = self.nested(self.line.substitutions(branch), depth)
        source = self.line.source(branch)
        sets: tuple[str, ...] = ()
        if source.startswith(b"((") and _ASSIGNS.search(source):
            sets = tuple(name.decode("ascii") for name in _IDENTIFIER.findall(source))
        return Test(nested, sets)

    def branches(self, branch: Branch, depth: int) -> Node:
        """``if``."""
        arms: list[tuple[Node, Node]] = []
        otherwise: Node | None = None
        before, then, clauses = _parted(branch.children[1:-1], "then", {"elif_clause", "else_clause"})
        arms.append((self.sequence(before, depth), self.sequence(then, depth)))
        for clause in clauses:
            self.line.budget.spend(depth)
            if clause.type == "elif_clause":
                before, then, _ = _parted(clause.children[1:], "then", set())
                arms.append((self.sequence(before, depth), self.sequence(then, depth)))
            elif clause.type == "else_clause":
                otherwise = self.sequence(clause.children[1:], depth)
        return Branches(tuple(arms), otherwise)

    def loop(self, branch: Branch, depth: int) -> Node:
        """``while`` and ``until``."""
        *condition, group = branch.children[1:]
        return Loop(self._group(group, depth), self.sequence(condition, depth))

    def _group(self, branch: Branch, depth: int) -> Node:
        self.line.budget.spend(depth)
        if branch.type == "compound_statement":
            return self.compound(branch, depth)
        if branch.type != "do_group":
            raise Unreadable("a loop without do")
        return self.sequence(branch.children[1:-1], depth)

    def each(self, branch: Branch, depth: int) -> Node:
        """``for`` and ``select``."""
        line = self.line
        nested: list[Branch] = []
        _, variable, *rest, group = branch.children
        items: tuple[Word, ...] | None = None
        if rest and rest[0].type == "in":
            runs = line.runs(child for child in rest[1:] if child.type not in {";", "\n"})
            items = tuple(line.word(run, nested) for run in runs)
        if branch.children[0].type == "select" or items is None:
            items = (unknown("loop"),)
        name = line.source(variable).decode("ascii", "replace")
        return Loop(self._group(group, depth), None, name, items, self.nested(nested, depth))

    def counting(self, branch: Branch, depth: int) -> Node:
        """``for ((…))``."""
        parts = [child for child in branch.children[:-1] if child.is_named]
        nested = [found for child in parts for found in self.line.substitutions(child)]
        names = {name for child in parts for name in _IDENTIFIER.findall(self.line.source(child))}
        head = Test(self.nested(nested, depth), tuple(sorted(name.decode("ascii") for name in names)))
        return Loop(self._group(branch.children[-1], depth), head)

    def choice(self, branch: Branch, depth: int) -> Node:
        """``case``."""
        nested: list[Branch] = []
        bodies: list[Node] = []
        for child in branch.children[1:]:
            if child.type == "case_item":
                self.line.budget.spend(depth)
                inside = child.children
                close = next(index for index, part in enumerate(inside) if part.type == ")")
                statements = [part for part in inside[close + 1 :] if part.type not in {";;", ";&", ";;&"}]
                bodies.append(self.sequence(statements, depth))
            elif child.type in {"command_substitution", "string", "concatenation", "expansion"}:
                nested.extend(self.line.substitutions(child))
        return Choice(self.nested(nested, depth), tuple(bodies))

    def function(self, branch: Branch, _depth: int) -> Node:
        """A definition, whose body is only looked over."""
        named = [child for child in branch.children if child.type == "word"]
        if len(named) != 1:
            raise Unreadable("a function without a name")
        for child in branch.children:
            if child is not named[0]:
                self.line.substitutions(child)
        return Function(self.line.source(named[0]))


def _parted(branches: list[Branch], keyword: str, clauses: set[str]) -> tuple[list[Branch], list[Branch], list[Branch]]:
    """What stands before ``keyword``, behind it, and the clauses that follow."""
    at = next((index for index, branch in enumerate(branches) if branch.type == keyword), None)
    if at is None:
        raise Unreadable(f"no {keyword}")
    behind = branches[at + 1 :]
    return (
        branches[:at],
        [branch for branch in behind if branch.type not in clauses],
        [branch for branch in behind if branch.type in clauses],
    )
