"""A command behind its wrappers."""

from __future__ import annotations

from dataclasses import dataclass

from alight.commandline.effects import Effect, SetVariable, Wrapper
from alight.commandline.words import Word, assignment


@dataclass(frozen=True, slots=True)
class Started:
    """A command behind its wrappers.

    ``external`` when a program starts it, so that it is no builtin and no function; ``direct`` when the shell starts
    it but passes over functions (and over builtins, ``is_program``). ``replaces`` the shell (exec); ``detached`` from
    it (coproc). Without words nothing is started that could install anything.
    """

    words: tuple[Word, ...]
    wrappers: tuple[Wrapper, ...] = ()
    external: bool = False
    direct: bool = False
    is_program: bool = False
    builtin: bool = False
    replaces: bool = False
    detached: bool = False
    conditional: bool = False


def leading_assignments(words: tuple[Word, ...], *, quoted: bool) -> tuple[tuple[Effect, ...], tuple[Word, ...]]:
    """The assignments in front of ``words``, and the rest."""
    effects: list[Effect] = []
    while words:
        found = assignment(words[0], quoted=quoted)
        if found is None or found.append:
            break
        effects.append(SetVariable(found.name, found.value, exported=True))
        words = words[1:]
    return tuple(effects), words
