"""A home with many projects and environments of every system, written as the tools leave them; the same for a seed.

Nothing is run and nothing is copied: an environment is a ``pyvenv.cfg`` or ``conda-meta``, a ``bin/python`` that
leads to a base Python's layout in the same home, and site-packages with a few distributions.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

BASES = ("3.10.14", "3.11.9", "3.12.4", "3.13.0")
DISTRIBUTIONS = (
    ("certifi", "2024.7.4"), ("click", "8.1.7"), ("numpy", "2.0.1"), ("packaging", "24.1"), ("pip", "24.2"),
    ("pytest", "8.3.2"), ("requests", "2.32.3"), ("rich", "13.7.1"), ("six", "1.16.0"), ("urllib3", "2.2.2"),
)  # fmt: skip


@dataclass
class Landscape:
    """``environments`` are ours by real path, ``projects`` those they belong to; ``bare`` are folders without any.

    ``asides`` are second names of environments (pyenv's links), ``expected`` the environment of each project.
    """

    home: Path
    seed: int = 1
    environments: list[Path] = field(default_factory=list)
    projects: list[Path] = field(default_factory=list)
    bare: list[Path] = field(default_factory=list)
    asides: list[Path] = field(default_factory=list)
    expected: dict[Path, Path] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.home = self.home.resolve()
        self._chance = random.Random(self.seed)
        self._count = 0
        for version in BASES:
            _base(self.home / ".pyenv/versions" / version, version)
        write(self.home / "miniconda3/conda-meta/history", "==> 2024-07-01 10:00:00 <==\n")
        write(self.home / "miniconda3/condabin/conda", "#!/bin/sh\n")

    def grow(self, count: int, kinds: Sequence[str] = ()) -> Landscape:
        """Add ``count`` environments, in turn of each kind (default: all), most of them with a project."""
        chosen = [_KINDS[kind] for kind in kinds or _KINDS]
        for number in range(count):
            self._count += 1
            chosen[number % len(chosen)](self, f"{self._chance.choice(_WORDS)}-{self._count:05d}")
        return self

    def bare_folders(self, count: int) -> Landscape:
        """Add folders that belong to nothing, some of them with a manifest that names no tool."""
        for number in range(count):
            folder = self.home / "notes" / f"n{number % 20:02d}" / f"{number:05d}"
            write(folder / ("pyproject.toml" if number % 3 == 0 else "notes.txt"), "[project]\nname = 'n'\n")
            self.bare.append(folder)
        return self

    def choose_version(self) -> str:
        """One of the base Pythons."""
        return self._chance.choice(BASES)

    def choose_distributions(self) -> list[tuple[str, str]]:
        """What is installed."""
        return self._chance.sample(DISTRIBUTIONS, self._chance.randint(3, 6))

    def project(self, name: str, files: dict[str, str]) -> Path:
        """A project with its files, and a folder in it."""
        folder = self.home / "code" / name[-1] / name
        for file, text in files.items():
            write(folder / file, text)
        (folder / "src" / "pkg").mkdir(parents=True)
        self.projects.append(folder)
        return folder

    def venv(self, prefix: Path, maker: str = "venv", *, editable: Path | None = None) -> Path:
        """An environment over one of the bases; ``editable`` is a project installed into it."""
        version = self.choose_version()
        base = self.home / ".pyenv/versions" / version
        minor = version.rpartition(".")[0]
        stamp = {"venv": "", "virtualenv": "virtualenv = 20.26.3\n", "uv": "uv = 0.4.2\n"}[maker]
        packages = prefix / "lib" / f"python{minor}" / "site-packages"
        packages.mkdir(parents=True)
        (prefix / "bin").mkdir()
        os.symlink(base / "bin" / f"python{minor}", prefix / "bin/python")
        write(prefix / "bin/activate", f'VIRTUAL_ENV="{prefix}"\nexport VIRTUAL_ENV\n')
        write(prefix / "pyvenv.cfg", f"home = {base}/bin\n{stamp}version = {version}\n")
        self._fill(packages, editable)
        self.environments.append(prefix)
        return prefix

    def conda(self, prefix: Path, *, editable: Path | None = None) -> Path:
        """A conda prefix with a Python of its own."""
        version = self.choose_version()
        minor = version.rpartition(".")[0]
        packages = prefix / "lib" / f"python{minor}" / "site-packages"
        packages.mkdir(parents=True)
        write(prefix / "bin" / f"python{minor}", "\x7fELF").chmod(0o755)
        os.symlink(f"python{minor}", prefix / "bin/python")
        write(prefix / "conda-meta/history", "==> 2024-07-01 10:00:00 <==\n# cmd: conda create\n")
        record = {"name": "python", "version": version, "build": "h0_0"}
        write(prefix / f"conda-meta/python-{version}-h0_0.json", json.dumps(record))
        self._fill(packages, editable)
        self.environments.append(prefix)
        return prefix

    def _fill(self, packages: Path, editable: Path | None) -> None:
        for name, version in self.choose_distributions():
            info = packages / f"{name}-{version}.dist-info"
            info.mkdir()
            write(info / "METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
            write(info / "RECORD", f"{name}/__init__.py,,\n")
        if editable is not None:
            info = packages / f"{editable.name.replace('-', '_')}-0.1.0.dist-info"
            url = {"url": editable.as_uri(), "dir_info": {"editable": True}}
            write(info / "direct_url.json", json.dumps(url))
            write(info / "RECORD", "")


def _uv(land: Landscape, name: str) -> None:
    project = land.project(name, {"pyproject.toml": _manifest(name), "uv.lock": "version = 1\n"})
    land.expected[project] = land.venv(project / ".venv", "uv", editable=project)


def _plain(land: Landscape, name: str) -> None:
    project = land.project(name, {"requirements.txt": "requests\n"})
    land.expected[project] = land.venv(project / ".venv")


def _poetry(land: Landscape, name: str) -> None:
    project = land.project(name, {"pyproject.toml": _manifest(name), "poetry.lock": "# generated\n"})
    pool = land.home / ".cache/pypoetry/virtualenvs"
    slot = f"{name}-{_short(hashlib.sha256(os.fsencode(project)).digest())}"
    prefix = land.venv(pool / f"{slot}-py3", "virtualenv", editable=project)
    version = next((prefix / "lib").iterdir()).name.removeprefix("python")
    final = prefix.rename(pool / f"{slot}-py{version}")
    write(final / "bin/activate", f'VIRTUAL_ENV="{final}"\nexport VIRTUAL_ENV\n')
    land.environments[-1] = final
    land.expected[project] = final


def _pipenv(land: Landscape, name: str) -> None:
    project = land.project(name, {"Pipfile": "[packages]\n"})
    digest = base64.urlsafe_b64encode(hashlib.sha256(os.fsencode(project / "Pipfile")).digest()[:6]).decode()
    prefix = land.venv(land.home / ".local/share/virtualenvs" / f"{name}-{digest}", "virtualenv")
    write(prefix / ".project", str(project))
    land.expected[project] = prefix


def _pdm(land: Landscape, name: str) -> None:
    project = land.project(name, {"pyproject.toml": _manifest(name), "pdm.lock": "# generated\n"})
    slot = f"{name}-{_short(hashlib.md5(os.fsencode(project)).digest())}"
    prefix = land.venv(land.home / ".local/share/pdm/venvs" / f"{slot}-3.12", "virtualenv", editable=project)
    write(project / ".pdm-python", f"{prefix}/bin/python")
    land.expected[project] = prefix


def _hatch(land: Landscape, name: str) -> None:
    manifest = _manifest(name) + "\n[tool.hatch.envs.default]\ndependencies = []\n"
    project = land.project(name, {"pyproject.toml": manifest})
    slot = _short(hashlib.sha256(os.fsencode(project)).digest())
    pool = land.home / ".local/share/hatch/env/virtual"
    land.expected[project] = land.venv(pool / name / slot / name, "virtualenv", editable=project)


def _wrapper(land: Landscape, name: str) -> None:
    project = land.project(name, {"setup.py": "from setuptools import setup\nsetup()\n"})
    prefix = land.venv(land.home / ".virtualenvs" / name, "virtualenv")
    write(prefix / ".project", f"{project}\n")
    land.expected[project] = prefix


def _conda(land: Landscape, name: str) -> None:
    project = land.project(name, {"environment.yml": f"name: {name}\ndependencies:\n  - python\n"})
    land.expected[project] = land.conda(land.home / "miniconda3/envs" / name)


def _conda_editable(land: Landscape, name: str) -> None:
    project = land.project(name, {"pyproject.toml": _manifest(name)})
    land.expected[project] = land.conda(land.home / "miniconda3/envs" / name, editable=project)


def _pixi(land: Landscape, name: str) -> None:
    project = land.project(name, {"pixi.toml": f"[workspace]\nname = '{name}'\n", "pixi.lock": "version: 6\n"})
    prefix = land.conda(project / ".pixi/envs/default", editable=project)
    write(
        prefix / "conda-meta/pixi", json.dumps({"manifest_path": f"{project}/pixi.toml", "environment_name": "default"})
    )
    land.expected[project] = prefix


def _pyenv(land: Landscape, name: str) -> None:
    project = land.project(name, {".python-version": f"{name}\n", "requirements.txt": "requests\n"})
    versions = land.home / ".pyenv/versions"
    land.expected[project] = land.venv(versions / land.choose_version() / "envs" / name, "virtualenv")
    os.symlink(land.expected[project], versions / name)
    land.asides.append(versions / name)


_KINDS: dict[str, Callable[[Landscape, str], None]] = {
    "uv": _uv, "venv": _plain, "poetry": _poetry, "pipenv": _pipenv, "pdm": _pdm, "hatch": _hatch,
    "virtualenvwrapper": _wrapper, "conda": _conda, "conda-editable": _conda_editable, "pixi": _pixi, "pyenv": _pyenv,
}  # fmt: skip
KINDS = tuple(_KINDS)
POOLED = tuple(kind for kind in KINDS if kind not in {"uv", "venv", "pixi"})
"""Kinds whose environments lie in pools; the others are known once their project was visited."""

_WORDS = ("api", "bot", "crawler", "data", "etl", "forecast", "graph", "hub", "ingest", "jobs", "lab", "model", "web")


def write(path: Path, text: str) -> Path:
    """A file with its parents."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def _base(prefix: Path, version: str) -> None:
    minor = version.rpartition(".")[0]
    write(prefix / "bin" / f"python{minor}", "\x7fELF").chmod(0o755)
    os.symlink(f"python{minor}", prefix / "bin/python")
    write(prefix / f"lib/python{minor}/os.py", "")
    write(prefix / f"include/python{minor}/patchlevel.h", f'#define PY_VERSION      "{version}"\n')


def _manifest(name: str) -> str:
    return f'[project]\nname = "{name}"\nversion = "0.1.0"\nrequires-python = ">=3.10"\ndependencies = ["requests"]\n'


def _short(digest: bytes) -> str:
    return base64.urlsafe_b64encode(digest).decode()[:8]
