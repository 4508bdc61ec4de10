"""Is this daemon still the one that shells can reach, and small enough to stay?"""

from __future__ import annotations

import os
import resource
import stat
import sys

from alight.paths import Places

MEMORY_LIMIT = 256 * 1024 * 1024
"""Octets of resident memory; above it something leaks or attacks, and a restart is cheap."""


class SelfCheck:
    """Remembers the runtime directory and the lock as they were at the start."""

    def __init__(self, places: Places, uid: int, memory_limit: int = MEMORY_LIMIT) -> None:
        self._places = places
        self._uid = uid
        self._memory_limit = memory_limit
        self._directory = _identity(os.lstat(places.runtime))
        self._lock = _identity(os.lstat(places.lock))

    def complaint(self) -> str:
        """Why the daemon must leave, or ""."""
        try:
            facts = os.lstat(self._places.runtime)
            lock = os.lstat(self._places.lock)
        except OSError as error:
            return f"the runtime directory or its lock is gone ({error.strerror})"
        if _identity(facts) != self._directory or not stat.S_ISDIR(facts.st_mode):
            return "the runtime directory was replaced"
        if facts.st_uid != self._uid or stat.S_IMODE(facts.st_mode) & 0o077:
            return "the runtime directory is open to other users"
        if _identity(lock) != self._lock:
            return "the lock was replaced"
        if resident_memory() > self._memory_limit:
            return f"more than {self._memory_limit // 2**20} MiB of memory in use"
        return ""


def resident_memory() -> int:
    """Octets this process holds in memory; where only the peak is known (macOS), the peak."""
    try:
        with open("/proc/self/statm", "rb") as statm:
            return int(statm.read().split()[1]) * resource.getpagesize()
    except OSError:
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return peak if sys.platform == "darwin" else peak * 1024


def _identity(facts: os.stat_result) -> tuple[int, int]:
    return facts.st_dev, facts.st_ino
