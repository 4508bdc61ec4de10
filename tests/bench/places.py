"""What a tool of the comparison is given and what it gives back; why it cannot be had."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path

from bench.figures import NOT_INSTALLED
from bench.playground import Tree

CHECKOUT = Path(__file__).resolve().parents[2]
PROOF = "command -v python python3"
"""What is typed to see whether a tool does its job: the project's ``python`` is named, and none outside."""


class ToolMissing(Exception):
    """The tool cannot be had here; the text says what would help."""


class NotInstalled(ToolMissing):
    """The same, of a tool that is compared only where somebody has it: no failure."""

    def __init__(self, why: str) -> None:
        super().__init__(f"{NOT_INSTALLED} ({why})")


@dataclass(frozen=True)
class Place:
    """What a tool is given: its tree, a short private folder for its own files, and the caller's wishes."""

    tree: Tree
    scratch: Path
    mise: str | None = None


@dataclass(frozen=True)
class Ready:
    """A prepared tool: its version, rc lines by shell (none: not for that shell), what it adds to the environment."""

    version: str
    hooks: Mapping[str, str]
    environment: Mapping[str, str] = field(default_factory=dict)
    proof: str = PROOF


@dataclass(frozen=True)
class Tool:
    """A row of the comparison. ``activates`` is false for the shell alone, which must not find an environment."""

    name: str
    open: Callable[[Place], AbstractContextManager[Ready]]
    activates: bool = True


def run(words: list[str], environment: Mapping[str, str]) -> str:
    """The first line a preparing command prints; a tool that cannot be prepared counts as missing."""
    done = subprocess.run(words, env=environment, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise ToolMissing(f"missing: {' '.join(words)} gave {done.returncode}: {done.stderr.strip()[-200:]!r}")
    return done.stdout.strip().splitlines()[0] if done.stdout.strip() else ""
