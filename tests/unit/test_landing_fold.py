"""What stands before a command on its line, folded, beside what real shells make of the same line."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from alight.commandline import read
from alight.landing import program
from alight.landing.base import Context
from alight.landing.fold import fold
from alight.model import Reason
from support.callers import SYSTEM_PATH, caller
from support.playfield import Playfield, link, write
from support.pythons import pythons

FLAGS = {"bash": ["--norc", "--noprofile", "-c"], "zsh": ["-f", "-c"], "fish": ["--no-config", "-c"]}


def folded(line: str, context: Context, shell: str = "bash") -> Context | Reason:
    """The state of the last command on the line."""
    reading = read(os.fsencode(line), shell)
    assert reading.complete, reading.reason
    return fold(reading.commands[-1], context)


def known(line: str, context: Context, shell: str = "bash") -> Context:
    """The same where it must be known."""
    found = folded(line, context, shell)
    assert not isinstance(found, str), found
    return found


def reality(line: str, context: Context, shell: str) -> tuple[bytes, dict[str, bytes]]:
    """(the directory, the variables) that a program at the end of the line really gets."""
    environ = {name: os.fsdecode(value) for name, value in context.variables.items()}
    told = subprocess.run(
        [str(shutil.which(shell)), *FLAGS[shell], line.replace("SHOW", "/usr/bin/python3 -c \"$ASK\"")],
        cwd=context.directory, env={**environ, "ASK": ASK}, capture_output=True, check=True,
        timeout=30,
    )  # fmt: skip
    directory, *pairs = told.stdout.split(b"\0")
    return directory, {pair.partition(b"=")[0].decode(): pair.partition(b"=")[2] for pair in pairs}


ASK = (
    "import os, sys\n"
    "pairs = [name + b'=' + value for name, value in os.environb.items()]\n"
    "sys.stdout.buffer.write(b'\\0'.join([os.getcwdb(), *pairs]))"
)
COMPARED = ("PATH", "VIRTUAL_ENV", "HOME", "PIP_TARGET", "PIP_USER", "FOO", "PYTHONHOME", "PYENV_VERSION")


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A home with two environments (one moved away, one of uv's manner), folders and a link."""
    base = pythons()[-1].executable
    for name in ("a", "b"):
        subprocess.run([base, "-m", "venv", "--without-pip", tmp_path / name], check=True, timeout=60)
    shutil.copytree(tmp_path / "a", tmp_path / "copy", symlinks=True)
    (tmp_path / "deep/er").mkdir(parents=True)
    link(tmp_path / "second", "deep")
    return tmp_path


LINES = {
    "bash": [
        "SHOW", "cd deep && SHOW", "cd deep; cd er; SHOW", "cd deep/er && cd - >/dev/null && SHOW", "(cd deep); SHOW",
        "(cd deep; SHOW)", "cd && SHOW", "cd ~/deep && SHOW", 'cd "$HOME/deep" && SHOW', "cd second/.. && SHOW",
        "pushd deep >/dev/null; SHOW", "pushd deep >/dev/null; popd >/dev/null; SHOW", "{ cd deep; }; SHOW",
        "PIP_TARGET=t SHOW", "PIP_TARGET=t; SHOW", "export PIP_TARGET=t; SHOW", "T=t; export PIP_TARGET=$T; SHOW",
        "PIP_TARGET=t; export PIP_TARGET; SHOW", "FOO=1 PIP_TARGET=$FOO SHOW", "export FOO=2; PIP_TARGET=$FOO SHOW",
        "export PIP_USER=1; unset PIP_USER; SHOW", "env PIP_TARGET=t SHOW", "env -u HOME FOO=1 SHOW",
        "env -C deep SHOW",
        "PATH=/bin:$PATH; SHOW", "PATH=$PWD/a/bin:$PATH SHOW",
        ". a/bin/activate && SHOW", "source b/bin/activate; SHOW", "source copy/bin/activate; SHOW",
        "export PYTHONHOME=/x; source b/bin/activate; SHOW", "source a/bin/activate; deactivate; SHOW",
        "source a/bin/activate; source b/bin/activate; SHOW", "source a/bin/activate | cat; SHOW",
        "(source a/bin/activate; SHOW)", "cd a/bin && . ./activate && SHOW", "bash -c 'cd deep; SHOW'",
        "FOO=3 bash -c 'PIP_TARGET=$FOO SHOW'", "nohup env FOO=1 SHOW", "nice -n 3 SHOW", "command env FOO=1 SHOW",
        "time FOO=1 SHOW", "export PIP_USER=; SHOW", "set -a; FOO=7; set +a; SHOW", "declare -x FOO=1; SHOW",
    ],
    "zsh": [
        "cd deep && SHOW", "export FOO=1; SHOW", "typeset -x FOO=1; SHOW", "source a/bin/activate && SHOW",
        "FOO=1 PIP_TARGET=$FOO SHOW", "source a/bin/activate; deactivate; SHOW", "cd ~/deep; SHOW",
        "true | source a/bin/activate; SHOW", "command env FOO=1 SHOW", "noglob env FOO=1 SHOW",
    ],
    "fish": [
        "cd deep; and SHOW", "set -x FOO 1; SHOW", "set -gx PATH $PWD/a/bin $PATH; SHOW", "FOO=1 SHOW",
        "set FOO 1; SHOW",
        "source a/bin/activate.fish; and SHOW", "source a/bin/activate.fish; deactivate; SHOW",
        "begin; cd deep; end; SHOW",
        "env FOO=1 SHOW", "set -x FOO 1; set -e FOO; SHOW",
    ],
}  # fmt: skip


@pytest.mark.parametrize(("shell", "line"), [(shell, line) for shell, lines in LINES.items() for line in lines])
def test_a_line_does_what_the_shell_does(shell: str, line: str, home: Path) -> None:
    """Directory and variables of the last command are those a real shell gives it."""
    assert shutil.which(shell) is not None
    context = caller(home, home, {"PATH": "/usr/bin:/bin"})
    predicted = known(line.replace("SHOW", "show"), context, shell)
    directory, variables = reality(line, context, shell)
    assert os.path.realpath(predicted.directory) == directory
    for name in COMPARED:
        assert predicted.variables.get(name) == variables.get(name), name


UNKNOWN: dict[str, Reason] = {
    'eval "$(x)"; show': "opaque-line",
    "source ~/.profile; show": "opaque-line",
    "source a/bin/activate extra; show": "opaque-line",
    "source nothing/bin/activate; show": "opaque-line",
    "cd nowhere && show": "opaque-line",
    "cd $(x) && show": "unknown-word",
    "cd - && show": "opaque-line",
    "popd; show": "opaque-line",
    "export PIP_TARGET=$(x); show": "unknown-word",
    "export PIP_TARGET; show": "unknown-word",
    "env PIP_TARGET=${ELSEWHERE:-none} show": "unknown-word",
    "PATH=$(x):$PATH; show": "unknown-word",
    "export PATH=$ELSEWHERE; show": "unknown-word",
    "unset PATH; show": "unknown-word",
    "z there; show": "opaque-line",
    "sudo -i show": "other-user",
    "sudo -u nobody-of-that-name show": "other-user",
    "doas show": "other-user",
    "bash -lc show": "opaque-line",
    "bash -ic show": "opaque-line",
    "alias show=ls; show": "opaque-line",
    "conda activate nothing; show": "opaque-line",
    "workon nothing; show": "opaque-line",
    "pyenv local 3.11; show": "opaque-line",
    "pyenv activate nothing; show": "opaque-line",
    "exec -c show": "opaque-line",
    "conda deactivate; cd - && show": "opaque-line",
}


@pytest.mark.parametrize("line", UNKNOWN)
def test_what_cannot_be_known(line: str, home: Path) -> None:
    """Whatever depends on code, output or settings that are not on the line is said to be unknown."""
    write(home / ".profile", "export PIP_TARGET=t\n")
    assert folded(line, caller(home, home)) == UNKNOWN[line]


def test_values_that_nobody_needs(home: Path) -> None:
    """An unknown value in a variable that no installer listens to stops nothing."""
    found = known("export GREETING=$(x); read NAME; show", caller(home, home))
    assert "GREETING" not in found.variables


def test_what_the_shell_remembers(home: Path) -> None:
    """Remembered commands last until PATH changes, ``hash -r``, or a program looks them up."""
    context = caller(home, home, hashed={"show": "/usr/bin/true"}, functions=("show",), aliases={"show": "true"})
    assert known("show", context).hashed and known("command show", context).hashed
    for line in ("PATH=/bin; show", "hash -r; show", "nohup show", "env show", "PATH=/bin show", "sh -c show"):
        assert not known(line, context).hashed, line
    assert known("show", context).functions and known("show", context).aliases
    assert not known("command show", context).functions
    assert not known("\\show", context).aliases and known("\\show", context).functions


def test_functions_and_aliases_before_the_command(home: Path) -> None:
    """A function of the user's may do anything; an alias does what it says."""
    assert folded("ready; show", caller(home, home, functions=("ready",))) == "opaque-line"
    assert folded("conda info; show", caller(home, home, functions=("conda",))) != "opaque-line"
    assert folded("ll; show", caller(home, home, aliases={"ll": "ls -l"})) != "opaque-line"
    assert folded("go; show", caller(home, home, aliases={"go": "cd /tmp"})) == "opaque-line"
    assert folded("sudo show", caller(home, home, aliases={"sudo": "sudo "})) != "opaque-line"
    assert folded("sudo show", caller(home, home, aliases={"sudo": "doas"})) == "opaque-line"
    assert folded("cd deep; show", caller(home, home, functions=("cd",))) == "opaque-line"


def test_sudo_drops_the_environment(home: Path) -> None:
    """``sudo`` keeps neither variables nor PATH; ``-E`` keeps variables; what is typed behind it counts."""
    variables = {"VIRTUAL_ENV": str(home / "a"), "PATH": f"{home / 'a/bin'}:{SYSTEM_PATH}", "PIP_TARGET": "t"}
    context = caller(home, home, variables)
    found = known("sudo show", context)
    assert found.user == "root" and found.doubts
    assert "VIRTUAL_ENV" not in found.variables and "PIP_TARGET" not in found.variables
    assert os.fsencode(home / "a/bin") not in found.variables["PATH"]
    assert found.home == pwd_home("root")
    kept = known("sudo -E show", context)
    assert kept.variables["PIP_TARGET"] == b"t" and kept.home == os.fsencode(home)
    assert os.fsencode(home / "a/bin") not in kept.variables["PATH"]
    assert known("sudo -EH show", context).home == pwd_home("root")
    assert known('sudo env PATH="$PATH" show', context).variables["PATH"] == os.fsencode(variables["PATH"])
    assert known("sudo PIP_USER=1 show", context).variables["PIP_USER"] == b"1"
    assert known("sudo -u daemon show", context).user == "daemon"


def pwd_home(user: str) -> bytes:
    """The home that the machine's user database gives."""
    return os.fsencode(os.path.expanduser(f"~{user}"))


def test_command_p_looks_in_the_default_places(home: Path) -> None:
    """``command -p`` passes over PATH, which the program still gets."""
    write(home / "own/ls", "#!/bin/sh\n").chmod(0o755)
    context = caller(home, home, {"PATH": f"{home / 'own'}:{SYSTEM_PATH}"})
    found = known("command -p ls", context)
    assert program.locate(b"ls", found) == b"/bin/ls"
    assert found.variables["PATH"] == context.variables["PATH"]


def test_the_name_a_program_is_told(home: Path) -> None:
    """``exec -a`` gives a program another name."""
    assert known("exec -a foo show", caller(home, home)).argv0 == b"foo"


def test_conditions_and_subshells(home: Path) -> None:
    """What may not run is marked, and what happens in parentheses stays there."""
    assert known("false || show", caller(home, home)).conditional
    assert not known("true && show", caller(home, home)).conditional


def test_pyenv_on_the_line(home: Path) -> None:
    """``pyenv shell`` sets a variable; ``pyenv activate`` names an environment among the versions."""
    field = Playfield(home)
    field.venv(home / ".pyenv/versions/blue")
    context = caller(home, home)
    assert known("pyenv shell 3.12.1; show", context).variables["PYENV_VERSION"] == b"3.12.1"
    found = known("pyenv activate blue; show", context)
    assert found.variables["VIRTUAL_ENV"] == os.fsencode(home / ".pyenv/versions/blue")
    assert found.variables["PYENV_VERSION"] == b"blue"


def test_workon(home: Path) -> None:
    """Virtualenvwrapper's environments lie in one folder."""
    (home / ".virtualenvs").mkdir()
    link(home / ".virtualenvs/a", str(home / "a"))
    found = known("workon a; show", caller(home, home))
    assert found.variables["VIRTUAL_ENV"] == os.fsencode(home / "a")
    write(home / "a/bin/postactivate")
    assert known("workon a; show", caller(home, home)).doubts


def test_tools_that_hear_a_cd(home: Path) -> None:
    """Direnv in zsh and fish acts in the middle of a line, mise in every shell that it is set up in."""
    write(home / "deep/.envrc", "export PIP_TARGET=t\n")
    write(home / "other/mise.toml", "")
    context = caller(home, home)
    assert known("cd deep/er && show", context, "zsh").doubts and not known("cd deep/er && show", context).doubts
    assert known("cd other && show", caller(home, home, {"MISE_SHELL": "bash"})).doubts
    assert not known("cd other && show", context).doubts


def test_conda_on_the_line(home: Path) -> None:
    """``conda activate`` puts a prefix in the place of the one that was on, ``deactivate`` takes it off."""
    root = home / "miniconda3"
    for prefix in (root, root / "envs/kid"):
        write(prefix / "conda-meta/history")
        (prefix / "bin").mkdir()
    (root / "condabin").mkdir()
    context = caller(home, home, {"CONDA_EXE": str(root / "bin/conda"), "PATH": f"{root / 'condabin'}:/usr/bin"})
    found = known("conda activate kid; show", context)
    assert found.variables["CONDA_PREFIX"] == os.fsencode(root / "envs/kid")
    assert found.variables["CONDA_DEFAULT_ENV"] == b"kid" and found.variables["CONDA_SHLVL"] == b"1"
    assert found.variables["PATH"].startswith(os.fsencode(root / "envs/kid/bin:"))
    over = known("conda activate; conda activate kid; show", context)
    assert os.fsencode(root / "bin") not in over.variables["PATH"].split(b":")
    stacked = known("conda activate; conda activate --stack kid; show", context)
    assert os.fsencode(root / "bin") in stacked.variables["PATH"].split(b":")
    back = known("conda activate; conda activate kid; conda deactivate; show", context)
    assert back.variables["CONDA_PREFIX"] == os.fsencode(root)
    write(root / "envs/kid/etc/conda/activate.d/x.sh", "export PIP_TARGET=t\n")
    assert known("conda activate kid; show", caller(home, home, {"CONDA_EXE": str(root / "bin/conda")})).doubts


def test_the_path_that_activate_kept(home: Path) -> None:
    """What the shell's own activate has kept comes back with ``deactivate``, also before another one is switched on."""
    kept = "/opt/tools:/usr/bin"
    active = {"VIRTUAL_ENV": str(home / "a"), "PATH": f"/added:{home}/a/bin:{kept}", "_OLD_VIRTUAL_PATH": kept}
    context = caller(home, home, active)
    found = known("deactivate && show", context)
    assert found.variables["PATH"] == os.fsencode(kept) and "VIRTUAL_ENV" not in found.variables
    over = known("source b/bin/activate; show", context)
    assert over.variables["PATH"] == os.fsencode(f"{home}/b/bin:{kept}") and not over.doubts
    assert known("source b/bin/activate; deactivate; show", context).variables["PATH"] == os.fsencode(kept)


def test_an_environment_that_activate_did_not_switch_on_stays_on_path(home: Path) -> None:
    """Without a kept PATH, another environment's activate leaves the former one behind it."""
    active = {"VIRTUAL_ENV": str(home / "a"), "PATH": f"{home}/a/bin:/usr/bin:/bin"}
    predicted = known("source b/bin/activate; show", caller(home, home, active))
    assert predicted.doubts
    _, variables = reality("source b/bin/activate; SHOW", caller(home, home, active), "bash")
    assert predicted.variables["PATH"] == variables["PATH"]


def test_a_test_decides_what_comes_before(home: Path) -> None:
    """``[ -d x ] && cd x; command``: where it runs is only likely."""
    context = caller(home, home)
    assert known("[ -d deep ] && cd deep; show", context).doubts
    assert not known("cd deep && show", context).doubts


@pytest.mark.parametrize("line", ["cd second/.. && SHOW", "cd -P second/.. && SHOW", "cd -P second && SHOW",
                                  "cd -PL second/.. && SHOW", "env -C second SHOW"])  # fmt: skip
def test_links_on_the_way(line: str, home: Path) -> None:
    """A shell goes back the way it came unless it is told not to; a program is told where it really is."""
    context = caller(home, home, {"PATH": "/usr/bin:/bin"})
    predicted = known(line.replace("SHOW", "show"), context)
    directory, variables = reality(line, context, "bash")
    assert predicted.real_directory == directory
    assert predicted.path(b"x") == directory + b"/x"
    if "env" not in line:
        assert predicted.directory == variables["PWD"]
