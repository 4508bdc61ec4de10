"""Whether git tracks an environment, read from the index file without running git.

Format: git's Documentation/gitformat-index (versions 2, 3 and 4).
"""

from __future__ import annotations

import os
import struct

from alight.files.disk import Disk

INDEX_LIMIT = 64 * 1024 * 1024
_POINTER_LIMIT = 4096
_ENTRY_HEAD = 62
_EXTENDED = 0x4000


def is_tracked(disk: Disk, prefix: bytes) -> bool:
    """True when the index of the repository around ``prefix`` lists anything at or below it.

    An index that cannot be read or understood counts as tracking: the user is asked then.
    """
    found = _repository(disk, prefix)
    if found is None:
        return False
    top, index = found
    if disk.stat(index) is None:
        return False
    content = disk.read(index, INDEX_LIMIT)
    if content is None:
        return True
    relative = os.path.relpath(disk.realpath(prefix), disk.realpath(top))
    return _lists(content, relative)


def _repository(disk: Disk, prefix: bytes) -> tuple[bytes, bytes] | None:
    level = os.path.dirname(prefix)
    for _ in range(64):
        marker = level.rstrip(b"/") + b"/.git"
        facts = disk.stat(marker)
        if facts is not None:
            pointer = disk.read(marker, _POINTER_LIMIT)
            if pointer is None:
                return level, marker + b"/index"
            target = pointer.partition(b"gitdir:")[2].strip().split(b"\n")[0]
            return level, os.path.join(level, target) + b"/index"
        if level in (b"/", b""):
            return None
        level = os.path.dirname(level)
    return None


def _lists(content: bytes, relative: bytes) -> bool:
    if content[:4] != b"DIRC" or len(content) < 12:
        return True
    version, count = struct.unpack(">II", content[4:12])
    below = relative + b"/"
    if version in (2, 3):
        # names stand whole and are followed by NUL, so a plain search is exact enough to say no
        if content.find(below) < 0 and content.find(relative + b"\0") < 0:
            return False
    elif version != 4:
        return True
    position, name = 12, b""
    for _ in range(count):
        start = position
        if position + _ENTRY_HEAD > len(content):
            return True
        flags = struct.unpack(">H", content[position + 60 : position + 62])[0]
        position += _ENTRY_HEAD + (2 if version >= 3 and flags & _EXTENDED else 0)
        if version == 4:
            strip, position = _offset(content, position)
            end = content.find(b"\0", position)
            if end < 0:
                return True
            name = name[: len(name) - strip] + content[position:end]
            position = end + 1
        else:
            end = content.find(b"\0", position)
            if end < 0:
                return True
            name = content[position:end]
            position = start + ((end - start) // 8 + 1) * 8
        if name == relative or name.startswith(below):
            return True
    return False


def _offset(content: bytes, position: int) -> tuple[int, int]:
    """git's variable-length offset: seven bits an octet, each continuation adds one (varint.c)."""
    value = content[position] & 0x7F
    while position < len(content) - 1 and content[position] & 0x80:
        position += 1
        value = ((value + 1) << 7) | (content[position] & 0x7F)
    return value, position + 1
