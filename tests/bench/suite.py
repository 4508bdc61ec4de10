"""tests/bench/run: every figure of the README beside the peers and the budgets, in one run.

Method. In interactive zsh, bash and fish on a pseudo-terminal: the bare shell, a second one ("control": differences as
small as its own mean nothing), alight, direnv, mise, and pyenv-virtualenv and zsh-autoswitch-virtualenv where they are
installed (a clone in tests/.cache/peers/NAME counts). All are open side by side and take turns in blocks whose order is
shuffled anew (--seed); what the bare shell takes at the median is taken off. Measured are

  cd, prompt    as tests/bench/cd: a walk through four folders, and an empty Enter at each; --rounds of each
  start         from making the shell's process to its first prompt, in a neutral folder; a fifth of --rounds
  first visit   alight only: the cd into a project that neither shell nor daemon has seen; a fifth of --rounds
  later visit   the next cd into the same project, when the shell no longer remembers the answer and has to ask again
  guard         alight only, as tests/bench/guard: what the question's filter and the daemon add to a line at Enter
  spawn         alight only: a hook's words start a daemon, until it has answered a question; --rounds / 20

The budgets stand beside what was measured; none of them decides the exit code. With 300 rounds (the default) a run
takes about ten minutes. What each part includes and leaves out is in `tests/bench/cd --help` and
`tests/bench/guard --help`. The machine should have nothing else to do: its load is in the output.

--readme writes the tables into the README's marked blocks and the picture to docs/figures/peers.svg; --from does that,
and everything else, from the --json of an earlier run instead of measuring.
Everything is written to a temporary folder that is removed afterwards (mise from npm stays in tests/.cache/peers).
Exit code: 0 when everything asked for was measured, 1 when something was missing or invalid, 2 for usage.
"""

from __future__ import annotations

import argparse
import contextlib
import random
import signal
import sys
import tempfile
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from bench import figures, lines, machine, plot, readme, report, spawns, starts, visits
from bench.console import chosen, command, positive, tell
from bench.contest import Field, prepared
from bench.places import ToolMissing
from bench.record import SPAWN, START, Record, load
from bench.shells import SHELLS, Shell
from bench.tools import FLOOR, SUBJECT, TOOLS

DEFAULT_ROUNDS = 300
BLOCKS = ("peers", "guard", "budgets")
"""The README's blocks that a run fills."""
FEWER, FEWEST = 5, 20
"""Starts and first visits are one in so many rounds, spawns one in so many."""


def main(arguments: Sequence[str]) -> int:
    """Run the benchmark as the command line says; the exit code."""
    options = _options(arguments)
    signal.signal(signal.SIGTERM, lambda number, _frame: sys.exit(128 + number))
    try:
        if options.readme:
            readme.check(BLOCKS)
        record = load(Path(options.saved)) if options.saved else None
    except (OSError, ValueError) as error:
        print(f"tests/bench/run: {error}", file=sys.stderr)
        return 2
    if record is None:
        record = _measured(options)
    if options.json:
        record.save(Path(options.json))
    tell("")
    print(report.whole(record))
    if options.svg:
        Path(options.svg).write_text(plot.picture(record), encoding="utf-8")
    if options.readme:
        readme.picture("peers", plot.picture(record))
        readme.refresh(blocks(record))
    problems = [
        *report.problems(record.rows),
        *(f"{row.shell}, guard: {row.problem}" for row in record.lines if row.problem),
    ]
    for problem in dict.fromkeys(problems):
        print(f"tests/bench/run: NOT MEASURED: {problem}", file=sys.stderr)
    return 1 if problems else 0


def blocks(record: Record) -> Mapping[str, str]:
    """What the README's blocks hold."""
    compared = f"{report.peers(record)}\n\n{report.circumstances(record)}"
    if absent := report.absences(record):
        compared += f"\n\n{absent}"
    return dict(zip(BLOCKS, (compared, report.guard(record), report.budgets(record)), strict=True))


def _measured(options: argparse.Namespace) -> Record:
    before = machine.facts()
    rounds = -(-options.rounds // len(figures.KINDS)) * len(figures.KINDS)
    rows: list[figures.Row] = []
    guarded: list[lines.Row] = []
    with tempfile.TemporaryDirectory(prefix="run-") as scratch:
        folder = Path(scratch).resolve()
        with contextlib.ExitStack() as stack:
            field = prepared(options.only, folder, options.mise, stack, tell)
            untrusted = _visitors(field, options.shells, -(-rounds // FEWER))
            for shell in options.shells:
                rows += _rows(field, shell, rounds, random.Random(options.seed), untrusted)
            rows += _spawns(field, -(-rounds // FEWEST))
        if SUBJECT in (tool.name for tool in options.only):
            with contextlib.ExitStack() as stack:
                contenders, missing = lines.prepared(folder / "g", stack)
                for shell in options.shells:
                    guarded += lines.measured(shell, contenders, rounds, random.Random(options.seed), missing)
    return Record(
        command=command(
            "tests/bench/run",
            rounds=str(rounds),
            shells=",".join(shell.name for shell in options.shells) if len(options.shells) < len(SHELLS) else "",
            only=",".join(tool.name for tool in options.only) if len(options.only) < len(TOOLS) else "",
            seed=str(options.seed) if options.seed != 1 else "",
        ),
        date=datetime.now(UTC).isoformat(timespec="seconds"),
        rounds=rounds,
        seed=options.seed,
        machine={**before, "load_after": machine.load()},
        versions={**machine.versions(options.shells), **field.versions},
        rows=rows,
        lines=guarded,
    )


def _visitors(field: Field, shells: Sequence[Shell], rounds: int) -> str:
    """Prepare who makes first visits; why that cannot be done, or nothing."""
    tell("preparing first visits")
    try:
        for contender in field.named(SUBJECT, *FLOOR):
            visits.prepare(contender, [shell.name for shell in shells], rounds)
    except ToolMissing as error:
        return str(error)
    return ""


def _rows(field: Field, shell: Shell, rounds: int, chance: random.Random, untrusted: str) -> list[figures.Row]:
    names = [tool.name for tool in field.tools]
    visitors = [name for name in names if name in (SUBJECT, *FLOOR)]
    if shell.executable is None:
        return field.without(shell, (*figures.WHATS, START))
    rows = field.cds_and_prompts(shell, rounds, chance, tell)
    fewer = -(-rounds // FEWER)
    rows += field.rows(shell, START, starts.measure(shell, field.contenders, fewer, chance, tell), names)
    if untrusted:
        return [*rows, *(figures.absent(shell.name, name, visits.FIRST, untrusted) for name in visitors)]
    samples, problems = visits.measure(shell, field.named(SUBJECT, *FLOOR), fewer, chance, tell)
    for what, taken in samples.items():
        rows += field.rows(shell, what, (taken, problems), visitors)
    return rows


def _spawns(field: Field, rounds: int) -> list[figures.Row]:
    """The row of the daemon's start, if alight takes part."""
    found = field.named(SUBJECT)
    if not found:
        return []
    try:
        return [figures.plain("", SUBJECT, SPAWN, spawns.measure(found[0].tree, rounds, tell), ())]
    except ToolMissing as error:
        return [figures.absent("", SUBJECT, SPAWN, str(error))]


def _options(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="tests/bench/run", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    shells, tools = {shell.name: shell for shell in SHELLS}, {tool.name: tool for tool in TOOLS}
    parser.add_argument("--rounds", type=positive, default=DEFAULT_ROUNDS, help=f"default {DEFAULT_ROUNDS}")
    parser.add_argument("--shells", type=lambda text: chosen(shells, text), default=list(SHELLS), metavar="A,B")
    parser.add_argument(
        "--only",
        type=lambda text: chosen(tools, text),
        default=list(TOOLS),
        metavar="A,B",
        help=f"tools, of {', '.join(tools)}; bare always takes part",
    )
    parser.add_argument("--json", metavar="FILE", help="also write everything there")
    parser.add_argument("--svg", metavar="FILE", help="also draw it there")
    parser.add_argument("--readme", action="store_true", help="write tables and picture into the checkout")
    parser.add_argument("--from", dest="saved", metavar="FILE", help="what --json wrote, instead of measuring")
    parser.add_argument("--seed", type=int, default=1, help="of the shuffled orders (default 1)")
    parser.add_argument("--mise", metavar="FILE", help="the mise to measure, instead of PATH's or npm's")
    options = parser.parse_args(arguments)
    if TOOLS[0] not in options.only:
        options.only.insert(0, TOOLS[0])
    return options
