"""What a tool adds to the start of a shell: from making its process until the first prompt's mark had been read.

The shells of all tools are started one after the other, in an order shuffled anew for each round, in a folder that
belongs to nothing; a daemon runs. Everything a start-up file does is in it, and all that a tool does before the first
prompt. What a tool left to be done after the prompt is not.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence

from bench.figures import NOT_FOR
from bench.rounds import Contender, opened, uncollected
from bench.shells import Shell
from bench.terminal import ShellStuck

WARM_UP = 2
"""Starts of each that are not recorded."""


def measure(
    shell: Shell, contenders: Sequence[Contender], rounds: int, chance: random.Random, tell: Callable[[str], None]
) -> tuple[Mapping[str, Sequence[int]], Mapping[str, str]]:
    """Nanoseconds by tool, and the problem by tool of those that could not be started."""
    samples: dict[str, list[int]] = {}
    problems: dict[str, str] = {}
    running = []
    for contender in contenders:
        if shell.name in contender.ready.hooks:
            running.append(contender)
            samples[contender.tool.name] = []
        else:
            problems[contender.tool.name] = f"{NOT_FOR} {shell.name}"
    for number in range(-WARM_UP, rounds):
        tell(f"{shell.name}: {rounds - number} starts to go")
        chance.shuffle(running)
        for contender in list(running):
            name = contender.tool.name
            try:
                with uncollected(), opened(shell, contender) as terminal:
                    taken = terminal.opening_ns
            except ShellStuck as error:
                problems[name] = f"invalid: {error}"
                running.remove(contender)
                continue
            if number >= 0:
                samples[name].append(taken)
    return {name: taken for name, taken in samples.items() if name not in problems}, problems
