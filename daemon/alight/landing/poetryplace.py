"""Which environment Poetry takes for a project: the active one, ``.venv``, one of its pool (landing rules 1.8)."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, replace

from packaging.specifiers import SpecifierSet
from packaging.version import InvalidVersion

from alight.files.disk import join
from alight.landing import program
from alight.landing.base import Context, Program, Python
from alight.landing.python import inspect
from alight.landing.standing import Standing, own_python, python_of, stop, unknown, version_of
from alight.systems.base import Facts
from alight.systems.poetry import base_name
from alight.systems.poetryconstraint import caret_specifier
from alight.systems.poetrysettings import Settings
from alight.text import display_path

LEVELS_LIMIT = 256
MINORS = range(6, 20)


@dataclass(frozen=True, slots=True)
class Project:
    """A directory with a manifest that Poetry accepts; ``constraints`` are what it says of Python, and all hold."""

    root: bytes
    name: str
    constraints: tuple[str, ...]


def project_of(directory: bytes, context: Context) -> Project:
    """The nearest manifest upward; raises ``Ending`` where Poetry finds none or refuses it."""
    level = directory
    for _ in range(LEVELS_LIMIT):
        if context.disk.exists(join(level, b"pyproject.toml")):
            return _read(level, context)
        if level == b"/":
            break
        level = level.rpartition(b"/")[0] or b"/"
    raise stop("no-project", "there is no pyproject.toml here or above")


def chosen(project: Project, own: Program, context: Context) -> Standing:
    """The environment a command of Poetry works in, which it makes where there is none; raises ``Ending``."""
    disk, facts = context.disk, context.facts(project.root)
    settings = Settings(project.root, facts)
    in_project, create = settings.flag("in-project")[0], settings.flag("create")[0]
    minor = _saved(project, settings, facts)
    active = context.variables.get("VIRTUAL_ENV", context.variables.get("CONDA_PREFIX", b""))
    is_active = bool(active) and context.variables.get("CONDA_DEFAULT_ENV") != b"base"
    if is_active and minor is None:
        return _active(context.path(active), project, own, settings, context)
    directory = join(project.root, b".venv")
    present = disk.is_directory(directory)
    passed = ("CONDA_DEFAULT_ENV is base, so nothing counts as active",) if active and not is_active else ()
    if minor is not None and is_active:
        passed = ("an entry of envs.toml comes before the active environment",)
    if present and in_project is not False:
        because = (*passed, f"{display_path(directory)} is there")
        return _standing(directory, because, project, own, settings, context)
    if create is False:
        return _system(project, own, passed, context)
    if in_project:
        return _made(directory, (*passed, "virtualenvs.in-project is true"), project, own, settings, context)
    pool = settings.pool()
    if pool is None:
        raise unknown("unknown-settings", "virtualenvs.path is no path that can be known")
    base = join(pool.directory, base_name(project.name, disk.realpath(project.root)))
    if minor is None:
        minor = _preferred(own, settings, context)[1]
    prefix = base + b"-py" + minor.encode()
    because = (*passed, f"{display_path(pool.directory)} is Poetry's pool")
    if disk.exists(prefix):
        return _standing(prefix, because, project, own, settings, context)
    return _made(b"", because, project, own, settings, context)


def allows(constraints: tuple[str, ...], version: str) -> bool | None:
    """Whether a Python of this version will do; None when of its version not enough is known."""
    if version.count(".") < 2:
        return None if any(text.strip() not in {"", "*"} for text in constraints) else True
    try:
        return all(
            any(SpecifierSet(caret_specifier(part)).contains(version, prereleases=True) for part in _parts(text))
            for text in constraints
        )
    except InvalidVersion:
        return None


def _parts(text: str) -> list[str]:
    return re.split(r"\|\|?", text[:256])


def _read(root: bytes, context: Context) -> Project:
    path = join(root, b"pyproject.toml")
    documents, shown = context.documents, display_path(path)
    document = documents.table(path)
    if not document and (context.disk.read(path) or b"").strip():
        raise stop("no-project", f"{shown} is no TOML")
    project, own = document.get("project"), documents.table(path, "tool", "poetry")
    if not isinstance(project, dict) and "poetry" not in documents.table(path, "tool"):
        raise stop("no-project", f"{shown} has neither a [project] nor a [tool.poetry] table")
    table = project if isinstance(project, dict) else {}
    if "requires-poetry" in own:
        raise unknown("unknown-settings", f"{shown} asks for some versions of Poetry")
    packaged = own.get("package-mode", True) is not False
    dynamic = table.get("dynamic")
    for key in ("name", "version"):
        missing = not table.get(key) and not own.get(key)
        if key == "version" and missing and isinstance(dynamic, list) and "version" in dynamic:
            raise unknown("unknown-settings", f"{shown} leaves the version to a plugin")
        if missing and (packaged or (key == "name" and table)):
            raise stop("no-project", f"{shown} has no {key}")
    name = table.get("name") or own.get("name", "non-package-mode")
    dependencies = documents.table(path, "tool", "poetry", "dependencies")
    written = (table.get("requires-python"), dependencies.get("python"))
    if not isinstance(name, str):
        raise stop("no-project", f"{shown} has no name")
    return Project(root, name, tuple(text for text in written if isinstance(text, str)))


def _saved(project: Project, settings: Settings, facts: Facts) -> str | None:
    """The X.Y that ``poetry env use`` wrote down for this project."""
    pool = settings.pool()
    if pool is None:
        return None
    name = base_name(project.name, facts.disk.realpath(project.root))
    entry = facts.documents.table(join(pool.directory, b"envs.toml"), os.fsdecode(name), mention=name)
    minor = entry.get("minor")
    return minor.strip() if isinstance(minor, str) and minor.strip() else None


def _active(prefix: bytes, project: Project, own: Program, settings: Settings, context: Context) -> Standing:
    name = "VIRTUAL_ENV" if "VIRTUAL_ENV" in context.variables else "CONDA_PREFIX"
    because = (f"{name} is {display_path(prefix)}, which Poetry takes before the project's own",)
    found = _standing(prefix, because, project, own, settings, context)
    return found if found.creates else replace(found, reason="active-over-project")


def _standing(
    prefix: bytes, because: tuple[str, ...], project: Project, own: Program, settings: Settings, context: Context
) -> Standing:
    """What stands at ``prefix``; one without a Python is made anew, wherever the project's own belongs."""
    python = python_of(prefix, context)
    if python is None:
        if settings.flag("create")[0] is False:
            raise stop("no-environment", f"{display_path(prefix)} has no Python, and virtualenvs.create is false")
        return _made(b"", (*because, f"{display_path(prefix)} has no Python"), project, own, settings, context)
    version = version_of(python, context)
    fits = allows(project.constraints, version)
    if fits is False:
        raise stop("no-environment", f"Python {version} of {display_path(prefix)} is not what the project allows")
    return Standing(prefix, because, python=python, sure=fits is True)


def _system(project: Project, own: Program, because: tuple[str, ...], context: Context) -> Standing:
    """``virtualenvs.create = false``: the base of the Python that runs Poetry, marked or not."""
    runs = own_python(own, context)
    base = _base_of(runs, context)
    if base is None:
        raise unknown("unknown-program", "the base of Poetry's own Python is not known")
    fits = allows(project.constraints, version_of(base, context))
    if fits is False:
        raise stop("no-environment", "Poetry's own Python is not what the project allows")
    because = (*because, "virtualenvs.create is false: the base of the Python that runs Poetry")
    return Standing(base.prefix, because, "system-python", base, sure=fits is True)


def _base_of(python: Python, context: Context) -> Python | None:
    if python.kind != "venv":
        return python
    for name in (python.library, b"python3"):
        executable = join(python.base, b"bin/" + name)
        if python.base and context.disk.exists(executable):
            return inspect(executable, context)
    return None


def _made(
    prefix: bytes, because: tuple[str, ...], project: Project, own: Program, settings: Settings, context: Context
) -> Standing:
    """The environment that is made: in the project, also where ``prefix`` is b"" and one is there, else in the pool."""
    in_project = settings.flag("in-project")[0]
    directory = join(project.root, b".venv")
    if in_project or (in_project is None and context.disk.is_directory(directory)):
        prefix = directory
    python, minor = _preferred(own, settings, context, needed=not prefix)
    fits = None if python is None else allows(project.constraints, version_of(python, context))
    if prefix:
        library = python.library if python is not None and fits else b""
        return Standing(prefix, (*because, "it is made first"), creates=True, library=library, sure=fits is True)
    pool = settings.pool()
    if pool is None:
        raise unknown("unknown-settings", "virtualenvs.path is no path that can be known")
    if fits is False or python is None:
        raise unknown("unknown-settings", "it is not known which Python Poetry takes instead of the first on PATH")
    prefix = join(pool.directory, base_name(project.name, context.disk.realpath(project.root)))
    prefix += b"-py" + minor.encode()
    if context.disk.is_directory(prefix) and python_of(prefix, context) is not None:
        return Standing(prefix, (*because, "it has one"), creates=True, library=python.library)
    because = (*because, "it is made first")
    return Standing(prefix, because, creates=True, library=python.library, sure=fits is True)


def _preferred(own: Program, settings: Settings, context: Context, *, needed: bool = True) -> tuple[Python | None, str]:
    """The Python for a new environment and its X.Y: ``python`` on PATH, else Poetry's own; raises ``Ending``."""
    python: Python | None = None
    if settings.flag("use-poetry-python")[0]:
        python = own_python(own, context)
    else:
        found = program.find(b"python", replace(context, hashed={}))
        if found is not None:
            inner = context.inside(context.directory, **found.variables)
            python = None if found.python is None else inspect(found.python, inner)
        elif not _others(context):
            python = own_python(own, context)
    if python is None and needed:
        raise unknown("unknown-settings", "it is not known which Python Poetry takes")
    return python, "" if python is None else python.minor


def _others(context: Context) -> bool:
    """Whether a version manager has a ``python`` that Poetry finds where PATH has none."""
    facts = context.facts()
    pools = (
        join(facts.override_path("PYENV_ROOT") or join(context.home, b".pyenv"), b"versions"),
        join(facts.override_path("ASDF_DATA_DIR") or join(context.home, b".asdf"), b"installs/python"),
        facts.override_path("RYE_PY_ROOT") or join(context.home, b".rye/py"),
        facts.override_path("UV_PYTHON_INSTALL_DIR") or join(facts.data_home(), b"uv/python"),
        join(facts.override_path("POETRY_HOME") or join(facts.data_home(), b"pypoetry"), b"python"),
    )
    return any(context.disk.folders(pool) for pool in pools)
