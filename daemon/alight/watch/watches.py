"""Keeps the wanted folders armed: waits for those that are missing, notices those that were replaced.

Folders go and come back, and a moved parent gives no event at all, so every wanted folder is looked at again once a
minute, a missing one sooner (rules/reliability.md faults 25 and 27).
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Protocol

from alight.clock import Clock
from alight.watch.hints import Outcome

FIRST_RETRY_SECONDS = 1.0
"""The pause before a missing folder is tried again; it doubles up to RECONCILE_SECONDS."""

RECONCILE_SECONDS = 60.0

REQUEST_SPACING_SECONDS = 0.1
"""A missing folder is tried again on request only after this."""

RACY_NS = 500_000_000
"""A folder changed so shortly before it was asked for may have changed after the answer was read."""


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
    """A folder that could not be armed: when it was tried last, and how long to wait since (monotonic seconds)."""

    tried: float
    pause: float


class Watches:
    """The state of every wanted folder. One thread changes it; ``overdue`` and ``full`` may be read from others.

    Methods that look at folders return those that have news: they appeared, went, or are other directories now.
    """

    def __init__(self, arms: Arms, clock: Clock) -> None:
        self._arms = arms
        self._clock = clock
        self._missing: dict[bytes, Missing] = {}
        self._full_since: float | None = None
        self._reconciled = clock.monotonic()

    def __len__(self) -> int:
        return len(self._arms)

    @property
    def full(self) -> bool:
        """True from the moment the system refuses a watch until the next look finds room."""
        return self._full_since is not None

    def overdue(self, folders: Iterable[bytes]) -> tuple[bytes, ...]:
        """Those that are missing and may be tried again on request."""
        if self.full:
            return ()
        latest = self._clock.monotonic() - REQUEST_SPACING_SECONDS
        return tuple(folder for folder in folders if (state := self._missing.get(folder)) and state.tried <= latest)

    def add(self, folders: Iterable[bytes], asked_ns: int) -> set[bytes]:
        """Begin to watch; ``asked_ns`` (wall clock) is when they were asked for."""
        return {folder for folder in folders if self._try(folder) is Outcome.NEW and _changed(folder, asked_ns)}

    def drop(self, folders: Iterable[bytes]) -> None:
        """Cease to watch."""
        gone = tuple(folders)
        self._arms.drop(gone)
        for folder in gone:
            self._missing.pop(folder, None)

    def check(self, folders: Iterable[bytes]) -> set[bytes]:
        """Look at folders again, now."""
        news = set()
        for folder in folders:
            held = self._arms.holds(folder)
            outcome = self._try(folder)
            if outcome is Outcome.NEW or (held and outcome is not Outcome.KEPT):
                news.add(folder)
        return news

    def tick(self, wanted: Callable[[], Iterable[bytes]]) -> set[bytes]:
        """Look again at what is due; ``wanted`` gives every folder, for the look at all of them."""
        now = self._clock.monotonic()
        if now - self._reconciled >= RECONCILE_SECONDS:
            self._reconciled, self._full_since = now, None
            return self.check(wanted())
        return self.check([folder for folder, state in self._polled() if state.tried + state.pause <= now])

    def wait(self) -> float:
        """Seconds until ``tick`` has something to do."""
        due = [self._reconciled + RECONCILE_SECONDS, *(state.tried + state.pause for _, state in self._polled())]
        return max(0.0, min(due) - self._clock.monotonic())

    def _polled(self) -> list[tuple[bytes, Missing]]:
        """The missing folders whose appearance gives no event: their parent is not watched either."""
        if self.full:
            return []
        return [item for item in self._missing.items() if not self._arms.holds(item[0].rpartition(b"/")[0] or b"/")]

    def _try(self, folder: bytes) -> Outcome:
        refused = self.full and not self._arms.holds(folder)
        outcome = Outcome.FULL if refused else self._arms.arm(folder)
        now = self._clock.monotonic()
        if outcome is Outcome.FULL:
            self._full_since = self._full_since or now
        if outcome in (Outcome.KEPT, Outcome.NEW):
            self._missing.pop(folder, None)
        else:
            former = self._missing.get(folder)
            pause = min(2 * former.pause, RECONCILE_SECONDS) if former else FIRST_RETRY_SECONDS
            self._missing[folder] = Missing(now, pause)
        return outcome


def _changed(folder: bytes, asked_ns: int) -> bool:
    try:
        return os.stat(folder).st_mtime_ns >= asked_ns - RACY_NS
    except OSError:
        return True
