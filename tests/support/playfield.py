"""Small environments and projects made of plain files, and a disk on which anybody may own anything."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from alight.files.disk import Disk
from alight.model import Resolution
from alight.resolver import resolve

LATER_NS = 3_600 * 1_000_000_000
"""An hour, after which nothing just written is racy or fresh."""


@dataclass
class Clock:
    """The machine's clock, ``ahead_ns`` later."""

    ahead_ns: int = LATER_NS

    def monotonic(self) -> float:
        return 0.0

    def wall_ns(self) -> int:
        return time.time_ns() + self.ahead_ns


@dataclass
class Playfield:
    """A home with a base Python in it; ``owners`` says which paths belong to which uid, the rest is ours."""

    home: Path
    owners: dict[bytes, int] = field(default_factory=dict)
    clock: Clock = field(default_factory=Clock)

    def disk(self) -> Disk:
        return OwnedDisk(os.getuid(), self.clock, self.owners)

    def resolve(
        self, directory: Path | bytes, overrides: Mapping[str, bytes] | None = None, *, trail: bool = False
    ) -> Resolution:
        return resolve(os.fsencode(directory), overrides or {}, self.disk(), os.fsencode(self.home), trail=trail)

    def base(self, version: str = "3.11.7", where: Path | None = None) -> Path:
        """A base Python, as pyenv lays it out; only its layout is real."""
        minor = ".".join(version.split(".")[:2])
        prefix = where or self.home / ".pyenv" / "versions" / version
        write(prefix / "bin" / f"python{minor}", "#!/bin/false\n").chmod(0o755)
        link(prefix / "bin" / "python3", f"python{minor}")
        link(prefix / "bin" / "python", "python3")
        write(prefix / "lib" / f"python{minor}" / "os.py")
        write(prefix / "include" / f"python{minor}" / "patchlevel.h", f'#define PY_VERSION      "{version}"\n')
        return prefix

    def venv(self, prefix: Path, version: str = "3.11.7", lines: str = "", made_as: str | None = None) -> Path:
        """An environment over ``base(version)``; ``lines`` are added to its pyvenv.cfg."""
        base = self.base(version)
        minor = ".".join(version.split(".")[:2])
        link(prefix / "bin" / "python", str(base / "bin" / "python"))
        write(prefix / "bin" / "activate", f'VIRTUAL_ENV="{made_as or prefix}"\nexport VIRTUAL_ENV\n')
        (prefix / "lib" / f"python{minor}" / "site-packages").mkdir(parents=True)
        write(
            prefix / "pyvenv.cfg",
            f"home = {base}/bin\ninclude-system-site-packages = false\nversion = {version}\n{lines}",
        )
        return prefix


class OwnedDisk(Disk):
    """A disk on which chosen paths belong to other users, without being one of them."""

    def __init__(self, uid: int, clock: Clock, owners: Mapping[bytes, int]) -> None:
        super().__init__(uid, clock)
        self._owners = owners

    def stat(self, path: bytes) -> os.stat_result | None:
        return self._given(path, super().stat(path))

    def lstat(self, path: bytes) -> os.stat_result | None:
        return self._given(path, super().lstat(path))

    def permissions(self, path: bytes) -> os.stat_result | None:
        return self._given(path, super().permissions(path))

    def _given(self, path: bytes, facts: os.stat_result | None) -> os.stat_result | None:
        if facts is None or path not in self._owners:
            return facts
        values = list(facts)
        values[4] = self._owners[path]
        return os.stat_result(values, {"st_mtime_ns": facts.st_mtime_ns, "st_ctime_ns": facts.st_ctime_ns})


def write(path: Path, text: str | bytes = "") -> Path:
    """A file with its parents."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text if isinstance(text, bytes) else os.fsencode(text))
    return path


def link(path: Path, target: str) -> Path:
    """A link with its parents, replacing a former one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    path.symlink_to(target)
    return path
