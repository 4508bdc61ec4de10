"""Hatch: where a project's environments are, and what makes them (landing rules 1.11)."""

from __future__ import annotations

import base64
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from packaging.specifiers import InvalidSpecifier, SpecifierSet

from alight.digest import sha256
from alight.files.disk import join
from alight.landing.arguments import Arguments, read, spellings
from alight.landing.base import Context, Prediction, Program, Words
from alight.landing.standing import (
    Ending,
    Standing,
    asked,
    check,
    ended,
    lands,
    nothing,
    own_python,
    python_of,
    start_of,
    stop,
    unknown,
    version_of,
)
from alight.systems import hatchsettings
from alight.systems.base import normalise
from alight.text import display_path

TOOL = "hatch"
BEFORE = spellings(
    "--env/-e", "--project/-p", "--verbose/-v", "--quiet/-q", "--color", "--no-color", "--interactive",
    "--no-interactive", "--data-dir", "--cache-dir", "--config", "--version", "--help/-h",
)  # fmt: skip
VALUED = frozenset({"env", "project", "data-dir", "cache-dir", "config"})
LEVELS_LIMIT = 256
SYSTEM = "system"
_SEPARATORS = re.compile(r"[-_.]+")
_HEARD = ("PATH", "PIP", "UV_", "PYTHON", "VIRTUAL_ENV", "CONDA", "POETRY_", "PDM_", "PIPENV_", "HATCH_", "HOME")
_TABLES_LIMIT = 64


@dataclass(frozen=True, slots=True)
class Environment:
    """One of a project's environments; ``standing`` is None for the one that is no environment (``system``)."""

    name: str
    standing: Standing | None
    has_pip: bool = True


class Hatch:
    """The rules of Hatch: it has no command that adds packages, environments are made and filled by the way."""

    name = TOOL
    words = frozenset({TOOL})

    def predict(self, argv: Words, program: Program | None, context: Context) -> Prediction | None:
        """The environment that ``hatch env create`` makes, ``hatch shell`` on its way; None for the rest."""
        start = start_of(TOOL, "create", argv)
        try:
            before = before_command(argv)
            if before is None:
                return None
            name = _wanted(before, context)
            if name is None:
                return None
            own, around = asked(program, context)
            start = replace(start, because=own.because)
            found = environment(name, own, configured(before, around))
            if found.standing is None or not found.standing.creates:
                if before.operands[0] == b"shell":
                    return None
                raise nothing(f"the environment {name} is there")
            return lands(start, found.standing, around)
        except Ending as ending:
            return ended(start, ending)


def before_command(argv: Words) -> Arguments | None:
    """The options before the command, the command and ``rest``; None where it starts nothing; raises ``Ending``."""
    before = read(argv[1:], BEFORE, VALUED, limit=1, abbreviated=False)
    if before.doubtful:
        raise unknown("unknown-word", "a word of the command is not known")
    if before.error or not before.operands or before.has("help", "version"):
        return None
    return before


def configured(before: Arguments, context: Context) -> Context:
    """The context with what ``--data-dir`` and ``--config`` say; raises ``Ending`` for projects known by name."""
    variables = {}
    for option, name in (("data-dir", "HATCH_DATA_DIR"), ("config", "HATCH_CONFIG")):
        value = before.options.get(option)
        if value:
            variables[name] = value
    context = context.inside(context.directory, **variables)
    chosen = context.variable("HATCH_CONFIG")
    path = join(context.facts().config_home(), b"hatch/config.toml") if chosen is None else context.path(chosen)
    mode = context.documents.table(path, mention=b"mode").get("mode", "local")
    if before.options.get("project") or context.variable("HATCH_PROJECT") or mode != "local":
        raise unknown("unknown-settings", "Hatch works on a project that its own configuration names")
    return context


def chosen_name(before: Arguments, context: Context) -> str:
    """The environment of ``-e``, ``$HATCH_ENV``, the one this runs in, or the default."""
    said = before.options.get("env") or context.variable("HATCH_ENV") or context.variable("HATCH_ENV_ACTIVE")
    return (said or hatchsettings.DEFAULT.encode()).decode("utf-8", "replace")


def project_root(context: Context) -> bytes:
    """The nearest directory upward with a manifest, else the current one."""
    start = level = context.disk.realpath(context.directory)
    for _ in range(LEVELS_LIMIT):
        if any(context.disk.is_file(join(level, name)) for name in (b"pyproject.toml", b"setup.py")):
            return level
        if level == b"/":
            break
        level = level.rpartition(b"/")[0] or b"/"
    return start


def environment(name: str, own: Program, context: Context) -> Environment:
    """Where one environment is, or will be; raises ``Ending`` for one that is not defined or stands for several."""
    root = project_root(context)
    facts = context.facts(root)
    settings = hatchsettings.definitions(root, facts)[1]
    if name == SYSTEM and SYSTEM not in settings:
        return Environment(name, None)
    leaves = hatchsettings.leaves_of(name, settings)
    if leaves is None:
        if name.startswith("hatch-"):
            raise unknown("unknown-settings", f"{name} is one of Hatch's own environments")
        raise stop("no-environment", f"the project defines no environment {name}")
    if len(leaves) != 1:
        raise unknown("unknown-settings", f"{name} stands for {len(leaves)} environments")
    kind = hatchsettings.option(leaves[0], "type", settings) or "virtual"
    if kind == SYSTEM:
        raise unknown("unknown-settings", "an environment of the type system runs only where Hatch has a note of it")
    if kind != "virtual":
        raise unknown("unknown-settings", f"environments of the type {kind} are a plugin's")
    if any("overrides" in table for table in _tables(settings)):
        raise unknown("unknown-settings", "overrides of an environment depend on more than files")
    prefix, because = _prefix(root, leaves[0], name, settings, context)
    uses_uv = hatchsettings.option(leaves[0], "installer", settings) == "uv" or bool(
        hatchsettings.option(leaves[0], "uv-path", settings) or context.variable("HATCH_ENV_TYPE_VIRTUAL_UV_PATH")
    )
    if context.disk.is_directory(prefix):
        return Environment(name, Standing(prefix, because, python=python_of(prefix, context)), not uses_uv)
    library = _library(root, leaves[0], settings, own, context)
    standing = Standing(prefix, (*because, "it is made first"), creates=True, library=library)
    return Environment(name, standing, not uses_uv)


def is_scripted(command: bytes, context: Context) -> bool:
    """Whether the command is the name of a script of some environment, or variables are set that decide."""
    root = project_root(context)
    settings = hatchsettings.definitions(root, context.facts(root))[1]
    manifest = join(root, b"pyproject.toml")
    shared = context.documents.table(manifest, "tool", "hatch", "scripts", mention=b"scripts")
    name = command.decode("utf-8", "replace")
    if name in shared:
        return True
    for table in _tables(settings):
        scripts, variables = table.get("scripts"), table.get("env-vars")
        if isinstance(scripts, dict) and name in scripts:
            return True
        if isinstance(variables, dict) and any(str(key).startswith(_HEARD) for key in variables):
            return True
        if "env-include" in table or "env-exclude" in table:
            return True
    return False


def _wanted(before: Arguments, context: Context) -> str | None:
    """The environment that the command makes; None for other commands."""
    command, rest = before.operands[0], before.rest
    if command == b"shell":
        found = read(rest, spellings("--name", "--path", "--help/-h"), frozenset({"name", "path"}))
    elif command == b"env" and rest[:1] == (b"create",):
        found = read(rest[1:], spellings("--help/-h"), frozenset())
    else:
        return None
    if found.has("help"):
        return None
    check(found, TOOL)
    if len(found.operands) > 1:
        raise stop("bad-options", "several environments are named")
    if found.operands:
        return found.operands[0].decode("utf-8", "replace")
    return chosen_name(before, context) if command == b"shell" else hatchsettings.DEFAULT


def _tables(settings: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return [table for table in list(settings.values())[:_TABLES_LIMIT] if isinstance(table, dict)]


def _prefix(
    root: bytes, leaf: str, name: str, settings: Mapping[str, Any], context: Context
) -> tuple[bytes, tuple[str, ...]]:
    facts, disk = context.facts(root), context.disk
    variable = context.variable("HATCH_ENV_TYPE_VIRTUAL_PATH")
    path = variable or os.fsencode(hatchsettings.option(leaf, "path", settings))
    if path:
        why = "HATCH_ENV_TYPE_VIRTUAL_PATH is set" if variable else f"the path of {name} is set"
        return (normalise(path) if path.startswith(b"/") else disk.realpath(join(root, path))), (why,)
    identity = base64.urlsafe_b64encode(sha256(_hashed(root, context)).digest())[:8]
    project = _project_name(root, context)
    folder = os.fsencode(project) if project else identity + b"-unmanaged"
    last = folder if leaf == hatchsettings.DEFAULT == name else os.fsencode(leaf)
    storage = hatchsettings.storage_of(root, "virtual", facts)
    flat = storage == join(context.home, b".virtualenvs") or disk.realpath(storage).startswith(join(root, b""))
    if not hatchsettings.is_part(folder) or not hatchsettings.is_part(last):
        raise unknown("unknown-settings", "the project's name is no name of a directory")
    because = f"Hatch keeps it in {display_path(storage)}"
    return join(storage, last) if flat else join(join(join(storage, folder), identity), last), (because,)


def _hashed(root: bytes, context: Context) -> bytes:
    return os.fsencode(os.fsdecode(root).casefold()) if context.platform == "darwin" else root


def _project_name(root: bytes, context: Context) -> str:
    """``[project] name`` as it is compared, without a manifest the directory's; "" where the manifest has none."""
    if not context.disk.is_file(join(root, b"pyproject.toml")):
        return _SEPARATORS.sub("-", os.fsdecode(root.rpartition(b"/")[2])).lower()
    document = context.documents.table(join(root, b"pyproject.toml"))
    if "project" not in document:
        return ""
    name = context.documents.table(join(root, b"pyproject.toml"), "project").get("name")
    if not isinstance(name, str) or not name:
        raise stop("no-project", "the [project] table has no name")
    return _SEPARATORS.sub("-", name).lower()


def _library(root: bytes, leaf: str, settings: Mapping[str, Any], own: Program, context: Context) -> bytes:
    """``pythonX.Y`` of an environment to be made: what is set, else Hatch's own where that will do; b"" otherwise."""
    wanted = hatchsettings.option(leaf, "python", settings)
    if wanted:
        return b"python" + wanted.encode() if re.fullmatch(r"3\.\d+", wanted) else b""
    if context.variable("HATCH_PYTHON") is not None:
        return b""
    python = own_python(own, context)
    required = context.documents.table(join(root, b"pyproject.toml"), "project").get("requires-python", "")
    try:
        fits = isinstance(required, str) and SpecifierSet(required).contains(version_of(python, context), True)
    except (InvalidSpecifier, ValueError):
        return b""
    return python.library if fits else b""
