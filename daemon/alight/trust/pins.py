"""Trust in a pinned interpreter: pyenv's, put on PATH by itself where there is no environment and no shim."""

from __future__ import annotations

import os

from alight.errors import BadNews
from alight.files.disk import Disk
from alight.files.ownership import first_offender
from alight.model import Interpreter, Resolution
from alight.text import display_path
from alight.trust.records import Records


def pinned(resolution: Resolution) -> Interpreter | None:
    """The interpreter that may go on PATH, or None."""
    interpreter = resolution.interpreter if resolution.environment is None else None
    return interpreter if interpreter is not None and interpreter.origin == "pyenv" else None


def stamp(resolution: Resolution, records: Records, disk: Disk, uid: int) -> bytes:
    """The record of the user's approval of the pair (root, interpreter's prefix), or b""."""
    interpreter = pinned(resolution)
    if interpreter is None:
        return b""
    disk.stat(os.fsencode(records.directory))
    root, prefix = _pair(resolution, interpreter, disk)
    if records.find("deny", root, b"") is not None:
        return b""
    record = records.find("allow", root, prefix)
    if record is None or first_offender(disk, interpreter.executable, uid):
        return b""
    return records.path(record.identifier)


def allow(resolution: Resolution, records: Records, disk: Disk, uid: int) -> str:
    """Record the approval and say so; "" when no interpreter is pinned. Raises BadNews when it may not be trusted."""
    interpreter = pinned(resolution)
    if interpreter is None:
        return ""
    if offender := first_offender(disk, interpreter.executable, uid):
        raise BadNews(
            f"{display_path(offender)} belongs to somebody else or can be written by others",
            f"look at it: ls -ld {display_path(offender)}",
        )
    root, prefix = _pair(resolution, interpreter, disk)
    records.write("allow", root, prefix, None)
    for denied in [
        record for record in records.all() if record.decision == "deny" and os.fsencode(record.root) == root
    ]:
        records.remove(denied.identifier)
    return f"allowed Python {interpreter.python_version} in {display_path(interpreter.prefix)}"


def _pair(resolution: Resolution, interpreter: Interpreter, disk: Disk) -> tuple[bytes, bytes]:
    return disk.realpath(resolution.root or resolution.directory), disk.realpath(interpreter.prefix)
