"""Which environment Pipenv takes: the active one, what a ``.venv`` file names, the project's, its pool (rules 1.9)."""

from __future__ import annotations

import os
from dataclasses import dataclass

from alight.files.disk import join
from alight.landing.base import Context, Program
from alight.landing.python import inspect
from alight.landing.standing import Standing, own_python, python_of, stop, unknown, version_of
from alight.systems import pipenv as pipenvs
from alight.systems.base import normalise
from alight.text import display_path

TRUE = frozenset({b"1", b"true", b"yes", b"on"})
FALSE = frozenset({b"0", b"false", b"no", b"off"})
_HEARD = (b"PATH", b"PIP", b"VIRTUAL_ENV", b"WORKON_HOME", b"XDG_DATA_HOME", b"HOME", b"UV_", b"PYTHON", b"CONDA")
"""What a ``.env`` file may set that changes where Pipenv or what it starts goes."""


@dataclass(frozen=True, slots=True)
class Project:
    """Where the Pipfile is, or will be; ``is_there`` when it is."""

    root: bytes
    pipfile: bytes
    is_there: bool


def truth(name: str, context: Context) -> bool | None:
    """A variable as Pipenv reads it: any other word is true; None when it is not set."""
    value = context.variables.get("PIPENV_" + name)
    if value is None:
        return None
    return value.lower() not in FALSE and value != b""


def project_of(context: Context) -> Project:
    """The Pipfile of ``PIPENV_PIPFILE``, the nearest upward, or the one to be made here; raises ``Ending``."""
    chosen = context.variable("PIPENV_PIPFILE")
    if chosen is not None:
        path = os.path.normpath(context.path(chosen))
        if not context.disk.is_file(path):
            raise stop("no-project", f"PIPENV_PIPFILE names {display_path(path)}, which is not there")
        return _checked(Project(path.rpartition(b"/")[0] or b"/", path, True), context)
    start = level = context.disk.realpath(context.directory)
    for _ in range(_depth(context)):
        path = join(level, b"Pipfile")
        if context.disk.is_file(path):
            return _checked(Project(level, path, True), context)
        if level == b"/":
            break
        level = level.rpartition(b"/")[0] or b"/"
    return _checked(Project(start, join(start, b"Pipfile"), False), context)


def is_active(context: Context) -> bool:
    """Whether the environment of ``VIRTUAL_ENV`` is taken."""
    if context.variable("VIRTUAL_ENV") is None or "PIPENV_ACTIVE" in context.variables:
        return False
    if "PIPENV_IGNORE_VIRTUALENVS" not in context.variables and "PIPENV_NO_IGNORE_VIRTUALENVS" in context.variables:
        raise unknown("unknown-settings", "PIPENV_NO_IGNORE_VIRTUALENVS is set")
    return not truth("IGNORE_VIRTUALENVS", context)


def chosen(project: Project, own: Program, wanted: bytes, context: Context) -> Standing:
    """The environment, made first where there is none; ``wanted`` is what ``--python`` says; raises ``Ending``."""
    if is_active(context):
        prefix = context.path(context.variables["VIRTUAL_ENV"])
        if not stands(prefix, context):
            raise unknown("unknown-settings", "VIRTUAL_ENV leads to no environment that Pipenv can use")
        because = (f"VIRTUAL_ENV is {display_path(prefix)}, which Pipenv takes before the project's own",)
        found = Standing(prefix, because, "active-over-project", python_of(prefix, context))
        if _differs(found, wanted, context) is not False:
            raise unknown("unknown-settings", "--python may make Pipenv replace the active environment")
        return found
    prefix, reasons = place(project, context)
    found = Standing(prefix, reasons, python=python_of(prefix, context))
    differs = _differs(found, wanted, context) if stands(prefix, context) else True
    if differs is None:
        raise unknown("unknown-settings", "it is not known whether --python makes Pipenv replace the environment")
    if not differs:
        return found
    library, sure = _library(project, own, wanted, context)
    return Standing(prefix, (*reasons, "it is made first"), creates=True, library=library, sure=sure)


def stands(prefix: bytes, context: Context) -> bool:
    """What Pipenv takes for an environment: it has an ``activate``."""
    return context.disk.is_file(join(prefix, b"bin/activate"))


def place(project: Project, context: Context) -> tuple[bytes, tuple[str, ...]]:
    """The prefix that is the project's by Pipenv's own rules, whatever is active, and why."""
    disk, directory = context.disk, join(project.root, b".venv")
    facts = context.facts(b"/")
    pool = next(iter(pipenvs.Pipenv().pools(facts)), None)
    if pool is None:
        raise unknown("unknown-settings", "WORKON_HOME is no path that can be known")
    custom = context.variable("PIPENV_CUSTOM_VENV_NAME")
    python = context.variable("PIPENV_PYTHON") or b""
    name = custom or pipenvs.hashed_name(project.pipfile, python)
    hashed = name if name.startswith(b"/") else join(pool, name)
    named = (f"{display_path(project.root)} has its own name in {display_path(pool)}",)
    if disk.exists(directory) and not disk.is_directory(directory):
        text = (disk.read(directory) or b"").strip()
        if b"\n" in text or b"\0" in text:
            raise unknown("unknown-settings", f"{display_path(directory)} holds no name")
        if not text:
            return hashed, named
        because = (f"{display_path(directory)} says {display_path(text)}",)
        if b"/" not in text:
            return join(pool, text), because
        return normalise(text if text.startswith(b"/") else join(project.root, text)), because
    if "PIPENV_NO_VENV_IN_PROJECT" in context.variables and "PIPENV_VENV_IN_PROJECT" not in context.variables:
        raise unknown("unknown-settings", "PIPENV_NO_VENV_IN_PROJECT is set")
    variable = (context.variables.get("PIPENV_VENV_IN_PROJECT") or b"").lower()
    written = context.documents.table(project.pipfile, "pipenv", mention=b"venv_in_project").get("venv_in_project")
    if variable in TRUE:
        return directory, ("PIPENV_VENV_IN_PROJECT is on",)
    if variable in FALSE:
        return hashed, (*named, "PIPENV_VENV_IN_PROJECT is off")
    if written is not None:
        said = "venv_in_project is set in the Pipfile"
        return (directory, (said,)) if written else (hashed, (*named, said))
    if disk.is_directory(directory) and (variable or not disk.exists(hashed)):
        return directory, (f"{display_path(directory)} is there",)
    return hashed, named


def _checked(project: Project, context: Context) -> Project:
    """The project, unless a file of variables says what nobody here reads."""
    if not truth("DONT_LOAD_ENV", context):
        named = context.variable("PIPENV_DOTENV_LOCATION")
        path = join(project.root, b".env") if named is None else context.path(named)
        text = context.disk.read(path)
        if text is None and context.disk.is_file(path):
            raise unknown("unknown-settings", f"{display_path(path)} is too large")
        if text is not None and any(name in text for name in _HEARD):
            raise unknown("unknown-settings", f"{display_path(path)} sets variables that Pipenv listens to")
    return project


def _depth(context: Context) -> int:
    if truth("NO_INHERIT", context):
        return 1
    value = (context.variable("PIPENV_MAX_DEPTH") or b"10").strip().lower()
    if value in TRUE | FALSE:
        return int(value in TRUE)
    if not value.isdigit() or len(value) > 4:
        raise stop("bad-options", "PIPENV_MAX_DEPTH is no number")
    return int(value)


def _differs(found: Standing, wanted: bytes, context: Context) -> bool | None:
    """Whether ``--python`` asks for another version than stands there; None when that cannot be known."""
    if not wanted:
        return False
    if found.python is None:
        return None
    version, asked = version_of(found.python, context), wanted.decode("utf-8", "replace")
    if wanted.startswith(b"/"):
        other = inspect(wanted, context)
        asked = "" if other is None else version_of(other, context)
    if not asked or not asked.replace(".", "").isdigit() or version.count(".") < 2:
        return None
    return not (version + ".").startswith(asked + ".")


def _library(project: Project, own: Program, wanted: bytes, context: Context) -> tuple[bytes, bool]:
    """(``pythonX.Y`` of the environment to be made, whether that is sure): asked for, required, else Pipenv's own."""
    requires = context.documents.table(project.pipfile, "requires", mention=b"python_")
    required = requires.get("python_full_version") or requires.get("python_version")
    default = context.variable("PIPENV_DEFAULT_PYTHON_VERSION")
    asked = wanted or (required.encode() if isinstance(required, str) and required != "*" else b"") or default or b""
    if not asked:
        return own_python(own, context).library, True
    if asked.startswith(b"/"):
        python = inspect(asked, context)
        return (b"", False) if python is None else (python.library, True)
    parts = asked.split(b".")
    if len(parts) < 2 or not all(part.isdigit() for part in parts):
        return b"", False
    return b"python" + b".".join(parts[:2]), False
