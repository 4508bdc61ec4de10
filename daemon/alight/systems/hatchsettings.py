"""Which environments a project defines for Hatch, and where the user's settings put them (discovery rules 1.6)."""

from __future__ import annotations

import itertools
import os
import re
from collections.abc import Mapping
from typing import Any

from alight.files.disk import join
from alight.systems.base import Facts, normalise

DEFAULT = "default"
TEMPLATES_LIMIT = 16
MATRIX_LIMIT = 64
"""Links of a template chain, and environments of a matrix, that are looked at."""

_VARIABLE = re.compile(rb"\$(?:(\w+)|\{([^}]*)\})")


def definitions(level: bytes, facts: Facts) -> tuple[tuple[bytes, ...], Mapping[str, Any]]:
    """(the files that define Hatch's environments, the definitions): those of ``hatch.toml`` replace the others."""
    manifest, own = join(level, b"pyproject.toml"), join(level, b"hatch.toml")
    settings: Mapping[str, Any] = {}
    evidence: list[bytes] = []
    if facts.disk.has(level, b"pyproject.toml"):
        settings = facts.documents.table(manifest, "tool", "hatch", "envs", mention=b"envs")
        evidence += [manifest] if settings else []
    if facts.disk.is_file(own):
        evidence.insert(0, own)
        if "envs" in facts.documents.table(own, mention=b"envs"):
            settings = facts.documents.table(own, "envs")
    return tuple(evidence), settings


def leaves_of(chosen: str, settings: Mapping[str, Any]) -> tuple[str, ...] | None:
    """The environments a name stands for: itself, or every one of its matrix; None when it is not defined."""
    if chosen == DEFAULT or chosen in settings:
        return matrix(chosen, settings) or (chosen,)
    for base in (DEFAULT, chosen.partition(".")[0]):
        if chosen in matrix(base, settings):
            return (chosen,)
    return None


def matrix(name: str, settings: Mapping[str, Any]) -> tuple[str, ...]:
    """The names a matrix generates, the Python first, the environment's own name before them unless it is default."""
    table = settings.get(name)
    matrices = table.get("matrix") if isinstance(table, dict) else None
    form = table.get("matrix-name-format", "{value}") if isinstance(table, dict) else None
    if not isinstance(matrices, list) or not isinstance(form, str):
        return ()
    prefix = "" if name == DEFAULT else f"{name}."
    found: list[str] = []
    for variables in matrices[:MATRIX_LIMIT]:
        if isinstance(variables, dict):
            ordered = sorted(variables, key=lambda variable: variable not in {"py", "python"})
            values = [_words(variable, variables[variable], form) for variable in ordered]
            found += [prefix + "-".join(words) for words in itertools.islice(itertools.product(*values), MATRIX_LIMIT)]
    return tuple(found[:MATRIX_LIMIT])


def option(name: str, key: str, settings: Mapping[str, Any]) -> str:
    """A setting of an environment, its template's, or ""; a generated name has those of its matrix."""
    current = name if name in settings else name.partition(".")[0]
    if current not in settings:
        current = DEFAULT
    for _ in range(TEMPLATES_LIMIT):
        table = settings.get(current)
        table = table if isinstance(table, dict) else {}
        if isinstance(table.get(key), str):
            return str(table[key])
        template = table.get("template", DEFAULT)
        if table.get("detached") or template == current or not isinstance(template, str):
            return ""
        current = template
    return ""


def data_directory(facts: Facts) -> bytes:
    """``$HATCH_DATA_DIR``, else ``[dirs] data``, else the default."""
    configured = _config(facts).get("data")
    chosen = facts.override("HATCH_DATA_DIR") or (os.fsencode(configured) if isinstance(configured, str) else b"")
    if chosen and b"\0" not in chosen:
        return _absolute(_expanded(chosen, facts), facts.directory)
    return join(_application_home("XDG_DATA_HOME", facts.data_home(), facts), b"hatch")


def shared_storage(facts: Facts) -> bytes:
    """Where the environments of all projects are; b"" when every project has its own."""
    return storage_of(b"", "virtual", facts)


def storage_of(level: bytes, kind: str, facts: Facts) -> bytes:
    """Where a project's environments of one type are; b"" without a project when that depends on the project."""
    directories = _config(facts).get("env")
    configured = directories.get(kind) if isinstance(directories, dict) else None
    if isinstance(configured, str) and "\0" not in configured:
        chosen = _expanded(os.fsencode(configured), facts)
        return b"" if not level and not chosen.startswith(b"/") else _absolute(chosen, level)
    return join(join(data_directory(facts), b"env"), os.fsencode(kind) if is_part(os.fsencode(kind)) else b"virtual")


def is_part(name: bytes) -> bool:
    """True for what can be one name in a directory."""
    return 0 < len(name) <= 255 and name not in {b".", b".."} and b"/" not in name and b"\0" not in name


def _words(variable: str, values: object, form: str) -> list[str]:
    texts = [value for value in values if isinstance(value, str)] if isinstance(values, list) else []
    if variable in {"py", "python"}:
        return [text if text.startswith("py") else f"py{text}" for text in texts[:MATRIX_LIMIT]]
    return [form.replace("{variable}", variable).replace("{value}", text) for text in texts[:MATRIX_LIMIT]]


def _config(facts: Facts) -> Mapping[str, Any]:
    """``[dirs]`` of the user's own configuration; what a project's files say of it Hatch ignores."""
    chosen = facts.override("HATCH_CONFIG")
    usual = join(_application_home("XDG_CONFIG_HOME", facts.config_home(), facts), b"hatch/config.toml")
    return facts.documents.table(_absolute(chosen, facts.directory) if chosen else usual, "dirs", mention=b"dirs")


def _absolute(path: bytes, directory: bytes) -> bytes:
    return normalise(path if path.startswith(b"/") else join(directory, path))


def _expanded(path: bytes, facts: Facts) -> bytes:
    """The path with the variables the shell sent and a leading ``~`` replaced; others stay as they are."""

    def value(match: re.Match[bytes]) -> bytes:
        name = (match.group(1) or match.group(2) or b"").decode("utf-8", "replace")
        return facts.home if name == "HOME" else facts.overrides.get(name, match.group(0))

    text = _VARIABLE.sub(value, path)
    return facts.home + text[1:] if text == b"~" or text.startswith(b"~/") else text


def _application_home(variable: str, usual: bytes, facts: Facts) -> bytes:
    """The directory that platformdirs gives, which on macOS is one for settings and data."""
    if facts.platform != "darwin" or facts.override_path(variable):
        return usual
    return join(facts.home, b"Library/Application Support")
