"""What switching an environment on changes in a shell's variables: the same as its own ``activate``, as data."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass

from alight.activation.dialect import read_dialect
from alight.files.disk import Disk
from alight.model import Environment

_CONTROL = re.compile(rb"[\x00-\x08\x0b-\x1f\x7f]")
_UNFIT = re.compile(rb"[:\x00-\x1f\x7f]")


@dataclass(frozen=True)
class Changes:
    """Everything that one activation does to a shell, in the order of the fields.

    ``run_first`` are files of the environment beneath, ``save`` pairs (new name, name whose value it keeps),
    ``path_add`` directories to put first in PATH (the first one leftmost), ``path_replace`` pairs (old, new), ``run``
    files of the environment itself. ``on_leave`` and ``after_leave`` are the files for the way out.
    """

    set: tuple[tuple[str, bytes], ...] = ()
    unset: tuple[str, ...] = ()
    path_add: tuple[bytes, ...] = ()
    path_remove: tuple[bytes, ...] = ()
    run: tuple[bytes, ...] = ()
    run_first: tuple[bytes, ...] = ()
    save: tuple[tuple[str, str], ...] = ()
    path_replace: tuple[tuple[bytes, bytes], ...] = ()
    on_leave: tuple[bytes, ...] = ()
    after_leave: tuple[bytes, ...] = ()


def changes(environment: Environment, variables: Mapping[str, bytes], shell: str, disk: Disk) -> Changes:
    """The changes that make the venv ``environment`` active in a shell with these exported variables.

    ``variables`` are those before activation; nothing in them is changed. ``shell`` is zsh, bash, fish or sh.
    """
    prefix = environment.prefix
    dialect = read_dialect(disk, prefix, shell)
    virtual_env = _spelling(dialect.virtual_env, prefix, disk)
    assigned: list[tuple[str, bytes]] = [("VIRTUAL_ENV", virtual_env)]
    disabled = bool(variables.get("VIRTUAL_ENV_DISABLE_PROMPT"))
    if dialect.prompt is not None and not (dialect.prompt_optional and disabled):
        assigned.append(("VIRTUAL_ENV_PROMPT", _CONTROL.sub(b"", dialect.prompt)))
    if dialect.pkg_config:
        former = variables.get("PKG_CONFIG_PATH", b"")
        assigned.append(("PKG_CONFIG_PATH", virtual_env + b"/lib/pkgconfig" + (b":" + former if former else b"")))
    if dialect.tcl_library:
        assigned.append(("TCL_LIBRARY", _CONTROL.sub(b"", dialect.tcl_library)))
    if dialect.tk_library:
        assigned.append(("TK_LIBRARY", _CONTROL.sub(b"", dialect.tk_library)))
    home = variables.get("PYTHONHOME")
    clears_home = home is not None and (home != b"" or dialect.clears_empty_pythonhome)
    return Changes(
        set=tuple(assigned),
        unset=("PYTHONHOME",) if clears_home else (),
        path_add=(virtual_env + b"/bin",),
    )


def _spelling(baked: bytes | None, prefix: bytes, disk: Disk) -> bytes:
    """The path baked into the script where it is another spelling of ``prefix`` that may stand in PATH."""
    if baked is None or baked == prefix or _UNFIT.search(baked) or os.path.normpath(baked) != baked:
        return prefix
    return baked if disk.realpath(baked) == disk.realpath(prefix) else prefix
