"""The environment of a uv project: which prefix, and whether uv keeps, makes or replaces it (landing rules 1.6)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from packaging.specifiers import InvalidSpecifier, SpecifierSet

from alight.files.disk import join
from alight.interpreters import Request, parse
from alight.landing import python as interpreters
from alight.landing.base import Context, Python
from alight.landing.uvdiscovery import REDIRECTS, Found, base_reason, executable_of, find, may_fetch
from alight.landing.uvsettings import Surroundings, ancestors, boolean, root_above, stop, unknown
from alight.landing.uvwish import Wish, full_version, matches, wish
from alight.model import Landing, Reason
from alight.systems import pyvenv
from alight.systems import uv as projects
from alight.systems.base import level_join

_NAME = re.compile(r"\s*[A-Za-z0-9][\w.-]*")

GENERIC = frozenset({b".venv", b"venv", b"env", b".virtualenv"})


@dataclass(frozen=True, slots=True)
class Chosen:
    """The environment of a command: ``root`` is the workspace's, None without a project.

    ``python`` is what stands there now. ``library`` is that of the environment when the command is done, b"" when
    nobody knows; ``creates`` says that it is made, or made again, first.
    """

    root: bytes | None
    prefix: bytes
    because: tuple[str, ...]
    reason: Reason = "project-environment"
    python: Python | None = None
    library: bytes = b""
    creates: bool = False
    sure: bool = True
    is_project: bool = True
    wants: frozenset[str] = frozenset()
    """The names the project itself depends on."""


@dataclass(frozen=True, slots=True)
class _Project:
    level: bytes
    root: bytes
    table: Mapping[str, Any]


def chosen(around: Surroundings, *, needed: bool, run: bool = False) -> Chosen:
    """The project's environment; ``root`` is None when there is no project and ``run`` allows for that.

    With ``needed`` the environment has to stand, or to be one that uv can make. Raises ``Refusal``.
    """
    project = _project(around, lenient=run)
    if project is None:
        return Chosen(None, b"", ("there is no pyproject.toml",))
    prefix, because, reason = _prefix(project.root, around)
    if not needed:
        return Chosen(project.root, prefix, because, reason)
    return _standing(project, prefix, because, reason, around)


def creation(around: Surroundings, *, project: bool) -> Chosen:
    """What ``uv venv`` would make at the root, and with which Python."""
    found = _project(around, lenient=True) if project else None
    library, sure = _library(found, around, strict=False)
    if found is None:
        return Chosen(None, b"", ("there is no project",), "creates-environment", None, library, True, sure)
    prefix, because, _ = _prefix(found.root, around, making=True)
    return Chosen(found.root, prefix, because, "creates-environment", None, library, True, sure)


def fresh(prefix: bytes, library: bytes) -> Landing:
    """The landing in an environment that is made first."""
    purelib = join(prefix, b"lib/" + library + b"/site-packages") if library else None
    return Landing(join(prefix, b"bin/python"), prefix, "venv", purelib, "venv", name_of(prefix), exists=False)


def name_of(prefix: bytes) -> str:
    """What a person calls it: a name that says nothing gives way to that of its directory."""
    parent, _, last = prefix.rpartition(b"/")
    word = parent.rpartition(b"/")[2] if last in GENERIC else last
    return pyvenv.clean((word or last).decode("utf-8", "backslashreplace"))


def request(around: Surroundings, root: bytes | None, required: SpecifierSet | None) -> Wish:
    """What a new environment's Python must be: the option's, else the version file's, else the project's."""
    context = around.context
    said = around.value("python", "UV_PYTHON") if around.line.has("python") or context.variable("UV_PYTHON") else None
    if said is not None:
        return wish(said, context)
    levels = [root] if root is not None else list(ancestors(around.project))
    disabled = around.line.has("no-config") or bool(boolean("UV_NO_CONFIG", context))
    pinned = None if disabled else projects.selection(context.facts(), levels)
    if pinned is not None and pinned.words:
        found = parse(pinned.words[0].encode())
        fits = not pinned.fallback or required is None or _compatible(found, required)
        if fits:
            return Wish(pinned.path.decode("utf-8", "backslashreplace"), found)
    return Wish("requires-python", Request(specifiers=required)) if required is not None else Wish()


def _compatible(found: Request | None, required: SpecifierSet) -> bool:
    if found is None or found.specifiers is not None or found.version.count(".") < 1:
        return True
    version = found.version
    return any(required.contains(f"{version}.{patch}" if version.count(".") == 1 else version) for patch in range(40))


def _project(around: Surroundings, *, lenient: bool) -> _Project | None:
    context, disk = around.context, around.context.disk
    for level in ancestors(around.project):
        path = join(level, b"pyproject.toml")
        if not disk.has(level, b"pyproject.toml") or not disk.is_file(path):
            continue
        table = context.documents.table(path)
        if not table and disk.stat(path) and (disk.read(path) or b"").strip():
            raise stop("no-project", f"{_shown(path)} cannot be read")
        own = context.documents.table(path, "tool", "uv")
        if own.get("managed") is False and "project" in table:
            if lenient:
                return None
            raise stop("no-project", f"{_shown(path)} says managed = false")
        if "project" not in table and "workspace" not in own and around.line.has("package"):
            raise stop("no-project", f"{_shown(path)} has no [project] table")
        root = root_above(level, context) if "project" in table else level
        return _Project(level, root, table)
    if lenient:
        return None
    raise stop("no-project", "there is no pyproject.toml here or above")


def _prefix(root: bytes, around: Surroundings, *, making: bool = False) -> tuple[bytes, tuple[str, ...], Reason]:
    """(prefix, why, reason): ``--active``, ``UV_PROJECT_ENVIRONMENT``, else the workspace's ``.venv``."""
    context = around.context
    variable = context.variable("VIRTUAL_ENV")
    if not making and around.line.switch("active") and variable is not None:
        return context.path(variable), (f"--active takes VIRTUAL_ENV, {_shown(variable)}",), "active-environment"
    selected = context.variable("UV_PROJECT_ENVIRONMENT")
    if selected is not None:
        prefix = selected if selected.startswith(b"/") else join(root, selected)
        return prefix.rstrip(b"/"), (f"UV_PROJECT_ENVIRONMENT is {_shown(selected)}",), "explicit-environment"
    path = join(root, b".venv")
    if _is_central(around):
        raise unknown("unknown-settings", "the environment lies in uv's cache, by a preview feature")
    if context.disk.is_file(path) and not making:
        if around.version is None or (0, 12, 5) < around.version < REDIRECTS:
            raise unknown("unknown-settings", f"releases of uv differ about the file {_shown(path)}")
        if around.version <= (0, 12, 5):
            raise stop("no-environment", f"{_shown(path)} is a file")
        text = (context.disk.read(path) or b"").strip()
        target = None if b"\n" in text or text.startswith(b"~") else level_join(root, text, context.home)
        if target is None:
            raise unknown("unknown-settings", f"{_shown(path)} names no path")
        return target, (f"{_shown(path)} leads to {_shown(target)}",), "project-environment"
    return path, (f"{_shown(root)} is the root of the project",), "project-environment"


def _is_central(around: Surroundings) -> bool:
    line, context = around.line, around.context
    features = [*line.values("preview-features"), context.variable("UV_PREVIEW_FEATURES") or b""]
    if any(b"centralized-project-envs" in text for text in features) or line.switch("preview"):
        return True
    return bool(boolean("UV_PREVIEW", context)) or "preview" in around.settings


def _standing(
    project: _Project, prefix: bytes, because: tuple[str, ...], reason: Reason, around: Surroundings
) -> Chosen:
    context, disk = around.context, around.context.disk
    is_project = "project" in project.table
    config = disk.is_file(join(prefix, b"pyvenv.cfg"))
    executable = executable_of(prefix, context)
    if disk.exists(prefix) and not disk.is_directory(prefix):
        raise stop("no-environment", f"{_shown(prefix)} is a file")
    found = interpreters.inspect(executable, context) if disk.exists(executable) else None
    if found is None and not config and disk.lstat(executable) is None and disk.names(prefix):
        raise stop("no-environment", f"{_shown(prefix)} is there and no environment")
    compatible: bool | None = False
    if found is not None:
        compatible = _fits(found, prefix, project, around)
        if compatible is False and not config:
            raise stop("no-environment", f"{_shown(prefix)} does not fit and is no environment that uv may replace")
        if compatible is not False:
            why: Reason = reason if found.kind == "venv" else base_reason(found, context)
            sure = compatible is True
            return Chosen(project.root, prefix, because, why, found, found.library, False, sure, is_project,
                          _wants(project, context))  # fmt: skip
    library, sure = _library(project, around, strict=True)
    more = "it does not fit, and is made again" if found is not None else "it is made first"
    return Chosen(project.root, prefix, (*because, more), reason, found, library, True, sure, is_project)


def _fits(found: Python, prefix: bytes, project: _Project, around: Surroundings) -> bool | None:
    """Whether uv keeps the environment as it is; None when its version is not known well enough."""
    context = around.context
    version = full_version(found, context)
    settings = pyvenv.read_settings(prefix, context.disk) or {}
    recorded = (settings.get("version_info") or settings.get("version") or b"").decode("ascii", "replace")
    if recorded and recorded.count(".") == 2 and version.count(".") == 2 and not recorded.startswith(version):
        return False
    if recorded and recorded.count(".") == 1 and not (version + ".").startswith(recorded + "."):
        return False
    answers: list[bool | None] = []
    required = _required(project, context)
    wanted = request(around, project.root, required)
    if wanted.request is not None:
        answers.append(matches(wanted.request, found, context))
    elif wanted.path or wanted.directory or wanted.name:
        other = find(wanted, "any", around)
        if other is None:
            raise stop("no-environment", f"uv finds nothing for {wanted.source}")
        same = context.disk.realpath(other.python.base) == context.disk.realpath(found.base)
        answers.append(same and other.python.library == found.library)
    if required is not None:
        answers.append(matches(Request(specifiers=required), found, context))
    answers.append(_preferred(found, around))
    if False in answers:
        return False
    return None if None in answers else True


def _preferred(found: Python, around: Surroundings) -> bool:
    preference = preference_of(around)
    if preference == "only-managed":
        return found.origin == "uv" or b"/uv/python/" in found.base
    return not (preference == "only-system" and (found.origin == "uv" or b"/uv/python/" in found.base))


def preference_of(around: Surroundings) -> str:
    """Whether uv's own Pythons are taken: ``managed``, ``only-managed``, ``system`` or ``only-system``."""
    managed = around.switch("managed-python", "UV_MANAGED_PYTHON")
    if managed is not None:
        return "only-managed" if managed.value else "only-system"
    if boolean("UV_NO_MANAGED_PYTHON", around.context):
        return "only-system"
    setting = around.value("python-preference", "UV_PYTHON_PREFERENCE")
    return "managed" if setting is None else str(setting.value, "utf-8", "replace")


def _library(project: _Project | None, around: Surroundings, *, strict: bool) -> tuple[bytes, bool]:
    """(the ``pythonX.Y`` of a new environment, b"" when uv would have to fetch it, and whether that is sure)."""
    required = None if project is None else _required(project, around.context)
    wanted = request(around, None if project is None else project.root, required)
    found: Found | None = find(wanted, "system", around, preference_of(around))
    if found is None:
        if wanted.path or wanted.directory or wanted.name:
            raise stop("no-environment", f"uv finds nothing for {wanted.source}")
        if not may_fetch(around, preference_of(around)):
            raise stop("no-environment", "uv finds no Python for it and may not fetch one")
        return b"", False
    if strict and required is not None and matches(Request(specifiers=required), found.python, around.context) is False:
        raise stop("no-environment", f"{_shown(found.python.prefix)} is not what the project requires")
    return found.python.library, found.sure


def _wants(project: _Project, context: Context) -> frozenset[str]:
    path = join(project.level, b"pyproject.toml")
    texts: list[Any] = []
    for table, name in ((context.documents.table(path, "project"), "dependencies"),
                        (context.documents.table(path, "dependency-groups"), "dev"),
                        (context.documents.table(path, "tool", "uv"), "dev-dependencies")):  # fmt: skip
        found = table.get(name)
        texts += found if isinstance(found, list) else []
    names = (_NAME.match(text) for text in texts if isinstance(text, str))
    return frozenset(re.sub(r"[-_.]+", "_", match.group().lower()) for match in names if match)


def is_behind(environment: Chosen, landing: Landing, context: Context) -> bool:
    """Whether something that the project names is not installed, as far as the names of directories tell."""
    entries = context.disk.names(landing.purelib or b"") or frozenset()
    present = {entry.partition(b"-")[0].lower().replace(b".", b"_").decode("utf-8", "replace") for entry in entries}
    return not environment.wants <= present


def _required(project: _Project, context: Context) -> SpecifierSet | None:
    """``requires-python`` of the root and of the member, together."""
    found: SpecifierSet | None = None
    for level in dict.fromkeys((project.root, project.level)):
        text = context.documents.table(join(level, b"pyproject.toml"), "project").get("requires-python")
        if isinstance(text, str) and len(text) <= 256:
            try:
                found = SpecifierSet(text) if found is None else found & SpecifierSet(text)
            except InvalidSpecifier:
                return found
    return found


def _shown(path: bytes) -> str:
    return path.decode("utf-8", "backslashreplace")
