"""The lifetime lock: at most one daemon per runtime directory.

``flock`` ends with the process however it dies. The text inside says who holds it, for people and for the last
resort of ``stop``; it proves nothing.
"""

from __future__ import annotations

import fcntl
import os
import time
from dataclasses import dataclass

from alight import __version__
from alight.errors import AlreadyServing, UnsafeDirectory
from alight.paths import Places, secure

_RETRIES = 10
_RETRY_SECONDS = 0.02


@dataclass(frozen=True)
class Holder:
    """Who holds the lock, by its own word; ``pid`` is 0 while it is just starting."""

    pid: int
    version: str


class Lock:
    """The lock while it is held; ``release`` or the end of the process frees it."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    @classmethod
    def take(cls, places: Places, uid: int) -> Lock:
        """Take the lock, making the runtime directory if needed; raises AlreadyServing and UnsafeDirectory."""
        directory = secure(places.runtime, uid)
        try:
            descriptor = _open(directory, places, os.O_RDWR | os.O_CREAT)
        finally:
            os.close(directory)
        # A look at the lock (``holder``) holds it shared for an instant.
        for attempt in range(_RETRIES):
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if attempt == _RETRIES - 1:
                    found = _read(descriptor)
                    os.close(descriptor)
                    raise AlreadyServing(
                        f"another daemon (pid {found.pid}, version {found.version}) serves {places.runtime}"
                    ) from None
                time.sleep(_RETRY_SECONDS)
        os.ftruncate(descriptor, 0)
        os.write(descriptor, f"{os.getpid()} {__version__}\n".encode())
        return cls(descriptor)

    def release(self) -> None:
        """Free the lock. The file stays: removing it would let two daemons lock two files of one name."""
        os.ftruncate(self._descriptor, 0)
        os.close(self._descriptor)


def holder(places: Places, uid: int) -> Holder | None:
    """Who holds the lock now, or None; raises UnsafeDirectory when the runtime directory is not ours alone."""
    if not os.path.lexists(places.runtime):
        return None
    directory = secure(places.runtime, uid, create=False)
    try:
        descriptor = _open(directory, places, os.O_RDONLY)
    except FileNotFoundError:
        return None
    finally:
        os.close(directory)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return _read(descriptor)
    finally:
        os.close(descriptor)
    return None


def _open(directory: int, places: Places, flags: int) -> int:
    try:
        return os.open(places.lock.name, flags | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600, dir_fd=directory)
    except FileNotFoundError:
        raise
    except OSError as error:
        raise UnsafeDirectory(f"{places.lock} cannot be used ({error.strerror})", f"rm {places.lock}") from error


def _read(descriptor: int) -> Holder:
    words = os.pread(descriptor, 256, 0).decode("utf-8", "replace").split()
    if len(words) != 2 or not words[0].isdigit():
        return Holder(0, "unknown")
    return Holder(int(words[0]), words[1])
