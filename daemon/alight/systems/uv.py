"""uv: one environment per workspace, whose members never have their own (discovery rules 1.2)."""

from __future__ import annotations

import fnmatch
import os
import stat
from typing import Any

from alight.files.disk import join
from alight.model import WouldCreate
from alight.systems.base import MISSING, TOOL, Claim, Facts, ProjectLocal, level_join
from alight.systems.venv import is_occupied

LEVELS_LIMIT = 64
GLOBS_LIMIT = 256
"""Member patterns considered; a longer list is not a workspace a person wrote."""


class Uv(ProjectLocal):
    """Projects that uv manages."""

    name = "uv"

    def claim(self, level: bytes, facts: Facts) -> Claim | None:
        """``$UV_PROJECT_ENVIRONMENT`` or ``<workspace root>/.venv`` at uv's levels, else missing when locked."""
        rule = "uv-project"
        locked = facts.disk.has(level, b"uv.lock")
        manifest = join(level, b"pyproject.toml")
        if not facts.disk.has(level, b"pyproject.toml"):
            if not locked:
                return None
            root = level
            table: Any = {}
        else:
            table = facts.documents.table(manifest, "tool", "uv", mention=b"uv")
            if table.get("managed") is False:
                facts.note(rule, "skipped", "managed = false", manifest)
                return None
            root = workspace_root(level, facts)
        member = root != level
        if not (locked or table or member):
            return None
        lock = join(root, b"uv.lock")
        evidence = tuple(path for path in (lock, join(root, b"pyproject.toml")) if facts.disk.exists(path))
        chosen = facts.override("UV_PROJECT_ENVIRONMENT")
        prefix = level_join(root, chosen or b".venv", facts.home) or join(root, b".venv")
        if _stands(prefix, facts):
            facts.note(rule, "hit", "uv uses this environment", *evidence, prefix)
            return Claim(rule, TOOL, "high", prefix, root, (*evidence, join(prefix, b"pyvenv.cfg")), self.name)
        if not (locked or member or facts.disk.exists(lock)):
            facts.note(rule, "miss", "no uv.lock and no environment", *evidence)
            return None
        facts.note(rule, "hit", "uv sync would create it", *evidence, prefix)
        # With an explicit or a workspace environment, uv is known to ignore whatever else stands at this level.
        rank = TOOL if chosen or member else MISSING
        return Claim(rule, rank, "high", None, root, evidence, self.name,
                     would_create=WouldCreate("uv sync", prefix))  # fmt: skip


def workspace_root(level: bytes, facts: Facts) -> bytes:
    """The root of the workspace that lists ``level`` as a member, or the level itself."""
    if "workspace" in _settings(level, facts):
        return level
    parent = level
    for _ in range(LEVELS_LIMIT):
        if parent in {b"/", facts.home}:
            break
        parent = parent.rpartition(b"/")[0] or b"/"
        own = facts.disk.stat(parent)
        if own is None or own.st_uid not in {facts.disk.uid, 0}:
            break
        workspace = _settings(parent, facts).get("workspace")
        if isinstance(workspace, dict) and _includes(workspace, level[len(parent) :].lstrip(b"/")):
            return parent
    return level


def _settings(level: bytes, facts: Facts) -> Any:
    manifest = join(level, b"pyproject.toml")
    if not facts.disk.is_file(manifest):
        return {}
    return facts.documents.table(manifest, "tool", "uv", mention=b"workspace")


def _includes(workspace: dict[str, Any], relative: bytes) -> bool:
    parts = os.fsdecode(relative).split("/")
    return _matches(workspace.get("members"), parts) and not _matches(workspace.get("exclude"), parts)


def _matches(patterns: Any, parts: list[str]) -> bool:
    if not isinstance(patterns, list):
        return False
    usable = (pattern for pattern in patterns[:GLOBS_LIMIT] if isinstance(pattern, str) and len(pattern) <= 1024)
    return any(_glob(pattern.strip("/").removeprefix("./").split("/"), parts) for pattern in usable)


def _glob(pattern: list[str], parts: list[str]) -> bool:
    """Match part by part; ``**`` stands for any number of parts. Linear, since the pattern is somebody else's."""
    reached = {0}
    for part in [*parts, None]:
        for index, piece in enumerate(pattern):
            if index in reached and piece == "**":
                reached.add(index + 1)
        if part is None:
            return len(pattern) in reached
        reached = {
            index if pattern[index] == "**" else index + 1
            for index in reached
            if index < len(pattern) and (pattern[index] == "**" or fnmatch.fnmatchcase(part, pattern[index]))
        }
    return False


def _stands(prefix: bytes, facts: Facts) -> bool:
    """True for a directory that holds an environment, or a link to nothing; a ``.venv`` file is the pointer rule's."""
    if facts.disk.lstat(prefix) is None:
        return False
    target = facts.disk.stat(prefix)
    return target is None or (stat.S_ISDIR(target.st_mode) and is_occupied(prefix, facts))
