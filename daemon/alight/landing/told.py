"""What a shell tells of the words on its line: commands it remembers, functions, aliases, variables of its own."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from alight.landing.passing import passed_on

_NAME = re.compile(rb"[A-Za-z_][A-Za-z0-9_]*")


@dataclass(frozen=True, slots=True)
class Told:
    """Fields of ``Context``, by their names there.

    A function that only passes its arguments on is an alias instead, unless there is an alias by its name, too.
    ``passing`` are their names: behind quotes, where no alias counts, they are functions.
    """

    hashed: dict[bytes, bytes] = field(default_factory=dict)
    functions: frozenset[bytes] = frozenset()
    aliases: dict[bytes, bytes] = field(default_factory=dict)
    passing: frozenset[bytes] = frozenset()
    shell_variables: dict[str, bytes | None] = field(default_factory=dict)


def parse(words: Iterable[bytes], shell: str) -> Told:
    """Read ``KIND NAME…`` frames; those of kinds that are not known yet, or that do not fit, are left out."""
    hashed: dict[bytes, bytes] = {}
    functions: set[bytes] = set()
    passing: dict[bytes, bytes] = {}
    aliases: dict[bytes, bytes] = {}
    own: dict[str, bytes | None] = {}
    for word in words:
        kind, _, rest = word.partition(b" ")
        name, separator, text = rest.partition(b"=")
        if kind == b"function" and name:
            source = passed_on(name, text, shell) if separator else None
            if source is None:
                functions.add(name)
            else:
                passing[name] = source
        elif kind == b"hash" and name and text.startswith(b"/"):
            hashed[name] = text
        elif kind == b"alias" and name and separator:
            aliases[name] = text
        elif kind == b"shell" and separator and _NAME.fullmatch(name):
            own[name.decode("ascii")] = text
        elif kind == b"unset" and not separator and _NAME.fullmatch(name):
            own[name.decode("ascii")] = None
    hidden = passing.keys() & aliases.keys()
    functions |= hidden
    passing = {name: text for name, text in passing.items() if name not in hidden}
    return Told(hashed, frozenset(functions), {**passing, **aliases}, frozenset(passing), own)
