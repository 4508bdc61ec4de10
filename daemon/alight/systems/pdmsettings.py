"""What PDM's configuration and a project's files say: where PDM may be asked to work, and how (discovery rules 1.5)."""

from __future__ import annotations

import fnmatch
import os
from dataclasses import dataclass
from typing import Any

from alight.files.disk import join
from alight.systems.base import Facts, level_join, normalise

LEVELS_LIMIT = 64
MEMBERS_LIMIT = 256
SPECIFIER_LIMIT = 256
"""Workspace patterns considered, and characters of a requires-python that are worth parsing."""

SIGNS = (b"pdm.lock", b".pdm-python", b"pdm.toml", b".pdm.toml")
"""Files only PDM writes; its lock file is what its age is judged by."""

RIVALS = (b"uv.lock", b"poetry.lock", b"pixi.lock", b"Pipfile.lock")
"""Lock files that outweigh a ``[tool.pdm]`` somebody left in the manifest."""

BACKEND = frozenset({"build", "version"})
"""Parts of ``[tool.pdm]`` that its build backend reads; any front end may use that."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What PDM's configuration says; ``private`` is False when a file of the project chose the pool."""

    use_venv: bool
    in_project: bool
    location: bytes
    private: bool


def workspace_root(level: bytes, facts: Facts) -> bytes:
    """The root of the PDM workspace that lists ``level`` as a member, or the level itself."""
    if not facts.disk.has(level, b"pyproject.toml"):
        return level
    parent = level
    for _ in range(LEVELS_LIMIT):
        if parent in {b"/", facts.home}:
            break
        parent = parent.rpartition(b"/")[0] or b"/"
        own = facts.disk.stat(parent)
        if own is None or own.st_uid not in {facts.disk.uid, 0}:
            break
        manifest = join(parent, b"pyproject.toml")
        members = facts.documents.table(manifest, "tool", "pdm", "workspace", mention=b"workspace").get("members")
        if isinstance(members, list) and _includes(members, os.fsdecode(level[len(parent) :].lstrip(b"/"))):
            return parent
    return level


def signs(root: bytes, facts: Facts) -> tuple[bytes, ...]:
    """The files that say PDM manages this level, the manifest only for settings of PDM itself."""
    found = tuple(join(root, name) for name in SIGNS if facts.disk.has(root, name))
    if found or not facts.disk.has(root, b"pyproject.toml"):
        return found
    manifest = join(root, b"pyproject.toml")
    table = facts.documents.table(manifest, "tool", "pdm", mention=b"tool.pdm")
    if not set(table) - BACKEND:
        return ()
    rival = next((name for name in RIVALS if facts.disk.has(root, name)), None)
    if rival is not None:
        facts.note("pdm-project", "skipped", "another tool keeps the lock file", manifest, join(root, rival))
        return ()
    return (manifest,)


def read_settings(root: bytes, facts: Facts) -> Settings:
    """Environment variable over project over user over site, as PDM reads them."""
    project = [join(root, name) for name in (b".pdm.toml", b"pdm.toml") if facts.disk.has(root, name)]
    files = [*project, *_user_files(facts)]
    chosen = facts.documents.table(join(root, b"pdm.toml"), "venv", mention=b"location").get("location")
    own = level_join(facts.directory, os.fsencode(chosen), facts.home) if isinstance(chosen, str) else None
    return Settings(
        use_venv=_flag("PDM_USE_VENV", ("python", "use_venv"), files, facts),
        in_project=_flag("PDM_VENV_IN_PROJECT", ("venv", "in_project"), files, facts),
        location=own or location(facts),
        private=own is None,
    )


def location(facts: Facts) -> bytes:
    """The user's pool: ``venv.location`` of the user's or the site's configuration, else the default."""
    for path in _user_files(facts):
        chosen = facts.documents.table(path, "venv", mention=b"location").get("location")
        if isinstance(chosen, str):
            location = level_join(facts.directory, os.fsencode(chosen), facts.home)
            if location is not None:
                return location
    return join(_application_home("XDG_DATA_HOME", facts.data_home(), facts), b"pdm/venvs")


def requirement_of(root: bytes, facts: Facts) -> str:
    """``[project] requires-python``; "" when there is none that is worth parsing."""
    manifest = join(root, b"pyproject.toml")
    requirement = facts.documents.table(manifest, "project", mention=b"requires-python").get("requires-python")
    return requirement if isinstance(requirement, str) and len(requirement) <= SPECIFIER_LIMIT else ""


def truth(value: object) -> bool:
    """A boolean as PDM reads it from a variable or a file, where it may be a word."""
    return value.lower() not in {"", "false", "no", "0"} if isinstance(value, str) else bool(value)


def absolute(directory: bytes, path: bytes) -> bytes:
    """The path as a program started in the directory understands it."""
    return normalise(path if path.startswith(b"/") else join(directory, path))


def _includes(members: list[Any], relative: str) -> bool:
    parts = relative.split("/")
    usable = (member for member in members[:MEMBERS_LIMIT] if isinstance(member, str) and len(member) <= 1024)
    return any(_matches([part for part in member.split("/") if part not in {"", "."}], parts) for member in usable)


def _matches(pattern: list[str], parts: list[str]) -> bool:
    """``Path.glob``'s rules, in time linear in both, since the pattern is somebody else's."""
    reached = {0}
    for part in [*parts, None]:
        for index, piece in enumerate(pattern):
            if index in reached and piece == "**":
                reached.add(index + 1)
        if part is None:
            break
        reached = {
            index if piece == "**" else index + 1
            for index, piece in enumerate(pattern)
            if index in reached and (piece == "**" or fnmatch.fnmatchcase(part, piece))
        }
    return len(pattern) in reached


def _flag(variable: str, keys: tuple[str, str], files: list[bytes], facts: Facts) -> bool:
    if variable in facts.overrides:
        return truth(facts.overrides[variable].decode("utf-8", "replace"))
    for path in files:
        table = facts.documents.table(path, keys[0], mention=keys[1].encode())
        if keys[1] in table:
            return truth(table[keys[1]])
    return True


def _user_files(facts: Facts) -> tuple[bytes, ...]:
    chosen = facts.override("PDM_CONFIG_FILE")
    mac = facts.platform == "darwin"
    user = join(_application_home("XDG_CONFIG_HOME", facts.config_home(), facts), b"pdm/config.toml")
    site = b"/Library/Application Support/pdm/config.toml" if mac else b"/etc/xdg/pdm/config.toml"
    return (absolute(facts.directory, chosen) if chosen else user, site)


def _application_home(variable: str, usual: bytes, facts: Facts) -> bytes:
    """The directory that platformdirs gives, which on macOS is one for settings and data."""
    if facts.platform != "darwin" or facts.override_path(variable):
        return usual
    return join(facts.home, b"Library/Application Support")
