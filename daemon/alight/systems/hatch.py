"""Hatch: the default environment of a project in the user's storage, nested or flat (discovery rules 1.6)."""

from __future__ import annotations

import base64
import itertools
import os
import re
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from alight.digest import sha256
from alight.files.disk import join
from alight.files.documents import DOCUMENT_LIMIT
from alight.model import Finding, WouldCreate
from alight.systems import pyvenv
from alight.systems.base import MISSING, TOOL, Claim, Facts, Prefix, normalise
from alight.systems.hatchsettings import (
    DEFAULT,
    definitions,
    is_part,
    leaves_of,
    matrix,
    option,
    shared_storage,
    storage_of,
)
from alight.systems.venv import is_environment

PATH_VARIABLE = "HATCH_ENV_TYPE_VIRTUAL_PATH"
NAMED_LIMIT = 16
"""Further environments of a project that are shown."""

LIST_LIMIT = 16384
POOLS_LIMIT = 256
"""Environments listed, and projects whose part of the storage is watched."""

_SEPARATORS = re.compile(r"[-_.]+")
_NAME = re.compile(rb"""\bname["']?[ \t]*=[ \t]*["']([^"'\r\n]+)["']""")
_ID = re.compile(rb"[A-Za-z0-9_-]{8}\Z")


@dataclass(frozen=True, slots=True)
class _Place:
    """Where one environment of a project belongs; ``siblings`` is the directory of its others, b"" when shared."""

    prefix: bytes
    siblings: bytes
    linked: bool


class Hatch:
    """Projects that Hatch manages."""

    name = "hatch"

    def claim(self, level: bytes, facts: Facts) -> Claim | None:
        """The chosen environment when it exists; missing only where the project defines Hatch's environments."""
        rule = "hatch-project"
        files = [join(level, name) for name in (b"pyproject.toml", b"setup.py") if facts.disk.has(level, name)]
        if not files and not facts.disk.has(level, b"hatch.toml"):
            return None
        evidence, settings = definitions(level, facts)
        if not evidence and not _is_likely(level, facts):
            return None
        chosen = (facts.override("HATCH_ENV") or DEFAULT.encode()).decode("utf-8", "replace")
        leaves = leaves_of(chosen, settings)
        if leaves is None or option(chosen, "type", settings) == "system":
            reason = "names an environment the project does not define" if leaves is None else "is no environment"
            facts.note(rule, "miss", f"the chosen {shlex.quote(chosen)} {reason}", *files)
            return None
        project = _project_name(level, facts)
        places = [place for leaf in leaves for place in _places(level, project, leaf, chosen, settings, facts)]
        found = [place for place in places if is_environment(place.prefix, facts)]
        others = tuple(
            Claim(rule, MISSING, "low", prefix, level, (*evidence, join(prefix, pyvenv.CONFIG)), self.name)
            for prefix in _siblings(level, project, places, settings, facts)
            if not found or prefix != found[0].prefix
        )
        if found:
            first = found[0]
            config = join(first.prefix, pyvenv.CONFIG)
            facts.note(rule, "hit", "Hatch uses this environment", *evidence, first.prefix)
            if len(found) > 1:
                message = f"Hatch has {len(found)} environments of one matrix here and no default"
                facts.findings.append(Finding("ambiguous", "info", message, tuple(place.prefix for place in found)))
            # Beside another tool's lock file the environment's own age counts, not that of a manifest they share.
            return Claim(
                rule, TOOL, "high" if len(leaves) == 1 else "medium", first.prefix, level,
                (config, *(evidence or files)), self.name, linked=first.linked, others=others,
            )  # fmt: skip
        if not evidence:
            facts.note(rule, "miss", "no environment, and the files define none", *files)
            return None
        # A .venv that stands here is what the user works in: many projects use Hatch for single tasks only.
        command = "hatch env create" if chosen == DEFAULT else f"hatch env create {shlex.quote(chosen)}"
        facts.note(rule, "hit", f"`{command}` would create it", *evidence)
        would = WouldCreate(command, places[0].prefix if len(leaves) == 1 and places else b"")
        return Claim(rule, MISSING, "high", None, level, evidence, self.name, would_create=would, others=others)

    def describe(self, prefix: bytes, facts: Facts) -> Prefix | None:
        """A venv in the nested part of the storage; in a flat one nothing tells whose it is."""
        name, _, identity = prefix.rpartition(b"/")[0].rpartition(b"/")
        if not _ID.match(identity) or not is_environment(prefix, facts):
            return None
        storage = shared_storage(facts)
        if not storage or name.rpartition(b"/")[0] != storage:
            return None
        return replace(pyvenv.describe(prefix, facts.disk), system=self.name)

    def list(self, facts: Facts) -> Iterator[bytes]:
        """Environments three levels below the storage; those of Hatch's own scripts and tools are left out."""
        return itertools.islice(self._listed(facts), LIST_LIMIT)

    def pools(self, facts: Facts) -> tuple[bytes, ...]:
        """The storage and the projects' directories in it."""
        storage = shared_storage(facts)
        return (storage, *itertools.islice(_projects(storage, facts), POOLS_LIMIT)) if storage else ()

    @staticmethod
    def _listed(facts: Facts) -> Iterator[bytes]:
        for project in _projects(shared_storage(facts), facts):
            for leaf in facts.disk.folders(project):
                prefix = join(project, leaf)
                if is_environment(prefix, facts):
                    yield prefix


def _projects(storage: bytes, facts: Facts) -> Iterator[bytes]:
    for name in facts.disk.folders(storage):
        if not name.startswith(b"."):
            yield from (join(join(storage, name), each) for each in facts.disk.folders(join(storage, name))
                        if _ID.match(each))  # fmt: skip


def _is_likely(level: bytes, facts: Facts) -> bool:
    """True when Hatch may have made an environment though nothing asks for one: only then is the manifest parsed."""
    text = facts.disk.read(join(level, b"pyproject.toml"), DOCUMENT_LIMIT) or b""
    storage = storage_of(level, "virtual", facts)
    if facts.override(PATH_VARIABLE) or _is_flat(storage, level, facts):
        return b"hatch" in text and (bool(facts.override(PATH_VARIABLE)) or facts.disk.is_directory(storage))
    if not facts.disk.is_directory(storage):
        return False
    identity = _identity(level, facts)
    written = (_canonical(match[1].decode("utf-8", "replace")) for match in _NAME.finditer(text))
    directory = _canonical(os.fsdecode(facts.disk.realpath(level).rpartition(b"/")[2]))
    names = (directory, f"{identity.decode()}-unmanaged", *itertools.islice(written, NAMED_LIMIT))
    candidates = (os.fsencode(name) for name in dict.fromkeys(names))
    return any(facts.disk.is_directory(join(join(storage, name), identity)) for name in candidates if is_part(name))


def _places(
    level: bytes, project: str, leaf: str, chosen: str, settings: Mapping[str, Any], facts: Facts
) -> Iterator[_Place]:
    """Where Hatch puts an environment, and where older versions put one of a project without a [project] table."""
    kind = option(leaf, "type", settings) or "virtual"
    storage, private = storage_of(level, kind, facts), shared_storage(facts)
    own = facts.override(PATH_VARIABLE) if kind == "virtual" else None
    path = own or os.fsencode(option(leaf, "path", settings))
    shared = storage == join(facts.home, b".virtualenvs")
    flat = _is_flat(storage, level, facts)
    names = [project] if _is_named(level, facts) else [project, f"{_identity(level, facts).decode()}-unmanaged"]
    for name in names:
        last = os.fsencode(name if leaf == DEFAULT == chosen else leaf)
        folder = join(join(storage, os.fsencode(name)), _identity(level, facts))
        if not is_part(os.fsencode(name)) or not is_part(last):
            continue
        if path and b"\0" not in path:
            prefix = normalise(path) if path.startswith(b"/") else facts.disk.realpath(join(level, path))
            yield _Place(prefix, b"" if flat else folder, linked=False)
            return
        if flat:
            yield _Place(join(storage, last), b"" if shared else storage, linked=False)
        else:
            yield _Place(join(folder, last), folder, linked=storage == private)


def _siblings(
    level: bytes, project: str, places: list[_Place], settings: Mapping[str, Any], facts: Facts
) -> tuple[bytes, ...]:
    """The project's other environments that exist: those beside it, or where they are shared, those it names."""
    found: dict[bytes, None] = {place.prefix: None for place in places if is_environment(place.prefix, facts)}
    for folder in dict.fromkeys(place.siblings for place in places):
        names = [name for name in facts.disk.folders(folder) if not name.startswith(b"hatch-")] if folder else []
        found |= {join(folder, name): None for name in names[: NAMED_LIMIT * 2]}
    shared = any(not place.siblings for place in places)
    named = [name for name in [*settings][:NAMED_LIMIT] if shared or option(name, "path", settings)]
    leaves = [(leaf, name) for name in named for leaf in matrix(name, settings) or (name,)]
    for leaf, name in leaves[: NAMED_LIMIT * 2]:
        found |= {place.prefix: None for place in _places(level, project, leaf, name, settings, facts)}
    return tuple(prefix for prefix in found if is_environment(prefix, facts))[:NAMED_LIMIT]


def _is_named(level: bytes, facts: Facts) -> bool:
    return "project" in facts.documents.table(join(level, b"pyproject.toml"), mention=b"project")


def _project_name(level: bytes, facts: Facts) -> str:
    """``[project] name`` as package indexes write it, else the directory's."""
    name = facts.documents.table(join(level, b"pyproject.toml"), "project", mention=b"project").get("name")
    physical = facts.disk.realpath(level).rpartition(b"/")[2]
    return _canonical(name if isinstance(name, str) and name else os.fsdecode(physical))


def _identity(level: bytes, facts: Facts) -> bytes:
    """The eight characters that stand for the project's path, which Hatch takes without links."""
    path = facts.disk.realpath(level)
    if facts.platform == "darwin":
        path = os.fsencode(os.fsdecode(path).casefold())
    return base64.urlsafe_b64encode(sha256(path).digest())[:8]


def _is_flat(storage: bytes, level: bytes, facts: Facts) -> bool:
    """True for a storage that has no part of its own for each project: ``~/.virtualenvs``, or one in the project."""
    inside = facts.disk.realpath(storage).startswith(join(facts.disk.realpath(level), b""))
    return inside or storage == join(facts.home, b".virtualenvs")


def _canonical(name: str) -> str:
    return _SEPARATORS.sub("-", name).lower()
