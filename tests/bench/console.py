"""What the commands share on their command lines and on the terminal."""

from __future__ import annotations

import argparse
import shlex
import sys
from collections.abc import Mapping
from typing import TypeVar

_Value = TypeVar("_Value")


def tell(text: str) -> None:
    """Progress, on a terminal only."""
    if sys.stderr.isatty():
        print(f"\r\x1b[K{text}", end="", file=sys.stderr, flush=True)


def chosen(known: Mapping[str, _Value], text: str) -> list[_Value]:
    """Those of ``known`` that are named in ``text``, in their own order. Raises ArgumentTypeError for another name."""
    if unknown := sorted(set(text.split(",")) - set(known)):
        raise argparse.ArgumentTypeError(f"{', '.join(unknown)}: not among {', '.join(known)}")
    return [value for name, value in known.items() if name in text.split(",")]


def command(program: str, **chosen_options: str) -> str:
    """The words that measure the same again: options that were chosen, without where the output went."""
    return shlex.join(
        [program, *(word for name, value in chosen_options.items() if value for word in (f"--{name}", value))]
    )


def positive(text: str) -> int:
    """A number from 1. Raises ArgumentTypeError."""
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text}: not a positive number")
    return int(text)
