"""The log: bounded, discreet, and never in the way."""

from __future__ import annotations

import io
import logging
import os
import stat
from dataclasses import dataclass
from pathlib import Path

from alight import log as log_module
from alight.log import LogFile, close_log, open_log, shown


@dataclass
class FakeClock:
    """Time that passes when a test says so."""

    now: float = 0.0

    def monotonic(self) -> float:
        return self.now

    def wall_ns(self) -> int:
        return 0


def test_two_files_of_one_mebibyte(tmp_path: Path) -> None:
    """However much is logged, two files of at most the limit remain, readable by us alone."""
    file = tmp_path / "state" / "daemon.log"
    clock = FakeClock()
    log = open_log(file, clock=clock)
    for _ in range(3000):
        clock.now += 10
        log.info("x" * 1000)
    close_log(log)
    files = sorted(file.parent.iterdir())
    assert [entry.name for entry in files] == ["daemon.log", "daemon.log.1"]
    assert all(entry.stat().st_size <= log_module.FILE_LIMIT for entry in files)
    assert {stat.S_IMODE(entry.stat().st_mode) for entry in files} == {0o600}


def test_bursts_are_held_back_and_counted(tmp_path: Path) -> None:
    """Above the rate, records are dropped; the first one after the window says how many."""
    file = tmp_path / "daemon.log"
    clock = FakeClock()
    log = open_log(file, clock=clock)
    for number in range(log_module.RECORDS_PER_WINDOW + 50):
        log.info("number %d", number)
    clock.now += log_module.WINDOW_SECONDS
    log.info("after %s", "all")
    close_log(log)
    lines = file.read_text().splitlines()
    assert len(lines) == log_module.RECORDS_PER_WINDOW + 1
    assert lines[-1].endswith("(50 records held back) after all")


def test_paths_are_hashed_unless_debug(tmp_path: Path) -> None:
    """At level info a path is a word that says nothing; at debug it is the path, without raw control octets."""
    info, debug = open_log(tmp_path / "a.log"), open_log(tmp_path / "b.log", "debug")
    path = b"/home/me/secret\n\x1b[31m\xff"
    assert b"secret" not in shown(path, info).encode()
    assert shown(path, info) == shown(path, info) != shown(path + b"x", info)
    assert "secret\\n\\x1b" in shown(path, debug)
    close_log(info)
    close_log(debug)


def test_a_link_is_not_followed(tmp_path: Path) -> None:
    """A planted link in the log's place is left alone, and logging goes nowhere."""
    target = tmp_path / "target"
    file = tmp_path / "daemon.log"
    file.symlink_to(target)
    log = open_log(file)
    log.error("lost")
    close_log(log)
    assert not target.exists()


def test_a_full_disk_loses_records_only(tmp_path: Path) -> None:
    """A record that cannot be written is counted and raises nothing."""
    handler = LogFile(tmp_path / "daemon.log")
    assert handler.stream is not None
    handler.stream.close()
    # Unbuffered at the descriptor: nothing is left to be written when the file is closed.
    full = os.open("/dev/full", os.O_WRONLY | os.O_CLOEXEC)
    handler.stream = io.TextIOWrapper(io.FileIO(full, "w"), write_through=True)
    handler.maxBytes = 0
    log = logging.Logger("full")
    log.addHandler(handler)
    log.error("one")
    log.error("two")
    assert handler.lost == 2
    close_log(log)
