"""What the emitter says: hints about folders, and what became of the wish to watch one."""

from __future__ import annotations

import enum
from dataclasses import dataclass, field

from alight.watch.names import Weight


@dataclass(frozen=True)
class Hint:
    """Something happened in a watched folder, to this name in it."""

    folder: bytes
    weight: Weight
    name: bytes = field(default=b"", compare=False)


class Missed(enum.Enum):
    """Why events of every folder may have been missed."""

    OVERFLOW = "more came than the kernel keeps"
    GAP = "the machine slept, the daemon was stopped, or a clock was set"


@dataclass(frozen=True)
class Lost:
    """What is known of a watched folder no longer holds; without a folder, of all of them, and ``missed`` says why."""

    folder: bytes | None = None
    missed: Missed | None = None


class Outcome(enum.Enum):
    """What became of the wish to watch a folder."""

    KEPT = "this very directory is watched already"
    NEW = "watched from now on; if the path was watched before, it is another directory now"
    ABSENT = "there is no such directory, or it may not be read"
    FULL = "the system's limit of watches is reached"
    CLOSED = "the system's limit of inotify instances, or of open files, is reached"
    REMOTE = "it lies on a network disk, where the kernel tells only what this machine does"
