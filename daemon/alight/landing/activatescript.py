"""What an environment's ``activate`` does to the shell that sources it, read and never run (landing rules 1.15)."""

from __future__ import annotations

import re
import shlex

from alight.files.disk import Disk
from alight.wire.facts import is_landing

_ASSIGNED = re.compile(rb"^[ \t]*(?:export[ \t]+|set -gx[ \t]+)?VIRTUAL_ENV(?:=|[ \t]+)([^\n]+)$", re.MULTILINE)
_SEARCHED = re.compile(
    rb"""^[ \t]*(?:PATH=["']?\$\{?VIRTUAL_ENV\}?["']*/["']*bin["']*:\$\{?PATH\}?["']?"""
    rb"""|set -gx PATH ["']?\$VIRTUAL_ENV["']*/bin["']? \$PATH)[ \t]*$""",
    re.MULTILINE,
)
_EXPORTED = re.compile(
    r"^[ \t]*(?:export[ \t]+|set -g?x[ \t]+|declare -x[ \t]+|typeset -x[ \t]+)([A-Za-z_]\w*)", re.MULTILINE | re.ASCII
)
_RELOCATABLE = re.compile(rb"realpath -- (?:\"\$SCRIPT_PATH\"|\(status -f\))")
_OWN = frozenset({"PATH", "VIRTUAL_ENV", "VIRTUAL_ENV_PROMPT", "PYTHONHOME", "_OLD_VIRTUAL_PATH"})


def environment_of(path: bytes, disk: Disk) -> bytes | None:
    """The ``VIRTUAL_ENV`` that sourcing the file sets, its ``bin`` first on PATH; None for any other script.

    It is the path written in the file: a moved or copied environment keeps the former one.
    """
    content = disk.read(path)
    if not content or b"deactivate" not in content or not _SEARCHED.search(content):
        return None
    if any(is_landing(name) and name not in _OWN for name in _EXPORTED.findall(content.decode("latin-1"))):
        return None
    values = [value.strip() for value in _ASSIGNED.findall(content) if b"cygpath" not in value]
    if len(set(values)) != 1:
        return None
    if _RELOCATABLE.search(values[0]):
        return disk.realpath(path).rpartition(b"/")[0].rpartition(b"/")[0]
    try:
        words = shlex.split(values[0].decode("utf-8", "surrogateescape"))
    except ValueError:
        return None
    if len(words) != 1 or any(mark in values[0] for mark in (b"$", b"`", b"(")) or not words[0].startswith("/"):
        return None
    return words[0].encode("utf-8", "surrogateescape")
