"""A small world for one test: a home with projects, a daemon, and shells whose hooks talk to it."""

from __future__ import annotations

import contextlib
import functools
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from alight.cli.init import PARTS, hook_text
from alight.client import Client
from alight.wire.requests import GetStatus, StatusReply
from support.daemon import DaemonInstance
from support.processes import processes_with
from support.shells import ShellSession, quote
from support.until import until

PATH = "/usr/local/bin:/usr/bin:/bin"
ALIGHT = str(Path(sys.executable).with_name("alight"))
HOOKS_VARIABLE = "HOOKS_UNDER_TEST"
"""A directory with other hook files than the checkout's: for the mutation run."""


@functools.cache
def base_python() -> str:
    """The real interpreter the test environment was made with."""
    return os.path.realpath(getattr(sys, "_base_executable", sys.executable))


@functools.cache
def hook(kind: str) -> bytes:
    """The hook's text as ``alight init`` prints it."""
    text = hook_text(kind, ALIGHT)
    other = os.environ.get(HOOKS_VARIABLE)
    if other is None:
        return text
    for part in PARTS:
        original = (Path(__file__).resolve().parents[2] / "shell" / f"{part}.{kind}").read_bytes()
        mutated = Path(other) / f"{part}.{kind}"
        assert original in text
        if mutated.exists():
            text = text.replace(original, mutated.read_bytes())
    return text


class World:
    """``close`` ends every shell and the daemon."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self._daemon: DaemonInstance | None = None
        self._shells: list[ShellSession] = []

    @property
    def daemon(self) -> DaemonInstance:
        """The running daemon; started at first use."""
        if self._daemon is None:
            self._daemon = DaemonInstance().start()
        return self._daemon

    def directory(self, name: bytes | str) -> Path:
        """A folder below the home."""
        folder = self.home / os.fsdecode(name)
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def project(
        self, name: bytes | str = "app", *, environment: str | None = ".venv", python: str | None = None
    ) -> Path:
        """A folder with a ``pyproject.toml`` and, unless None, an environment of that name."""
        root = self.directory(name)
        (root / "pyproject.toml").touch()
        if environment is not None:
            if str(root).isascii() or os.fsencode(root).decode("utf-8", "ignore") == str(root):
                self.venv(root / environment, python)
            else:
                # venv itself cannot write the names of such directories into its scripts
                os.rename(self.venv(self.home / "made-elsewhere", python), root / environment)
        return root

    def venv(self, prefix: Path, python: str | None = None, *arguments: str) -> Path:
        """A real environment, without pip because that takes seconds."""
        command = [python or base_python(), "-I", "-m", "venv", "--without-pip", *arguments, os.fsencode(prefix)]
        subprocess.run(command, check=True, stdin=subprocess.DEVNULL, capture_output=True, cwd="/")
        return prefix

    def trusted(self, name: bytes | str = "app", **more: str) -> Path:
        """A project whose environment the user has allowed."""
        root = self.project(name, **more)
        self.alight("allow", os.fsencode(root))
        return root

    def alight(self, *words: str | bytes, code: int | None = 0, env: Mapping[str, str] | None = None) -> str:
        """Run the command in this world; its stdout."""
        self.daemon.answers()
        done = subprocess.run(
            [ALIGHT, *words],
            env=self.environ(env),
            cwd=self.home,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=30,
            check=False,
        )
        if code is not None:
            assert done.returncode == code, (
                f"alight {words} ended with {done.returncode}\n{done.stdout!r}\n{done.stderr!r}"
            )
        return done.stdout.decode("utf-8", "surrogateescape")

    def questions(self) -> int:
        """How many questions of shells the daemon has answered."""
        _, status = Client(self.daemon.places(), 5).request(GetStatus())
        assert isinstance(status, StatusReply)
        return status.questions

    def environ(self, more: Mapping[str, str] | None = None) -> dict[str, str]:
        """The whole environment of a shell in this world."""
        kept = {name: os.environ[name] for name in ("ALIGHT_RUNTIME_DIR",) if name in os.environ}
        return {
            "PATH": PATH,
            "HOME": str(self.home),
            "LANG": "C.UTF-8",
            "TERM": "xterm-256color",
            **_PATIENT,
            **kept,
            **(more or {}),
        }

    def hook_file(self, kind: str) -> Path:
        """The hook as a file that a start-up file sources."""
        file = self.home.parent / f"hook-{self.home.name}.{kind}"
        file.write_bytes(hook(kind))
        return file

    def shell(
        self,
        kind: str,
        cwd: Path | bytes | None = None,
        env: Mapping[str, str] | None = None,
        before: Sequence[str] = (),
        after: Sequence[str] = (),
        *,
        daemon: bool = True,
    ) -> ShellSession:
        """An interactive shell with the hook; ``before`` and ``after`` are start-up lines around it."""
        if daemon:
            _ = self.daemon
        session = ShellSession(
            kind,
            self.home,
            self.environ(env),
            cwd if cwd is not None else self.home,
            [*_PROMPT[kind], *before, f"source {quote(kind, os.fsencode(self.hook_file(kind)))}", *after],
        )
        self._shells.append(session)
        return session

    def close(self) -> None:
        """End everything."""
        for session in self._shells:
            session.close()
        if self._daemon is not None:
            self._daemon.kill()
        until("no daemon that a hook started is left", self._has_ended, 10)
        for kind in _PROMPT:
            (self.home.parent / f"hook-{self.home.name}.{kind}").unlink(missing_ok=True)

    @staticmethod
    def _has_ended() -> bool:
        """Ask what is left of this world to end; True when nothing is."""
        left = processes_with(f"ALIGHT_RUNTIME_DIR={os.environ['ALIGHT_RUNTIME_DIR']}")
        for pid in left:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)
                os.kill(pid, signal.SIGTERM)
        return not left


_PATIENT = {"ALIGHT_DEADLINE": "3"}
"""Tests run beside each other on few cores; those about the deadline itself set their own."""

_PROMPT: Mapping[str, Sequence[str]] = {
    "zsh": ["PROMPT='%# '"],
    "bash": ["PS1='\\$ '"],
    "fish": ["function fish_prompt; printf '> '; end", "set -g fish_greeting"],
}


def export(kind: str, name: str, value: str) -> str:
    """A line that exports a variable."""
    word = quote(kind, os.fsencode(value))
    return f"set -gx {name} {word}" if kind == "fish" else f"export {name}={word}"


def unset(kind: str, name: str) -> str:
    """A line that unsets a variable."""
    return f"set -e {name}" if kind == "fish" else f"unset {name}"


def source_activate(kind: str, prefix: Path) -> str:
    """A line that sources an environment's own script."""
    script = prefix / "bin" / ("activate.fish" if kind == "fish" else "activate")
    return f"source {quote(kind, os.fsencode(script))}"


def remove(path: Path) -> None:
    """Remove a tree from outside the shell."""
    shutil.rmtree(path)
