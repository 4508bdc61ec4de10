"""tests/bench/cd: what a tool adds to a cd and to a prompt, in interactive shells on a pseudo-terminal.

Method. zsh, bash and fish run interactively on a pty of 160 columns with TERM=xterm-256color and a prompt that is one
counted mark (@12@). A sample is the time from writing the line and Enter until the read that brought the new prompt's
mark returned. A round is one cd and, at the prompt it gave, one empty Enter ("prompt"). The cds walk in a circle: into
project A (enter), to a subfolder of it (stay), to project B (switch), to a neutral folder (leave). For each shell all
tools' shells are open side by side and take turns in blocks of 20 rounds in an order shuffled anew (--seed) for each
block, so that drift favours none. The bare shell takes part like a tool; "added" is a tool's figure less the bare
shell's median, and "control" is a second bare shell: differences as small as its own mean nothing. Before anything is
timed each tool must prove itself: `command -v python` is the project's in a project and is not outside; a tool that
fails is reported as invalid, not timed.

Included: line editing and echo of the typed line, cd, every hook that runs before the prompt, writing the prompt, the
wake-up of this program. The bare shell pays all of that too, except the hooks. Each tool runs as it ships, messages
and prompt segments included, with its files approved beforehand; mise is set offline.

Limits. Work that a tool does after the prompt is drawn is not seen, and a pause of at least 3 ms between rounds gives
it time. Directories are warm: a never-seen one is another measurement. direnv's .envrc is the smallest there is, real
ones cost more. One local file system, one terminal, one user; figures move with the load, which is in the JSON.

Needs zsh, bash, fish and direnv (distribution packages), mise (npm package; fetched for the run unless on PATH), and
for alight a Python with its dependencies. Everything is written to a temporary folder that is removed afterwards.
Exit code: 0 when every tool and shell asked for was measured, 1 when one was missing or invalid, 2 for usage.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import random
import shlex
import signal
import sys
import tempfile
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from bench import figures, machine
from bench.playground import build
from bench.rounds import Contender, measure
from bench.shells import SHELLS, Shell
from bench.tools import TOOLS, Place, Tool, ToolMissing

DEFAULT_ROUNDS = 1000


def main(arguments: Sequence[str]) -> int:
    """Run the benchmark as the command line says; the exit code."""
    options = _options(arguments)
    rounds = -(-options.rounds // len(figures.KINDS)) * len(figures.KINDS)
    before = machine.facts()
    signal.signal(signal.SIGTERM, lambda number, _frame: sys.exit(128 + number))
    with tempfile.TemporaryDirectory(prefix="cd-") as scratch, contextlib.ExitStack() as stack:
        contenders, versions, absent = _prepared(options.only, Path(scratch).resolve(), options.mise, stack)
        rows: list[figures.Row] = []
        for shell in options.shells:
            rows += _rows(shell, contenders, options.only, absent, rounds, random.Random(options.seed))
    _report(rows)
    if options.json:
        document = {
            "command": shlex.join(["tests/bench/cd", *arguments]),
            "date": datetime.now(UTC).isoformat(timespec="seconds"),
            "rounds": rounds,
            "seed": options.seed,
            "unit": "ms",
            "machine": {**before, "load_after": machine.load()},
            "versions": {**machine.versions(options.shells), **versions},
            "rows": [row.document() for row in rows],
        }
        Path(options.json).write_text(json.dumps(document, indent=1) + "\n")
    print("\nVersions: " + "; ".join(f"{name} {text}" for name, text in versions.items() if text != "-"))
    print("Shells: " + "; ".join(machine.versions(options.shells).values()))
    print(f"Machine: {before}, load after {machine.load()}")
    return 1 if any(row.problem for row in rows) else 0


def _options(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="tests/bench/cd", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    shells, tools = {shell.name: shell for shell in SHELLS}, {tool.name: tool for tool in TOOLS}

    def chosen(known: Mapping[str, object], text: str) -> list[object]:
        unknown = sorted(set(text.split(",")) - set(known))
        if unknown:
            raise argparse.ArgumentTypeError(f"{', '.join(unknown)}: not among {', '.join(known)}")
        return [value for name, value in known.items() if name in text.split(",")]

    def positive(text: str) -> int:
        if not text.isdecimal() or int(text) < 1:
            raise argparse.ArgumentTypeError(f"{text}: not a positive number")
        return int(text)

    parser.add_argument(
        "--rounds",
        type=positive,
        default=DEFAULT_ROUNDS,
        help=f"cds, and prompts, per shell and tool; rounded up to a multiple of four (default {DEFAULT_ROUNDS})",
    )
    parser.add_argument("--shells", type=lambda text: chosen(shells, text), default=list(SHELLS), metavar="A,B")
    parser.add_argument(
        "--only",
        type=lambda text: chosen(tools, text),
        default=list(TOOLS),
        metavar="A,B",
        help=f"tools, of {', '.join(tools)}; without bare nothing can be taken off, so it always takes part",
    )
    parser.add_argument("--json", metavar="FILE", help="also write everything there")
    parser.add_argument("--seed", type=int, default=1, help="of the shuffled order of tools (default 1)")
    parser.add_argument("--mise", metavar="FILE", help="the mise to measure, instead of PATH's or npm's")
    options = parser.parse_args(arguments)
    if TOOLS[0] not in options.only:
        options.only.insert(0, TOOLS[0])
    return options


def _prepared(
    tools: Sequence[Tool], scratch: Path, mise: str | None, stack: contextlib.ExitStack
) -> tuple[list[Contender], dict[str, str], dict[str, str]]:
    """The tools that can be had, each with its own tree; versions by name; and why others cannot, by name."""
    contenders, versions, absent = [], {}, {}
    for number, tool in enumerate(tools):
        own = scratch / str(number)
        place = Place(build(own / "h"), own / "t", os.path.abspath(mise) if mise else None)
        place.scratch.mkdir()
        _tell(f"preparing {tool.name}")
        try:
            ready = stack.enter_context(tool.open(place))
        except ToolMissing as error:
            absent[tool.name] = str(error)
            continue
        contenders.append(Contender(tool, place.tree, ready))
        versions[tool.name] = ready.version
    return contenders, versions, absent


def _rows(
    shell: Shell,
    contenders: Sequence[Contender],
    tools: Sequence[Tool],
    absent: Mapping[str, str],
    rounds: int,
    chance: random.Random,
) -> list[figures.Row]:
    if shell.executable is None:
        return [figures.absent(shell.name, tool.name, "cd", f"missing: no {shell.name} on PATH") for tool in tools]
    samples, problems = measure(shell, contenders, rounds, chance, _tell)
    problems = {**absent, **problems}
    rows = []
    for what in figures.WHATS:
        for tool in tools:
            if tool.name in problems:
                rows.append(figures.absent(shell.name, tool.name, what, problems[tool.name]))
            else:
                rows.append(figures.row(shell.name, tool.name, what, samples[tool.name], samples.get("bare")))
    return rows


def _report(rows: Sequence[figures.Row]) -> None:
    _tell("")
    print("Milliseconds; added: less the bare shell's median.\n")
    print(figures.table(rows))
    if any(row.kinds for row in rows):
        print("\nAdded median of each kind of cd:\n")
        print(figures.by_kind(rows))
    if sentences := figures.ratios(rows):
        print("\n" + "\n".join(f"- {sentence}" for sentence in sentences))
    for problem in sorted({f"{row.shell}, {row.tool}: {row.problem}" for row in rows if row.problem}):
        print(f"tests/bench/cd: NOT MEASURED: {problem}", file=sys.stderr)


def _tell(text: str) -> None:
    """Progress, on a terminal only."""
    if sys.stderr.isatty():
        print(f"\r\x1b[K{text}", end="", file=sys.stderr, flush=True)
