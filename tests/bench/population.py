"""A machine for the benchmark of scale: a home with so many environments, and the projects of some of them.

Environments are written as the tools leave them (``support.landscape``): in turn of every kind with a project of
their own until there are enough projects; what comes then has none, as on machines that are a few years old: named
conda environments, and what virtualenvwrapper's and Hatch's pools keep of projects that are gone.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from support.landscape import Landscape

PROJECTS = 2000
CACHE = Path(__file__).resolve().parents[1] / ".cache"


def scratch_in(directory: str | None, prefix: str) -> tempfile.TemporaryDirectory[str]:
    """A folder that is removed afterwards, by default below ``tests/.cache``.

    The daemon watches the folders above a home, too: in the temporary directory it would hear of everybody's files.
    """
    CACHE.mkdir(exist_ok=True)
    return tempfile.TemporaryDirectory(prefix=prefix, dir=directory or CACHE)


class Population:
    """Grows, never shrinks; ``projects`` are the folders that shells stand in."""

    def __init__(self, home: Path, seed: int, projects: int = PROJECTS) -> None:
        self._land = Landscape(home, seed)
        self._projects = projects

    @property
    def home(self) -> Path:
        return self._land.home

    @property
    def count(self) -> int:
        """Environments so far."""
        return len(self._land.environments)

    @property
    def projects(self) -> list[bytes]:
        """In the order they were made."""
        return [os.fsencode(project) for project in self._land.projects]

    def grow(self, count: int) -> None:
        """Add environments until there are ``count``."""
        land = self._land
        land.grow(max(0, min(count, self._projects) - self.count))
        while self.count < count:
            number = self.count
            match number % 3:
                case 0:
                    land.conda(land.home / f"miniconda3/envs/left-{number:05d}")
                case 1:
                    land.venv(land.home / f".virtualenvs/left-{number:05d}", "virtualenv")
                case _:
                    pool = land.home / ".local/share/hatch/env/virtual"
                    land.venv(pool / f"left-{number:05d}" / f"{number:08d}" / "test", "virtualenv")
