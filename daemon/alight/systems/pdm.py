"""PDM: a saved interpreter, an environment in the project or in its pool, or PEP 582 (discovery rules 1.5)."""

from __future__ import annotations

import base64
import os
import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass, replace

from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.version import InvalidVersion

from alight.digest import md5
from alight.files.disk import join
from alight.interpreters import libraries, minor_of, release
from alight.model import Finding, WouldCreate
from alight.systems import pyvenv
from alight.systems.base import MISSING, POINTER, TOOL, Claim, Facts, Prefix
from alight.systems.pdmsettings import (
    Settings,
    absolute,
    location,
    read_settings,
    requirement_of,
    signs,
    truth,
    workspace_root,
)
from alight.systems.venv import is_environment

CANDIDATES_LIMIT = 16
"""Environments of one project in the pool that are looked at."""

PROBED = tuple(f"3.{minor}{suffix}".encode() for minor in range(6, 20) for suffix in ("", "t"))
"""Names asked for one by one in a pool that is too large to list."""

_LOCAL = re.compile(rb"(/.*)/__pypackages__/(\d+\.\d+t?)\Z", re.DOTALL)
_MINOR = re.compile(rb"(?:(?:python|pypy))?(\d+\.\d+t?)\Z")
_POOLED = re.compile(rb"[A-Za-z0-9_-]{8}-[^/]+\Z")


@dataclass(frozen=True, slots=True)
class _Saved:
    """The interpreter PDM was told to use, the environment it lies in, and the file that says so."""

    interpreter: bytes
    prefix: bytes | None
    evidence: tuple[bytes, ...]


class Pdm:
    """Projects that PDM manages."""

    name = "pdm"

    def claim(self, level: bytes, facts: Facts) -> Claim | None:
        """The saved interpreter's environment, else the project's own, else PEP 582, else missing."""
        root = workspace_root(level, facts)
        evidence = signs(root, facts)
        if not evidence:
            return None
        settings = read_settings(root, facts)
        requirement = requirement_of(root, facts)
        saved = _saved(root, requirement, facts)
        if saved is not None and (saved.prefix is None or not settings.use_venv):
            return self._local(root, level, saved.interpreter, (*saved.evidence, *evidence), facts)
        known = None if saved is None else saved.prefix
        candidates = _candidates(root, settings, facts)
        found = [prefix for prefix in candidates if prefix == known or _fits(prefix, requirement, facts)]
        if saved is not None and saved.prefix is not None:
            rule, rank, chosen, reasons = "pdm-python", POINTER, saved.prefix, (*saved.evidence, *evidence)
            facts.note(rule, "hit", "PDM was told to use this Python", *saved.evidence, saved.interpreter)
        elif found and settings.use_venv:
            rule, rank, chosen, reasons = "pdm-project", TOOL, found[0], evidence
            facts.note(rule, "hit", "PDM uses this environment", *evidence, chosen)
        elif not settings.use_venv or facts.disk.has(root, b"__pypackages__"):
            return self._local(root, level, None, evidence, facts)
        else:
            command = _command(root, level)
            facts.note("pdm-project", "hit", f"`{command}` would create it", *evidence)
            would = WouldCreate(command, join(root, b".venv") if settings.in_project else b"")
            # A member's own environment is ignored in favour of its workspace's.
            rank = MISSING if root == level else TOOL
            return Claim("pdm-project", rank, "high", None, root, evidence, self.name, would_create=would)
        marker = pyvenv.CONFIG if is_environment(chosen, facts) else b"conda-meta"
        return Claim(
            rule, rank, "certain" if rank == POINTER else "high", chosen, root,
            tuple(dict.fromkeys((*reasons, join(chosen, marker)))), self.name,
            linked=_linked(chosen, root, settings, facts),
            others=tuple(Claim("pdm-project", MISSING, "medium", other, root, evidence, self.name)
                         for other in found if other != chosen),
        )  # fmt: skip

    def describe(self, prefix: bytes, facts: Facts) -> Prefix | None:
        """A PEP 582 directory, or a venv in PDM's pool; conda environments there describe themselves."""
        local = _LOCAL.match(prefix)
        if local is not None and facts.disk.is_directory(prefix):
            return _packages(prefix, local.group(1), local.group(2).decode(), facts)
        parent, _, name = prefix.rpartition(b"/")
        if not _POOLED.search(name) or parent not in self.pools(facts) or not is_environment(prefix, facts):
            return None
        return replace(pyvenv.describe(prefix, facts.disk), system=self.name)

    def list(self, facts: Facts) -> Iterator[bytes]:
        """Environments directly below the pool."""
        for pool in self.pools(facts):
            for name in facts.disk.folders(pool):
                prefix = join(pool, name)
                if is_environment(prefix, facts) or facts.disk.lstat(join(prefix, b"conda-meta")) is not None:
                    yield prefix

    def pools(self, facts: Facts) -> tuple[bytes, ...]:
        """The user's ``venv.location`` or its default."""
        return (location(facts),)

    def _local(
        self, root: bytes, level: bytes, interpreter: bytes | None, evidence: tuple[bytes, ...], facts: Facts
    ) -> Claim:
        """PEP 582: packages below the project, for the X.Y of the interpreter, or the newest that is there."""
        rule, packages = "pdm-pep582", join(root, b"__pypackages__")
        minor = None if interpreter is None else _minor(interpreter, facts)
        if minor is None:
            present = (name for name in facts.disk.folders(packages) if _MINOR.match(name))
            minor = max(present, key=lambda name: release(name.decode()), default=None)
        prefix = None if minor is None else join(packages, minor)
        if prefix is not None and facts.disk.is_directory(prefix):
            facts.note(rule, "hit", "PDM uses __pypackages__ and no environment", *evidence, prefix)
            rank = TOOL if interpreter is None else POINTER
            return Claim(rule, rank, "high", prefix, root, tuple(dict.fromkeys((*evidence, prefix))), self.name)
        facts.note(rule, "hit", "PDM would make __pypackages__, whatever else is here", *evidence)
        # Told to use no environment, PDM is known to ignore whatever else stands at this level.
        return Claim(rule, TOOL, "high", None, root, tuple(dict.fromkeys(evidence)), self.name,
                     would_create=WouldCreate(_command(root, level), prefix or b""))  # fmt: skip


def _command(root: bytes, level: bytes) -> str:
    """What makes the environment; in a workspace PDM installs only from its root."""
    shown = root.decode("utf-8", "replace")
    return f"pdm install -p {shlex.quote(shown)}" if root != level and shown.isprintable() else "pdm install"


def _saved(root: bytes, requirement: str, facts: Facts) -> _Saved | None:
    """The interpreter of ``$PDM_PYTHON``, ``.pdm-python`` or the older ``.pdm.toml``, unless PDM would drop it."""
    rule = "pdm-python"
    if truth(facts.overrides.get("PDM_IGNORE_SAVED_PYTHON", b"").decode("utf-8", "replace")):
        facts.note(rule, "skipped", "PDM_IGNORE_SAVED_PYTHON is set")
        return None
    path, text = join(root, b".pdm-python"), facts.override("PDM_PYTHON")
    evidence: tuple[bytes, ...] = ()
    if text is None:
        evidence = (path,)
        if facts.disk.has(root, b".pdm-python"):
            text = (facts.disk.read(path) or b"").strip()
        elif facts.disk.has(root, b".pdm.toml"):
            evidence = (join(root, b".pdm.toml"),)
            known = facts.documents.table(evidence[0], "python").get("path")
            text = os.fsencode(known) if isinstance(known, str) else None
    if not text:
        facts.note(rule, "miss", "no interpreter was saved", path)
        return None
    interpreter = absolute(facts.directory, text) if b"\0" not in text and len(text) <= 4096 else b""
    prefix = _environment_of(interpreter, facts) if interpreter else None
    if not interpreter or not facts.disk.is_file(interpreter):
        reason = "the saved Python is gone"
    elif not _satisfies(_version(prefix, interpreter, facts) if requirement else "", requirement):
        reason = f"the saved Python is outside requires-python {requirement}"
    else:
        return _Saved(interpreter, prefix, evidence)
    facts.note(rule, "miss", reason, *evidence, interpreter)
    shown = text[:256].decode("utf-8", "backslashreplace")
    if evidence:
        facts.findings.append(Finding("pointer-invalid", "warning", f"{reason}: {shown}", evidence))
    return None


def _environment_of(interpreter: bytes, facts: Facts) -> bytes | None:
    directory = interpreter.rpartition(b"/")[0]
    prefix = directory.rpartition(b"/")[0]
    if directory and facts.disk.exists(join(directory, b"conda-meta")):
        return directory
    if prefix and any(facts.disk.exists(join(prefix, marker)) for marker in (pyvenv.CONFIG, b"conda-meta")):
        return prefix
    return None


def _candidates(root: bytes, settings: Settings, facts: Facts) -> Iterator[bytes]:
    """The first environment of the project's three names, then those of the pool that carry the path's hash."""
    for name in (b".venv", b"venv", b"env"):
        if facts.disk.has(root, name) and facts.disk.exists(join(root, name + b"/bin/python")):
            yield join(root, name)
            break
    beginnings = _names(root, facts)
    if facts.disk.names(settings.location) is None:
        # Too many to list: those without a name of their own are called after a Python.
        pooled = [beginning + minor for beginning in beginnings for minor in PROBED]
    else:
        pooled = [name for name in facts.disk.folders(settings.location) if name.startswith(beginnings)]
        del pooled[CANDIDATES_LIMIT:]
    for name in pooled:
        if facts.disk.exists(join(settings.location, name + b"/bin/python")):
            yield join(settings.location, name)


def _names(root: bytes, facts: Facts) -> tuple[bytes, ...]:
    """How this project's environments begin: from the path as PDM finds it, and as ``pdm -p`` is given it."""
    return tuple(
        path.rpartition(b"/")[2] + b"-" + base64.urlsafe_b64encode(md5(path).digest())[:8] + b"-"
        for path in dict.fromkeys((facts.disk.realpath(root), root))
    )


def _linked(prefix: bytes, root: bytes, settings: Settings, facts: Facts) -> bool:
    pool, _, name = prefix.rpartition(b"/")
    roots = (root, facts.disk.realpath(root))
    inside = any(prefix.startswith(join(known, b"")) for known in roots)
    return settings.private and not inside and pool == settings.location and name.startswith(_names(root, facts))


def _fits(prefix: bytes, requirement: str, facts: Facts) -> bool:
    version = _version(prefix, join(prefix, b"bin/python"), facts) if requirement else ""
    fits = _satisfies(version, requirement)
    if not fits:
        facts.note("pdm-project", "skipped", f"Python {version} is outside requires-python {requirement}", prefix)
    return fits


def _version(prefix: bytes | None, interpreter: bytes, facts: Facts) -> str:
    if prefix is not None and is_environment(prefix, facts):
        return pyvenv.describe(prefix, facts.disk).python_version
    return (_minor(interpreter, facts) or b"").rstrip(b"t").decode()


def _minor(interpreter: bytes, facts: Facts) -> bytes | None:
    """The X.Y (with ``t`` when free-threaded) of an interpreter by its real name, else by its library's."""
    real = facts.disk.realpath(interpreter)
    match = _MINOR.match(real.rpartition(b"/")[2])
    if match is not None:
        return match.group(1)
    present = libraries(real.rpartition(b"/")[0].rpartition(b"/")[0] or b"/", facts.disk)
    return minor_of(present[0]).encode() if len(present) == 1 else None


def _satisfies(version: str, requirement: str) -> bool:
    """True unless it is certain that it does not: of 3.12 alone it is not known which 3.12 it is."""
    if not version or not requirement:
        return True
    try:
        allowed = SpecifierSet(requirement)
        ends = (version,) if version.count(".") > 1 else (version + ".0", version + ".999")
        return any(allowed.contains(end, prereleases=True) for end in ends)
    except (InvalidSpecifier, InvalidVersion):
        return True


def _packages(prefix: bytes, root: bytes, minor: str, facts: Facts) -> Prefix:
    saved = _saved(root, "", replace(facts, findings=[], steps=None))
    known = saved is not None and (_minor(saved.interpreter, facts) or b"").decode() == minor
    interpreter = saved.interpreter if saved is not None and known else join(prefix, b"bin/python")
    base = facts.disk.realpath(interpreter).rpartition(b"/")[0].rpartition(b"/")[0] if known else None
    return Prefix(
        path=prefix, kind="pep582", system="pdm",
        prompt=pyvenv.clean(root.rpartition(b"/")[2].decode("utf-8", "replace")),
        python_version=minor.rstrip("t"), base_version="", interpreter=interpreter, base=base or None, home=None,
        site_packages=(join(prefix, b"lib"),), libraries=(), settings=None,
    )  # fmt: skip
