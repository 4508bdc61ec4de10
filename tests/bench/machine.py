"""What a figure must be read beside: the machine, its load, the versions of everything."""

from __future__ import annotations

import os
import platform
import re
import subprocess
from collections.abc import Sequence
from pathlib import Path

from bench.shells import Shell


def facts() -> dict[str, object]:
    """Cores, processor, kernel, Python, and the load now (1, 5 and 15 minutes)."""
    return {
        "cores": os.cpu_count(),
        "usable_cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "processor": _processor(),
        "system": platform.platform(),
        "kernel": platform.release(),
        "python": platform.python_version(),
        "load": load(),
    }


def load() -> list[float]:
    """Load averages of 1, 5 and 15 minutes."""
    return [round(value, 2) for value in os.getloadavg()]


def versions(shells: Sequence[Shell]) -> dict[str, str]:
    """First line of each shell's ``--version``."""
    found = {}
    for shell in shells:
        if shell.executable is not None:
            done = subprocess.run([shell.executable, "--version"], capture_output=True, text=True, check=True)
            found[shell.name] = done.stdout.splitlines()[0]
    return found


def _processor() -> str:
    try:
        text = Path("/proc/cpuinfo").read_text(errors="replace")
    except OSError:
        return platform.processor()
    match = re.search(r"^model name\s*:\s*(.+)$", text, re.MULTILINE)
    return match[1] if match else platform.processor()
