"""A lock file against what is installed (discovery rules 3.2).

A wrong version always counts. A missing package counts when its marker holds here and it is needed without any
choice of groups or extras; an extra one only where the tool's own sync would remove it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from alight.files.disk import Disk, join
from alight.files.documents import Documents
from alight.health.lockfiles import DEVELOPMENT, LOCK_LIMIT, MAIN, Edge, Lock, Locked, read
from alight.health.markers import Markers
from alight.health.packages import Installed, Package
from alight.model import Environment, Finding, Project

FILES: tuple[tuple[bytes, str], ...] = (
    (b"uv.lock", "uv"),
    (b"poetry.lock", "poetry"),
    (b"pdm.lock", "pdm"),
    (b"Pipfile.lock", "pipenv"),
)
SYNC = {"uv": "uv sync", "poetry": "poetry install", "pdm": "pdm sync", "pipenv": "pipenv sync"}
REMOVES = {"uv": "uv sync", "pdm": "pdm sync --clean"}
"""Commands that remove what is not locked."""

SEEDS = frozenset({"pip", "setuptools", "wheel", "distribute"})
LISTED = 5
"""Packages named in one message."""

_Names = dict[str, tuple[Locked, ...]]
_Installed = dict[str, tuple[Package, ...]]


@dataclass(frozen=True, slots=True)
class Source:
    """A lock file and the tool it is for."""

    path: bytes
    tool: str


def source(project: Project, environment: Environment, disk: Disk) -> Source | None:
    """The lock file that speaks for this environment: its own tool's, else the project's, else any."""
    present = [Source(join(project.root, name), tool) for name, tool in FILES if disk.has(project.root, name)]
    for owner in (environment.system, project.system):
        for candidate in present:
            if candidate.tool == owner:
                return candidate
    if present:
        return present[0]
    # Of several named ones it is not known which was installed.
    named = [name for name in project.markers if name.startswith("pylock.") and name.endswith(".toml")]
    chosen = "pylock.toml" if "pylock.toml" in named else named[0] if len(named) == 1 else None
    return Source(join(project.root, chosen.encode()), "pylock") if chosen is not None else None


def findings(
    chosen: Source,
    directory: bytes,
    project: Project,
    environment: Environment,
    present: Installed,
    disk: Disk,
    documents: Documents,
) -> Iterator[Finding]:
    """Wrong, missing and extra packages, one finding each kind."""
    content = disk.read(chosen.path, LOCK_LIMIT)
    lock = read(chosen.tool, content.decode("utf-8", "replace")) if content is not None else None
    if lock is None or not environment.site_packages:
        return
    markers = Markers(environment)
    own = {*lock.own, *_project_names(project, documents)}
    locked: _Names = {}
    for package in lock.packages:
        locked[package.name] = (*locked.get(package.name, ()), package)
    installed = {name: found for name, found in present.by_name().items() if name not in own}
    yield from _mismatches(chosen, locked, installed, markers)
    see_through = any(finding.code == "system-site-packages" for finding in environment.health)
    if lock.selectable and present.complete and not see_through:
        below = directory[len(project.root) :].strip(b"/").decode("utf-8", "surrogateescape")
        yield from _missing(chosen, lock, locked, set(installed) | own, markers, below)
    if chosen.tool in REMOVES and present.complete and environment.kind == "venv":
        extra = sorted(set(installed) - set(locked) - SEEDS)
        if extra:
            message = f"not in the lock file: {listed(extra)}; `{REMOVES[chosen.tool]}` removes what is not locked"
            paths = tuple(installed[name][0].path for name in extra[:LISTED])
            yield Finding("lock-extra", "info", message, (chosen.path, *paths))


def listed(items: Iterable[str]) -> str:
    """The first few, and how many more."""
    known = list(items)
    more = f" and {len(known) - LISTED} more" if len(known) > LISTED else ""
    return ", ".join(known[:LISTED]) + more


def same_version(installed: str, locked: str) -> bool:
    """Whether these are one version; a local part counts only when the lock file has one."""
    try:
        one, other = Version(installed), Version(locked)
    except InvalidVersion:
        return installed == locked
    return one == other or (other.local is None and Version(one.public) == other)


def _mismatches(chosen: Source, locked: _Names, installed: _Installed, markers: Markers) -> Iterator[Finding]:
    wrong: list[str] = []
    paths: list[bytes] = []
    for name in sorted(set(locked) & set(installed)):
        candidates = [one for one in locked[name] if _counts(one, markers)]
        versions = [candidate.version for candidate in candidates]
        here = [package for package in installed[name] if package.version]
        if not versions or not here or "" in versions:
            continue
        if any(same_version(package.version, version) for package in here for version in versions):
            continue
        wrong.append(f"{name} {here[0].version} (locked {' or '.join(dict.fromkeys(versions))})")
        paths.append(here[0].path)
    if wrong:
        what = "another version is installed than locked" if len(wrong) == 1 else "other versions than locked"
        message = f"{what}: {listed(wrong)}; {_again(chosen)}"
        yield Finding("lock-mismatch", "warning", message, (chosen.path, *paths[:LISTED]))


def _missing(
    chosen: Source, lock: Lock, locked: _Names, present: set[str], markers: Markers, below: str
) -> Iterator[Finding]:
    main = _wanted(lock, locked, MAIN, markers, below)
    development = _wanted(lock, locked, DEVELOPMENT, markers, below) - main
    # Whether the development group was asked for shows only by what there is of it.
    wanted = main | development if development & present else main
    missing = sorted(wanted - present)
    if missing:
        message = f"locked but not installed: {listed(missing)}; {_again(chosen)}"
        yield Finding("lock-missing", "warning", message, (chosen.path,))


def _wanted(lock: Lock, locked: _Names, group: str, markers: Markers, below: str) -> set[str]:
    if lock.tool == "uv":
        return _reached(_roots(lock, locked, group, below), locked, markers) - set(lock.own)
    return {
        package.name
        for package in lock.packages
        if package.groups is not None and group in package.groups and markers.holds(package.marker)
    }


def _roots(lock: Lock, locked: _Names, group: str, below: str) -> list[Edge]:
    """The needs of the member around ``below``, else of the root, else of all members, as ``uv sync`` there."""
    folders = {folder.strip("/"): name for name, folder in lock.own.items()}
    around = [folder for folder in folders if folder != "." and (below + "/").startswith(folder + "/")]
    nearest = max(around, key=len, default=".")
    names = [folders[nearest]] if nearest in folders else list(lock.own)
    section = "" if group == MAIN else f"group:{group}"
    return [edge for name in names for package in locked.get(name, ()) for edge in package.edges.get(section, ())]


def _reached(edges: list[Edge], locked: _Names, markers: Markers) -> set[str]:
    pending = list(edges)
    seen: set[tuple[str, str]] = set()
    names: set[str] = set()
    while pending:
        edge = pending.pop()
        if not markers.holds(edge.marker):
            continue
        names.add(edge.name)
        for package in locked.get(edge.name, ()):
            if (edge.version and package.version not in {"", edge.version}) or not _counts(package, markers):
                continue
            for section in ("", *(f"extra:{extra}" for extra in edge.extras)):
                key = (f"{package.name} {package.version}", section)
                if key not in seen:
                    seen.add(key)
                    pending += package.edges.get(section, ())
    return names


def _counts(package: Locked, markers: Markers) -> bool:
    """Whether this one of several locked versions is meant here; unknown counts."""
    forked = any(markers.holds(fork) is not False for fork in package.forks) if package.forks else True
    return forked and markers.holds(package.marker) is not False


def _project_names(project: Project, documents: Documents) -> Iterator[str]:
    manifest = join(project.root, b"pyproject.toml")
    for keys in (("project",), ("tool", "poetry")):
        name = documents.table(manifest, *keys, mention=keys[-1].encode()).get("name")
        if isinstance(name, str) and name:
            yield canonicalize_name(name)


def _again(chosen: Source) -> str:
    return f"`{SYNC[chosen.tool]}` puts that right" if chosen.tool in SYNC else "install it again from the lock file"
