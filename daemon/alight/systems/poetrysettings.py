"""Poetry's settings and the pool they name (discovery rules 1.3; poetry: config/config.py, locations.py)."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from alight.files.disk import join
from alight.model import Finding
from alight.systems.base import Facts, level_join


@dataclass(frozen=True, slots=True)
class Pool:
    """Where hashed environments lie, and the files that say so; ``own`` is False when one is the project's."""

    directory: bytes
    own: bool
    files: tuple[bytes, ...]


class Settings:
    """Poetry's settings: a variable before ``poetry.toml`` before the user's ``config.toml``, key by key."""

    def __init__(self, level: bytes | None, facts: Facts) -> None:
        self._facts = facts
        self._level = level
        # Read as Poetry does: a key of the project's file hides the user's.
        usual = _home_of(facts, "XDG_CONFIG_HOME", facts.config_home(), b"Library/Application Support")
        self._files = [join(facts.override_path("POETRY_CONFIG_DIR") or usual, b"config.toml")]
        if level is not None and facts.disk.has(level, b"poetry.toml"):
            self._files.insert(0, join(level, b"poetry.toml"))

    def flag(self, key: str) -> tuple[bool | None, tuple[bytes, ...]]:
        """A switch below ``virtualenvs``, and the file that sets it; None when nothing does."""
        variable = self._facts.overrides.get("POETRY_VIRTUALENVS_" + key.upper().replace("-", "_"))
        if variable is not None:
            return variable.lower() in {b"true", b"1"}, ()
        value, files = self._find("virtualenvs", key)
        # Only a real `false` is one to Poetry: it compares with `is`.
        return None if value is None else value is not False, files

    def pool(self) -> Pool | None:
        """``virtualenvs.path``, in which ``{cache-dir}`` stands for the cache; None when it is no usable path."""
        path, files = self._path("POETRY_VIRTUALENVS_PATH", "virtualenvs", "path")
        text = b"{cache-dir}/virtualenvs" if path is None else path
        if b"{cache-dir}" in text:
            cache, more = self._path("POETRY_CACHE_DIR", "cache-dir")
            usual = _home_of(self._facts, "XDG_CACHE_HOME", self._facts.cache_home(), b"Library/Caches")
            text = text.replace(b"{cache-dir}", usual if cache is None else cache)
            files = (*files, *more)
        whole = text.startswith((b"/", b"~/"))
        if not whole and (self._level is None or text.startswith(b"~")):
            return None
        directory = level_join(self._level or b"/", text, self._facts.home)
        own = whole and not any(file.endswith(b"/poetry.toml") for file in files)
        return None if directory is None else Pool(directory, own, files)

    def _path(self, variable: str, *keys: str) -> tuple[bytes | None, tuple[bytes, ...]]:
        chosen = self._facts.override(variable)
        if chosen is not None:
            return chosen, ()
        value, files = self._find(*keys)
        return (os.fsencode(value), files) if isinstance(value, str) else (None, ())

    def _find(self, *keys: str) -> tuple[Any, tuple[bytes, ...]]:
        for file in self._files:
            value: Any = self._table(file)
            for key in keys:
                value = value.get(key) if isinstance(value, dict) else None
            if value is not None:
                return value, (file,)
        return None, ()

    def _table(self, file: bytes) -> Mapping[str, Any]:
        facts = self._facts
        if facts.disk.stat(file) is None:
            return {}
        table = facts.documents.table(file)
        if not table and _says_something(facts.disk.read(file)):
            finding = Finding("settings-unreadable", "warning", "Poetry's settings cannot be read", (file,))
            if finding not in facts.findings:
                facts.findings.append(finding)
        return table


def _home_of(facts: Facts, variable: str, linux: bytes, macos: bytes) -> bytes:
    """Poetry's folder in one of the user's directories; on macOS only newer Poetrys look at the XDG variables."""
    chosen = join(linux, b"pypoetry")
    if facts.platform != "darwin" or (facts.override_path(variable) is not None and facts.disk.is_directory(chosen)):
        return chosen
    return join(facts.home, macos + b"/pypoetry")


def _says_something(content: bytes | None) -> bool:
    if content is None:
        return True
    return any(line.strip() and not line.strip().startswith(b"#") for line in content.splitlines())
