"""What is true at a point of the line, and what two ways to it have in common."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from alight.commandline.effects import Called, Effect, Opaque, SetVariable
from alight.commandline.tree import Unreadable

EFFECTS_LIMIT = 128


@dataclass(frozen=True, slots=True)
class State:
    """The effects so far; ``dead`` when the shell has ended or is another program now.

    ``presumed`` when a test earlier on the line decided whether all of the effects happened. ``functions`` were defined
    on the line. ``export_all`` after ``set -a``.
    """

    shell: str
    effects: tuple[Effect, ...] = ()
    conditional: bool = False
    presumed: bool = False
    dead: bool = False
    piped: bool = False
    export_all: bool = False
    functions: frozenset[bytes] = frozenset()

    def after(self, *more: Effect) -> State:
        """The state behind some more effects; raises Unreadable when there are too many."""
        if len(self.effects) + len(more) > EFFECTS_LIMIT:
            raise Unreadable("too long")
        if self.export_all:
            more = tuple(_exported(effect) for effect in more)
        return replace(self, effects=self.effects + more) if more else self

    def maybe(self) -> State:
        """The same, in a place that may not be reached."""
        return self if self.conditional else replace(self, conditional=True)


def _exported(effect: Effect) -> Effect:
    if isinstance(effect, SetVariable) and effect.exported is None:
        return replace(effect, exported=True)
    return effect


class Outcome(NamedTuple):
    """The state after success, and after failure."""

    success: State
    failure: State


def lasting(effects: Sequence[Effect]) -> tuple[Effect, ...]:
    """Without the notes of what was called, which change nothing by themselves."""
    return tuple(effect for effect in effects if not isinstance(effect, Called))


def same(one: State, other: State) -> bool:
    """Whether two ways lead to the same."""
    return lasting(one.effects) == lasting(other.effects) and one.functions == other.functions


def merged(one: State, other: State) -> State:
    """What is known where two ways meet."""
    if one.dead or other.dead:
        return other if one.dead else one
    called = [effect for effect in other.effects if isinstance(effect, Called) and effect not in one.effects]
    functions = one.functions | other.functions
    presumed = one.presumed or other.presumed
    state = replace(one, functions=functions, presumed=presumed).after(*called)
    return state if same(one, other) else state.after(Opaque("alternative"))


def repeated(before: State, after: State) -> tuple[Effect, ...]:
    """What rounds of a loop before this one may have done to the state at its beginning."""
    added = lasting(after.effects[len(before.effects) :])
    if all(isinstance(effect, SetVariable) and effect.value is not None and effect.value.doubt for effect in added):
        return added
    return (Opaque("loop"),)
