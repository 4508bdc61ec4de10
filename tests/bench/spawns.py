"""From nothing to an answer: a hook's own words start a daemon, and one question is asked the way bash and fish do."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from bench.asking import NoAnswer, asked, question
from bench.places import CHECKOUT, ToolMissing
from bench.playground import Tree

CLIENT = CHECKOUT / "daemon" / "alight" / "query.py"


def measure(tree: Tree, rounds: int, tell: Callable[[str], None]) -> list[int]:
    """Nanoseconds until the plan for a project of ``tree`` was there. Raises ToolMissing when no daemon starts."""
    taken = []
    for number in range(rounds):
        tell(f"{rounds - number} daemons to go")
        with tempfile.TemporaryDirectory(prefix="al-") as folder:
            runtime = Path(folder) / "r"
            environment = {**tree.environment, "ALIGHT_RUNTIME_DIR": str(runtime)}
            try:
                taken.append(_one(runtime, environment, tree.projects[0]))
            finally:
                stop = [sys.executable, "-m", "alight", "daemon", "stop"]
                subprocess.run(stop, env=environment, capture_output=True, check=False)
    return taken


def _one(runtime: Path, environment: Mapping[str, str], project: Path) -> int:
    base = os.path.realpath(getattr(sys, "_base_executable", sys.executable))
    words = [base, "-I", "-S", str(CLIENT), "spawn", str(runtime), sys.executable]
    start = time.perf_counter_ns()
    done = subprocess.run(words, env=environment, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise ToolMissing(f"missing: no daemon was started: {done.stderr.strip()[-200:]!r}")
    try:
        asked(runtime, question(project, environment))
    except NoAnswer as error:
        raise ToolMissing(f"missing: {error}") from error
    return time.perf_counter_ns() - start
