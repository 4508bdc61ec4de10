"""tests/bench/install: what `pip install` of many packages costs the daemon, and how often it says so.

Method. So many tiny wheels are written, a real pip installs them into a real environment (``--no-index``) while a
daemon watches the project, --rounds times into an environment made anew. Counted are

- "raw events": what the kernel tells of the folders that the daemon watches for this project, taken by a second
  emitter of the daemon's own kind in this process, with the same mask;
- "notifications": new marks in the project's generation file, from the start of pip until no further one came for
  --quiet seconds; the promise is two at most;
- "told": the events of `alight watch`;
- "daemon CPU": all its threads, in the same time; "last" is when the last mark was written, after pip's end.

Everything is written to a folder in --directory that is removed afterwards.
Exit code: 0 when there were no more than two notifications each time, 1 otherwise, 2 for usage.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import shutil
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from alight.client import Client
from alight.clock import SystemClock
from alight.index import Index
from alight.watch.inotify import Emitter
from alight.watch.names import Sight
from alight.wire.requests import Follow, FollowReply
from bench import machine, vitals
from bench.seeing import world_in
from support.wheels import install, wheel
from support.world import World

NOTIFICATIONS_LIMIT = 2


@dataclass(frozen=True)
class Row:
    """One installation; ``last_ms`` is None when the last mark came before pip's end."""

    packages: int
    pip_seconds: float
    raw_events: int
    notifications: int
    told: tuple[str, ...]
    processor_ms: float
    last_ms: float | None


def main(arguments: Sequence[str]) -> int:
    """Run the benchmark as the command line says; the exit code."""
    options = _options(arguments)
    before, rows = machine.facts(), []
    with world_in(options.directory) as world:
        wheels = world.directory("wheels")
        for number in range(options.packages):
            wheel(wheels, f"package{number}")
        root = world.trusted("app")
        world.shell("bash", root)
        for _ in range(options.rounds):
            shutil.rmtree(root / ".venv")
            world.venv(root / ".venv")
            world.alight("allow", os.fsencode(root))
            rows.append(_installed(world, root, wheels, options))
    print(table(rows))
    print(f"\nMachine: {before}, load after {machine.load()}")
    if options.json:
        document = {"machine": before, "rows": [asdict(row) for row in rows]}
        Path(options.json).write_text(json.dumps(document, indent=1) + "\n")
    return 0 if all(row.notifications <= NOTIFICATIONS_LIMIT for row in rows) else 1


def table(rows: Sequence[Row]) -> str:
    """Markdown."""
    lines = [
        "| packages | pip s | raw events | notifications | told | daemon CPU ms | last, after pip's end ms |",
        "|--:|--:|--:|--:|---|--:|--:|",
    ]
    lines += [
        f"| {row.packages} | {row.pip_seconds:.1f} | {row.raw_events} | {row.notifications} | {', '.join(row.told)} | "
        f"{row.processor_ms:.1f} | {'before' if row.last_ms is None else f'{row.last_ms:.0f}'} |"
        for row in rows
    ]
    return "\n".join(lines)


def _installed(world: World, root: Path, wheels: Path, options: argparse.Namespace) -> Row:
    client, octets, file = Client(world.daemon.places(), 10.0), os.fsencode(root), generation_file(root)
    home = os.fsencode(world.home)
    header, reply = client.request(Follow(octets, (b"HOME=" + home,)))
    assert isinstance(reply, FollowReply)
    pid = world.daemon.process.pid
    vitals.rest(pid, options.quiet)
    raw = 0

    def count(_folder: bytes, _sight: Sight) -> None:
        nonlocal raw
        raw += 1

    resolution = Index(SystemClock(), os.getuid(), home).resolve(octets, {"HOME": home})
    emitter = Emitter(lambda _hint: None, count)
    try:
        for folder in Index.watch_paths(resolution):
            emitter.arm(folder)
        first, former = generation(file), vitals.look(pid)
        began = time.time()
        install(root / ".venv", wheels, [f"package{number}" for number in range(options.packages)])
        ended = time.time()
        while time.time() - max(ended, file.stat().st_mtime) < options.quiet:
            time.sleep(0.05)
        latter = vitals.look(pid)
    finally:
        emitter.close()
    _, news = client.request(Follow(octets, (b"HOME=" + home,), header.stamp.epoch, reply.last))
    assert isinstance(news, FollowReply)
    written = file.stat().st_mtime
    return Row(
        options.packages,
        round(ended - began, 2),
        raw,
        generation(file) - first,
        tuple(event.kind for event in news.events),
        round((latter.processor_ns - former.processor_ns) / 1e6, 1),
        round((written - ended) * 1000, 1) if written > ended else None,
    )


def generation_file(root: Path) -> Path:
    """Where the daemon writes the project's mark."""
    return Path(os.environ["ALIGHT_RUNTIME_DIR"]) / "projects" / hashlib.sha256(os.fsencode(root)).hexdigest()[:16]


def generation(file: Path) -> int:
    """The number of the mark: every mark of a daemon has the next one."""
    return int(file.read_text().rpartition("-")[2])


def _options(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="tests/bench/install", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--packages", type=int, default=50, help="default 50")
    parser.add_argument("--rounds", type=int, default=5, help="installations (default 5)")
    parser.add_argument("--quiet", type=float, default=2.5, help="seconds without a further mark (default 2.5)")
    parser.add_argument("--directory", metavar="DIR", help="where the home is written (default: tests/.cache)")
    parser.add_argument("--json", metavar="FILE", help="also write everything there")
    return parser.parse_args(arguments)
