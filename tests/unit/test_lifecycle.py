"""The lock, the parts in order, identity, limits, probing and ending."""

from __future__ import annotations

import os
import resource
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from alight import __version__, query
from alight.errors import AlreadyServing, Unreachable, UnsafeDirectory
from alight.lifecycle import limits
from alight.lifecycle.detach import Failures, kept
from alight.lifecycle.identity import require_ordinary_user
from alight.lifecycle.lock import Holder, Lock, holder
from alight.lifecycle.probe import NeedsRestart, Ready, Silent, probe
from alight.lifecycle.service import Part, Service
from alight.lifecycle.start import start
from alight.lifecycle.stop import stop
from support.daemon import ECHO, DaemonInstance
from support.echo import echo_in_thread, echo_python, places_in
from support.rawserver import GREETING, READY, raw_server, read_request

UID = os.getuid()


# --- the lock -------------------------------------------------------------------------------------


def test_one_lock_for_life(runtime_directory: Path) -> None:
    """A second taker is told who holds it; after the release the lock is free, and its file stays."""
    places = places_in(runtime_directory)
    assert holder(places, UID) is None
    lock = Lock.take(places, UID)
    assert holder(places, UID) == Holder(os.getpid(), __version__)
    with pytest.raises(AlreadyServing, match=rf"pid {os.getpid()}, version {__version__}"):
        Lock.take(places, UID)
    lock.release()
    assert holder(places, UID) is None
    assert places.lock.exists()
    Lock.take(places, UID).release()


def test_looking_does_not_keep_a_daemon_from_starting(runtime_directory: Path) -> None:
    """While others look who holds the lock, a taker still gets it."""
    places = places_in(runtime_directory)
    Lock.take(places, UID).release()
    code = (
        "from pathlib import Path; from support.echo import places_in; from alight.lifecycle.lock import holder\n"
        f"places = places_in(Path({str(runtime_directory)!r})); print(flush=True)\n"
        f"while True: holder(places, {UID})"
    )
    with DaemonInstance(["-c", code]).start(wait=False) as looker:
        for _ in range(50):
            Lock.take(places, UID).release()
        assert looker.process.poll() is None


def test_unsafe_runtime_directories(runtime_directory: Path) -> None:
    """A directory open to others is refused with the chmod to run, a link and a planted lock link are refused."""
    places = places_in(runtime_directory)
    runtime_directory.mkdir(mode=0o755)
    with pytest.raises(UnsafeDirectory) as caught:
        Lock.take(places, UID)
    assert caught.value.remedy == f"chmod 700 {runtime_directory}"
    runtime_directory.chmod(0o700)
    places.lock.symlink_to("/nowhere/else")
    with pytest.raises(UnsafeDirectory, match="lock cannot be used"):
        Lock.take(places, UID)
    link = runtime_directory.with_name("link")
    link.symlink_to(runtime_directory)
    with pytest.raises(UnsafeDirectory, match="not a directory of ours"):
        Lock.take(places_in(link), UID)
    with pytest.raises(UnsafeDirectory, match="belongs to uid"):
        Lock.take(places, UID + 1)


# --- parts ----------------------------------------------------------------------------------------


class Recorder:
    """Parts that write down what happens to them."""

    def __init__(self) -> None:
        self.events: list[str] = []

    def part(self, name: str, *, fails: str = "") -> Part:
        def act(what: str) -> None:
            self.events.append(f"{what} {name}")
            if fails == what:
                raise OSError(f"{name} fails to {what}")

        return Part(name, lambda: act("start"), lambda: act("stop"))


def test_parts_stop_in_reverse() -> None:
    """First started, last stopped."""
    recorder = Recorder()
    with Service([recorder.part(name) for name in "abc"]):
        recorder.events.append("run")
    assert recorder.events == ["start a", "start b", "start c", "run", "stop c", "stop b", "stop a"]


def test_a_failed_start_stops_what_was_started() -> None:
    """Parts before the failing one are stopped, later ones never started, the error is raised."""
    recorder = Recorder()
    service = Service([recorder.part("a"), recorder.part("b", fails="start"), recorder.part("c")])
    with pytest.raises(OSError, match="b fails to start"), service:
        recorder.events.append("run")
    assert recorder.events == ["start a", "start b", "stop a"]


def test_a_failed_stop_does_not_keep_the_others() -> None:
    """Every started part is stopped, also when one stop or the work itself fails."""
    recorder = Recorder()
    service = Service([recorder.part("a"), recorder.part("b", fails="stop"), recorder.part("c")])
    with pytest.raises(OSError, match="b fails to stop"), service:
        raise ZeroDivisionError
    assert recorder.events[-3:] == ["stop c", "stop b", "stop a"]


# --- who, and how much ----------------------------------------------------------------------------


def test_who_may_have_a_daemon() -> None:
    """Uid 0 is an ordinary user; changed ids and root by way of sudo are refused in a sentence."""
    require_ordinary_user(0, 0, {})
    require_ordinary_user(1000, 1000, {"SUDO_UID": "0"})
    with pytest.raises(Unreachable, match="changed ids"):
        require_ordinary_user(1000, 0, {})
    with pytest.raises(Unreachable, match="through sudo"):
        require_ordinary_user(0, 0, {"SUDO_UID": "1000"})


def test_limits_are_raised_and_dumps_are_off() -> None:
    """The soft limit of open files becomes the hard one (at most 65,536); no core is dumped; memory has an end."""
    code = (
        "import resource as r; from alight.lifecycle import limits\n"
        "r.setrlimit(r.RLIMIT_NOFILE, (64, r.getrlimit(r.RLIMIT_NOFILE)[1])); limits.apply()\n"
        "print(r.getrlimit(r.RLIMIT_NOFILE)[0], r.getrlimit(r.RLIMIT_CORE)[0], r.getrlimit(r.RLIMIT_AS)[0])"
    )
    environ = {**os.environ, "PYTHONPATH": str(Path(limits.__file__).parents[2])}
    said = subprocess.run([sys.executable, "-c", code], env=environ, capture_output=True, text=True, check=True).stdout
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    files = limits.DESCRIPTORS if hard == resource.RLIM_INFINITY else min(hard, limits.DESCRIPTORS)
    assert said.split() == [str(files), "0", str(limits.ADDRESS_SPACE)]


def test_what_a_daemon_sees_of_the_shell(tmp_path: Path) -> None:
    """Only names of the list pass, with their octets; the runtime directory is the one asked for."""
    environ = {b"HOME": b"/h\xff", b"LC_ALL": b"C", b"XDG_DATA_HOME": b"/x", b"ALIGHT_RUNTIME_DIR": b"/other"}
    secret = {b"AWS_SECRET": b"s", b"VIRTUAL_ENV": b"/v", b"LD_PRELOAD": b"x", b"PYTHONPATH": b"/p", b"LANGUAGE": b"l"}
    assert kept({**environ, **secret}, b"/run") == {**environ, b"ALIGHT_RUNTIME_DIR": b"/run"}


def test_three_failures_in_a_minute_pause_for_ten(tmp_path: Path) -> None:
    """Spread failures, old ones, and numbers of another boot do not count; garbage is ignored."""
    directory = os.open(tmp_path, os.O_RDONLY)
    try:
        failures = Failures(directory)
        for moment in (1000, 1030, 1059):
            assert not failures.is_paused(moment)
            failures.record(moment)
        assert failures.is_paused(1059 + 599)
        assert not failures.is_paused(1059 + 600)
        assert not failures.is_paused(500)
        failures.record(1200)
        assert not failures.is_paused(1201)
        failures.forget()
        failures.forget()
        (tmp_path / "failures").write_text("x nan 1e999 -5\n1 1 1")
        assert failures.is_paused(2)
        (tmp_path / "failures").write_text("x nan 1e999 -5\n1 1")
        assert not failures.is_paused(2)
    finally:
        os.close(directory)


# --- probing, starting, ending --------------------------------------------------------------------


def test_the_three_answers_of_a_probe(runtime_directory: Path) -> None:
    """Nobody, a daemon of this version, and a daemon of another."""
    places = places_in(runtime_directory)
    assert isinstance(probe(places), Silent)
    with echo_in_thread(runtime_directory):
        found = probe(places)
        assert isinstance(found, Ready)
        assert (found.pid, found.version) == (os.getpid(), __version__)

    def other_protocol(peer: socket.socket) -> None:
        peer.sendall(b"HTTP/1.1 400 Bad\r\n\r\n")

    with raw_server(runtime_directory, other_protocol):
        assert probe(places) == NeedsRestart("")


def test_another_version_needs_a_restart(runtime_directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The version in the reply decides."""
    with echo_in_thread(runtime_directory) as echo:
        monkeypatch.setattr("alight.lifecycle.probe.__version__", "99.0")
        assert probe(echo.places) == NeedsRestart(__version__, os.getpid())


def test_start_and_stop(runtime_directory: Path, tmp_path: Path) -> None:
    """``start`` returns the daemon that serves, again the same one; ``stop`` returns when its lock is free."""
    places = places_in(runtime_directory)
    assert stop(places, UID) == "not-running"
    python = str(echo_python(tmp_path))
    first = start(places, UID, python)
    assert isinstance(first, Ready)
    again = start(places, UID, python)
    assert isinstance(again, Ready)
    assert (first.pid, first.stamp.epoch) == (again.pid, again.stamp.epoch)
    assert stop(places, UID) == "stopped"
    assert holder(places, UID) is None
    assert not places.socket.exists()


def test_a_start_that_fails_says_why(runtime_directory: Path, tmp_path: Path) -> None:
    """What the daemon printed before it died is part of the error; a person's start is never paused."""
    broken = tmp_path / "python"
    broken.write_text("#!/bin/sh\necho 'ModuleNotFoundError: no zmq here' >&2\nexit 1\n")
    broken.chmod(0o700)
    for _ in range(4):
        with pytest.raises(Unreachable, match="no zmq here"):
            start(places_in(runtime_directory), UID, str(broken))
    with pytest.raises(Unreachable, match="No such file"):
        start(places_in(runtime_directory), UID, "/nowhere/python")


def test_stop_insists(runtime_directory: Path) -> None:
    """A daemon that does not answer is ended by the process id in its lock: SIGTERM, and SIGKILL when stopped."""
    with DaemonInstance(ECHO) as daemon:
        daemon.signal(signal.SIGSTOP)
        assert stop(places_in(runtime_directory), UID, grace=0.3) == "killed"
        assert daemon.wait() == -signal.SIGKILL


def test_stop_terminates_a_holder_without_a_socket(runtime_directory: Path) -> None:
    """When nobody answers on the socket, SIGTERM to the holder is enough for a daemon that lives."""
    with DaemonInstance(ECHO) as daemon:
        os.unlink(daemon.socket)
        assert stop(places_in(runtime_directory), UID) in ("terminated", "stopped")
        assert daemon.wait() == 0


def test_a_ping_served_badly_is_no_daemon(runtime_directory: Path) -> None:
    """A peer that answers a msgpack ping with a shell's frames needs a restart."""
    with raw_server(runtime_directory, _wrong):
        assert probe(places_in(runtime_directory), 5) == NeedsRestart("")


def _wrong(peer: socket.socket) -> None:
    peer.recv(94, socket.MSG_WAITALL)
    peer.sendall(GREETING + READY)
    read_request(peer)
    peer.sendall(query.encode([b"1", b"0.1.0", b"", b"epoch", b"7", b"", b"pong", b"42"]))
    peer.recv(1)
