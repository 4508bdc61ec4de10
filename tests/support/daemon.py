"""A real daemon process of a test's own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType

from alight import query
from alight.paths import Places, runtime_directory
from support.until import until

SOURCES = Path(__file__).resolve().parents[2]
ECHO = ("-m", "support.echo")
"""The daemon around a handler that knows nothing: for tests of transport and life cycle alone."""


def alight_python(directory: Path) -> Path:
    """An interpreter that has alight, whatever its environment: what ``query.py spawn`` is given as PYTHON.

    ``spawn`` keeps no PYTHONPATH, and a checkout is not installed.
    """
    script = directory / "alight-python"
    script.write_text(f"#!/bin/sh\nPYTHONPATH='{SOURCES / 'daemon'}' exec '{sys.executable}' \"$@\"\n")
    script.chmod(0o700)
    return script


class DaemonInstance:
    """``python -m alight daemon run`` (or other words) in a process; a context manager.

    The runtime directory and HOME are those of ``environ``, by default the test's own. When the block fails, what
    the daemon printed and logged is printed; when it ends, the process is killed.
    """

    def __init__(
        self,
        words: Sequence[str] = ("-m", "alight", "daemon", "run"),
        environ: Mapping[str, str] = os.environ,
        *,
        python: str = sys.executable,
    ) -> None:
        self.words = [python, *words]
        self.environ = dict(environ)
        sources = f"{SOURCES / 'daemon'}:{SOURCES / 'tests'}"
        self.environ["PYTHONPATH"] = sources
        self.runtime = runtime_directory(self.environ, os.getuid())
        self.output = self.runtime.parent / "daemon.output"
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def socket(self) -> bytes:
        """The path to connect to."""
        return os.fsencode(self.runtime / "alight.sock")

    @property
    def process(self) -> subprocess.Popen[bytes]:
        """The running (or ended) daemon."""
        assert self._process is not None, "the daemon was not started"
        return self._process

    def places(self) -> Places:
        """The places of this daemon's HOME, for a client in the test's process; only ``runtime`` is sure to match."""
        home = Path(self.environ["HOME"])
        return Places(self.runtime, home / ".config/alight", home / ".local/share/alight", home / ".local/state/alight")

    def answers(self) -> bool:
        """True when a ping is answered."""
        return query.ping(self.socket, 1.0)

    def start(self, *, wait: bool = True) -> DaemonInstance:
        """Start the process; with ``wait``, return when it serves."""
        with open(self.output, "ab") as output:
            self._process = subprocess.Popen(
                self.words, env=self.environ, stdin=subprocess.DEVNULL, stdout=output, stderr=output, cwd="/"
            )
        if wait:
            until("the daemon answers a ping", lambda: self._has_ended() or self.answers(), 10)
            assert not self._has_ended(), f"the daemon ended with {self.process.returncode}\n{self.said()}"
        return self

    def signal(self, number: signal.Signals) -> None:
        """Send a signal."""
        self.process.send_signal(number)

    def kill(self) -> None:
        """SIGKILL, and wait for the end."""
        if self._process is not None:
            self.process.kill()
            self.process.wait()

    def wait(self, seconds: float = 5.0) -> int:
        """The exit code, within so many seconds."""
        return self.process.wait(seconds)

    def said(self) -> str:
        """Everything the daemon printed and logged."""
        texts = [self.output, self.runtime / "start.log", self.places().log, self.runtime / "state/daemon.log"]
        return "\n".join(file.read_text(errors="replace") for file in texts if file.is_file())

    def _has_ended(self) -> bool:
        return self.process.poll() is not None

    def __enter__(self) -> DaemonInstance:
        return self if self._process is not None else self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.kill()
        if error is not None:
            print(f"--- daemon\n{self.said()}---")
