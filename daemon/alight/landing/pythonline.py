"""``python -m pip``, ``python setup.py``: what an interpreter's own command line runs (landing rules 1.2, 6)."""

from __future__ import annotations

from dataclasses import dataclass

from alight.landing.base import Words

_SWITCHES = frozenset("bBdEhiIOPqRsSuvVx?")
_VALUED = frozenset("cmWX")
_LONG_VALUED = frozenset({b"--check-hash-based-pycs"})


@dataclass(frozen=True, slots=True)
class PythonLine:
    """What runs: a ``module``, or a ``script``; neither for anything else. ``argv`` are its own words behind it."""

    flags: frozenset[str]
    module: bytes | None = None
    script: bytes | None = None
    start: int = 0


def parse(argv: Words) -> PythonLine | None:
    """The interpreter's words, read; None when one of them is not known, or they run nothing that could install."""
    flags: set[str] = set()
    position = 1
    while position < len(argv):
        word = argv[position]
        if word is None:
            return None
        position += 1
        if word[:1] != b"-" or word == b"-":
            return None if word == b"-" else PythonLine(frozenset(flags), script=word, start=position)
        if word.startswith(b"--"):
            if word in _LONG_VALUED:
                position += 1
            elif word in (b"--help", b"--version", b"--help-all", b"--help-env", b"--help-xoptions"):
                return None
            continue
        for index, letter in enumerate(word[1:].decode("latin-1"), 2):
            if letter in _VALUED:
                value = word[index:] or (argv[position] if position < len(argv) else None)
                position += not word[index:]
                if letter == "c" or value is None:
                    return None
                if letter == "m":
                    return PythonLine(frozenset(flags), module=value, start=position)
                break
            if letter in "hV?" or letter not in _SWITCHES:
                return None
            flags.add(letter)
    return None
