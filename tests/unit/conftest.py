"""What unit tests share."""

from __future__ import annotations

from pathlib import Path

import pytest

from support.playfield import Playfield


@pytest.fixture
def field(tmp_path: Path) -> Playfield:
    """A home of its own, in which projects are made; the walk ends there."""
    home = tmp_path / "home"
    home.mkdir(mode=0o755)
    return Playfield(home)
