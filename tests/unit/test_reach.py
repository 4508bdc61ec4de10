"""Where the looks that decided an answer can change."""

from __future__ import annotations

import os
from pathlib import Path

from alight.clock import SystemClock
from alight.files.disk import Disk
from alight.files.reach import WHOLE, outside, reach


def test_reach(tmp_path: Path) -> None:
    """Files, links and what is absent count by their names in the folder above, directories as a whole."""
    home = os.fsencode(tmp_path)
    (tmp_path / "file").touch()
    (tmp_path / "link").symlink_to("file")
    (tmp_path / "folder").mkdir()
    disk = Disk(os.getuid(), SystemClock())
    disk.stat(home + b"/file")
    disk.lstat(home + b"/link")
    disk.stat(home + b"/absent/settings.toml")
    disk.names(home + b"/folder")
    disk.permissions(home + b"/owner")
    disk.stat(b"/absent")
    assert reach(disk.fingerprint().records) == {
        home: frozenset({b"file", b"link", b"owner"}),
        home + b"/absent": frozenset({b"settings.toml"}),
        home + b"/folder": frozenset({WHOLE}),
        b"/": frozenset({b"absent"}),
    }


def test_outside() -> None:
    """What lies in a tree goes, by whole parts; no tree takes everything."""
    found = dict.fromkeys((b"/a", b"/a/b", b"/ab", b"/"), frozenset({b"x"}))
    assert set(outside(found, b"/a")) == {b"/a", b"/ab", b"/"}
    assert set(outside(found, b"", b"/")) == set(found)
