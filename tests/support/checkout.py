"""A copy of the project as a user has it after cloning, to build and install from."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent

_FILES = (".gitignore", "CHANGELOG.md", "LICENSE", "README.md", "hatch_build.py", "install.sh", "pyproject.toml")


def copy_checkout(target: Path) -> Path:
    """Copy what building and installing need; the checkout itself stays clean. ``target`` must not exist."""
    target.mkdir(parents=True)
    for name in _FILES:
        shutil.copy2(ROOT / name, target / name)
    for folder in ("daemon", "shell"):
        shutil.copytree(ROOT / folder, target / folder, ignore=shutil.ignore_patterns("__pycache__", "*.zwc"))
    return target


def succeed(*command: str | Path, env: dict[str, str] | None = None, cwd: Path | None = None) -> str:
    """Run a program that has to succeed; its standard output. What it said otherwise is in the failure."""
    done = subprocess.run(
        command, env=env, cwd=cwd, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise AssertionError(f"{command} ended with {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout
