"""Whether another tool switched the environment on, read from what it left in the shell."""

from __future__ import annotations

import base64
import json
import zlib
from collections.abc import Mapping

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alight.activation.foreign import foreign_owner
from support.foreign import direnv_variables, mise_variables

PREFIX = b"/p/.venv"


@pytest.mark.parametrize(
    ("before", "after", "owner"),
    [
        ({}, {"VIRTUAL_ENV": "/p/.direnv/python-3.12"}, "direnv"),
        ({}, {"CONDA_PREFIX": "/conda/envs/x"}, "direnv"),
        ({"VIRTUAL_ENV": "/old"}, {"VIRTUAL_ENV": "/new"}, "direnv"),
        ({"PATH": "/bin"}, {"PATH": "/p/.venv/bin:/bin"}, "direnv"),
        ({}, {"FLAVOUR": "mint"}, ""),
        ({"PATH": "/bin"}, {"PATH": "/p/scripts:/bin"}, ""),
        ({"VIRTUAL_ENV": "/old"}, {"VIRTUAL_ENV": ""}, ""),
        ({"VIRTUAL_ENV": "/same"}, {"VIRTUAL_ENV": "/same"}, ""),
        # alight was there before direnv: what direnv found on PATH and kept is not direnv's
        ({"PATH": "/p/.venv/bin:/bin"}, {"PATH": "/p/scripts:/p/.venv/bin:/bin"}, ""),
        ({"VIRTUAL_ENV": "/p/.venv"}, {"PATH": "/p/scripts"}, ""),
    ],
)
def test_direnv(before: Mapping[str, str], after: Mapping[str, str], owner: str) -> None:
    """Direnv owns what it set or put on PATH itself, and nothing else."""
    assert foreign_owner(direnv_variables(before, after), PREFIX) == owner


def test_a_diff_without_a_directory_is_history() -> None:
    """DIRENV_DIFF alone, as a child of a direnv shell may inherit it, says nothing."""
    variables = direnv_variables({}, {"VIRTUAL_ENV": "/x"})
    del variables["DIRENV_DIR"]
    assert foreign_owner(variables, PREFIX) == ""


@pytest.mark.parametrize(
    ("after", "path", "owner"),
    [
        ({"VIRTUAL_ENV": "/p/.venv"}, [], "mise"),
        ({}, ["/p/.venv/bin"], "mise"),
        ({}, ["/mise/installs/python/3.12/bin"], ""),
        ({"NODE_ENV": "x"}, [], ""),
    ],
)
def test_mise(after: Mapping[str, str], path: list[str], owner: str) -> None:
    """Mise owns what it set or listed as its PATH entries."""
    assert foreign_owner(mise_variables({}, after, path), PREFIX) == owner
    assert foreign_owner(mise_variables({}, after, []), None) == ("mise" if "VIRTUAL_ENV" in after else "")


def test_mise_writes_arrays_too() -> None:
    """The array form of the same structure is understood."""
    packed = zlib.compress(msgspec.msgpack.encode([{}, {}, ["/p/.venv/bin"]]))
    assert foreign_owner({"__MISE_DIFF": base64.b64encode(packed)}, PREFIX) == "mise"


def hostile() -> list[bytes]:
    """Values that break careless readers."""

    def packed(content: bytes) -> bytes:
        return base64.urlsafe_b64encode(zlib.compress(content))

    return [
        b"",
        b"\xff\x00",
        b"====",
        b"AAAA",
        packed(b"\0" * 50_000_000),
        packed(b"[" * 200_000),
        packed(b'{"p":' * 100_000),
        packed(b"\x91" * 200_000),
        packed(b"\x81\xa1p" * 100_000),
        packed(b"\x81\x90\x01"),
        packed(b'{"p": [], "n": 1}'),
        packed(b'{"p": {}, "n": {"PATH": 1, "VIRTUAL_ENV": ["x"]}}'),
        packed(json.dumps({"p": {}, "n": {"PATH": "\ud800"}}).encode()),
        packed(b"\xff\xfe\x00\xd8"),
        packed(b"1" * 10_000),
        zlib.compress(b"{}"),
    ]


@pytest.mark.parametrize("value", hostile(), ids=range(len(hostile())))
def test_broken_diffs_and_bombs_say_nothing(value: bytes) -> None:
    """Bombs, deep nesting, wrong types and rubbish are not an owner, and not an exception."""
    assert foreign_owner({"DIRENV_DIR": b"-/p", "DIRENV_DIFF": value, "__MISE_DIFF": value}, b"/p\xff/.venv") == ""


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=400), st.booleans(), st.binary(max_size=40))
def test_no_value_raises(value: bytes, pack: bool, prefix: bytes) -> None:
    """Whatever octets the variables hold, there is an answer."""
    given_value = base64.b64encode(zlib.compress(value)) if pack else value
    variables = {"DIRENV_DIR": b"-", "DIRENV_DIFF": given_value, "__MISE_DIFF": given_value}
    assert foreign_owner(variables, prefix) in ("", "direnv", "mise")
