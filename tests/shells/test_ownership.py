"""Who switched it on: what is the user's or another tool's is left alone, what is left over is cleaned."""

from __future__ import annotations

import os
import shutil

import pytest

from support.shells import quote
from support.world import World, export, remove, source_activate, unset


def test_r19_what_the_user_activated_stays(world: World, kind: str) -> None:
    """R19: an environment activated by hand survives every cd, and the state says that it is not the project's."""
    root, own = world.trusted("app"), world.venv(world.directory("tools") / "mine")
    shell = world.shell(kind)
    shell.run(source_activate(kind, own))
    shell.cd(root)
    assert shell.variable("VIRTUAL_ENV") == os.fsencode(own)
    assert shell.env()[b"PATH"].startswith(os.fsencode(own / "bin"))
    assert shell.variable("ALIGHT_STATE") == b"mismatch"
    shell.cd(world.home)
    assert shell.variable("VIRTUAL_ENV") == os.fsencode(own)
    shell.run("deactivate")
    shell.cd(root)
    assert shell.variable("VIRTUAL_ENV") == os.fsencode(root / ".venv")


def test_r20_deactivate_sticks_until_the_project_is_left(world: World, kind: str) -> None:
    """R20: after `deactivate` the project's environment stays off, below it too, and is on again on return."""
    root = world.trusted("app")
    below = world.directory("app/src")
    shell = world.shell(kind, root)
    shell.run("deactivate")
    assert shell.variable("VIRTUAL_ENV") is None
    assert shell.variable("ALIGHT_STATE") == b"inactive"
    shell.cd(below)
    assert shell.variable("VIRTUAL_ENV") is None
    shell.cd(world.home)
    shell.cd(root)
    assert shell.variable("VIRTUAL_ENV") == os.fsencode(root / ".venv")


def test_r20_a_script_may_call_deactivate_nondestructive(world: World, kind: str) -> None:
    """R20: another environment's script undoes ours first and is then the user's; nothing is declined."""
    root, own = world.trusted("app"), world.venv(world.directory("tools") / "mine")
    shell = world.shell(kind, root)
    shell.run(source_activate(kind, own))
    assert shell.variable("VIRTUAL_ENV") == os.fsencode(own)
    assert os.fsencode(root) not in shell.env()[b"PATH"]
    shell.run("deactivate")
    shell.run("")
    assert shell.variable("VIRTUAL_ENV") == os.fsencode(root / ".venv")


def test_r21_the_projects_own_environment_activated_by_hand_is_adopted(world: World, kind: str) -> None:
    """R21: leaving the tree deactivates it, through the script's own function."""
    root = world.project("app")
    shell = world.shell(kind, root)
    shell.run(source_activate(kind, root / ".venv"))
    assert shell.variable("ALIGHT_STATE") == b"active"
    shell.cd(world.home)
    assert shell.variable("VIRTUAL_ENV") is None
    assert os.fsencode(root) not in shell.env()[b"PATH"]


def test_r20_the_scripts_own_deactivate_sticks_as_well(world: World, kind: str) -> None:
    """R20: in an adopted environment the function is the script's; typing it declines the project all the same."""
    root = world.trusted("app")
    below = world.directory("app/src")
    shell = world.shell(kind, env={"ALIGHT_DISABLE": "1"}, cwd=root)
    shell.run(source_activate(kind, root / ".venv"))
    shell.run("set -e ALIGHT_DISABLE" if kind == "fish" else "unset ALIGHT_DISABLE")
    shell.run(f"source {quote(kind, os.fsencode(world.hook_file(kind)))}")
    shell.cd(below)
    shell.cd(root)
    shell.run("deactivate")
    shell.cd(below)
    assert shell.variable("VIRTUAL_ENV") is None


def test_r21_another_environment_over_an_adopted_one_is_the_users(world: World, kind: str) -> None:
    """R21: leaving the tree deactivates what was adopted, never what the user sourced over it later."""
    root, own = world.project("app"), world.venv(world.directory("tools") / "mine")
    shell = world.shell(kind, root)
    shell.run(source_activate(kind, root / ".venv"))
    shell.run(source_activate(kind, own))
    shell.cd(world.home)
    assert shell.variable("VIRTUAL_ENV") == os.fsencode(own)


def test_r22_on_off_and_pause(world: World, kind: str) -> None:
    """R22: off leaves and stays silent, on returns, pause lasts until the project changes; none needs the daemon."""
    root, other = world.trusted("app"), world.trusted("other")
    shell = world.shell(kind, root)
    shell.run("alight off")
    assert shell.variable("VIRTUAL_ENV") is None
    asked = world.questions()
    shell.cd(other)
    assert world.questions() == asked
    assert shell.variable("VIRTUAL_ENV") is None
    shell.run("alight on")
    assert shell.variable("VIRTUAL_ENV") == os.fsencode(other / ".venv")
    shell.run("alight pause")
    shell.run("deactivate")
    shell.run("")
    assert shell.variable("VIRTUAL_ENV") is None
    shell.cd(root)
    assert shell.variable("VIRTUAL_ENV") == os.fsencode(root / ".venv")


@pytest.mark.parametrize("word", ["on", "off", "pause"])
def test_r22_surplus_words_are_a_usage_error(world: World, kind: str, word: str) -> None:
    """R22: a mistyped command says so and changes nothing."""
    root = world.trusted("app")
    shell = world.shell(kind, root)
    status = "$status" if kind == "fish" else "$?"
    assert "2" in shell.run(f"alight {word} now; echo {status}")
    assert shell.variable("VIRTUAL_ENV") == os.fsencode(root / ".venv")


def test_r23_direnv_owns_what_it_set(world: World, kind: str) -> None:
    """R23: where direnv's .envrc switches the environment on, alight stands down and says who owns it."""
    root = world.trusted("app")
    (root / ".envrc").write_text('export VIRTUAL_ENV=$PWD/.venv\nPATH_add "$VIRTUAL_ENV/bin"\n')
    before = ["direnv hook fish | source"] if kind == "fish" else [f'eval "$(direnv hook {kind})"']
    shell = world.shell(kind, before=before)
    shell.run(f"direnv allow {quote(kind, os.fsencode(root))}")
    shell.cd(root)
    shell.run("")
    assert '"owner": "direnv"' in shell.run("alight status --json")
    assert shell.env()[b"PATH"].count(os.fsencode(root / ".venv/bin")) == 1
    shell.cd(world.home)
    shell.run("")
    assert shell.variable("VIRTUAL_ENV") is None
    assert os.fsencode(root) not in shell.env()[b"PATH"]


def test_r23_an_envrc_that_has_nothing_to_do_with_python_changes_nothing(world: World, kind: str) -> None:
    """R23: direnv in a project is no reason to stand down."""
    root = world.trusted("app")
    (root / ".envrc").write_text("export FLAVOUR=mint\n")
    before = ["direnv hook fish | source"] if kind == "fish" else [f'eval "$(direnv hook {kind})"']
    shell = world.shell(kind, before=before)
    shell.run(f"direnv allow {quote(kind, os.fsencode(root))}")
    shell.cd(root)
    shell.run("")
    assert shell.variable("FLAVOUR") == b"mint"
    assert shell.variable("VIRTUAL_ENV") == os.fsencode(root / ".venv")
    shell.cd(world.home)
    assert shell.variable("VIRTUAL_ENV") is None


def test_r24_a_deactivate_on_path_is_never_called(world: World, kind: str) -> None:
    """R24: only a shell function of that name may be."""
    root, tools = world.trusted("app"), world.directory("tools")
    (tools / "deactivate").write_text(f"#!/bin/sh\ntouch {world.home}/called\n")
    (tools / "deactivate").chmod(0o755)
    shell = world.shell(kind, env={"PATH": f"{tools}:/usr/bin:/bin"})
    shell.run(export(kind, "VIRTUAL_ENV", str(root / ".venv")))
    shell.cd(root)
    assert shell.variable("ALIGHT_STATE") == b"active"
    shell.cd(world.home)
    assert shell.variable("VIRTUAL_ENV") is None
    assert not (world.home / "called").exists()


def inherited(world: World, prefix: os.PathLike[str]) -> dict[str, str]:
    """What a child shell has of an activation in its parent."""
    return {"VIRTUAL_ENV": str(prefix), "PATH": f"/opt/front:{prefix}/bin:/usr/bin:/bin", "VIRTUAL_ENV_PROMPT": "x"}


def test_r25_the_projects_own_half_activation_is_completed(world: World, kind: str) -> None:
    """R25: a child shell in the project has the environment first in PATH, once, and can leave it."""
    root = world.trusted("app")
    shell = world.shell(kind, root, env=inherited(world, root / ".venv"))
    assert shell.env()[b"PATH"] == os.fsencode(root / ".venv/bin") + b":/opt/front:/usr/bin:/bin"
    assert shell.variable("ALIGHT_STATE") == b"active"
    shell.run("deactivate")
    env = shell.env()
    assert env[b"PATH"] == b"/opt/front:/usr/bin:/bin"
    assert b"VIRTUAL_ENV" not in env
    assert b"VIRTUAL_ENV_PROMPT" not in env


def test_r25_a_dead_or_other_projects_half_activation_is_cleaned(world: World, kind: str) -> None:
    """R25: before the first prompt nothing of it is left."""
    dead, other = world.project("dead"), world.trusted("other")
    remove(dead / ".venv")
    for root in (dead, other):
        shell = world.shell(kind, env=inherited(world, root / ".venv"))
        env = shell.env()
        assert b"VIRTUAL_ENV" not in env
        assert b"VIRTUAL_ENV_PROMPT" not in env
        assert env[b"PATH"] == b"/opt/front:/usr/bin:/bin"
        shell.close()


def test_r25_anything_else_inherited_is_the_users(world: World, kind: str) -> None:
    """R25: an environment that belongs to no project is kept."""
    world.venv(world.directory("tools") / "other")
    own = world.venv(world.directory("tools") / "mine")
    shell = world.shell(kind, env=inherited(world, own))
    assert shell.variable("VIRTUAL_ENV") == os.fsencode(own)
    shell.cd(world.trusted("app"))
    assert shell.variable("VIRTUAL_ENV") == os.fsencode(own)


def test_r25_the_child_shell_of_a_tool_is_the_users(world: World, kind: str) -> None:
    """R25: inside `poetry shell` and its relatives the inherited environment is meant."""
    other = world.trusted("other")
    shell = world.shell(kind, env={**inherited(world, other / ".venv"), "POETRY_ACTIVE": "1"})
    assert shell.variable("VIRTUAL_ENV") == os.fsencode(other / ".venv")


def test_r27_a_child_shell_does_not_act_on_its_parents_bookkeeping(world: World, kind: str) -> None:
    """R27: nothing of the bookkeeping is exported; a child of the same kind starts afresh and ends without a trace."""
    root = world.trusted("app")
    shell = world.shell(kind, root)
    assert not [name for name in shell.env() if name.lower().startswith(b"__alight")]
    before = shell.env()[b"PATH"]
    assert "0" in shell.run(f"{shutil.which(kind)} -c 'echo 0'")
    shell.run("")
    assert shell.env()[b"PATH"] == before


def test_r28_conda_base_is_merely_there(world: World, kind: str) -> None:
    """R28: base, active before the first prompt, neither counts as the user's choice nor is touched."""
    root = world.trusted("app")
    base = {"CONDA_PREFIX": "/opt/conda", "CONDA_DEFAULT_ENV": "base", "CONDA_SHLVL": "1"}
    shell = world.shell(kind, root, env={**base, "PATH": "/opt/conda/bin:/usr/bin:/bin"})
    env = shell.env()
    assert env[b"VIRTUAL_ENV"] == os.fsencode(root / ".venv")
    assert env[b"PATH"] == os.fsencode(root / ".venv/bin") + b":/opt/conda/bin:/usr/bin:/bin"
    shell.cd(world.home)
    env = shell.env()
    assert (env[b"CONDA_PREFIX"], env[b"CONDA_SHLVL"]) == (b"/opt/conda", b"1")
    assert b"VIRTUAL_ENV" not in env


def test_the_active_environment_is_left_when_the_answer_changes(world: World, kind: str) -> None:
    """Taking the permission back takes the environment out of PATH at the next prompt."""
    root = world.trusted("app")
    shell = world.shell(kind, root)
    shell.run("alight deny")
    assert shell.variable("VIRTUAL_ENV") is None
    shell.run("alight allow")
    assert shell.variable("VIRTUAL_ENV") == os.fsencode(root / ".venv")


def test_the_kill_switch(world: World, kind: str) -> None:
    """ALIGHT_DISABLE=1 makes a running shell inert at once."""
    root = world.trusted("app")
    shell = world.shell(kind)
    shell.run(export(kind, "ALIGHT_DISABLE", "1"))
    shell.cd(root)
    assert shell.variable("VIRTUAL_ENV") is None


def test_r14_an_override_variable_changes_the_answer_at_the_next_prompt(world: World, kind: str) -> None:
    """R14: a variable that tells a tool where its environment is counts as soon as it is set, and as long as that."""
    root = world.project("app", environment=None)
    (root / "uv.lock").write_text("version = 1\n")
    for name in (".venv", "other"):
        world.venv(root / name)
        world.alight("allow", os.fsencode(root), env={"UV_PROJECT_ENVIRONMENT": name})
    shell = world.shell(kind, root)
    assert shell.variable("VIRTUAL_ENV") == os.fsencode(root / ".venv")
    shell.run(export(kind, "UV_PROJECT_ENVIRONMENT", "other"))
    assert shell.variable("VIRTUAL_ENV") == os.fsencode(root / "other")
    asked = world.questions()
    shell.run("")
    assert world.questions() == asked
    shell.run(export(kind, "UV_PROJECT_ENVIRONMENT", ".venv"))
    assert shell.variable("VIRTUAL_ENV") == os.fsencode(root / ".venv")
    shell.run(export(kind, "UV_PROJECT_ENVIRONMENT", "other"))
    assert shell.variable("VIRTUAL_ENV") == os.fsencode(root / "other")
    shell.run(unset(kind, "UV_PROJECT_ENVIRONMENT"))
    assert shell.variable("VIRTUAL_ENV") == os.fsencode(root / ".venv")
