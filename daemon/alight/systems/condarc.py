"""conda's settings, as far as they decide where environments lie and how one is shown (discovery rules 1.7).

Read as conda merges them: of a single value the last file's counts, lists are joined with the last file's first.
The marks ``#!final``, ``#!top`` and ``#!bottom``, which stand in comments, are not read. ``$CONDA_PREFIX/.condarc``
is left out: what is active never decides what belongs to a directory.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from alight.files.disk import join
from alight.files.documents import DOCUMENT_LIMIT
from alight.model import Finding
from alight.systems import prefixes
from alight.systems.base import Facts, normalise

PROMPT = "({default_env}) "
FILES_LIMIT = 64
"""Files of one ``condarc.d``."""

DIRECTORIES_LIMIT = 64
"""Entries of ``envs_dirs`` that are looked at."""

SYSTEM = (b"/etc/conda", b"/var/lib/conda")
_NAMES = (b".condarc", b"condarc")
_SUFFIXES = (b".yml", b".yaml")
_SETTING = re.compile(rb"^[ \t{]*['\"]?(?:envs_dirs|envs_path|changeps1|env_prompt|register_envs)['\"]?[ \t]*:",
                      re.MULTILINE)  # fmt: skip
_VARIABLE = re.compile(r"\$(?:(\w+)|\{(\w+)\})")
_TRUE = frozenset({"true", "yes", "on", "y", "1"})
_FALSE = frozenset({"false", "no", "off", "n", "0", ""})


@dataclass(frozen=True, slots=True)
class Settings:
    """``envs_dirs`` are those that are set, highest first, without the root's own.

    ``env_prompt`` is a template with ``{default_env}``, ``{stacked_env}``, ``{prefix}`` and ``{name}``.
    """

    envs_dirs: tuple[bytes, ...] = ()
    changeps1: bool = True
    env_prompt: str = PROMPT
    register_envs: bool = True


def read(root: bytes | None, facts: Facts) -> Settings:
    """The settings that the conda or mamba of this root has; ``CONDA_CHANGEPS1`` counts where the shell sent it."""
    directories: list[bytes] = []
    changeps1, register_envs, env_prompt = True, True, PROMPT
    for path in files(root, facts):
        table = _table(path, facts)
        directories = [*_directories(table, facts), *directories]
        changeps1 = _truth(table.get("changeps1"), otherwise=changeps1)
        register_envs = _truth(table.get("register_envs"), otherwise=register_envs)
        template = table.get("env_prompt")
        env_prompt = template if isinstance(template, str) else env_prompt
    # Both set is an error of conda's own; the name it recommends counts then.
    variable = facts.override("CONDA_ENVS_DIRS") or facts.override("CONDA_ENVS_PATH") or b""
    chosen = [_expand(os.fsdecode(part), facts) for part in variable.split(b":")]
    known = dict.fromkeys((*(path for path in chosen if path is not None), *directories))
    shown = facts.override("CONDA_CHANGEPS1")
    if shown is not None:
        changeps1 = _truth(shown.decode("ascii", "replace"), otherwise=changeps1)
    return Settings(tuple(known)[:DIRECTORIES_LIMIT], changeps1, env_prompt, register_envs)


def files(root: bytes | None, facts: Facts) -> Iterator[bytes]:
    """The configuration files that are there, lowest first; mamba's own come after conda's of the same place."""
    home, disk = facts.home, facts.disk
    chosen = facts.override_path("XDG_CONFIG_HOME")
    directories = [*SYSTEM]
    directories += [root] if root is not None else []
    directories += [join(chosen, b"conda")] if chosen is not None else []
    directories += [join(home, b".config/conda"), join(home, b".conda")]
    seen: set[bytes] = set()
    for directory in directories:
        if disk.is_directory(directory) and directory not in seen:
            seen.add(directory)
            yield from _in_directory(directory, facts)
    for path in (join(home, b".condarc"), join(home, b".mambarc")):
        if disk.is_file(path):
            yield path
    last = facts.override_path("CONDARC")
    if last is None:
        return
    if disk.is_directory(last):
        yield from _fragments(last, facts)
    elif disk.is_file(last) and (last.rpartition(b"/")[2] in _NAMES or last.endswith(_SUFFIXES)):
        yield last


def _in_directory(directory: bytes, facts: Facts) -> Iterator[bytes]:
    for name in (*_NAMES, b".mambarc"):
        path = join(directory, name)
        if facts.disk.has(directory, name) and facts.disk.is_file(path):
            yield path
        if name == b"condarc" and facts.disk.has(directory, b"condarc.d"):
            yield from _fragments(join(directory, b"condarc.d"), facts)


def _fragments(directory: bytes, facts: Facts) -> Iterator[bytes]:
    for name in sorted(facts.disk.names(directory) or ())[:FILES_LIMIT]:
        path = join(directory, name)
        if name.endswith(_SUFFIXES) and facts.disk.is_file(path):
            yield path


def _table(path: bytes, facts: Facts) -> Mapping[str, Any]:
    # Parsing costs more than everything else here, and most files only name channels.
    if not _SETTING.search(facts.disk.read(path, DOCUMENT_LIMIT) or b""):
        return {}
    table = facts.documents.yaml(path)
    if not table:
        shown = path.decode("utf-8", "backslashreplace")
        finding = Finding("settings-unreadable", "warning", f"{shown} is not YAML, so it does not count", (path,))
        if finding not in facts.findings:
            facts.findings.append(finding)
    return table


def _directories(table: Mapping[str, Any], facts: Facts) -> Iterator[bytes]:
    values = table.get("envs_dirs", table.get("envs_path"))
    if isinstance(values, str):
        values = [values]
    for value in values[:DIRECTORIES_LIMIT] if isinstance(values, list) else ():
        path = _expand(value, facts) if isinstance(value, str) else None
        if path is not None:
            yield path


def _expand(text: str, facts: Facts) -> bytes | None:
    """An absolute path from ``~/…``, ``$HOME/…`` or another variable the shell sends; None for everything else."""
    unknown = False

    def value_of(match: re.Match[str]) -> str:
        nonlocal unknown
        name = match.group(1) or match.group(2)
        value = facts.home if name == "HOME" else facts.override(name)
        unknown = unknown or value is None
        return os.fsdecode(value or b"")

    path = prefixes.octets(_VARIABLE.sub(value_of, text.strip())) if len(text) <= 4096 else None
    if path is None:
        return None
    if path == b"~" or path.startswith(b"~/"):
        path = facts.home + path[1:]
    return normalise(path) if path.startswith(b"/") and not unknown else None


def _truth(value: object, *, otherwise: bool) -> bool:
    if isinstance(value, bool):
        return value
    text = value.strip().lower() if isinstance(value, str) else None
    return True if text in _TRUE else False if text in _FALSE else otherwise
