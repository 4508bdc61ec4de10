"""What pixi sets beside conda, and what virtualenvwrapper runs."""

from __future__ import annotations

from pathlib import Path

import pytest

from support.condafield import CondaField, files, named, sets, written
from support.condashape import pixi_environment, pixi_manifest
from support.playfield import write


@pytest.fixture
def conda(tmp_path: Path) -> CondaField:
    return CondaField(tmp_path)


# --- pixi ----------------------------------------------------------------------------------------


def test_pixi(conda: CondaField) -> None:
    """The variables of pixi, its names for what they replace, CONDA_DEFAULT_ENV by project, and no prompt modifier."""
    project = conda.home / "app"
    pixi_manifest(project, name="shown", activation='[activation]\nscripts = ["evil.sh"]\nenv = { X = "1" }\n')
    env = pixi_environment(project, activate={"a.sh": ""}, state={"A": "1"})
    plan = conda.ask(env, conda.base_on(), system="pixi", project=project)
    found = sets(plan)
    assert found["CONDA_DEFAULT_ENV"] == "shown"
    assert found["PIXI_PROJECT_ROOT"] == str(project)
    assert (found["PIXI_ENVIRONMENT_NAME"], found["PIXI_PROMPT"]) == ("default", "(shown) ")
    assert not {"CONDA_PROMPT_MODIFIER", "PIXI_IN_SHELL", "X", "CONDA_EXE"} & set(found)
    assert (found["CONDA_SHLVL"], found["CONDA_PREFIX_1"]) == ("2", str(conda.root))
    saved = named(plan, "save")
    assert saved[:2] == ["CONDA_ENV_SHLVL_2_CONDA_PREFIX=CONDA_PREFIX", "CONDA_ENV_SHLVL_2_A=A"]
    assert "CONDA_ENV_SHLVL_2_CONDA_DEFAULT_ENV=CONDA_DEFAULT_ENV" in saved
    assert files(plan, "run") == ["a.sh"]


def test_a_named_environment_of_pixis(conda: CondaField) -> None:
    """CONDA_DEFAULT_ENV is project:environment."""
    project = conda.home / "app"
    pixi_manifest(project, name="app", environments=("cuda",))
    plan = conda.ask(pixi_environment(project, "cuda"), system="pixi", project=project)
    assert sets(plan)["CONDA_DEFAULT_ENV"] == "app:cuda"
    assert sets(plan)["PIXI_PROMPT"] == "(app:cuda) "


def test_an_inherited_pixi_environment_leaves_nothing_of_pixis(conda: CondaField) -> None:
    """What was ours in the parent is cleaned with the variables that tell of the project."""
    project = conda.home / "app"
    env = pixi_environment(project)
    variables = {"CONDA_PREFIX": str(env), "CONDA_SHLVL": "1", "PATH": f"{env}/bin:/usr/bin"}
    plan = conda.ask(None, variables, first=True, elsewhere=True)
    assert {"drop PIXI_PROJECT_ROOT", "drop PIXI_PROMPT", f"conda-pop {env}"} <= set(written(plan))


# --- virtualenvwrapper ---------------------------------------------------------------------------


def wrapped(conda: CondaField) -> Path:
    """An environment in ~/.virtualenvs with every hook there is."""
    env = conda.home / ".virtualenvs/app"
    write(env / "pyvenv.cfg")
    for hook in ("postactivate", "predeactivate", "postdeactivate"):
        write(env / "bin" / hook)
        write(conda.home / ".virtualenvs" / hook)
    return env


def test_virtualenvwrappers_hooks_run_in_its_order(conda: CondaField) -> None:
    """The common hook first on the way in and last on the way out; keep carries the lists, fish and others get none."""
    env = wrapped(conda)
    pool = conda.home / ".virtualenvs"
    lists = [
        f"on-leave {env}/bin/predeactivate",
        f"on-leave {pool}/predeactivate",
        f"after-leave {env}/bin/postdeactivate",
        f"after-leave {pool}/postdeactivate",
    ]
    told = written(conda.ask(env, wrapper=True))
    assert told[-6:] == [f"run {pool}/postactivate", f"run {env}/bin/postactivate", *lists]
    on = {"VIRTUAL_ENV": str(env), "PATH": f"{env}/bin:/usr/bin"}
    assert written(conda.ask(env, on, applied=env, owner="alight", wrapper=True)) == lists
    for plan in (conda.ask(env), conda.ask(env, shell="fish", wrapper=True)):
        assert not named(plan, "run") + named(plan, "on-leave") + named(plan, "after-leave")


def test_only_environments_of_virtualenvwrappers_folder_are_wrapped(conda: CondaField) -> None:
    """WORKON_HOME names the folder; a project's own .venv has no such hooks."""
    env = wrapped(conda)
    plan = conda.ask(env, {"WORKON_HOME": "/elsewhere"}, wrapper=True)
    assert not named(plan, "run")
