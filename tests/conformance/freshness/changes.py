"""Random changes of a home: what tools and people do to projects, environments, pools, interpreters and settings.

Everything is chosen by one generator from sorted lists, so that a seed tells the whole story. A change never needs to
succeed: what is not there any more is left alone.
"""

from __future__ import annotations

import contextlib
import json
import random
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

from support.landscape import BASES, Landscape

MANIFESTS = {
    "pyproject.toml": (
        "[project]\nname = 'a'\nversion = '1'\nrequires-python = '>=3.11'\n",
        "[project]\nname = 'b'\nversion = '1'\nrequires-python = '==3.10.*'\n",
        "[tool.poetry]\nname = 'a'\nversion = '1'\n",
        "[project]\nname = 'a'\nversion = '1'\n[tool.hatch.envs.default]\n",
        "[project]\nname = 'a'\nversion = '1'\n[tool.uv]\n",
        "[tool.uv.workspace]\nmembers = ['src']\n",
        "[tool.pixi.workspace]\nname = 'a'\nchannels = []\n",
        "not toml [",
    ),
    "uv.lock": ("version = 1\n",),
    "poetry.lock": ("# @generated\n",),
    "pdm.lock": ("# @generated\n",),
    "pdm.toml": ("[python]\nuse_venv = false\n", "[venv]\nin_project = true\n"),
    "poetry.toml": ("[virtualenvs]\nin-project = true\n", "[virtualenvs]\nin-project = false\n"),
    "Pipfile": ("[packages]\n", "[requires]\npython_version = '3.12'\n"),
    "Pipfile.lock": ("{}\n",),
    "pixi.toml": ("[workspace]\nname = 'a'\n", "[workspace]\nname = 'b'\n[environments]\ntest = []\n"),
    "pixi.lock": ("version: 6\n",),
    "environment.yml": ("name: lab\ndependencies: [python]\n", "prefix: ../env\n"),
    "requirements.txt": ("requests\n",),
    "setup.py": ("from setuptools import setup\nsetup()\n",),
    "hatch.toml": ("[envs.default]\n",),
    ".venv": ("venv\n", "../other\n", "web\n"),
    ".python-version": ("3.12.4\n", "3.11\n", "3.9\n", "web\n", ""),
    ".python-versions": ("3.10\n3.12\n",),
    ".tool-versions": ("python 3.11.9\n", "nodejs 20\n"),
    "mise.toml": ("[tools]\npython = '3.12'\n", "[env]\n_.python.venv = { path = 'env' }\n"),
    ".pdm-python": ("/usr/bin/python3\n",),
    ".python-envs": ("venv\n",),
}
"""Files of a level, each with what may stand in it."""

SETTINGS = {
    ".config/pypoetry/config.toml": (
        "[virtualenvs]\nin-project = true\n", "[virtualenvs]\npath = '/nowhere'\n", "cache-dir = '{home}/poetry'\n",
    ),
    ".config/pdm/config.toml": ("[venv]\nin_project = false\n", "[venv]\nlocation = '{home}/pdmvenvs'\n"),
    ".config/hatch/config.toml": ("[dirs.env]\nvirtual = '.hatch'\n", "[dirs.env]\nvirtual = '{home}/hatchenvs'\n"),
    ".config/uv/.python-version": ("3.11\n",),
    ".config/mise/config.toml": ("[tools]\npython = '3.11.9'\n",),
    ".config/pixi/config.toml": ("detached-environments = true\n", "detached-environments = '{home}/pixienvs'\n"),
    ".pixi/config.toml": ("detached-environments = true\n",),
    ".condarc": ("envs_dirs:\n  - {home}/condaenvs\n", "envs_dirs: []\n"),
    ".config/conda/.condarc": ("envs_dirs:\n  - {home}/more\n",),
    ".conda/environments.txt": ("{home}/miniconda3\n", "{home}/elsewhere\n"),
    ".pyenv/version": ("3.12.4\n", "system\n", "web\n"),
    ".tool-versions": ("python 3.13.0\n",),
}  # fmt: skip
"""Files of tools' own, below the home."""


class Changes:
    """Changes a landscape; ``places`` are directories that the latest change was about."""

    def __init__(self, land: Landscape, seed: int) -> None:
        self.land = land
        self.chance = random.Random(seed)
        self.places: list[Path] = []
        self.told = ""
        self._away: list[tuple[Path, Path]] = []
        self._aside = land.home / "aside"
        self._aside.mkdir(exist_ok=True)
        self._count = 0
        self._ways: tuple[tuple[int, Callable[[], None]], ...] = (
            (14, self._manifest),
            (6, self._level_above),
            (10, self._settings),
            (10, self._take_away),
            (14, self._bring_back),
            (8, self._configuration),
            (8, self._interpreter),
            (8, self._local_environment),
            (8, self._back_link),
            (6, self._packages),
            (5, self._pool_file),
            (5, self._base),
            (3, self._permissions),
            (3, self._swap),
        )

    def step(self) -> str:
        """Make one change; what was done."""
        weights = [weight for weight, _ in self._ways]
        ((_, way),) = self.chance.choices(self._ways, weights)
        self._count += 1
        self.places, self.told = [], way.__name__.strip("_")
        with contextlib.suppress(OSError):
            way()
        return self.told

    def level(self) -> Path:
        """A directory where somebody may ask."""
        ways: Sequence[Callable[[], Path]] = (
            lambda: self.chance.choice(self.land.projects),
            lambda: self.chance.choice(self.land.projects),
            lambda: self.chance.choice(self.land.projects) / "src",
            lambda: self.chance.choice(self.land.projects) / "src/pkg",
            lambda: self.chance.choice(self.land.projects).parent,
            lambda: self.chance.choice(self.land.bare),
            lambda: self.chance.choice(self.land.environments),
            lambda: self.chance.choice((self.land.home, self.land.home / "code", self.land.home / "notes")),
        )
        return self.chance.choice(ways)()

    def near(self) -> Path:
        """A directory close to what changed last."""
        return self.chance.choice(self.places) if self.places else self.level()

    # --- what projects go through ---

    def _manifest(self) -> None:
        level = self.chance.choice((*self.land.projects, *self.land.projects, *self.land.bare))
        if self.chance.random() < 0.3:
            level /= "src"
        self._file(level, MANIFESTS)

    def _level_above(self) -> None:
        level = self.chance.choice((*(project.parent for project in self.land.projects), self.land.home / "code"))
        self._file(level, MANIFESTS)
        self.places += [project for project in self.land.projects if level in project.parents]

    def _settings(self) -> None:
        self._file(self.land.home, SETTINGS)
        self.places = []

    def _file(self, level: Path, choice: dict[str, tuple[str, ...]]) -> None:
        name = self.chance.choice(sorted(choice))
        path = level / name
        self.places += [level, level / "src"]
        if path.is_symlink() or (path.exists() and self.chance.random() < 0.45):
            self.told += f" delete {path}"
            path.unlink() if not path.is_dir() else path.rename(self._free())
            return
        text = self.chance.choice(choice[name]).replace("{home}", str(self.land.home))
        self._write(path, text)

    def _write(self, path: Path, text: str) -> None:
        """In place, by renaming, or in place without another size."""
        self.told += f" write {path} {text[:40]!r}"
        path.parent.mkdir(parents=True, exist_ok=True)
        if self.chance.random() < 0.5:
            path.write_text(text)
        else:
            new = path.with_name(path.name + ".tmp")
            new.write_text(text)
            new.rename(path)

    # --- what environments go through ---

    def _environment(self) -> Path:
        return self.chance.choice(self.land.environments)

    def _about(self, prefix: Path) -> None:
        self.places += [project for project, own in self.land.expected.items() if own == prefix]

    def _take_away(self) -> None:
        """A whole environment, project, tool's directory or base Python goes."""
        home = self.land.home
        what = self.chance.choice(
            (
                self._environment(), self._environment(), self._environment(), self._environment() / "lib",
                self._environment() / "bin", self.chance.choice(self.land.projects),
                self.chance.choice(self.land.projects) / "src", home / ".pyenv/versions" / self.chance.choice(BASES),
                home / ".config/pypoetry", home / ".cache/pypoetry/virtualenvs", home / ".local/share/virtualenvs",
                home / ".virtualenvs", home / ".local/share/hatch", home / ".pyenv/versions", home / "miniconda3",
                home / "miniconda3/envs", home / ".conda", home / ".local/share/pdm", home / ".config",
            )
        )  # fmt: skip
        self._about(what)
        self.told += f" {what}"
        if len(self._away) < 12 and (what.exists() or what.is_symlink()):
            target = self._free()
            what.rename(target)
            self._away.append((what, target))

    def _bring_back(self) -> None:
        """What went away comes back, to its place or to another."""
        if not self._away:
            return
        what, target = self._away.pop(self.chance.randrange(len(self._away)))
        self.told += f" {what}"
        self._about(what)
        if what.exists() or what.is_symlink():
            what.rename(self._free())
        what.parent.mkdir(parents=True, exist_ok=True)
        target.rename(what)

    def _free(self) -> Path:
        self._count += 1
        return self._aside / str(self._count)

    def _configuration(self) -> None:
        prefix = self._environment()
        self._about(prefix)
        conda = (prefix / "conda-meta").is_dir()
        path = prefix / ("conda-meta/history" if conda else "pyvenv.cfg")
        if path.exists() and self.chance.random() < 0.2:
            self.told += f" delete {path}"
            path.unlink()
            return
        version = self.chance.choice(BASES)
        prompt = self.chance.choice(("", "prompt = shop\n", "uv = 0.4.2\n", "virtualenv = 20.26.3\n"))
        text = f"home = {self.land.home}/.pyenv/versions/{version}/bin\nversion = {version}\n{prompt}"
        self._write(path, "==> 2025-01-01 00:00:00 <==\n" * self.chance.randint(1, 3) if conda else text)

    def _interpreter(self) -> None:
        prefix = self._environment()
        self._about(prefix)
        path = prefix / "bin/python"
        self.told += f" {path}"
        if self.chance.random() < 0.3:
            path.unlink()
            return
        version = self.chance.choice((*BASES, "3.8.1"))
        self._link(path, self.land.home / ".pyenv/versions" / version / "bin/python")

    def _link(self, path: Path, target: Path) -> None:
        self._count += 1
        new = path.with_name(f"new{self._count}")
        new.symlink_to(target)
        new.rename(path)

    def _local_environment(self) -> None:
        """A project's own environment is renamed, replaced by a link, or the link is retargeted."""
        project = self.chance.choice((*self.land.projects, *self.land.bare))
        level = project / "src" if self.chance.random() < 0.2 else project
        self.places += [level, project]
        name = self.chance.choice((".venv", "venv", "env", "myenv", ".conda", ".direnv"))
        path = level / name
        self.told += f" {path}"
        if path.is_symlink():
            if self.chance.random() < 0.5:
                path.unlink()
            else:
                self._link(path, self._environment())
        elif path.is_dir():
            path.rename(level / self.chance.choice(("venv", "env", ".venv", "myenv", "old")))
        elif self.chance.random() < 0.6:
            self._link(path, self._environment())
        else:
            version = self.chance.choice(BASES)
            base = self.land.home / ".pyenv/versions" / version
            minor = version.rpartition(".")[0]
            (path / f"lib/python{minor}/site-packages").mkdir(parents=True)
            (path / "bin").mkdir()
            (path / "bin/python").symlink_to(base / "bin/python")
            (path / "pyvenv.cfg").write_text(f"home = {base}/bin\nversion = {version}\n")

    def _back_link(self) -> None:
        """An environment names another project, or none any more."""
        prefix = self._environment()
        project = self.chance.choice((*self.land.projects, *self.land.bare))
        self._about(prefix)
        self.places.append(project)
        if (prefix / "conda-meta").is_dir():
            path = prefix / "conda-meta/pixi"
            text = json.dumps({"manifest_path": f"{project}/pixi.toml", "environment_name": "default"})
        else:
            path, text = prefix / ".project", f"{project}\n"
        if path.exists() and self.chance.random() < 0.4:
            self.told += f" delete {path}"
            path.unlink()
        elif prefix.is_dir():
            self._write(path, text)

    def _packages(self) -> None:
        """Something is installed or removed, sometimes a project in editable mode."""
        prefix = self._environment()
        found = sorted(prefix.glob("lib/python*/site-packages"))
        if not found:
            return
        packages = found[0]
        infos = sorted(packages.glob("*.dist-info"))
        self._about(prefix)
        self.told += f" {packages}"
        if infos and self.chance.random() < 0.5:
            shutil.rmtree(self.chance.choice(infos))
            return
        self._count += 1
        new = packages / f"p{self._count}-1.0.dist-info"
        new.mkdir()
        if self.chance.random() < 0.6:
            project = self.chance.choice((*self.land.projects, *self.land.bare))
            self.places.append(project)
            (new / "direct_url.json").write_text(json.dumps({"url": project.as_uri(), "dir_info": {"editable": True}}))
        (new / "RECORD").write_text("")

    def _pool_file(self) -> None:
        """Poetry's envs.toml, conda's environments.txt, links beside pyenv's versions."""
        home = self.land.home
        if self.chance.random() < 0.5:
            names = [path.name for path in sorted((home / ".cache/pypoetry/virtualenvs").glob("*-py3*"))]
            name = self.chance.choice(names) if names else "x-py3.12"
            slot, _, minor = name.rpartition("-py")
            minor = self.chance.choice((minor, "3.12"))
            text = f'[{slot}]\nminor = "{minor}"\npatch = "{minor}.1"\n'
            self._write(home / ".cache/pypoetry/virtualenvs/envs.toml", text)
            return
        version = self.chance.choice(("web", "3.12", "3.11"))
        path = home / ".pyenv/versions" / version
        self.told += f" {path}"
        if path.is_symlink() and self.chance.random() < 0.5:
            path.unlink()
        else:
            self._link(path, home / ".pyenv/versions" / self.chance.choice(BASES))

    def _base(self) -> None:
        """A base Python is upgraded in place, or loses its executable."""
        version = self.chance.choice(BASES)
        base = self.land.home / ".pyenv/versions" / version
        minor = version.rpartition(".")[0]
        if self.chance.random() < 0.6:
            other = f"{minor}.{self.chance.randint(1, 20)}"
            header = base / f"include/python{minor}/patchlevel.h"
            self._write(header, f'#define PY_VERSION      "{other}"\n')
            return
        python = base / f"bin/python{minor}"
        self.told += f" {python}"
        if python.exists():
            python.unlink()
        else:
            python.write_text("\x7fELF")
            python.chmod(0o755)

    def _permissions(self) -> None:
        """Somebody lets others write, or no longer."""
        path = self.chance.choice((self.chance.choice(self.land.projects), self._environment(), *self.land.bare))
        self.places.append(path)
        mode = self.chance.choice((0o755, 0o755, 0o777, 0o700))
        self.told += f" {path} {mode:o}"
        path.chmod(mode)

    def _swap(self) -> None:
        """Two projects change names, as when one is checked out anew."""
        one, other = self.chance.sample(self.land.projects, 2)
        self.places += [one, other]
        self.told += f" {one} {other}"
        aside = self._free()
        one.rename(aside)
        try:
            other.rename(one)
        finally:
            aside.rename(other if not other.exists() else one)
