"""How one project looks at a moment: the answer, and the files that belong to it.

Two looks tell what happened in between (``events``). Nobody reads packages for this: names are told where they were
just installed.
"""

from __future__ import annotations

import os
from collections.abc import Iterator

import msgspec

from alight.files.disk import Disk, join
from alight.model import Answer, Environment
from alight.text import display

DISTRIBUTIONS_LIMIT = 4096

COARSE_CLOCK_NS = 10_000_000
"""File times may lag the precise clock by one tick of the kernel."""

UNTOLD = frozenset({b".git", b"tox.ini", b"noxfile.py"})
"""Markers that say nothing about an environment."""

Mark = tuple[int, int, int]
"""Inode, time of change and size."""


class Look(msgspec.Struct, frozen=True, gc=False):
    """An answer at ``time_ns``. ``identity`` tells one environment from the next at the same path, None without any.

    ``born_ns`` is when it came to be there, as far as can be told; ``packages`` are the folders that installers write
    into, ``files`` those of the project by name. ``recent`` is what was installed since the look before, and
    ``former_stands`` whether the environment of that look is still there.
    """

    answer: Answer
    time_ns: int
    identity: tuple[int, int, int] | None = None
    born_ns: int = 0
    interpreter: Mark | None = None
    packages: tuple[Mark | None, ...] = ()
    files: tuple[tuple[bytes, Mark], ...] = ()
    recent: tuple[str, ...] = ()
    former_stands: bool = False

    @property
    def environment(self) -> Environment | None:
        """The environment, if there is one at its place."""
        return self.answer.resolution.environment if self.identity is not None else None

    @property
    def broken(self) -> bool:
        return self.environment is not None and self.environment.broken


def look(answer: Answer, disk: Disk, former: Look | None = None) -> Look:
    """How things look now; ``former`` is the look before, for what only the disk can tell of the time between."""
    found = answer.resolution
    environment = found.environment
    identity, born = _identity(environment, disk) if environment is not None else (None, 0)
    python = environment.interpreter if environment is not None else _pinned(answer)
    packages = tuple(_mark(path, disk) for path in _package_folders(environment, disk))
    changed = former is not None and former.packages != packages and former.identity == identity
    return Look(
        answer,
        disk.now_ns,
        identity,
        born,
        _mark(python, disk) if python else None,
        packages,
        tuple(_files(found.project.root, found.project.markers, disk)) if found.project is not None else (),
        _installed(environment, former.time_ns - COARSE_CLOCK_NS, disk)
        if changed and former is not None and environment
        else (),
        former is not None
        and former.environment is not None
        and _identity(former.environment, disk)[0] == former.identity,
    )


def _identity(environment: Environment, disk: Disk) -> tuple[tuple[int, int, int] | None, int]:
    prefix = disk.stat(environment.prefix)
    names = {"conda": b"conda-meta", "venv": b"pyvenv.cfg"}
    config = disk.stat(join(environment.prefix, names.get(environment.kind, b"")))
    if prefix is None or config is None:
        # virtualenv before version 20 writes no pyvenv.cfg; a prefix without any Python is none.
        config = disk.lstat(environment.interpreter)
        if prefix is None or config is None:
            return None, 0
    return (prefix.st_dev, prefix.st_ino, config.st_ino), max(prefix.st_ctime_ns, config.st_ctime_ns)


def _package_folders(environment: Environment | None, disk: Disk) -> tuple[bytes, ...]:
    if environment is None:
        return ()
    if environment.kind == "conda":
        return (*environment.site_packages, join(environment.prefix, b"conda-meta"))
    return tuple(path for path in environment.site_packages if disk.is_directory(path))


def _files(root: bytes, markers: tuple[str, ...], disk: Disk) -> Iterator[tuple[bytes, Mark]]:
    for name in dict.fromkeys((*(os.fsencode(marker) for marker in markers), b"uv.toml", b".python-envs")):
        mark = None if name in UNTOLD else _mark(join(root, name), disk)
        if mark is not None:
            yield name, mark


def _installed(environment: Environment, since_ns: int, disk: Disk) -> tuple[str, ...]:
    """Distributions whose metadata was written since then, by name and version."""
    found: list[str] = []
    for folder in _package_folders(environment, disk):
        ending = ".json" if folder.endswith(b"/conda-meta") else ".dist-info"
        try:
            with os.scandir(os.fsdecode(folder)) as entries:
                for number, entry in enumerate(entries):
                    if number > DISTRIBUTIONS_LIMIT:
                        break
                    if entry.name.endswith(ending) and entry.stat(follow_symlinks=False).st_mtime_ns > since_ns:
                        found.append(_distribution(entry.name.removesuffix(ending)))
        except OSError:
            continue
    return tuple(sorted(found))


def _distribution(stem: str) -> str:
    parts = stem.split("-")
    # conda: name-version-build, and names hold dashes; a dist-info: name-version.
    name, version = ("-".join(parts[:-2]), parts[-2]) if len(parts) > 2 else (parts[0], parts[-1])
    return display(f"{name} {version}" if version != name else name)


def _pinned(answer: Answer) -> bytes:
    interpreter = answer.resolution.interpreter
    return interpreter.executable if interpreter is not None else b""


def _mark(path: bytes, disk: Disk) -> Mark | None:
    facts = disk.stat(path)
    return None if facts is None else (facts.st_ino, facts.st_mtime_ns, facts.st_size)
