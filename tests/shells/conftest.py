"""Fixtures of the tests that drive shells: each of them runs in every shell."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from support.shells import KINDS
from support.world import World


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    """The shell under test."""
    return str(request.param)


@pytest.fixture
def world(home: Path) -> Iterator[World]:
    """A world of the test's own."""
    made = World(home)
    yield made
    made.close()
