"""Who, beside us and root, can change what a path leads to."""

from __future__ import annotations

import os
import stat

from alight.files.disk import Disk, join


def first_offender(disk: Disk, path: bytes, uid: int) -> bytes | None:
    """The first component, from the root down, that is not ours or root's, or that others may write; else None.

    Both the path as written and what it really leads to are walked, so that a link is judged by its own owner and by
    every component of its target. A path that leads nowhere offends at its first missing component.
    """
    for start in dict.fromkeys((path, disk.realpath(path))):
        component = b"/"
        for name in (b"", *(part for part in start.split(b"/") if part)):
            component = join(component, name) if name else component
            if fault(disk.permissions(component), uid):
                return component
    return None


def fault(facts: os.stat_result | None, uid: int) -> str:
    """Why these facts let somebody else decide, or an empty string.

    A directory with the sticky bit may be writable by others: they cannot replace our entries in it. A writable group
    whose number is the owner's own is a user private group, which umask 002 relies on.
    """
    if facts is None:
        return "does not exist"
    if facts.st_uid not in {uid, 0}:
        return f"belongs to uid {facts.st_uid}"
    if stat.S_ISLNK(facts.st_mode) or (stat.S_ISDIR(facts.st_mode) and facts.st_mode & stat.S_ISVTX):
        return ""
    if facts.st_mode & stat.S_IWOTH:
        return "is writable by everybody"
    if facts.st_mode & stat.S_IWGRP and facts.st_gid != facts.st_uid:
        return "is writable by its group"
    return ""


def within(tree: bytes, path: bytes) -> bool:
    """True at or below ``tree``, by whole components: /code/proj-old is not inside /code/proj."""
    return path == tree or path.startswith(tree.rstrip(b"/") + b"/")
