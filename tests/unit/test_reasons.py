"""Every reason for a landing has its sentence in the README."""

from __future__ import annotations

import re
from pathlib import Path
from typing import get_args

from alight.model import Reason

README = Path(__file__).resolve().parents[2] / "README.md"


def test_every_reason_is_explained() -> None:
    """The table holds the closed list, in its order, one sentence each."""
    rows = re.findall(r"^\| `([a-z0-9-]+)` \| (\S.*\.) \|$", README.read_text("utf-8"), re.MULTILINE)
    assert [name for name, _ in rows] == list(get_args(Reason))
