"""Lock files, read by patterns: what their tools write is regular, and a TOML parser takes 30 ms for 300 KB.

A reader takes a file's text and gives what it locks, or nothing where it cannot be told.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from packaging.utils import canonicalize_name

LOCK_LIMIT = 4 * 1024 * 1024
"""Octets of a lock file; the largest workspaces reach 3 MiB."""

PACKAGES_LIMIT = 8192
NAME_LIMIT = 256
MAIN, DEVELOPMENT = "main", "dev"

_PAIR = re.compile(r'^(?P<key>[a-z-]+) = (?:"(?P<basic>(?:[^"\\\n]|\\.)*)"|\'(?P<literal>[^\'\n]*)\')', re.MULTILINE)
_MARKERS = re.compile(r"^markers = \{", re.MULTILINE)
_OPTIONAL = re.compile(r"^optional = true$", re.MULTILINE)
_LIST = r"^{} = \[(?P<items>[^\]\n]*|\n(?:    .*\n)*)\]"
_DEPENDENCIES = re.compile(_LIST.format("dependencies"), re.MULTILINE)
_GROUPS = re.compile(_LIST.format("groups"), re.MULTILINE)
_RESOLUTION = re.compile(_LIST.format("resolution-markers"), re.MULTILINE)
_SOURCE = re.compile(r"^source = \{ (?P<kind>[a-z]+) = \"(?P<where>[^\"]*)\"", re.MULTILINE)
_SOURCE_TYPE = re.compile(r'^\[package\.source\]\ntype = "(?P<kind>[a-z]+)"', re.MULTILINE)
_UNREGISTERED = re.compile(r"^(?:editable = true|path = |directory = \{|\[packages\.directory\])", re.MULTILINE)
_STRINGS = re.compile(r'"((?:[^"\\\n]|\\.)*)"|\'([^\'\n]*)\'')
_ITEM = re.compile(r"^    \{ (?P<item>.*) \},?$", re.MULTILINE)
_FIELD = re.compile(r'\b(?P<key>[a-z]{1,16}) = "(?P<value>(?:[^"\\]|\\.)*)"')
_EXTRAS = re.compile(r"\bextra = \[(?P<items>[^\]]{0,512})\]")
# Every pattern is anchored or bounded: a repository's lock file must not make one search quadratic.
_SECTION = re.compile(
    r"^(?:\[package\.(?P<table>[a-z-]+)\]\n|(?P<key>[A-Za-z0-9._-]+) = \[(?P<items>\n(?:    .*\n)*|[^\n]*)\])",
    re.MULTILINE,
)


@dataclass(frozen=True, slots=True)
class Edge:
    """One package's need of another, as uv writes it."""

    name: str
    version: str = ""
    marker: str = ""
    extras: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Locked:
    """One locked package.

    ``version`` is "" when the file gives none, or when it is a folder whose version is its own business. ``marker``
    holds where it is wanted, ``forks`` where this version of several counts. ``groups`` are those it is needed for;
    None when the file does not say.
    """

    name: str
    version: str
    marker: str = ""
    forks: tuple[str, ...] = ()
    groups: frozenset[str] | None = None
    edges: Mapping[str, tuple[Edge, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Lock:
    """What a lock file holds.

    ``own`` are the project and its workspace members, each with its folder relative to the file. ``selectable`` is
    False when which packages are wanted depends on choices that leave no trace in the environment.
    """

    tool: str
    packages: tuple[Locked, ...]
    own: Mapping[str, str] = field(default_factory=dict)
    selectable: bool = True


class _Block(NamedTuple):
    """One package's part of a file: its own keys up to its list of files, its tables, and its strings."""

    top: str
    tables: str
    pairs: dict[str, str]


def read(tool: str, text: str) -> Lock | None:
    """What the file of this tool locks; None when it is not understood."""
    if tool == "pipenv":
        return _pipfile(text)
    blocks = _blocks(text)
    if tool == "uv":
        return _uv(blocks, selectable="\nconflicts = [" not in text)
    if tool == "poetry":
        return Lock(tool, tuple(_poetry(block) for block in blocks))
    if tool == "pdm":
        inherited = '"inherit_metadata"' in text
        return Lock(tool, tuple(_pdm(block, inherited=inherited) for block in blocks))
    if tool == "pylock":
        return Lock(tool, tuple(_pylock(block) for block in blocks))
    return None


def _blocks(text: str) -> list[_Block]:
    # `[[package]]`, and `[[packages]]` in the standard's format.
    heading = "\n[[packages]]\n" if "\n[[packages]]\n" in text else "\n[[package]]\n"
    parts = ("\n" + text).split(heading, PACKAGES_LIMIT + 1)[1 : PACKAGES_LIMIT + 1]
    blocks = map(_block, parts)
    return [block for block in blocks if 0 < len(block.pairs.get("name", "")) <= NAME_LIMIT]


def _block(text: str) -> _Block:
    first = text.find("\n[")
    tables = text[first + 1 :] if first >= 0 else ""
    top = text[: first + 1] if first >= 0 else text
    # Nine tenths of a lock file are the files of each package, which every tool writes last.
    for files in ("\nwheels = [", "\nfiles = ["):
        top = top.partition(files)[0]
    pairs: dict[str, str] = {}
    for match in _PAIR.finditer(top):
        pairs.setdefault(match["key"], _unescaped(match["basic"], match["literal"]))
    return _Block(top, tables, pairs)


def _groups(block: _Block) -> frozenset[str] | None:
    match = _GROUPS.search(block.top)
    return frozenset(_strings(match["items"])) if match is not None else None


def _poetry(block: _Block) -> Locked:
    groups = _groups(block)
    if _MARKERS.search(block.top):
        # Markers that differ between groups are a table; which of them counts is not told apart here.
        groups = None
    elif groups is not None and _OPTIONAL.search(block.top):
        groups = frozenset()
    source = _SOURCE_TYPE.search(block.tables)
    is_folder = source is not None and source["kind"] == "directory"
    return _locked(block, is_folder, block.pairs.get("markers", ""), groups)


def _pdm(block: _Block, *, inherited: bool) -> Locked:
    groups = _groups(block) if inherited else None
    if groups is not None and "default" in groups:
        groups |= {MAIN}
    return _locked(block, _UNREGISTERED.search(block.top) is not None, block.pairs.get("marker", ""), groups)


def _pylock(block: _Block) -> Locked:
    is_folder = _UNREGISTERED.search(block.top + block.tables) is not None
    return _locked(block, is_folder, block.pairs.get("marker", ""), frozenset({MAIN}))


def _locked(block: _Block, is_folder: bool, marker: str, groups: frozenset[str] | None) -> Locked:
    version = "" if is_folder else block.pairs.get("version", "")
    return Locked(canonicalize_name(block.pairs["name"]), version, marker, groups=groups)


def _uv(blocks: list[_Block], *, selectable: bool) -> Lock:
    packages: list[Locked] = []
    own: dict[str, str] = {}
    for block in blocks:
        name = canonicalize_name(block.pairs["name"])
        source = _SOURCE.search(block.top)
        is_folder = source is not None and source["kind"] in {"editable", "virtual", "directory"}
        if source is not None and is_folder:
            own[name] = source["where"]
        forks = _RESOLUTION.search(block.top)
        packages.append(
            Locked(
                name,
                "" if is_folder else block.pairs.get("version", ""),
                forks=tuple(_strings(forks["items"])) if forks is not None else (),
                edges=_edges(block),
            )
        )
    return Lock("uv", tuple(packages), own, selectable)


def _edges(block: _Block) -> dict[str, tuple[Edge, ...]]:
    """Needs by section: "" for the package itself, ``extra:x`` and ``group:x`` for its extras and groups."""
    needs = _DEPENDENCIES.search(block.top)
    found = {"": tuple(_items(needs["items"]))} if needs is not None else {}
    section = ""
    for match in _SECTION.finditer(block.tables):
        if match["table"] is not None:
            section = {"optional-dependencies": "extra", "dev-dependencies": "group"}.get(match["table"], "")
        elif section:
            found[f"{section}:{match['key']}"] = tuple(_items(match["items"]))
    return found


def _items(text: str) -> Iterator[Edge]:
    for match in _ITEM.finditer(text):
        pairs = {pair["key"]: _unescaped(pair["value"], None) for pair in _FIELD.finditer(match["item"])}
        extras = _EXTRAS.search(match["item"])
        if pairs.get("name"):
            yield Edge(
                canonicalize_name(pairs["name"][:NAME_LIMIT]),
                pairs.get("version", ""),
                pairs.get("marker", ""),
                tuple(_strings(extras["items"])) if extras is not None else (),
            )


def _pipfile(text: str) -> Lock | None:
    try:
        document: Any = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(document, dict):
        return None
    packages: list[Locked] = []
    for section, group in (("default", MAIN), ("develop", DEVELOPMENT)):
        entries = document.get(section)
        for name, entry in list(entries.items())[:PACKAGES_LIMIT] if isinstance(entries, dict) else ():
            if not isinstance(entry, dict) or not 0 < len(name) <= NAME_LIMIT:
                continue
            version, marker = entry.get("version"), entry.get("markers")
            pinned = version.removeprefix("==") if isinstance(version, str) and version.startswith("==") else ""
            packages.append(
                Locked(
                    canonicalize_name(name),
                    pinned,
                    marker if isinstance(marker, str) else "",
                    groups=frozenset({group}),
                )
            )
    return Lock("pipenv", tuple(packages))


def _strings(text: str) -> list[str]:
    return [_unescaped(basic, literal) for basic, literal in _STRINGS.findall(text)]


def _unescaped(basic: str | None, literal: str | None) -> str:
    if literal:
        return literal
    return re.sub(r'\\(["\\])', r"\1", basic) if basic and "\\" in basic else basic or ""
