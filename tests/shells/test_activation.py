"""Exactness: what activation sets is what the environment's own script sets, and leaving brings back what was."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from support.pythons import pythons
from support.shells import ShellSession
from support.world import World, export, source_activate, unset

PYTHONS = {str(python): python.executable for python in pythons()}

OWN = (b"ALIGHT_", b"_OLD_", b"PS1", b"SHLVL", b"_", b"PWD", b"OLDPWD", b"SCRIPT_PATH")
"""The whole list of differences (design section 5), and what differs between any two commands of a shell."""

STATES: Mapping[str, Mapping[str, str]] = {
    "plain": {},
    "set": {"PYTHONHOME": "/usr", "PKG_CONFIG_PATH": "/opt/pc", "VIRTUAL_ENV_PROMPT": "former"},
    "empty": {"PYTHONHOME": "", "PKG_CONFIG_PATH": ""},
    "no-prompt": {"VIRTUAL_ENV_DISABLE_PROMPT": "1"},
}


def comparable(shell: ShellSession) -> dict[bytes, bytes]:
    """The environment without what is allowed to differ."""
    return {name: value for name, value in shell.env().items() if not name.startswith(OWN[:2]) and name not in OWN[2:]}


def make(world: World, maker: str, root: Path) -> Path:
    """An environment by the named maker."""
    prefix = root / ".venv"
    if maker == "uv":
        command = [
            str(Path(sys.executable).with_name("uv")),
            "venv",
            "-q",
            "--no-config",
            "--offline",
            "-p",
            sys.executable,
        ]
        subprocess.run([*command, str(prefix)], check=True, capture_output=True, stdin=subprocess.DEVNULL)
    elif maker == "virtualenv":
        command = [sys.executable, "-m", "virtualenv", "-q", "--no-periodic-update", "--without-pip", str(prefix)]
        subprocess.run(command, check=True, capture_output=True, stdin=subprocess.DEVNULL)
    else:
        world.venv(prefix, str(PYTHONS[maker]))
    return prefix


@pytest.mark.parametrize("maker", [*PYTHONS, "virtualenv", "uv"])
def test_r29_activation_equals_the_environments_own_script(world: World, kind: str, maker: str) -> None:
    """R29: `env -0` is the same as after sourcing the environment's own script in the same shell."""
    root = world.project("app", environment=None)
    prefix = make(world, maker, root)
    world.alight("allow", str(root))
    for name, state in STATES.items():
        if name != "plain" and maker not in ("virtualenv", "uv", [*PYTHONS][-1]):
            continue
        oracle = world.shell(kind, env={**state, "ALIGHT_DISABLE": "1"})
        oracle.cd(root)
        oracle.run(source_activate(kind, prefix))
        ours = world.shell(kind, env=state)
        ours.cd(root)
        assert ours.variable("VIRTUAL_ENV") == os.fsencode(prefix), name
        assert comparable(ours) == comparable(oracle), name
        oracle.close()
        ours.close()


@pytest.mark.parametrize("remembered", [False, True], ids=["asked", "remembered"])
def test_r30_what_the_user_changed_meanwhile_stays(world: World, kind: str, *, remembered: bool) -> None:
    """R30: PATH loses our entry alone, a variable that the user changed after activation keeps the user's value."""
    root = world.trusted("app")
    shell = world.shell(kind, root)
    for _ in range(2 * remembered):  # the first question of a shell is none that it asks again
        shell.cd(world.home)
        shell.cd(root)
    if kind == "fish":
        shell.run("set -gx PATH /user/added $PATH /user/behind")
    else:
        shell.run("export PATH=/user/added:$PATH:/user/behind")
    shell.run(export(kind, "VIRTUAL_ENV_PROMPT", "mine"))
    shell.cd(world.home)
    env = shell.env()
    assert env[b"PATH"] == b"/user/added:/usr/local/bin:/usr/bin:/bin:/user/behind"
    assert env.get(b"VIRTUAL_ENV_PROMPT") == b"mine"
    assert b"VIRTUAL_ENV" not in env


@pytest.mark.parametrize("former", [None, "", "/usr"], ids=["unset", "empty", "set"])
def test_r31_variables_come_back_as_they_were(world: World, kind: str, former: str | None) -> None:
    """R31: unset stays unset, empty stays empty, a value comes back; also when the answer is a remembered one."""
    root = world.trusted("app")
    shell = world.shell(kind)
    for name in ("PYTHONHOME", "VIRTUAL_ENV_PROMPT"):
        shell.run(unset(kind, name) if former is None else export(kind, name, former))
    before = comparable(shell)
    for _ in range(2):
        shell.cd(root)
        assert b"VIRTUAL_ENV" in shell.env()
        assert not shell.variable("PYTHONHOME")
        shell.cd(world.home)
        assert comparable(shell) == before


@pytest.mark.parametrize("left", ["by-walking", "by-hand"])
def test_r31_what_was_set_later_comes_back_as_well(world: World, kind: str, left: str) -> None:
    """R31: an environment that had nothing to put back at first has so when the user set variables meanwhile."""
    root = world.trusted("app")
    shell = world.shell(kind)
    for _ in range(3):
        shell.cd(root)
        if left == "by-hand":
            shell.run("deactivate")
        shell.cd(world.home)
    for name in ("PYTHONHOME", "VIRTUAL_ENV_PROMPT"):
        shell.run(export(kind, name, "/usr"))
    before = comparable(shell)
    shell.cd(root)
    assert not shell.variable("PYTHONHOME")
    shell.cd(world.home)
    assert comparable(shell) == before


def test_r32_fifty_rounds_leave_the_shell_as_it_was(world: World, kind: str) -> None:
    """R32: after fifty rounds environment, functions, aliases, options, traps and PATH are as before."""
    root, other = world.trusted("app"), world.trusted("other")
    shell = world.shell(kind)
    questions = {
        "zsh": ["alias", "setopt", "trap", "print -rl -- ${(ok)functions}", "zle -F", "print -r -- $PROMPT"],
        "bash": ["alias", "shopt; set -o", "trap", "declare -F", "bind -X", 'printf "%s\\n" "$PS1"'],
        "fish": [
            "alias",
            "functions --all --names",
            "trap",
            "set --names | string match -rv '^(CMD_DURATION|status|history)'",
        ],
    }[kind]

    def rounds(count: int) -> None:
        for _ in range(count):
            for directory, prefix in ((root, root / ".venv"), (other, other / ".venv"), (world.home, None)):
                shell.cd(directory)
                assert (shell.variable("VIRTUAL_ENV") or None) == (prefix and os.fsencode(prefix))

    rounds(2)  # what the shell asks for the first time, and what it remembers
    before, said = comparable(shell), [shell.run(question) for question in questions]
    rounds(50)
    assert [shell.run(question) for question in questions] == said
    assert comparable(shell) == before


def test_r33_remembered_commands_are_forgotten_on_every_switch(world: World, kind: str) -> None:
    """R33: a command found before the switch is looked up anew after it."""
    root = world.trusted("app")
    tools = world.directory("tools")
    for place, word in ((tools, "outside"), (root / ".venv/bin", "inside")):
        script = place / "which-one"
        script.write_text(f"#!/bin/sh\necho {word}\n")
        script.chmod(0o755)
    shell = world.shell(kind, env={"PATH": f"{tools}:/usr/local/bin:/usr/bin:/bin"})
    assert shell.run("which-one").strip() == "outside"
    shell.cd(root)
    assert shell.run("which-one").strip() == "inside"
    shell.cd(world.home)
    assert shell.run("which-one").strip() == "outside"


def test_r26_what_stands_in_front_of_the_environment_is_said(world: World, kind: str) -> None:
    """R26: a Python that a start-up file or a tool puts in front of the active environment is named, once."""
    root = world.trusted("app")
    other = world.directory("other")
    (other / "python").symlink_to("/bin/true")
    shell = world.shell(kind, root)
    line = f"set -gx PATH {other} $PATH" if kind == "fish" else f"export PATH={other}:$PATH"
    assert str(other) in shell.run(line)
    assert str(other) not in shell.run("")
