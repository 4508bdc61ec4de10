"""The main job, typed as a person would type it: walk into a project and be in its environment."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from support.shells import HOSTILE_NAMES, quote
from support.world import World, base_python, remove


def version_of(prefix: Path) -> str:
    """The version pyvenv.cfg tells."""
    lines = (prefix / "pyvenv.cfg").read_text().splitlines()
    return next(line.partition("=")[2].strip() for line in lines if line.startswith("version"))


def test_one_line_about_trust_then_allow_then_active_at_the_next_prompt(world: World, kind: str) -> None:
    """An environment made elsewhere is announced once, and on from the prompt after `alight allow`."""
    root = world.project("app")
    shell = world.shell(kind)
    said = shell.cd(root)
    assert said.count("\n") == 1
    assert "alight allow" in said
    assert shell.variable("VIRTUAL_ENV") is None
    assert "alight" not in shell.run("")
    shell.run("alight allow")
    assert shell.variable("VIRTUAL_ENV") == os.fsencode(root / ".venv")
    assert f"app {version_of(root / '.venv')}" in shell.prompt()
    assert shell.run("command -v python").strip() == str(root / ".venv/bin/python")
    assert "alight" not in shell.run("cd ..; cd app")


def test_r07_r08_the_environment_covers_the_tree_and_nothing_beside_it(world: World, kind: str) -> None:
    """R7, R8: a subfolder keeps the environment; outside, and a sibling whose name starts the same, do not."""
    root = world.trusted("app")
    below, beside = world.directory("app/src/deep"), world.directory("app-old")
    shell = world.shell(kind)
    shell.cd(below)
    assert shell.variable("VIRTUAL_ENV") == os.fsencode(root / ".venv")
    shell.cd(beside)
    assert shell.variable("VIRTUAL_ENV") is None
    assert "app" not in shell.prompt()
    shell.cd(root)
    assert shell.variable("VIRTUAL_ENV") == os.fsencode(root / ".venv")
    shell.cd(world.home)
    assert shell.variable("VIRTUAL_ENV") is None
    assert shell.variable("PATH") == b"/usr/local/bin:/usr/bin:/bin" or kind == "fish"


def test_r09_a_direct_hop_switches(world: World, kind: str) -> None:
    """R9: from one project straight into another whose environment is called .venv, too."""
    first, second = world.trusted("first"), world.trusted("second")
    shell = world.shell(kind, first)
    shell.cd(second)
    assert shell.variable("VIRTUAL_ENV") == os.fsencode(second / ".venv")
    assert os.fsencode(first) not in shell.env()[b"PATH"]
    assert "second" in shell.prompt()


def test_r11_the_nearest_environment_wins(world: World, kind: str) -> None:
    """R11: a project inside a project overrides it, and the outer one is back outside."""
    outer, inner = world.trusted("mono"), world.trusted("mono/inner")
    shell = world.shell(kind, outer)
    shell.cd(inner)
    assert shell.variable("VIRTUAL_ENV") == os.fsencode(inner / ".venv")
    shell.run("cd ..")
    assert shell.variable("VIRTUAL_ENV") == os.fsencode(outer / ".venv")


def test_r12_every_way_of_changing_directory_counts(world: World, kind: str) -> None:
    """R12: `cd -`, pushd and popd, and `cd` itself is the shell's own."""
    root = world.trusted("app")
    shell = world.shell(kind)
    shell.cd(root)
    shell.run("cd -")
    assert shell.variable("VIRTUAL_ENV") is None
    shell.run(f"pushd {quote(kind, os.fsencode(root))}")
    assert shell.variable("VIRTUAL_ENV") == os.fsencode(root / ".venv")
    shell.run("popd")
    assert shell.variable("VIRTUAL_ENV") is None
    assert "alight" not in shell.run({"fish": "functions cd", "bash": "type cd", "zsh": "whence -f cd"}[kind])


def test_r13_a_shell_opened_inside_a_project_is_active_at_its_first_prompt(world: World, kind: str) -> None:
    """R13: no cd is needed; nothing is printed while the shell starts (R40)."""
    root = world.trusted("app")
    shell = world.shell(kind, root)
    assert shell.startup.strip() == ""
    assert "app" in shell.prompt()
    assert shell.variable("VIRTUAL_ENV") == os.fsencode(root / ".venv")


def test_r14_an_environment_that_appears_or_is_made_anew_is_seen_without_cd(world: World, kind: str) -> None:
    """R14: created while the shell sits there, and made anew by somebody else, which asks again."""
    root = world.project("app", environment=None)
    shell = world.shell(kind, root)
    world.venv(root / ".venv")
    shell.run("")
    assert "alight allow" in shell.screen()
    shell.run("alight allow")
    assert shell.variable("VIRTUAL_ENV") == os.fsencode(root / ".venv")
    remove(root / ".venv")
    world.venv(root / ".venv", None, "--prompt", "anew")
    shell.run("")
    assert re.search("made anew|changed since", shell.screen())
    assert shell.variable("VIRTUAL_ENV") is None


@pytest.mark.parametrize("state", ["daemon", "no-daemon", "paused"])
def test_r15_an_environment_deleted_elsewhere_is_left_at_the_next_prompt(world: World, kind: str, state: str) -> None:
    """R15: daemon or no daemon, paused or not, no entry of PATH points to nothing."""
    root = world.trusted("app")
    shell = world.shell(kind, root)
    assert shell.variable("VIRTUAL_ENV") is not None
    if state == "no-daemon":
        world.daemon.kill()
    elif state == "paused":
        shell.run("alight pause")
    remove(root / ".venv")
    shell.run("")
    assert shell.variable("VIRTUAL_ENV") is None
    assert os.fsencode(root) not in shell.env()[b"PATH"]
    assert "app" not in shell.prompt()


def test_r16_a_project_reached_through_a_link_is_one_project(world: World, kind: str) -> None:
    """R16: the same environment by its logical and its physical path, without flapping."""
    root = world.trusted("real/app")
    (world.home / "link").symlink_to(root.parent)
    shell = world.shell(kind)
    shell.cd(world.home / "link" / "app")
    assert os.path.samefile(os.fsdecode(shell.variable("VIRTUAL_ENV") or b"/"), root / ".venv")
    shell.cd(root)
    assert os.path.samefile(os.fsdecode(shell.variable("VIRTUAL_ENV") or b"/"), root / ".venv")
    assert shell.env()[b"PATH"].count(b".venv/bin") == 1


@pytest.mark.parametrize("name", [name for name in HOSTILE_NAMES if name not in ("plain", "controls")])
def test_r18_names_that_break_careless_quoting(world: World, kind: str, name: str) -> None:
    """R18: a project of any name is entered and left, and nothing in the name is ever executed."""
    octets = HOSTILE_NAMES[name]
    root = world.trusted(b"in/" + octets)
    shell = world.shell(kind)
    shell.cd(root)
    assert shell.variable("VIRTUAL_ENV") == os.fsencode(root / ".venv")
    assert shell.env()[b"PATH"].startswith(os.fsencode(root / ".venv/bin") + b":")
    shell.cd(world.home)
    assert shell.variable("VIRTUAL_ENV") is None
    assert not list(world.home.rglob("hurt"))


def test_r18_a_name_with_control_octets_is_refused_and_harmless(world: World, kind: str) -> None:
    """R18: what cannot stand in PATH or on a terminal is never activated, and never reaches the terminal raw."""
    root = world.project(HOSTILE_NAMES["controls"])
    shell = world.shell(kind)
    said = shell.cd(root)
    assert "\x1b[31m bell" not in said
    assert "\x07" not in said
    assert shell.variable("VIRTUAL_ENV") is None
    assert shell.run("echo fine").strip() == "fine"


def test_an_environment_made_here_is_active_without_asking(world: World, kind: str) -> None:
    """`python -m venv .venv` typed in a hooked shell is the user's own doing."""
    root = world.project("app", environment=None)
    shell = world.shell(kind, root)
    said = shell.run(f"{base_python()} -m venv --without-pip .venv", deadline=30)
    assert "alight" not in said
    assert shell.variable("VIRTUAL_ENV") == os.fsencode(root / ".venv")


@pytest.mark.parametrize(
    "line", ["{python} -m venv --without-pip .venv", "git status; {python} -m venv --without-pip .venv"]
)
def test_an_environment_planted_before_is_not(world: World, kind: str, line: str) -> None:
    """The same line over a folder that was already there is asked about: its files may be somebody else's."""
    root = world.project("app", environment=".venv" if line.startswith("{") else None)
    shell = world.shell(kind, root)
    shell.run(line.format(python=base_python()), deadline=30)
    assert shell.variable("VIRTUAL_ENV") is None


def test_alight_allow_in_another_shell_is_news_here(world: World, kind: str) -> None:
    """A decision made elsewhere takes effect at the next prompt, without a cd."""
    root = world.project("app")
    shell = world.shell(kind, root)
    world.alight("allow", str(root))
    shell.run("")
    assert shell.variable("VIRTUAL_ENV") == os.fsencode(root / ".venv")
    world.alight("deny", str(root))
    shell.run("")
    assert shell.variable("VIRTUAL_ENV") is None
