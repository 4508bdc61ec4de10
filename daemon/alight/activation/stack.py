"""conda's stack of environments in a shell's variables: ``CONDA_SHLVL`` levels, each with its ``CONDA_PREFIX``.

The rules are those of conda's own ``activate.py``: level n is ``CONDA_PREFIX``, the levels below are
``CONDA_PREFIX_1`` … ``CONDA_PREFIX_<n-1>``. A shell sends the lowest two of these.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

LEVELS_LIMIT = 64
"""More levels than this are no stack that anybody made."""

SENT_BELOW = 2
"""``CONDA_PREFIX_<n>`` is sent up to this n."""

ATOMIC = ("CONDA_PREFIX", "CONDA_DEFAULT_ENV", "CONDA_PROMPT_MODIFIER", "CONDA_SHLVL")
"""What describes the top of the stack: all of it or nothing."""

BENEATH = ("CONDA_PREFIX_1", "CONDA_PREFIX_2", "CONDA_STACKED_2", "CONDA_STACKED_3")

_LEVEL = re.compile(rb"\s*(\d{1,3})\s*\Z")


@dataclass(frozen=True)
class Stack:
    """What conda finds when it is asked to activate or to deactivate.

    ``level`` is 0 when nothing is on; ``below`` is the prefix one level down, b"" when there is none, and None when
    there is one that the shell did not tell.
    """

    level: int = 0
    prefix: bytes = b""
    below: bytes | None = b""


def read(variables: Mapping[str, bytes]) -> Stack:
    """The stack as conda would take it; a broken one is empty."""
    level, prefix = _level(variables), variables.get("CONDA_PREFIX", b"")
    if not level or not prefix or is_broken(variables):
        return Stack()
    if level == 1:
        return Stack(1, prefix)
    if level - 1 > SENT_BELOW:
        return Stack(level, prefix, None)
    return Stack(level, prefix, variables.get(f"CONDA_PREFIX_{level - 1}", b""))


def is_broken(variables: Mapping[str, bytes]) -> bool:
    """Whether conda would fail on these variables: a level without its prefix, or a level that is no number.

    pixi counts the level up as well and keeps what was there under names of its own, so that its hole is none.
    """
    level = _level(variables)
    if level is None:
        return True
    if level > 0 and not variables.get("CONDA_PREFIX"):
        return True
    if level < 2 or level - 1 > SENT_BELOW or variables.get("PIXI_IN_SHELL"):
        return False
    return not variables.get(f"CONDA_PREFIX_{level - 1}")


def popped(variables: Mapping[str, bytes]) -> dict[str, bytes] | None:
    """The variables after the top level is left (PROTOCOL 5.1); None when what lies below was not told."""
    stack = read(variables)
    result = {name: value for name, value in variables.items() if name not in ATOMIC}
    if stack.below is None:
        return None
    result["CONDA_SHLVL"] = b"%d" % max(stack.level - 1, 0)
    former, binaries = stack.prefix + b"/bin", []
    if stack.below:
        result.pop(f"CONDA_PREFIX_{stack.level - 1}", None)
        result["CONDA_PREFIX"] = stack.below
        if is_root(stack.below, variables):
            result["CONDA_DEFAULT_ENV"] = b"base"
        binaries = [stack.below + b"/bin"]
    entries = variables.get("PATH", b"").split(b":")
    if stack.prefix and former in entries:
        at = entries.index(former)
        entries[at : at + 1] = binaries
        result["PATH"] = b":".join(entries)
    return result


def is_root(prefix: bytes, variables: Mapping[str, bytes]) -> bool:
    """Whether the shell's own conda lives in ``prefix``, which makes it ``base``."""
    return prefix != b"" and (
        variables.get("_CONDA_ROOT") == prefix or variables.get("CONDA_EXE") == prefix + b"/bin/conda"
    )


def base(variables: Mapping[str, bytes]) -> bytes:
    """The base of conda when it is what lies on top of the stack, else b""."""
    prefix = variables.get("CONDA_PREFIX", b"")
    named = variables.get("CONDA_DEFAULT_ENV") == b"base"
    return prefix if prefix and (named or is_root(prefix, variables)) else b""


def without(variables: Mapping[str, bytes]) -> dict[str, bytes]:
    """The variables without any of conda's stack."""
    return {name: value for name, value in variables.items() if name not in ATOMIC + BENEATH}


def _level(variables: Mapping[str, bytes]) -> int | None:
    """``CONDA_SHLVL`` as a number, 0 when it is not set; None when it is something else."""
    text = variables.get("CONDA_SHLVL", b"").strip()
    if not text:
        return 0
    match = _LEVEL.match(text)
    level = int(match[1]) if match else None
    return level if level is not None and level <= LEVELS_LIMIT else None
