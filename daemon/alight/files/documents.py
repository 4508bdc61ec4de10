"""TOML files of a project, parsed at most once per question."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from typing import Any

from alight.files.disk import Disk

DOCUMENT_LIMIT = 256 * 1024
"""Octets of a manifest; generated ones of large projects reach 100 KiB."""


class Documents:
    """Parsed manifests. What is absent, too large, or not TOML is an empty table."""

    def __init__(self, disk: Disk) -> None:
        self._disk = disk
        self._tables: dict[bytes, Mapping[str, Any]] = {}

    def table(self, path: bytes, *keys: str, mention: bytes = b"") -> Mapping[str, Any]:
        """The table at ``keys``; parsing costs about 1 ms for 5 KB, so a file without ``mention`` is not parsed."""
        if mention and path not in self._tables and mention not in (self._disk.read(path, DOCUMENT_LIMIT) or b""):
            return {}
        table: Any = self._parsed(path)
        for key in keys:
            table = table.get(key)
            if not isinstance(table, dict):
                return {}
        return table if isinstance(table, dict) else {}

    def _parsed(self, path: bytes) -> Mapping[str, Any]:
        if path not in self._tables:
            content = self._disk.read(path, DOCUMENT_LIMIT)
            self._tables[path] = _parse(content) if content else {}
        return self._tables[path]


def _parse(content: bytes) -> Mapping[str, Any]:
    # A number of 5,000 digits is a ValueError, ten thousand brackets are a RecursionError.
    try:
        return tomllib.loads(content.decode("utf-8-sig"))
    except (ValueError, RecursionError):
        return {}
