"""What a process holds and how often it wakes, read from /proc; Linux only."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from pathlib import Path

QUIET_SHARE = 0.002
"""Share of a core below which a process is taken for idle."""


@dataclass(frozen=True)
class Vitals:
    """A process at ``moment_ns``: octets in memory, threads, inotify watches; sums over its threads since they began.

    ``switches`` are voluntary: each is a wait that ended later. ``processor_ns`` is the scheduler's own account.
    """

    moment_ns: int
    memory: int
    threads: int
    watches: int
    switches: int
    processor_ns: int


@dataclass(frozen=True)
class Pace:
    """Wake-ups a second and the share of one core between two looks, in per cent."""

    wakeups: float
    percent: float


def look(pid: int) -> Vitals:
    """How things are now."""
    process = Path(f"/proc/{pid}")
    switches = processor = threads = 0
    for task in (process / "task").iterdir():
        switches += int(_field(task / "status", "voluntary_ctxt_switches"))
        processor += int((task / "schedstat").read_text().split()[0])
        threads += 1
    memory = int(_field(process / "status", "VmRSS").split()[0]) * 1024
    return Vitals(time.monotonic_ns(), memory, threads, _watches(process / "fdinfo"), switches, processor)


def pace(former: Vitals, latter: Vitals) -> Pace:
    """What happened in between."""
    seconds = (latter.moment_ns - former.moment_ns) / 1e9
    busy = (latter.processor_ns - former.processor_ns) / 1e9
    return Pace(round((latter.switches - former.switches) / seconds, 2), round(100 * busy / seconds, 4))


def rest(pid: int, seconds: float = 2.0, deadline: float = 40.0) -> bool:
    """Wait until the process has been idle for ``seconds``; False when it was not within ``deadline``."""
    end = time.monotonic() + deadline
    while time.monotonic() < end:
        before = look(pid)
        time.sleep(seconds)
        if pace(before, look(pid)).percent < 100 * QUIET_SHARE:
            return True
    return False


def _watches(descriptors: Path) -> int:
    found = 0
    for name in os.listdir(descriptors):
        try:
            text = (descriptors / name).read_text()
        except OSError:  # closed meanwhile
            continue
        found += text.count("\ninotify ")
    return found


def _field(file: Path, name: str) -> str:
    return next(line.partition(":")[2].strip() for line in file.read_text().splitlines() if line.startswith(f"{name}:"))
