"""The shape of a line, the same for every shell: what the front ends yield and ``walk`` evaluates."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal as OneOf
from typing import TypeAlias

from alight.commandline.words import Assignment, Word

DEPTH_LIMIT = 48
"""Levels of nesting, of constructs and of strings that are command lines themselves."""

WORK_LIMIT = 2048
"""Steps one line may cost, a few microseconds each; an ordinary one takes ten to fifty."""

PIECES_LIMIT = 512
"""Quotes, escapes, parameters and what stands between them, in one word."""


class Unreadable(ValueError):
    """The line cannot be read with certainty; the message says why."""


class Budget:
    """Counts steps and ends the reading of a line that takes too many."""

    __slots__ = ("visited",)

    def __init__(self) -> None:
        self.visited = 0

    def spend(self, depth: int, steps: int = 1) -> None:
        """Steps ``depth`` levels down; raises Unreadable when there are too many of either."""
        self.visited += steps
        if depth > DEPTH_LIMIT:
            raise Unreadable("nested too deeply")
        if self.visited > WORK_LIMIT:
            raise Unreadable("too long")


@dataclass(frozen=True, slots=True)
class Command:
    """Assignments and words; ``nested`` are the substitutions among them, which run first."""

    words: tuple[Word, ...]
    assignments: tuple[Assignment, ...] = ()
    nested: tuple[Node, ...] = ()
    redirected: bool = False
    stray: bool = False


@dataclass(frozen=True, slots=True)
class Sequence:
    """One after the other, in the same shell."""

    parts: tuple[Node, ...]


Operator = OneOf["&&", "||"]


@dataclass(frozen=True, slots=True)
class AndOr:
    """``first && second || third``, evaluated from the left."""

    first: Node
    rest: tuple[tuple[Operator, Node], ...]


@dataclass(frozen=True, slots=True)
class Not:
    """``! part``."""

    part: Node


@dataclass(frozen=True, slots=True)
class Pipeline:
    """``a | b | c``."""

    parts: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Subshell:
    """``( part )``, a substitution, a background job."""

    part: Node


@dataclass(frozen=True, slots=True)
class Block:
    """``{ part; }`` or ``begin … end``."""

    part: Node


@dataclass(frozen=True, slots=True)
class Test:
    """``[[ … ]]``, ``(( … ))``: no command, but a condition; ``sets`` are variables it may assign."""

    nested: tuple[Node, ...] = ()
    sets: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Branches:
    """``if``: pairs of condition and body, then what runs when none holds."""

    arms: tuple[tuple[Node, Node], ...]
    otherwise: Node | None = None


@dataclass(frozen=True, slots=True)
class Choice:
    """``case`` and ``switch``: one of the bodies, or none."""

    nested: tuple[Node, ...]
    bodies: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Loop:
    """``for`` (with the variable and its items) and ``while`` (with the condition)."""

    body: Node
    condition: Node | None = None
    variable: str | None = None
    items: tuple[Word, ...] | None = None
    nested: tuple[Node, ...] = ()


@dataclass(frozen=True, slots=True)
class Function:
    """A function is defined; its body is not looked at."""

    name: bytes | None


Node: TypeAlias = (
    Command | Sequence | AndOr | Not | Pipeline | Subshell | Block | Test | Branches | Choice | Loop | Function
)
