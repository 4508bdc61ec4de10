"""Two shells in one project: what happens in one is known in the other, in zsh before anybody touches a key.

How long each took, from the end of the command to the sight of it, is printed (``pytest -rP``) and kept as a property
of the test; what a machine can do is no matter of right or wrong here.
"""

from __future__ import annotations

import os
import shlex
import shutil
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from bench import vitals
from bench.installing import generation, generation_file
from support.shells import ShellSession
from support.until import until
from support.wheels import install, pip_command, wheel
from support.world import PATH, World, base_python

Report = Callable[[str, object], None]


class Pair:
    """``other`` does something; ``shell`` is looked at. Both stand in the project ``root``."""

    def __init__(
        self, world: World, kind: str, root: Path, report: Report, env: Mapping[str, str] | None = None
    ) -> None:
        self.kind = kind
        self.root = root
        self.other = world.shell(kind, root, env)
        self.shell = world.shell(kind, root)
        self._report = report

    def do(self, line: str) -> None:
        """Type a line in the other shell."""
        self.other.run(line, deadline=60)

    def sees(self, what: str, condition: Callable[[], bool]) -> None:
        """Wait until the shell shows something: zsh by itself, the others at their next prompt."""
        began = time.monotonic()

        def shown() -> bool:
            if self.kind == "zsh":
                self.shell.refresh()
            else:
                self.shell.run("")
            return condition()

        until(f"{self.kind} knows of {what}", shown, 15)
        milliseconds = round(1000 * (time.monotonic() - began))
        self._report(f"{self.kind}: {what}", milliseconds)
        print(f"{self.kind}: {what} after {milliseconds} ms")

    def prompt(self) -> str:
        """The line with the cursor, as a person sees it."""
        lines = self.shell.screen().splitlines()
        return lines[-1] if lines else ""

    def environment(self) -> bytes | None:
        """What the looked-at shell has active."""
        return self.shell.variable("VIRTUAL_ENV")


def project(world: World) -> Path:
    """One without an environment."""
    root = world.project("app", environment=None)
    (root / "pyproject.toml").write_text('[project]\nname = "app"\nversion = "1"\nrequires-python = ">=3.8"\n')
    return root


def venv() -> str:
    """The line that makes an environment."""
    return f"{base_python()} -m venv --without-pip .venv"


def test_an_environment_that_is_made_and_removed(world: World, kind: str, record_property: Report) -> None:
    """`python -m venv .venv` in one shell switches it on in the other, `rm -rf .venv` off again, and so once more."""
    pair = Pair(world, kind, project(world), record_property)
    for _ in range(2):
        pair.do(venv())
        pair.sees("python -m venv .venv", lambda: "(app " in pair.prompt())
        assert pair.environment() == os.fsencode(pair.root / ".venv")
        pair.do("rm -rf .venv")
        pair.sees("rm -rf .venv", lambda: "(app " not in pair.prompt())
        assert pair.environment() is None


def test_a_shell_that_came_by_a_remembered_answer(world: World, kind: str, record_property: Report) -> None:
    """A shell that walked in without asking anybody hears of what happens there as well."""
    root = world.trusted("app")
    pair = Pair(world, kind, root, record_property)
    for _ in range(2):
        pair.shell.cd(world.home)
        pair.shell.cd(root)
    asked = world.questions()
    pair.shell.cd(world.home)
    pair.shell.cd(root)
    assert world.questions() == asked
    pair.do("rm -rf .venv")
    pair.sees("an environment that was removed", lambda: "(" not in pair.prompt())
    assert pair.environment() is None


def test_a_directory_that_is_no_project(world: World, kind: str, record_property: Report) -> None:
    """Also where nothing marks a project, an environment made in one shell is switched on in the other."""
    pair = Pair(world, kind, world.directory("bare"), record_property)
    pair.do(venv())
    pair.sees("python -m venv .venv, no project", lambda: "(bare " in pair.prompt())
    assert pair.environment() == os.fsencode(pair.root / ".venv")


def test_uv_sync(world: World, kind: str, record_property: Report) -> None:
    """`uv sync` makes the environment and the lock file; the other shell has it."""
    tools = world.directory("tools")
    uv = shutil.which("uv", path=f"{Path(sys.executable).parent}:{os.environ['PATH']}")
    assert uv is not None, "uv belongs to the test environment"
    (tools / "uv").symlink_to(uv)
    env = {"PATH": f"{tools}:{PATH}", "UV_OFFLINE": "1", "UV_NO_CACHE": "1", "UV_PYTHON": base_python()}
    pair = Pair(world, kind, project(world), record_property, env)
    pair.do("uv sync")
    pair.sees("uv sync", lambda: "(app " in pair.prompt())
    assert pair.environment() == os.fsencode(pair.root / ".venv")
    assert (pair.root / "uv.lock").is_file()


def test_an_edited_manifest(world: World, kind: str, record_property: Report) -> None:
    """A requires-python that the active environment does not meet changes the other shell's prompt."""
    pair = Pair(world, kind, world.trusted("app"), record_property)
    pair.sees("the environment", lambda: "(app" in pair.prompt())
    before = pair.prompt()
    text = r"[project]\nname = \"app\"\nversion = \"1\"\nrequires-python = \">=3.99\"\n"
    pair.do(f'printf "{text}" > pyproject.toml')
    pair.sees("an edited pyproject.toml", lambda: pair.prompt() != before)
    assert pair.shell.variable("ALIGHT_STATE") == b"mismatch"


def test_an_installed_package(world: World, kind: str, record_property: Report) -> None:
    """`pip install x` makes the other shell ask again; the one it is typed in has alight off, so nobody else asks."""
    root, wheels = world.trusted("app"), world.directory("wheels")
    wheel(wheels, "x")
    pair = Pair(world, kind, root, record_property, {"ALIGHT_DISABLE": "1"})
    settled(world, pair.shell)
    asked = world.questions()
    pair.do(shlex.join([*pip_command(root / ".venv", wheels), "x"]))
    pair.sees("pip install", lambda: world.questions() > asked)


def settled(world: World, shell: ShellSession) -> None:
    """Wait until a prompt asks nothing any more."""

    def asks_nothing() -> bool:
        asked = world.questions()
        shell.run("")
        return world.questions() == asked

    until("a prompt without news asks nothing", asks_nothing)


def test_a_big_installation_is_told_twice_at_most(world: World, record_property: Report) -> None:
    """`pip install` of fifty packages is one piece of news, or two; what it costs the daemon is reported."""
    root, wheels = world.trusted("app"), world.directory("wheels")
    names = [f"package{number}" for number in range(50)]
    for name in names:
        wheel(wheels, name)
    world.shell("bash", root)
    file = generation_file(root)
    first, former = generation(file), vitals.look(world.daemon.process.pid)
    install(root / ".venv", wheels, names)
    installed = time.time()
    until("the installation is told", lambda: generation(file) > first)
    until("it has been quiet for long", lambda: time.time() - max(installed, file.stat().st_mtime) > 3, 30)
    told = generation(file) - first
    spent = vitals.look(world.daemon.process.pid).processor_ns - former.processor_ns
    record_property("notifications", told)
    record_property("milliseconds of the daemon's CPU", round(spent / 1e6))
    print(f"pip install of 50 packages: {told} notifications, {spent / 1e6:.0f} ms of the daemon's CPU")
    assert told <= 2
