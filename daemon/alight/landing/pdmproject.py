"""Where PDM works: the project of an option, the nearest upward, or the one that stands for a Python (rules 1.10)."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any

from alight.files.disk import join
from alight.landing.base import Context
from alight.landing.standing import unknown
from alight.systems import pdmsettings
from alight.systems.base import level_join, normalise
from alight.text import display_path

LEVELS_LIMIT = 256


@dataclass(frozen=True, slots=True)
class Project:
    """Where PDM works; ``is_global`` for its own project that stands for a Python's packages."""

    root: bytes
    is_global: bool
    requirement: str


def project_of(directory: bytes | None, context: Context, *, is_global: bool) -> Project:
    """The project of ``-p``, of ``-g``, or the nearest upward; raises ``Ending`` for a table that cannot be used."""
    root = None if directory is None else _absolute(directory, context)
    own = _global_root(context)
    if root is None and is_global:
        root = own
    if root is None:
        root = _found(context)
    if root is None:
        fallback = configured(("global_project", "fallback"), context.directory, context, private=True)
        if pdmsettings.truth(fallback or False) and context.variable("CONDA_DEFAULT_ENV") != b"base":
            root, is_global = own, True
        else:
            root = context.disk.realpath(context.directory)
    manifest = join(root, b"pyproject.toml")
    if context.disk.is_file(manifest) and not context.documents.table(manifest):
        raise unknown("unknown-settings", f"{display_path(manifest)} cannot be read")
    return Project(root, is_global, pdmsettings.requirement_of(root, context.facts(root)))


def is_initialised(project: Project, context: Context) -> bool:
    """Whether PDM has something to work on there."""
    return project.is_global or bool(context.documents.table(join(project.root, b"pyproject.toml"), "project"))


def workspace_root(project: Project, context: Context) -> bytes:
    """The root of the workspace that the project is a member of, or its own."""
    return project.root if project.is_global else pdmsettings.workspace_root(project.root, context.facts(project.root))


def _absolute(path: bytes, context: Context) -> bytes:
    where = path if path.startswith(b"/") else join(context.disk.realpath(context.directory), path)
    return normalise(where)


def _found(context: Context) -> bytes | None:
    level = context.disk.realpath(context.directory)
    for _ in range(LEVELS_LIMIT):
        if context.disk.exists(join(level, b"pyproject.toml")):
            return level
        if level == b"/":
            break
        level = level.rpartition(b"/")[0] or b"/"
    return None


def _global_root(context: Context) -> bytes:
    chosen = configured(("global_project", "path"), context.directory, context, private=True)
    if isinstance(chosen, str):
        path = level_join(context.directory, os.fsencode(chosen), context.home)
        if path is not None:
            return path
    return join(context.facts().config_home(), b"pdm/global-project")


def configured(keys: tuple[str, str], root: bytes, context: Context, *, private: bool = False) -> Any:
    """A value of PDM's configuration, the project's before the user's; ``private`` leaves the project's out."""
    chosen = context.variable("PDM_CONFIG_FILE")
    user = join(context.facts().config_home(), b"pdm/config.toml") if chosen is None else context.path(chosen)
    files = [user, b"/etc/xdg/pdm/config.toml"]
    for path in files if private else [join(root, b"pdm.toml"), *files]:
        table = context.documents.table(path, keys[0], mention=keys[1].encode())
        if keys[1] in table:
            return table[keys[1]]
    return None


def truth(name: str, context: Context) -> bool:
    """A variable as PDM reads it."""
    return pdmsettings.truth(context.variables.get(name, b"").decode("utf-8", "replace"))
