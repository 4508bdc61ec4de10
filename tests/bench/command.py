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
and prompt segments included, with its files approved beforehand; mise is set offline, and alight's deadline is 5 s, so
that under load a slow answer counts as slow.

Limits. Work that a tool does after the prompt is drawn is not seen, and a pause of at least 3 ms between rounds gives
it time. Directories are warm: a never-seen one is another measurement. direnv's .envrc is the smallest there is, real
ones cost more. One local file system, one terminal, one user; figures move with the load, which is in the JSON.

Needs zsh, bash, fish and direnv (distribution packages), mise (npm package; fetched once unless on PATH), and for
alight a Python with its dependencies. pyenv-virtualenv and zsh-autoswitch-virtualenv take part where they are
installed. Everything else is written to a temporary folder that is removed afterwards.
Exit code: 0 when every tool and shell asked for was measured, 1 when one was missing or invalid, 2 for usage.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import random
import shlex
import signal
import sys
import tempfile
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from bench import figures, machine
from bench.console import chosen, positive, tell
from bench.contest import prepared
from bench.shells import SHELLS
from bench.tools import TOOLS

DEFAULT_ROUNDS = 1000


def main(arguments: Sequence[str]) -> int:
    """Run the benchmark as the command line says; the exit code."""
    options = _options(arguments)
    rounds = -(-options.rounds // len(figures.KINDS)) * len(figures.KINDS)
    before = machine.facts()
    signal.signal(signal.SIGTERM, lambda number, _frame: sys.exit(128 + number))
    with tempfile.TemporaryDirectory(prefix="cd-") as scratch, contextlib.ExitStack() as stack:
        field = prepared(options.only, Path(scratch).resolve(), options.mise, stack, tell)
        rows: list[figures.Row] = []
        for shell in options.shells:
            rows += field.cds_and_prompts(shell, rounds, random.Random(options.seed), tell)
    _report(rows)
    if options.json:
        document = {
            "command": shlex.join(["tests/bench/cd", *arguments]),
            "date": datetime.now(UTC).isoformat(timespec="seconds"),
            "rounds": rounds,
            "seed": options.seed,
            "unit": "ms",
            "machine": {**before, "load_after": machine.load()},
            "versions": {**machine.versions(options.shells), **field.versions},
            "rows": [row.document() for row in rows],
        }
        Path(options.json).write_text(json.dumps(document, indent=1) + "\n")
    print("\nVersions: " + "; ".join(f"{name} {text}" for name, text in field.versions.items() if text != "-"))
    print("Shells: " + "; ".join(machine.versions(options.shells).values()))
    print(f"Machine: {before}, load after {machine.load()}")
    return 1 if any(row.failed for row in rows) else 0


def _options(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="tests/bench/cd", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    shells, tools = {shell.name: shell for shell in SHELLS}, {tool.name: tool for tool in TOOLS}

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


def _report(rows: Sequence[figures.Row]) -> None:
    tell("")
    print("Milliseconds; added: less the bare shell's median.\n")
    print(figures.table(rows))
    if any(row.kinds for row in rows):
        print("\nAdded median of each kind of cd:\n")
        print(figures.by_kind(rows))
    if sentences := figures.ratios(rows):
        print("\n" + "\n".join(f"- {sentence}" for sentence in sentences))
    for problem in sorted({f"{row.shell}, {row.tool}: {row.problem}" for row in rows if row.failed}):
        print(f"tests/bench/cd: NOT MEASURED: {problem}", file=sys.stderr)
