"""What a version file or a shell's variable comes down to on this machine."""

from __future__ import annotations

from dataclasses import dataclass

from alight.model import Finding, Interpreter


@dataclass(frozen=True, slots=True)
class Selection:
    """The Pythons that a tool would use, in the order of the words that ask for them.

    ``path`` is the file with the words, b"" when a variable of the shell holds them. ``names`` is what the tool calls
    what it found; ``environments`` are the prefixes among it that are virtual environments and so in no
    ``interpreters``; ``missing`` are the words for which nothing is installed. ``fallback`` is True for the user's
    own default, which says nothing about a directory.
    """

    tool: str
    words: tuple[str, ...]
    path: bytes = b""
    names: tuple[str, ...] = ()
    interpreters: tuple[Interpreter, ...] = ()
    environments: tuple[bytes, ...] = ()
    missing: tuple[str, ...] = ()
    fallback: bool = False

    @property
    def interpreter(self) -> Interpreter | None:
        """The first Python, which is what ``python`` starts; None when an environment or nothing is."""
        return self.interpreters[0] if self.interpreters and not self.environments else None

    def finding(self) -> Finding | None:
        """What is not installed, said once for all words; None when everything is."""
        if not self.missing:
            return None
        where = self.path.rpartition(b"/")[2].decode("utf-8", "backslashreplace") or "the shell's variable"
        message = f"{where} names {', '.join(self.missing)}, for which nothing is installed"
        return Finding("pin-unknown", "warning", message, (self.path,) if self.path else ())
