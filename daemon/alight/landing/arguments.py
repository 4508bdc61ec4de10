"""Command lines of the smaller tools: long and short options, values, operands."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from alight.landing.base import Words


@dataclass(slots=True)
class Arguments:
    """A command line, read.

    ``options`` are the last values by canonical name, b"" for switches; ``rest`` the words behind the last operand that
    was asked for. ``error`` is why the tool refuses it; ``doubtful`` when a word that is not known stands in the way.
    """

    options: dict[str, bytes] = field(default_factory=dict)
    operands: list[bytes] = field(default_factory=list)
    rest: Words = ()
    error: str = ""
    doubtful: bool = False

    def has(self, *names: str) -> bool:
        """Whether one of the options was given."""
        return any(name in self.options for name in names)


def read(
    words: Words,
    known: Mapping[str, str],
    valued: frozenset[str],
    *,
    abbreviated: bool = True,
    limit: int | None = None,
) -> Arguments:
    """Read words by the spellings ``known`` (with dashes) and the canonical names that are ``valued``.

    ``abbreviated`` long names count while they are unique. After ``limit`` operands everything is ``rest``.
    """
    found = Arguments()
    position = 0
    while position < len(words):
        if limit is not None and len(found.operands) == limit:
            found.rest = words[position:]
            break
        word = words[position]
        position += 1
        if word is None:
            found.doubtful = True
            break
        if word == b"--":
            left = [other for other in words[position:] if other is not None]
            found.doubtful = len(left) < len(words) - position
            found.operands += left
            break
        if word.startswith(b"-") and len(word) > 1:
            position += _option(word, words[position:], known, valued, found, abbreviated=abbreviated)
            if found.error or found.doubtful:
                break
        else:
            found.operands.append(word)
    return found


def spellings(*names: str) -> dict[str, str]:
    """``--long/-s`` texts as a table from each spelling to the long name without dashes."""
    table = {}
    for name in names:
        parts = name.split("/")
        table.update(dict.fromkeys(parts, parts[0].lstrip("-")))
    return table


def _option(
    word: bytes, after: Sequence[bytes | None], known: Mapping[str, str], valued: frozenset[str], found: Arguments,
    *, abbreviated: bool,
) -> int:  # fmt: skip
    """Store an option; answers how many of the words behind it belong to it."""
    text = word.decode("utf-8", "surrogateescape")
    if text.startswith("--"):
        spelled, explicit, value = text.partition("=")
        name = _named(spelled, known, abbreviated=abbreviated)
        if name is None or (explicit and name not in valued):
            found.error = f"{spelled} is not understood"
        elif explicit:
            found.options[name] = value.encode("utf-8", "surrogateescape")
        elif name in valued:
            return _value(name, after, found)
        else:
            found.options[name] = b""
        return 0
    for index, letter in enumerate(text[1:], 2):
        name = known.get("-" + letter)
        if name is None:
            found.error = f"-{letter} is not understood"
            return 0
        if name in valued:
            rest = text[index:].encode("utf-8", "surrogateescape")
            if rest:
                found.options[name] = rest
                return 0
            return _value(name, after, found)
        found.options[name] = b""
    return 0


def _value(name: str, after: Sequence[bytes | None], found: Arguments) -> int:
    if not after:
        found.error = f"--{name} needs a value"
        return 0
    if after[0] is None:
        found.doubtful = True
        return 0
    found.options[name] = after[0]
    return 1


def _named(spelled: str, known: Mapping[str, str], *, abbreviated: bool) -> str | None:
    if spelled in known:
        return known[spelled]
    fitting = [full for full in known if full.startswith(spelled)] if abbreviated else []
    return known[fitting[0]] if len(fitting) == 1 else None
