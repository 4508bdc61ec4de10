"""Options of the commands that start other commands, in the manner of getopt."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from alight.commandline.words import Word, literal, without


@dataclass(frozen=True, slots=True)
class Syntax:
    """What a command accepts.

    Letters without and with a value, letters whose value is optional and attached, long names with a value, and long
    names that mean a letter.
    """

    flags: str = ""
    valued: str = ""
    attached: str = ""
    long_valued: frozenset[str] = frozenset()
    letters: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Parsed:
    """The options found, by letter or long name, and the words behind them."""

    flags: frozenset[str]
    values: Mapping[str, Word]
    rest: tuple[Word, ...]

    def has(self, names: str) -> bool:
        """Whether one of the letters was given."""
        return any(name in self.flags or name in self.values for name in names)


def parse(words: Sequence[Word], syntax: Syntax) -> Parsed | None:
    """Read the options in front of ``words``; None when it cannot be known where they end."""
    flags: set[str] = set()
    values: dict[str, Word] = {}
    at = 0
    while at < len(words):
        typed = words[at]
        head = typed.head
        if not head.startswith(b"-") or head == b"-":
            if typed.text is None and (head == b"" or head == b"-"):
                # Whatever it becomes may be options, or nothing.
                known = typed.single and head == b"" and typed.doubt is None and _is_path(typed)
                if not known:
                    return None
            break
        at += 1
        if head == b"--" and typed.text is not None:
            break
        if head.startswith(b"--"):
            name, separator, _ = head[2:].partition(b"=")
            if typed.text is None and not separator:
                return None
            key = name.decode("utf-8", "replace")
            key = syntax.letters.get(key, key)
            if separator:
                values[key] = without(typed, len(name) + 3)
            elif name.decode("utf-8", "replace") in syntax.long_valued:
                if at >= len(words) or not words[at].single:
                    return None
                values[key] = words[at]
                at += 1
            else:
                flags.add(key)
            continue
        used = _cluster(words, at - 1, syntax, flags, values)
        if used is None:
            return None
        at += used
    return Parsed(frozenset(flags), values, tuple(words[at:]))


def _is_path(typed: Word) -> bool:
    """Whether the word cannot begin with a dash: a home directory, or something below a variable's directory."""
    return not typed.head and any(getattr(piece, "text", b"").startswith(b"/") for piece in typed.pieces[1:2])


def _cluster(words: Sequence[Word], at: int, syntax: Syntax, flags: set[str], values: dict[str, Word]) -> int | None:
    """Read ``-abc``; the number of words its value takes up, or None when it is not known."""
    typed = words[at]
    for index, octet in enumerate(typed.head[1:], 1):
        letter = chr(octet)
        is_last = index == len(typed.head) - 1 and typed.text is not None
        if letter in syntax.valued:
            if not is_last:
                values[letter] = without(typed, index + 1)
                return 0
            if at + 1 >= len(words) or not words[at + 1].single:
                return None
            values[letter] = words[at + 1]
            return 1
        if letter in syntax.attached:
            values[letter] = literal(b"") if is_last else without(typed, index + 1)
            return 0
        if letter not in syntax.flags:
            return None
        flags.add(letter)
    return 0 if typed.text is not None else None
