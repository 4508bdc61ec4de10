"""The hooks of bash and fish with the compiled client: no Python for a question, the other client to start a daemon."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from alight import query
from conformance.clients.builds import build
from conformance.clients.callers import Ended, Program
from support.daemon import alight_python
from support.shells import ShellSession, quote
from support.until import until
from support.world import World, base_python, hook


@pytest.fixture
def world(home: Path) -> Iterator[World]:
    """A world of the test's own."""
    made = World(home)
    yield made
    made.close()


@pytest.fixture(params=["bash", "fish", "zsh"])
def kind(request: pytest.FixtureRequest) -> str:
    """The shell under test."""
    return str(request.param)


@pytest.fixture
def compiled(tmp_path: Path) -> Path:
    """The compiled client, beside the one in Python as in a package."""
    package = tmp_path / "a package"
    package.mkdir()
    shutil.copy2(build("compiled"), package / "alight-query")
    source = Path(query.__file__).parent
    shutil.copy2(source / "query.py", package)
    (package / "lifecycle").symlink_to(source / "lifecycle")
    return package / "alight-query"


def shell(world: World, kind: str, cwd: Path, client: Path, python: str) -> ShellSession:
    """A shell whose hook was told to use this client and this interpreter."""
    programs = {"__alight_client": os.fsencode(client), "__alight_python": os.fsencode(python)}
    programs["__alight_daemon_python"] = os.fsencode(alight_python(client.parent))
    assign = "set -g {} {}" if kind == "fish" else "{}={}"
    told = client.parent / f"hook.{kind}"
    lines = hook(kind).split(b"\n")
    own = [assign.format(name, quote(kind, value)).encode() for name, value in programs.items()]
    told.write_bytes(b"\n".join([*lines[:4], *own, *lines[4:]]))
    return world.shell(kind, cwd, after=[f"source {quote(kind, os.fsencode(told))}"], daemon=False)


def test_no_python_for_a_question(world: World, kind: str, compiled: Path) -> None:
    """Entering and leaving work while there is no interpreter at all."""
    root = world.trusted("app")
    session = shell(world, kind, world.home, compiled, "/nowhere/python")
    session.cd(root)
    assert session.variable("VIRTUAL_ENV") == os.fsencode(root / ".venv")
    assert session.cd(world.home).strip() == ""
    assert session.variable("VIRTUAL_ENV") is None


def test_a_daemon_is_started_by_the_other_client(world: World, kind: str, compiled: Path) -> None:
    """Where nobody serves the hook starts a daemon with query.py, and a later prompt is answered."""
    root = world.trusted("app")
    world.daemon.kill()
    session = shell(world, kind, root, compiled, base_python())
    until("a daemon serves", lambda: query.ping(world.daemon.socket, 1), 20)
    until("the prompt knows", lambda: session.run("") is None or session.variable("VIRTUAL_ENV"), 20)
    assert session.variable("VIRTUAL_ENV") == os.fsencode(root / ".venv")


def test_the_compiled_client_starts_one_too(world: World, compiled: Path) -> None:
    """``alight-query spawn`` is that of ``query.py``; without it, or without an interpreter, the exit code is 3."""
    client = Program("compiled", str(compiled))
    socket = world.daemon.socket
    runtime = os.path.dirname(socket)
    world.daemon.kill()
    python = os.fsencode(alight_python(compiled.parent))
    assert client.run(b"spawn", runtime, b"/nowhere/python") == Ended(3)
    assert client.run(b"spawn", runtime, python) == Ended(0)
    assert query.ping(socket, 5)
    (compiled.parent / "query.py").unlink()
    assert client.run(b"spawn", runtime, python) == Ended(3)
