"""One project of every environment system, made by the real tool where there is one in a registry.

conda's and pixi's programs are in none: their prefixes are the layout fakes of ``support.condashape``; pyenv's
virtualenv plugin neither: its folders are made with the real venv module where the plugin would put them.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from support.condashape import conda_prefix, conda_root, pixi_environment
from support.playfield import write
from support.pythons import pythons
from support.tools import clean_environment, tool
from support.world import World

MANIFEST = '[project]\nname = "{name}"\nversion = "1"\nrequires-python = ">=3.8"\n'


@dataclass(frozen=True)
class Made:
    """A project, its environment, and the variables that the user of it has set."""

    project: Path
    prefix: Path
    variables: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Maker:
    """How a system's project comes into being; ``real`` is False where the layout stands in for the tool.

    ``owner`` is the system that alight names, where it is not the maker's own name.
    """

    system: str
    make: Callable[[World], Made]
    real: bool = True
    owner: str = ""


def run(world: World, *command: str | Path, cwd: Path, **variables: str) -> str:
    """One of the tools, with the world's home; its stdout."""
    done = subprocess.run(
        [str(word) for word in command],
        cwd=cwd,
        env=clean_environment(world.home, **variables),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    return done.stdout.strip()


def _project(world: World, name: str, *more: str) -> Path:
    root = world.directory(f"code/{name}")
    write(root / "pyproject.toml", MANIFEST.format(name=name) + "".join(f"\n{line}" for line in more) + "\n")
    return root


def _venv(world: World) -> Made:
    root = _project(world, "plain")
    return Made(root, world.venv(root / ".venv"))


def _virtualenv(world: World) -> Made:
    root = _project(world, "classic")
    run(world, sys.executable, "-m", "virtualenv", "-q", "--no-periodic-update", "--no-seed", "venv", cwd=root)
    return Made(root, root / "venv")


def _uv(world: World) -> Made:
    root = _project(world, "quick")
    run(world, Path(sys.executable).with_name("uv"), "sync", "-q", "--offline", "-p", sys.executable, cwd=root)
    return Made(root, root / ".venv")


def _poetry(world: World) -> Made:
    root = _project(world, "verse", "[tool.poetry]", "package-mode = false")
    poetry = tool("poetry")
    run(world, poetry, "install", "-n", "-q", cwd=root)
    return Made(root, Path(run(world, poetry, "env", "info", "-p", cwd=root)))


def _pipenv(world: World) -> Made:
    root = world.directory("code/pipes")
    write(root / "Pipfile", "[packages]\n")
    pipenv = tool("pipenv")
    run(world, pipenv, "--python", sys.executable, cwd=root, PIPENV_YES="1")
    return Made(root, Path(run(world, pipenv, "--venv", cwd=root)))


def _pdm(world: World) -> Made:
    root = _project(world, "dev", "[tool.pdm]", "distribution = false")
    pdm = tool("pdm", "pdm[locked]")
    write(world.home / ".config/pdm/config.toml", "check_update = false\n[venv]\nin_project = false\n")
    run(world, pdm, "venv", "create", sys.executable, cwd=root)
    run(world, pdm, "use", "-q", "--venv", "3.11" if sys.version_info[:2] == (3, 11) else _minor(), cwd=root)
    return Made(root, Path(run(world, pdm, "info", "--python", cwd=root)).parent.parent)


def _hatch(world: World) -> Made:
    root = _project(world, "egg", "[tool.hatch.envs.default]", "skip-install = true")
    hatch = tool("hatch")
    run(world, hatch, "env", "create", cwd=root)
    return Made(root, Path(run(world, hatch, "env", "find", cwd=root)))


def _conda(world: World) -> Made:
    root = world.directory("code/snake")
    write(root / "environment.yml", "name: snake\ndependencies: [python=3.12]\n")
    installation = conda_root(world.home / "miniconda3", user=world.home)
    prefix = conda_prefix(installation / "envs/snake", user=world.home, activate={"a.sh": "export SNAKE=1\n"},
                          deactivate={"a.sh": "unset SNAKE\n"})  # fmt: skip
    return Made(root, prefix)


def _pixi(world: World) -> Made:
    root = world.directory("code/pixie")
    write(root / "pixi.toml", '[workspace]\nname = "pixie"\nchannels = []\nplatforms = ["linux-64"]\n')
    return Made(root, pixi_environment(root))


def _pyenv(world: World) -> Made:
    root = world.directory("code/pinned")
    versions = world.home / ".pyenv/versions"
    base = pythons()[-1]
    versions.mkdir(parents=True)
    (versions / base.version).symlink_to(base.executable.parent.parent)
    prefix = world.venv(versions / "pinned", str(base.executable))
    write(root / ".python-version", "pinned\n")
    return Made(root, prefix)


def _virtualenvwrapper(world: World) -> Made:
    root = _project(world, "wrapped")
    script = tool("virtualenvwrapper.sh", "virtualenvwrapper")
    line = f"source {script} >/dev/null && mkvirtualenv --no-setuptools -a {root} wrapped >/dev/null"
    run(world, "bash", "-c", line, cwd=root, VIRTUALENVWRAPPER_PYTHON=str(script.with_name("python")),
        VIRTUALENVWRAPPER_VIRTUALENV=str(script.with_name("virtualenv")), VIRTUALENV_NO_DOWNLOAD="1")  # fmt: skip
    return Made(root, world.home / ".virtualenvs/wrapped")


def _mise(world: World) -> Made:
    root = world.directory("code/place")
    write(root / "mise.toml", '[env]\n_.python.venv = "environment"\n')
    return Made(root, world.venv(root / "environment"))


def _minor() -> str:
    return ".".join(str(part) for part in sys.version_info[:2])


MAKERS = (
    Maker("venv", _venv),
    Maker("virtualenv", _virtualenv),
    Maker("uv", _uv),
    Maker("poetry", _poetry),
    Maker("pipenv", _pipenv),
    Maker("pdm", _pdm),
    Maker("hatch", _hatch),
    Maker("conda", _conda, real=False),
    Maker("pixi", _pixi, real=False),
    Maker("pyenv", _pyenv, real=False),
    Maker("virtualenvwrapper", _virtualenvwrapper),
    Maker("mise", _mise, real=False, owner="venv"),
)


def real_path(path: Path | bytes | str) -> str:
    """Where a path really leads, for comparison with another spelling of it."""
    return os.path.realpath(os.fsdecode(path))
