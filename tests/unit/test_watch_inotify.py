"""The watch's threads and descriptors: one of each kind, none left behind, and failures said aloud."""

from __future__ import annotations

import ctypes
import errno
import os
import threading
from pathlib import Path

import pytest
from watchdog.observers import inotify_c

from alight.clock import SystemClock
from alight.watch import inotify, observer
from alight.watch.hints import Hint, Lost, Missed, Outcome
from alight.watch.inotify import Emitter
from alight.watch.names import Weight
from alight.watch.observer import Watch
from support.until import until


def descriptors() -> list[str]:
    """Open inotify instances and pipes of this process."""
    found = []
    for name in os.listdir("/proc/self/fd"):
        try:
            target = os.readlink(f"/proc/self/fd/{name}")
        except FileNotFoundError:
            continue
        if "inotify" in target or target.startswith("pipe:"):
            found.append(f"{name} {target}")
    return sorted(found)


def test_events_that_the_kernel_drops_are_noticed(tmp_path: Path) -> None:
    """More events than the kernel queues, while the reader is held up, end in one report about everything."""
    with open("/proc/sys/fs/inotify/max_queued_events", encoding="ascii") as file:
        events = int(file.read())
    reports: list[Hint | Lost] = []
    held_up, go_on, lost = threading.Event(), threading.Event(), Lost(None, Missed.OVERFLOW)

    def report(item: Hint | Lost) -> None:
        reports.append(item)
        held_up.set()
        go_on.wait(30)

    emitter = Emitter(report)
    folder = os.fsencode(tmp_path)
    (tmp_path / "0").touch()
    try:
        emitter.arm(folder)
        (tmp_path / ".venv").mkdir()
        assert held_up.wait(5)
        for number in range(events // 2 + 1):  # two events each
            os.rename(tmp_path / str(number), tmp_path / str(number + 1))
        go_on.set()
        until("the loss is reported", lambda: lost in reports)
        assert reports == [Hint(folder, Weight.SETTLE), lost]
    finally:
        go_on.set()
        emitter.close()


def test_an_unreadable_folder_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder that may not be read is not watched, degrades nothing, and is watched when it may."""

    def deny(_descriptor: int, _path: bytes, _mask: int) -> inotify_c.WatchDescriptor:
        ctypes.set_errno(errno.EACCES)
        return inotify_c.WatchDescriptor(-1)

    emitter = Emitter(lambda _item: None)
    try:
        with monkeypatch.context() as patch:
            patch.setattr(inotify_c, "inotify_add_watch", deny)
            assert emitter.arm(os.fsencode(tmp_path)) is Outcome.ABSENT
            assert len(emitter) == 0
        assert emitter.arm(os.fsencode(tmp_path)) is Outcome.NEW
        assert emitter.arm(os.fsencode(tmp_path)) is Outcome.KEPT
    finally:
        emitter.close()


@pytest.mark.parametrize("covered_before", [False, True])
def test_stop_leaves_no_threads_and_no_descriptors(tmp_path: Path, covered_before: bool) -> None:
    """Started and stopped many times, also at once, nothing is left."""
    before = threading.active_count(), descriptors()
    for _ in range(10):
        watch = Watch([].append, SystemClock())
        if covered_before:
            watch.cover(os.fsencode(tmp_path), [os.fsencode(tmp_path)])
        watch.start()
        watch.cover(b"/", [b"/"])
        watch.stop()
        assert (threading.active_count(), descriptors()) == before
        assert (watch.watched, watch.degraded) == (0, ())


def test_a_reader_stopped_before_it_began_leaves_no_descriptors() -> None:
    """Stopping frees the instance even when the thread has not come to its first read."""
    before = descriptors()
    reader = inotify._Reader(lambda _item: None)
    reader.stop()
    assert descriptors() == before
    reader.start()
    reader.join()


def test_a_failed_thread_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A receiver that raises ends the watch; `degraded` says so instead of claiming that all is well."""
    ended = threading.Event()
    monkeypatch.setattr(threading, "excepthook", lambda _arguments: ended.set())

    def fail(_roots: frozenset[bytes]) -> None:
        raise RuntimeError

    watch = Watch(fail, SystemClock())
    watch.start()
    try:
        watch.cover(os.fsencode(tmp_path), [os.fsencode(tmp_path)])
        (tmp_path / ".venv").mkdir()
        assert ended.wait(5)
        until("it says so", lambda: watch.degraded == ("watching: stopped by a failure",))
    finally:
        watch.stop()


def test_where_watching_is_not_available_it_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """On other systems everything may be called, nothing is watched, and `degraded` says why."""
    monkeypatch.setattr(observer, "AVAILABLE", False)
    watch = Watch([].append, SystemClock())
    watch.start()
    watch.cover(os.fsencode(tmp_path), [os.fsencode(tmp_path)])
    assert (watch.watched, watch.degraded) == (0, ("watching: not available here",))
    watch.stop()
