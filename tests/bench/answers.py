"""tests/bench/folders: what the answer for a never-seen directory costs, beside few and many known environments.

Method. A home is generated (--seed) with projects of every system, a folder below each, and folders that belong to
nothing. Around it grow further environments in all pools and projects, and with each number of them (--known) every
directory is asked about once. "running" is one index for all, as in a daemon that has been up for a while: every
environment was listed, and what environments say about projects was read. "fresh" is a new index for each question,
as the first question to a daemon is: nothing was read, and the question spends at most its budget on that.
"restored" is one index that knows what an earlier one wrote down, every directory among it, all of it looked at
again. The page cache is warm. "agree" counts the projects for which the environment that the generator made is the
answer; in "fresh" those that only an environment's own word can find may come later.

Included: the walk, every rule, reading and judging the environment, and the fingerprint. Not included: the wire, and
the user's decision about it. Everything is written to a temporary folder that is removed afterwards.
Exit code: 0 when everything was measured and "running" agrees everywhere, 1 when it does not, 2 for usage.
"""

from __future__ import annotations

import argparse
import gc
import json
import logging
import os
import random
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from alight.clock import SystemClock
from alight.files.disk import RACY_NS
from alight.index import Index
from alight.store import ANSWERS_LIMIT, Store
from bench import figures, machine
from support.landscape import KINDS, Landscape

PER_KIND = 40
BARE = 200
BUDGET_NS = 1_000_000
"""What the daemon gives a question for environments in pools that were not read yet."""


@dataclass(frozen=True)
class Row:
    """One line of the table."""

    known: int
    daemon: str
    count: int
    spread: figures.Spread
    agree: int
    projects: int


def main(arguments: Sequence[str]) -> int:
    """Run the benchmark as the command line says; the exit code."""
    options = _options(arguments)
    before, rows = machine.facts(), []
    with tempfile.TemporaryDirectory(prefix="folders-") as scratch:
        land = Landscape(Path(scratch) / "h", options.seed)
        land.grow(len(KINDS) * options.per_kind).bare_folders(options.bare)
        projects = list(land.projects)
        directories = [*projects, *(project / "src/pkg" for project in projects), *land.bare]
        random.Random(options.seed).shuffle(directories)
        grown = 0
        for known in sorted(options.known):
            _tell(f"{known} known environments")
            land.grow(known - grown)
            grown = known
            time.sleep(RACY_NS / 1e9 + 0.5)
            rows += [
                _row(known, "running", land, directories, [_running(land)] * len(directories)),
                _row(known, "fresh", land, directories, [None] * min(len(directories), 300)),
                _row(known, "restored", land, directories, [_restored(land, directories)] * ANSWERS_LIMIT),
            ]
    _tell("")
    print("Milliseconds for the answer about a directory that was not asked about before.\n")
    print(table(rows))
    print(f"\nMachine: {before}, load after {machine.load()}")
    if options.json:
        document = {"machine": before, "seed": options.seed, "unit": "ms", "rows": [asdict(row) for row in rows]}
        Path(options.json).write_text(json.dumps(document, indent=1) + "\n")
    return 0 if all(row.agree == row.projects for row in rows if row.daemon == "running") else 1


def table(rows: Sequence[Row]) -> str:
    """Markdown."""
    lines = [
        "| known | daemon | n | p50 | p95 | p99 | max | agree |",
        "|--:|---|--:|--:|--:|--:|--:|--:|",
    ]
    for row in rows:
        spread = row.spread
        cells = " | ".join(f"{value:.2f}" for value in (spread.p50, spread.p95, spread.p99, spread.max))
        lines.append(f"| {row.known} | {row.daemon} | {row.count} | {cells} | {row.agree} of {row.projects} |")
    return "\n".join(lines)


def _row(known: int, name: str, land: Landscape, directories: Sequence[Path], indices: Sequence[Index | None]) -> Row:
    home, samples, agree, projects = os.fsencode(land.home), [], 0, 0
    expected = {directory: prefix for directory, prefix in land.expected.items() if directory in set(directories)}
    gc.collect()
    for directory, index in zip(directories, indices, strict=False):
        asked = index or Index(SystemClock(), os.getuid(), home, links_budget_ns=BUDGET_NS)
        octets = os.fsencode(directory)
        start = time.perf_counter_ns()
        found = asked.resolve(octets, {}).environment
        samples.append(time.perf_counter_ns() - start)
        if directory in expected:
            projects += 1
            agree += found is not None and os.path.samefile(found.prefix, expected[directory])
    return Row(known, name, len(samples), figures.spread(samples), agree, projects)


def _running(land: Landscape) -> Index:
    """An index that has seen everything but the directories that will be asked about."""
    index = Index(SystemClock(), os.getuid(), os.fsencode(land.home), links_budget_ns=BUDGET_NS)
    index.environments()
    index.resolve(os.fsencode(land.home), {})
    while index.advance(BUDGET_NS):
        continue
    return index


def _restored(land: Landscape, directories: Sequence[Path]) -> Index:
    """An index that begins with what another one knew about the first of these directories."""
    former = _running(land)
    for directory in directories[:ANSWERS_LIMIT]:
        former.resolve(os.fsencode(directory), {})
    index = Index(SystemClock(), os.getuid(), os.fsencode(land.home), links_budget_ns=BUDGET_NS)
    with tempfile.TemporaryDirectory(prefix="folders-") as scratch:
        store, job = (
            Store(Path(scratch) / "index", os.getuid(), logging.Logger("bench")),
            Store.encoded(former.memory()),
        )
        try:
            while True:
                next(job)
        except StopIteration as done:
            store.write(done.value)
        assert store.recall(index.recall)
    while index.advance(BUDGET_NS):
        continue
    return index


def _options(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="tests/bench/folders", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )

    def numbers(text: str) -> list[int]:
        return [int(part) for part in text.split(",")]

    parser.add_argument("--known", type=numbers, default=[0, 1000, 10000], metavar="N,N", help="default 0,1000,10000")
    parser.add_argument("--per-kind", type=int, default=PER_KIND, help=f"projects of each kind (default {PER_KIND})")
    parser.add_argument("--bare", type=int, default=BARE, help=f"folders without any (default {BARE})")
    parser.add_argument("--seed", type=int, default=1, help="of the generated home (default 1)")
    parser.add_argument("--json", metavar="FILE", help="also write everything there")
    return parser.parse_args(arguments)


def _tell(text: str) -> None:
    """Progress, on a terminal only."""
    if sys.stderr.isatty():
        print(f"\r\x1b[K{text}", end="", file=sys.stderr, flush=True)
