"""Where conda and mamba are installed, and where their named environments lie, without running them (rules 1.7).

PATH is no part of an answer, so a ``condabin`` in it is not a source; ``CONDA_EXE`` and ``MAMBA_EXE`` say the same.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator

from alight.files.disk import join
from alight.interpreters import pyenv_root
from alight.systems import condarc, prefixes
from alight.systems.base import Facts, normalise

REGISTERED_LIMIT = 16384
"""Lines of ``environments.txt``."""

REGISTRY_OCTETS = 2 * 1024 * 1024

USUAL = (
    b"miniconda3", b"anaconda3", b"miniforge3", b"mambaforge", b"micromamba", b"miniforge-pypy3", b"mambaforge-pypy3",
    b"miniconda", b"anaconda", b"opt/miniconda3", b"opt/anaconda3",
)  # fmt: skip
"""Places below the home directory, most usual first."""

SHARED = (b"/opt/conda", b"/opt/miniconda3", b"/opt/anaconda3", b"/opt/miniforge3")
BREWED = tuple(
    base + b"/Caskroom/" + cask + b"/base"
    for base in (b"/opt/homebrew", b"/usr/local")
    for cask in (b"miniforge", b"miniconda", b"anaconda", b"mambaforge")
)
BASE = frozenset({b"base", b"root"})

_PYENV = re.compile(rb"(?:mini|ana|mamba)(?:conda|forge)")
_PROGRAM = re.compile(rb"(/[^ ]*?)/(?:bin/|condabin/|lib/python\d[^/ ]*/site-packages/)(?:conda|mamba)\b")


def roots(facts: Facts) -> tuple[bytes, ...]:
    """The installations: those the shell names, whether or not they are complete, and the others that are there."""
    return tuple(dict.fromkeys((*_named(facts), *_found(facts))))


def is_root(path: bytes, facts: Facts) -> bool:
    """True for a prefix with ``condabin`` or ``envs`` that is nobody's named environment, and for micromamba's root."""
    disk = facts.disk
    if not disk.is_directory(path):
        return False
    environments = disk.is_directory(join(path, b"envs"))
    if not prefixes.stands(path, disk):
        return environments and disk.is_directory(join(path, b"pkgs"))
    owner = _pool_owner(path)
    if owner is not None and (prefixes.stands(owner, disk) or disk.is_directory(join(owner, b"pkgs"))):
        return False
    return environments or disk.is_directory(join(path, b"condabin"))


def envs_dirs(facts: Facts) -> tuple[bytes, ...]:
    """Where a name is looked for, first to last: what is set, then the directories of every root and the user's own."""
    known = roots(facts)
    first = known[0] if known else None
    own = join(facts.home, b".conda/envs")
    fixed: tuple[bytes, ...] = ()
    if first is not None:
        shared = join(first, b"envs")
        fixed = (shared, own) if _is_writable(first, facts) else (own, shared)
    others = (join(root, b"envs") for root in known[1:])
    return tuple(dict.fromkeys((*condarc.read(first, facts).envs_dirs, *fixed, *others, own)))


def find(name: bytes, facts: Facts) -> bytes | None:
    """The prefix of a name: the first of ``envs_dirs`` that has it; ``base`` is the first root itself."""
    if name in BASE:
        return next((root for root in roots(facts) if prefixes.is_prefix(root, facts.disk)), None)
    for directory in envs_dirs(facts):
        prefix = join(directory, name)
        if prefixes.stands(prefix, facts.disk):
            return prefix
    return None


def registered(facts: Facts) -> Iterator[bytes]:
    """The lines of ``~/.conda/environments.txt``; tools drop from it what they cannot see, so it only ever adds."""
    content = facts.disk.read(join(facts.home, b".conda/environments.txt"), REGISTRY_OCTETS) or b""
    for line in content.splitlines()[:REGISTERED_LIMIT]:
        path = line.strip()
        if path.startswith(b"/") and b"\0" not in path and len(path) <= 4096:
            yield normalise(path)


def root_of(prefix: bytes, facts: Facts) -> bytes | None:
    """The installation a prefix belongs to: itself, the one in whose ``envs`` it lies, the shell's, or its maker.

    None when nothing tells, as for a prefix that pixi or a removed conda made.
    """
    if is_root(prefix, facts):
        return prefix
    owner = _pool_owner(prefix)
    if owner is not None and is_root(owner, facts):
        return owner
    chosen = next(iter(_named(facts)), None)
    if chosen is not None:
        return chosen
    for command in prefixes.commands(prefix, facts.disk)[:1]:
        match = _PROGRAM.match(command)
        if match is not None and is_root(match.group(1), facts):
            return match.group(1)
    return None


def name_of(prefix: bytes, facts: Facts) -> str:
    """``CONDA_DEFAULT_ENV``: ``base`` for a root, the last part below a directory called ``envs``, else the path.

    As conda says it: another installation than the shell's own is shown by its path. Octets that are not UTF-8 are
    surrogates.
    """
    chosen = next(iter(_named(facts)), None)
    if prefix == chosen or (chosen is None and is_root(prefix, facts)):
        return "base"
    parent, _, name = prefix.rpartition(b"/")
    return os.fsdecode(name if parent.rpartition(b"/")[2] == b"envs" else prefix)


def settings(prefix: bytes, facts: Facts) -> condarc.Settings:
    """The settings of the installation that a prefix belongs to."""
    return condarc.read(root_of(prefix, facts), facts)


def _named(facts: Facts) -> Iterator[bytes]:
    """The roots the shell's variables name, the one conda itself would use first."""
    program = facts.override_path("CONDA_EXE")
    for path in (_above(program), facts.override_path("_CONDA_ROOT"), facts.override_path("MAMBA_ROOT_PREFIX")):
        if path is not None and facts.disk.is_directory(path):
            yield path
    path = _above(facts.override_path("MAMBA_EXE"))
    if path is not None and is_root(path, facts):
        yield path


def _found(facts: Facts) -> Iterator[bytes]:
    """The roots that are evident from the user's registry and the usual places."""
    owners = dict.fromkeys(owner for path in registered(facts) if (owner := _pool_owner(path)) is not None)
    versions = join(pyenv_root(facts.overrides, facts.home), b"versions")
    candidates = (
        *owners,
        *(join(facts.home, name) for name in USUAL),
        join(facts.data_home(), b"mamba"),
        *SHARED,
        *(BREWED if facts.platform == "darwin" else ()),
        *(join(versions, name) for name in facts.disk.folders(versions) if _PYENV.match(name)),
    )
    for path in candidates:
        if is_root(path, facts):
            yield path


def _above(program: bytes | None) -> bytes | None:
    """The root of ``<root>/bin/conda`` or ``<root>/condabin/conda``."""
    directory = (program or b"").rpartition(b"/")[0]
    root, _, name = directory.rpartition(b"/")
    return root if root and name in {b"bin", b"condabin"} else None


def _pool_owner(prefix: bytes) -> bytes | None:
    """``<root>`` of ``<root>/envs/<name>``."""
    parent = prefix.rpartition(b"/")[0]
    root, _, name = parent.rpartition(b"/")
    return root if root and name == b"envs" else None


def _is_writable(root: bytes, facts: Facts) -> bool:
    """What conda finds by opening the root's history for writing; micromamba's root has none, and is its user's."""
    own = facts.disk.permissions(join(root, prefixes.HISTORY)) or facts.disk.permissions(root)
    if own is None or facts.disk.uid == 0:
        return True
    return bool(own.st_mode & (0o200 if own.st_uid == facts.disk.uid else 0o002))
