"""Text from disk, made fit to be shown."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alight.text import NAME_LIMIT, display, display_path


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("app", "app"),
        ("Ünïcødé 环境 🐍", "Ünïcødé 环境 🐍"),
        ("a\x1b[31mb\x07", "a?[31mb?"),
        ("two\nlines\r\t", "two?lines??"),
        ("\x9b31m", "?31m"),
        ("safe\u202egpj.exe", "safe?gpj.exe"),
        ("zero\u200bwidth\ufeff", "zero?width?"),
        ("line\u2028para\u2029", "line?para?"),
        ("caf\udce9", "caf?"),
        ("private\ue000 unassigned\U000e0080", "private? unassigned?"),
        ("$(touch x) `y` %F{red} \\w", "$(touch x) `y` %F{red} \\w"),
    ],
)
def test_what_a_terminal_would_obey_is_replaced(text: str, shown: str) -> None:
    """Control, format, undecodable and unassigned characters become ``?``; ordinary ones stay."""
    assert display(text) == shown


def test_long_text_is_cut_with_a_mark() -> None:
    """Exactly the limit passes; one more is cut to the limit, the mark included."""
    assert display("x" * NAME_LIMIT) == "x" * NAME_LIMIT
    assert display("x" * (NAME_LIMIT + 1)) == "x" * (NAME_LIMIT - 1) + "…"
    assert len(display("x" * 1_000_000, 10)) == 10


def test_a_path_that_is_no_text_can_be_shown() -> None:
    """Octets that are not UTF-8 appear as ``?``, and the result can be encoded."""
    assert display_path(b"/caf\xe9/\xff\x1b") == "/caf?/??"
    display_path(bytes(range(256))).encode("utf-8")


@given(st.binary(max_size=300), st.integers(min_value=1, max_value=200))
def test_whatever_the_octets_the_text_is_printable_and_bounded(path: bytes, limit: int) -> None:
    """No octets exist whose display can break a terminal, the wire or the limit."""
    shown = display_path(path, limit)
    shown.encode("utf-8")
    assert len(shown) <= limit
    assert all(unicodedata.category(character)[0] != "C" for character in shown)
