"""tests/bench/scale: what one daemon holds, how often it wakes, and what it answers, beside many environments.

Method. A home is generated (--seed) with environments of every kind (``tests/bench/population.py``) that grows to each
number of --environments; at most --projects of them belong to a project of their own. For each number a daemon is
started, lists everything once (`alight envs`) and is asked about every project twice; then it is stopped and started
again, so that it begins with its index, and is asked about every project once more. That daemon is measured:

- "restart": from the start of the process to the first answer about a project, to within 50 ms;
- "memory": resident, with no shell connected, and with the largest crowd. The budget is on the former;
- "watches": inotify watches of the process; "threads" while the largest crowd is connected;
- "wake-ups" a second and "idle" CPU of a core: sums over all threads of voluntary context switches and of the
  scheduler's processor time, over --idle seconds in which the crowd is connected and says nothing. They begin --calm
  seconds after the last question: within a minute of one the daemon looks at everything in the pools once more;
- for each number of --shells, connected at once: "questions a second" while each of them asks again as soon as it has
  its answer, for --seconds, about projects chosen at random; "at once": all of them ask at the same moment, in --rounds
  rounds, about projects chosen at random, p50 and p99 of the time from sending to the whole answer. "ping" is the same
  stream of pings: transport alone.

The shells are plain DEALER sockets that speak the shells' protocol in zsh's packed form (``tests/bench/crowd.py``);
they live in one process, whose own work is in the figures: making questions and opening answers for a stream, only
sending and receiving for those at once, whose questions are made before and answers opened when all are there. The page
cache is warm. Projects are not trusted by the user, those of pools are by ownership; every answer is looked at: its
number and directory must be those of the question.

Everything is written to a folder in --directory that is removed afterwards.
Exit code: 0 when every question was answered, 1 when one was not, 2 for usage.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from bench import figures, machine, vitals
from bench.crowd import Crowd
from bench.population import PROJECTS, Population, scratch_in
from support.daemon import SOURCES, DaemonInstance
from support.tools import clean_environment

BUDGETS_MB = {100: 40, 1000: 60, 10000: 120}
BURDEN_HEADINGS = (
    *("environments", "projects", "memory MiB", "budget MiB", "with shells MiB", "shells", "threads", "watches"),
    *("wake-ups /s", "idle CPU %", "restart ms"),
)
RATE_HEADINGS = (
    *("environments", "shells", "questions /s", "pings /s", "p50 ms", "p99 ms"),
    *("at once p50", "at once p99", "at once max"),
)
STOP_SECONDS = 30.0
RACY_SECONDS = 2.5
"""A file must be that old before an answer about it is remembered."""


@dataclass(frozen=True)
class Burden:
    """The daemon beside so many environments; times in milliseconds, memory in MiB."""

    environments: int
    projects: int
    memory: float
    budget: int | None
    memory_crowded: float
    shells: int
    threads: int
    watches: int
    wakeups: float
    idle_percent: float
    restart: float
    rested: bool


@dataclass(frozen=True)
class Rate:
    """What so many shells get; ``at_once`` when all ask at the same moment."""

    environments: int
    shells: int
    questions: float
    pings: float
    stream: figures.Spread
    at_once: figures.Spread


def main(arguments: Sequence[str]) -> int:
    """Run the benchmark as the command line says; the exit code."""
    options = _options(arguments)
    before, burdens, rates = machine.facts(), [], []
    # A short path, since that of a socket has 107 octets at most; in memory, as /run/user is.
    memory = "/dev/shm" if os.path.isdir("/dev/shm") else "/tmp"
    with scratch_in(options.directory, "scale-") as scratch, tempfile.TemporaryDirectory(dir=memory) as runtime:
        people = Population(Path(scratch) / "h", options.seed, options.projects)
        for number in sorted(options.environments):
            _tell(f"{number} environments: writing them")
            people.grow(number)
            burden, found = _measured(people, Path(runtime), options)
            burdens.append(burden)
            rates += found
        _tell("removing everything")
    _tell("")
    print(f"{burden_table(burdens)}\n\n{rate_table(rates)}")
    for burden in burdens:
        if not burden.rested:
            print(
                f"\nWith {burden.environments} environments the daemon did not come to rest: something happens there."
            )
    print(f"\nMachine: {before}, load after {machine.load()}")
    if options.json:
        rows = {"burdens": [asdict(row) for row in burdens], "rates": [asdict(row) for row in rates]}
        document = {"machine": before, "seed": options.seed, "load_after": machine.load(), **rows}
        Path(options.json).write_text(json.dumps(document, indent=1) + "\n")
    return 0


def burden_table(burdens: Sequence[Burden]) -> str:
    """Markdown."""
    lines = _head(BURDEN_HEADINGS)
    for row in burdens:
        memory = (f"{row.memory:.1f}", row.budget or "", f"{row.memory_crowded:.1f}")
        pace = (f"{row.wakeups:.2f}", f"{row.idle_percent:.3f}", f"{row.restart:.0f}")
        lines.append(_line(row.environments, row.projects, *memory, row.shells, row.threads, row.watches, *pace))
    return "\n".join(lines)


def rate_table(rates: Sequence[Rate]) -> str:
    """Markdown."""
    lines = _head(RATE_HEADINGS)
    for row in rates:
        times = (row.stream.p50, row.stream.p99, row.at_once.p50, row.at_once.p99, row.at_once.max)
        cells = (f"{value:.2f}" for value in times)
        lines.append(_line(row.environments, row.shells, f"{row.questions:.0f}", f"{row.pings:.0f}", *cells))
    return "\n".join(lines)


def _head(headings: Sequence[str]) -> list[str]:
    return [_line(*headings), "|" + "--:|" * len(headings)]


def _line(*cells: object) -> str:
    return f"| {' | '.join(map(str, cells))} |"


def _measured(people: Population, runtime: Path, options: argparse.Namespace) -> tuple[Burden, list[Rate]]:
    environ = clean_environment(
        people.home, ALIGHT_RUNTIME_DIR=str(runtime / "r"), PYTHONPATH=str(SOURCES / "daemon"), LC_ALL="C.UTF-8"
    )
    # Without it every start would compile every module.
    environ.pop("PYTHONDONTWRITEBYTECODE", None)
    known = people.projects
    chance = random.Random(options.seed)
    _tell(f"{people.count} environments: listing them")
    time.sleep(RACY_SECONDS)
    with DaemonInstance(environ=environ) as daemon:
        _list(environ)
        with Crowd(daemon.socket, people.home, 1) as one:
            one.visit(known)
            one.visit(known)
        vitals.rest(daemon.process.pid, options.settle)
        daemon.signal(signal.SIGTERM)
        daemon.wait(STOP_SECONDS)
    began = time.perf_counter()
    with DaemonInstance(environ=environ) as daemon:
        with Crowd(daemon.socket, people.home, 1) as one:
            one.visit(known[-1:])
            restart = (time.perf_counter() - began) * 1000
            one.visit(known)
            _list(environ)
            one.visit(known)
        pid = daemon.process.pid
        _tell(f"{people.count} environments: coming to rest")
        rested = vitals.rest(pid, options.settle)
        alone = vitals.look(pid)
        rates = [_rate(people, daemon, number, chance, options) for number in sorted(options.shells)]
        most = max(options.shells)
        with Crowd(daemon.socket, people.home, most) as crowd:
            crowd.at_once(_chosen(known, most, chance))
            _tell(f"{people.count} environments: {options.calm + options.idle:g} s of rest")
            time.sleep(options.calm)
            rested = vitals.rest(pid, options.settle) and rested
            first = vitals.look(pid)
            time.sleep(options.idle)
            last = vitals.look(pid)
        daemon.signal(signal.SIGTERM)
        daemon.wait(STOP_SECONDS)
    idle = vitals.pace(first, last)
    burden = Burden(
        people.count, len(known), _mib(alone.memory), BUDGETS_MB.get(people.count), _mib(last.memory), most,
        last.threads, last.watches, idle.wakeups, idle.percent, round(restart, 1), rested,
    )  # fmt: skip
    return burden, rates


def _rate(
    people: Population, daemon: DaemonInstance, number: int, chance: random.Random, options: argparse.Namespace
) -> Rate:
    known = people.projects
    _tell(f"{people.count} environments: {number} shells")
    with Crowd(daemon.socket, people.home, number) as crowd:
        pings, _ = crowd.stream(None, options.seconds / 4)
        questions, took = crowd.stream(_endless(known, chance), options.seconds)
        together = itertools.chain.from_iterable(
            crowd.at_once(_chosen(known, number, chance)) for _ in range(options.rounds)
        )
        return Rate(
            people.count, number, round(questions), round(pings), figures.spread(took), figures.spread(list(together))
        )


def _endless(known: Sequence[bytes], chance: random.Random) -> Iterator[bytes]:
    while True:
        yield chance.choice(known)


def _chosen(known: Sequence[bytes], number: int, chance: random.Random) -> list[bytes]:
    return [chance.choice(known) for _ in range(number)]


def _list(environ: Mapping[str, str]) -> None:
    command = [sys.executable, "-m", "alight", "envs"]
    subprocess.run(command, env=environ, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True)


def _mib(octets: int) -> float:
    return round(octets / 2**20, 1)


def _options(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="tests/bench/scale", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )

    def numbers(text: str) -> list[int]:
        return [int(part) for part in text.split(",")]

    add = parser.add_argument
    add("--environments", type=numbers, metavar="N,N", help="default 100,1000,10000")
    add("--projects", type=int, default=PROJECTS, help=f"at most (default {PROJECTS})")
    add("--shells", type=numbers, metavar="N,N", help="default 1,50,200")
    add("--seconds", type=float, help="of each stream (default 3)")
    add("--rounds", type=int, help="of all at once (default 30)")
    add("--idle", type=float, help="seconds (default 10)")
    add("--calm", type=float, help="seconds between the last question and the idle ones (default 62)")
    add("--settle", type=float, help="seconds of quiet that count as rest (default 3)")
    add("--quick", action="store_true", help="other defaults: 24 and 48 environments, 1 and 8 shells, a second each")
    add("--seed", type=int, default=1, help="of the generated home and of what is asked (default 1)")
    add("--directory", metavar="DIR", help="where the home is written (default: tests/.cache)")
    add("--json", metavar="FILE", help="also write everything there")
    options = parser.parse_args(arguments)
    full = {"environments": [100, 1000, 10000], "shells": [1, 50, 200], "seconds": 3.0, "rounds": 30, "idle": 10.0}
    full |= {"settle": 3.0, "calm": 62.0}
    quick = {"environments": [24, 48], "shells": [1, 8], "seconds": 0.5, "rounds": 4, "idle": 1.0}
    quick |= {"settle": 0.3, "calm": 0.0}
    for name, value in (quick if options.quick else full).items():
        if getattr(options, name) is None:
            setattr(options, name, value)
    return options


def _tell(text: str) -> None:
    """Progress, on a terminal only."""
    if sys.stderr.isatty():
        print(f"\r\x1b[K{text}", end="", file=sys.stderr, flush=True)
