"""`alight watch`: on a terminal, in a pipe, and through a restart of the daemon."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pexpect
import pyte
import pytest

from alight.cli import following
from alight.client import Client
from alight.errors import DeadlineExpired, Unreachable
from alight.model import Event, Stamp
from alight.wire.messages import Header, Message
from alight.wire.requests import Decide, Follow, FollowReply, Stop
from support.commandline import alight
from support.daemon import SOURCES, DaemonInstance
from support.playfield import Playfield, write
from support.until import until

EVENT = Event(3, 1_790_000_000_007_000_000, "lock-changed", b"/code/\xff app", None, "uv.lock changed")


class Follows:
    """Answers ``follow`` with what a test prepared, one after the other; an exception is raised."""

    def __init__(self, *replies: tuple[str, FollowReply] | Exception) -> None:
        self.replies = list(replies)
        self.asked: list[tuple[str, int]] = []

    def request(self, message: Message) -> tuple[Header, Message]:
        assert isinstance(message, Follow)
        self.asked.append((message.epoch, message.after))
        reply = self.replies.pop(0)
        if isinstance(reply, Exception):
            raise reply
        return Header("0.1.0", b"1", Stamp(reply[0], 1), b""), reply[1]


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(following, "PAUSE_SECONDS", 0)


def gone() -> Exception:
    """What ends a following in these tests, whatever was tried again before."""
    return Unreachable("no daemon answers", "alight daemon start")


def test_an_event_a_line(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """Each event is one JSON document on a line, with the names that the help gives; exit 3 when the daemon is lost."""
    service = Follows(("e", FollowReply((), 2)), ("e", FollowReply((EVENT,), 3)), *[gone() for _ in range(6)])
    assert alight("watch", str(tmp_path), "--json", service=service) == 3
    printed = capsys.readouterr()
    assert [json.loads(line) for line in printed.out.splitlines()] == [
        {
            "time": "2026-09-21T14:13:20.007Z",
            "event": "lock-changed",
            "root": "/code/\udcff app",
            "prefix": None,
            "message": "uv.lock changed",
        }
    ]
    assert service.asked[:3] == [("", -1), ("e", 2), ("e", 3)]


def test_a_daemon_that_was_restarted(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """Its end and its silence are survived; that something may be missing is said once, and no event comes twice."""
    service = Follows(
        ("e", FollowReply((), 9)), gone(), DeadlineExpired("late"), ("f", FollowReply((EVENT,), 3)),
        ("f", FollowReply((), 3)), *[gone() for _ in range(6)],
    )  # fmt: skip
    assert alight("watch", str(tmp_path), "--json", service=service) == 3
    printed = capsys.readouterr()
    assert len(printed.out.splitlines()) == 1
    assert printed.err.count("restarted") == 1
    assert service.asked[3:5] == [("e", 9), ("f", 3)]


def test_no_daemon(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """Where none can be started there is nothing to watch: exit 3, and no event is printed."""
    assert alight("watch", str(tmp_path), service=Follows(gone())) == 3
    printed = capsys.readouterr()
    assert printed.out == ""
    assert "no daemon answers" in printed.err


@pytest.fixture
def daemon(field: Playfield) -> Iterator[DaemonInstance]:
    """A daemon whose home is the playfield's."""
    environ = {**os.environ, "HOME": str(field.home), "TERM": "xterm-256color", "LC_ALL": "C.UTF-8"}
    with DaemonInstance(environ=environ) as instance:
        yield instance
        # One that `alight watch` started meanwhile.
        Client(instance.places(), 2.0).request(Stop())
        until("the daemon is gone", lambda: not os.path.exists(instance.socket))


@pytest.fixture
def root(field: Playfield) -> Path:
    """A project without an environment."""
    write(field.home / "code/app/pyproject.toml", '[project]\nname = "app"\n')
    return field.home / "code/app"


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "alight", "watch", *arguments]


def environ(daemon: DaemonInstance) -> dict[str, str]:
    return {**daemon.environ, "PYTHONPATH": str(SOURCES / "daemon")}


def test_events_in_a_pipe(daemon: DaemonInstance, root: Path, field: Playfield) -> None:
    """What happens in a folder that no shell is in is told, line by line, and a reader that leaves ends it quietly."""
    process = subprocess.Popen(
        command(str(root)), env=environ(daemon), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stderr is not None
    until("it follows", lambda: _watched(daemon) > 0)
    field.venv(root / ".venv")
    seen = [json.loads(process.stdout.readline())]
    while seen[-1]["event"] != "environment-created":
        seen.append(json.loads(process.stdout.readline()))
    assert (seen[-1]["root"], seen[-1]["prefix"]) == (str(root), str(root / ".venv"))
    decision = Decide("deny", os.fsencode(root), (b"HOME=" + os.fsencode(field.home),))
    Client(daemon.places(), 5.0).request(decision)
    while seen[-1]["event"] != "trust-changed":
        seen.append(json.loads(process.stdout.readline()))
    assert "is denied now" in seen[-1]["message"]
    shutil.rmtree(root / ".venv")
    while seen[-1]["event"] != "environment-deleted":
        seen.append(json.loads(process.stdout.readline()))
    assert set(seen[-1]) == {"time", "event", "root", "prefix", "message"}
    process.stdout.close()
    assert process.wait(10) == 0
    assert process.stderr.read() == ""
    process.stderr.close()


def _watched(daemon: DaemonInstance) -> int:
    from alight.wire.requests import GetStatus, StatusReply

    _, reply = Client(daemon.places(), 5.0).request(GetStatus())
    assert isinstance(reply, StatusReply)
    return reply.watched


class Terminal:
    """The command on a pty, and the screen as a person sees it."""

    def __init__(self, daemon: DaemonInstance, root: Path) -> None:
        words = command(str(root))
        self.screen = pyte.Screen(100, 30)
        self._stream = pyte.ByteStream(self.screen)
        self.child = pexpect.spawn(words[0], words[1:], env=environ(daemon), dimensions=(30, 100), timeout=10)  # type: ignore[arg-type]
        self.octets = b""

    def shows(self, text: str) -> bool:
        try:
            octets = self.child.read_nonblocking(65536, 0.02)
        except (pexpect.TIMEOUT, pexpect.EOF):
            octets = b""
        self.octets += octets
        self._stream.feed(octets)
        return any(text in line for line in self.screen.display)

    def ends(self, key: str) -> int | None:
        self.child.send(key)
        self.octets += self.child.read()
        self.child.wait()
        return self.child.exitstatus


@pytest.mark.parametrize("key", ["q", "\x03"])
def test_on_a_terminal(daemon: DaemonInstance, root: Path, field: Playfield, key: str) -> None:
    """The environment and the event appear by themselves; q and Ctrl-C end it well and give the screen back."""
    terminal = Terminal(daemon, root)
    until("the project is shown", lambda: terminal.shows("project"), 15)
    field.venv(root / ".venv")
    until("the event is shown", lambda: terminal.shows("environment-created"), 15)
    until("the environment is shown", lambda: terminal.shows("3.11.7"), 15)
    assert terminal.ends(key) == 0
    assert terminal.octets.count(b"\x1b[?1049h") == terminal.octets.count(b"\x1b[?1049l") == 1
    assert terminal.octets.rindex(b"\x1b[?25h") > terminal.octets.rindex(b"\x1b[?25l")


def test_a_restart_is_survived(daemon: DaemonInstance, root: Path, field: Playfield) -> None:
    """After the daemon was killed another is started, that is said, and events go on."""
    terminal = Terminal(daemon, root)
    until("the project is shown", lambda: terminal.shows("project"), 15)
    daemon.process.send_signal(signal.SIGKILL)
    daemon.process.wait()
    until("that is said", lambda: terminal.shows("restarted"), 20)
    field.venv(root / ".venv")
    until("the event is shown", lambda: terminal.shows("environment-created"), 15)
    assert terminal.ends("q") == 0
