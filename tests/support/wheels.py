"""Wheels with next to nothing in them, for a real pip without an index."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from collections.abc import Sequence
from pathlib import Path


def wheel(folder: Path, name: str, version: str = "1.0") -> Path:
    """One pure Python distribution with a module of that name."""
    path, info = folder / f"{name}-{version}-py3-none-any.whl", f"{name}-{version}.dist-info"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(f"{name}/__init__.py", "")
        archive.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
        archive.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr(f"{info}/RECORD", f"{name}/__init__.py,,\n{info}/METADATA,,\n{info}/WHEEL,,\n")
    return path


def pip_command(prefix: Path, folder: Path) -> list[str]:
    """What installs from ``folder`` into an environment that has no pip of its own; names follow."""
    pip = [sys.executable, "-I", "-m", "pip", "--python", str(prefix / "bin/python")]
    quiet = ["install", "-q", "--disable-pip-version-check", "--no-cache-dir"]
    return [*pip, *quiet, "--no-index", "--find-links", str(folder)]


def install(prefix: Path, folder: Path, names: Sequence[str]) -> None:
    """Install them by name, all at once."""
    subprocess.run([*pip_command(prefix, folder), *names], check=True, cwd="/", stdin=subprocess.DEVNULL)
