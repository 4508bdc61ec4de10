"""The watch on a real disk: what happens in folders arrives as roots that have news."""

from __future__ import annotations

import ctypes
import errno
import os
import shutil
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from watchdog.observers import inotify_c

from alight.watch import watches
from alight.watch.hints import Missed, Outcome
from alight.watch.observer import MISSED, REFUSALS, Watch
from support.until import until

PAST_NS = 10**18


class FakeClock:
    """The machine's clock, which a test may set forward."""

    def __init__(self) -> None:
        self.ahead = 0.0

    def monotonic(self) -> float:
        return time.monotonic() + self.ahead

    def wall_ns(self) -> int:
        return time.time_ns()


class Told:
    """What was delivered, in order."""

    def __init__(self) -> None:
        self.deliveries: list[frozenset[bytes]] = []

    def __call__(self, roots: frozenset[bytes]) -> None:
        self.deliveries.append(roots)

    def of(self, root: Path) -> int:
        return sum(os.fsencode(root) in roots for roots in self.deliveries)


class World:
    """A watch, what it told, and projects to disturb."""

    def __init__(self, parent: Path, limit: int | None = None) -> None:
        self.parent = parent
        self.clock = FakeClock()
        self.told = Told()
        self.watch = Watch(self.told, self.clock, limit=limit)
        self.sentinel = self.project("sentinel")

    def project(self, name: str, *below: str) -> Path:
        """A project whose folders have rested for long, covered with the folders below it that are named."""
        root = self.parent / name
        for folder in (root, *(root / path for path in below)):
            folder.mkdir(parents=True, exist_ok=True)
        for folder in (root, *root.rglob("*")):
            os.utime(folder, ns=(PAST_NS, PAST_NS))
        self.cover(root, *below)
        return root

    def cover(self, root: Path, *below: str) -> None:
        """Watch the root and these folders below it."""
        folders = [os.fsencode(root), *(os.fsencode(root / path) for path in below)]
        self.watch.cover(os.fsencode(root), folders)

    def settle(self, count: int) -> None:
        """Wait until so many folders are watched."""
        until(f"{count} folders are watched", lambda: self.watch.watched == count)

    def pass_by(self) -> None:
        """Wait until everything that happened so far has been told: a later event came through, and it was quiet."""
        for _ in range(2):
            before = self.told.of(self.sentinel)
            (self.sentinel / "uv.lock").write_text("")
            until("the sentinel's news came through", lambda before=before: self.told.of(self.sentinel) > before)
            self.clock.ahead += 2

    def minute_later(self) -> None:
        """Let a minute pass, and the watch notice."""
        self.clock.ahead += watches.RECONCILE_SECONDS
        (self.sentinel / "uv.lock").write_text("")

    def news(self, root: Path, action: Callable[[], object]) -> None:
        """Do something, and wait for its news."""
        self.pass_by()
        before = self.told.of(root)
        action()
        until(f"news about {root.name}", lambda: self.told.of(root) > before)

    def no_news(self, root: Path, action: Callable[[], object]) -> None:
        """Do something, and see that it is no news."""
        self.pass_by()
        before = self.told.of(root)
        action()
        self.pass_by()
        assert self.told.of(root) == before


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """A running watch that covers only its sentinel."""
    made = World(tmp_path)
    made.watch.start()
    made.settle(1)
    yield made
    made.watch.stop()


def test_an_environment_created_renamed_and_deleted_is_news(world: World) -> None:
    """Each change of a project's .venv is told, whichever way it is made."""
    root = world.project("app")
    world.settle(2)
    world.news(root, (root / ".venv").mkdir)
    world.news(root, lambda: (root / ".venv").rename(root / "other"))
    world.news(root, lambda: (root / "other").rename(root / "venv"))
    world.news(root, (root / "venv").rmdir)
    world.news(root, lambda: (root / ".venv").symlink_to(world.parent))
    world.news(root, (root / ".venv").unlink)


def test_manifests_and_lock_files_are_news(world: World) -> None:
    """Written in place or renamed into place, a manifest's change is told."""
    root = world.project("app")
    world.settle(2)
    world.news(root, lambda: (root / "pyproject.toml").write_text("[project]\n"))
    world.news(root, lambda: (root / "pyproject.toml").write_text("[project]\nname = 'a'\n"))
    (root / ".tmp").write_text("lock")
    world.news(root, lambda: (root / ".tmp").rename(root / "uv.lock"))


def test_an_environments_root_is_watched(world: World) -> None:
    """pyvenv.cfg rewritten or removed, and bin removed, are told."""
    root = world.project("app", ".venv")
    prefix = root / ".venv"
    world.settle(3)
    world.news(root, lambda: (prefix / "pyvenv.cfg").write_text("home = /usr/bin\n"))
    world.news(root, (prefix / "bin").mkdir)
    world.news(root, lambda: (prefix / "pyvenv.cfg").write_text("home = /opt/bin\n"))
    world.news(root, (prefix / "bin").rmdir)
    world.news(root, (prefix / "pyvenv.cfg").unlink)


def test_reading_and_ordinary_writing_is_no_news(world: World) -> None:
    """Neither reads of any file, nor writes of a file that changes no answer, are told."""
    root = world.project("app")
    (root / "pyproject.toml").write_text("[project]\n")
    world.settle(2)

    def work() -> None:
        (root / "pyproject.toml").read_text()
        os.listdir(root)
        os.stat(root / "pyproject.toml")
        (root / "main.py").write_text("print()\n")
        (root / "main.py").unlink()

    world.no_news(root, work)


def test_an_installation_is_at_most_two_deliveries(world: World) -> None:
    """Fifty packages put in place the way pip does are told once they are quiet, not one by one."""
    site = Path(".venv/lib/python3.12/site-packages")
    root = world.project("app", str(site))
    world.settle(3)
    world.pass_by()
    before = world.told.of(root)
    for number in range(50):
        (root / site / f"p{number}").mkdir()
        (root / site / f"p{number}-1.0.dist-info").mkdir()
        (root / site / f"p{number}-1.0.dist-info" / "RECORD").write_text("")
    until("the installation is told", lambda: world.told.of(root) > before)
    world.pass_by()
    assert world.told.of(root) - before <= 2


def test_a_shared_folder_is_news_to_all_who_want_it(world: World) -> None:
    """One watch serves two projects, and ends with the second."""
    pool = world.parent / "pool"
    pool.mkdir()
    os.utime(pool, ns=(PAST_NS, PAST_NS))
    first, second = world.project("first"), world.project("second")
    world.cover(first, "../pool")
    shared = os.fsencode(pool)
    for root in (first, second):
        world.watch.cover(os.fsencode(root), [os.fsencode(root), shared])
    world.settle(4)
    world.pass_by()
    (pool / "pyvenv.cfg").touch()
    until("both are told", lambda: world.told.of(first) and world.told.of(second))
    world.watch.cover(os.fsencode(first), [os.fsencode(first)])
    world.watch.cover(os.fsencode(second), [os.fsencode(second)])
    world.settle(3)


def test_two_names_of_one_directory_are_both_watched(world: World) -> None:
    """A project reached by a link shares the kernel's watch with the real one, and losing one keeps the other."""
    root = world.project("real")
    link = world.parent / "link"
    link.symlink_to(root)
    world.cover(link)
    world.settle(3)
    world.pass_by()
    (root / ".venv").mkdir()
    until("both names are told", lambda: world.told.of(root) and world.told.of(link))
    world.watch.cover(os.fsencode(link), [])
    world.settle(2)
    world.news(root, (root / ".venv").rmdir)


def test_a_renamed_and_recreated_root_heals(world: World) -> None:
    """A root moved away is news; nothing at its new place is; a new directory in its old place is watched again."""
    root, away = world.project("app"), world.parent / "away"
    world.settle(2)
    world.news(root, lambda: root.rename(away))
    world.settle(1)
    world.no_news(root, (away / ".venv").mkdir)
    world.news(root, lambda: (root.mkdir(), world.minute_later()))
    world.settle(2)
    world.news(root, (root / ".venv").mkdir)


def test_a_deleted_and_recreated_root_heals(world: World) -> None:
    """The kernel's watch ends with the directory; the next directory of that name is watched again."""
    root = world.project("app", ".venv")
    world.settle(3)
    world.news(root, lambda: shutil.rmtree(root))
    world.settle(1)
    world.news(root, lambda: ((root / ".venv").mkdir(parents=True), world.minute_later()))
    world.settle(3)
    world.news(root, (root / ".venv" / "pyvenv.cfg").touch)


def test_a_root_below_a_renamed_folder_heals(world: World) -> None:
    """Renaming a folder above gives no event at all; the look once a minute finds it."""
    (world.parent / "above").mkdir()
    root = world.project("above/app")
    world.settle(2)
    (world.parent / "above").rename(world.parent / "before")
    world.news(root, lambda: (root.mkdir(parents=True), world.minute_later()))
    world.news(root, (root / ".venv").mkdir)


def test_an_environment_that_appears_is_watched(world: World) -> None:
    """A wanted folder that is missing is watched as soon as its project's folder tells of it."""
    root = world.project("app")
    world.cover(root, ".venv")
    world.settle(2)
    world.news(root, (root / ".venv").mkdir)
    world.settle(3)
    world.news(root, (root / ".venv" / "pyvenv.cfg").touch)


def test_a_retargeted_environment_is_watched_anew(world: World) -> None:
    """A .venv link that points elsewhere now has the other directory watched, and the former one no longer."""
    for name in ("one", "two"):
        (world.parent / name).mkdir()
    root = world.project("app")
    (root / ".venv").symlink_to(world.parent / "one")
    world.cover(root, ".venv")
    world.settle(3)

    def retarget() -> None:
        (root / "new").symlink_to(world.parent / "two")
        (root / "new").rename(root / ".venv")

    world.news(root, retarget)
    world.news(root, (world.parent / "two" / "pyvenv.cfg").touch)
    world.no_news(root, (world.parent / "one" / "pyvenv.cfg").touch)


def test_an_overflow_is_news_about_everything(world: World) -> None:
    """When the kernel drops events, every root is told, and folders lost in the meantime are found missing."""
    first, second = world.project("first"), world.project("second")
    world.settle(3)
    world.pass_by()
    assert world.watch.degraded == ()
    before = world.told.of(first), world.told.of(second)
    overflow = inotify_c.InotifyEvent(inotify_c.WatchDescriptor(-1), inotify_c.InotifyConstants.IN_Q_OVERFLOW, 0, b"")
    reader = next(thread for thread in threading.enumerate() if isinstance(thread, inotify_c.InotifyFD))
    reader.handle_event(overflow)
    until("the first is told", lambda: world.told.of(first) > before[0])
    assert world.told.of(second) > before[1]
    assert world.watch.degraded == (MISSED[Missed.OVERFLOW],)
    world.news(second, (second / ".venv").mkdir)
    world.minute_later()
    until("it is over", lambda: world.watch.degraded == ())


def test_a_gap_is_news_about_everything(world: World) -> None:
    """After a gap every root is told, `degraded` says why for a minute, and watching goes on."""
    root = world.project("app")
    world.settle(2)
    world.news(root, world.watch.look_again)
    assert world.watch.degraded == (MISSED[Missed.GAP],)
    world.news(root, (root / ".venv").mkdir)
    world.minute_later()
    until("it is over", lambda: world.watch.degraded == ())


def test_threads_do_not_grow_with_folders(world: World) -> None:
    """Two hundred folders take the same two threads as one, and one inotify instance."""
    before = threading.active_count()
    for number in range(100):
        world.project(f"p{number}", ".venv")
    world.settle(201)
    assert threading.active_count() == before
    assert sum(thread.name.startswith("alight-") for thread in threading.enumerate()) == 2
    assert sum(isinstance(thread, inotify_c.InotifyFD) for thread in threading.enumerate()) == 1
    world.news(world.parent / "p99", (world.parent / "p99" / "env").mkdir)


def test_the_budget_keeps_the_most_recent_projects(tmp_path: Path) -> None:
    """Beyond the limit the project covered longest ago is no longer watched; that is no degradation."""
    world = World(tmp_path, limit=3)
    world.watch.start()
    try:
        first, _second = world.project("first"), world.project("second")
        world.cover(world.sentinel)
        third = world.project("third")
        world.settle(3)
        world.no_news(first, (first / ".venv").mkdir)
        world.news(third, (third / ".venv").mkdir)
        assert world.watch.degraded == ()
    finally:
        world.watch.stop()


def test_at_the_systems_limit_the_others_still_work(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A refused watch is said in `degraded`; watched folders go on, and a minute later there may be room again."""
    root = world.project("watched")
    world.settle(2)
    real = inotify_c.inotify_add_watch

    def refuse(descriptor: int, path: bytes, mask: int) -> inotify_c.WatchDescriptor:
        if b"refused" in path:
            ctypes.set_errno(errno.ENOSPC)
            return inotify_c.WatchDescriptor(-1)
        return real(descriptor, path, mask)

    with monkeypatch.context() as patch:
        patch.setattr(inotify_c, "inotify_add_watch", refuse)
        refused = world.project("refused")
        until("it says so", lambda: world.watch.degraded == (REFUSALS[Outcome.FULL],))
        world.news(root, (root / ".venv").mkdir)
        world.no_news(refused, (refused / ".venv").mkdir)
        assert world.watch.watched == 2
    world.news(refused, world.minute_later)
    assert world.watch.degraded == ()
    world.news(refused, (refused / ".venv").rmdir)


def test_without_a_free_instance_the_watch_waits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """When the user's inotify instances are used up nothing fails, and watching begins when one is free."""

    def refuse() -> int:
        ctypes.set_errno(errno.EMFILE)
        return -1

    with monkeypatch.context() as patch:
        patch.setattr(inotify_c, "inotify_init", refuse)
        world = World(tmp_path)
        world.watch.start()
        until("it says so", lambda: world.watch.degraded == (REFUSALS[Outcome.CLOSED],))
    try:
        world.clock.ahead += watches.RECONCILE_SECONDS
        world.cover(world.project("wakes"))
        world.settle(2)
        assert world.watch.degraded == ()
    finally:
        world.watch.stop()


def test_no_child_inherits_the_instance(world: World) -> None:
    """A program started while the watch runs gets neither the inotify descriptor nor the pipe."""
    shown = subprocess.run(["ls", "-l", "/proc/self/fd"], close_fds=False, stdout=subprocess.PIPE, check=True)
    assert b"inotify" not in shown.stdout
