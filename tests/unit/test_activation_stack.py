"""The stack of conda as a shell's variables describe it: whole, broken, and after one level is left."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from alight.activation import stack
from alight.activation.stack import Stack

BASE, ENV, OTHER = b"/opt/conda", b"/opt/conda/envs/x", b"/opt/conda/envs/y"


def variables(level: bytes | None, prefix: bytes = b"", **more: bytes) -> dict[str, bytes]:
    top = {"CONDA_PREFIX": prefix} if prefix else {}
    return {**({} if level is None else {"CONDA_SHLVL": level}), **top, **more}


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, Stack()),
        (variables(b"0"), Stack()),
        (variables(b""), Stack()),
        (variables(None, ENV), Stack()),
        (variables(b"0", ENV), Stack()),
        (variables(b"1", ENV), Stack(1, ENV, b"")),
        (variables(b" 1 ", ENV), Stack(1, ENV, b"")),
        (variables(b"2", ENV, CONDA_PREFIX_1=BASE), Stack(2, ENV, BASE)),
        (variables(b"3", ENV, CONDA_PREFIX_1=BASE, CONDA_PREFIX_2=OTHER), Stack(3, ENV, OTHER)),
        (variables(b"4", ENV, CONDA_PREFIX_1=BASE, CONDA_PREFIX_2=OTHER), Stack(4, ENV, None)),
        (variables(b"2", ENV, PIXI_IN_SHELL=b"1"), Stack(2, ENV, b"")),
    ],
)
def test_reading(given: Mapping[str, bytes], expected: Stack) -> None:
    """Conda counts what is on by CONDA_SHLVL alone; what lies beneath is told down to the second level."""
    assert not stack.is_broken(given)
    assert stack.read(given) == expected


@pytest.mark.parametrize(
    "given",
    [
        variables(b"1"),
        variables(b"2"),
        variables(b"2", ENV),
        variables(b"3", ENV, CONDA_PREFIX_1=BASE),
        variables(b"x", ENV),
        variables(b"-1", ENV),
        variables(b"1" * 400, ENV),
        variables(b"65", ENV),
    ],
)
def test_a_hole_breaks_the_stack(given: Mapping[str, bytes]) -> None:
    """R28: a level without its prefix is seen, and taken as nothing; conda itself would fail on it."""
    assert stack.is_broken(given)
    assert stack.read(given) == Stack()


def test_leaving_the_only_level() -> None:
    """PROTOCOL 5.1: nothing is on any more, the level stays as 0, and bin leaves PATH."""
    given = variables(b"1", ENV, CONDA_DEFAULT_ENV=b"x", CONDA_PROMPT_MODIFIER=b"(x) ", PATH=b"/a:" + ENV + b"/bin:/b")
    assert stack.popped(given) == {"CONDA_SHLVL": b"0", "PATH": b"/a:/b"}


def test_leaving_the_second_level() -> None:
    """PROTOCOL 5.1: what lay beneath is on again, in the same place of PATH; its name is base when it is."""
    given = variables(
        b"2", ENV, CONDA_PREFIX_1=BASE, CONDA_EXE=BASE + b"/bin/conda", PATH=b"/a:" + ENV + b"/bin:/b", KEEP=b"1"
    )
    assert stack.popped(given) == {
        "CONDA_SHLVL": b"1",
        "CONDA_PREFIX": BASE,
        "CONDA_DEFAULT_ENV": b"base",
        "CONDA_EXE": BASE + b"/bin/conda",
        "PATH": b"/a:" + BASE + b"/bin:/b",
        "KEEP": b"1",
    }


def test_what_was_not_told_cannot_be_left() -> None:
    """Below the third level only the shell itself knows what lies beneath."""
    assert stack.popped(variables(b"4", ENV, CONDA_PREFIX_1=BASE, CONDA_PREFIX_2=OTHER)) is None


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (variables(b"1", BASE, CONDA_DEFAULT_ENV=b"base"), BASE),
        (variables(b"1", BASE, CONDA_DEFAULT_ENV=BASE, CONDA_EXE=BASE + b"/bin/conda"), BASE),
        (variables(b"1", BASE, CONDA_DEFAULT_ENV=BASE, _CONDA_ROOT=BASE), BASE),
        (variables(b"1", ENV, CONDA_DEFAULT_ENV=b"x", CONDA_EXE=BASE + b"/bin/conda"), b""),
        (variables(b"0", CONDA_DEFAULT_ENV=b"base"), b""),
    ],
)
def test_base_is_known_by_name_and_by_place(given: Mapping[str, bytes], expected: bytes) -> None:
    """Base counts as none, also where conda was told to show it by its path."""
    assert stack.base(given) == expected
