"""Asks a daemon and a resolver that knows nothing the same question, wherever both see the same disk.

As a program (``python -m conformance.freshness.asker``) it reads questions from stdin and writes a reply for each to
stdout, for those that have a view of the disk of their own.
"""

from __future__ import annotations

import itertools
import os
import pickle
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Protocol

from alight.client import Client
from alight.model import Answer
from alight.paths import Places
from alight.wire.requests import AnswerReply, Decide, Follow, GetAnswer, GetStatus, StatusReply
from conformance.freshness import launch
from conformance.freshness.compare import Pair, fresh
from conformance.freshness.shells import Shells
from support.until import until

SETTLE_SECONDS = 10.0

EVERY = 3
"""Shells ask with every third question: what is right takes long to find out."""


class Asks(Protocol):
    """Gives (what the daemon says, what is right)."""

    def ask(self, directory: bytes, variables: Mapping[str, bytes]) -> list[Pair]:
        """Pairs for one question: of shells, one of which asks what was asked before, and of a command."""

    def settle(self, variables: Mapping[str, bytes]) -> None:
        """Wait until the pools that these variables name are read: shells are told when, and answered before."""

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
        self._shells = Shells(places.socket, home, places.trust)
        self._former = home
        self._turns = itertools.count()

    def ask(self, directory: bytes, variables: Mapping[str, bytes]) -> list[Pair]:
        # They first: nothing that a command asks has refreshed what the daemon knows.
        shells = next(self._turns) % EVERY == 0
        plans = self._shells.ask((directory, self._former), variables) if shells else []
        self._former = directory
        given = self._settled(directory, variables)
        return [*plans, (given, fresh(directory, variables, self._home, self._places.trust))]

    def settle(self, variables: Mapping[str, bytes]) -> None:
        self._settled(self._home, variables)

    def _settled(self, directory: bytes, variables: Mapping[str, bytes]) -> Answer:
        frames = tuple(name.encode() + b"=" + value for name, value in variables.items())

        def settled() -> Answer | None:
            _, reply = self._client.request(GetAnswer(directory, frames))
            assert isinstance(reply, AnswerReply)
            return reply.answer if reply.settled else None

        return until("what lies in the pools is read", settled, SETTLE_SECONDS)

    def close(self) -> None:
        """Let go of the daemon."""
        self._shells.close()

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

    def ask(self, directory: bytes, variables: Mapping[str, bytes]) -> list[Pair]:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        pickle.dump((directory, dict(variables)), self._process.stdin)
        self._process.stdin.flush()
        pairs = pickle.load(self._process.stdout)
        assert isinstance(pairs, list)
        return pairs

    def settle(self, variables: Mapping[str, bytes]) -> None:
        self._near.settle(variables)

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
    with closing(Asker(places, os.fsencode(home))) as asker:
        while True:
            try:
                question = pickle.load(sys.stdin.buffer)
            except EOFError:
                return
            pickle.dump(asker.ask(*question), sys.stdout.buffer)
            sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
