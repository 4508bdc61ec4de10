"""What entering a conda environment does, by the table of activation rules 3.3, as operations of a plan."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from alight.activation import operations
from alight.activation.conda import prompt_modifier
from alight.activation.variables import settable
from support.condafield import CondaField, files, named, sets, written
from support.condashape import conda_prefix, conda_root, condarc


@pytest.fixture
def conda(tmp_path: Path) -> CondaField:
    return CondaField(tmp_path)


SCRIPTS = {"b.sh": "", "a.sh": "", "Z.sh": "", "10.sh": "", "9.sh": "", "c.fish": "", "readme.txt": "", "x.bash": ""}
ORDERED = ["10.sh", "9.sh", "Z.sh", "a.sh", "b.sh"]


# --- entering ------------------------------------------------------------------------------------


def test_the_whole_of_a_first_activation(conda: CondaField) -> None:
    """From 0 to 1: condabin behind bin, the atomic set, conda's own variables, files by name, deactivate.d reversed."""
    env = conda_prefix(conda.env, activate=SCRIPTS, deactivate=SCRIPTS)
    plan = conda.ask(env)
    assert (plan.action, plan.owner, plan.prefix) == ("enter", "alight", os.fsencode(env))
    assert written(plan) == [
        f"set CONDA_PREFIX={env}",
        "set CONDA_SHLVL=1",
        "set CONDA_DEFAULT_ENV=x",
        "set CONDA_PROMPT_MODIFIER=(x) ",
        f"set CONDA_EXE={conda.root}/bin/conda",
        f"set _CONDA_EXE={conda.root}/bin/conda",
        f"set CONDA_PYTHON_EXE={conda.root}/bin/python",
        f"set _CONDA_ROOT={conda.root}",
        "set _CE_M=",
        "set _CE_CONDA=",
        f"path-add {conda.root}/condabin",
        f"path-add {env}/bin",
        *(f"run {env}/etc/conda/activate.d/{name}" for name in ORDERED),
        *(f"on-leave {env}/etc/conda/deactivate.d/{name}" for name in reversed(ORDERED)),
    ]
    assert (plan.witness_1, plan.witness_2) == (os.fsencode(env / "conda-meta"), os.fsencode(env / "conda-meta/state"))


def test_fish_gets_its_own_files_and_really_unset_variables(conda: CondaField) -> None:
    """In fish conda runs only .fish files, and erases what it empties elsewhere."""
    plan = conda.ask(conda_prefix(conda.env, activate=SCRIPTS, deactivate=SCRIPTS), shell="fish")
    assert (files(plan, "run"), files(plan, "on-leave")) == (["c.fish"], ["c.fish"])
    assert named(plan, "unset") == ["_CE_M", "_CE_CONDA"]
    assert "_CE_M" not in sets(plan)


def test_condabin_is_added_only_where_there_is_none(conda: CondaField) -> None:
    """Any entry of PATH that ends in condabin is enough, as in conda."""
    env = conda_prefix(conda.env)
    assert named(conda.ask(env, {"PATH": "/elsewhere/condabin:/usr/bin"}), "path-add") == [f"{env}/bin"]


def test_without_a_root_nothing_is_said_about_conda(conda: CondaField) -> None:
    """A prefix that no known installation made gets neither CONDA_EXE nor condabin; its name is its path."""
    env = conda_prefix(conda.home / "p/.conda", history="# nothing\n")
    plan = conda.ask(env)
    assert set(sets(plan)) == {"CONDA_PREFIX", "CONDA_SHLVL", "CONDA_DEFAULT_ENV", "CONDA_PROMPT_MODIFIER"}
    assert sets(plan)["CONDA_DEFAULT_ENV"] == str(env)
    assert named(plan, "path-add") == [f"{env}/bin"]


def test_the_shells_own_conda_stays(conda: CondaField) -> None:
    """CONDA_EXE is the conda whose function the shell has, also for another installation's environment."""
    other = conda_root(conda.home / "miniforge3")
    plan = conda.ask(conda_prefix(conda.env), {"CONDA_EXE": f"{other}/bin/conda"})
    assert sets(plan)["CONDA_EXE"] == f"{other}/bin/conda"
    assert sets(plan)["_CONDA_ROOT"] == str(other)


@pytest.mark.parametrize(
    ("setting", "variable", "expected"),
    [
        ({}, {}, "(x) "),
        ({"changeps1": False}, {}, ""),
        ({"changeps1": False}, {"CONDA_CHANGEPS1": "true"}, "(x) "),
        ({}, {"CONDA_CHANGEPS1": "no"}, ""),
        ({"env_prompt": "[{name}] "}, {}, "[x] "),
    ],
)
def test_the_prompt_modifier_follows_condas_settings(
    conda: CondaField, setting: dict[str, object], variable: dict[str, str], expected: str
) -> None:
    """Empty and still exported when changeps1 is off; CONDA_CHANGEPS1 beats the file."""
    condarc(conda.home, **setting)
    assert sets(conda.ask(conda_prefix(conda.env), variable))["CONDA_PROMPT_MODIFIER"] == expected


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ("({default_env}) ", b"(x) "),
        ("{{{stacked_env}}} ", b"{x} "),
        ("<{prefix}|{name}>", b"</r/envs/x|x>"),
        ("plain", b"plain"),
        ("{default_env:>999999999}", b"(x) "),
        ("{default_env.__class__}", b"(x) "),
        ("{nothing}", b"(x) "),
        ("{", b"(x) "),
        ("\x1b]0;{name}\x07", b"(x) "),
        ("x" * 600, b"(x) "),
        ("{prefix}" * 9, b"(x) "),
    ],
)
def test_a_prompt_template_can_ask_for_nothing_else(template: str, expected: bytes) -> None:
    """Whole fields only: no attributes, no padding, no escape sequences; otherwise conda's default."""
    assert prompt_modifier(template, b"x", b"/r/envs/x") == expected


# --- variables -----------------------------------------------------------------------------------


def test_the_environments_variables(conda: CondaField) -> None:
    """Packages' files by name, then conda-meta/state, which wins; in capitals, each kept before it is set."""
    env = conda_prefix(
        conda.env,
        env_vars={"b.json": {"A": "1", "MIXED_case": "x"}, "a.json": {"A": "0", "B": "q"}},
        state={"B": "state wins", "GONE": "***unset***", "QUOTED": "it's $x `y`"},
    )
    plan = conda.ask(env)
    found = {name: value for name, value in sets(plan).items() if "CONDA" not in name and not name.startswith("_CE")}
    assert found == {"A": "1", "B": "state wins", "MIXED_CASE": "x", "QUOTED": "it's $x `y`"}
    assert named(plan, "save") == [f"__CONDA_SHLVL_0_{name}={name}" for name in ("A", "B", "MIXED_CASE", "QUOTED")]
    verbs = [operation.split(" ")[0] for operation in written(plan)]
    assert verbs.index("save") < verbs.index("set")


def test_what_a_hook_refuses_is_not_sent(conda: CondaField) -> None:
    """One refused name would cost the whole plan: shells' own, conda's and alight's names and hostile ones go."""
    hostile = ["PATH", "PS1", "IFS", "ENV", "BASH_ENV", "ZDOTDIR", "PROMPT_COMMAND", "LD_PRELOAD", "DYLD_X", "HOME",
               "a[$(x)]", "A-B", "", "1A", "path", "CONDA_PREFIX", "CONDA_SHLVL", "__CONDA_SHLVL_0_X", "ALIGHT_STATE",
               "VIRTUAL_ENV", "BASH_FUNC_x", "LC_ALL"]  # fmt: skip
    env = conda_prefix(conda.env, state={**dict.fromkeys(hostile, "evil"), "CONDA_OVERRIDE_CUDA": "12"})
    found = sets(conda.ask(env))
    assert "evil" not in found.values()
    assert found["CONDA_OVERRIDE_CUDA"] == "12"
    assert not any(map(settable, [*hostile, "__alight_x", "fish_greeting"]))


@pytest.mark.parametrize(
    "content",
    ["", "[]", "null", "{", '{"env_vars": []}', '{"env_vars": {"A": null, "B": [], "C": {}, "D": true}}', "[" * 9999],
)
def test_a_damaged_state_sets_nothing(conda: CondaField, content: str) -> None:
    """Wrong types and broken JSON are no reason to fail, nor to set anything."""
    env = conda_prefix(conda.env, state=content or " ", env_vars={"a.json": content, "b.json": '{"N": 5}'})
    found = sets(conda.ask(env))
    assert found["N"] == "5"
    assert not {"A", "B", "C", "D"} & set(found)


def test_values_are_bounded_and_tame(conda: CondaField) -> None:
    """No value of megabytes, and none with control octets, which the wire keeps for itself."""
    env = conda_prefix(conda.env, state={"BIG": "x" * 5000, "SPLIT": "a\x1fb", "NUL": "a\0b", "FINE": "a\tb\nc"})
    found = sets(conda.ask(env))
    assert not {"BIG", "SPLIT", "NUL"} & set(found)
    assert found["FINE"] == "a\tb\nc"


def test_files_that_others_can_write_are_not_run(conda: CondaField) -> None:
    """Only regular files of ours or root's that nobody else can write; links are none."""
    env = conda_prefix(conda.env, activate={"good.sh": "", "group.sh": "", "all.sh": ""})
    folder = env / "etc/conda/activate.d"
    (folder / "group.sh").chmod(0o664)
    (folder / "all.sh").chmod(0o646)
    (folder / "link.sh").symlink_to("good.sh")
    (folder / "folder.sh").mkdir()
    assert files(conda.ask(env), "run") == ["good.sh"]


def test_what_does_not_fit_is_not_half_done(conda: CondaField) -> None:
    """A reply has 96 fields: an environment that wants more stays off, and one line says so."""
    env = conda_prefix(conda.env, activate={f"{number:03}.sh": "" for number in range(80)})
    plan = conda.ask(env)
    assert (plan.action, plan.operations, plan.stamp) == ("keep", (), b"")
    assert "too many activation files" in plan.notice
    fits = conda_prefix(conda.root / "envs/y", activate={f"{number:03}.sh": "" for number in range(50)})
    assert len(conda.ask(fits).operations) <= operations.COUNT_LIMIT
