"""Building: clean by every compiler, into the wheel where one works, and never a reason for a failing installation."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from conformance.clients.builds import BARE, SOURCE, STRICT, compilers
from support.checkout import ROOT, copy_checkout, succeed


def wheel_of(checkout: Path, target: Path, **env: str) -> Path:
    """The wheel that the build makes."""
    build = (sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", target, checkout)
    succeed(*map(str, build), env={**os.environ, **env})
    (built,) = target.glob("*.whl")
    return built


def is_pure(wheel: Path) -> bool:
    """Whether it is for all platforms, and has no compiled client."""
    for_all = wheel.name.endswith("-py3-none-any.whl")
    assert for_all is ("alight/alight-query" not in zipfile.ZipFile(wheel).namelist())
    return for_all


def programs(folder: Path, **scripts: str) -> str:
    """A PATH of shell scripts."""
    folder.mkdir()
    for name, text in scripts.items():
        (folder / name).write_text(f"#!/bin/sh\n{text}\n")
        (folder / name).chmod(0o755)
    return str(folder)


@pytest.mark.parametrize("compiler", compilers())
@pytest.mark.parametrize("optimise", ["-O0", "-O2", "-O3", "-Os"])
@pytest.mark.parametrize("linking", [(), BARE], ids=["", "bare"])
def test_no_compiler_warns(compiler: str, optimise: str, linking: tuple[str, ...], tmp_path: Path) -> None:
    """It is C99 and, where it has a C library, POSIX to the letter: every warning is an error; what is made works."""
    succeed(compiler, *STRICT, optimise, *linking, "-o", tmp_path / "q", SOURCE)
    assert subprocess.run([tmp_path / "q", tmp_path / "s", "ping"], check=False).returncode == 3


def test_the_wheel_has_the_compiled_client(tmp_path: Path) -> None:
    """With a compiler the wheel is for this platform; installed, the client is executable and the hooks name it."""
    checkout = copy_checkout(tmp_path / "a checkout")
    (checkout / "daemon/alight/alight-query").write_text("somebody's own")
    wheel = wheel_of(checkout, tmp_path / "dist")
    assert not is_pure(wheel)
    names = zipfile.ZipFile(wheel).namelist()
    assert len(names) == len(set(names))
    environment = tmp_path / "env"
    succeed(sys.executable, "-m", "uv", "venv", "-q", "--python", sys.executable, environment)
    succeed(sys.executable, "-m", "uv", "pip", "install", "-q", "--no-deps", "--python", environment, wheel)
    (program,) = environment.glob("lib/python3*/site-packages/alight/alight-query")
    assert program.stat().st_mode & stat.S_IXUSR
    assert (program.parent / "query.py").is_file()
    assert program.stat().st_size < 64 * 1024, "it brings no C library"
    assert subprocess.run([program, tmp_path / "s", "ping"], check=False).returncode == 3


def test_a_processor_the_source_does_not_know(tmp_path: Path) -> None:
    """Where it needs a C library it is linked with one, and where that has no static form, with a shared one."""
    cc = shutil.which("cc")
    path = programs(
        tmp_path / "bin",
        cc=f'for one; do [ "$one" != -static ] || exit 1; done; PATH={os.environ["PATH"]} exec {cc} "$@"',
    )
    checkout = copy_checkout(tmp_path / "a checkout")
    wheel = wheel_of(checkout, tmp_path / "dist", PATH=path)
    with zipfile.ZipFile(wheel) as archive:
        assert b"ld-" in archive.read("alight/alight-query")


@pytest.mark.parametrize(
    "scripts",
    [
        {},
        {"cc": "exit 1", "gcc": "exit 1", "clang": "kill -9 $$"},
        {"cc": 'while [ "$1" != -o ]; do shift; done; echo not a program >"$2"'},
        {"cc": 'while [ "$1" != -o ]; do shift; done; printf "#!/bin/sh\\nexit 0\\n" >"$2"'},
        {"cc": 'while [ "$1" != -o ]; do shift; done; printf "#!/bin/sh\\nexit 3\\n" >"$2"'},
        {"cc": "exit 0"},
    ],
    ids=["none", "failing", "noise", "another program", "one that finds nobody", "nothing made"],
)
def test_without_a_working_compiler(scripts: dict[str, str], tmp_path: Path) -> None:
    """No compiler, or one that fails or makes something else, gives the wheel for all platforms."""
    path = programs(tmp_path / "bin", **scripts)
    checkout = copy_checkout(tmp_path / "a checkout")
    assert is_pure(wheel_of(checkout, tmp_path / "dist", PATH=path, CC="no-such-compiler --x 'y z'"))


@pytest.mark.parametrize("case", ["broken source", "told not to", "unbalanced CC"])
def test_the_build_goes_on(case: str, tmp_path: Path) -> None:
    """A source that does not compile, ALIGHT_NO_COMPILE, or a CC that cannot be read end no build."""
    checkout = copy_checkout(tmp_path / "a checkout")
    env = {}
    if case == "broken source":
        (checkout / "shell/query/alight-query.c").write_text("int main(void) { return 0 }\n")
    elif case == "told not to":
        env["ALIGHT_NO_COMPILE"] = "1"
    else:
        env["CC"] = "cc 'x"
    assert is_pure(wheel_of(checkout, tmp_path / "dist", **env)) is (case != "unbalanced CC")


def test_the_chosen_compiler_comes_first(tmp_path: Path) -> None:
    """CC counts before what is on PATH, with its options."""
    cc = shutil.which("cc")
    assert cc
    path = programs(tmp_path / "bin", chosen=f'echo "$1" >>"{tmp_path}/used"; shift; PATH=/usr/bin:/bin exec {cc} "$@"')
    checkout = copy_checkout(tmp_path / "a checkout")
    assert not is_pure(wheel_of(checkout, tmp_path / "dist", PATH=path, CC="chosen --own"))
    assert (tmp_path / "used").read_text().splitlines()[-1] == "--own"


def test_a_platform_that_was_asked_for_is_made_or_fails(tmp_path: Path) -> None:
    """With ALIGHT_WHEEL_PLATFORM the wheel has that tag, what was made is not run, and no other compiler is tried."""
    path = programs(tmp_path / "bin", cross='while [ "$1" != -o ]; do shift; done; echo other >"$2"', bad="exit 1")
    checkout = copy_checkout(tmp_path / "a checkout")
    wheel = wheel_of(checkout, tmp_path / "dist", PATH=path, CC="cross", ALIGHT_WHEEL_PLATFORM="macosx_11_0_arm64")
    assert wheel.name.endswith("-py3-none-macosx_11_0_arm64.whl")
    assert zipfile.ZipFile(wheel).read("alight/alight-query") == b"other\n"
    with pytest.raises(AssertionError, match="no compiler made alight-query"):
        wheel_of(checkout, tmp_path / "none", CC=f"{path}/bad", ALIGHT_WHEEL_PLATFORM="macosx_11_0_arm64")


def test_the_script_is_sound() -> None:
    """Shellcheck has nothing to say about the command that builds wheels for others."""
    succeed("shellcheck", ROOT / "shell/query/build-wheels")


@pytest.mark.slow
@pytest.mark.limit(900)
def test_the_wheel_for_this_platform(tmp_path: Path) -> None:
    """What ``build-wheels`` makes for this machine, installed with pip into a clean environment, answers.

    On demand only: the compiler is a download of some 100 MB.
    """
    built = Path(succeed(ROOT / "shell/query/build-wheels", "--native", tmp_path / "dist").strip())
    assert [built] == list((tmp_path / "dist").iterdir())
    succeed(sys.executable, "-m", "venv", tmp_path / "env")
    succeed(tmp_path / "env/bin/python", "-m", "pip", "install", "-q", built)
    hook = succeed(tmp_path / "env/bin/alight", "init", "bash")
    (program,) = (tmp_path / "env").glob("lib/python3*/site-packages/alight/alight-query")
    assert f"{program}" in hook.splitlines()[1]
    assert b"ld-" not in program.read_bytes(), "it is linked without anything that has to be loaded"
    runtime = os.environ["ALIGHT_RUNTIME_DIR"]
    succeed(tmp_path / "env/bin/alight", "daemon", "start")
    try:
        answer = succeed(program, f"{runtime}/alight.sock", "ping", env={"ALIGHT_DEADLINE": "5"})
        assert answer.split("\x1f")[4] == "pong"
    finally:
        succeed(tmp_path / "env/bin/alight", "daemon", "stop")
