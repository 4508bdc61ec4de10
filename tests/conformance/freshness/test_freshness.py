"""A part of the freshness run, in every mode; all of it: ``tests/conformance/freshness/run --changes 10000``."""

from __future__ import annotations

from pathlib import Path

import pytest

from conformance.freshness import launch
from conformance.freshness.changes import Changes
from conformance.freshness.command import run
from conformance.freshness.modes import MODES, Impossible
from support.landscape import Landscape

CHANGES = {"network": 10}
"""How many in a mode where each look takes long; else MANY."""

MANY = 40

EXPECTED = {"on": "none", "suspend": "-"}
"""Whether the status says why events may be missing; else yes."""


def believe(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have this process take file times as the daemon does, for this test only."""
    for module, name, value in launch.BELIEVED:
        monkeypatch.setattr(module, name, value)
    monkeypatch.setattr(launch, "believe", lambda: None)


@pytest.mark.parametrize("mode", MODES)
def test_no_answer_is_stale(mode: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever keeps the daemon from hearing of changes, its answers are those of one that was never asked; it says so.

    What a status says after an outage is left to the whole run: the outage alone takes nine seconds.
    """
    believe(monkeypatch)
    try:
        result = run(mode, CHANGES.get(mode, MANY), seed=2, questions=2)
    except Impossible as reason:
        pytest.skip(str(reason))
    assert result.questions >= result.changes
    assert not result.stale, "\n".join(map(str, result.stale[:3]))
    assert result.degraded == EXPECTED.get(mode, "yes")


def test_a_stale_answer_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """A daemon that believes every fingerprint is caught."""
    believe(monkeypatch)
    monkeypatch.setenv(launch.LYING, "1")
    assert run("off", 60, seed=2).stale


def test_a_seed_tells_everything(tmp_path: Path) -> None:
    """The same home and the same changes for the same number, others for another."""

    def told(name: str, seed: int) -> list[str]:
        land = Landscape(tmp_path / name / "h", seed).grow(11).bare_folders(2)
        changes = Changes(land, seed)
        return [changes.step().split(" ")[0] for _ in range(200)]

    assert told("a", 1) == told("b", 1) != told("c", 2)
