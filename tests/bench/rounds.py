"""The measurement proper: all tools' shells open side by side, taking turns in short blocks of shuffled order.

Side by side, because a machine drifts: a tool measured in one stretch would wear the weather of its own minutes.
"""

from __future__ import annotations

import contextlib
import gc
import random
import shlex
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from bench.figures import KINDS, NOT_FOR, Samples
from bench.places import Ready, Tool
from bench.playground import Stop, Tree
from bench.shells import Shell
from bench.terminal import ShellStuck, Terminal

BLOCK_WALKS = 5
"""Walks of four cds a tool does before the next tool's turn."""
WARM_UP_WALKS = 2
"""Walks not recorded, so that every directory is known to every tool and cache."""


@dataclass(frozen=True)
class Contender:
    """A prepared tool in its tree."""

    tool: Tool
    tree: Tree
    ready: Ready


def unfit(terminal: Terminal, contender: Contender) -> str:
    """Why the tool does not do its job in this shell; empty when it does. Walks once around."""
    for stop in contender.tree.walk:
        terminal.enter(_line(stop))
        proof = contender.ready.proof
        shown = terminal.output(proof.encode())
        where = f"after {stop.kind} ({stop.directory.name})"
        if contender.tool.activates and stop.python is not None:
            if str(stop.python) not in shown:
                return f"invalid: {where} `{proof}` shows {shown.strip()!r}"
        elif "/.venv/" in shown:
            return f"invalid: {where} `{proof}` still shows {shown.strip()!r}"
    return ""


def measure(
    shell: Shell, contenders: Sequence[Contender], rounds: int, chance: random.Random, tell: Callable[[str], None]
) -> tuple[Mapping[str, Samples], Mapping[str, str]]:
    """Samples by tool, and the problem by tool of those that could not be measured in ``shell``.

    ``rounds`` is a multiple of four; each round is one cd and, at the prompt it gave, one empty Enter.
    """
    cds: dict[str, dict[str, list[int]]] = {}
    prompts: dict[str, list[int]] = {}
    problems: dict[str, str] = {}
    with contextlib.ExitStack() as stack:
        terminals: dict[str, Terminal] = {}
        for contender in contenders:
            name = contender.tool.name
            if shell.name not in contender.ready.hooks:
                problems[name] = f"{NOT_FOR} {shell.name}"
                continue
            try:
                terminal = stack.enter_context(opened(shell, contender))
                problem = unfit(terminal, contender)
                for _ in range(WARM_UP_WALKS):
                    _walk(terminal, contender.tree, {kind: [] for kind in KINDS}, [])
            except ShellStuck as error:
                problem = f"invalid: {error}"
            if problem:
                problems[name] = problem
                continue
            terminals[name], cds[name], prompts[name] = terminal, {kind: [] for kind in KINDS}, []
        running = [contender for contender in contenders if contender.tool.name in terminals]
        walks = rounds // len(KINDS)
        while walks > 0:
            tell(f"{shell.name}: {walks * len(KINDS)} rounds to go")
            chance.shuffle(running)
            block = min(BLOCK_WALKS, walks)
            for contender in list(running):
                name = contender.tool.name
                try:
                    with uncollected():
                        for _ in range(block):
                            _walk(terminals[name], contender.tree, cds[name], prompts[name])
                except ShellStuck as error:
                    problems[name] = f"invalid: {error}"
                    running.remove(contender)
            walks -= block
    done = {name: Samples(cds[name], prompts[name]) for name in cds if name not in problems}
    return done, problems


def opened(shell: Shell, contender: Contender) -> Terminal:
    """The contender's shell in its neutral folder, by a start-up file written just now."""
    tree, ready = contender.tree, contender.ready
    words = shell.command(tree, ready.hooks[shell.name])
    return Terminal(words, {**tree.environment, **ready.environment}, str(tree.neutral))


def _walk(terminal: Terminal, tree: Tree, cds: Mapping[str, list[int]], prompts: list[int]) -> None:
    for stop in tree.walk:
        cds[stop.kind].append(terminal.enter(_line(stop)))
        prompts.append(terminal.enter(b""))


def _line(stop: Stop) -> bytes:
    return f"cd {shlex.quote(str(stop.directory))}".encode()


@contextlib.contextmanager
def uncollected() -> Iterator[None]:
    """No collection of garbage meanwhile; one afterwards."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
        gc.collect()
