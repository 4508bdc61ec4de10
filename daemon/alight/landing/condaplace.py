"""Which prefix conda, mamba and micromamba work on, and what is special about it (landing rules 1.7)."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass

from alight.files.disk import join
from alight.landing import schemes
from alight.landing.base import Context, Program
from alight.landing.python import inspect
from alight.landing.standing import is_conda, stop, unknown
from alight.model import Landing
from alight.systems import condaroots, prefixes
from alight.systems.base import Facts, normalise
from alight.systems.pyvenv import clean
from alight.text import display_path

FROZEN = b"conda-meta/frozen"
_BASE = frozenset({b"base", b"root"})
_INVALID = re.compile(rb"[/ :#]")


@dataclass(frozen=True, slots=True)
class Tool:
    """One of the programs: its root prefix and whether it has conda's rules or mamba's."""

    word: str
    root: bytes | None
    is_mamba: bool
    facts: Facts


@dataclass(frozen=True, slots=True)
class Target:
    """The prefix of a command and why; ``is_named`` when the command said so."""

    prefix: bytes
    because: str
    is_named: bool = True


def tool_of(word: str, program: Program, context: Context) -> Tool:
    """What will run: mamba before 2 is a Python program with conda's rules."""
    is_mamba = word == "micromamba" or (word == "mamba" and program.python is None)
    facts = context.facts()
    if is_mamba:
        return Tool(word, _mamba_root(program, context), True, facts)
    python = None if program.python is None else inspect(program.python, context)
    root = None if python is None else python.prefix
    above = _above(program.path)
    root = above if root is None else root
    if root is not None:
        # The directories of names are those of the conda that runs, whatever the shell knows of others.
        facts = context.inside(context.directory, CONDA_EXE=join(root, b"bin/conda")).facts()
    return Tool(word, root, False, facts)


def named(name: bytes, tool: Tool, context: Context, *, making: bool = False) -> bytes:
    """The prefix that ``-n`` means; raises ``Ending`` for what is no name."""
    if name in _BASE:
        if tool.root is None:
            raise unknown("unknown-settings", "it is not known where the base environment is")
        return tool.root
    if tool.is_mamba:
        if b"/" in name:
            return normalise(context.path(name))
        if tool.root is None:
            raise unknown("unknown-settings", "it is not known where mamba keeps its environments")
        return join(join(tool.root, b"envs"), name)
    if _INVALID.search(name):
        raise stop("bad-options", f"{display_path(name)} is no name of an environment")
    directories = condaroots.envs_dirs(tool.facts)
    for directory in directories:
        if is_conda(join(directory, name), context):
            return join(directory, name)
    if making:
        writable = next((one for one in directories if schemes.can_write(one, context)), None)
        if writable is None:
            raise stop("not-writable", "no directory for environments can be written")
        return join(writable, name)
    raise stop("no-environment", f"no environment is called {display_path(name)}")


def default(tool: Tool, context: Context, *, removing: bool = False) -> Target:
    """The prefix of a command that names none; raises ``Ending``."""
    if tool.is_mamba and (chosen := context.variable("MAMBA_TARGET_PREFIX")) is not None:
        return Target(normalise(context.path(chosen)), "MAMBA_TARGET_PREFIX is set")
    active = context.variable("CONDA_PREFIX")
    if active is not None:
        return Target(normalise(context.path(active)), f"CONDA_PREFIX is {display_path(active)}", is_named=False)
    if tool.is_mamba and removing:
        raise stop("no-environment", f"{tool.word} remove wants an active environment")
    name = context.variable("CONDA_DEFAULT_ENV")
    if name is not None:
        prefix = normalise(context.path(name)) if b"/" in name else named(name, tool, context)
        return Target(prefix, f"CONDA_DEFAULT_ENV is {display_path(name)}", is_named=False)
    if tool.root is None:
        raise unknown("unknown-settings", "it is not known where the base environment is")
    return Target(tool.root, "no environment is active, so it is the base", is_named=False)


def is_base(prefix: bytes, tool: Tool, context: Context) -> bool:
    """Whether the prefix is an installation itself."""
    if tool.root is not None and context.disk.realpath(prefix) == context.disk.realpath(tool.root):
        return True
    return condaroots.is_root(prefix, tool.facts)


def landing_of(prefix: bytes, tool: Tool, context: Context, *, creates: bool = False) -> Landing:
    """Where packages go; ``purelib`` is None for a prefix without a Python."""
    libraries = () if creates else prefixes.python(prefix, context.disk)[1]
    purelib = join(prefix, b"lib/" + libraries[0] + b"/site-packages") if libraries else None
    name = condaroots.name_of(prefix, tool.facts)
    shown = display_path(os.fsencode(name)) if name.startswith("/") else clean(name)
    if is_base(prefix, tool, context):
        shown = "base"
    exists = not creates or is_conda(prefix, context)
    return Landing(join(prefix, b"bin/python"), prefix, "conda", purelib, "conda", shown, exists)


def is_frozen(prefix: bytes, context: Context) -> bool:
    """Whether the prefix asks to be left alone (CEP 22)."""
    return context.disk.exists(join(prefix, FROZEN))


def _mamba_root(program: Program, context: Context) -> bytes | None:
    chosen = context.variable("MAMBA_ROOT_PREFIX")
    if chosen is not None:
        return normalise(context.path(chosen))
    facts = context.facts()
    above = _above(context.disk.realpath(program.script))
    if above is not None and condaroots.is_root(above, facts):
        return above
    usual = join(context.home, b"micromamba")
    if condaroots.is_root(usual, facts):
        return usual
    return join(facts.data_home(), b"mamba")


def _above(path: bytes) -> bytes | None:
    directory = path.rpartition(b"/")[0]
    root, _, name = directory.rpartition(b"/")
    return root if root and name in {b"bin", b"condabin"} else None
