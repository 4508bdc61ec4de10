"""What zsh writes differently from bash, put into bash's terms without moving an octet."""

from __future__ import annotations

import re

_TOKEN = re.compile(
    rb"'[^']*'|\"(?:[^\"\\]|\\.)*\"|\\.|(?P<job>&[!|])(?!\|)|(?<=[^\s;&{|])(?P<brace>[ \t]\})(?=[\s;&|)]|$)", re.DOTALL
)


def masked(line: bytes) -> bytes:
    """``line`` with ``&!`` and ``&|`` as ``&``, and ``}`` that needs no ``;`` given one."""
    return _TOKEN.sub(_mask, line)


def _mask(found: re.Match[bytes]) -> bytes:
    if found["job"]:
        return b"& "
    return b";}" if found["brace"] else found[0]
