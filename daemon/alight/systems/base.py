"""What every environment system answers, and what it is given to answer with.

A system looks at one directory level and says what it would use there; the resolver alone walks and chooses.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from alight.files.disk import Disk, join
from alight.files.documents import Documents
from alight.model import Confidence, Finding, Kind, Outcome, Step, WouldCreate

INSIDE = 1
POINTER = 2
TOOL = 3
CONVENTION = 4
LOCAL = 5
BACK_LINK = 6
NAMED = 7
CHILD = 8
MISSING = 9
"""Ranks of discovery rules 2.1, lower first. A tool that owns the level and has no environment comes after
everything that exists, unless it is known to ignore what exists: then it claims ``TOOL`` without a prefix."""


@dataclass(frozen=True, slots=True)
class Claim:
    """One system's word about one level.

    ``prefix`` is None when the environment is missing; ``root`` is the level that owns the claim, which for a
    workspace member is the workspace's root. ``others`` are further candidates, worst last. ``owner`` is the tool
    that owns the environment by the project's files, or "" when the environment itself tells. ``linked`` is as in
    ``Resolution``: never for a prefix below the project, nor in a pool that the project's own files chose.
    """

    rule: str
    rank: int
    confidence: Confidence
    prefix: bytes | None
    root: bytes
    evidence: tuple[bytes, ...] = ()
    owner: str = ""
    linked: bool = False
    would_create: WouldCreate | None = None
    others: tuple[Claim, ...] = ()


@dataclass(frozen=True, slots=True)
class Prefix:
    """What stands at a prefix, read and not run; ``settings`` are the lower-cased keys of ``pyvenv.cfg``.

    ``interpreter`` is the path to start, whether or not it exists; ``libraries`` are the ``lib/pythonX.Y`` names;
    ``base_version`` is the base interpreter's own version where it can be read, else "".
    """

    path: bytes
    kind: Kind
    system: str
    prompt: str
    python_version: str
    base_version: str
    interpreter: bytes
    base: bytes | None
    home: bytes | None
    site_packages: tuple[bytes, ...]
    libraries: tuple[str, ...]
    settings: Mapping[str, bytes] | None


@dataclass(frozen=True, slots=True)
class Link:
    """An environment's own word that it belongs to a project; ``evidence`` is the file in it that says so."""

    prefix: bytes
    evidence: bytes
    system: str = ""


class Links(Protocol):
    """Which environments name a project: kept between questions, since every environment has to be read for it."""

    def of(self, project: bytes, facts: Facts) -> tuple[Link, ...]:
        """The environments that name this directory, which each link's file confirms on ``facts.disk``."""

    def witness(self, facts: Facts) -> None:
        """Make the answer depend on the pools: nothing stronger than a link decided."""


@dataclass(slots=True)
class Facts:
    """Everything one question may depend on: the disk, the shell's override variables, and where it starts.

    ``steps`` collects the trail when somebody wants to read it, else it is None. ``marked`` is set by the resolver
    once a level with a project marker has been passed. ``findings`` and ``undecided`` collect what systems notice on
    levels where they claim nothing: defects, and candidates among which nothing can be chosen.
    """

    disk: Disk
    overrides: Mapping[str, bytes]
    home: bytes
    directory: bytes
    documents: Documents
    steps: list[Step] | None = None
    links: Links | None = None
    platform: str = sys.platform
    marked: bool = False
    findings: list[Finding] = field(default_factory=list)
    undecided: list[Claim] = field(default_factory=list)

    def note(self, rule: str, outcome: Outcome, reason: str, *paths: bytes) -> None:
        """Add one step to the trail, if there is one."""
        if self.steps is not None:
            self.steps.append(Step(rule, outcome, paths, reason))

    def override(self, name: str) -> bytes | None:
        """A variable's value; an empty one counts as unset."""
        return self.overrides.get(name) or None

    def override_path(self, name: str) -> bytes | None:
        """A variable that holds a path, with a leading ``~`` replaced; None unless it is absolute."""
        value = self.override(name)
        if value is None:
            return None
        if value == b"~" or value.startswith(b"~/"):
            value = self.home + value[1:]
        return value.rstrip(b"/") or b"/" if value.startswith(b"/") else None

    def data_home(self) -> bytes:
        """``$XDG_DATA_HOME`` or its default."""
        return self.override_path("XDG_DATA_HOME") or join(self.home, b".local/share")

    def cache_home(self) -> bytes:
        """``$XDG_CACHE_HOME`` or its default."""
        return self.override_path("XDG_CACHE_HOME") or join(self.home, b".cache")

    def config_home(self) -> bytes:
        """``$XDG_CONFIG_HOME`` or its default."""
        return self.override_path("XDG_CONFIG_HOME") or join(self.home, b".config")


class System(Protocol):
    """A tool that makes or owns environments; one module each, registered in ``systems.SYSTEMS``."""

    @property
    def name(self) -> str:
        """The tool's name, as ``Environment.system`` gives it."""

    def claim(self, level: bytes, facts: Facts) -> Claim | None:
        """What this tool would use at this level, looking at the level only; None when it has no say."""

    def describe(self, prefix: bytes, facts: Facts) -> Prefix | None:
        """What stands at a prefix, or None when it is not of this system's kind."""

    def list(self, facts: Facts) -> Iterator[bytes]:
        """Prefixes in this tool's pools."""

    def pools(self, facts: Facts) -> tuple[bytes, ...]:
        """Directories in which this tool's environments appear and vanish; they need not exist."""


class ProjectLocal:
    """The rest of a system whose environments all lie in their projects and are venvs, which describe themselves."""

    def describe(self, prefix: bytes, facts: Facts) -> Prefix | None:  # noqa: ARG002 - the protocol's arguments
        """Never: a venv describes itself."""
        return None

    def list(self, facts: Facts) -> Iterator[bytes]:  # noqa: ARG002 - the protocol's arguments
        """Nothing lies outside projects."""
        return iter(())

    def pools(self, facts: Facts) -> tuple[bytes, ...]:  # noqa: ARG002 - the protocol's arguments
        """There is nothing to watch."""
        return ()


def level_join(level: bytes, text: bytes, home: bytes) -> bytes | None:
    """A path written in a project's file: absolute, ``~/…``, or relative to the level; None when it is no path."""
    if not text or b"\0" in text or len(text) > 4096:
        return None
    if text.startswith(b"~/"):
        return join(home, text[2:])
    joined = text if text.startswith(b"/") else join(level, text)
    return normalise(joined)


def normalise(path: bytes) -> bytes:
    """The path without empty and ``.`` parts; ``..`` is kept, since a link may stand before it."""
    parts = [part for part in path.split(b"/") if part not in {b"", b"."}]
    return b"/" + b"/".join(parts)
