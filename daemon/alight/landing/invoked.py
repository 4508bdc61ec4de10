"""What a Python gets from the way it is started: its name, its options, and the modules it then finds."""

from __future__ import annotations

import re
from dataclasses import replace

from alight.landing import program
from alight.landing.base import Context, Program
from alight.landing.python import has_module, inspect
from alight.model import Reason
from alight.text import display_path

CONDA = frozenset({b"conda", b"mamba", b"micromamba"})
"""Commands that are functions of the shell, which start the program that a variable names."""

_EXECUTABLES = {b"conda": "CONDA_EXE", b"mamba": "MAMBA_EXE", b"micromamba": "MAMBA_EXE"}


def name_of(word: bytes, context: Context, installers: frozenset[str]) -> bytes:
    """The name a tool is known by: the word's own, or for a link by another name that of the installer it leads to."""
    name = word.rpartition(b"/")[2]
    if b"/" not in word or name.decode("utf-8", "replace") in installers:
        return name
    path = context.path(word)
    if context.disk.readlink(path) is None:
        return name
    real = context.disk.realpath(path).rpartition(b"/")[2]
    return real if real.decode("utf-8", "replace") in installers else name


def is_own_package(path: bytes, found: Program, context: Context) -> bool:
    """Whether a package that is run by its path is one for this X.Y; another's may fail to start."""
    python = inspect(found.python, context) if found.python is not None else None
    other = re.search(rb"/((?:python|pypy)\d+\.\d+t?)/", path)
    return python is not None and (other is None or other[1] == python.library)


def is_itself(found: Program, context: Context) -> bool:
    """Whether the program is a Python, and not a script that one runs."""
    return found.problem is None and found.script == found.python and program.is_python(found.script, context)


def called(found: Program, context: Context) -> Program:
    """Under another name (``exec -a``) a Python looks for itself on PATH, and finds its base when it is not there."""
    if context.argv0 is None or found.python is None:
        return found
    named = context.path(context.argv0) if b"/" in context.argv0 else program.on_path(context.argv0, context)
    python = named if named is not None else context.disk.realpath(found.python)
    return replace(found, python=python, because=(*found.because, f"it is told to be {display_path(context.argv0)}"))


def module_problem(name: str, found: Program, context: Context) -> Reason | None:
    """Why ``python -m name`` does not run what is meant; None when it does."""
    within = inside(found, context)
    if not found.flags & {"I", "P"} and within.variable("PYTHONSAFEPATH") is None:
        here = context.path(name.encode())
        if context.disk.is_file(here + b"/__init__.py") or context.disk.is_file(here + b".py"):
            return "unknown-program"
    python = inspect(found.python, within) if found.python is not None else None
    if python is None:
        return "unknown-program"
    return None if has_module(python, name, within) else "no-such-module"


def inside(found: Program | None, context: Context) -> Context:
    """The context as the program's Python sees it: what shims export, and without what its options hide."""
    if found is None or not (found.variables or found.flags & {"E", "I", "s"}):
        return context
    variables = {**context.variables, **found.variables}
    if found.flags & {"E", "I"}:
        variables = {name: value for name, value in variables.items() if not name.startswith("PYTHON")}
    if found.flags & {"s", "I"}:
        variables["PYTHONNOUSERSITE"] = b"1"
    return replace(context, variables=variables)


def conda(name: bytes, context: Context) -> Program | None:
    """The program behind the function, where PATH does not lead to it."""
    path = context.variable(_EXECUTABLES[name])
    return program.find(path, context) if path is not None and b"/" in path else None
