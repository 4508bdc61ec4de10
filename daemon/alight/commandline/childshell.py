"""``bash -c '…'`` and its like: command lines inside a word."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from alight.commandline.words import Word

SHELLS = {"bash": "bash", "zsh": "zsh", "fish": "fish", "sh": "sh", "dash": "sh", "ash": "sh", "ksh": "sh"}
"""Programs that read commands, and in whose manner they do."""

_LETTERS = re.compile(rb"[-+][A-Za-z]+")
_VALUED_LONG = frozenset({b"--rcfile", b"--init-file", b"--emulate"})


@dataclass(frozen=True, slots=True)
class ChildShell:
    """A shell that is given one literal line."""

    shell: str
    text: bytes
    login: bool
    interactive: bool


def child_shell(words: Sequence[Word]) -> ChildShell | None:
    """The shell that ``words`` start with a literal ``-c`` line, or None."""
    name = (words[0].text or b"").rpartition(b"/")[2].decode("utf-8", "replace")
    shell = SHELLS.get(name)
    if shell is None:
        return None
    letters, at = b"", 1
    login = False
    while at < len(words):
        text = words[at].text
        if text is None:
            return None
        if text in _VALUED_LONG:
            at += 1
        elif text.startswith(b"--") and text != b"--":
            login = login or text == b"--login"
            if shell == "fish" and text.startswith(b"--command"):
                return None
        elif _LETTERS.fullmatch(text):
            letters += text[1:] if text.startswith(b"-") else b""
            if shell == "fish" and text[-1:] == b"c":
                at += 1
                break
            if text[-1:] in (b"o", b"O", b"C", b"d"):
                at += 1
        else:
            break
        at += 1
    if at < len(words) and words[at].text == b"--":
        at += 1
    if b"c" not in letters or at >= len(words):
        return None
    line = words[at].text
    if line is None:
        return None
    return ChildShell(shell, line, login or b"l" in letters, b"i" in letters)
