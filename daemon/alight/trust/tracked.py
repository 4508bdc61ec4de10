"""Whether git tracks an environment, read from the index file without running git.

Format: git's Documentation/gitformat-index (versions 2, 3 and 4).
"""

from __future__ import annotations

import os
import struct
from dataclasses import dataclass

from alight.files.disk import Disk

INDEX_LIMIT = 64 * 1024 * 1024
_POINTER_LIMIT = 4096
_LEVELS = 64
_DIGESTS = (20, 32)
"""Octets of an object name: SHA-1 and SHA-256. The index does not say which."""
_STATS = 40
_EXTENDED = 0x4000
_LENGTH = 0x0FFF
_NAME_LIMIT = 4096
_STRIP_OCTETS = 5


class _Malformed(Exception):
    """The octets are no index with digests of this length."""


@dataclass(frozen=True)
class _Repository:
    top: bytes
    index: bytes | None
    """None when ``.git`` does not say where it is."""


def is_tracked(disk: Disk, prefix: bytes) -> bool:
    """True when a git index lists anything at or below ``prefix``, as it is reached or as what it leads to.

    An index that cannot be read or understood counts as tracking: the user is asked then.
    """
    reached = disk.realpath(os.path.dirname(prefix)).rstrip(b"/") + b"/" + os.path.basename(prefix)
    return any(_is_listed(disk, path) for path in dict.fromkeys((reached, disk.realpath(prefix))))


def _is_listed(disk: Disk, path: bytes) -> bool:
    repository = _repository(disk, path)
    if repository is None:
        return False
    if repository.index is None:
        return True
    if disk.stat(repository.index) is None:
        return False
    content = disk.read(repository.index, INDEX_LIMIT)
    return content is None or _lists(content, os.path.relpath(path, repository.top))


def _repository(disk: Disk, path: bytes) -> _Repository | None:
    level = os.path.dirname(path)
    for _ in range(_LEVELS):
        marker = level.rstrip(b"/") + b"/.git"
        if disk.is_directory(marker):
            return _Repository(level, marker + b"/index")
        if disk.exists(marker):
            pointer = disk.read(marker, _POINTER_LIMIT) or b""
            target = pointer.removeprefix(b"gitdir:").rstrip(b"\r\n").lstrip()
            if not pointer.startswith(b"gitdir:") or not target or b"\n" in target:
                return _Repository(level, None)
            return _Repository(level, os.path.join(level, target) + b"/index")
        if level in (b"/", b""):
            return None
        level = os.path.dirname(level)
    return None


def _lists(content: bytes, relative: bytes) -> bool:
    """Whether an index file lists ``relative`` or something below it; True for what is no index."""
    if content[:4] != b"DIRC" or len(content) < 12:
        return True
    version, count = struct.unpack(">II", content[4:12])
    # Where case is ignored, .VENV is .venv.
    wanted = relative.lower()
    if version in (2, 3):
        # Names stand whole in these, so that a plain search is exact enough to say no; a split index has a "link".
        lowered = content.lower()
        if lowered.find(wanted + b"/") < 0 and lowered.find(wanted + b"\0") < 0 and lowered.find(b"link\0\0") < 0:
            return False
    elif version != 4:
        return True
    for digest in _DIGESTS:
        try:
            return _walk(content, version, count, digest, wanted)
        except _Malformed:
            continue
    return True


def _walk(content: bytes, version: int, count: int, digest: int, wanted: bytes) -> bool:
    below, position, name = wanted + b"/", 12, b""
    head = _STATS + digest + 2
    for _ in range(count):
        start = position
        if position + head + 2 > len(content):
            raise _Malformed
        flags = struct.unpack(">H", content[position + head - 2 : position + head])[0]
        position += head + (2 if version >= 3 and flags & _EXTENDED else 0)
        if version == 4:
            strip, position = _offset(content, position)
            if strip > len(name):
                raise _Malformed
            name = name[: len(name) - strip]
        else:
            name = b""
        end = content.find(b"\0", position, position + _NAME_LIMIT)
        if end < 0:
            raise _Malformed
        name += content[position:end]
        if len(name) > _NAME_LIMIT or flags & _LENGTH != min(len(name), _LENGTH):
            raise _Malformed
        position = end + 1 if version == 4 else start + ((end - start) // 8 + 1) * 8
        lowered = name.lower()
        if lowered == wanted or lowered.startswith(below):
            return True
    return _is_split(content, position, digest)


def _is_split(content: bytes, position: int, digest: int) -> bool:
    """Whether an extension says that most entries are in another file (git: core.splitIndex)."""
    while position + 8 <= len(content) - digest:
        if content[position : position + 4] == b"link":
            return True
        position += 8 + struct.unpack(">I", content[position + 4 : position + 8])[0]
    return False


def _offset(content: bytes, position: int) -> tuple[int, int]:
    """Git's variable-length offset: seven bits an octet, each continuation adds one (varint.c)."""
    value = -1
    for octet in content[position : position + _STRIP_OCTETS]:
        position += 1
        value = ((value + 1) << 7) | (octet & 0x7F)
        if not octet & 0x80:
            return value, position
    raise _Malformed
