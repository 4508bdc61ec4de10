"""Every way to install the project finds the shell files, and the hooks run from there."""

from __future__ import annotations

import os
import sys
import zipfile
from pathlib import Path

import click
import pytest

from support.checkout import copy_checkout, succeed

SHELLS = ("zsh", "bash", "fish")


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy to build from, with names that a careless build would trip over."""
    monkeypatch.setenv("ALIGHT_NO_COMPILE", "1")  # the compiled client has tests of its own
    return copy_checkout(tmp_path / "a checkout")


def _build(kind: str, source: Path, target: Path) -> Path:
    succeed(sys.executable, "-m", "build", f"--{kind}", "--no-isolation", "--outdir", target, source)
    (built,) = target.glob("*.whl" if kind == "wheel" else "*.tar.gz")
    return built


def _environment(directory: Path, *what: str | Path) -> Path:
    """A throw-away environment with the project alone in it; the ``alight`` command."""
    succeed(sys.executable, "-m", "uv", "venv", "-q", "--python", sys.executable, directory)
    succeed(sys.executable, "-m", "uv", "pip", "install", "-q", "--no-deps", "--python", directory, *what)
    return directory / "bin/alight"


def _init(command: Path, shell: str) -> str:
    """What ``alight init`` prints; the dependencies come from the environment of the tests."""
    packages = os.path.dirname(os.path.dirname(click.__file__))
    return succeed(command, "init", shell, env={**os.environ, "PYTHONPATH": packages})


def _hook(checkout: Path, shell: str) -> str:
    """The hook's files, as they are printed."""
    return "\n".join((checkout / f"shell/{part}.{shell}").read_text() for part in ("alight", "guard"))


def _shell_files(checkout: Path) -> set[str]:
    shell = checkout / "shell"
    return {str(path.relative_to(shell)) for path in shell.rglob("*") if path.is_file()}


def test_wheel_carries_the_shell_files(checkout: Path, tmp_path: Path) -> None:
    """The wheel holds every file of ``shell/`` once, is pure Python, and works after the checkout is gone."""
    wheel = _build("wheel", checkout, tmp_path / "dist")
    assert wheel.name.endswith("-py3-none-any.whl")
    names = zipfile.ZipFile(wheel).namelist()
    assert len(names) == len(set(names))
    assert {name.removeprefix("alight/shell/") for name in names if "/shell/" in name} == _shell_files(checkout)
    assert {name.split("/")[0] for name in names} <= {"alight", wheel.name.rsplit("-py3", 1)[0] + ".dist-info"}
    hooks = {shell: _hook(checkout, shell) for shell in SHELLS}
    command = _environment(tmp_path / "env", wheel)
    checkout.rename(tmp_path / "elsewhere")
    for shell, text in hooks.items():
        assert _init(command, shell).endswith(text)


def test_wheel_built_from_the_sdist_is_the_same(checkout: Path, tmp_path: Path) -> None:
    """The sdist is complete: the wheel built from it holds the same files as the one from the checkout."""
    sdist = _build("sdist", checkout, tmp_path / "sdist")
    (tmp_path / "unpacked").mkdir()
    succeed("tar", "-xzf", sdist, "-C", tmp_path / "unpacked")
    (unpacked,) = (tmp_path / "unpacked").iterdir()
    for name in ("install.sh", "hatch_build.py", "CHANGELOG.md", "README.md", "LICENSE"):
        assert (unpacked / name).is_file()
    assert os.access(unpacked / "install.sh", os.X_OK)
    wheels = [_build("wheel", source, tmp_path / f"from-{source.name}") for source in (checkout, unpacked)]
    first, second = (sorted(zipfile.ZipFile(wheel).namelist()) for wheel in wheels)
    assert first == second


def test_compiled_shell_files_stay_out(checkout: Path, tmp_path: Path) -> None:
    """What zsh compiled in somebody's checkout does not travel."""
    (checkout / "shell/alight.zsh.zwc").write_bytes(b"")
    wheel = _build("wheel", checkout, tmp_path / "dist")
    assert not [name for name in zipfile.ZipFile(wheel).namelist() if name.endswith(".zwc")]


def test_editable_install_uses_the_checkout(checkout: Path, tmp_path: Path) -> None:
    """An editable install reads ``shell/`` of the checkout, so that a change there is seen at once."""
    command = _environment(tmp_path / "env", "--editable", checkout)
    assert not list((tmp_path / "env").rglob("alight.zsh"))
    for shell in SHELLS:
        hook = checkout / f"shell/guard.{shell}"
        hook.write_text(hook.read_text() + "# changed\n")
        assert _init(command, shell).endswith("# changed\n")


@pytest.mark.limit(300)
def test_uv_tool_install_from_the_checkout(checkout: Path, tmp_path: Path) -> None:
    """``uv tool install`` from the checkout gives a command that prints the hooks, with its own dependencies."""
    environ = {**os.environ, "UV_TOOL_DIR": str(tmp_path / "tools"), "UV_TOOL_BIN_DIR": str(tmp_path / "bin")}
    succeed(sys.executable, "-m", "uv", "tool", "install", "-q", "--python", sys.executable, checkout, env=environ)
    for shell in SHELLS:
        text = _hook(checkout, shell)
        assert succeed(tmp_path / "bin/alight", "init", shell).endswith(text)
