"""Asks a daemon and a resolver that knows nothing the same question, wherever both see the same disk.

As a program (``python -m conformance.freshness.asker``) it reads questions from stdin and writes a reply for each to
stdout, for those that have a view of the disk of their own.
"""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol

from alight.client import Client
from alight.model import Answer
from alight.paths import Places
from alight.wire.requests import AnswerReply, Decide, Follow, GetAnswer, GetStatus, StatusReply
from conformance.freshness import launch
from conformance.freshness.compare import fresh
from support.until import until

SETTLE_SECONDS = 10.0


class Asks(Protocol):
    """Gives (the daemon's answer, the fresh one)."""

    def ask(self, directory: bytes, variables: Mapping[str, bytes]) -> tuple[Answer, Answer]:
        """Both answers to one question."""

    def attend(self, directory: bytes) -> None:
        """Have the directory watched, as for a shell in it."""

    def allow(self, directory: bytes) -> None:
        """Trust what belongs there."""

    def status(self) -> tuple[StatusReply, int]:
        """The daemon about itself, and its generation."""


class Asker:
    """Asks from this process."""

    def __init__(self, places: Places, home: bytes) -> None:
        launch.believe()
        self._client = Client(places, 20.0)
        self._places = places
        self._home = home

    def ask(self, directory: bytes, variables: Mapping[str, bytes]) -> tuple[Answer, Answer]:
        frames = tuple(name.encode() + b"=" + value for name, value in variables.items())

        def settled() -> Answer | None:
            _, reply = self._client.request(GetAnswer(directory, frames))
            assert isinstance(reply, AnswerReply)
            return reply.answer if reply.settled else None

        given = until("what lies in the pools is read", settled, SETTLE_SECONDS)
        return given, fresh(directory, variables, self._home, self._places.trust)

    def attend(self, directory: bytes) -> None:
        self._client.request(Follow(directory, after=-1))

    def allow(self, directory: bytes) -> None:
        self._client.request(Decide("allow", directory))

    def status(self) -> tuple[StatusReply, int]:
        header, status = self._client.request(GetStatus())
        assert isinstance(status, StatusReply)
        return status, header.stamp.generation


class Elsewhere:
    """Asks from a process that was started in another view of the disk, by the words before the program's own.

    ``near`` does what takes no look at that disk.
    """

    def __init__(self, words: Sequence[str], environ: Mapping[str, str], near: Asks) -> None:
        self._near = near
        command = [*words, sys.executable, "-m", "conformance.freshness.asker"]
        self._process = subprocess.Popen(command, env=environ, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd="/")

    def ask(self, directory: bytes, variables: Mapping[str, bytes]) -> tuple[Answer, Answer]:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        pickle.dump((directory, dict(variables)), self._process.stdin)
        self._process.stdin.flush()
        given, right = pickle.load(self._process.stdout)
        assert isinstance(given, Answer)
        assert isinstance(right, Answer)
        return given, right

    def attend(self, directory: bytes) -> None:
        self._near.attend(directory)

    def allow(self, directory: bytes) -> None:
        self._near.allow(directory)

    def status(self) -> tuple[StatusReply, int]:
        return self._near.status()

    def close(self) -> None:
        """End the process."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait(10)
        self._process.stdout.close()


def main() -> None:
    """Answer questions until stdin ends."""
    home = Path(os.environ["HOME"])
    runtime = Path(os.environ["ALIGHT_RUNTIME_DIR"])
    places = Places(runtime, home / ".config/alight", home / ".local/share/alight", home / ".local/state/alight")
    asker = Asker(places, os.fsencode(home))
    while True:
        try:
            question = pickle.load(sys.stdin.buffer)
        except EOFError:
            return
        pickle.dump(asker.ask(*question), sys.stdout.buffer)
        sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
