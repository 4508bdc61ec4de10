"""The result of reading a line."""

from __future__ import annotations

from dataclasses import dataclass

from alight.commandline.effects import Effect, Wrapper
from alight.commandline.words import Span, Variables, Word, fields


@dataclass(frozen=True, slots=True)
class Simple:
    """One program to be started: its words behind the wrappers, in the state the effects lead to.

    ``effects`` stand before it on the line and reach it, provided that they succeed; ``presumed`` when a test decides,
    too, whether they happen (``[ -d x ] && cd x; pip …``). ``conditional`` when the command itself may not run: in a
    branch, a loop, behind ``||``. ``shell`` reads it. ``stray`` when something that is no word of it (a redirection)
    stands between its words.
    """

    words: tuple[Word, ...]
    effects: tuple[Effect, ...] = ()
    wrappers: tuple[Wrapper, ...] = ()
    conditional: bool = False
    presumed: bool = False
    shell: str = "bash"
    redirected: bool = False
    piped: bool = False
    stray: bool = False

    @property
    def name(self) -> bytes | None:
        """The command word, where it is literal."""
        return self.words[0].text

    @property
    def quoted_first(self) -> bool:
        """Whether the command word was quoted, so that no alias applies."""
        return self.words[0].quoted

    @property
    def span(self) -> Span | None:
        """The octets of the typed line from the first word to the last, where they hold nothing else."""
        spans = [word.span for word in self.words]
        first, last = spans[0], spans[-1]
        if self.stray or first is None or last is None or None in spans:
            return None
        return first[0], last[1]

    def argv(self, variables: Variables, home: bytes | None) -> tuple[bytes | None, ...]:
        """The arguments the program receives; None stands for a word that becomes an unknown number of words."""
        found: list[bytes | None] = []
        for word in self.words:
            if word.text is not None:
                found.append(word.text)
            else:
                several = fields(word, variables, home)
                found.extend((None,) if several is None else several)
        return tuple(found)


@dataclass(frozen=True, slots=True)
class Reading:
    """The simple commands of a line in the order they run; none when the line could not be read to its end.

    ``reason`` says why it is not ``complete``. ``visited`` counts the steps taken: the work is bounded.
    """

    commands: tuple[Simple, ...]
    complete: bool
    reason: str = ""
    visited: int = 0
