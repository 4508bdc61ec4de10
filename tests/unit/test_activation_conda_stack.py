"""Conda environments over others: base beneath, hops, what the user stacks, and the repair of what is inherited."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from support.condafield import CondaField, files, named, sets, written
from support.condashape import conda_prefix
from support.foreign import direnv_variables
from support.playfield import write


@pytest.fixture
def conda(tmp_path: Path) -> CondaField:
    return CondaField(tmp_path)


# --- the stack -----------------------------------------------------------------------------------


def test_on_top_of_base(conda: CondaField) -> None:
    """From n to n+1: base's deactivate.d first, PATH in place, base kept as level 1 and brought back on the way out."""
    write(conda.root / "etc/conda/activate.d/ba.sh")
    write(conda.root / "etc/conda/activate.d/bb.sh")
    write(conda.root / "etc/conda/deactivate.d/ba.sh")
    write(conda.root / "etc/conda/deactivate.d/bb.sh")
    env = conda_prefix(conda.env, activate={"e.sh": ""}, deactivate={"e.sh": ""}, state={"A": "1"})
    plan = conda.ask(env, conda.base_on())
    told = written(plan)
    assert told[:2] == [f"run {conda.root}/etc/conda/deactivate.d/{name}.sh" for name in ("bb", "ba")]
    assert sets(plan) | {"CONDA_SHLVL": "2", "CONDA_PREFIX_1": str(conda.root), "CONDA_DEFAULT_ENV": "x"} == sets(plan)
    assert named(plan, "path-replace") == [f"{conda.root}/bin:{env}/bin"]
    assert named(plan, "path-add") == []
    assert named(plan, "save") == ["__CONDA_SHLVL_1_A=A"]
    assert told[-4:] == [
        f"run {env}/etc/conda/activate.d/e.sh",
        f"on-leave {env}/etc/conda/deactivate.d/e.sh",
        f"after-leave {conda.root}/etc/conda/activate.d/ba.sh",
        f"after-leave {conda.root}/etc/conda/activate.d/bb.sh",
    ]


def test_variables_of_base_stay_as_in_conda(conda: CondaField) -> None:
    """Conda's activate unsets nothing of the environment beneath."""
    write(conda.root / "conda-meta/state", json.dumps({"env_vars": {"OF_BASE": "1"}}))
    plan = conda.ask(conda_prefix(conda.env), conda.base_on(OF_BASE="1"))
    assert not [operation for operation in written(plan) if "OF_BASE" in operation]


def test_a_hop_counts_from_what_is_left(conda: CondaField) -> None:
    """From one of ours to another over base: the hook has popped the first, so the second is level 2 again."""
    one, two = conda_prefix(conda.env), conda_prefix(conda.root / "envs/y")
    plan = conda.ask(two, conda.env_on(one), applied=one, owner="alight")
    assert plan.action == "enter"
    assert (sets(plan)["CONDA_SHLVL"], sets(plan)["CONDA_PREFIX_1"]) == ("2", str(conda.root))
    assert named(plan, "path-replace") == [f"{conda.root}/bin:{two}/bin"]
    alone = {"CONDA_PREFIX": str(one), "CONDA_SHLVL": "1", "PATH": f"{one}/bin:/usr/bin"}
    plan = conda.ask(two, alone, applied=one, owner="alight")
    assert (sets(plan)["CONDA_SHLVL"], named(plan, "path-replace")) == ("1", [])


def test_between_a_venv_and_conda(conda: CondaField) -> None:
    """R10: from a venv of ours to conda and back each is left first; base stays beneath a venv, untouched."""
    venv = conda.home / "q/.venv"
    write(venv / "pyvenv.cfg")
    (venv / "bin").mkdir()
    env = conda_prefix(conda.env)
    plan = conda.ask(env, conda.base_on(VIRTUAL_ENV=str(venv)), applied=venv, owner="alight")
    assert (plan.action, sets(plan)["CONDA_SHLVL"]) == ("enter", "2")
    plan = conda.ask(venv, conda.env_on(env), applied=env, owner="alight")
    assert plan.action == "enter"
    assert not [operation for operation in written(plan) if "CONDA" in operation or "path-replace" in operation]
    assert named(plan, "path-add") == [f"{venv}/bin"]
    plan = conda.ask(venv, conda.base_on())
    assert (plan.action, named(plan, "path-add")) == ("enter", [f"{venv}/bin"])
    assert not [operation for operation in written(plan) if "CONDA" in operation]


def test_a_deeper_stack_is_left_before_anything_is_entered(conda: CondaField) -> None:
    """Beneath level 3 the shell does not tell what lies there: leave now, enter at the next prompt."""
    one, two = conda_prefix(conda.env), conda_prefix(conda.root / "envs/y")
    deep = conda.env_on(one, CONDA_SHLVL="4", CONDA_PREFIX_2=str(two))
    assert conda.ask(two, deep, applied=one, owner="alight").action == "leave"
    inherited = conda.ask(two, deep, first=True, elsewhere=True)
    assert (inherited.action, named(inherited, "conda-pop")) == ("clean", [str(one)])
    over_base = conda.ask(two, conda.base_on(CONDA_SHLVL="4", CONDA_PREFIX_1="/a", CONDA_PREFIX_2="/b"))
    assert (over_base.action, sets(over_base)["CONDA_PREFIX_4"]) == ("enter", str(conda.root))


def test_while_ours_is_on_the_lists_are_kept_up(conda: CondaField) -> None:
    """A keep carries today's files for the way out, and nothing else; base's come after."""
    write(conda.root / "etc/conda/activate.d/ba.sh")
    env = conda_prefix(conda.env, deactivate={"a.sh": "", "b.sh": ""})
    plan = conda.ask(env, conda.env_on(env), applied=env, owner="alight")
    assert plan.action == "keep"
    assert written(plan) == [
        f"on-leave {env}/etc/conda/deactivate.d/b.sh",
        f"on-leave {env}/etc/conda/deactivate.d/a.sh",
        f"after-leave {conda.root}/etc/conda/activate.d/ba.sh",
    ]


def test_another_tool_over_ours_costs_no_list(conda: CondaField) -> None:
    """A keep's lists replace those before: while direnv owns what is on, ours beneath still has its way out."""
    env = conda_prefix(conda.env, deactivate={"a.sh": ""})
    own = direnv_variables({"PATH": "/bin"}, {"PATH": "/bin", "VIRTUAL_ENV": "/p/.venv"})
    variables = conda.env_on(env, **{name: os.fsdecode(value) for name, value in own.items()})
    plan = conda.ask(env, variables, applied=env, owner="alight")
    assert (plan.action, plan.owner, files(plan, "on-leave")) == ("keep", "direnv", ["a.sh"])


def test_adopting_carries_the_lists_only_with_trust(conda: CondaField) -> None:
    """`conda activate` of the project's own is adopted with its files for leaving and the stamp they are tested by."""
    env = conda_prefix(conda.env, deactivate={"a.sh": ""})
    plan = conda.ask(env, conda.env_on(env))
    assert (plan.action, plan.owner, files(plan, "on-leave")) == ("adopt", "alight", ["a.sh"])
    assert plan.stamp
    plan = conda.ask(env, conda.env_on(env), state="untrusted")
    assert (plan.action, plan.owner, plan.operations, plan.stamp) == ("adopt", "user", (), b"")


# --- ownership -----------------------------------------------------------------------------------


def test_what_the_user_stacks_over_ours_is_the_users(conda: CondaField) -> None:
    """`conda activate other` over ours: ours is forgotten, also when the other one is base."""
    env = conda_prefix(conda.env)
    other = conda_prefix(conda.root / "envs/y")
    over = conda.env_on(other, CONDA_SHLVL="3", CONDA_PREFIX_2=str(env))
    plan = conda.ask(env, over, applied=env, owner="alight")
    assert (plan.action, plan.owner, plan.operations) == ("leave", "user", ())
    base = conda.base_on(CONDA_SHLVL="3", CONDA_PREFIX_1=str(conda.root), CONDA_PREFIX_2=str(env))
    plan = conda.ask(env, base, applied=env, owner="alight")
    assert (plan.action, plan.owner) == ("leave", "user")
    plan = conda.ask(env, base, owner="user")
    assert (plan.action, plan.owner) == ("keep", "user")


def test_base_that_a_start_up_file_put_on_top_is_nobodys(conda: CondaField) -> None:
    """A child shell's start-up file activates base over what was inherited: the project's environment goes on top."""
    env = conda_prefix(conda.env)
    base = conda.base_on(CONDA_SHLVL="2", CONDA_PREFIX_1=str(env))
    plan = conda.ask(env, base, first=True)
    assert (plan.action, sets(plan)["CONDA_SHLVL"]) == ("enter", "3")


def test_base_is_inherited_and_shown_as_nothing(conda: CondaField) -> None:
    """Where nothing belongs base is merely there; where base is what belongs it is on, and stays when one leaves."""
    plan = conda.ask(None, conda.base_on(), first=True)
    assert (plan.action, plan.owner, plan.state, plan.name) == ("keep", "inherited", "none", "")
    plan = conda.ask(conda.root, conda.base_on())
    assert (plan.action, plan.owner, plan.state, plan.operations) == ("keep", "inherited", "active", ())


# --- repair --------------------------------------------------------------------------------------


def test_an_inherited_activation_is_popped_and_entered_anew(conda: CondaField) -> None:
    """R25: a child shell has the variables and not the functions; base's files are not left twice."""
    write(conda.root / "etc/conda/deactivate.d/ba.sh")
    env = conda_prefix(conda.env, activate={"a.sh": ""}, state={"A": "1", "USER": "x"})
    plan = conda.ask(env, conda.env_on(env), first=True)
    assert plan.action == "enter"
    told = written(plan)
    assert told[:3] == ["drop A", f"conda-pop {env}", f"path-remove {env}/bin"]
    assert (sets(plan)["CONDA_SHLVL"], sets(plan)["CONDA_PREFIX_1"]) == ("2", str(conda.root))
    assert files(plan, "run") == ["a.sh"]
    assert [operation for operation in told if operation.startswith("drop ")] == ["drop A"]


def test_an_inherited_activation_of_another_project_is_cleaned(conda: CondaField) -> None:
    """R25: conda-pop, and what the environment had set; only what a cleaning may do."""
    env = conda_prefix(conda.env, state={"A": "1"})
    plan = conda.ask(None, conda.env_on(env), first=True, elsewhere=True)
    assert (plan.action, plan.owner) == ("clean", "")
    assert written(plan) == ["drop A", f"conda-pop {env}", f"path-remove {env}/bin"]


@pytest.mark.parametrize("level", ["1", "2"])
def test_a_level_without_its_prefix_is_cleaned(conda: CondaField, level: str) -> None:
    """R28: CONDA_SHLVL without CONDA_PREFIX goes, and what is entered starts at level 1."""
    plan = conda.ask(None, {"CONDA_SHLVL": level, "CONDA_DEFAULT_ENV": "base"})
    assert plan.action == "clean"
    assert {"drop CONDA_SHLVL", "drop CONDA_DEFAULT_ENV", "drop CONDA_PREFIX"} <= set(written(plan))
    plan = conda.ask(conda_prefix(conda.env), {"CONDA_SHLVL": level})
    assert plan.action == "enter"
    assert written(plan)[0] == "drop CONDA_PREFIX"
    assert sets(plan)["CONDA_SHLVL"] == "1"


def test_a_hole_in_the_stack_takes_all_of_it(conda: CondaField) -> None:
    """R28: one atomic set; the environment on top leaves PATH, too. pixi's own shell has no such variables."""
    env = conda_prefix(conda.env)
    broken = {"CONDA_SHLVL": "2", "CONDA_PREFIX": str(env), "PATH": f"{env}/bin:/usr/bin"}
    plan = conda.ask(None, broken)
    assert plan.action == "clean"
    assert f"path-remove {env}/bin" in written(plan)
    assert "drop CONDA_PREFIX" in written(plan)
    assert conda.ask(None, {**broken, "PIXI_IN_SHELL": "1"}).action == "keep"


def test_a_venv_of_the_users_survives_the_repair(conda: CondaField) -> None:
    """The broken variables go, what is on stays, and stays the user's."""
    venv = conda.home / "q/.venv"
    write(venv / "pyvenv.cfg")
    plan = conda.ask(None, {"CONDA_SHLVL": "2", "VIRTUAL_ENV": str(venv)})
    assert (plan.action, plan.owner, plan.state) == ("clean", "user", "active")
    assert not [operation for operation in written(plan) if "VIRTUAL_ENV" in operation]
