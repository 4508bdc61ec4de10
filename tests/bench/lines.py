"""tests/bench/guard: what the guard adds to a line at Enter, in interactive shells on a pseudo-terminal.

Method. zsh, bash and fish run interactively on a pty of 160 columns with a prompt that is one counted mark (@12@), in a
project whose environment alight has switched on. A sample is the time from writing the line and Enter until the read
that brought the new prompt's mark returned. The lines, none of which starts a program:

  ordinary    ": git commit -m message"        the filter finds nothing in one command
  list        "true && : one && : two"         the filter finds nothing in several
  mention     ": pip install tiny"             an installer's word: the daemon is asked, and has nothing to say
  installer   "false && pip install tiny"      an installer that would land in the right place: predicted, silent

For each shell all contenders are open side by side and take turns in blocks, in an order shuffled anew (--seed) for
each; a block is every line five times in a row, behind one that is not recorded, so that a line follows its like.
"bare" is the shell alone, "control" a second one: differences as small as its own mean nothing. "hook" is alight
without its guard, "alight" the whole; from "control" on, the bare shell's median for the same line is taken off, from
"guard" on that of "hook". Before anything is timed each contender must prove itself: a line with another environment's
pip is warned about by alight, and by none of the others.

Included: line editing and echo, the filter, the exchange with the daemon, its prediction, everything the hooks do at
the prompt, the wake-up of this program. Not included: the question, which waits for a person.

Limits. ALIGHT_DEADLINE is 5 s, so that under load a slow answer counts as slow. One local file system, one user, a
daemon that has seen the environments; figures move with the load.
Needs zsh, bash and fish, and a Python with alight's dependencies; bash and fish ask with the compiled client where
there is a C compiler. Everything is written to a temporary folder that is removed afterwards.
Exit code: 0 when all was measured, 1 when a shell or contender was missing or invalid, 2 for usage.
"""

from __future__ import annotations

import argparse
import contextlib
import functools
import gc
import json
import random
import shlex
import signal
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from bench import figures, machine
from bench.console import chosen, positive, tell
from bench.places import Place, Tool, ToolMissing
from bench.playground import Tree, build
from bench.rounds import Contender
from bench.shells import SHELLS, Shell
from bench.terminal import ShellStuck, Terminal
from bench.tools import alight, bare

DEFAULT_ROUNDS = 1000
BLOCK = 5
"""Samples of each line that a contender gives before the next one's turn."""
WARM_UP = 3

LINES: Mapping[str, str] = {
    "ordinary": ": git commit -m message",
    "list": "true && : one && : two",
    "mention": ": pip install tiny",
    "installer": "false && pip install tiny",
}
TOOLS = (
    Tool("bare", bare, activates=False),
    Tool("control", bare, activates=False),
    Tool("hook", functools.partial(alight, parts=("alight",))),
    Tool("alight", alight),
)
WARNING = "alight: this pip"
SETTINGS = {"ALIGHT_GUARD": "warn"}
"""Nobody is there to answer."""

Samples = Mapping[str, Mapping[str, Sequence[int]]]
"""Nanoseconds by contender and line."""


@dataclass(frozen=True)
class Row:
    """One line of the table: the guard's share in one shell, and what it must be read beside; or why there is none."""

    shell: str
    line: str
    count: int
    bare: float
    control: float
    hook: float
    added: figures.Spread | None
    guard: figures.Spread | None
    problem: str = ""


def main(arguments: Sequence[str]) -> int:
    """Run the benchmark as the command line says; the exit code."""
    options = _options(arguments)
    before = machine.facts()
    signal.signal(signal.SIGTERM, lambda number, _frame: sys.exit(128 + number))
    with tempfile.TemporaryDirectory(prefix="guard-") as scratch, contextlib.ExitStack() as stack:
        contenders, missing = prepared(Path(scratch).resolve(), stack)
        rows: list[Row] = []
        for shell in options.shells:
            rows += measured(shell, contenders, options.rounds, random.Random(options.seed), missing)
    tell("")
    print("Milliseconds, from Enter to the next prompt.\n")
    print(table(rows))
    versions = machine.versions(options.shells)
    print(f"\nalight {contenders[-1].ready.version}; {'; '.join(versions.values())}")
    print(f"Machine: {before}, load after {machine.load()}")
    if options.json:
        document = {
            "command": shlex.join(["tests/bench/guard", *arguments]), "rounds": options.rounds, "seed": options.seed,
            "unit": "ms", "machine": {**before, "load_after": machine.load()},
            "versions": {**versions, "alight": contenders[-1].ready.version}, "lines": LINES,
            "rows": [asdict(row) for row in rows],
        }  # fmt: skip
        Path(options.json).write_text(json.dumps(document, indent=1) + "\n")
    for problem in sorted({f"{row.shell}: {row.problem}" for row in rows if row.problem}):
        print(f"tests/bench/guard: NOT MEASURED: {problem}", file=sys.stderr)
    return 1 if any(row.problem for row in rows) else 0


def table(rows: Sequence[Row]) -> str:
    """Markdown; from ``control`` on the bare shell's median is taken off, from ``guard`` on the hook's."""
    lines = [
        "| shell | line | n | bare p50 | control p50 | hook p50 | alight p50 | guard p50 | guard p95 | guard p99 |",
        "|---|---|--:|--:|--:|--:|--:|--:|--:|--:|",
    ]
    for row in rows:
        head = f"| {row.shell} | {row.line} | {row.count} |"
        if row.added is None or row.guard is None:
            lines.append(f"{head} **{row.problem}** | | | | | | |")
            continue
        cells = (row.bare, row.control, row.hook, row.added.p50, row.guard.p50, row.guard.p95, row.guard.p99)
        lines.append(f"{head} {' | '.join(f'{value:.3f}' for value in cells)} |")
    return "\n".join(lines)


def row(shell: str, line: str, samples: Samples) -> Row:
    """The figures of one line in one shell."""
    spreads = {name: figures.spread(taken[line]) for name, taken in samples.items()}
    floor = spreads["bare"].p50
    return Row(
        shell,
        line,
        len(samples["alight"][line]),
        floor,
        spreads["control"].less(floor).p50,
        spreads["hook"].less(floor).p50,
        spreads["alight"].less(floor),
        spreads["alight"].less(spreads["hook"].p50),
    )


def prepared(scratch: Path, stack: contextlib.ExitStack) -> tuple[list[Contender], str]:
    """The contenders, and why there are not all of them, or nothing; ``stack`` puts them away."""
    contenders: list[Contender] = []
    missing = ""
    for number, tool in enumerate(TOOLS):
        tell(f"preparing {tool.name}")
        own = scratch / str(number)
        place = Place(_with_pip(build(own / "h")), own / "t")
        place.scratch.mkdir()
        try:
            contenders.append(Contender(tool, place.tree, stack.enter_context(tool.open(place))))
        except ToolMissing as error:
            missing = str(error)
    return contenders, missing


def measured(
    shell: Shell, contenders: Sequence[Contender], rounds: int, chance: random.Random, missing: str
) -> list[Row]:
    """A row for each line; ``missing`` is why nothing can be measured, or nothing."""
    problem = missing or ("" if shell.executable else f"missing: no {shell.name} on PATH")
    samples: dict[str, dict[str, list[int]]] = {one.tool.name: {line: [] for line in LINES} for one in contenders}
    if not problem:
        with contextlib.ExitStack() as stack:
            try:
                problem = _fill(shell, contenders, rounds, chance, samples, stack)
            except ShellStuck as error:
                problem = f"invalid: {error}"
    if problem:
        return [Row(shell.name, line, 0, 0, 0, 0, None, None, problem) for line in LINES]
    return [row(shell.name, line, samples) for line in LINES]


def _fill(
    shell: Shell,
    contenders: Sequence[Contender],
    rounds: int,
    chance: random.Random,
    samples: Mapping[str, Mapping[str, list[int]]],
    stack: contextlib.ExitStack,
) -> str:
    """Fill ``samples``; why that makes no sense, or nothing."""
    terminals: dict[str, Terminal] = {}
    for one in contenders:
        words = shell.command(one.tree, one.ready.hooks[shell.name])
        environment = {**one.tree.environment, **one.ready.environment, **SETTINGS}
        terminal = stack.enter_context(Terminal(words, environment, str(one.tree.neutral)))
        terminal.enter(f"cd {shlex.quote(str(one.tree.projects[0]))}".encode())
        warned = WARNING in terminal.output(f"false && {one.tree.projects[1]}/.venv/bin/pip install tiny".encode())
        if warned != (one.tool.name == "alight"):
            return f"invalid: {one.tool.name} {'warns' if warned else 'does not warn'} about another environment's pip"
        for _ in range(WARM_UP):
            for line in LINES.values():
                terminal.enter(line.encode())
        terminals[one.tool.name] = terminal
    names, left = list(terminals), rounds
    while left > 0:
        tell(f"{shell.name}: {left} rounds to go")
        chance.shuffle(names)
        for name in names:
            gc.disable()
            for line, text in LINES.items():
                terminals[name].enter(text.encode())
                samples[name][line] += [terminals[name].enter(text.encode()) for _ in range(min(BLOCK, left))]
            gc.enable()
        left -= BLOCK
    return ""


def _with_pip(tree: Tree) -> Tree:
    """Both environments with what tells that there is a pip; it is never run."""
    for project in tree.projects:
        prefix = project / ".venv"
        [site] = prefix.glob("lib/python3*/site-packages")
        (site / "pip").mkdir()
        (site / "pip" / "__init__.py").write_text('__version__ = "24.0"\n')
        (site / "pip" / "__main__.py").touch()
        (prefix / "bin" / "pip").write_text(f"#!{prefix}/bin/python\n")
        (prefix / "bin" / "pip").chmod(0o755)
    return tree


def _options(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="tests/bench/guard", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    known = {shell.name: shell for shell in SHELLS}

    parser.add_argument(
        "--rounds",
        type=positive,
        default=DEFAULT_ROUNDS,
        help=f"samples of each line and contender (default {DEFAULT_ROUNDS})",
    )
    parser.add_argument("--shells", type=lambda text: chosen(known, text), default=list(SHELLS), metavar="A,B")
    parser.add_argument("--json", metavar="FILE", help="also write everything there")
    parser.add_argument("--seed", type=int, default=1, help="of the shuffled order (default 1)")
    return parser.parse_args(arguments)
