"""Rules for shell files that no linter knows; the linters themselves are run by tests/run."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest

from alight.cli.init import PARTS
from alight.wire.facts import FACTS, OVERRIDES
from support.checkout import ROOT
from support.shells import KINDS, executable

SCRIPTS = ("install.sh", "tests/run", ".ci/run")
NOTICED = (
    "WORKON_HOME", "PIPENV_PIPFILE", "PIPENV_VENV_IN_PROJECT", "PIPENV_CUSTOM_VENV_NAME", "PIPENV_PYTHON",
    "POETRY_VIRTUALENVS_PATH", "POETRY_VIRTUALENVS_IN_PROJECT", "PDM_PYTHON", "PDM_IGNORE_SAVED_PYTHON", "PDM_USE_VENV",
    "PDM_VENV_IN_PROJECT", "HATCH_ENV", "UV_PROJECT_ENVIRONMENT", "PYENV_ROOT", "PYENV_VERSION", "ASDF_PYTHON_VERSION",
)  # fmt: skip
"""Overrides that people set in the middle of a session. Each costs every prompt, so that the others wait for a cd."""
HOOKS = tuple(f"shell/{part}.{kind}" for part in PARTS for kind in KINDS)


def _code(path: str) -> str:
    """A file without its comments, line numbers kept."""
    return re.sub(r"(?m)(^|\s)#(\s.*)?$", "", (ROOT / path).read_text())


@pytest.mark.parametrize("script", SCRIPTS)
def test_scripts_can_be_started(script: str) -> None:
    """A script carries its mode and names an interpreter that is everywhere."""
    assert os.access(ROOT / script, os.X_OK)
    assert (ROOT / script).read_text().startswith(("#!/bin/sh\n", "#!/usr/bin/env bash\n"))


@pytest.mark.parametrize("script", ["install.sh", "tests/run"])
@pytest.mark.parametrize("shell", ["dash", "bash"])
def test_sh_scripts_parse_and_run_as_a_whole(script: str, shell: str) -> None:
    """POSIX shells read the script; its last line starts it, so that half a file does nothing."""
    subprocess.run([shell, "-n", ROOT / script], check=True)
    assert (ROOT / script).read_text().endswith('\nmain "$@"\n')


@pytest.mark.parametrize("hook", HOOKS)
def test_hooks_evaluate_nothing(hook: str) -> None:
    """No hook evaluates text: what the daemon sends is data."""
    assert not re.search(r"(?m)(^|[;&|({]|\bbuiltin|\bcommand)\s*eval\s", _code(hook))


@pytest.mark.parametrize("hook", HOOKS)
def test_hooks_leave_the_shell_alone(hook: str) -> None:
    """No hook redefines ``cd``, sets a trap that belongs to the user, or exports PS1."""
    code = _code(hook)
    assert not re.search(r"(?m)^\s*(function\s+)?(cd|pushd|popd)\s*(\(\)|$)", code)
    # `trap - INT` of the question is local to it.
    assert not re.search(r"(?m)\btrap\s(?!- INT$).*\b(DEBUG|ERR|EXIT|INT|RETURN|ZERR|CHLD|WINCH)\b", code)
    assert not re.search(r"export\s+(-\w+\s+)*PS1\b|set\s+-\w*x\w*\s+PS1\b", code)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("strict", [False, True], ids=["plain", "strict"])
def test_hooks_are_inert_in_scripts(kind: str, strict: bool, home: Path) -> None:
    """Read by a script, twice, under strict options, a hook prints nothing, defines nothing and succeeds."""
    hook = ROOT / f"shell/alight.{kind}"
    listing = {
        "zsh": "print -rl -- ${(ok)functions} ${(ok)parameters}; alias",
        "bash": "compgen -v; compgen -A function; alias",
        "fish": "functions -a; set -n; abbr",
    }[kind]
    options = (
        {"zsh": "set -eu; set -o pipefail", "bash": "set -eu -o pipefail", "fish": "true"}[kind] if strict else "true"
    )
    relax = "true" if kind == "fish" else "set +eu"
    flags = {"zsh": ["-f"], "bash": ["--norc"], "fish": ["--no-config"]}[kind]

    def names(sourcing: str) -> set[str]:
        done = subprocess.run(
            [executable(kind), *flags, "-c", f"{options}\n{sourcing}\n{relax}\necho @@\n{listing}"],
            capture_output=True,
            text=True,
            check=True,
            stdin=subprocess.DEVNULL,
        )
        before, _, after = done.stdout.partition("@@\n")
        assert (before, done.stderr) == ("", "")
        return set(after.splitlines())

    bare = names(":" if kind != "fish" else "true")
    assert names(f". '{hook}'\n. '{hook}'" if kind != "fish" else f"source '{hook}'\nsource '{hook}'") == bare


@pytest.mark.parametrize("kind", KINDS)
def test_hooks_notice_what_a_user_sets_by_hand(kind: str) -> None:
    """What a prompt compares holds the overrides that are set in the middle of a session, the same at every place."""
    text = _code(f"shell/alight.{kind}").replace("\\\n", "")
    compared = re.findall(r"ALIGHT_DISABLE-?}?\|((?:[^;]|; then)*?)\$[{]?DIRENV_DIR", text)
    assert len(compared) == {"zsh": 2, "bash": 2, "fish": 3}[kind]
    names = {tuple(name for name in re.findall(r"\$[{]?([A-Z][A-Z_]+)", one) if name != "PATH") for one in compared}
    assert names == {("PWD", "VIRTUAL_ENV", "CONDA_PREFIX", *NOTICED)}
    assert set(NOTICED) <= set(OVERRIDES)


def test_zsh_looks_for_what_few_have_set_before_it_compares() -> None:
    """Whether any of them is set is asked about the very variables that are compared, or told, if so."""
    text = _code("shell/alight.zsh")
    asked = [tuple(re.findall(r"-v (\w+)", one)) for one in re.findall(r"(?:-v \w+(?:\s\|\|\s+)?){9,}", text)]
    rare = re.search(r"__alight_variables\+=\(\n(.*?)\n +\)\n", text, re.DOTALL)
    assert rare is not None
    told = tuple(dict.fromkeys(re.findall(r"[$][{]?(\w+)", rare[1])))
    assert sorted(asked) == sorted([told, (*NOTICED, "DIRENV_DIR"), (*NOTICED, "DIRENV_DIR")])


@pytest.mark.parametrize("kind", KINDS)
def test_an_answer_is_remembered_for_all_that_was_told(kind: str) -> None:
    """The key of the hook's memory holds every variable that goes along with a question, once."""
    text = _code(f"shell/alight.{kind}").replace("\\\n", "")
    told = {
        "zsh": r"__alight_variables\+?=\(\n(.*?)\n +\)\n",
        "bash": r"__alight_key=.*?__alight_new\|(.*)",
        "fish": r"set -l key .*?first\|(.*)",
    }[kind]
    found = re.findall(told, text, re.DOTALL if kind == "zsh" else 0)
    names = [name for one in found for name in dict.fromkeys(re.findall(r"[$][{]?(\w+)", one))]
    assert sorted(names) == sorted(FACTS)
