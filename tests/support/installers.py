"""Environments with tools of which only the layout is real, and what their rules say to a line."""

from __future__ import annotations

import os
from pathlib import Path

from alight.landing import program
from alight.landing.base import Installer, Prediction
from support.callers import caller
from support.playfield import Playfield, write


def with_pip(field: Playfield, prefix: Path, release: str = "23.2.1", minor: str = "3.11") -> Path:
    """The environment, with a pip that is never run, over a base that looks like a program."""
    for interpreter in field.home.glob(".pyenv/versions/*/bin/python3.*"):
        write(interpreter, b"\x7fELF")
    site = prefix / "lib" / f"python{minor}" / "site-packages"
    write(site / "pip" / "__init__.py", f'__version__ = "{release}"\n')
    return with_tool(prefix, "pip")


def with_tool(prefix: Path, name: str) -> Path:
    """The environment, with a script that its Python runs."""
    write(prefix / "bin" / name, f"#!{prefix}/bin/python\n").chmod(0o755)
    return prefix


def ask(installer: Installer, field: Playfield, line: str, **variables: str) -> Prediction | None:
    """What the installer says to a line of plain words."""
    context = caller(field.home, field.home, variables)
    words = tuple(os.fsencode(word) for word in line.split(" "))
    return installer.predict(words, program.find(words[0], context), context)


def lands(installer: Installer, field: Playfield, line: str, **variables: str) -> str:
    """The purelib, below the home."""
    found = ask(installer, field, line, **variables)
    assert found is not None
    assert found.landing is not None, found
    return os.path.relpath(os.fsdecode(found.landing.purelib or found.landing.prefix), field.home)


def ends(installer: Installer, field: Playfield, line: str, **variables: str) -> tuple[str, str]:
    """How it ends without a landing."""
    found = ask(installer, field, line, **variables)
    assert found is not None
    assert found.landing is None, found
    return found.outcome, found.reason
