"""`alight exec` and `alight export` for conda environments and bare interpreters."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import msgspec
import pytest

from alight.activation.changes import Changes
from alight.cli import exec as exec_module
from alight.cli.applying import applied, kept, shell_lines
from alight.model import Answer, Interpreter
from alight.wire.requests import AnswerReply
from support.commandline import HOSTILE, CannedService, alight, answer, environment
from support.condafield import CondaField
from support.condashape import conda_prefix
from support.playfield import write

Capture = pytest.CaptureFixture[str]


@pytest.fixture
def conda(tmp_path: Path) -> CondaField:
    return CondaField(tmp_path)


def service(prefix: Path) -> CannedService:
    """Answers that this conda environment belongs here, and is trusted."""
    reply = answer("trusted", prefix=os.fsencode(prefix))
    own = msgspec.structs.replace(environment(os.fsencode(prefix), kind="conda"), system="conda")
    resolution = msgspec.structs.replace(reply.resolution, environment=own)
    return giving(msgspec.structs.replace(reply, resolution=resolution))


def giving(reply: Answer) -> CannedService:
    return CannedService({"answer": AnswerReply(reply)})


def environ(conda: CondaField, variables: dict[str, str]) -> dict[bytes, bytes]:
    return {os.fsencode(name): os.fsencode(value) for name, value in {"HOME": str(conda.home), **variables}.items()}


def exported(conda: CondaField, prefix: Path, variables: dict[str, str], capsys: Capture) -> dict[str, object]:
    given = environ(conda, variables)
    assert alight("export", "--json", "/", service=service(prefix), environ=given) == 0
    shape: dict[str, object] = json.loads(capsys.readouterr().out)
    assert list(shape) == ["set", "unset", "path_add", "path_remove", "run"]
    return shape


def test_export_of_a_first_activation(conda: CondaField, capsys: Capture) -> None:
    """The whole of conda's activation in the documented shape; what a variable replaces is kept as a value."""
    env = conda_prefix(conda.env, activate={"a.sh": "", "b.fish": ""}, state={"A": "1", "B": "2"})
    shape = exported(conda, env, {"PATH": "/usr/bin", "A": "old"}, capsys)
    values = shape["set"]
    assert isinstance(values, dict)
    assert (values["CONDA_PREFIX"], values["CONDA_SHLVL"], values["CONDA_DEFAULT_ENV"]) == (str(env), "1", "x")
    assert (values["A"], values["__CONDA_SHLVL_0_A"]) == ("1", "old")
    assert "__CONDA_SHLVL_0_B" not in values
    assert shape["path_add"] == [f"{env}/bin", f"{conda.root}/condabin"]
    assert (shape["path_remove"], shape["run"]) == ([], [f"{env}/etc/conda/activate.d/a.sh"])


def test_export_over_base(conda: CondaField, capsys: Capture) -> None:
    """What takes base's place in PATH is one entry removed and one added; base's files come first."""
    write(conda.root / "etc/conda/deactivate.d/d.sh")
    env = conda_prefix(conda.env, activate={"a.sh": ""})
    shape = exported(conda, env, conda.base_on(), capsys)
    assert (shape["path_add"], shape["path_remove"]) == ([f"{env}/bin"], [f"{conda.root}/bin"])
    assert shape["run"] == [f"{conda.root}/etc/conda/deactivate.d/d.sh", f"{env}/etc/conda/activate.d/a.sh"]


def test_a_venv_is_left_and_what_is_on_is_not_entered_twice(conda: CondaField, capsys: Capture) -> None:
    """R10 for programs: VIRTUAL_ENV does not stay beside CONDA_PREFIX. What is already on needs nothing."""
    env = conda_prefix(conda.env, activate={"a.sh": ""})
    shape = exported(conda, env, {"PATH": "/v/bin:/usr/bin", "VIRTUAL_ENV": "/v", "VIRTUAL_ENV_PROMPT": "v"}, capsys)
    assert (shape["unset"], shape["path_remove"]) == (["VIRTUAL_ENV", "VIRTUAL_ENV_PROMPT"], ["/v/bin"])
    shape = exported(conda, env, conda.env_on(env), capsys)
    assert shape == {"set": {}, "unset": [], "path_add": [], "path_remove": [], "run": []}


def test_what_is_already_kept_is_not_kept_again() -> None:
    """``save`` becomes a plain value where the variable is set, and nothing where it is not."""
    planned = Changes(save=(("__S_A", "A"), ("__S_B", "B")), set=(("A", b"1"),))
    assert kept(planned, {"A": b"old"}) == Changes(set=(("__S_A", b"old"), ("A", b"1")))


PATHS = (
    (b"/a:/old:/b:/old:/c", b"/a:/new:/b:/c"),
    (b"/old", b"/new"),
    (b"/a:/b", b"/new:/a:/b"),
    (b"/a:/older:/b", b"/new:/a:/older:/b"),
    (b"/old:/old", b"/new"),
)


@pytest.mark.parametrize("shell", ["sh", "bash", "zsh"])
@pytest.mark.parametrize(("before", "after"), PATHS)
def test_replacing_in_path(shell: str, before: bytes, after: bytes, tmp_path: Path) -> None:
    """The new entry takes the first place of the old one, or the first of all; shells and ``exec`` agree."""
    planned = Changes(path_replace=((b"/old", b"/new"),))
    script = tmp_path / "lines"
    script.write_bytes(shell_lines(planned) + b'printf %s "$PATH"')
    done = subprocess.run(
        [f"/usr/bin/{shell}", script], env={"PATH": before}, capture_output=True, check=True, timeout=30
    )
    assert done.stdout == after == applied(planned, {b"PATH": before})[b"PATH"]


def test_replacing_hostile_paths(tmp_path: Path) -> None:
    """Names of folders are data."""
    old, new = b"/o'ld $(x)%s*/bin", HOSTILE.replace(b":", b"") + b"/%(old)s/bin"
    planned = Changes(path_replace=((old, new),))
    script = tmp_path / "lines"
    script.write_bytes(shell_lines(planned) + b'printf %s "$PATH"')
    path = b"/a:" + old + b":/b"
    done = subprocess.run(["/bin/sh", script], env={"PATH": path}, capture_output=True, check=True, timeout=30)
    assert done.stdout == b"/a:" + new + b":/b" == applied(planned, {b"PATH": path})[b"PATH"]


class Replaced(Exception):
    """Stands for the process having become something else."""


def test_exec_runs_bases_files_in_bases_environment(conda: CondaField, monkeypatch: pytest.MonkeyPatch) -> None:
    """deactivate.d of what lies beneath finds its own CONDA_PREFIX, activate.d the new one, the command both's work."""
    write(conda.root / "etc/conda/deactivate.d/d.sh", 'export LEFT="$CONDA_PREFIX"\n')
    env = conda_prefix(conda.env, activate={"a.sh": 'f() { local x=(a "$CONDA_PREFIX"); export GOT=${x[1]}; }; f\n'})
    calls: list[tuple[list[bytes], dict[bytes, bytes]]] = []

    def record(_file: bytes, words: list[bytes], variables: dict[bytes, bytes]) -> None:
        calls.append((words, variables))
        raise Replaced

    monkeypatch.setattr(exec_module.os, "execvpe", record)
    command = ["/bin/sh", "-c", 'printf "%s|%s|%s|%s" "$LEFT" "$GOT" "${PATH%%:*}" "$1"', "x", "a b"]
    with pytest.raises(Replaced):
        alight("exec", "/", "--", *command, service=service(env), environ=environ(conda, conda.base_on()))
    [(words, variables)] = calls
    done = subprocess.run(words, env=variables, capture_output=True, check=True, timeout=30)
    assert done.stdout.decode() == f"{conda.root}|{env}|{env}/bin|a b"


def test_export_of_an_allowed_interpreter(capsys: Capture) -> None:
    """A bare interpreter is a directory for PATH, once it is allowed; before there is nothing to use."""
    python = Interpreter(b"/h/.pyenv/versions/3.12.4/bin/python3.12", b"/h/.pyenv/versions/3.12.4", "3.12.4", "pyenv")
    reply = answer("none")
    resolution = msgspec.structs.replace(reply.resolution, environment=None, condition="none", interpreter=python)
    waiting = msgspec.structs.replace(reply, resolution=resolution, stamp=b"")
    allowed = msgspec.structs.replace(waiting, stamp=b"/t/alight/trust/x.json")
    given = {b"PATH": b"/usr/bin"}
    assert alight("export", "--json", "/", service=giving(waiting), environ=given) == 1
    capsys.readouterr()
    assert alight("export", "--json", "/", service=giving(allowed), environ=given) == 0
    assert json.loads(capsys.readouterr().out)["path_add"] == ["/h/.pyenv/versions/3.12.4/bin"]
