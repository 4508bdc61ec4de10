"""install.sh ends with the compiled client where a compiler is present, also when it came later."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from conformance.test_install import Machine
from support.checkout import succeed

pytestmark = pytest.mark.limit(300)


@pytest.fixture
def machine(tmp_path: Path, home: Path) -> Iterator[Machine]:
    """A machine without a compiler, and an empty home."""
    machine = Machine(tmp_path, home)
    yield machine
    if (home / ".local/share/alight").exists():  # the test failed half-way: its daemon must not stay
        machine.run("--uninstall")


def client(machine: Machine) -> str:
    """The client that the hook of bash calls."""
    hook = (machine.home / ".local/share/alight/hooks/alight.bash").read_text()
    (line,) = [line for line in hook.splitlines()[:4] if line.startswith("__alight_client=")]
    return line.rpartition("/")[2].strip("'\"")


def test_a_compiler_that_came_later_is_used(machine: Machine) -> None:
    """Without one the client in Python is installed, with one the compiled client, once and for all."""
    machine.install("--no-modify-rc")
    assert client(machine) == "query.py"
    assert "nothing was changed" in machine.install("--no-modify-rc")

    machine.add("cc", "as", "ld")
    machine.install("--no-modify-rc")
    assert client(machine) == "alight-query"
    data = machine.home / ".local/share/alight"
    (program,) = data.glob("env/lib/python3*/site-packages/alight/alight-query")
    answer = succeed(program, f"{machine.env['ALIGHT_RUNTIME_DIR']}/alight.sock", "ping", env={"ALIGHT_DEADLINE": "5"})
    assert answer.split("\x1f")[4] == "pong"

    for name in ("cc", "as", "ld"):
        (machine.bin / name).unlink()
    assert "nothing was changed" in machine.install("--no-modify-rc")
    assert client(machine) == "alight-query"


def test_a_compiler_that_fails_is_tried_once(machine: Machine) -> None:
    """One that does not work costs nothing but speed: the installation succeeds, a second run changes nothing."""
    (machine.bin / "cc").write_text("#!/bin/sh\nexit 1\n")
    (machine.bin / "cc").chmod(0o755)
    machine.install("--no-modify-rc")
    assert client(machine) == "query.py"
    assert machine.works()
    assert "nothing was changed" in machine.install("--no-modify-rc")
