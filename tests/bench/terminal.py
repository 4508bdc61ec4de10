"""One interactive shell on a pseudo-terminal, timed from Enter to the next prompt.

Every prompt carries a number the shell counts up (``@12@``), so that a redraw, an echo or a late line of output is
never taken for the new prompt. What a person feels ends when that mark is on the screen.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import re
import select
import signal
import struct
import termios
import time
from collections.abc import Mapping
from types import TracebackType

MARK = re.compile(rb"@(\d+)@")
ROWS, COLUMNS = 40, 160
QUIET_MS = 3
"""A terminal silent for so long has drawn its prompt; a person's pause is longer."""
DEADLINE_S = 30.0
TAIL = 4096
"""Octets of output kept for a mark in two pieces and for the report when a shell hangs."""
ESCAPES = re.compile(rb"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[()][A-Z0-9]|[=>78])")


class ShellStuck(RuntimeError):
    """The shell ended, or showed no new prompt within the deadline; the text ends with what it last showed."""


class Terminal:
    """A running interactive shell and our end of its terminal. A context manager: leaving it ends the shell.

    ``opening_ns`` are the nanoseconds from before its process was made until its first prompt's mark had been read.
    """

    def __init__(self, argv: list[str], environment: Mapping[str, str], directory: str) -> None:
        self._seen = 0
        self.opening_ns = 0
        self._started = time.perf_counter_ns()
        self._pid, self._fd = pty.fork()
        if self._pid == 0:
            _become(argv, environment, directory)
        fcntl.ioctl(self._fd, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
        self._poll = select.poll()
        self._poll.register(self._fd, select.POLLIN)

    def __enter__(self) -> Terminal:
        try:
            self.opening_ns = self._await_prompt()[0] - self._started
            self.settle()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def enter(self, line: bytes) -> int:
        """Type ``line`` and Enter; nanoseconds until the new prompt's mark had been read."""
        self.settle()
        started = time.perf_counter_ns()
        os.write(self._fd, line + b"\r")
        return self._await_prompt()[0] - started

    def output(self, line: bytes) -> str:
        """What the terminal showed between ``line`` and the new prompt, without escape sequences."""
        self.settle()
        os.write(self._fd, line + b"\r")
        return ESCAPES.sub(b"", self._await_prompt()[1]).decode(errors="replace")

    def settle(self) -> None:
        """Read until the terminal has been silent for ``QUIET_MS``: late output belongs to no measurement."""
        held = b""
        while self._poll.poll(QUIET_MS):
            held = held[-TAIL:] + self._read(held)
        self._note(held)

    def close(self) -> None:
        """Hang up, and end a shell that does not take the hint within two seconds."""
        if self._fd < 0:
            return
        os.close(self._fd)
        self._fd = -1
        give_up = time.monotonic() + 2.0
        while os.waitpid(self._pid, os.WNOHANG)[0] == 0:
            if time.monotonic() > give_up:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(self._pid, signal.SIGKILL)
                os.waitpid(self._pid, 0)
                return
            time.sleep(0.005)

    def _await_prompt(self) -> tuple[int, bytes]:
        """The moment the read that completed a new mark returned, and everything read until then."""
        held = b""
        give_up = time.monotonic() + DEADLINE_S
        while True:
            if not self._poll.poll(max(0.0, give_up - time.monotonic()) * 1000):
                raise ShellStuck(f"no prompt after {DEADLINE_S:.0f} s; last shown: {held[-TAIL:]!r}")
            chunk = self._read(held)
            now = time.perf_counter_ns()
            held += chunk
            if self._note(held):
                return now, held

    def _note(self, held: bytes) -> bool:
        newest = max((int(number) for number in MARK.findall(held[-TAIL:])), default=0)
        if newest <= self._seen:
            return False
        self._seen = newest
        return True

    def _read(self, held: bytes) -> bytes:
        try:
            chunk = os.read(self._fd, 65536)
        except OSError as error:
            raise ShellStuck(f"the shell ended; last shown: {held[-TAIL:]!r}") from error
        if not chunk:
            raise ShellStuck(f"the shell ended; last shown: {held[-TAIL:]!r}")
        return chunk


def _become(argv: list[str], environment: Mapping[str, str], directory: str) -> None:
    """In the child: turn into the shell; never returns."""
    try:
        os.chdir(directory)
        os.execve(argv[0], argv, environment)
    finally:
        os._exit(127)
