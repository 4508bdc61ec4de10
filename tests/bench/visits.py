"""What alight adds to the ``cd`` into a project that neither the shell nor the daemon has seen, and to the next one.

Each shell gets projects of its own, all trusted beforehand by the folder they lie in, which the daemon learns without
looking at any of them. A sample is one ``cd`` into one of them, behind one to the neutral folder that is not recorded;
a shell without a tool walks beside it. The disk's cache is warm: the projects were written a moment ago. Then all of
them are entered once more: the daemon knows them now, but a zsh, which remembers the answers to its last 64 questions,
has forgotten this one if there are more than 32 projects, and asks again.
"""

from __future__ import annotations

import contextlib
import random
import shlex
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from bench.places import run
from bench.playground import Tree, shape
from bench.rounds import Contender, opened, uncollected
from bench.shells import Shell
from bench.terminal import ShellStuck, Terminal

FIRST, LATER = "first visit", "later visit"
FOLDER = "V"
BLOCK = 5
"""Visits of one contender before the next one's turn."""


def prepare(contender: Contender, shells: Sequence[str], rounds: int) -> None:
    """Projects with an environment for the shells, ``rounds`` each, and trust in them. Raises ToolMissing."""
    tree, ready = contender.tree, contender.ready
    for shell in shells:
        for number in range(rounds):
            project = _project(tree, shell, number)
            shape(project / ".venv")
            (project / "pyproject.toml").write_text(f'[project]\nname = "v{number}"\nversion = "1"\n')
    if contender.tool.activates:
        run(["alight", "trust", str(tree.home / FOLDER)], {**tree.environment, **ready.environment})


def measure(
    shell: Shell, contenders: Sequence[Contender], rounds: int, chance: random.Random, tell: Callable[[str], None]
) -> tuple[Mapping[str, Mapping[str, Sequence[int]]], Mapping[str, str]]:
    """Nanoseconds by kind of visit and tool, and the problem by tool, of contenders prepared for ``shell``."""
    samples: dict[str, dict[str, list[int]]] = {
        what: {contender.tool.name: [] for contender in contenders} for what in (FIRST, LATER)
    }
    problems: dict[str, str] = {}
    with contextlib.ExitStack() as stack:
        try:
            terminals = {one.tool.name: stack.enter_context(opened(shell, one)) for one in contenders}
            for what in (FIRST, LATER):
                tell(f"{shell.name}: {rounds} {what}s")
                for first in range(0, rounds, BLOCK):
                    for one in chance.sample(contenders, len(contenders)):
                        with uncollected():
                            samples[what][one.tool.name] += [
                                _visit(terminals[one.tool.name], one.tree, _project(one.tree, shell.name, number))
                                for number in range(first, min(first + BLOCK, rounds))
                            ]
            for one in contenders:
                last = _project(one.tree, shell.name, rounds - 1)
                shown = terminals[one.tool.name].output(one.ready.proof.encode())
                if (str(last / ".venv/bin/python") in shown) != one.tool.activates:
                    problems[one.tool.name] = f"invalid: in a new project `{one.ready.proof}` shows {shown.strip()!r}"
        except ShellStuck as error:
            return samples, {one.tool.name: f"invalid: {error}" for one in contenders}
    return samples, problems


def _visit(terminal: Terminal, tree: Tree, project: Path) -> int:
    terminal.enter(f"cd {shlex.quote(str(tree.neutral))}".encode())
    return terminal.enter(f"cd {shlex.quote(str(project))}".encode())


def _project(tree: Tree, shell: str, number: int) -> Path:
    return tree.home / FOLDER / shell / f"{number:04d}"
