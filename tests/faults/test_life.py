"""Faults of the daemon's life: killed, stopped, doubled, and made unreachable (reliability 3 A, B and D)."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from alight import query
from alight.lifecycle.lock import holder
from support.daemon import ECHO, DaemonInstance, alight_python
from support.echo import echo_python, places_in
from support.until import until

UID = os.getuid()
SCRIPT = [sys.executable, "-I", "-S", query.__file__]


@pytest.fixture
def python(tmp_path: Path) -> Path:
    """What ``spawn`` is given as PYTHON: it notes each start, then serves."""
    script = echo_python(tmp_path)
    lines = script.read_text().splitlines()
    script.write_text("\n".join([lines[0], f"echo $$ >>'{tmp_path}/starts'", *lines[1:]]) + "\n")
    return script


def starts(python: Path) -> int:
    """How often a daemon was started."""
    file = python.with_name("starts")
    return len(file.read_text().splitlines()) if file.exists() else 0


def spawn(
    runtime: Path, python: Path, *, env: dict[str, str] | None = None, pass_fds: tuple[int, ...] = ()
) -> subprocess.CompletedProcess[bytes]:
    """``query.py spawn`` as a hook calls it."""
    words = [*SCRIPT, "spawn", str(runtime), str(python)]
    return subprocess.run(words, capture_output=True, timeout=30, check=False, env=env, pass_fds=pass_fds)


def pid_of(runtime: Path) -> int:
    """The serving daemon's process id."""
    found = holder(places_in(runtime), UID)
    return found.pid if found else 0


@contextmanager
def ended(runtime: Path) -> Iterator[None]:
    """Whatever daemon serves ``runtime`` at the end of the block is killed."""
    try:
        yield
    finally:
        found = pid_of(runtime)
        if found:
            os.kill(found, signal.SIGKILL)
            until("the killed daemon's lock is free", lambda: not pid_of(runtime))


@pytest.mark.limit(120)
def test_two_hundred_shells_start_one_daemon(runtime_directory: Path, python: Path) -> None:
    """However many spawn at once, exactly one daemon is started, and each spawn ends with a serving one."""
    with ended(runtime_directory):
        words = [*SCRIPT, "spawn", str(runtime_directory), str(python)]
        shells = [subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) for _ in range(200)]
        codes, said = set(), set()
        for shell in shells:
            _, error = shell.communicate(timeout=60)
            codes.add(shell.returncode)
            said.add(error)
        assert (codes, said) == ({0}, {b""})
        assert starts(python) == 1


def test_the_daemon_is_detached(runtime_directory: Path, python: Path) -> None:
    """Own session, working directory /, no descriptor of the shell, only the listed variables."""
    environ = {**os.environ, "SECRET": "s", "LC_ALL": "C.UTF-8"}
    reading, writing = os.pipe()
    with ended(runtime_directory):
        try:
            assert spawn(runtime_directory, python, pass_fds=(writing,), env=environ).returncode == 0
        finally:
            os.close(writing)
        assert os.read(reading, 1) == b"", "the daemon holds a descriptor of the shell"
        os.close(reading)
        pid = pid_of(runtime_directory)
        assert os.getsid(pid) not in (os.getsid(0), 0)
        environment = Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
        assert os.readlink(f"/proc/{pid}/cwd") == "/"
        assert b"LC_ALL=C.UTF-8" in environment
        assert f"ALIGHT_RUNTIME_DIR={runtime_directory}".encode() in environment
        assert b"SECRET=s" not in environment


def test_killed_and_started_again(runtime_directory: Path, python: Path) -> None:
    """Kill -9 leaves lock and socket behind; the next start serves without a manual step."""
    with ended(runtime_directory):
        assert spawn(runtime_directory, python).returncode == 0
        first = pid_of(runtime_directory)
        os.kill(first, signal.SIGKILL)
        until("its lock is free", lambda: not pid_of(runtime_directory))
        assert (runtime_directory / "alight.sock").exists()
        assert subprocess.run([*SCRIPT, runtime_directory / "alight.sock", "ping"], check=False).returncode == 3
        assert spawn(runtime_directory, python).returncode == 0
        assert pid_of(runtime_directory) not in (0, first)


def test_a_second_daemon_refuses(runtime_directory: Path) -> None:
    """While one daemon holds the lock another ends at once, says who serves, and leaves the socket alone."""
    with DaemonInstance(ECHO) as daemon:
        inode = os.stat(daemon.socket).st_ino
        second = DaemonInstance(ECHO)
        second.output = runtime_directory.with_name("second.output")
        with second.start(wait=False):
            assert second.wait() != 0
            assert f"pid {daemon.process.pid}" in second.said()
        assert os.stat(daemon.socket).st_ino == inode
        assert daemon.answers()


def test_a_removed_socket_heals_within_one_spawn(runtime_directory: Path, python: Path) -> None:
    """After its socket is removed the same daemon is reachable again; spawning meanwhile starts no other."""
    with ended(runtime_directory):
        assert spawn(runtime_directory, python).returncode == 0
        pid = pid_of(runtime_directory)
        os.unlink(runtime_directory / "alight.sock")
        assert spawn(runtime_directory, python).returncode == 0
        assert (pid_of(runtime_directory), starts(python)) == (pid, 1)


def test_a_removed_runtime_directory_ends_the_daemon(runtime_directory: Path, python: Path) -> None:
    """A daemon that nobody can reach any more leaves by itself; the next start is clean."""
    with ended(runtime_directory):
        assert spawn(runtime_directory, python).returncode == 0
        pid = pid_of(runtime_directory)
        runtime_directory.rename(runtime_directory.with_name("away"))
        until("the daemon left", lambda: _is_gone(pid), 8)
        assert spawn(runtime_directory, python).returncode == 0
        assert pid_of(runtime_directory) != pid


@pytest.mark.parametrize("mode", [0o755, 0o770, 0o701])
def test_open_runtime_directories_are_refused(runtime_directory: Path, python: Path, mode: int) -> None:
    """A directory that others may enter is not used, and stderr says which chmod to run."""
    runtime_directory.mkdir()
    runtime_directory.chmod(mode)
    ended_with = spawn(runtime_directory, python)
    assert ended_with.returncode == 3
    assert f"chmod 700 {runtime_directory}".encode() in ended_with.stderr
    assert starts(python) == 0


def test_a_linked_runtime_directory_is_refused(runtime_directory: Path, python: Path) -> None:
    """A link in its place is not followed, wherever it leads."""
    elsewhere = runtime_directory.with_name("elsewhere")
    elsewhere.mkdir(mode=0o700)
    runtime_directory.symlink_to(elsewhere)
    ended_with = spawn(runtime_directory, python)
    assert (ended_with.returncode, list(elsewhere.iterdir()), starts(python)) == (3, [], 0)
    assert b"not a directory of ours" in ended_with.stderr


def test_sudo_gets_no_daemon(runtime_directory: Path, python: Path) -> None:
    """Root by way of sudo is refused before anything is made; any other user may have come through sudo."""
    ended_with = spawn(runtime_directory, python, env={**os.environ, "SUDO_UID": "1000"})
    with ended(runtime_directory):
        assert ended_with.returncode == (3 if UID == 0 else 0)
        assert runtime_directory.exists() == (UID != 0)


def test_a_crash_loop_is_paused(runtime_directory: Path, tmp_path: Path) -> None:
    """After three failed starts in a minute nothing is started, and one line says so."""
    broken = tmp_path / "python"
    broken.write_text(f"#!/bin/sh\necho $$ >>'{tmp_path}/starts'\nexit 1\n")
    broken.chmod(0o700)
    for _ in range(3):
        assert spawn(runtime_directory, broken).returncode == 3
    paused = spawn(runtime_directory, broken)
    assert paused.returncode == 3
    assert paused.stderr.count(b"\n") == 1
    assert starts(broken) == 3


def test_a_stopped_daemon_costs_the_deadline(runtime_directory: Path) -> None:
    """SIGSTOP: connected or not, backlog full or not, a client ends with Expired; after SIGCONT it is served."""
    with DaemonInstance(ECHO) as daemon:
        daemon.signal(signal.SIGSTOP)
        until(
            "it stopped",
            lambda: Path(f"/proc/{daemon.process.pid}/stat").read_text().rpartition(")")[2].split()[0] == "T",
        )
        waiting: list[socket.socket] = []
        try:
            assert subprocess.run([*SCRIPT, daemon.socket, "ping"], check=False).returncode == 4
            while True:
                peer = socket.socket(socket.AF_UNIX)
                peer.setblocking(False)
                waiting.append(peer)
                if peer.connect_ex(daemon.socket):
                    break
            assert len(waiting) > 1000
            assert subprocess.run([*SCRIPT, daemon.socket, "ping"], check=False).returncode == 4
            with pytest.raises(query.Expired):
                query.exchange(daemon.socket, [b"1", b"ping", b"i", b""], 0.1)
        finally:
            for peer in waiting:
                peer.close()
            daemon.signal(signal.SIGCONT)
        until("it serves again", daemon.answers)


def test_a_stopped_daemon_is_not_doubled(runtime_directory: Path, python: Path) -> None:
    """While a silent daemon holds its lock, spawning starts no other and counts no failure."""
    with ended(runtime_directory):
        assert spawn(runtime_directory, python).returncode == 0
        pid = pid_of(runtime_directory)
        os.kill(pid, signal.SIGSTOP)
        assert spawn(runtime_directory, python).returncode == 3
        os.kill(pid, signal.SIGCONT)
        assert starts(python) == 1
        assert not (runtime_directory / "failures").exists()
        assert spawn(runtime_directory, python).returncode == 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_told_to_leave_under_load(runtime_directory: Path, number: signal.Signals) -> None:
    """SIGTERM and SIGINT end a busy daemon cleanly: exit 0, no socket, no heartbeat, lock free; clients see the end."""
    with DaemonInstance(ECHO) as daemon:
        busy = threading.Event()

        def hammer() -> None:
            while query.ping(daemon.socket, 2):
                busy.set()

        threads = [threading.Thread(target=hammer) for _ in range(4)]
        for thread in threads:
            thread.start()
        assert busy.wait(5)
        daemon.signal(number)
        assert daemon.wait(5) == 0
        for thread in threads:
            thread.join(5)
        assert holder(places_in(runtime_directory), UID) is None
    assert not (runtime_directory / "alight.sock").exists()
    assert not (runtime_directory / "alive").exists()


def test_a_closed_terminal_changes_nothing(runtime_directory: Path) -> None:
    """SIGHUP is ignored."""
    with DaemonInstance(ECHO) as daemon:
        daemon.signal(signal.SIGHUP)
        assert daemon.answers()
        assert daemon.process.poll() is None


def test_few_descriptors_are_raised(runtime_directory: Path) -> None:
    """Started with a soft limit of 64 files, the daemon serves hundreds of connections at once."""
    code = (
        "import resource as r, runpy; r.setrlimit(r.RLIMIT_NOFILE, (64, r.getrlimit(r.RLIMIT_NOFILE)[1]))\n"
        "runpy.run_module('support.echo', run_name='__main__')"
    )
    with DaemonInstance(["-c", code]) as daemon:
        peers = [socket.socket(socket.AF_UNIX) for _ in range(300)]
        try:
            for peer in peers:
                peer.connect(daemon.socket)
                peer.sendall(query.GREETING + query.READY)
            assert daemon.answers()
        finally:
            for peer in peers:
                peer.close()


def test_an_endless_message_is_bounded(runtime_directory: Path) -> None:
    """A client that never ends its message makes the daemon leave in good order; the next one serves."""
    with DaemonInstance(ECHO) as daemon:
        stream = query._Connection(time.monotonic() + 30)
        stream.connect(daemon.socket)
        stream.shake_hands()
        piece = (b"\x03" + (60_000).to_bytes(8, "big") + b"x" * 60_000) * 16
        try:
            # Kept open afterwards: what was sent stays in memory until the self-check looks.
            with contextlib.suppress(OSError, query.Expired):
                for _ in range(600):
                    stream.send(piece)
            until("it ended in good order", lambda: daemon.process.poll() is not None, 10)
        finally:
            stream.close()
        assert daemon.process.returncode == 0
        assert "memory in use" in daemon.said()
        daemon.start()
        assert daemon.answers()


def test_the_command_itself(runtime_directory: Path, tmp_path: Path) -> None:
    """``python -m alight daemon run`` as spawned by a hook: many at once, killed, started again, told to leave."""
    python = alight_python(tmp_path)
    with ended(runtime_directory):
        words = [*SCRIPT, "spawn", str(runtime_directory), str(python)]
        shells = [subprocess.Popen(words) for _ in range(20)]
        assert {shell.wait(30) for shell in shells} == {0}
        first = pid_of(runtime_directory)
        os.kill(first, signal.SIGKILL)
        assert spawn(runtime_directory, python).returncode == 0
        second = pid_of(runtime_directory)
        assert second not in (0, first)
        os.kill(second, signal.SIGTERM)
        until("it left", lambda: not pid_of(runtime_directory), 2)
        assert not (runtime_directory / "alight.sock").exists()


def _is_gone(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True
