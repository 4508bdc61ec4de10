"""One question through each of the clients, with its exit code and what it printed in one form."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from alight import query
from conformance.clients.builds import build
from support.checkout import ROOT
from support.world import base_python


@dataclass(frozen=True)
class Ended:
    """How a question ended: the exit code, and the fields from the reply's verb on."""

    code: int
    fields: tuple[bytes, ...] = ()


class Client(ABC):
    """``packs`` says that it packs its request into one frame."""

    name: str
    packs = False

    @abstractmethod
    def run(self, path: bytes, *words: bytes, seconds: float = 5, env: Mapping[bytes, bytes] | None = None) -> Ended:
        """Ask; ``words`` are the verb and its fields, ``env`` the whole environment but for the deadline."""


class Program(Client):
    """A program that is started for each question."""

    def __init__(self, name: str, *command: str) -> None:
        self.name = name
        self.command = command

    def run(self, path: bytes, *words: bytes, seconds: float = 5, env: Mapping[bytes, bytes] | None = None) -> Ended:
        """Run it; whatever it says on stderr is a failure."""
        done = self.raw(path, *words, seconds=seconds, env=env)
        assert done.stderr == b"", done.stderr.decode(errors="replace")
        if not done.stdout:
            return Ended(done.returncode)
        head = done.stdout.split(b"\x1f", 4)
        assert len(head) == 5
        *fields, last = head[4].split(b"\x1f")
        assert last == b"end"
        return Ended(done.returncode, tuple(fields))

    def raw(
        self, path: bytes, *words: bytes, seconds: float = 5, env: Mapping[bytes, bytes] | None = None
    ) -> subprocess.CompletedProcess[bytes]:
        """The ended process."""
        environ = {b"ALIGHT_DEADLINE": b"%g" % seconds, **(env or {})}
        return subprocess.run([*self.command, path, *words], env=environ, capture_output=True, timeout=55, check=False)


class Zsh(Client):
    """The client inside zsh's hook: it packs, asks about its own directory, and looks at the daemon's heartbeat."""

    name = "zsh"
    packs = True
    _SCRIPT = """
        source $1
        __alight_runtime=$2 __alight_limit=$3
        PWD=$4
        shift 4
        __alight_exchange "$@"
        code=$?
        [[ $code != 0 || $__alight_reply[1] != failure ]] || code=1
        print -rn -- $code
        for field in "$__alight_reply[@]"; do print -rn -- $'\\x1f'${field//$'\\x1f'/?}; done
    """

    def __init__(self, pid: int | None = None) -> None:
        self._pid = pid or os.getpid()

    def run(self, path: bytes, *words: bytes, seconds: float = 5, env: Mapping[bytes, bytes] | None = None) -> Ended:
        """Ask by the function of the hook."""
        runtime = os.path.dirname(path)
        if os.path.isdir(runtime):
            Path(os.fsdecode(runtime), "alive").write_text(f"{self._pid} {int(time.time())}\n")
        verb = words[0].decode()
        directory = words[1 + query.VERBS[verb][1]]
        hook = ROOT / "shell" / "alight.zsh"
        done = subprocess.run(
            ["zsh", "-f", "-i", "-c", self._SCRIPT, "zsh", hook, runtime, str(seconds), directory, *words],
            env={b"LC_ALL": b"C", b"ALIGHT_RUNTIME_DIR": runtime, b"TERM": b"dumb", **(env or {})},
            stdin=subprocess.DEVNULL, capture_output=True, timeout=55, check=True,
        )  # fmt: skip
        assert done.stderr == b"", done.stderr.decode(errors="replace")
        code, *fields = done.stdout.split(b"\x1f")
        return Ended(int(code), tuple(fields))


def client(name: str) -> Client:
    """A client by its name."""
    if name == "zsh":
        return Zsh()
    if name == "python":
        return Program(name, base_python(), "-I", "-S", query.__file__)
    if name == "valgrind":
        watch = (
            shutil.which("valgrind") or "",
            "-q",
            "--error-exitcode=99",
            "--leak-check=full",
            "--show-leak-kinds=all",
        )
        return Program(name, *watch, str(build("debuggable")))
    return Program(name, str(build(name)))


ONE_SHOT = ("python", "compiled", "bare", "sanitized", "harassed")
ALL = (*ONE_SHOT, "zsh")
