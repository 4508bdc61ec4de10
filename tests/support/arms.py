"""An emitter of events that does as a test tells it, and a clock that stands still."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from alight.watch.hints import Outcome


@dataclass
class FakeClock:
    """Time that passes when a test says so."""

    now: float = 100.0

    def monotonic(self) -> float:
        return self.now

    def wall_ns(self) -> int:
        return int(self.now * 1e9)


@dataclass
class FakeArms:
    """An emitter over a disk of numbered directories; ``room`` is how many the system allows."""

    disk: dict[bytes, int] = field(default_factory=dict)
    room: int = 100
    armed: dict[bytes, int] = field(default_factory=dict)
    tried: list[bytes] = field(default_factory=list)
    alive: bool = True

    def __len__(self) -> int:
        return len(self.armed)

    def holds(self, folder: bytes) -> bool:
        return folder in self.armed

    def arm(self, folder: bytes) -> Outcome:
        self.tried.append(folder)
        former = self.armed.pop(folder, None)
        if folder not in self.disk:
            return Outcome.ABSENT
        if len(self.armed) >= self.room:
            return Outcome.FULL
        self.armed[folder] = self.disk[folder]
        return Outcome.KEPT if former == self.disk[folder] else Outcome.NEW

    def drop(self, folders: Iterable[bytes]) -> None:
        for folder in folders:
            self.armed.pop(folder, None)

    def close(self) -> None:
        self.armed.clear()
