"""tests/conformance/freshness/run: is every answer what the disk says, whatever keeps the daemon from hearing?

Method. A home is generated with environments of every system (--seed), and a real daemon serves it. Then --changes
random changes are made: projects, environments, pools, interpreters, settings, manifests and pins are created, deleted,
renamed, relinked, retargeted and edited. After each change, --questions are asked: half of them close to what changed,
most others about a dozen directories that come again and again, so that kept answers are tested. Each answer is
compared, field by field, with that of a resolver and a judge that know nothing yet, on the same disk. One that differs
is stale.

Modes: "on" and "off" (watching), "overflow" (the daemon is stopped, and more happens than the kernel's queue takes),
"exhausted" (a user namespace with its own limit of watches), "suspend" (the daemon is stopped while a batch of changes
is made), "network" (the projects lie on a FUSE file system, changed behind its back; a tenth of the changes, since each
look is answered by Python). "all" is all of them. While the daemon is stopped nobody asks: 25 changes make a batch, and
the questions follow it.

The daemon believes file times at once (``launch``), since otherwise it would keep no answer while things change.
--pause makes it a daemon as users have it: before each batch nothing happens for so long that it keeps its answers.

Exit code: 0 without a stale answer, 1 with one, 2 for usage, 3 when a mode is impossible here.
"""

from __future__ import annotations

import argparse
import collections
import os
import random
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

from conformance.freshness.changes import Changes
from conformance.freshness.compare import Stale
from conformance.freshness.modes import MODES, Impossible, Served
from support.landscape import Landscape

BATCH = 25
PANEL = 12
STOPPED = frozenset({"overflow", "suspend"})
SLOW = frozenset({"network"})
SHOWN = 5


@dataclass
class Result:
    """What one mode came to."""

    mode: str
    changes: int = 0
    questions: int = 0
    seconds: float = 0.0
    stale: list[Stale] = field(default_factory=list)
    ways: collections.Counter[str] = field(default_factory=collections.Counter)

    def line(self) -> str:
        """One row of the table."""
        return f"{self.mode:<10} {self.changes:>7} {self.questions:>9} {len(self.stale):>6} {self.seconds:>8.1f}"


HEADER = f"{'mode':<10} {'changes':>7} {'questions':>9} {'stale':>6} {'seconds':>8}"


def run(mode: str, changes: int, seed: int, questions: int = 3, pause: float = 0.0) -> Result:
    """Make the changes and ask; raises Impossible."""
    result = Result(mode)
    with tempfile.TemporaryDirectory(prefix="fresh-") as scratch:
        land = Landscape(Path(scratch).resolve() / "h", seed).grow(22).bare_folders(6)
        started = time.monotonic()
        with cast("AbstractContextManager[Served]", MODES[mode](land)) as served:
            _Run(land, served, seed, result, questions).go(changes, pause, together=mode in STOPPED)
        result.seconds = time.monotonic() - started
    return result


class _Run:
    def __init__(self, land: Landscape, served: Served, seed: int, result: Result, questions: int) -> None:
        self._served = served
        self._result = result
        self._questions = questions
        self._changes = Changes(land, seed)
        self._chance = random.Random(seed + 1)
        self._panel = [self._changes.level() for _ in range(PANEL)]
        home = os.fsencode(land.home)
        self._variables: Sequence[Mapping[str, bytes]] = (
            *([{}] * 8),
            {"PYENV_VERSION": b"3.12.4"},
            {"POETRY_VIRTUALENVS_IN_PROJECT": b"true"},
            {"WORKON_HOME": home + b"/.virtualenvs"},
        )
        for project in land.projects[::3]:
            served.asks.allow(os.fsencode(project))

    def go(self, changes: int, pause: float, *, together: bool) -> None:
        while self._result.changes < changes:
            count = min(BATCH, changes - self._result.changes)
            if pause:
                time.sleep(pause)
                for directory in self._panel:
                    self._ask(directory, {})
            if together:
                self._served.before()
                places = [self._change() for _ in range(count)]
                self._served.after()
                for place in places:
                    self._ask_about(place)
            else:
                for _ in range(count):
                    self._ask_about(self._change())

    def _change(self) -> Path:
        self._result.ways[self._changes.step().split(" ")[0]] += 1
        self._result.changes += 1
        return self._changes.near()

    def _ask_about(self, place: Path) -> None:
        for number in range(self._questions):
            if number == 0 or self._chance.random() < 0.2:
                directory = place if number == 0 else self._changes.near()
            else:
                directory = self._chance.choice(self._panel)
            self._ask(directory, self._chance.choice(self._variables))

    def _ask(self, directory: Path, variables: Mapping[str, bytes]) -> None:
        given, right = self._served.asks.ask(os.fsencode(directory), variables)
        self._result.questions += 1
        if given != right:
            told = self._changes.told
            self._result.stale.append(Stale(self._result.changes, told, str(directory), variables, given, right))


def main(arguments: Sequence[str]) -> int:
    """Run the modes as the command line says; the exit code."""
    options = _options(arguments)
    chosen = list(MODES) if options.mode == "all" else [options.mode]
    print(f"seed {options.seed}, {options.questions} questions after each change\n{HEADER}", flush=True)
    stale, impossible = 0, 0
    for mode in chosen:
        count = max(1, options.changes // 10) if mode in SLOW else options.changes
        try:
            result = run(mode, count, options.seed, options.questions, options.pause)
        except Impossible as reason:
            print(f"{mode:<10} impossible: {reason}", flush=True)
            impossible += 1
            continue
        print(result.line(), flush=True)
        stale += len(result.stale)
        for one in result.stale[:SHOWN]:
            print(one)
    print(f"{stale} stale answers" + (f", {impossible} modes impossible here" if impossible else ""))
    return 1 if stale else 3 if impossible else 0


def _options(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="tests/conformance/freshness/run",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--changes", type=int, default=1000, help="for each mode (default 1000)")
    parser.add_argument("--seed", type=int, default=1, help="of the home and the changes (default 1)")
    parser.add_argument("--questions", type=int, default=3, help="after each change (default 3)")
    parser.add_argument("--mode", choices=[*MODES, "all"], default="all", help="default all")
    parser.add_argument("--pause", type=float, default=0.0, help="seconds before each batch (default 0)")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
