"""Where a project begins, which tools its files name, and which Python they ask for (discovery rules 1.14)."""

from __future__ import annotations

import re
from dataclasses import dataclass

from alight.files.disk import join
from alight.model import Finding
from alight.systems.base import Facts
from alight.systems.poetryconstraint import caret_specifier

LOCKS: tuple[tuple[bytes, str], ...] = (
    (b"uv.lock", "uv"),
    (b"pixi.lock", "pixi"),
    (b"poetry.lock", "poetry"),
    (b"pdm.lock", "pdm"),
    (b"Pipfile.lock", "pipenv"),
    (b"conda-lock.yml", "conda"),
)
"""Files a tool writes for itself; two tools' make the project ambiguous."""

NAMING: tuple[tuple[bytes, str], ...] = (
    *LOCKS,
    (b"Pipfile", "pipenv"),
    (b"pixi.toml", "pixi"),
    (b"poetry.toml", "poetry"),
    (b".pdm-python", "pdm"),
    (b"pdm.toml", "pdm"),
    (b"hatch.toml", "hatch"),
    (b"environment.yml", "conda"),
    (b"environment.yaml", "conda"),
)
"""Files that name the project's tool, strongest first."""

TABLES: tuple[tuple[str, str], ...] = (("uv", "uv"), ("pixi", "pixi"), ("poetry", "poetry"), ("pdm", "pdm"))
"""Tables below ``[tool]`` that name it; ``[tool.hatch]`` counts by its ``envs``, since hatchling is everybody's."""

ROOTS = frozenset({
    b"pyproject.toml", b"setup.py", b"setup.cfg", b"tox.ini", b"noxfile.py", b".git",
})  # fmt: skip
"""Entries that say "a project root is here" without naming a tool."""

PINS = frozenset({
    b".python-version", b".python-versions", b".tool-versions", b"mise.toml", b".mise.toml", b"runtime.txt",
})  # fmt: skip
"""Entries that only name a Python."""

MARKERS_LIMIT = 32

_STRONG = frozenset(name for name, _ in NAMING) | ROOTS
_PATTERN = re.compile(rb"(?:requirements[\w.-]*\.txt|pylock(?:\.[\w-]+)?\.toml)\Z")
_USUAL = (b"requirements.txt", b"requirements-dev.txt", b"pylock.toml")
_VERSION = re.compile(rb"(?:python-|cpython[-@]?)?(\d+(?:\.\d+){0,2})\Z")
_PIN_LINES = 64


@dataclass(frozen=True, slots=True)
class Markers:
    """The markers of one level; ``strong`` is False when they only name a Python."""

    names: tuple[bytes, ...]
    strong: bool


@dataclass(frozen=True, slots=True)
class Pin:
    """The first version a ``.python-version`` asks for."""

    path: bytes
    version: str


def markers(level: bytes, facts: Facts) -> Markers:
    """The markers of a level in a fixed order; none for a level without any."""
    names = facts.disk.names(level)
    if names is None:
        present = {name for name in (*_STRONG, *PINS, *_USUAL) if facts.disk.has(level, name)}
    else:
        present = {name for name in names if name in _STRONG or name in PINS or _PATTERN.match(name)}
    strong = sorted(present - PINS)
    return Markers((*strong, *sorted(present & PINS))[:MARKERS_LIMIT], bool(strong))


def system(level: bytes, facts: Facts) -> str | None:
    """The tool that the level's files name, or None."""
    for name, tool in NAMING:
        if facts.disk.has(level, name):
            return tool
    if not facts.disk.has(level, b"pyproject.toml"):
        return None
    manifest = join(level, b"pyproject.toml")
    for table, tool in TABLES:
        settings = facts.documents.table(manifest, "tool", table, mention=table.encode())
        if settings and settings.get("managed") is not False:
            return tool
    return "hatch" if facts.documents.table(manifest, "tool", "hatch", "envs", mention=b"envs") else None


def rival_locks(level: bytes, facts: Facts) -> tuple[Finding, ...]:
    """A finding when more than one tool keeps a lock file here."""
    found = [(name, tool) for name, tool in LOCKS if facts.disk.has(level, name)]
    if len({tool for _, tool in found}) < 2:
        return ()
    message = f"several tools keep a lock file here: {', '.join(tool for _, tool in found)}"
    return (Finding("two-lock-files", "warning", message, tuple(join(level, name) for name, _ in found)),)


def requires_python(root: bytes, facts: Facts) -> tuple[str, bytes]:
    """(what the project asks of its Python as a PEP 440 specifier, the file that says so); ("", b"") for nothing.

    ``[project] requires-python``, else Poetry's own constraint, else the Pipfile's exact version.
    """
    manifest = join(root, b"pyproject.toml")
    if facts.disk.has(root, b"pyproject.toml"):
        requirement = facts.documents.table(manifest, "project", mention=b"requires-python").get("requires-python")
        if isinstance(requirement, str):
            return requirement, manifest
        constraint = facts.documents.table(manifest, "tool", "poetry", "dependencies", mention=b"poetry").get("python")
        if isinstance(constraint, str) and caret_specifier(constraint):
            return caret_specifier(constraint), manifest
    pipfile = join(root, b"Pipfile")
    if facts.disk.has(root, b"Pipfile"):
        wanted = facts.documents.table(pipfile, "requires", mention=b"requires")
        version = wanted.get("python_full_version") or wanted.get("python_version")
        if isinstance(version, str) and _VERSION.match(version.encode()):
            return f"=={version}" + (".*" if version.count(".") < 2 else ""), pipfile
    return "", b""


def pin(level: bytes, facts: Facts) -> Pin | None:
    """The version in this level's ``.python-version``; names of environments and unknown words are ignored."""
    if not facts.disk.has(level, b".python-version"):
        return None
    path = join(level, b".python-version")
    for line in (facts.disk.read(path) or b"").removeprefix(b"\xef\xbb\xbf").splitlines()[:_PIN_LINES]:
        word = line.strip().split(maxsplit=1)[0] if line.strip() else b""
        if word and not word.startswith(b"#"):
            match = _VERSION.match(word)
            if match:
                return Pin(path, match.group(1).decode())
    return None
