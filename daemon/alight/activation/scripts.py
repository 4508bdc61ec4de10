"""Files that a shell sources when an environment is entered or left: conda's, and on request virtualenvwrapper's."""

from __future__ import annotations

import stat
from dataclasses import replace

from alight.activation.changes import Changes
from alight.files.disk import Disk, join
from alight.systems.base import Facts

ACTIVATE = b"etc/conda/activate.d"
DEACTIVATE = b"etc/conda/deactivate.d"


def activating(prefix: bytes, shell: str, disk: Disk) -> tuple[bytes, ...]:
    """``activate.d`` in conda's order: by name, octet by octet; ``.fish`` for fish and ``.sh`` for all others."""
    return _scripts(join(prefix, ACTIVATE), shell, disk)


def deactivating(prefix: bytes, shell: str, disk: Disk) -> tuple[bytes, ...]:
    """``deactivate.d`` in conda's order, which is from the last name to the first."""
    return _scripts(join(prefix, DEACTIVATE), shell, disk)[::-1]


def is_wrapped(prefix: bytes, facts: Facts) -> bool:
    """Whether virtualenvwrapper's folder holds this environment: ``$WORKON_HOME``, or ``~/.virtualenvs``."""
    home = facts.override_path("WORKON_HOME") or join(facts.home, b".virtualenvs")
    parent = prefix.rpartition(b"/")[0]
    return parent == home or (parent != b"" and facts.disk.realpath(parent) == facts.disk.realpath(home))


def wrapper_hooks(prefix: bytes, name: bytes, disk: Disk) -> tuple[bytes, ...]:
    """The hooks of one name in virtualenvwrapper's order: the common one first on the way in, last on the way out."""
    common, own = join(prefix.rpartition(b"/")[0], name), join(prefix, b"bin/" + name)
    ordered = (common, own) if name == b"postactivate" else (own, common)
    return tuple(path for path in ordered if is_safe(path, disk))


def is_safe(path: bytes, disk: Disk) -> bool:
    """The hooks' own test of a file they source: regular, no link, ours or root's, and nobody else can write it."""
    facts = disk.lstat(path)
    return (
        facts is not None
        and stat.S_ISREG(facts.st_mode)
        and facts.st_uid in {disk.uid, 0}
        and not facts.st_mode & (stat.S_IWGRP | stat.S_IWOTH)
        and not any(octet < 0x20 or octet == 0x7F for octet in path)
    )


def _scripts(directory: bytes, shell: str, disk: Disk) -> tuple[bytes, ...]:
    suffix = b".fish" if shell == "fish" else b".sh"
    names = sorted(name for name in disk.names(directory) or () if name.endswith(suffix))
    return tuple(path for name in names if is_safe(path := join(directory, name), disk))


def wrapped(changes: Changes, prefix: bytes, facts: Facts) -> Changes:
    """``changes`` with virtualenvwrapper's hooks, where the environment is in its folder."""
    if not is_wrapped(prefix, facts):
        return changes
    return replace(
        changes,
        run=wrapper_hooks(prefix, b"postactivate", facts.disk),
        on_leave=wrapper_hooks(prefix, b"predeactivate", facts.disk),
        after_leave=wrapper_hooks(prefix, b"postdeactivate", facts.disk),
    )
