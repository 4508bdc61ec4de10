"""The guard of bash with a stand-in for its daemon, which asks about every line with ``pip install`` in it."""

from __future__ import annotations

import socket
from collections.abc import Callable, Sequence

from alight import query
from support import rawserver
from support.liar import in_kind
from support.shells import ShellSession
from support.until import until
from support.world import PATH, World

KIND = "bash"
SAYS = "judged number "

Fields = Sequence[bytes]


class Judge:
    """``verdict`` makes the fields of a verdict from (before, line, number of the question)."""

    def __init__(self) -> None:
        self.heard: list[list[bytes]] = []
        self.tokens: list[bytes] = []
        self.remembers: Fields = (b"done",)
        self.verdict: Callable[[bytes, bytes, int], Fields] = asking()

    def serve(self, peer: socket.socket) -> None:
        """One connection until its end."""
        rawserver._exactly(peer, len(query.GREETING + query.READY))
        peer.sendall(rawserver.GREETING + rawserver.READY)
        request = rawserver.read_request(peer)
        packed = len(request) == 1
        if packed:
            request = request[0].split(b"\0")
        reply: Fields = (b"done",)
        if request[1] == b"guard":
            before, line = request[6:8]
            self.heard.append(request[6:])
            whole = (before + line).replace(b"\\\n", b"")
            asked = b"pip install" in whole and not line.endswith(b"\\")
            reply = (b"verdict", *(self.verdict(before, line, len(self.heard)) if asked else run()))
        elif request[1] == b"always":
            self.tokens.append(request[6])
            reply = self.remembers
        frames = [b"1", b"0.1.0", request[2], b"epoch", b"1", request[5], *reply]
        peer.sendall(query.encode(in_kind(frames, packed=packed)))

    @property
    def lines(self) -> list[bytes]:
        """The lines that it was asked about."""
        return [fields[1] for fields in self.heard]

    @property
    def facts(self) -> set[bytes]:
        """What it was last told of words and variables."""
        return {frame for frame in self.heard[-1][2:] if b" " in frame.partition(b"=")[0]}


def run() -> Fields:
    """Nothing to say."""
    return (b"run", b"", b"", b"", b"")


def asking(words: Sequence[bytes] = (b"instead",), act: bytes = b"ask", once: bytes = b"") -> Callable[..., Fields]:
    """A question; ``words`` are what to run in the place of ``pip install``."""

    def verdict(_before: bytes, line: bytes, number: int) -> Fields:
        start = line.find(b"pip install")
        edit = [b"@%d:%d" % (start, start + 11), *(b"." + word for word in words)] if start >= 0 else []
        message = f"{SAYS}{number}.".encode()
        return (act, once, message, b"rpac" if edit else b"pac", b"token-1", b"-  and further", *edit)

    return verdict


class Field:
    """A shell in which ``pip`` and ``instead`` are stand-ins that write their words down."""

    def __init__(self, world: World, judge: Judge) -> None:
        self.world, self.judge = world, judge
        self.record = world.home / "record"
        for name in ("pip", "instead"):
            program = world.directory("bin") / name
            program.write_text(f"#!/bin/sh\nprintf '%s\\0' {name} \"$@\" >>{self.record}\necho {name} ran\n")
            program.chmod(0o755)

    def shell(self, *lines: str, before: Sequence[str] = ()) -> ShellSession:
        """A shell that has run ``lines`` behind the hook, with a history of its own."""
        path = {"PATH": f"{self.world.home}/bin:{PATH}"}
        return self.world.shell(KIND, env=path, before=["HISTSIZE=100", *before], after=lines, daemon=False)

    def ran(self) -> list[bytes]:
        """The words of what ran since the last time."""
        words = self.record.read_bytes().split(b"\0")[:-1] if self.record.exists() else []
        self.record.unlink(missing_ok=True)
        return words

    def ask(self, shell: ShellSession, line: str) -> None:
        """Type a line and wait for its question."""
        number = len(self.judge.heard) + 1
        shell.send_keys(line + "\r")
        shell.wait_screen(f"{SAYS}{number}.")
        shell.wait_screen("[c]ancel")

    def begin(self, shell: ShellSession, *lines: str) -> None:
        """Type the first lines of a command, each at the prompt for it."""
        for line in lines:
            self._begin(shell, line)

    def _begin(self, shell: ShellSession, line: str) -> None:
        rows = self._continuations(shell)
        shell.send_keys(line + "\r")
        until("the shell wants more of the command", lambda: self._continuations(shell) > rows, 15)

    @staticmethod
    def _continuations(shell: ShellSession) -> int:
        return sum(row.startswith(">") for row in shell.refresh().splitlines())

    def answered(self, shell: ShellSession, line: str, key: str) -> str:
        """Type a line, wait for its question, press a key, wait for the prompt; what was displayed."""
        self.ask(shell, line)
        shell.send_keys(key)
        return shell.wait_prompt()


def history(shell: ShellSession) -> list[str]:
    """The commands in the history but for the one that asks; those of several lines are one text."""
    return shell.run("fc -ln 1 | sed 's/^[[:space:]]*//'").splitlines()
