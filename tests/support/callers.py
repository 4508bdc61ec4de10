"""A caller of a line: where somebody types it, and what that shell exports."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from alight.files.disk import Disk
from alight.files.documents import Documents
from alight.landing.base import Context
from alight.resolver import resolve
from support.playfield import Clock

SYSTEM_PATH = "/usr/local/bin:/usr/bin:/bin"


def caller(
    directory: Path,
    home: Path,
    variables: Mapping[str, str] | None = None,
    *,
    hashed: Mapping[str, str] | None = None,
    functions: tuple[str, ...] = (),
    aliases: Mapping[str, str] | None = None,
) -> Context:
    """A shell in ``directory`` with HOME, PATH and ``variables``, on the real disk as it is now."""
    exported = {"HOME": str(home), "PATH": SYSTEM_PATH, "PWD": str(directory), **(variables or {})}
    octets = {name: os.fsencode(value) for name, value in exported.items()}
    disk = Disk(os.geteuid(), Clock())
    where = os.fsencode(home)
    return Context(
        directory=os.fsencode(directory),
        variables=octets,
        disk=disk,
        documents=Documents(disk),
        home=where,
        resolve=lambda place: resolve(place, octets, disk, where),
        hashed={os.fsencode(word): os.fsencode(path) for word, path in (hashed or {}).items()},
        functions=frozenset(os.fsencode(name) for name in functions),
        aliases={os.fsencode(name): os.fsencode(text) for name, text in (aliases or {}).items()},
    )
