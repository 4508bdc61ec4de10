"""Whether a lock file still belongs to its manifest, where the tool's own rule can be computed (discovery rules 3.2).

Poetry, Pipenv and PDM keep a hash of what they read of the manifest; uv keeps the requirements themselves. None is
"cannot be told": dynamic metadata, workspaces of PDM, its newer ``lock_inputs``, requirements by path or URL.
"""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from packaging.requirements import Requirement
from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.utils import canonicalize_name, canonicalize_version

from alight.digest import sha256
from alight.files.disk import Disk, join
from alight.files.documents import Documents
from alight.health.lockfiles import LOCK_LIMIT
from alight.model import Finding

RELOCK = {"uv": "uv lock", "poetry": "poetry lock", "pdm": "pdm lock", "pipenv": "pipenv lock"}
MANIFESTS = {"pipenv": b"Pipfile"}
GROUPS_DEEP = 16
TABLE_LIMIT = 4096
"""Requirements of one manifest; more are not a person's."""

_LEGACY = ("dependencies", "source", "extras", "dev-dependencies")
_GROUPED = (2, 3)
"""The Poetry that began to count dependency groups."""

_PYPI = [{"name": "pypi", "url": "https://pypi.org/simple", "verify_ssl": True}]
_SECTIONS = frozenset({"source", "packages", "dev-packages", "requires", "scripts", "pipfile", "pipenv"})
_HASH = re.compile(r'^content[-_]hash = "(?:sha256:)?([0-9a-f]{64})"', re.MULTILINE)
_POETRY = re.compile(r"\A# .{0,64}\bPoetry (\d{1,4})\.(\d{1,4})")
_REQUIRES = re.compile(r'^requires-python = "([^"\n]{1,256})"', re.MULTILINE)
_HERE = re.compile(r'^source = \{ (?:virtual|editable) = "\." \}', re.MULTILINE)
_ENTRY = re.compile(r"\{ (?P<item>name = [^\n]{0,2048}?) \}(?:,|\]|$)", re.MULTILINE)
_TEXT = re.compile(r'\b(?P<key>name|specifier|marker) = "(?P<value>(?:[^"\\\n]|\\.)*)"')
_GROUP = re.compile(r"^(?P<key>[A-Za-z0-9._-]+) = \[(?P<items>\n(?:    .*\n)*|[^\n]*)\]", re.MULTILINE)
_EXTRA = re.compile(r"extra == ['\"]([A-Za-z0-9._-]{1,64})['\"]")
_PLACED = re.compile(r"\b(?:path|directory|editable|virtual|url|git|workspace) = ")


class _Need(NamedTuple):
    """One requirement without its marker; ``versions`` is None when it comes from a place, not an index."""

    section: str
    name: str
    versions: frozenset[tuple[str, str]] | None


def stale(tool: str, lock: bytes, root: bytes, disk: Disk, documents: Documents) -> Iterator[Finding]:
    """A finding when the manifest has changed since the lock file was made."""
    manifest = join(root, MANIFESTS.get(tool, b"pyproject.toml"))
    content = disk.read(lock, LOCK_LIMIT)
    table = documents.table(manifest)
    if content is None or not table or tool not in RELOCK:
        return
    text = content.decode("utf-8", "replace")
    checks = {"poetry": _poetry, "pdm": _pdm, "pipenv": _pipenv, "uv": _uv}
    try:
        fresh = checks[tool](text, table)
    except (TypeError, ValueError, RecursionError):
        # A date in a table has no JSON; what is no requirement has no text.
        return
    if fresh is False:
        shown = lock.rpartition(b"/")[2].decode()
        what = manifest.rpartition(b"/")[2].decode()
        message = f"{what} has changed since {shown} was made; `{RELOCK[tool]}` makes it anew"
        yield Finding("lock-stale", "warning", message, (lock, manifest))


def _poetry(text: str, manifest: Mapping[str, Any]) -> bool | None:
    recorded = _recorded(text)
    if not recorded:
        return None
    made_by = _POETRY.match(text)
    grouped = made_by is None or (int(made_by[1]), int(made_by[2])) >= _GROUPED
    hashes = {_poetry_hash(manifest, with_groups=True)}
    if not grouped:
        hashes.add(_poetry_hash(manifest, with_groups=False))
    return recorded in hashes


def _poetry_hash(manifest: Mapping[str, Any], *, with_groups: bool) -> str:
    project, tool = _table(manifest, "project"), _table(manifest, "tool", "poetry")
    groups = _table(manifest, "dependency-groups") if with_groups else {}
    standard = {
        key: project[key] for key in ("requires-python", "dependencies", "optional-dependencies") if key in project
    }
    own = {
        key: tool.get(key)
        for key in (*_LEGACY, "group")
        if tool.get(key) is not None or (key in _LEGACY and not standard and not groups)
    }
    relevant: dict[str, Any] = {}
    if standard:
        relevant["project"] = standard
    if groups:
        relevant["dependency-groups"] = groups
    relevant = {**relevant, "tool": {"poetry": own}} if relevant else own
    return _sha256(json.dumps(relevant, sort_keys=True))


def _pdm(text: str, manifest: Mapping[str, Any]) -> bool | None:
    recorded = _recorded(text)
    settings, project = _table(manifest, "tool", "pdm"), _table(manifest, "project")
    resolution = _table(settings, "resolution")
    if not recorded or "lock_inputs" in text or resolution.get("lock_inputs") is True or "workspace" in settings:
        return None
    groups: dict[str, list[Any]] = {}
    for table in (_table(manifest, "dependency-groups"), _table(settings, "dev-dependencies")):
        for name, needs in table.items():
            groups.setdefault(canonicalize_name(name), []).extend(needs)
    relevant = {
        "sources": settings.get("source", []),
        "dependencies": project.get("dependencies", []),
        "dev-dependencies": groups,
        "optional-dependencies": project.get("optional-dependencies", {}),
        "requires-python": project.get("requires-python", ""),
        "resolution": resolution,
    }
    return _sha256(json.dumps(relevant, sort_keys=True)) == recorded


def _pipenv(text: str, manifest: Mapping[str, Any]) -> bool | None:
    document: Any = json.loads(text)
    recorded = _table(document, "_meta", "hash").get("sha256") if isinstance(document, dict) else None
    if not isinstance(recorded, str) or not recorded:
        return None
    # Until 2024 names were hashed as they were written.
    return recorded in {_pipenv_hash(manifest, normalised=True), _pipenv_hash(manifest, normalised=False)}


def _pipenv_hash(manifest: Mapping[str, Any], *, normalised: bool) -> str:
    def section(name: str) -> dict[str, Any]:
        table = _table(manifest, name)
        return {canonicalize_name(key): value for key, value in table.items()} if normalised else dict(table)

    relevant: dict[str, Any] = {
        "_meta": {"sources": manifest.get("source", _PYPI), "requires": _table(manifest, "requires")},
        "default": section("packages"),
        "develop": section("dev-packages"),
    }
    for name, value in manifest.items():
        if name not in _SECTIONS and name not in {"default", "develop"}:
            relevant[name] = section(name) if isinstance(value, dict) else value
    return _sha256(json.dumps(relevant, sort_keys=True, separators=(",", ":")))


def _uv(text: str, manifest: Mapping[str, Any]) -> bool | None:
    project = _table(manifest, "project")
    block = _root_block(text, project.get("name"))
    dynamic = project.get("dynamic")
    if block is None or (isinstance(dynamic, list) and {"dependencies", "optional-dependencies"} & set(dynamic)):
        return None
    requires = project.get("requires-python")
    if isinstance(requires, str) and "[manifest]" not in text and _same_python(text, requires) is False:
        return False
    metadata = block.partition("[package.metadata]\n")[2]
    distribution, _, groups = metadata.partition("[package.metadata.requires-dev]\n")
    locked = [_locked(entry["item"], "") for entry in _ENTRY.finditer(distribution)]
    for group in _GROUP.finditer(groups):
        section = f"group {canonicalize_name(group['key'])}"
        locked += [_locked(entry["item"], section) for entry in _ENTRY.finditer(group["items"])]
    declared = [_declared(text, section) for section, text in _requirements(manifest, project)]
    placed = {need.name for need in (*locked, *declared) if need.versions is None}
    placed |= {canonicalize_name(name) for name in _table(manifest, "tool", "uv", "sources")}
    return _compared(locked, placed) == _compared(declared, placed)


def _compared(needs: list[_Need], placed: set[str]) -> set[_Need]:
    """The needs without the versions of what comes from a place: uv keeps none of those."""
    return {need._replace(versions=None) if need.name in placed else need for need in needs}


def _root_block(text: str, name: Any) -> str | None:
    """The part of a uv.lock about the project itself."""
    if not isinstance(name, str):
        return None
    start = text.find(f'\n[[package]]\nname = "{canonicalize_name(name)}"\n')
    if start < 0:
        return None
    end = text.find("\n[[", start + 1)
    block = text[start + 1 : end if end >= 0 else len(text)]
    return block if _HERE.search(block) else None


def _same_python(text: str, requires: str) -> bool | None:
    match = _REQUIRES.search(text, 0, 1024)
    # uv writes compatible releases as a range.
    if match is None or len(requires) > 256 or "~=" in requires or "===" in requires:
        return None
    try:
        return _versions(SpecifierSet(match[1])) == _versions(SpecifierSet(requires))
    except InvalidSpecifier:
        return None


def _requirements(manifest: Mapping[str, Any], project: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """(section, requirement) of everything that uv locks for the project."""
    yield from (("", text) for text in _texts(project.get("dependencies")))
    for extra, needs in _table(project, "optional-dependencies").items():
        yield from ((f"extra {canonicalize_name(extra)}", text) for text in _texts(needs))
    groups: dict[str, Any] = {
        canonicalize_name(name): needs for name, needs in _table(manifest, "dependency-groups").items()
    }
    for name in groups:
        yield from ((f"group {name}", text) for text in _texts(_expanded(name, groups, frozenset())))
    yield from (("group dev", text) for text in _texts(_table(manifest, "tool", "uv").get("dev-dependencies")))


def _expanded(name: str, groups: Mapping[str, Any], within: frozenset[str]) -> Iterator[Any]:
    """A group's requirements with those of the groups it includes (PEP 735)."""
    needs = groups.get(name)
    if not isinstance(needs, list) or name in within or len(within) > GROUPS_DEEP:
        raise ValueError(name)
    for need in needs[:TABLE_LIMIT]:
        included = need.get("include-group") if isinstance(need, dict) else None
        if isinstance(included, str):
            yield from _expanded(canonicalize_name(included), groups, within | {name})
        else:
            yield need


def _texts(needs: Any) -> Iterator[str]:
    for need in itertools.islice(needs or (), TABLE_LIMIT):
        if not isinstance(need, str) or len(need) > 4096:
            raise ValueError("no requirement")
        yield need


def _declared(text: str, section: str) -> _Need:
    requirement = Requirement(text)
    name = canonicalize_name(requirement.name)
    return _Need(section, name, _versions(requirement.specifier) if requirement.url is None else None)


def _locked(item: str, section: str) -> _Need:
    pairs = {match["key"]: match["value"] for match in _TEXT.finditer(item)}
    extra = _EXTRA.search(pairs.get("marker", ""))
    name = canonicalize_name(pairs.get("name", ""))
    where = f"extra {canonicalize_name(extra[1])}" if extra is not None and not section else section
    versions = None if _PLACED.search(item) else _versions(SpecifierSet(pairs.get("specifier", "")))
    return _Need(where, name, versions)


def _versions(specifiers: SpecifierSet) -> frozenset[tuple[str, str]]:
    return frozenset((one.operator, _plain(one.operator, one.version)) for one in specifiers)


def _plain(operator: str, version: str) -> str:
    """One spelling of equal versions; in ``~=1.0`` and ``==1.0.*`` the zero means something."""
    if operator in {"~=", "==="} or version.endswith(".*"):
        return version
    return canonicalize_version(version)


def _recorded(text: str) -> str:
    match = _HASH.search(text)
    return match[1] if match else ""


def _sha256(text: str) -> str:
    return sha256(text.encode()).hexdigest()


def _table(document: Any, *keys: str) -> dict[str, Any]:
    for key in keys:
        document = document.get(key) if isinstance(document, dict) else None
    return document if isinstance(document, dict) else {}
