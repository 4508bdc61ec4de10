"""The folders a tool is measured in: a home of its own with two projects, a subfolder and a neutral folder.

Each tool has its own tree, so that one tool's files mean nothing to another; all trees have names of equal length,
so that the line typed is equally long for all.
"""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

SYSTEM_PATH = "/usr/local/bin:/usr/bin:/bin"


@dataclass(frozen=True)
class Stop:
    """One ``cd`` of the walk: what kind of change it is, where it goes, the ``python`` expected there (or none)."""

    kind: str
    directory: Path
    python: Path | None


@dataclass(frozen=True)
class Tree:
    """A tool's home and, in it, the folders of the walk."""

    home: Path

    @property
    def projects(self) -> tuple[Path, Path]:
        return self.home / "A", self.home / "B"

    @property
    def neutral(self) -> Path:
        return self.home / "N"

    @property
    def walk(self) -> tuple[Stop, Stop, Stop, Stop]:
        """From the neutral folder: into a project, down in it, over to another, out again; then from the start."""
        first, second = self.projects
        return (
            Stop("enter", first, _python(first)),
            Stop("stay", first / "s", _python(first)),
            Stop("switch", second, _python(second)),
            Stop("leave", self.neutral, None),
        )

    @property
    def environment(self) -> dict[str, str]:
        """The whole environment of the shell before its rc file; nothing of the caller's session is in it."""
        return {
            "HOME": str(self.home),
            "USER": "bench",
            "PATH": SYSTEM_PATH,
            "TERM": "xterm-256color",
            "LANG": "C.UTF-8",
            "XDG_CONFIG_HOME": str(self.home / ".config"),
            "XDG_DATA_HOME": str(self.home / ".local" / "share"),
            "XDG_STATE_HOME": str(self.home / ".local" / "state"),
            "XDG_CACHE_HOME": str(self.home / ".cache"),
        }


def build(home: Path) -> Tree:
    """Make the folders and the two environments, of the interpreter that runs the benchmark."""
    tree = Tree(home)
    for directory in (tree.neutral, tree.projects[0] / "s", tree.projects[1]):
        directory.mkdir(parents=True)
    for name in ("XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME", "XDG_CACHE_HOME"):
        Path(tree.environment[name]).mkdir(parents=True)
    base = os.path.realpath(getattr(sys, "_base_executable", sys.executable))
    for project in tree.projects:
        subprocess.run([base, "-m", "venv", "--without-pip", project / ".venv"], check=True)
        (project / "pyproject.toml").write_text(f'[project]\nname = "{project.name}"\nversion = "1"\n')
    return tree


def shape(prefix: Path) -> None:
    """An environment as ``python -m venv --without-pip`` leaves it, as far as anybody looks; quick, so for hundreds."""
    base = os.path.realpath(getattr(sys, "_base_executable", sys.executable))
    (prefix / "bin").mkdir(parents=True)
    (prefix / "lib" / f"python{sys.version_info[0]}.{sys.version_info[1]}" / "site-packages").mkdir(parents=True)
    (prefix / "bin" / "python").symlink_to(base)
    (prefix / "bin" / "activate").write_text(f'VIRTUAL_ENV="{prefix}"\nexport VIRTUAL_ENV\n')
    (prefix / "pyvenv.cfg").write_text(f"home = {os.path.dirname(base)}\nversion = {platform.python_version()}\n")


def _python(project: Path) -> Path:
    return project / ".venv" / "bin" / "python"
