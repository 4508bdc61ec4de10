"""The contenders of a comparison, each in a tree of its own; and the rows that their cds and prompts give."""

from __future__ import annotations

import contextlib
import os
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from bench import figures
from bench.places import Place, Tool, ToolMissing
from bench.playground import build
from bench.rounds import Contender, measure
from bench.shells import Shell


@dataclass
class Field:
    """Who takes part: the tools that can be had, their versions by name, and why others cannot, by name."""

    tools: Sequence[Tool]
    contenders: list[Contender] = field(default_factory=list)
    versions: dict[str, str] = field(default_factory=dict)
    absent: dict[str, str] = field(default_factory=dict)

    def named(self, *names: str) -> list[Contender]:
        """Those of the contenders."""
        return [contender for contender in self.contenders if contender.tool.name in names]

    def cds_and_prompts(
        self, shell: Shell, rounds: int, chance: random.Random, tell: Callable[[str], None]
    ) -> list[figures.Row]:
        """A row for every tool: its cds, then its prompts."""
        if shell.executable is None:
            return self.without(shell, figures.WHATS)
        samples, problems = measure(shell, self.contenders, rounds, chance, tell)
        problems = {**self.absent, **problems}
        return [
            figures.absent(shell.name, tool.name, what, problems[tool.name])
            if tool.name in problems
            else figures.row(shell.name, tool.name, what, samples[tool.name], samples.get("bare"))
            for what in figures.WHATS
            for tool in self.tools
        ]

    def without(self, shell: Shell, whats: Sequence[str]) -> list[figures.Row]:
        """Rows that say that the shell is missing."""
        problem = f"missing: no {shell.name} on PATH"
        return [figures.absent(shell.name, tool.name, what, problem) for what in whats for tool in self.tools]

    def rows(
        self,
        shell: Shell,
        what: str,
        measured: tuple[Mapping[str, Sequence[int]], Mapping[str, str]],
        names: Sequence[str],
    ) -> list[figures.Row]:
        """A row for each of those tools, of samples of one kind."""
        samples, problems = measured[0], {**self.absent, **measured[1]}
        return [
            figures.absent(shell.name, name, what, problems[name])
            if name in problems
            else figures.plain(shell.name, name, what, samples[name], samples["bare"] if name != "bare" else ())
            for name in names
        ]


def prepared(
    tools: Sequence[Tool],
    scratch: Path,
    mise: str | None,
    stack: contextlib.ExitStack,
    tell: Callable[[str], None],
) -> Field:
    """Every tool in a tree of its own below ``scratch``; ``stack`` puts them away."""
    found = Field(tools)
    for number, tool in enumerate(tools):
        own = scratch / str(number)
        place = Place(build(own / "h"), own / "t", os.path.abspath(mise) if mise else None)
        place.scratch.mkdir()
        tell(f"preparing {tool.name}")
        try:
            ready = stack.enter_context(tool.open(place))
        except ToolMissing as error:
            found.absent[tool.name] = str(error)
            continue
        found.contenders.append(Contender(tool, place.tree, ready))
        found.versions[tool.name] = ready.version
    return found
