"""A pixi workspace as its manifest describes it (discovery rules 1.8)."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from alight.files.disk import join
from alight.model import Finding
from alight.systems.base import Facts

LEVELS_LIMIT = 64


@dataclass(frozen=True, slots=True)
class Workspace:
    """A manifest that makes its directory a workspace, and pixi's table in it."""

    root: bytes
    manifest: bytes
    table: Mapping[str, Any]
    document: Mapping[str, Any]

    @property
    def settings(self) -> Mapping[str, Any]:
        """The ``[workspace]`` table, formerly ``[project]``."""
        for key in ("workspace", "project"):
            if isinstance(settings := self.table.get(key), dict):
                return settings
        return {}

    def text(self, key: str) -> str:
        """``name`` or ``version``, which a pyproject.toml may keep in its own ``[project]``; "" without."""
        for table in (self.settings, self.document.get("project") if self.document is not self.table else None):
            if isinstance(table, dict) and isinstance(value := table.get(key), str) and value:
                return value
        return ""

    @property
    def name(self) -> str:
        """What pixi calls the workspace: its name, else its directory's."""
        return self.text("name") or os.fsdecode(self.root.rpartition(b"/")[2]) or "workspace"


def is_mentioned(level: bytes, facts: Facts) -> bool:
    """True when the level has a manifest that speaks of pixi."""
    if facts.disk.has(level, b"pixi.toml") or facts.disk.has(level, b"mojoproject.toml"):
        return True
    manifest = join(level, b"pyproject.toml")
    return facts.disk.has(level, b"pyproject.toml") and bool(
        facts.documents.table(manifest, "tool", "pixi", mention=b"pixi")
    )


def workspace_of(level: bytes, facts: Facts) -> Workspace | None:
    """The nearest workspace from ``level`` upward; a manifest with a ``[package]`` alone is a member of one above."""
    start = level
    for _ in range(LEVELS_LIMIT):
        own = facts.disk.stat(level)
        if own is None or own.st_uid not in {facts.disk.uid, 0}:
            return None
        # What lies in the home directory counts only there.
        workspace = at(level, facts) if level == start or level != facts.home else None
        if workspace is not None or level in {b"/", facts.home}:
            return workspace
        level = level.rpartition(b"/")[0] or b"/"
    return None


def at(level: bytes, facts: Facts) -> Workspace | None:
    """The workspace whose root is this very level: pixi.toml, else pyproject.toml, else mojoproject.toml."""
    for name in (b"pixi.toml", b"pyproject.toml", b"mojoproject.toml"):
        path = join(level, name)
        if not facts.disk.has(level, name) or not facts.disk.is_file(path):
            continue
        keys = ("tool", "pixi") if name == b"pyproject.toml" else ()
        table = facts.documents.table(path, *keys, mention=b"pixi" if keys else b"")
        if not table and keys:
            continue
        workspace = Workspace(level, path, table, facts.documents.table(path) if keys else table)
        return workspace if workspace.settings or "workspace" in table or not table else None
    return None


def ignored(workspace: Workspace) -> Iterator[Finding]:
    """Scripts and variables of the manifest: pixi would run and set them, nothing here does."""
    tables = [workspace.table]
    for key in ("target", "feature"):
        below = workspace.table.get(key)
        tables += [table for table in below.values() if isinstance(table, dict)] if isinstance(below, dict) else []
    asked = [table["activation"] for table in tables if isinstance(table.get("activation"), dict)]
    kinds = [
        kind
        for kind, key in (("scripts", "scripts"), ("variables", "env"))
        if any(activation.get(key) for activation in asked)
    ]
    if kinds:
        message = f"the manifest's activation {' and '.join(kinds)} are not used: `pixi shell` would"
        yield Finding("activation-ignored", "info", message, (workspace.manifest,))


def platforms(workspace: Workspace, environment: str) -> list[str]:
    """The workspace's platforms that every feature of the environment allows."""
    allowed = _platform_names(workspace.settings.get("platforms"))
    features = workspace.table.get("feature")
    listed = workspace.table.get("environments")
    chosen: Any = listed.get(environment) if isinstance(listed, dict) else None
    names = chosen.get("features") if isinstance(chosen, dict) else chosen
    for name in names if isinstance(names, list) else ():
        feature = features.get(name) if isinstance(features, dict) and isinstance(name, str) else None
        if isinstance(feature, dict) and "platforms" in feature:
            allowed = [platform for platform in allowed if platform in _platform_names(feature["platforms"])]
    return allowed


def _platform_names(value: object) -> list[str]:
    found = []
    for item in value if isinstance(value, list) else ():
        name = (item.get("name") or item.get("platform")) if isinstance(item, dict) else item
        found += [name] if isinstance(name, str) else []
    return found
