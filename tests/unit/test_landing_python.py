"""What an interpreter says of itself, beside what is read of it without running it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from alight.landing.base import Context, Python
from alight.landing.python import display_name, has_module, inspect
from alight.landing.schemes import land, user_site_enabled
from support.callers import caller
from support.condashape import conda_prefix
from support.playfield import Playfield, link, write
from support.pythons import pythons
from support.tools import tool

ASK = """
import json, os, site, sys, sysconfig
kinds = sysconfig.get_scheme_names()
marker = os.path.join(sysconfig.get_path("stdlib"), "EXTERNALLY-MANAGED")
try:
    import pip
except ImportError:
    pip = None
sys.stdout.write(json.dumps({
    "prefix": sys.prefix, "base": sys.base_prefix, "purelib": sysconfig.get_path("purelib"),
    "user": sysconfig.get_path("purelib", "posix_user"), "enabled": bool(site.ENABLE_USER_SITE),
    "managed": os.path.exists(marker) and sys.prefix == sys.base_prefix, "pip": pip is not None,
}))
"""


@dataclass(frozen=True)
class Said:
    """An interpreter's own words."""

    prefix: bytes
    base: bytes
    purelib: bytes
    user: bytes
    enabled: bool
    managed: bool
    pip: bool


def ask(executable: Path, home: Path, **variables: str) -> Said:
    """Run the interpreter and have it say where it is and where it installs."""
    environ = {"HOME": str(home), "PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8", **variables}
    told = subprocess.run(
        [executable, "-c", ASK], env=environ, cwd=home, capture_output=True, text=True, check=True, timeout=60
    )
    found = {
        name: os.fsencode(value) if isinstance(value, str) else value for name, value in json.loads(told.stdout).items()
    }
    return Said(**found)


def agrees(executable: Path, home: Path, **variables: str) -> Python:
    """Compare everything that is read with what the interpreter says."""
    context = caller(home, home, variables)
    python, said = inspect(os.fsencode(executable), context), ask(executable, home, **variables)
    assert python is not None
    assert python.prefix == said.prefix
    assert land(python, context).purelib == said.purelib
    assert land(python, context, user=True).purelib == said.user
    assert user_site_enabled(python, context, frozenset()) == said.enabled
    assert python.managed == said.managed
    assert has_module(python, "pip", context) == said.pip
    if python.kind == "venv":
        assert python.base == said.base
    return python


@pytest.mark.parametrize("python", pythons(), ids=str)
def test_a_base_python_installs_where_it_says(python: object, tmp_path: Path) -> None:
    """Prefix, purelib, user site, PEP 668's marker and pip of every Python on this machine are read as it says."""
    executable = python.executable  # type: ignore[attr-defined]
    found = agrees(executable, tmp_path)
    assert found.kind == "base" and found.base == found.prefix
    assert found.minor == ".".join(str(python).split(".")[:2])


@pytest.mark.parametrize("python", pythons(), ids=str)
def test_an_environment_installs_into_itself(python: object, tmp_path: Path) -> None:
    """A venv of every Python is what that Python says."""
    base: Path = python.executable  # type: ignore[attr-defined]
    subprocess.run([base, "-m", "venv", "--without-pip", tmp_path / "e"], check=True, timeout=60)
    found = agrees(tmp_path / "e/bin/python", tmp_path)
    assert found.kind == "venv" and not found.system_site and not found.managed


@pytest.mark.parametrize("options", [(), ("--system-site-packages", "--without-pip"), ("--copies", "--without-pip")])
def test_options_of_venv(options: tuple[str, ...], tmp_path: Path) -> None:
    """Packages of the base show through where asked, and a copied interpreter is as good as a link."""
    base = pythons()[-1].executable
    subprocess.run([base, "-m", "venv", *options, tmp_path / "e"], check=True, timeout=60)
    found = agrees(tmp_path / "e/bin/python", tmp_path)
    assert found.system_site == ("--system-site-packages" in options)
    elsewhere = str(tmp_path / "elsewhere")
    agrees(tmp_path / "e/bin/python3", tmp_path, PYTHONNOUSERSITE="1", PYTHONUSERBASE=elsewhere)


@pytest.mark.parametrize("options", [(), ("--system-site-packages",), ("--relocatable",), ("--seed",)])
def test_environments_of_uv(options: tuple[str, ...], tmp_path: Path) -> None:
    """Uv's environments are venvs, by default without pip."""
    base = pythons()[-1].executable
    uv = Path(sys.executable).with_name("uv")
    offline = () if "--seed" not in options else ("--offline",)
    made = subprocess.run(
        [uv, "venv", "-q", "--no-config", "-p", base, *options, *offline, tmp_path / "e"],
        check=False, capture_output=True, timeout=60, env={**os.environ, "HOME": str(tmp_path)},
    )  # fmt: skip
    if made.returncode != 0:
        # Without a cache, a seed has nothing to be taken from.
        assert "--seed" in options
        return
    agrees(tmp_path / "e/bin/python", tmp_path)


@pytest.mark.parametrize("options", [(), ("--system-site-packages",), ("--copies",), ("--no-pip",)])
def test_environments_of_virtualenv(options: tuple[str, ...], tmp_path: Path) -> None:
    """Virtualenv's environments are venvs."""
    base = pythons()[-1].executable
    virtualenv = tool("virtualenv")
    command = [virtualenv, "-q", "--no-periodic-update", "-p", str(base), *options, tmp_path / "e"]
    subprocess.run(command, check=True, timeout=60, env={**os.environ, "HOME": str(tmp_path)})
    agrees(tmp_path / "e/bin/python", tmp_path)


@pytest.fixture
def environment(tmp_path: Path) -> Path:
    """A venv of the newest Python."""
    subprocess.run([pythons()[-1].executable, "-m", "venv", "--without-pip", tmp_path / "a"], check=True, timeout=60)
    return tmp_path / "a"


def test_a_link_to_the_environment_is_the_environment(environment: Path, tmp_path: Path) -> None:
    """The prefix is spelled as the interpreter was called."""
    link(tmp_path / "second", str(environment))
    assert agrees(tmp_path / "second/bin/python", tmp_path).prefix == os.fsencode(tmp_path / "second")


@pytest.mark.skipif(not Path("/bin/python3").exists(), reason="there is no /bin/python3")
def test_the_other_name_of_usr_bin(tmp_path: Path) -> None:
    """Where /bin is a link to /usr/bin, its Python is still the one below /usr."""
    agrees(Path("/bin/python3"), tmp_path)
    link(tmp_path / "bin/python3", "/usr/bin/python3")
    agrees(tmp_path / "bin/python3", tmp_path)


def test_a_link_to_the_interpreter_is_its_base(environment: Path, tmp_path: Path) -> None:
    """A link to ``bin/python`` from elsewhere is not the environment: CPython looks beside the link."""
    (tmp_path / "py-link").symlink_to(environment / "bin/python")
    found = agrees(tmp_path / "py-link", tmp_path)
    assert found.kind == "base"


@pytest.mark.parametrize("path", ["a/bin/./python", "a/./bin//python", "a/lib/../bin/python", "./a/bin/../bin/python"])
def test_paths_that_are_longer_than_needed(path: str, environment: Path, tmp_path: Path) -> None:
    """CPython shortens the path it was called by before it looks for its environment."""
    assert environment.name == "a"
    said = ask(Path(f"{tmp_path}/{path}"), tmp_path)
    context = caller(tmp_path, tmp_path)
    found = inspect(path.encode(), context)
    assert found is not None and found.prefix == said.prefix


def test_moved_and_copied_environments(environment: Path, tmp_path: Path) -> None:
    """The interpreter belongs to where it is now, whatever the scripts beside it say."""
    shutil.copytree(environment, tmp_path / "copy", symlinks=True)
    assert agrees(tmp_path / "copy/bin/python", tmp_path).prefix == os.fsencode(tmp_path / "copy")
    environment.rename(tmp_path / "moved")
    assert agrees(tmp_path / "moved/bin/python", tmp_path).prefix == os.fsencode(tmp_path / "moved")


def test_an_environment_over_an_environment(environment: Path, tmp_path: Path) -> None:
    """A venv made from a venv has the same base."""
    subprocess.run([environment / "bin/python", "-m", "venv", "--without-pip", tmp_path / "b"], check=True, timeout=60)
    agrees(tmp_path / "b/bin/python", tmp_path)


def test_variables_do_not_move_an_environment(environment: Path, tmp_path: Path) -> None:
    """PYTHONHOME, PYTHONPATH and an emptied variable leave an environment where it is."""
    base = pythons()[-1].executable.parent.parent
    agrees(environment / "bin/python", tmp_path, PYTHONHOME=str(base))
    agrees(environment / "bin/python", tmp_path, PYTHONPATH=str(tmp_path))
    agrees(environment / "bin/python", tmp_path, PYTHONUSERBASE="")


def test_pythonhome_moves_a_base(tmp_path: Path) -> None:
    """A base Python believes PYTHONHOME."""
    base = pythons()[-1].executable.parent.parent
    link(tmp_path / "home", str(base))
    found = agrees(pythons()[-1].executable, tmp_path, PYTHONHOME=str(tmp_path / "home"))
    assert found.prefix == os.fsencode(tmp_path / "home")


@pytest.mark.parametrize("line", ["", "include-system-site-packages = TRUE", "include-system-site-packages=no"])
def test_what_pyvenv_cfg_leaves_out(line: str, environment: Path, tmp_path: Path) -> None:
    """The base's packages show through unless the file says otherwise; the key's value is not case-sensitive."""
    config = environment / "pyvenv.cfg"
    kept = [text for text in config.read_text().splitlines() if not text.startswith("include-system")]
    config.write_text("\n".join([*kept, line, ""]))
    agrees(environment / "bin/python", tmp_path)


def test_packages_come_through_pth_files(environment: Path, tmp_path: Path) -> None:
    """A module in a directory that a ``.pth`` file adds is found, as are those on PYTHONPATH."""
    context = caller(tmp_path, tmp_path)
    python = inspect(os.fsencode(environment / "bin/python"), context)
    assert python is not None
    assert not has_module(python, "beside", context)
    purelib = os.fsdecode(land(python, context).purelib or b"")
    write(tmp_path / "more/beside.py")
    write(Path(purelib) / "more.pth", f"# comment\nimport sys\n{tmp_path / 'more'}\n")
    fresh = caller(tmp_path, tmp_path)
    assert has_module(python, "beside", fresh)
    assert has_module(python, "venv", fresh)
    write(tmp_path / "path/other/__main__.py")
    assert has_module(python, "other", caller(tmp_path, tmp_path, {"PYTHONPATH": str(tmp_path / "path")}))


def test_the_interpreter_of_a_conda_prefix(tmp_path: Path) -> None:
    """A prefix with conda-meta is conda's, and its packages lie in it."""
    base = pythons()[-1].executable.parent.parent
    prefix = tmp_path / "conda"
    version = str(pythons()[-1])
    minor = ".".join(version.split(".")[:2])
    conda_prefix(prefix, version)
    for name in (f"bin/python{minor}", "bin/python"):
        (prefix / name).unlink(missing_ok=True)
    shutil.copy(base / f"bin/python{minor}", prefix / f"bin/python{minor}")
    link(prefix / "bin/python", f"python{minor}")
    shutil.copytree(
        base / f"lib/python{minor}", prefix / f"lib/python{minor}", dirs_exist_ok=True,
        ignore=shutil.ignore_patterns("test", "site-packages", "config-*", "__pycache__"),
    )  # fmt: skip
    found = agrees(prefix / "bin/python", tmp_path)
    assert found.kind == "conda" and not found.managed
    assert land(found, caller(tmp_path, tmp_path)).kind == "conda"


def test_what_is_no_python(tmp_path: Path) -> None:
    """Nothing is said of what is absent, cannot be executed, is a script, or has no library anywhere above."""
    context = caller(tmp_path, tmp_path)
    write(tmp_path / "script", "#!/bin/sh\n").chmod(0o755)
    write(tmp_path / "plain", "\x7fELF")
    write(tmp_path / "deep/bin/python3.11", "\x7fELF").chmod(0o755)
    for name in ("absent", "script", "plain", "deep/bin/python3.11"):
        assert inspect(os.fsencode(tmp_path / name), context) is None


Naming = Callable[[Python, Context], str]


@pytest.mark.parametrize(
    ("origin", "prefix", "name"),
    [
        ("debian", b"/usr", "Debian Python 3.11"),
        ("homebrew", b"/opt/homebrew/opt/python@3.11", "Homebrew Python 3.11"),
        ("pyenv", b"/home/a/.pyenv/versions/3.11.7", "pyenv 3.11.7"),
        ("uv", b"/home/a/.local/share/uv/python/cpython-3.11.7-linux", "uv's Python 3.11"),
        ("nobody's", b"/opt/python", "Python 3.11"),
    ],
)
def test_names_of_bases(origin: str, prefix: bytes, name: str, tmp_path: Path) -> None:
    """A base is called by its vendor and version."""
    python = Python(prefix + b"/bin/python", prefix, prefix, b"python3.11", "base", origin, True, False)
    assert display_name(python, caller(tmp_path, tmp_path)) == name


def test_names_of_environments(tmp_path: Path) -> None:
    """An environment is called by its prompt, its directory, or its project when the directory says nothing."""
    field = Playfield(tmp_path)
    named = field.venv(tmp_path / "app/.venv", lines="prompt = 'blue'\n")
    usual = field.venv(tmp_path / "site/.venv")
    own = field.venv(tmp_path / "envs/green")
    context = caller(tmp_path, tmp_path)
    names = []
    for prefix in (named, usual, own):
        path = os.fsencode(prefix)
        names.append(display_name(Python(path + b"/bin/python", path, b"", b"", "venv", "", False, False), context))
    assert names == ["blue", "site", "green"]
