"""Rules for shell files that no linter knows; the linters themselves are run by tests/run."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest

from support.checkout import ROOT
from support.shells import KINDS, executable

SCRIPTS = ("install.sh", "tests/run", ".ci/run")
HOOKS = tuple(f"shell/alight.{kind}" for kind in KINDS)


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
    assert not re.search(r"(?m)\btrap\s.*\b(DEBUG|ERR|EXIT|INT|RETURN|ZERR|CHLD|WINCH)\b", code)
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
