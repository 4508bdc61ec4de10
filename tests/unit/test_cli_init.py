"""``alight init``: the preamble, the hook's place, and the interpreter that survives upgrades."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from alight.cli import shellfiles
from alight.cli.init import hook_text
from alight.errors import AlightError
from alight.quoting import assignment

NAMES = [b"__alight_python", b"__alight_client", b"__alight_command", b"__alight_daemon_python"]


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A package folder of our own, in a checkout that has no shell files yet."""
    folder = tmp_path / "daemon" / "alight"
    (folder / "cli").mkdir(parents=True)
    monkeypatch.setattr(shellfiles, "__file__", str(folder / "cli" / "shellfiles.py"))
    return folder


def program(path: Path, content: bytes = b"\x7fELF") -> Path:
    """An executable file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    path.chmod(0o755)
    return path


def test_the_package_comes_before_the_checkout(package: Path) -> None:
    """Shell files are those of the installed package, else the checkout's, else a clear error."""
    with pytest.raises(AlightError, match=r"alight\.zsh is missing"):
        shellfiles.shell_file("alight.zsh")
    checkout = package.parent.parent / "shell"
    checkout.mkdir()
    (checkout / "alight.zsh").touch()
    with pytest.raises(AlightError):
        shellfiles.shell_file("alight.zsh")
    (checkout / "PROTOCOL.md").touch()
    assert shellfiles.shell_file("alight.zsh") == checkout / "alight.zsh"
    (package / "shell").mkdir()
    (package / "shell" / "alight.zsh").touch()
    assert shellfiles.shell_file("alight.zsh") == package / "shell" / "alight.zsh"


@pytest.mark.parametrize("shell", shellfiles.SHELLS)
def test_the_preamble_is_four_lines_and_the_hook_follows(shell: str, package: Path) -> None:
    """The hook's files come after the four assignments, unchanged, octet for octet."""
    (package / "shell").mkdir()
    (package / "shell" / f"alight.{shell}").write_bytes(b"# the hook \xff\n")
    (package / "shell" / f"guard.{shell}").write_bytes(b"# the guard \xff\n")
    lines = hook_text(shell, "alight").split(b"\n")
    assert [name for line, name in zip(lines, NAMES, strict=False) if name in line] == NAMES
    assert b"\n".join(lines[4:]) == b"# the hook \xff\n\n# the guard \xff\n"


@pytest.mark.parametrize("shell", shellfiles.SHELLS)
def test_the_preamble_sets_unexported_variables(shell: str, tmp_path: Path) -> None:
    """The assignments are not exported: children of the shell do not see them."""
    binary = shutil.which(shell)
    assert binary is not None
    script = tmp_path / "script"
    script.write_bytes(assignment(shell, "__alight_python", b"/x y") + b'env\nprintf %s "$__alight_python"\n')
    options = {"zsh": ["-f"], "bash": ["--norc"], "fish": ["--no-config"]}[shell]
    environ = {"PATH": "/usr/bin:/bin", "HOME": str(tmp_path)}
    result = subprocess.run([binary, *options, script], capture_output=True, check=True, env=environ, timeout=30)
    assert result.stdout.endswith(b"/x y")
    assert b"__alight_python=" not in result.stdout


def test_the_base_interpreter_is_a_real_one() -> None:
    """The recorded interpreter runs, is no script, and is not the virtual environment's."""
    found = shellfiles.base_interpreter()
    assert found.is_absolute()
    assert not shellfiles.is_script(found)
    code = "import sys; print(sys.prefix == sys.base_prefix)"
    assert subprocess.run([found, "-I", "-S", "-c", code], capture_output=True, check=True).stdout == b"True\n"


def test_a_shim_is_refused(tmp_path: Path) -> None:
    """A script in the interpreter's place, such as pyenv's shims, is never recorded."""
    with pytest.raises(AlightError, match="not a real Python"):
        shellfiles.stable_interpreter(program(tmp_path / "shims" / "python3", b"#!/usr/bin/env bash\n"), "3.11")


@pytest.mark.parametrize(
    ("recorded", "lasting", "chosen"),
    [
        ("bin/python3.11", None, "bin/python3.11"),
        ("bin/python3", "bin/python3.11", "bin/python3.11"),
        (
            "brew/Cellar/python@3.11/3.11.9_1/bin/python3.11",
            "brew/opt/python@3.11",
            "brew/opt/python@3.11/bin/python3.11",
        ),
        (
            "uv/python/cpython-3.11.9-linux-x86_64-gnu/bin/python3.11",
            "uv/python/cpython-3.11-linux-x86_64-gnu",
            "uv/python/cpython-3.11-linux-x86_64-gnu/bin/python3.11",
        ),
    ],
)
def test_the_path_that_survives_upgrades_is_preferred(
    recorded: str, lasting: str | None, chosen: str, tmp_path: Path
) -> None:
    """A name per minor version is preferred to one that the next upgrade removes, where it is the same program."""
    real = program(tmp_path / recorded)
    assert shellfiles.stable_interpreter(real, "3.11") == real
    if lasting is not None:
        link = tmp_path / lasting
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to(real if "python3" in link.name else real.parent.parent)
    assert shellfiles.stable_interpreter(real, "3.11") == tmp_path / chosen


def test_another_program_of_that_name_is_not_taken(tmp_path: Path) -> None:
    """A lasting name that leads to another interpreter is not used."""
    real = program(tmp_path / "bin" / "python3")
    program(tmp_path / "bin" / "python3.11", b"other")
    assert shellfiles.stable_interpreter(real, "3.11") == real


def test_the_command_is_the_script_beside_the_interpreter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """``alight`` is the console script of this installation, else what was invoked, as an absolute path."""
    monkeypatch.setattr(sys, "executable", str(tmp_path / "bin" / "python"))
    monkeypatch.chdir(tmp_path)
    assert shellfiles.command_path("./alight") == Path(os.path.abspath("alight"))
    script = program(tmp_path / "bin" / "alight")
    assert shellfiles.command_path("./alight") == script


def client(path: Path, text: str) -> Path:
    """An executable script in the place of the compiled client."""
    return program(path.with_name("alight-query"), f"#!/bin/sh\n{text}\n".encode())


def test_the_compiled_client_is_preferred(package: Path) -> None:
    """The hooks are given the compiled client where it is there and says that nobody serves where nobody can."""
    assert shellfiles.query_client() == package / "query.py"
    good = client(package / "query.py", '[ "$*" = "/dev/null/alight.sock ping" ] && exit 3')
    assert shellfiles.query_client() == good
    good.chmod(0o644)
    assert shellfiles.query_client() == package / "query.py"


@pytest.mark.parametrize("text", ["exit 0", "exit 2", "echo x; exit 3", "echo x >&2; exit 3", "kill -9 $$"])
def test_a_client_that_answers_otherwise_is_not_taken(text: str, package: Path) -> None:
    """Another exit code, or a word, and the client in Python serves."""
    client(package / "query.py", text)
    assert shellfiles.query_client() == package / "query.py"


@pytest.mark.parametrize(
    "octets",
    [
        b"",
        b"noise",
        b"\x7fELF\x02\x01\x01" + b"\0" * 9 + b"\x02\0\xff\x7f" + b"\0" * 100,
        b"\xcf\xfa\xed\xfe" + b"\0" * 99,
    ],
    ids=["empty", "noise", "another processor", "another system"],
)
def test_a_client_of_another_machine_is_not_taken(octets: bytes, package: Path) -> None:
    """What cannot be started here is passed over: a home may be shared between machines."""
    program(package / "alight-query", octets)
    assert shellfiles.query_client() == package / "query.py"


def test_a_client_older_than_its_source_is_not_taken(package: Path) -> None:
    """In a checkout a compiled client counts as long as it is newer than what it was made from."""
    compiled = client(package / "query.py", "exit 3")
    source = package.parent.parent / "shell" / "query" / "alight-query.c"
    source.parent.mkdir(parents=True)
    source.touch()
    os.utime(source, ns=(1, compiled.stat().st_mtime_ns - 1))
    assert shellfiles.query_client() == compiled
    os.utime(source, ns=(1, compiled.stat().st_mtime_ns))
    assert shellfiles.query_client() == package / "query.py"
