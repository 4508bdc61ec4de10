"""Entering conda-shaped prefixes compared with py-rattler's activation, run by real shells.

Where the two differ conda's own ``activate.py`` decides; every difference is listed with that reason, and any other
one fails.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from rattler.shell.shell import ActivationVariables, PathModificationBehavior, Shell, activate

from support.condafield import CondaField, named, sets, written
from support.condashape import conda_prefix, pixi_environment, pixi_manifest
from support.playfield import write

SHELLS = ("bash", "zsh", "fish")
ODD = ("b", "a", "Z", "10", "9", "a b", "_x", "ä")

SHELLS_OWN = frozenset({"_", "SHLVL", "PWD", "OLDPWD", "USER", "LOGNAME"})
CONDAS_OWN = frozenset({
    "CONDA_DEFAULT_ENV", "CONDA_PROMPT_MODIFIER", "CONDA_EXE", "_CONDA_EXE", "CONDA_PYTHON_EXE", "_CONDA_ROOT",
    "_CE_M", "_CE_CONDA",
})  # fmt: skip
"""conda exports these, rattler leaves them to its callers."""


@dataclass(frozen=True)
class After:
    """A shell after an activation: its variables, its PATH, and the files that ran, in order."""

    variables: Mapping[str, str]
    path: list[str]
    ran: list[str]


@dataclass(frozen=True)
class Case:
    """One situation; ``differences`` are conda's way, and ``why`` says where it stands in conda's source."""

    name: str
    make: Callable[[CondaField], Path]
    beneath: Callable[[CondaField], Path | None] = lambda _field: None
    variables: Mapping[str, str] = field(default_factory=dict)
    differences: Mapping[str, str] = field(default_factory=dict)


def scripts(*names: str) -> dict[str, str]:
    """Files for every shell that note their names."""
    return {
        f"{name}.{suffix}": f'printf "%s\\n" "{name}.{suffix}" >>"$RAN"\n'
        for name in names
        for suffix in ("sh", "fish")
    }


def with_scripts(conda: CondaField) -> Path:
    return conda_prefix(conda.env, activate=scripts(*ODD), deactivate=scripts("d"))


def base(conda: CondaField) -> Path:
    for name, text in scripts("base1", "base2").items():
        write(conda.root / "etc/conda/deactivate.d" / name, text)
    write(conda.root / "conda-meta/state", '{"env_vars": {"OF_BASE": "1"}}')
    return conda.root


def pixi(conda: CondaField) -> Path:
    project = conda.home / "app"
    pixi_manifest(project)
    return pixi_environment(project, activate=scripts(*ODD), state={"A": "1"})


PIXIS_OWN = (
    "PIXI_PROJECT_ROOT", "PIXI_PROJECT_NAME", "PIXI_PROJECT_MANIFEST", "PIXI_PROJECT_VERSION",
    "PIXI_ENVIRONMENT_NAME", "PIXI_ENVIRONMENT_PLATFORMS", "PIXI_PROMPT",
)  # fmt: skip
STATE = {"B": "from state", "SPACED": " a  b ", "QUOTED": 'the "$HOME"', "GONE": "***unset***", "PATH": "/evil",
         "Mixed_Case": "kept"}  # fmt: skip
UNSET = "_build_activate_stack leaves out the values that are ***unset***"
ON_TOP = {
    "CONDA_SHLVL": "the binding does not tell rattler the variables, so it counts from 0; conda: old_conda_shlvl + 1",
    "CONDA_PREFIX_1": "conda keeps what lies beneath under its level; rattler under CONDA_ENV_SHLVL_<n>_CONDA_PREFIX",
}

CASES = [
    Case("plain", lambda conda: conda_prefix(conda.env)),
    Case(
        "packages",
        lambda conda: conda_prefix(
            conda.env, env_vars={"z.json": {"A": "z", "Z": "1"}, "a.json": {"A": "a", "B": "x y"}, "M.json": {"A": "M"}}
        ),
    ),
    Case(
        "state",
        lambda conda: conda_prefix(conda.env, env_vars={"a.json": {"B": "package", "Packages": "1"}}, state=STATE),
        differences={
            "GONE": UNSET,
            "PACKAGES": "get_export_unset_vars puts all names in capitals, rattler only the state's",
            "Packages": "the same",
            "PATH": "PATH is one of RESERVED_ENV_VARS, and ignored",
            "QUOTED": "a value is data, as it stands in the file; rattler's script lets the shell read it",
        },
    ),
    Case("odd-order", with_scripts),
    Case(
        "replaced",
        lambda conda: conda_prefix(conda.env, state={"A": "new"}),
        variables={"A": "old"},
        differences={"__CONDA_SHLVL_0_A": "conda keeps a clobbered value for its deactivate"},
    ),
    Case(
        "over-base",
        with_scripts,
        beneath=base,
        variables={"OF_BASE": "1"},
        differences={
            **ON_TOP,
            "OF_BASE": "_build_activate_stack unsets nothing of the environment beneath",
            "ran": "_get_deactivate_scripts sorts with reverse=True",
        },
    ),
    Case(
        "pixi",
        pixi,
        differences=dict.fromkeys(PIXIS_OWN, "pixi adds its own to what rattler does"),
    ),
]  # fmt: skip


@pytest.fixture
def conda(tmp_path: Path) -> CondaField:
    return CondaField(tmp_path)


def start(conda: CondaField, case: Case) -> dict[str, str]:
    """The variables of the shell before."""
    beneath = case.beneath(conda)
    given = conda.base_on() if beneath is not None else {"PATH": f"{conda.root}/condabin:/usr/bin:/bin"}
    return {**given, "HOME": str(conda.home), "RAN": str(conda.home / "ran"), **case.variables}


def theirs(prefix: Path, shell: str, before: Mapping[str, str], beneath: Path | None) -> After:
    """What rattler's script does to a shell."""
    kinds = {"bash": Shell.bash, "zsh": Shell.zsh, "fish": Shell.fish}
    asked = ActivationVariables(beneath, before["PATH"].split(":"), PathModificationBehavior.Replace)
    script = activate(prefix, asked, kinds[shell]).script
    program = shutil.which(shell)
    env = shutil.which("env")
    assert program is not None
    assert env is not None
    options = {"bash": ["--norc"], "zsh": ["-f"], "fish": ["--no-config"]}[shell]
    done = subprocess.run(
        [program, *options, "-c", f"{script}\n{env} -0"], env=dict(before), capture_output=True, check=True, timeout=30
    )
    pairs = (os.fsdecode(entry).split("=", 1) for entry in done.stdout.split(b"\0") if entry)
    log = Path(before["RAN"])
    ran = log.read_text().splitlines() if log.exists() else []
    return of({name: value for name, value in pairs if name not in SHELLS_OWN}, ran)


def ours(conda: CondaField, prefix: Path, shell: str, before: Mapping[str, str]) -> After:
    """What the plan does to a shell, by PROTOCOL 5."""
    system = "pixi" if (prefix / "conda-meta/pixi").exists() else "conda"
    plan = conda.ask(prefix, before, shell=shell, system=system, project=prefix.parents[2])
    assert plan.action == "enter"
    variables = dict(before)
    for pair in named(plan, "save"):
        name, _, other = pair.partition("=")
        variables |= {name: before[other]} if other in before else {}
    variables |= sets(plan)
    for name in named(plan, "unset"):
        variables.pop(name, None)
    entries = before["PATH"].split(":")
    for directory in named(plan, "path-add"):
        entries.insert(0, directory)
    for pair in named(plan, "path-replace"):
        old, _, new = pair.partition(":")
        entries = [new if entry == old else entry for entry in entries]
    verbs = [operation.partition(" ") for operation in written(plan)]
    return of({**variables, "PATH": ":".join(entries)}, [Path(file).name for verb, _, file in verbs if verb == "run"])


def of(variables: dict[str, str], ran: list[str]) -> After:
    path = variables.pop("PATH").split(":")
    return After({name: value for name, value in variables.items() if name not in CONDAS_OWN}, path, ran)


@pytest.mark.parametrize("shell", SHELLS)
@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_activation(conda: CondaField, case: Case, shell: str) -> None:
    """Variables, PATH and the order of files are rattler's, except where conda's source says otherwise."""
    before = start(conda, case)
    prefix = case.make(conda)
    their, our = theirs(prefix, shell, before, case.beneath(conda)), ours(conda, prefix, shell, before)
    names = their.variables.keys() | our.variables.keys()
    found = {name for name in names if their.variables.get(name) != our.variables.get(name)}
    found |= {"PATH"} if their.path != our.path else set()
    found |= {"ran"} if their.ran != our.ran else set()
    assert found == set(case.differences), (their, our)
    assert our.path[0] == f"{prefix}/bin"


@pytest.mark.parametrize("shell", SHELLS)
def test_files_of_the_environment_beneath_run_from_last_to_first(conda: CondaField, shell: str) -> None:
    """The one difference in order: conda's deactivate.d is reversed, and comes before everything else."""
    before = start(conda, next(case for case in CASES if case.name == "over-base"))
    suffix = "fish" if shell == "fish" else "sh"
    found = ours(conda, with_scripts(conda), shell, before).ran
    assert found[:2] == [f"base2.{suffix}", f"base1.{suffix}"]
    assert found[2:] == sorted(found[2:], key=os.fsencode)


@pytest.mark.parametrize("shell", SHELLS)
def test_a_hop_equals_leaving_and_entering(conda: CondaField, shell: str) -> None:
    """From one of ours to another: as rattler does it over what the first one was entered from."""
    one = conda_prefix(conda.env, state={"A": "1"})
    two = conda_prefix(conda.root / "envs/y", activate=scripts(*ODD), state={"B": "2"})
    before = {"PATH": f"{conda.root}/condabin:/usr/bin:/bin", "HOME": str(conda.home), "RAN": str(conda.home / "ran")}
    on = {**before, "PATH": f"{one}/bin:{before['PATH']}", "CONDA_PREFIX": str(one), "CONDA_SHLVL": "1"}
    plan = conda.ask(two, on, shell=shell, applied=one, owner="alight")
    fresh = conda.ask(two, before, shell=shell)
    assert plan.operations == fresh.operations
    assert theirs(two, shell, before, None) == ours(conda, two, shell, before)
