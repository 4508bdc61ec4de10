"""Time that was not lived through is noticed, whichever clock shows it."""

from __future__ import annotations

from dataclasses import dataclass

from alight.server.gap import GAP_SECONDS, Gap


@dataclass
class FakeClock:
    """Two clocks that a test moves apart."""

    up: float = 1000.0
    wall: float = 1_700_000_000.0

    def monotonic(self) -> float:
        return self.up

    def wall_ns(self) -> int:
        return int(self.wall * 1e9)

    def live(self, seconds: float) -> None:
        """Awake."""
        self.up += seconds
        self.wall += seconds


def test_gaps() -> None:
    """Ordinary ticks and late ones are none; being stopped, a machine that slept, and a clock that was set are."""
    clock, told = FakeClock(), list[str]()
    gap = Gap(clock, 2.0, lambda: told.append("resumed"))
    for _ in range(100):
        clock.live(2.0)
        gap.tick()
    clock.live(2.0 + GAP_SECONDS)
    gap.tick()
    assert not told
    clock.live(2.1 + GAP_SECONDS)
    gap.tick()
    assert len(told) == 1
    clock.live(2.0)
    clock.wall += 3600
    gap.tick()
    assert len(told) == 2
    clock.live(2.0)
    clock.wall -= 3600
    gap.tick()
    assert len(told) == 3
    clock.live(2.0)
    gap.tick()
    assert len(told) == 3
