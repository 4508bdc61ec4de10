"""Metadata of packages that contradicts itself or was left half-way (discovery rules 3.1, 3.2)."""

from __future__ import annotations

from collections.abc import Iterator

from alight.files.disk import Disk, join
from alight.health.locks import LISTED, listed
from alight.health.mixing import Owned
from alight.health.packages import Installed
from alight.model import Environment, Finding

LEFT_NS = 300 * 1_000_000_000
"""Age from which half an installation is no longer one in progress."""

_REPAIR = {
    "uv": "uv pip install --reinstall",
    "conda": "conda install --force-reinstall",
    "pixi": "pixi reinstall",
}


def duplicated(present: Installed, environment: Environment) -> Iterator[Finding]:
    """Two metadata directories of one name in one site-packages: which counts depends on their order in it."""
    for name, packages in present.by_name().items():
        for directory in dict.fromkeys(package.path.rpartition(b"/")[0] for package in packages):
            twins = [package for package in packages if package.path.rpartition(b"/")[0] == directory]
            if len(twins) < 2:
                continue
            versions = " and ".join(dict.fromkeys(twin.version or "an egg-info without version" for twin in twins))
            message = f"{name} is recorded twice: {versions}; `{repair(environment)} {name}` leaves one"
            yield Finding("duplicate-metadata", "warning", message, tuple(twin.path for twin in twins[:LISTED]))


def unfinished(present: Installed, environment: Environment, disk: Disk, owned: Owned | None) -> Iterator[Finding]:
    """What pip moved aside and never removed, and wheels without the list of their files."""
    anchored = owned.anchors if owned is not None else frozenset()
    bare = [package for package in present.packages if package.wheel and package.name not in anchored]
    bare = [package for package in bare if not disk.is_file(join(package.path, b"RECORD"))]
    yield from _aged(list(present.stashes), disk, "left over from an interrupted pip", "remove them")
    names = listed(package.name for package in bare)
    repaired = f"`{repair(environment)} {bare[0].name}` completes it" if bare else ""
    yield from _aged([package.path for package in bare], disk, f"installed half-way: {names}", repaired)


def repair(environment: Environment) -> str:
    """What installs a package again, in the words of the environment's owner."""
    return _REPAIR.get(environment.system, "python -m pip install --force-reinstall")


def _aged(paths: list[bytes], disk: Disk, what: str, remedy: str) -> Iterator[Finding]:
    old = [path for path in paths if _age_ns(path, disk) >= LEFT_NS]
    young = [path for path in paths if path not in old]
    if old:
        yield Finding("half-installed", "warning", f"{what}; {remedy}", tuple(old[:LISTED]))
    if young:
        yield Finding(
            "half-installed", "info", "an installation is under way, or was just given up", tuple(young[:LISTED])
        )


def _age_ns(path: bytes, disk: Disk) -> int:
    facts = disk.lstat(path)
    return 0 if facts is None else disk.now_ns - facts.st_mtime_ns
