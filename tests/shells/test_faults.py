"""Whatever happens to the daemon costs a prompt at most its deadline, says at most one line, and heals by itself."""

from __future__ import annotations

import os
import signal
import socket

import pytest

from support.shells import ShellSession
from support.until import until
from support.world import World

QUICK = {"ALIGHT_DEADLINE": "0.2"}


def settle(world: World, shell: ShellSession, prefix: bytes) -> None:
    """Press Enter until the environment is on, as a person would who waits for the daemon to come up."""

    def is_on() -> bool:
        shell.run("")
        return shell.variable("VIRTUAL_ENV") == prefix

    until("the environment is on again", is_on, 20)


def test_no_daemon_at_the_first_prompt(world: World, kind: str) -> None:
    """The hook starts one; zsh then redraws by itself, bash and fish are right at a later prompt."""
    root = world.trusted("app")
    world.daemon.kill()
    shell = world.shell(kind, root, daemon=False)
    assert shell.startup.strip() == ""
    if kind == "zsh":
        shell.send_keys("echo half")
        shell.wait_screen("(app ")
        shell.wait_screen("# echo half")
        shell.send_keys("-typed\r")
        assert "half-typed" in shell.wait_prompt()
        assert shell.variable("VIRTUAL_ENV") == os.fsencode(root / ".venv")
    settle(world, shell, os.fsencode(root / ".venv"))


def test_kill_9_costs_nothing_and_heals(world: World, kind: str) -> None:
    """After kill -9 nothing is said, the environment stays while it is right, and a new daemon answers soon."""
    root, other = world.trusted("app"), world.trusted("other")
    shell = world.shell(kind, root)
    world.daemon.kill()
    assert shell.run("") == ""
    assert shell.variable("VIRTUAL_ENV") == os.fsencode(root / ".venv")
    assert shell.cd(other).strip() == ""
    settle(world, shell, os.fsencode(other / ".venv"))
    assert os.fsencode(root) not in shell.env()[b"PATH"]


def test_a_dead_daemon_that_nobody_reaped_heals(world: World, kind: str) -> None:
    """A zombie, as containers without an init keep them, is not taken for a daemon that is only slow."""
    first, second = world.trusted("app"), world.trusted("other")
    shell = world.shell(kind, first)
    os.kill(world.daemon.process.pid, signal.SIGKILL)
    os.waitid(os.P_PID, world.daemon.process.pid, os.WEXITED | os.WNOWAIT)
    shell.cd(second)
    settle(world, shell, os.fsencode(second / ".venv"))


def test_kill_9_and_leaving_leaves_at_once(world: World, kind: str) -> None:
    """Without an answer a shell never keeps the environment of a project it has left."""
    root = world.trusted("app")
    shell = world.shell(kind, root, env={"ALIGHT_DEADLINE": "0.2"})
    world.daemon.signal(signal.SIGSTOP)
    shell.cd(world.home)
    assert shell.variable("VIRTUAL_ENV") is None
    assert os.fsencode(root) not in shell.env()[b"PATH"]
    world.daemon.signal(signal.SIGCONT)


@pytest.mark.parametrize("backlog", ["empty", "full"])
def test_r04_a_stopped_daemon_is_asked_once(world: World, kind: str, backlog: str) -> None:
    """SIGSTOP: one prompt waits for the deadline, the next ones ask nobody, `alight on` asks again at once."""
    root = world.trusted("app")
    shell = world.shell(kind, env=QUICK)
    world.daemon.signal(signal.SIGSTOP)
    waiting = _fill(world.daemon.socket) if backlog == "full" else []
    assert shell.cd(root).strip() == ""
    assert shell.variable("VIRTUAL_ENV") is None
    asked = _connections(world.daemon.socket)
    for _ in range(3):
        assert shell.run("") == ""
    assert _connections(world.daemon.socket) == asked
    assert shell.variable("VIRTUAL_ENV") is None
    for one in waiting:
        one.close()
    world.daemon.signal(signal.SIGCONT)
    until("the daemon serves again", world.daemon.answers, 10)
    shell.run("alight on")
    settle(world, shell, os.fsencode(root / ".venv"))


def test_r04_a_new_shell_beside_a_stopped_daemon_is_not_held_up(world: World, kind: str) -> None:
    """SIGSTOP with the backlog full, then a new shell: its first prompt comes, silently."""
    root = world.trusted("app")
    world.daemon.signal(signal.SIGSTOP)
    waiting = _fill(world.daemon.socket)
    shell = world.shell(kind, root, env=QUICK)
    assert shell.startup.strip() == ""
    assert shell.run("echo alive").strip() == "alive"
    for one in waiting:
        one.close()
    world.daemon.signal(signal.SIGCONT)


def test_a_removed_socket_heals(world: World, kind: str) -> None:
    """The daemon notices that its socket is gone, listens again or leaves, and shells find it without a word."""
    root = world.trusted("app")
    shell = world.shell(kind)
    os.unlink(world.daemon.socket)
    assert shell.cd(root).strip() == ""
    settle(world, shell, os.fsencode(root / ".venv"))


def test_a_runtime_directory_open_to_others_is_not_used(world: World, kind: str) -> None:
    """What others could have put there is never asked; the shell stays as it is."""
    root = world.trusted("app")
    shell = world.shell(kind)
    runtime = world.daemon.runtime
    runtime.rename(runtime.with_name("moved"))
    runtime.symlink_to("moved")
    assert shell.cd(root).strip() == ""
    assert shell.variable("VIRTUAL_ENV") is None
    runtime.unlink()
    runtime.with_name("moved").rename(runtime)


def _connections(path: bytes) -> int:
    """Sockets of that name: the listening one, and one for each connection made and not yet taken."""
    with open("/proc/net/unix", "rb") as file:
        return sum(line.rstrip().endswith(path) for line in file)


def _fill(path: bytes) -> list[socket.socket]:
    """Connections that fill the backlog of a daemon that does not accept."""
    made = []
    while True:
        one = socket.socket(socket.AF_UNIX)
        one.setblocking(False)
        try:
            one.connect(path)
        except BlockingIOError:
            one.close()
            return made
        made.append(one)
