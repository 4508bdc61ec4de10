"""Where the looks that decided an answer can change: folders, and the names in them that matter."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from alight.files.disk import Record

Names = frozenset[bytes] | None
"""The names in a folder that matter; None where whatever is in it may. WHOLE among them: the folder was listed."""

WHOLE = b""


def reach(records: Iterable[Record]) -> dict[bytes, frozenset[bytes]]:
    """A directory that was looked at counts as a whole, everything else and what is absent by its name above."""
    found: dict[bytes, set[bytes]] = {}
    for record in records:
        if record.is_directory:
            found.setdefault(record.path, set()).add(WHOLE)
            continue
        folder, _, name = record.path.rpartition(b"/")
        if name:
            found.setdefault(folder or b"/", set()).add(name)
    return {folder: frozenset(names) for folder, names in found.items()}


def outside(found: Mapping[bytes, frozenset[bytes]], *trees: bytes) -> dict[bytes, frozenset[bytes]]:
    """Without what lies in one of these trees; their own directories stay."""
    inside = tuple(tree.rstrip(b"/") + b"/" for tree in trees if tree.strip(b"/"))
    return {folder: names for folder, names in found.items() if not folder.startswith(inside)}
