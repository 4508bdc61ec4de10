"""tests/bench/growth: how the cost of a cd grows with what there is on the machine.

Method. For every point of every curve a home of its own is made and a daemon of its own started, which learns all
there is: every project is visited once, every environment listed. Then 80 folders of one project are asked about in
turn, all of which the daemon was asked about before. Curves, one varied at a time, everything else small:

  depth      levels between the folder and the project it belongs to
  pools      environments in the pools of poetry, pipenv, pdm, hatch, virtualenvwrapper, conda and pyenv
  projects   environments inside projects (uv, venv, pixi), each visited once
  shells     open connections that wait for news, as a zsh at its prompt keeps one
  packages   distributions in the environment's site-packages

"ask" is one question and its answer by the one-shot client's protocol from this process: connection, handshake,
question, the daemon's work, reply; "ping" the same without any work, which is the floor. "zsh" is the confirmation: a
cd in an interactive zsh on a pseudo-terminal from one of the folders to the next, less the same in a bare zsh beside
it. zsh remembers the answers to the last 64 questions; 80 folders are more, so it asks each time. Rounds are --rounds
questions and pings, and a third as many cds.

Curves are flat, or the last table says what each further one costs. No figure decides the exit code.
--readme writes both tables into the README's marked block and the picture to docs/figures/growth.svg; --from does
that, and everything else, from the --json of an earlier run instead of measuring.
The pools and projects of 10,000 environments take a minute each to make. Everything is written to a temporary folder
that is removed afterwards. Exit code: 0 when everything was measured, 1 when not, 2 for usage.
"""

from __future__ import annotations

import argparse
import contextlib
import random
import shlex
import signal
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from alight.files.disk import RACY_NS
from bench import curves, figures, machine, readme
from bench.asking import NoAnswer, asked, ping, question
from bench.console import chosen, command, positive, tell
from bench.places import Place, Ready, Tool, ToolMissing
from bench.playground import build
from bench.rounds import Contender, opened, uncollected
from bench.shells import SHELLS
from bench.terminal import ShellStuck, Terminal
from bench.terrain import CURVES, RING, Curve, Ground, listening, settle
from bench.tools import alight, bare

DEFAULT_ROUNDS = 300
BLOCK_NAME = "growth"
"""The README's block, and the picture."""
BLOCK = 5
"""Samples of one kind before the next one's turn."""


@dataclass(frozen=True)
class Record:
    """A run as it is kept in a file."""

    command: str
    date: str
    rounds: int
    seed: int
    machine: Mapping[str, object]
    points: Sequence[curves.Point]
    unit: str = "ms"


def main(arguments: Sequence[str]) -> int:
    """Run the benchmark as the command line says; the exit code."""
    options = _options(arguments)
    signal.signal(signal.SIGTERM, lambda number, _frame: sys.exit(128 + number))
    try:
        if options.readme:
            readme.check((BLOCK_NAME,))
        if options.saved:
            record = msgspec.json.decode(Path(options.saved).read_bytes(), type=Record)
        else:
            record = _measured(options)
    except (OSError, ValueError) as error:
        print(f"tests/bench/growth: {error}", file=sys.stderr)
        return 2
    except (NoAnswer, ShellStuck, ToolMissing) as error:
        print(f"tests/bench/growth: NOT MEASURED: {error}", file=sys.stderr)
        return 1
    if options.json:
        Path(options.json).write_bytes(msgspec.json.format(msgspec.json.encode(record), indent=1) + b"\n")
    tell("")
    text = f"{curves.table(record.points)}\n\n{curves.growth(record.points)}\n\n{_circumstances(record)}"
    print(text)
    if options.svg:
        Path(options.svg).write_text(curves.picture(record.points), encoding="utf-8")
    if options.readme:
        readme.picture(BLOCK_NAME, curves.picture(record.points))
        readme.refresh({BLOCK_NAME: text})
    return 0


def _measured(options: argparse.Namespace) -> Record:
    before, chance = machine.facts(), random.Random(options.seed)
    points = []
    for curve in options.curves:
        for amount in curve.points:
            tell(f"{curve.name}: {amount} {curve.axis}")
            with tempfile.TemporaryDirectory(prefix="g-") as scratch:
                points.append(_point(curve, amount, options.rounds, chance, Path(scratch).resolve()))
    return Record(
        command=command(
            "tests/bench/growth",
            rounds=str(options.rounds),
            curves=",".join(curve.name for curve in options.curves) if len(options.curves) < len(CURVES) else "",
            points=",".join(map(str, options.points or ())),
            seed=str(options.seed) if options.seed != 1 else "",
        ),
        date=datetime.now(UTC).isoformat(timespec="seconds"),
        rounds=options.rounds,
        seed=options.seed,
        machine={**before, "load_after": machine.load()},
        points=points,
    )


def _point(curve: Curve, amount: int, rounds: int, chance: random.Random, scratch: Path) -> curves.Point:
    tree = build(scratch / "h")
    ground = curve.build(tree, amount, chance.randrange(1000))
    own = scratch / "t"
    own.mkdir()
    # Whoever has just seen a file change does not rely on its time.
    time.sleep(RACY_NS / 1e9 + 0.2)
    with alight(Place(tree, own)) as ready:
        environment = {**tree.environment, **ready.environment}
        runtime = Path(environment["ALIGHT_RUNTIME_DIR"])
        settle(ground, runtime, environment)
        with listening(amount if curve.listens else 0, ground, runtime, environment):
            asks, pings = _questions(ground, runtime, environment, rounds)
            cds = _cds(Contender(Tool("alight", alight), tree, ready), ground, -(-rounds // 3), chance)
    return curves.Point(curve.name, curve.axis, amount, len(asks), figures.spread(asks), figures.spread(pings), cds)


def _questions(
    ground: Ground, runtime: Path, environment: Mapping[str, str], rounds: int
) -> tuple[list[int], list[int]]:
    """Nanoseconds of questions and of pings, in turn; everything was asked once before."""
    for folder in ground.ring:
        asked(runtime, question(folder, environment))
    asks: list[int] = []
    pings: list[int] = []
    while len(asks) < rounds:
        with uncollected():
            for _ in range(min(BLOCK, rounds - len(asks))):
                asks.append(asked(runtime, question(ground.ring[len(asks) % RING], environment))[0])
            for _ in range(len(asks) - len(pings)):
                pings.append(asked(runtime, ping(), b"pong")[0])
    return asks, pings


def _cds(subject: Contender, ground: Ground, rounds: int, chance: random.Random) -> figures.Spread | None:
    """What a cd from one folder of the ring to the next adds in zsh; None without a zsh. Raises ShellStuck."""
    zsh = SHELLS[0]
    if zsh.executable is None:
        return None
    alone = Contender(Tool("bare", bare, activates=False), subject.tree, Ready("-", {zsh.name: ""}))
    contenders = [alone, subject]
    samples: dict[str, list[int]] = {one.tool.name: [] for one in contenders}
    with contextlib.ExitStack() as stack:
        terminals: dict[str, Terminal] = {}
        for one in contenders:
            terminals[one.tool.name] = stack.enter_context(opened(zsh, one))
            terminals[one.tool.name].enter(_line(ground.ring[0]))
        for first in range(1, rounds + 1, BLOCK):
            for one in chance.sample(contenders, len(contenders)):
                with uncollected():
                    samples[one.tool.name] += [
                        terminals[one.tool.name].enter(_line(ground.ring[number % RING]))
                        for number in range(first, min(first + BLOCK, rounds + 1))
                    ]
        for one in contenders:
            shown = terminals[one.tool.name].output(one.ready.proof.encode())
            if (str(one.tree.walk[0].python) in shown) != one.tool.activates:
                raise ShellStuck(f"{one.tool.name}: `{one.ready.proof}` shows {shown.strip()!r}")
    return figures.spread(samples[subject.tool.name]).less(figures.spread(samples[alone.tool.name]).p50)


def _line(folder: Path) -> bytes:
    return f"cd {shlex.quote(str(folder))}".encode()


def _circumstances(record: Record) -> str:
    cores, processor, load = (record.machine.get(name) for name in ("cores", "processor", "load"))
    counts = f"{record.rounds} questions and {-(-record.rounds // 3)} cds each"
    return f"{counts}; `{record.command}`; {cores} cores; {processor}; load {load}; {record.date[:10]}."


def _options(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="tests/bench/growth", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    known = {curve.name: curve for curve in CURVES}

    def numbers(text: str) -> tuple[int, ...]:
        if not all(part.isdecimal() for part in text.split(",")):
            raise argparse.ArgumentTypeError(f"{text}: not numbers")
        return tuple(int(part) for part in text.split(","))

    parser.add_argument("--rounds", type=positive, default=DEFAULT_ROUNDS, help=f"default {DEFAULT_ROUNDS}")
    parser.add_argument("--curves", type=lambda text: chosen(known, text), default=list(CURVES), metavar="A,B")
    parser.add_argument("--points", type=numbers, metavar="N,N", help="instead of each curve's own")
    parser.add_argument("--json", metavar="FILE", help="also write everything there")
    parser.add_argument("--svg", metavar="FILE", help="also draw it there")
    parser.add_argument("--readme", action="store_true", help="write tables and picture into the checkout")
    parser.add_argument("--from", dest="saved", metavar="FILE", help="what --json wrote, instead of measuring")
    parser.add_argument("--seed", type=int, default=1, help="of homes and orders (default 1)")
    options = parser.parse_args(arguments)
    if options.points:
        options.curves = [replace(curve, points=options.points) for curve in options.curves]
    return options
