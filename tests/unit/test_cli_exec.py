"""``alight exec`` and ``alight export``: a folder's environment for programs."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from alight.activation.changes import Changes
from alight.cli import exec as exec_module
from alight.cli.applying import applied, shell_lines, without_effectless
from support.commandline import HOSTILE, alight, answering

Capture = pytest.CaptureFixture[str]
BLOCKED = [("untrusted", 4), ("denied", 4)]
ABSENT = ["none", "missing", "broken"]


class Replaced(Exception):
    """Stands for the process having become something else."""


@pytest.fixture
def executed(monkeypatch: pytest.MonkeyPatch) -> list[tuple[bytes, list[bytes], dict[bytes, bytes]]]:
    """What ``execvpe`` was called with."""
    calls: list[tuple[bytes, list[bytes], dict[bytes, bytes]]] = []

    def record(file: bytes, words: list[bytes], environ: dict[bytes, bytes]) -> None:
        calls.append((file, words, environ))
        raise Replaced

    monkeypatch.setattr(exec_module.os, "execvpe", record)
    return calls


def venv(folder: Path) -> bytes:
    """A folder that looks like an environment, without a script of its own."""
    (folder / "bin").mkdir(parents=True)
    (folder / "pyvenv.cfg").write_text("home = /usr/bin\n")
    return bytes(folder)


def test_exec_switches_the_environment_on(
    tmp_path: Path, executed: list[tuple[bytes, list[bytes], dict[bytes, bytes]]]
) -> None:
    """The command gets the environment's bin first in PATH, VIRTUAL_ENV, no PYTHONHOME, and its words untouched."""
    prefix = venv(tmp_path / ".venv")
    environ = {b"PATH": b"/usr/bin", b"PYTHONHOME": b"/x", b"KEEP": b"\xff"}
    with pytest.raises(Replaced):
        alight("exec", "/", "--", "tool", "--", "-x", service=answering("trusted", prefix=prefix), environ=environ)
    [(file, words, seen)] = executed
    assert (file, words) == (b"tool", [b"tool", b"--", b"-x"])
    assert seen[b"PATH"] == prefix + b"/bin:/usr/bin"
    assert seen[b"VIRTUAL_ENV"] == prefix
    assert seen[b"KEEP"] == b"\xff"
    assert b"PYTHONHOME" not in seen


def test_exec_without_dir_is_about_here(
    tmp_path: Path, executed: list[tuple[bytes, list[bytes], dict[bytes, bytes]]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """``exec -- COMMAND`` asks about the current directory."""
    monkeypatch.chdir(tmp_path)
    service = answering("trusted", prefix=venv(tmp_path / ".venv"))
    with pytest.raises(Replaced):
        alight("exec", "--", "tool", service=service)
    assert service.asked[0].directory == bytes(tmp_path)  # type: ignore[attr-defined]
    assert executed


@pytest.mark.parametrize(("state", "code"), BLOCKED)
@pytest.mark.parametrize("verb", ["exec", "export"])
def test_what_is_not_trusted_is_not_used(verb: str, state: str, code: int, capsys: Capture) -> None:
    """``exec`` and ``export`` exit 4 for untrusted and denied, print nothing, and name ``alight allow``."""
    rest = ["--", "true"] if verb == "exec" else ["--json"]
    assert alight(verb, "/", *rest, service=answering(state)) == code  # type: ignore[arg-type]
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "alight allow '/code/app'" in captured.err


@pytest.mark.parametrize("state", ABSENT)
def test_there_is_no_silent_fallback(state: str, capsys: Capture) -> None:
    """Where there is no usable environment ``exec`` exits 125 and ``export`` 1, with the next step."""
    assert alight("exec", "/", "--", "true", service=answering(state)) == 125  # type: ignore[arg-type]
    assert alight("export", "/", service=answering(state)) == 1  # type: ignore[arg-type]
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.count("alight: /code/app: ") == 2


def test_failing_ourselves_is_125() -> None:
    """Whatever keeps alight from answering is exit 125, not the code of some command."""
    assert alight("exec", "--", "true") == 125


@pytest.mark.parametrize("words", [["exec"], ["exec", "/"], ["exec", "/", "--"], ["exec", "--"], ["exec", "--", ""]])
def test_exec_needs_a_command(words: list[str], capsys: Capture) -> None:
    """Without a command after the dashes the usage is said, exit 2."""
    assert alight(*words, service=answering("trusted")) == 2
    assert "exec [DIR] -- COMMAND" in capsys.readouterr().err


def replaced(words: list[str], path: str) -> subprocess.CompletedProcess[bytes]:
    """Run ``replace_process`` for real in a process of its own."""
    code = (
        "import os, sys; from alight.cli.exec import replace_process;"
        "sys.exit(replace_process([os.fsencode(w) for w in sys.argv[2:]], {b'PATH': os.fsencode(sys.argv[1])}))"
    )
    environ = {"PYTHONPATH": os.pathsep.join(sys.path), "PATH": "/nowhere"}
    return subprocess.run(
        [sys.executable, "-c", code, path, *words], capture_output=True, check=False, env=environ, timeout=30
    )


def test_the_commands_own_code_is_returned() -> None:
    """The exit code is the command's, and the command is found by the new PATH."""
    assert replaced(["sh", "-c", "exit 7"], "/usr/bin:/bin").returncode == 7


def test_not_found_and_not_executable_are_a_shells_codes(tmp_path: Path) -> None:
    """127 for a command that is nowhere, 126 for a file that cannot be executed, each with its name."""
    (tmp_path / "plain").write_text("x")
    (tmp_path / "plain").chmod(0o644)
    missing = replaced(["no\x1bsuch"], str(tmp_path))
    assert (missing.returncode, rb"no\x1bsuch: command not found" in missing.stderr) == (127, True)
    plain = replaced(["plain"], str(tmp_path))
    assert (plain.returncode, b"plain: Permission denied" in plain.stderr) == (126, True)


def test_a_closed_pipe_still_kills_the_command() -> None:
    """The command does not inherit Python's ignored SIGPIPE."""
    shell = shutil.which("bash")
    assert shell is not None
    process = replaced([shell, "-c", "trap -p PIPE; kill -PIPE $$; exit 0"], "/usr/bin:/bin")
    assert process.returncode == -13


def test_activation_files_run_before_the_command(tmp_path: Path) -> None:
    """Files that only a shell can run are sourced first, whatever their names; the words stay words."""
    hook = tmp_path / "a'b $(x).sh"
    hook.write_text("export FROM_HOOK=yes\n")
    words = exec_module._with_hooks(
        [bytes(hook)], [b"sh", b"-c", b'printf "%s|" "$FROM_HOOK" "$@"', b"x", b"a b", b"'"]
    )
    assert replaced([os.fsdecode(word) for word in words], "/usr/bin:/bin").stdout == b"yes|a b|'|"


def test_export_json_has_the_documented_shape(tmp_path: Path, capsys: Capture) -> None:
    """``export --json`` has set, unset, path_add, path_remove and run, in this order."""
    prefix = venv(tmp_path / ".venv")
    environ = {b"PATH": b"/usr/bin", b"PYTHONHOME": b"/x"}
    assert alight("export", "--json", "/", service=answering("trusted", prefix=prefix), environ=environ) == 0
    shape = json.loads(capsys.readouterr().out)
    assert list(shape) == ["set", "unset", "path_add", "path_remove", "run"]
    assert shape["set"]["VIRTUAL_ENV"] == os.fsdecode(prefix)
    assert shape["unset"] == ["PYTHONHOME"]
    assert shape["path_add"] == [os.fsdecode(prefix) + "/bin"]
    assert (shape["path_remove"], shape["run"]) == ([], [])


def test_what_is_already_so_is_no_change() -> None:
    """``export`` names only what differs from the caller's environment."""
    planned = Changes(
        set=(("VIRTUAL_ENV", b"/v"), ("OTHER", b"1")), unset=("GONE",), path_add=(b"/v/bin",), path_remove=(b"/w",)
    )
    environ = {b"VIRTUAL_ENV": b"/v", b"PATH": b"/v/bin:/usr/bin"}
    assert without_effectless(planned, environ) == Changes(set=(("OTHER", b"1"),))


@pytest.mark.parametrize("shell", ["sh", "bash", "zsh"])
def test_shell_lines_do_what_the_changes_say(shell: str, tmp_path: Path) -> None:
    """The printed lines, evaluated by a POSIX shell, leave the environment that ``applied`` computes."""
    planned = Changes(
        set=(("VIRTUAL_ENV", HOSTILE), ("EMPTY", b"")),
        unset=("PYTHONHOME",),
        path_add=(b"/v one/bin", b"/v two/bin"),
        path_remove=(b"/o'ld/bin", b"/*"),
    )
    before = {b"PATH": b"/o'ld/bin:/usr/bin:/o'ld/bin:/*:/bin", b"PYTHONHOME": b"/x"}
    script = tmp_path / "lines"
    script.write_bytes(shell_lines(planned) + b'exec /usr/bin/env -0 "PATH=$PATH"\n')
    found = shutil.which(shell)
    assert found is not None
    options = ["-f"] if shell == "zsh" else []
    result = subprocess.run([found, *options, script], env=before, capture_output=True, check=True, timeout=30)
    after = dict(entry.split(b"=", 1) for entry in result.stdout.split(b"\0") if entry)
    own = (b"PWD", b"OLDPWD", b"SHLVL", b"_", b"HOME", b"LOGNAME")  # what shells set by themselves
    kept = {name: value for name, value in after.items() if name not in own}
    assert kept == applied(planned, before)
    assert kept[b"PATH"] == b"/v one/bin:/v two/bin:/usr/bin:/bin"
