"""tests/bench/news: how long until a zsh at its prompt shows what another program did in its project.

Method. A zsh with alight's hook stands in a project on a pty, and nobody touches a key. Another process changes
something: `python -m venv .venv`, `alight allow`, `pip install` of one package, an edited pyproject.toml (a
requires-python that the environment does not meet, and back), `rm -rf .venv`, `uv sync`. Timed is from the end of that
process (for the edit: of the rename) until the read that brought the changed prompt returned. What is on the screen
before the process ends counts as 0 and is counted apart ("early"). New packages change nothing in the prompt: there
"seen" is when the daemon has answered the shell's new question, asked for every 2 ms; that includes the 150 ms of quiet
that package changes wait for. Installations are 3.5 s apart: what follows within 3 s counts as part of the one before,
and its end is told after a longer quiet.

bash and fish look at their next prompt; there is nothing to time, and ``tests/shells/test_news.py`` shows that they do.

Everything is written to a folder in --directory that is removed afterwards.
Exit code: 0 when every change was seen, 1 when one was not, 2 for usage.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import select
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

from alight.watch.debounce import APART_SECONDS
from bench import figures, machine
from bench.population import scratch_in
from support.shells import ShellSession
from support.wheels import pip_command, wheel
from support.world import ALIGHT, World, base_python

DEADLINE_S = 15.0
_SILENT = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL}
MANIFEST = '[project]\nname = "app"\nversion = "1"\nrequires-python = ">={python}"\n'


class NotSeen(RuntimeError):
    """The shell did not show a change within the deadline."""


class Eye:
    """Looks at one shell while something else happens; ``samples`` are nanoseconds by kind of change."""

    def __init__(self, world: World, shell: ShellSession) -> None:
        self.samples: dict[str, list[int]] = {}
        self.early: dict[str, int] = {}
        self._installed = 0.0
        self._world = world
        self._shell = shell

    def program(self, what: str, command: Sequence[str], cwd: Path, shown: Callable[[str], bool]) -> None:
        """Run it, and time from its end until the prompt's line is as wanted."""
        process = subprocess.Popen(command, cwd=cwd, env=self._environ(), **_SILENT)
        try:
            self._time(what, process, lambda: shown(self._line()))
        finally:
            process.kill()
            process.wait()

    def packages(self, command: Sequence[str], cwd: Path) -> None:
        """The same for what no prompt shows: until the shell has asked again.

        Not sooner after the last time than what counts as another installation.
        """
        time.sleep(max(0.0, self._installed + APART_SECONDS + 0.5 - time.monotonic()))
        asked = self._world.questions()
        process = subprocess.Popen(command, cwd=cwd, env=self._environ(), **_SILENT)
        try:
            self._time("pip install", process, lambda: self._world.questions() > asked, 2)
        finally:
            process.kill()
            process.wait()
            self._installed = time.monotonic()

    def edit(self, file: Path, text: str, shown: Callable[[str], bool]) -> None:
        """Replace a file as editors do."""
        beside = file.with_suffix(".new")
        beside.write_text(text)
        os.replace(beside, file)
        self._time("edit pyproject.toml", None, lambda: shown(self._line()))

    def _time(
        self, what: str, process: subprocess.Popen[bytes] | None, seen: Callable[[], bool], pause_ms: int = 500
    ) -> None:
        done_ns = time.monotonic_ns() if process is None else None
        poll = select.poll()
        poll.register(self._shell._master, select.POLLIN)
        end = time.monotonic() + DEADLINE_S + (60 if process is not None else 0)
        with contextlib.ExitStack() as stack:
            if process is not None:
                descriptor = os.pidfd_open(process.pid)
                stack.callback(os.close, descriptor)
                poll.register(descriptor, select.POLLIN)
            is_seen, seen_ns = False, 0
            while not is_seen or done_ns is None:
                if not is_seen and seen():
                    is_seen, seen_ns = True, time.monotonic_ns()
                    continue
                ready = [number for number, _ in poll.poll(pause_ms)]
                if process is not None and done_ns is None and descriptor in ready:
                    done_ns = time.monotonic_ns()
                    poll.unregister(descriptor)
                if time.monotonic() > end:
                    raise NotSeen(f"{what}: not seen; the shell shows\n{self._shell.refresh()}")
        if process is not None and process.wait() != 0:
            raise NotSeen(f"{what}: ended with {process.returncode}")
        self.samples.setdefault(what, []).append(max(0, seen_ns - done_ns))
        self.early[what] = self.early.get(what, 0) + (seen_ns < done_ns)

    def _line(self) -> str:
        lines = self._shell.refresh().splitlines()
        return lines[-1] if lines else ""

    def _environ(self) -> Mapping[str, str]:
        more = {"UV_OFFLINE": "1", "UV_NO_CACHE": "1", "UV_PYTHON": base_python(), "PIP_NO_CACHE_DIR": "1"}
        return {**self._world.environ(), **more}


def main(arguments: Sequence[str]) -> int:
    """Run the benchmark as the command line says; the exit code."""
    options = _options(arguments)
    before = machine.facts()
    with world_in(options.directory) as world:
        try:
            eye = _seen(world, options.rounds)
        except NotSeen as error:
            print(f"tests/bench/news: {error}", file=sys.stderr)
            return 1
    print(table(eye.samples, eye.early))
    print(f"\nMachine: {before}, load after {machine.load()}")
    if options.json:
        rows = {
            what: {"n": len(found), "early": eye.early[what], **asdict(figures.spread(found))}
            for what, found in eye.samples.items()
        }
        Path(options.json).write_text(json.dumps({"machine": before, "unit": "ms", "rows": rows}, indent=1) + "\n")
    return 0


def table(samples: Mapping[str, Sequence[int]], early: Mapping[str, int]) -> str:
    """Markdown; samples are nanoseconds. The last row is all that a prompt shows."""
    shown = [sample for what, found in samples.items() if what != "pip install" for sample in found]
    lines = ["| change | n | early | p50 ms | p95 ms | max ms |", "|---|--:|--:|--:|--:|--:|"]
    for what, found in [*samples.items(), ("all that the prompt shows", shown)]:
        spread = figures.spread(found)
        times = f"{spread.p50:.1f} | {spread.p95:.1f} | {spread.max:.1f}"
        lines.append(f"| {what} | {len(found)} | {early.get(what, '')} | {times} |")
    return "\n".join(lines)


def _seen(world: World, rounds: int) -> Eye:
    root = world.project("app", environment=None)
    manifest = root / "pyproject.toml"
    manifest.write_text(MANIFEST.format(python="3.8"))
    wheels = world.directory("wheels")
    wheel(wheels, "x")
    eye = Eye(world, world.shell("zsh", root))
    uv = shutil.which("uv", path=f"{Path(sys.executable).parent}:{os.environ['PATH']}")
    if uv is None:
        raise NotSeen("uv is not installed")
    for _ in range(rounds):
        eye.program("python -m venv", [base_python(), "-I", "-m", "venv", "--without-pip", ".venv"], root, _is_there)
        eye.program("alight allow", [ALIGHT, "allow"], root, lambda line: "(app 3" in line)
        eye.packages([*pip_command(root / ".venv", wheels), "x"], root)
        eye.edit(manifest, MANIFEST.format(python="3.99"), lambda line: "!)" in line)
        eye.edit(manifest, MANIFEST.format(python="3.8"), lambda line: "(app 3" in line and "!)" not in line)
        eye.program("rm -rf .venv", ["rm", "-rf", ".venv"], root, lambda line: not _is_there(line))
        eye.program("uv sync", [uv, "sync", "-q"], root, _is_there)
        eye.program("rm -rf .venv", ["rm", "-rf", ".venv", "uv.lock"], root, lambda line: not _is_there(line))
    return eye


def _is_there(line: str) -> bool:
    return "(app" in line


@contextlib.contextmanager
def world_in(directory: str | None) -> Iterator[World]:
    """A home, and a runtime directory with a short path; this process's own variables name them."""
    with scratch_in(directory, "news-") as home, tempfile.TemporaryDirectory(prefix="al-", dir="/tmp") as runtime:
        own = {"HOME": str(Path(home) / "h"), "ALIGHT_RUNTIME_DIR": f"{runtime}/run"}
        former = {name: os.environ.get(name) for name in own}
        os.environ.update(own)
        Path(own["HOME"]).mkdir()
        world = World(Path(own["HOME"]))
        try:
            yield world
        finally:
            world.close()
            for name, value in former.items():
                if value is None:
                    del os.environ[name]
                else:
                    os.environ[name] = value


def _options(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="tests/bench/news", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=20, help="of all changes (default 20)")
    parser.add_argument("--directory", metavar="DIR", help="where the home is written (default: tests/.cache)")
    parser.add_argument("--json", metavar="FILE", help="also write everything there")
    return parser.parse_args(arguments)
