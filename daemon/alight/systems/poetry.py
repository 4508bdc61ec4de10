"""Poetry: ``.venv``, or a name with the project's hash in the user's pool (discovery rules 1.0, 1.3)."""

from __future__ import annotations

import base64
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from alight.digest import sha256
from alight.files.disk import join
from alight.files.ownership import within
from alight.interpreters import release
from alight.model import Confidence, Finding, WouldCreate
from alight.systems import pyvenv
from alight.systems.base import MISSING, TOOL, Claim, Facts, Prefix
from alight.systems.poetryconstraint import allows
from alight.systems.poetrysettings import Settings
from alight.systems.venv import SHAPE, is_environment

COMMAND = "poetry install"
RULE = "poetry-project"
PROBED = (b"2.7", *(f"3.{minor}".encode() for minor in range(6, 20)))
"""Versions asked for one by one in a pool that is too large to list."""

RIVALS = (b"uv.lock", b"pdm.lock", b"pixi.lock", b"Pipfile.lock")
"""Another tool's lock files: without one of its own, Poetry is not what keeps this level."""

_SHAPE = re.compile(rb".-[A-Za-z0-9_-]{8}-py(\d+\.\d+)\Z")


class Poetry:
    """Projects that Poetry manages."""

    name = "poetry"

    def claim(self, level: bytes, facts: Facts) -> Claim | None:
        """What ``poetry env info`` names at this level; without one, missing where Poetry keeps a file of its own."""
        signs = _signs(level, facts)
        if signs is None:
            return None
        settings = Settings(level, facts)
        in_project, file = settings.flag("in-project")
        decided = (*signs.files, *file)
        directory = join(level, b".venv")
        present = facts.disk.has(level, b".venv") and facts.disk.is_directory(directory)
        if present and in_project is not False:
            if not signs.named:
                facts.note(RULE, "skipped", "only the build backend is Poetry's", *decided)
                return None
            if _stands(directory, facts):
                facts.note(RULE, "hit", "Poetry uses a .venv directory", *decided, directory)
                evidence = (*decided, join(directory, pyvenv.CONFIG))
                return Claim(RULE, TOOL, "high", directory, level, evidence, self.name)
        elif settings.flag("create")[0] is False:
            facts.note(RULE, "skipped", "virtualenvs.create = false", *decided)
            return None
        else:
            claim = self._pooled(level, decided, settings, facts)
            if claim is not None:
                return claim
        if not signs.owned:
            facts.note(RULE, "miss", "no poetry.lock and no environment", *decided)
            return None
        facts.note(RULE, "hit", f"`{COMMAND}` would create it", *decided)
        would = WouldCreate(COMMAND, directory if in_project or (present and in_project is None) else b"")
        # With in-project = false, Poetry is known to ignore the .venv that stands here.
        rank = TOOL if present and in_project is False else MISSING
        return Claim(RULE, rank, "medium", None, level, decided, self.name, would_create=would)

    def describe(self, prefix: bytes, facts: Facts) -> Prefix | None:
        """A venv with a hash in its name, in the user's own pool; others describe themselves."""
        parent, _, name = prefix.rpartition(b"/")
        if not _SHAPE.search(name) or parent not in self.pools(facts) or not is_environment(prefix, facts):
            return None
        return replace(pyvenv.describe(prefix, facts.disk), system=self.name)

    def list(self, facts: Facts) -> Iterator[bytes]:
        """Environments with a hash in their names, in the user's own pool."""
        for pool in self.pools(facts):
            for name in facts.disk.folders(pool):
                prefix = join(pool, name)
                if _SHAPE.search(name) and is_environment(prefix, facts):
                    yield prefix

    def pools(self, facts: Facts) -> tuple[bytes, ...]:
        """``virtualenvs.path`` by the variables and the user's config.toml."""
        pool = Settings(None, facts).pool()
        return () if pool is None else (pool.directory,)

    def _pooled(self, level: bytes, decided: tuple[bytes, ...], settings: Settings, facts: Facts) -> Claim | None:
        pool, name = settings.pool(), _project_name(level, facts)
        if pool is None or name is None:
            return None
        base = base_name(name, facts.disk.realpath(level))
        found = _candidates(pool.directory, base, facts)
        if not found:
            facts.note(RULE, "miss", "nothing in the pool has this project's hash", join(pool.directory, base))
            return None
        ordered, confidence, file = _order(level, pool.directory, base, found, facts)
        own = pool.own and not within(level, pool.directory)
        prefixes = [join(pool.directory, candidate) for candidate in ordered]
        decided = (*decided, *pool.files, *file)
        claims = [
            Claim(RULE, TOOL, confidence, prefix, level, (*decided, join(prefix, pyvenv.CONFIG)), self.name, linked=own)
            for prefix in prefixes
        ]
        facts.note(RULE, "hit", "the name carries this project's hash", *prefixes, *file)
        if confidence == "guess":
            message = f"{len(found)} environments of Poetry for this project: `poetry env use` tells which one"
            facts.findings.append(Finding("ambiguous", "warning", message, tuple(prefixes)))
        return replace(claims[0], others=tuple(replace(claim, confidence="guess") for claim in claims[1:]))


def base_name(name: str, path: bytes) -> bytes:
    """The part of an environment's name that comes from the project: its name, and a hash of its physical path."""
    canonical = re.sub(r"[-_.]+", "-", name).lower()
    slug = re.sub(r'[ $`!*@"\\\r\n\t]', "_", canonical)[:42]
    digest = base64.urlsafe_b64encode(sha256(path).digest())[:8]
    return slug.encode("utf-8", "replace") + b"-" + digest


@dataclass(frozen=True, slots=True)
class _Signs:
    """What names Poetry here: ``owned`` stops the walk, ``named`` is more than a build backend."""

    files: tuple[bytes, ...]
    owned: bool
    named: bool


def _signs(level: bytes, facts: Facts) -> _Signs | None:
    manifest = join(level, b"pyproject.toml")
    present = [name for name in (b"poetry.lock", b"poetry.toml", b"pyproject.toml") if facts.disk.has(level, name)]
    files = tuple(join(level, name) for name in present)
    if b"poetry.lock" in present:
        return _Signs(files, owned=True, named=True)
    if b"pyproject.toml" not in present:
        return None
    local = b"poetry.toml" in present
    named = local or bool(facts.documents.table(manifest, "tool", "poetry", mention=b"poetry"))
    if not named:
        backend = facts.documents.table(manifest, "build-system", mention=b"poetry").get("build-backend")
        if not isinstance(backend, str) or not backend.startswith("poetry."):
            return None
    if any(facts.disk.has(level, rival) for rival in RIVALS):
        facts.note(RULE, "skipped", "another tool keeps its lock file here", *files)
        return None
    return _Signs(files, owned=local, named=named)


def _project_name(level: bytes, facts: Facts) -> str | None:
    """The name that goes into the hash, as Poetry 2 reads it; None when Poetry would refuse the manifest."""
    if not facts.disk.has(level, b"pyproject.toml"):
        return None
    manifest = join(level, b"pyproject.toml")
    name = facts.documents.table(manifest, "project").get("name")
    if not name:
        table = facts.documents.table(manifest, "tool").get("poetry")
        name = table.get("name", "non-package-mode") if isinstance(table, dict) else None
    return name if isinstance(name, str) else None


def _candidates(pool: bytes, base: bytes, facts: Facts) -> list[bytes]:
    stem = base + b"-py"
    if b"/" in stem or b"\0" in stem:
        return []
    names = facts.disk.names(pool)
    if names is None:
        possible = [stem + minor for minor in PROBED]
    else:
        possible = sorted(name for name in names if name.startswith(stem) and _SHAPE.search(name))
    return [name for name in possible if len(name) < 256 and _stands(join(pool, name), facts)]


def _order(
    level: bytes, pool: bytes, base: bytes, found: list[bytes], facts: Facts
) -> tuple[list[bytes], Confidence, tuple[bytes, ...]]:
    """(best first, how sure, the file that chose): ``envs.toml``, else what requires-python allows and is newest."""
    chosen = join(pool, b"envs.toml")
    section = {}
    if facts.disk.stat(chosen) is not None:
        section = dict(facts.documents.table(chosen, os.fsdecode(base), mention=base))
    minor = section.get("minor")
    if isinstance(minor, str):
        wanted = base + b"-py" + minor.strip().encode("utf-8", "replace")
        if wanted in found:
            return [wanted, *(name for name in found if name != wanted)], "high", (chosen,)
    constraints = _constraints(level, facts)

    def rank(name: bytes) -> tuple[bool, int, tuple[int, ...]]:
        config = facts.disk.stat(join(join(pool, name), pyvenv.CONFIG))
        version = _minor(name)
        allowed = all(allows(constraint, version) for constraint in constraints)
        return allowed, 0 if config is None else config.st_mtime_ns, release(version)

    ordered = sorted(found, key=rank, reverse=True)
    if len(found) > 1:
        return ordered, "guess", ()
    return ordered, "high" if rank(ordered[0])[0] else "medium", ()


def _constraints(level: bytes, facts: Facts) -> list[str]:
    manifest = join(level, b"pyproject.toml")
    values = (
        facts.documents.table(manifest, "project").get("requires-python"),
        facts.documents.table(manifest, "tool", "poetry", "dependencies").get("python"),
    )
    return [value for value in values if isinstance(value, str)]


def _minor(name: bytes) -> str:
    match = _SHAPE.search(name)
    return match.group(1).decode() if match else ""


def _stands(prefix: bytes, facts: Facts) -> bool:
    """True for a directory that is, or was meant as, an environment of any kind; Poetry makes an empty one anew."""
    if not facts.disk.is_directory(prefix):
        return False
    names = facts.disk.names(prefix)
    return names is None or bool(names & {*SHAPE, pyvenv.CONFIG, b"conda-meta"})
