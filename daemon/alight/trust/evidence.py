"""The fingerprint that an approval is bound to."""

from __future__ import annotations

import os
import stat

from alight.digest import sha256
from alight.files.disk import Disk
from alight.model import Environment, Resolution
from alight.projects import NAMING, ROOTS
from alight.text import display
from alight.trust.records import Evidence
from alight.trust.shadows import shadowed
from alight.trust.tracked import is_tracked

FILE_LIMIT = 64 * 1024
FILES_LIMIT = 256
"""Files of one environment that the shell would source or read variables from."""

_CONDA_FOLDERS = (b"etc/conda/activate.d", b"etc/conda/deactivate.d", b"etc/conda/env_vars.d")
_MANIFESTS = frozenset(name for name, _ in NAMING) | ROOTS | {b"envs.toml", b"config.toml"}
"""Evidence that names a tool but no place: it changes with every dependency, the (root, prefix) pair does not."""


def take(disk: Disk, resolution: Resolution) -> Evidence | None:
    """What the resolved environment looks like now; None when there is nothing to look at.

    Inodes of the prefix and its ``bin`` notice a replaced environment; digests cover ``pyvenv.cfg`` and the pointer
    files that led to it, for conda and pixi also what activation runs and the variables it sets.
    """
    environment = resolution.environment
    if environment is None:
        return None
    prefix = environment.prefix
    top, binaries = disk.stat(prefix), disk.stat(prefix + b"/bin")
    if top is None or binaries is None:
        return None
    digests: dict[str, str] = {}
    for path in dict.fromkeys((prefix + b"/pyvenv.cfg", *_sourced(disk, environment), *resolution.evidence)):
        if os.path.basename(path) in _MANIFESTS or path == prefix + b"/conda-meta/history":
            continue
        digest = _digest(disk, path)
        if digest:
            digests[os.fsdecode(disk.realpath(path))] = digest
    return Evidence(
        prefix_inode=top.st_ino,
        bin_inode=binaries.st_ino,
        files=digests,
        shadows=shadowed(disk, prefix),
        tracked=is_tracked(disk, prefix),
    )


def _sourced(disk: Disk, environment: Environment) -> list[bytes]:
    if environment.kind != "conda":
        return []
    prefix = environment.prefix
    found = [prefix + b"/conda-meta/state"]
    for folder in _CONDA_FOLDERS:
        names = sorted(disk.names(prefix + b"/" + folder) or ())[:FILES_LIMIT]
        found += [prefix + b"/" + folder + b"/" + name for name in names]
    return found


def _digest(disk: Disk, path: bytes) -> str:
    content = disk.read(path, FILE_LIMIT)
    if content is not None:
        return sha256(content).hexdigest()
    # Too large to read at a prompt: its times and size stand for it.
    facts = disk.stat(path)
    return f"{facts.st_ino}-{facts.st_size}-{facts.st_mtime_ns}" if facts and stat.S_ISREG(facts.st_mode) else ""


def difference(former: Evidence, now: Evidence) -> str:
    """What changed since the approval, in a person's words; "" when nothing did."""
    if now.tracked and not former.tracked:
        return "git tracks it now"
    added = sorted(set(now.shadows) - set(former.shadows))
    if added:
        return f"its bin now holds {', '.join(added[:4])}"
    if (former.prefix_inode, former.bin_inode) != (now.prefix_inode, now.bin_inode):
        return "it was made anew since you allowed it"
    changed = sorted(
        os.path.basename(name)
        for name in former.files.keys() | now.files.keys()
        if former.files.get(name) != now.files.get(name)
    )
    return f"{display(changed[0])} changed since you allowed it" if changed else ""
