"""TOML, YAML and JSON files of projects and tools, parsed at most once per question."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

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

    def yaml(self, path: bytes) -> Mapping[str, Any]:
        """The mapping a YAML file holds; parsing costs about 1 ms a KB."""
        return self._kept(path, _parse_yaml)

    def json(self, path: bytes) -> Mapping[str, Any]:
        """The object a JSON file holds."""
        return self._kept(path, _parse_json)

    def _parsed(self, path: bytes) -> Mapping[str, Any]:
        return self._kept(path, _parse)

    def _kept(self, path: bytes, parse: Callable[[bytes], Any]) -> Mapping[str, Any]:
        if path not in self._tables:
            content = self._disk.read(path, DOCUMENT_LIMIT)
            parsed = parse(content) if content else {}
            self._tables[path] = parsed if isinstance(parsed, dict) else {}
        return self._tables[path]


def _parse(content: bytes) -> Any:
    # A number of 5,000 digits is a ValueError, ten thousand brackets are a RecursionError.
    try:
        return tomllib.loads(content.decode("utf-8-sig"))
    except (ValueError, RecursionError):
        return {}


def _parse_yaml(content: bytes) -> Any:
    # A mapping as a key is a TypeError in PyYAML; aliases share what they name, so they cost nothing.
    try:
        return msgspec.yaml.decode(content)
    except (msgspec.MsgspecError, ValueError, TypeError, RecursionError):
        return {}


def _parse_json(content: bytes) -> Any:
    try:
        return json.loads(content)
    except (ValueError, RecursionError):
        return {}
