"""tests/conformance/freshness/run: is every answer what the disk says, whatever keeps the daemon from hearing?

Method. A home is generated with environments of every system (--seed), and a real daemon serves it. Then --changes
random changes are made: projects, environments, pools, interpreters, settings, manifests and pins are created, deleted,
renamed, relinked, retargeted and edited. After each change, --questions are asked: half of them close to what changed,
most others about a dozen directories that come again and again, so that kept answers are tested; before a tenth of
them a shell comes to the directory, so that it is watched. Each answer is compared, field by field, with that of a
resolver and a judge that know nothing yet, on the same disk. One that differs is stale.

Modes: "on" and "off" (watching), "overflow" (the daemon is stopped, and more happens than the kernel's queue takes),
"exhausted" (a user namespace with its own limit of watches), "suspend" (the daemon is stopped while a batch of changes
is made), "network" (the projects lie on a FUSE file system, changed behind its back; a tenth of the changes, since each
look is answered by Python). "all" is all of them. While the daemon is stopped nobody asks: 25 changes make a batch, and
the questions follow it.

The daemon believes file times at once (``launch``), since otherwise it would keep no answer while things change.
--pause makes it a daemon as users have it: before each batch nothing happens for so long that it keeps its answers.

Each mode also tells whether the daemon's status gave the reason why events may be missing ("degraded": yes or no; none
where there is no reason and none is given), and whether watching resumed by itself once the reason was taken away
("recovered": nothing is degraded any more within 75 seconds, and events are news without a question). What stays as it
is, watching that is switched off, does not recover. --no-recovery leaves out that part and an outage of nine seconds.

The modes run beside each other, as many as there are processors (--jobs).

Exit code: 0 without a stale answer and with every reason said and every recovery seen, 1 otherwise, 2 for usage, 3 when
a mode is impossible here.
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
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

from conformance.freshness import recovery
from conformance.freshness.changes import Changes
from conformance.freshness.compare import Stale
from conformance.freshness.modes import MODES, Impossible, Served
from support.landscape import Landscape

BATCH = 25
PANEL = 12
STOPPED = frozenset({"overflow", "suspend"})
SLOW = frozenset({"network"})
SHOWN = 5
ATTENDED = 0.1
"""How often a shell comes to the directory, so that it is watched from then on."""


@dataclass
class Result:
    """What one mode came to."""

    mode: str
    changes: int = 0
    questions: int = 0
    seconds: float = 0.0
    degraded: str = "-"
    recovered: str = "-"
    stale: list[Stale] = field(default_factory=list)
    ways: collections.Counter[str] = field(default_factory=collections.Counter)

    def line(self) -> str:
        """One row of the table."""
        counts = f"{self.changes:>7} {self.questions:>9} {len(self.stale):>6}"
        return f"{self.mode:<10} {counts} {self.degraded:>8} {self.recovered:>9} {self.seconds:>8.1f}"

    @property
    def right(self) -> bool:
        """Nothing stale, every reason said, every recovery seen."""
        return not self.stale and "no" not in {self.degraded, self.recovered}


HEADER = f"{'mode':<10} {'changes':>7} {'questions':>9} {'stale':>6} {'degraded':>8} {'recovered':>9} {'seconds':>8}"


def run(mode: str, changes: int, seed: int, questions: int = 3, pause: float = 0.0, *, recover: bool = False) -> Result:
    """Make the changes and ask; ``recover`` takes the mode's reason away in the end. Raises Impossible."""
    result = Result(mode)
    with tempfile.TemporaryDirectory(prefix="fresh-") as scratch:
        land = Landscape(Path(scratch).resolve() / "h", seed).grow(22).bare_folders(6)
        started = time.monotonic()
        with cast("AbstractContextManager[Served]", MODES[mode](land)) as served:
            going = _Run(land, served, seed, result, questions)
            going.go(changes, pause, together=mode in STOPPED)
            going.judge(recover=recover)
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
        self._folder = land.home / "code/recovery"
        for variables in self._variables:
            served.asks.settle(variables)
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
                self._together(count)
            else:
                for _ in range(count):
                    self._ask_about(self._change())

    def judge(self, *, recover: bool) -> None:
        """See what the status says of the mode, and with ``recover`` that it is over when its reason is."""
        served, result = self._served, self._result
        # A project of its own, whatever became of the folders above it.
        self._folder.mkdir(parents=True, exist_ok=True)
        (self._folder / "uv.lock").touch()
        if served.outage and not recover:
            return
        if served.outage:
            self._together(BATCH, served.outage)
        said = recovery.notices(served, self._folder)
        result.degraded = "no" if not said else "yes" if served.reason else "none"
        if recover and served.restore is not None:
            result.recovered = "yes" if recovery.resumes(served, self._folder) else "no"

    def _together(self, count: int, seconds: float = 0.0) -> None:
        """A batch of changes that take so many seconds, and the questions that follow it."""
        self._served.before()
        places = [self._change() for _ in range(count)]
        time.sleep(seconds)
        self._served.after()
        for place in places:
            self._ask_about(place)

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
        if self._chance.random() < ATTENDED:
            self._served.asks.attend(os.fsencode(directory))
        for given, right in self._served.asks.ask(os.fsencode(directory), variables):
            self._result.questions += 1
            if given != right:
                told = self._changes.told
                self._result.stale.append(Stale(self._result.changes, told, str(directory), variables, given, right))


def main(arguments: Sequence[str]) -> int:
    """Run the modes as the command line says; the exit code."""
    options = _options(arguments)
    chosen = list(MODES) if options.mode == "all" else [options.mode]
    print(f"seed {options.seed}, {options.questions} questions after each change\n\n{HEADER}", flush=True)
    results: dict[str, Result | Impossible] = {}
    with ProcessPoolExecutor(min(options.jobs, len(chosen))) as workers:
        begun = {workers.submit(_in_process, mode, options): mode for mode in chosen}
        for done in as_completed(begun):
            mode, result = begun[done], _outcome(done)
            results[mode] = result
            print(result.line() if isinstance(result, Result) else f"{mode:<10} impossible: {result}", flush=True)
            for one in result.stale[:SHOWN] if isinstance(result, Result) else ():
                print(one, flush=True)
    return _report([results[mode] for mode in chosen])


def _report(results: Sequence[Result | Impossible]) -> int:
    """Print the table; the exit code."""
    made = [result for result in results if isinstance(result, Result)]
    print("\n".join(("", HEADER, *(result.line() for result in made))))
    impossible = len(results) - len(made)
    stale, changes = sum(len(result.stale) for result in made), sum(result.changes for result in made)
    missing = f", {impossible} modes impossible here" if impossible else ""
    print(f"{stale} stale answers, {changes} changes, {sum(result.questions for result in made)} questions{missing}")
    if not all(result.right for result in made):
        return 1
    return 3 if impossible else 0


def _in_process(mode: str, options: argparse.Namespace) -> Result:
    count = max(1, options.changes // 10) if mode in SLOW else options.changes
    return run(mode, count, options.seed, options.questions, options.pause, recover=options.recovery)


def _outcome(done: Future[Result]) -> Result | Impossible:
    try:
        return done.result()
    except Impossible as reason:
        return reason


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
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="modes at once (default: processors)")
    parser.add_argument("--no-recovery", dest="recovery", action="store_false", help="do not wait for recoveries")
    parser.add_argument("--pause", type=float, default=0.0, help="seconds before each batch (default 0)")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
