"""Text from disk made fit to be shown and sent: whoever named a folder does not get to talk to the terminal."""

from __future__ import annotations

import os
import unicodedata

NAME_LIMIT = 64
PATH_LIMIT = 160
_UNSAFE = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})


def display(text: str, limit: int = NAME_LIMIT) -> str:
    """Text from disk made safe to show: no control, format (bidi) or undecodable characters, bounded length."""
    if len(text) <= limit and text.isascii() and text.isprintable():
        return text
    safe = "".join("?" if unicodedata.category(character) in _UNSAFE else character for character in text[: limit + 1])
    return safe if len(safe) <= limit else safe[: limit - 1] + "…"


def display_path(path: bytes, limit: int = PATH_LIMIT) -> str:
    """A path for a message; octets that are no text appear as ``?``."""
    return display(os.fsdecode(path), limit)
