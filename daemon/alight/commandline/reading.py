"""One way in: a line, and the shell that reads it."""

from __future__ import annotations

from collections.abc import Sequence

from alight.commandline.childshell import SHELLS
from alight.commandline.simple import Reading, Simple
from alight.commandline.state import State
from alight.commandline.tree import Budget, Command, Unreadable
from alight.commandline.walk import Walk
from alight.commandline.words import Word
from alight.commandline.wrappers import strip

LINE_LIMIT = 8 * 1024
"""Octets of a line that is read at all."""


def read(line: bytes, shell: str) -> Reading:
    """The simple commands of ``line`` as ``shell`` (bash, zsh, fish, sh) would run them; never raises for a line."""
    manner = SHELLS.get(shell)
    if manner is None:
        return Reading((), complete=False, reason="a shell that is not known")
    if len(line) > LINE_LIMIT:
        return Reading((), complete=False, reason="too long")
    budget = Budget()
    walk = Walk(budget)
    try:
        walk.line(line, State(manner), typed=True)
    except Unreadable as reason:
        return Reading((), complete=False, reason=str(reason), visited=budget.visited)
    return Reading(tuple(walk.commands), complete=True, visited=budget.visited)


def inner(words: Sequence[Word], shell: str) -> tuple[Simple, ...]:
    """What a runner's own arguments start (``uv run <words>``): usually one command, behind its wrappers.

    Its effects are those inside (``bash -c 'cd x && pip …'``); the caller puts what stands before the runner in front.
    Empty when nothing is started, or it cannot be read.
    """
    if not words:
        return ()
    budget = Budget()
    walk = Walk(budget)
    try:
        for started in strip(words, SHELLS.get(shell, "sh"), external=True):
            walk.start(started, Command(tuple(words)), State(SHELLS.get(shell, "sh")))
    except Unreadable:
        return ()
    return tuple(walk.commands)
