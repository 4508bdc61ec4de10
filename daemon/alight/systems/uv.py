"""uv: one environment per workspace, whose members never have their own (discovery rules 1.2).

With the preview feature of central environments ``.venv`` is a link into uv's cache, or a file with the path.
"""

from __future__ import annotations

import fnmatch
import os
import re
import stat
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from alight.files.disk import join
from alight.interpreters import Selection, find_interpreter, parse
from alight.model import WouldCreate
from alight.systems import pyvenv
from alight.systems.base import MISSING, TOOL, Claim, Facts, Prefix, level_join
from alight.systems.venv import is_environment, stands

LEVELS_LIMIT = 64
GLOBS_LIMIT = 256
"""Member patterns considered; a longer list is not a workspace a person wrote."""

VERSION_FILES = (b".python-version", b".python-versions")
LINES_LIMIT = 64

_CENTRAL = re.compile(rb".*-(?:cp|pp|gp|pyodide)\d+\.\d+[\w.+]*-[0-9a-f]{16}\Z|(?:cp|pp|gp)\d[\w.+]*-[0-9a-f]{16}\Z")
"""A project's environment in uv's cache, as uv names it; what else lies there belongs to scripts."""


class Uv:
    """Projects that uv manages, and the environments it keeps for tools and scripts."""

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
        pointed = None if chosen else _pointed(prefix, facts)
        if pointed is not None and member:
            facts.note(rule, "hit", "the workspace's .venv file points there", *evidence, prefix, pointed)
            return Claim(rule, TOOL, "high", pointed, root, (prefix, join(pointed, pyvenv.CONFIG)), self.name)
        if stands(prefix, facts):
            facts.note(rule, "hit", "uv uses this environment", *evidence, prefix)
            return Claim(rule, TOOL, "high", prefix, root, (*evidence, join(prefix, pyvenv.CONFIG)), self.name)
        if not (locked or member or "workspace" in table or facts.disk.exists(lock)):
            facts.note(rule, "miss", "no uv.lock and no environment", *evidence)
            return None
        facts.note(rule, "hit", "uv sync would create it", *evidence, prefix)
        # With an explicit or a workspace environment, uv is known to ignore whatever else stands at this level.
        rank = TOOL if chosen or member else MISSING
        return Claim(rule, rank, "high", None, root, evidence, self.name,
                     would_create=WouldCreate("uv sync", prefix))  # fmt: skip

    def describe(self, prefix: bytes, facts: Facts) -> Prefix | None:
        """A tool's or a script's environment in uv's own pools; a project's venv describes itself."""
        pool, _, name = prefix.rpartition(b"/")
        tools, cached = self.pools(facts)
        if pool not in {tools, cached} or not is_environment(prefix, facts):
            return None
        owner = "uv-tool" if pool == tools else "uv" if _CENTRAL.match(name) else "uv-script"
        return replace(pyvenv.describe(prefix, facts.disk), system=owner)

    def list(self, facts: Facts) -> Iterator[bytes]:
        """Tools, scripts and centrally kept projects; none of them is associated with a directory by its name."""
        for pool in self.pools(facts):
            for name in facts.disk.folders(pool):
                prefix = join(pool, name)
                if is_environment(prefix, facts):
                    yield prefix

    def pools(self, facts: Facts) -> tuple[bytes, ...]:
        """The directory of installed tools, and that of environments in the cache, in this order."""
        cache = facts.override_path("UV_CACHE_DIR") or join(facts.cache_home(), b"uv")
        return join(facts.data_home(), b"uv/tools"), join(cache, b"environments-v2")


def selection(facts: Facts, levels: Sequence[bytes]) -> Selection | None:
    """What ``.python-version`` asks uv for; ``levels`` are those of a uv project, up to the workspace's root.

    The nearest file, ``.python-version`` before ``.python-versions`` on one level, then the user's own in uv's
    configuration; of its lines the first that is a request. Names that are none (of pyenv's environments) are ignored.
    None when no file says anything.
    """
    places = [*levels, join(facts.config_home(), b"uv")]
    for number, level in enumerate(places):
        for name in VERSION_FILES:
            path = join(level, name)
            if facts.disk.is_file(path):
                chosen = _chosen(path, facts)
                return None if chosen is None else replace(chosen, fallback=number == len(levels))
    return None


def _chosen(path: bytes, facts: Facts) -> Selection | None:
    lines = (line.strip() for line in (facts.disk.read(path) or b"").splitlines()[:LINES_LIMIT])
    word = next((line for line in lines if line and not line.startswith(b"#") and parse(line) is not None), None)
    if word is None:
        return None
    text = word.decode("ascii", "replace")
    found = find_interpreter(word, facts.disk, facts.overrides, facts.home, "uv")
    if found is None:
        return Selection("uv", (text,), path, missing=(text,))
    return Selection("uv", (text,), path, (text,), (found,))


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


def _pointed(path: bytes, facts: Facts) -> bytes | None:
    """Where a ``.venv`` file leads; None when it is no file, or leads to no environment."""
    target = facts.disk.stat(path)
    if target is None or not stat.S_ISREG(target.st_mode):
        return None
    text = (facts.disk.read(path) or b"").split(b"\n", 1)[0].strip()
    prefix = level_join(path.rpartition(b"/")[0], text, facts.home)
    return prefix if prefix is not None and is_environment(prefix, facts) else None
