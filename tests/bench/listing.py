"""tests/bench/envs: what `alight envs` takes on a machine with many environments, and where the time goes.

Method. A home is generated (--seed) with environments of every kind that lies in a pool (--environments). A real
daemon serves it. "cold" is the first `alight envs` of a daemon just started that never knew anything (--rounds
daemons), "restarted" the first one of a daemon that finds what a former one wrote down, "warm" each further one
(ten times as many), as a person has it with `time alight envs >/dev/null`: start of Python, imports, every page,
and printing. The split is measured apart: "python" is `python -c pass`, "python and imports" also imports all that
the command uses, "pages" fetches everything with a client in this process (wire and daemon), "daemon" does the same
work without the wire, "print" writes what was fetched to /dev/null. Medians; the least is given beside them, since
a loaded machine only ever adds. Whether the listing is complete is told by what was generated.

Everything is written to a temporary folder that is removed afterwards.
Exit code: 0 when the listing was complete, 1 when it was not, 2 for usage.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from alight.cli import listing
from alight.cli.session import Session
from alight.client import Client
from alight.clock import SystemClock
from alight.files.disk import RACY_NS
from alight.index import Index
from alight.model import Environment
from alight.wire.messages import Header, Message
from alight.wire.requests import EnvironmentsReply, GetEnvironments
from bench import machine
from support.daemon import SOURCES, DaemonInstance
from support.landscape import POOLED, Landscape
from support.tools import clean_environment

PAGE_NS = 10_000_000
USED = "alight.cli.main, alight.cli.listing, alight.cli.place, alight.cli.progress, alight.client, alight.wire.codec"


def main(arguments: Sequence[str]) -> int:
    """Run the benchmark as the command line says; the exit code."""
    options = _options(arguments)
    before = machine.facts()
    with tempfile.TemporaryDirectory(prefix="envs-") as scratch:
        land = Landscape(Path(scratch) / "h", options.seed).grow(options.environments, POOLED)
        environ = clean_environment(land.home, ALIGHT_RUNTIME_DIR=f"{scratch}/r", PYTHONPATH=str(SOURCES / "daemon"))
        # Without it every start would compile every module.
        environ.pop("PYTHONDONTWRITEBYTECODE", None)
        command = [sys.executable, "-m", "alight", "envs"]
        _once([sys.executable, "-c", f"import {USED}"], environ)
        time.sleep(RACY_NS / 1e9 + 0.5)
        figures: dict[str, list[int]] = {"cold": []}
        for _ in range(options.rounds):
            with DaemonInstance(environ=environ):
                figures["cold"].append(_once(command, environ))
        figures["restarted"] = _restarted(command, environ, options.rounds)
        with DaemonInstance(environ=environ) as daemon:
            listed = json.loads(
                subprocess.run([*command, "--json"], env=environ, capture_output=True, check=True).stdout
            )
            figures |= _warm(command, environ, options.rounds * 10)
            figures |= _split(daemon, land, environ, options.rounds * 10)
            # pyenv's environments are known by the links to them.
            found = {os.path.realpath(environment["prefix"]) for environment in listed["environments"]}
    wanted = {str(prefix) for prefix in land.environments}
    print(table(figures))
    print(f"\n{len(found)} listed, {len(wanted)} generated, {len(wanted - found)} of them missing")
    print(f"Machine: {before}, load after {machine.load()}")
    if options.json:
        rows = {name: {"p50": _ms(statistics.median(ns)), "least": _ms(min(ns))} for name, ns in figures.items()}
        document = {"machine": before, "listed": len(found), "missing": len(wanted - found), "unit": "ms", "rows": rows}
        Path(options.json).write_text(json.dumps(document, indent=1) + "\n")
    return 0 if wanted <= found else 1


def table(figures: Mapping[str, Sequence[int]]) -> str:
    """Markdown; samples are nanoseconds."""
    lines = ["| what | n | p50 ms | least ms |", "|---|--:|--:|--:|"]
    for name, samples in figures.items():
        lines.append(f"| {name} | {len(samples)} | {_ms(statistics.median(samples)):.1f} | {_ms(min(samples)):.1f} |")
    return "\n".join(lines)


def _restarted(command: Sequence[str], environ: Mapping[str, str], rounds: int) -> list[int]:
    samples = []
    for _ in range(rounds + 1):
        with DaemonInstance(environ=environ) as daemon:
            samples.append(_once(command, environ))
            daemon.signal(signal.SIGTERM)
            daemon.wait()
    return samples[1:]


def _warm(command: Sequence[str], environ: Mapping[str, str], count: int) -> dict[str, list[int]]:
    return {
        "warm": [_once(command, environ) for _ in range(count)],
        "warm, --json": [_once([*command, "--json"], environ) for _ in range(count)],
        "split: python": [_once([sys.executable, "-c", "pass"], environ) for _ in range(count)],
        "split: python and imports": [_once([sys.executable, "-c", f"import {USED}"], environ) for _ in range(count)],
    }


def _split(daemon: DaemonInstance, land: Landscape, environ: Mapping[str, str], count: int) -> dict[str, list[int]]:
    client = Client(daemon.places(), 5.0)
    index = Index(SystemClock(), os.getuid(), os.fsencode(land.home))
    index.environments()
    pages = _fetched(client)
    session = _session(pages)
    with open(os.devnull, "w") as sink, contextlib.redirect_stdout(sink):
        return {
            "split: pages": [_timed(lambda: _fetched(client)) for _ in range(count)],
            "split: daemon": [_timed(lambda: _paged(index)) for _ in range(count)],
            "split: print": [_timed(lambda: listing.show(session, as_json=False)) for _ in range(count)],
            "split: print, --json": [_timed(lambda: listing.show(session, as_json=True)) for _ in range(count)],
        }


def _fetched(client: Client) -> EnvironmentsReply:
    found: list[Environment] = []
    after, first = b"", None
    while True:
        _, page = client.request(GetEnvironments(b"/", (), after))
        assert isinstance(page, EnvironmentsReply)
        first = first or page
        found += page.environments
        if not page.more:
            return EnvironmentsReply(tuple(found), first.interpreters, len(found))
        after = found[-1].prefix if found else b""


def _paged(index: Index) -> None:
    after, more = b"", True
    while more:
        page = index.page({}, after, PAGE_NS)
        after, more = page.environments[-1].prefix if page.environments else after, page.more


def _session(reply: EnvironmentsReply) -> Session:
    class Canned:
        def request(self, _message: Message) -> tuple[Header, Message]:
            return None, reply  # type: ignore[return-value]

    def never() -> object:
        raise AssertionError("only listings are asked for")

    return Session({}, Canned, Canned, Canned, never, never)  # type: ignore[arg-type]


def _timed(action: Callable[[], object]) -> int:
    start = time.perf_counter_ns()
    action()
    return time.perf_counter_ns() - start


def _once(command: Sequence[str], environ: Mapping[str, str]) -> int:
    start = time.perf_counter_ns()
    subprocess.run(command, env=environ, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True)
    return time.perf_counter_ns() - start


def _ms(nanoseconds: float) -> float:
    return round(nanoseconds / 1e6, 2)


def _options(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="tests/bench/envs", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--environments", type=int, default=1000, help="default 1000")
    parser.add_argument(
        "--rounds", type=int, default=3, help="daemons started; ten times as many warm runs (default 3)"
    )
    parser.add_argument("--seed", type=int, default=1, help="of the generated home (default 1)")
    parser.add_argument("--json", metavar="FILE", help="also write everything there")
    return parser.parse_args(arguments)
