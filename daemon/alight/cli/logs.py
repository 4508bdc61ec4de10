"""The daemon's log as lines: its end, and what is added to it."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path

_BLOCK = 64 * 1024
_PAUSE_SECONDS = 0.2


def last_lines(file: Path, count: int) -> tuple[list[bytes], int]:
    """The last ``count`` lines, read from the end, and the position after them; raises OSError."""
    with file.open("rb") as stream:
        end = position = stream.seek(0, os.SEEK_END)
        tail = b""
        while position and tail.count(b"\n") <= count:
            step = min(_BLOCK, position)
            position -= step
            stream.seek(position)
            tail = stream.read(step) + tail
    lines = tail.split(b"\n")
    if not lines[-1]:
        lines.pop()
    return lines[-count:] if count else [], end


def added_lines(file: Path, position: int) -> Iterator[bytes]:
    """Lines written after ``position``, for ever; a log that was rotated is read from its new beginning."""
    identity = _identity(file)
    pending = b""
    while True:
        try:
            with file.open("rb") as stream:
                facts = os.fstat(stream.fileno())
                if (facts.st_dev, facts.st_ino) != identity or facts.st_size < position:
                    identity, position, pending = (facts.st_dev, facts.st_ino), 0, b""
                stream.seek(position)
                data = stream.read()
        except FileNotFoundError:  # between the two steps of a rotation
            data = b""
        position += len(data)
        *complete, pending = (pending + data).split(b"\n")
        yield from complete
        if not data:
            time.sleep(_PAUSE_SECONDS)


def _identity(file: Path) -> tuple[int, int]:
    facts = file.stat()
    return facts.st_dev, facts.st_ino
