"""One word for each shell: octets in, source text out, whatever the octets are.

A NUL cannot occur in a path. Printable ASCII stays readable; everything else is escaped, so that the source is ASCII
and does not depend on the locale it is read under.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

_PLAIN = re.compile(rb"[ -&(-\[\]-~]*")  # printable ASCII but ' and \
_BARE = re.compile(rb"[A-Za-z0-9_@%+,./:-][A-Za-z0-9_@%+,./:=-]*")


def quote_zsh(word: bytes) -> bytes:
    """One zsh word; ``rc_quotes`` and ``bang_hist`` do not matter to it."""
    return _quote_dollar(word)


def quote_bash(word: bytes) -> bytes:
    """One bash word; ``histexpand`` does not matter to sourced text."""
    return _quote_dollar(word)


def quote_fish(word: bytes) -> bytes:
    """One fish word: plain stretches in quotes, the rest as escapes between them, where alone fish knows escapes."""
    if _PLAIN.fullmatch(word):
        return b"'" + word + b"'"
    pieces = re.findall(rb"[ -&(-\[\]-~]+|[^ -&(-\[\]-~]", word)
    return b"".join(b"'" + piece + b"'" if _PLAIN.fullmatch(piece) else _fish_escape(piece) for piece in pieces)


def quote_sh(word: bytes) -> bytes:
    """One word for any POSIX shell; such shells have no escapes for octets, so they stand as they are."""
    return b"'" + word.replace(b"'", b"'\\''") + b"'"


QUOTERS: dict[str, Callable[[bytes], bytes]] = {"zsh": quote_zsh, "bash": quote_bash, "fish": quote_fish}


def words_of(words: Sequence[bytes], shell: str) -> bytes:
    """Words as one would type them in this shell."""
    return b" ".join(word if _BARE.fullmatch(word) else QUOTERS[shell](word) for word in words)


def assignment(shell: str, name: str, value: bytes) -> bytes:
    """A line that sets an unexported global variable."""
    word = QUOTERS[shell](value)
    if shell == "fish":
        return b"set -g " + name.encode() + b" " + word + b"\n"
    if shell == "zsh":
        return b"typeset -g " + name.encode() + b"=" + word + b"\n"
    return name.encode() + b"=" + word + b"\n"


def _quote_dollar(word: bytes) -> bytes:
    if _PLAIN.fullmatch(word):
        return b"'" + word + b"'"
    return b"$'" + b"".join(_dollar_octet(octet) for octet in word) + b"'"


def _dollar_octet(octet: int) -> bytes:
    if octet in b"'\\":
        return b"\\" + bytes((octet,))
    if 0x20 <= octet < 0x7F:
        return bytes((octet,))
    return b"\\%03o" % octet


def _fish_escape(octet: bytes) -> bytes:
    if octet in (b"'", b"\\"):
        return b"\\" + octet
    return b"\\X%02x" % octet[0]
