"""Keeps the wanted folders armed: waits for those that are missing, notices those that were replaced.

Folders go and come back, and a moved parent gives no event at all, so every wanted folder is looked at again once a
minute. For a missing one its nearest existing parent is watched; where that cannot be, it is tried again, less and
less often (rules/reliability.md faults 25 and 27).
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Protocol

from alight.clock import Clock
from alight.watch.hints import Missed, Outcome
from alight.watch.mounts import Mount, Mounts

FIRST_RETRY_SECONDS = 1.0
"""The pause before a missing folder is tried again; it doubles up to RECONCILE_SECONDS."""

RECONCILE_SECONDS = 60.0

REQUEST_SPACING_SECONDS = 0.1
"""A missing folder is tried again on request only after this."""

RACY_NS = 500_000_000
"""A folder changed so shortly before it was asked for may have changed after the answer was read."""

CLIMB_LIMIT = 4
"""How often a folder is tried again because its parent's next part appeared meanwhile."""

_ARMED = (Outcome.KEPT, Outcome.NEW)
_REFUSED = (Outcome.FULL, Outcome.CLOSED)


class Arms(Protocol):
    """What the emitter offers."""

    def __len__(self) -> int: ...

    def holds(self, folder: bytes) -> bool:
        """See ``Emitter.holds``."""

    def arm(self, folder: bytes) -> Outcome:
        """See ``Emitter.arm``."""

    def drop(self, folders: Iterable[bytes]) -> None:
        """See ``Emitter.drop``."""


@dataclass(frozen=True)
class Missing:
    """A folder that could not be armed: when it was tried last, how long to wait since (monotonic seconds).

    ``parent`` is watched in its stead, or None: then it is polled.
    """

    tried: float
    pause: float
    outcome: Outcome
    parent: bytes | None = None


class Watches:
    """The state of every wanted folder. One thread changes it; properties and ``overdue`` may be read from others.

    Methods that look at folders return those that have news: they appeared, went, or are other directories now.
    """

    def __init__(self, arms: Arms, clock: Clock, mounts: Mounts | None = None) -> None:
        self._arms = arms
        self._clock = clock
        self._mounts = mounts
        self._wanted: set[bytes] = set()
        self._missing: dict[bytes, Missing] = {}
        self._remote: dict[bytes, Mount] = {}
        # parent -> the missing folders it is watched for, each with the part of its path that is awaited there
        self._parents: dict[bytes, dict[bytes, bytes]] = {}
        self._awaited: dict[bytes, frozenset[bytes]] = {}
        self._refused: Outcome | None = None
        self._missed: Missed | None = None
        self._reconciled = clock.monotonic()

    def __len__(self) -> int:
        """Wanted folders that are watched."""
        return len(self._wanted) - len(self._missing)

    @property
    def full(self) -> Outcome | None:
        """From the moment the system refuses a watch until the next look finds room: what it refused."""
        return self._refused

    @property
    def missed(self) -> Missed | None:
        """From the moment events were missed until a later look at everything, which is due within a minute: why."""
        return self._missed

    @property
    def remote(self) -> tuple[Mount, ...]:
        """The network disks on which wanted folders lie."""
        return tuple(dict.fromkeys(tuple(self._remote.values())))

    def awaited(self, folder: bytes) -> frozenset[bytes]:
        """The names whose appearance in this folder may bring a missing one."""
        return self._awaited.get(folder, frozenset())

    def waiting_for(self, folder: bytes, name: bytes = b"") -> tuple[bytes, ...]:
        """The missing folders for which this one is watched; with a name, those that wait for it."""
        waiting = self._parents.get(folder, {})
        return tuple(missing for missing, awaited in waiting.items() if name in {b"", awaited})

    def overdue(self, folders: Iterable[bytes]) -> tuple[bytes, ...]:
        """Those that are missing and may be tried again on request."""
        if self.full:
            return ()
        latest = self._clock.monotonic() - REQUEST_SPACING_SECONDS
        return tuple(
            folder
            for folder in folders
            if (state := self._missing.get(folder)) and state.tried <= latest and state.outcome is Outcome.ABSENT
        )

    def add(self, folders: Iterable[bytes], asked_ns: int) -> set[bytes]:
        """Begin to watch; ``asked_ns`` (wall clock) is when they were asked for."""
        chosen = tuple(folders)
        self._wanted.update(chosen)
        return {folder for folder in chosen if self._try(folder) is Outcome.NEW and _changed(folder, asked_ns)}

    def drop(self, folders: Iterable[bytes]) -> None:
        """Cease to watch."""
        for folder in folders:
            self._wanted.discard(folder)
            self._remote.pop(folder, None)
            self._found(folder)
            if folder not in self._parents:
                self._arms.drop([folder])

    def check(self, folders: Iterable[bytes]) -> set[bytes]:
        """Look at folders again, now."""
        news = set()
        for folder in folders:
            if folder not in self._wanted:
                continue
            held = self._is_watched(folder)
            outcome = self._try(folder)
            if outcome is Outcome.NEW or (held and outcome is not Outcome.KEPT):
                news.add(folder)
        return news

    def lost(self, folder: bytes) -> set[bytes]:
        """What was watched at this path is something else now, or nothing."""
        if folder not in self._wanted:
            self._arms.drop([folder])
        return self.check([*([folder] if folder in self._wanted else ()), *self.waiting_for(folder)])

    def tick(self, wanted: Callable[[], Iterable[bytes]]) -> set[bytes]:
        """Look again at what is due; ``wanted`` gives every folder, for the look at all of them.

        What the system refused has news then, since nobody would tell.
        """
        now = self._clock.monotonic()
        if now - self._reconciled >= RECONCILE_SECONDS:
            return self.reconcile(wanted())
        return self.check([folder for folder, state in self._polled() if state.tried + state.pause <= now])

    def reconcile(self, wanted: Iterable[bytes], missed: Missed | None = None) -> set[bytes]:
        """Look at everything again, because events were ``missed`` or because it is time."""
        self._reconciled, self._refused, self._missed = self._clock.monotonic(), None, missed
        folders = tuple(wanted)
        blind = {folder for folder in folders if (state := self._missing.get(folder)) and state.outcome in _REFUSED}
        for parent in tuple(self._parents):
            if parent not in self._wanted and self._arms.arm(parent) not in _ARMED:
                self._arms.drop([parent])
        return self.check(folders) | blind

    def wait(self) -> float:
        """Seconds until ``tick`` has something to do."""
        due = [self._reconciled + RECONCILE_SECONDS, *(state.tried + state.pause for _, state in self._polled())]
        return max(0.0, min(due) - self._clock.monotonic())

    def _polled(self) -> list[tuple[bytes, Missing]]:
        """The missing folders whose appearance gives no event."""
        if self.full:
            return []
        return [
            (folder, state)
            for folder, state in self._missing.items()
            if state.outcome is Outcome.ABSENT and state.parent is None
        ]

    def _is_watched(self, folder: bytes) -> bool:
        return folder not in self._missing and self._arms.holds(folder)

    def _try(self, folder: bytes) -> Outcome:
        for _ in range(CLIMB_LIMIT):
            outcome = self._arm(folder)
            if outcome in _ARMED:
                self._found(folder)
                return outcome
            parent, is_there = self._nearest(folder) if outcome is Outcome.ABSENT else (None, False)
            if not is_there:
                break
        self._await(folder, outcome, parent)
        return outcome

    def _arm(self, folder: bytes) -> Outcome:
        mount = self._mounts.remote(folder) if self._mounts is not None else None
        if mount is not None:
            self._remote[folder] = mount
            if folder not in self._parents:
                self._arms.drop([folder])
            return Outcome.REMOTE
        self._remote.pop(folder, None)
        if self._refused is not None and not self._arms.holds(folder):
            return self._refused
        outcome = self._arms.arm(folder)
        if outcome in _REFUSED:
            self._refused = self._refused or outcome
        return outcome

    def _nearest(self, folder: bytes) -> tuple[bytes | None, bool]:
        """(the nearest parent that is watched now, whether what follows it has appeared meanwhile)."""
        path = folder
        while path != b"/":
            below = path
            path = path.rpartition(b"/")[0] or b"/"
            if self._mounts is not None and self._mounts.remote(path) is not None:
                return None, False
            outcome = Outcome.KEPT if self._arms.holds(path) else self._arms.arm(path)
            if outcome in _ARMED:
                # A link to nothing, or what may not be read, is there already: no event would tell of its end.
                if below == folder and os.path.lexists(folder):
                    self._release(path)
                    return None, False
                self._parents.setdefault(path, {})[folder] = below.rpartition(b"/")[2]
                return path, below != folder and os.path.isdir(below)
            if outcome in _REFUSED:
                return None, False
        return None, False

    def _await(self, folder: bytes, outcome: Outcome, parent: bytes | None) -> None:
        former = self._missing.get(folder)
        pause = min(2 * former.pause, RECONCILE_SECONDS) if former else FIRST_RETRY_SECONDS
        self._missing[folder] = Missing(self._clock.monotonic(), pause, outcome, parent)
        self._leave(folder, parent)

    def _found(self, folder: bytes) -> None:
        if self._missing.pop(folder, None) is not None:
            self._leave(folder, None)

    def _leave(self, folder: bytes, but: bytes | None) -> None:
        """Nobody is watched for this folder any more but this parent."""
        for parent in [parent for parent, waiting in self._parents.items() if folder in waiting]:
            if parent != but:
                del self._parents[parent][folder]
                self._release(parent)
            else:
                self._awaited[parent] = frozenset(self._parents[parent].values())

    def _release(self, parent: bytes) -> None:
        waiting = self._parents.get(parent)
        if waiting:
            self._awaited[parent] = frozenset(waiting.values())
            return
        self._parents.pop(parent, None)
        self._awaited.pop(parent, None)
        if parent not in self._wanted or parent in self._missing:
            self._arms.drop([parent])


def _changed(folder: bytes, asked_ns: int) -> bool:
    try:
        return os.stat(folder).st_mtime_ns >= asked_ns - RACY_NS
    except OSError:
        return True
