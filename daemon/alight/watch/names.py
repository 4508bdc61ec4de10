"""Which events matter, and how soon (rules/discovery.md 5.1, 5.2 and 5.5)."""

from __future__ import annotations

import enum
import fnmatch
import re
from dataclasses import dataclass


class Weight(enum.Enum):
    """How soon the projects of a folder should hear of an event."""

    NOW = "a state changed: at once"
    SETTLE = "something began: at once, and again when it is quiet, for what comes after the part that is watched"
    LATER = "packages: when it is quiet"
    FLUSH = "a transaction ended: at once what waits, else nothing"


@dataclass(frozen=True)
class Sight:
    """One event in a watched folder. ``written`` is a file closed after writing; else the name came or went."""

    name: bytes
    appeared: bool = False
    written: bool = False
    directory: bool = False


def _any(patterns: str) -> re.Pattern[bytes]:
    return re.compile("|".join(map(fnmatch.translate, patterns.split())).encode())


_PLACE = _any(
    ".venv venv env .conda .direnv .pixi .python-envs pyproject.toml *.lock Pipfile* pylock*.toml poetry.toml pdm.toml"
    " .pdm-python environment.y*ml pixi.toml .python-version* .tool-versions *mise*.toml requirements*.txt setup.*"
    " hatch.toml pyvenv.cfg .project bin lib"
)
_PACKAGES = _any("*.dist-info *.egg-info *.egg-link *.pth ~*")
_CONDA_PACKAGES = _any("*.json history")
_CONDA_STATE = frozenset({b"pixi", b"frozen", b"state"})
_PACKAGE_FOLDERS = frozenset({b"site-packages", b"dist-packages"})
_CONDA = b"conda-meta"
_PROGRAMS = b"bin"
_PYTHON = b"python"


@dataclass(frozen=True)
class Interest:
    """What matters in a folder beside what matters in every one: ``names``, or with ``every`` any name at all.

    With ``only``, nothing but the names does: the folder is one of the system's or of another tool's.
    """

    names: frozenset[bytes] = frozenset()
    every: bool = False
    only: bool = False

    def joined(self, other: Interest) -> Interest:
        """What matters to either."""
        return Interest(self.names | other.names, self.every or other.every, self.only and other.only)


USUAL = Interest()


def holds_packages(folder: bytes) -> bool:
    """Whether a folder is one that installers write into; every other one is a project or an environment."""
    return folder.rpartition(b"/")[2] in _PACKAGE_FOLDERS


def weigh(
    sight: Sight, *, packages: bool, interest: Interest = USUAL, conda: bool = False, programs: bool = False
) -> Weight | None:
    """The weight of an event; None for what changes no answer. ``packages``: see ``holds_packages``.

    ``programs`` is for a folder called ``bin``, where interpreters come and go among the scripts of packages.
    Projects and environment roots share one list: one folder is often both. A directory of any name counts there,
    because any folder of a project may be an environment.
    """
    if packages and _PACKAGES.match(sight.name):
        return Weight.LATER
    if conda and _CONDA_PACKAGES.match(sight.name):
        return Weight.LATER
    if conda and sight.name in _CONDA_STATE:
        return Weight.NOW
    if sight.name in interest.names or (interest.every and sight.name != b".lock"):
        return Weight.SETTLE if sight.directory and sight.appeared else Weight.NOW
    if packages or interest.only:
        return None
    if programs and sight.name.startswith(_PYTHON):
        return Weight.SETTLE if sight.appeared else Weight.NOW
    if sight.name == b".lock":
        return Weight.FLUSH if sight.written else None
    if sight.directory or sight.name == b"pyvenv.cfg":
        return Weight.SETTLE if sight.appeared or sight.written else Weight.NOW
    return Weight.NOW if _PLACE.match(sight.name) else None


def weigh_in(folder: bytes, sight: Sight, interest: Interest = USUAL) -> Weight | None:
    """The weight of an event in this folder."""
    name = folder.rpartition(b"/")[2]
    return weigh(
        sight,
        packages=name in _PACKAGE_FOLDERS,
        interest=interest,
        conda=name == _CONDA,
        programs=name == _PROGRAMS,
    )
