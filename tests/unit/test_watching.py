"""What happens beside a project, in a pool or in a tool's settings, is news for those whose answer changed.

Everything is put together as in the daemon, with the test's own thread in place of the loop.
"""

from __future__ import annotations

import os
import queue
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from alight.clock import SystemClock
from alight.files.moment import Moment
from alight.index import Index
from alight.model import EventKind
from alight.paths import Places
from alight.server.covering import ENVIRONMENT, Covering
from alight.server.handlers import Handlers
from alight.server.handlers_base import Surface
from alight.server.hearing import Hearing
from alight.server.news import News
from alight.server.reading import Reading
from alight.trust.answers import Answers
from alight.trust.judge import Judge
from alight.trust.maker import Makers
from alight.trust.records import Records
from alight.watch.observer import Watch
from alight.wire.messages import Ask, Plan
from alight.wire.requests import Decide, Follow
from support.landscape import Landscape, write
from support.until import until

PAST_NS = 10**18


class Desk:
    """A daemon without its sockets; ``calls`` is what waits for the loop."""

    def __init__(self, land: Landscape, runtime: Path) -> None:
        places = Places(runtime, runtime / "c", runtime / "d", runtime / "s")
        runtime.mkdir(mode=0o700)
        clock, uid = SystemClock(), os.getuid()
        self.home = os.fsencode(land.home)
        self.calls: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        self.news = News(places, clock)
        self.news.open(lambda _routing, _news: True)
        self.index = Index(clock, uid, self.home)
        self.watch = Watch(lambda roots: self.calls.put(lambda: self.hearing.take(roots)), clock)
        covering = Covering(self.watch, self.index, clock, lambda _seconds, call: self.calls.put(call))
        answers = Answers(self.index, Judge(Records(places.trust, uid, clock), uid), uid, clock)
        surface = Surface(self.news, covering, lambda _reason: None, segment=True)
        self.handlers = Handlers(answers, Makers(clock), surface, clock)
        self.hearing = Hearing(self.handlers, self.index.forget, covering, clock, self.calls.put)
        self.reading = Reading(self.index, self.hearing, self.calls.put)
        self.watch.start()

    def ask(self, directory: Path) -> Plan:
        """As a shell in this directory does."""
        variables = (b"HOME=" + self.home, b"PATH=/usr/bin:/bin")
        reply = self.handlers.handle(
            Ask("bash", 1, os.fsencode(directory), "on", "", b"", b"", 0, False, variables), None
        )
        assert isinstance(reply, Plan)
        return reply

    def turn(self) -> None:
        """What a turn of the loop does."""
        while not self.calls.empty():
            self.calls.get()()

    def settle(self) -> None:
        """Wait until everything that is wanted is watched."""
        self.reading.tick()
        self.turn()
        dispatcher = self.watch._dispatcher
        assert dispatcher is not None
        until("the requests are taken", dispatcher.event_queue.empty)
        sentinel = Path(os.fsdecode(self.home)) / "sentinel"
        sentinel.mkdir(exist_ok=True)
        self.mark(sentinel)
        (sentinel / "uv.lock").write_text(str(os.urandom(4)))
        # Taken in order: what was asked for before this came first.
        self.until_news(sentinel)

    def mark(self, directory: Path) -> str:
        """The mark of a directory, asked for by a shell."""
        self._marks = getattr(self, "_marks", {})
        self._marks[directory] = self.ask(directory)
        return self._marks[directory].mark

    def current(self, directory: Path) -> str:
        """The mark now, for a shell that was answered before."""
        return self.news.mark_of(self._marks[directory].root)

    def until_event(self, kind: EventKind, prefix: Path) -> None:
        """Wait until this is told of the environment."""

        def told() -> bool:
            self.turn()
            # Not by asking: who asks has things looked at.
            events = self.handlers._shells.followers.events.after(0)
            return any((one.kind, one.prefix) == (kind, os.fsencode(prefix)) for one in events)

        until(f"{kind} is told", told)

    def until_news(self, directory: Path) -> None:
        """Wait for another mark."""
        before = self._marks[directory].mark

        def changed() -> bool:
            self.turn()
            return self.current(directory) != before

        until(f"news about {directory.name}", changed)


@pytest.fixture
def land(tmp_path: Path) -> Landscape:
    """Two environments of every kind."""
    return Landscape(tmp_path / "home").grow(22).bare_folders(2)


@pytest.fixture
def desk(land: Landscape, tmp_path: Path) -> Iterator[Desk]:
    made = Desk(land, tmp_path / "run")
    yield made
    made.watch.stop()


def project(land: Landscape, part: str) -> Path:
    """The first project whose environment's path has this part."""
    return next(one for one, prefix in land.expected.items() if part in str(prefix))


def poetry_env_use(land: Landscape) -> Path:
    """`poetry env use` of an environment there is not yet."""
    root = project(land, "pypoetry")
    own = land.expected[root]
    land.venv(own.with_name(own.name.rpartition("-py")[0] + "-py3.9"), "virtualenv")
    write(own.parent / "envs.toml", f'[{own.name.rpartition("-py")[0]}]\nminor = "3.9"\npatch = "3.9.1"\n')
    return root


def conda_create(land: Landscape) -> Path:
    """`conda create` of the environment that an environment.yml names."""
    root = land.bare[0]
    write(root / "environment.yml", "name: lab\n")
    return root


def pyenv_upgrade(land: Landscape) -> Path:
    """The base Python of an environment goes."""
    root = project(land, ".virtualenvs")
    base = Path(os.readlink(land.expected[root] / "bin/python")).parents[1]
    base.rename(base.with_name("gone"))
    return root


def settings_edited(land: Landscape) -> Path:
    """Poetry is told to keep environments elsewhere, in a file that was not there."""
    root = project(land, "pypoetry")
    write(land.home / ".config/pypoetry/config.toml", f'[virtualenvs]\npath = "{land.home}/elsewhere"\n')
    return root


def link_written(land: Landscape) -> Path:
    """`setvirtualenvproject` for a folder without an environment."""
    root = land.bare[1]
    write(land.home / ".virtualenvs" / land.expected[project(land, ".virtualenvs")].name / ".project", f"{root}\n")
    return root


def python_removed(prefix: Path) -> Callable[[], object]:
    """The environment's own link goes, of which its root tells nothing."""
    python = prefix / "bin/python"
    target = python.readlink()
    python.unlink()
    return lambda: python.symlink_to(target)


def program_removed(prefix: Path) -> Callable[[], object]:
    """The file that the link leads to goes."""
    program = (prefix / "bin/python").resolve()
    program.unlink()
    return lambda: write(program, "\x7fELF").chmod(0o755)


def base_moved(prefix: Path) -> Callable[[], object]:
    """The whole base is renamed: nothing happens in it, nor in the environment."""
    base = (prefix / "bin/python").resolve().parents[1]
    away = base.with_name("away")
    base.rename(away)
    return lambda: away.rename(base)


@pytest.mark.parametrize("where", [".pyenv/versions", "opt"])
@pytest.mark.parametrize("way", [python_removed, program_removed, base_moved])
def test_a_break_is_told_and_so_is_its_end(
    desk: Desk, land: Landscape, way: Callable[[Path], Callable[[], object]], where: str
) -> None:
    """An interpreter that goes breaks the environment, whether it lay in a pool or not; its return heals it."""
    root = project(land, "/.venv")
    prefix, python = land.expected[root], land.expected[root] / "bin/python"
    former = python.resolve()
    base = land.home / where / former.parents[1].name
    if not base.exists():
        shutil.copytree(former.parents[1], base, symlinks=True)
    python.unlink()
    python.symlink_to(base / "bin" / former.name)
    write(prefix / "pyvenv.cfg", f"home = {base}/bin\nversion = {base.name}\n")
    desk.mark(root)
    for folder in (root, prefix, *prefix.rglob("*"), base, *base.rglob("*")):
        if folder.is_dir() and not folder.is_symlink():
            os.utime(folder, ns=(PAST_NS, PAST_NS))
    for _ in range(2):
        desk.settle()
    back = way(prefix)
    desk.until_event("environment-broken", prefix)
    back()
    desk.until_event("environment-healed", prefix)


@pytest.mark.parametrize("way", [poetry_env_use, pyenv_upgrade, settings_edited, link_written])
def test_what_happens_elsewhere_is_news(desk: Desk, land: Landscape, way: Callable[[Landscape], Path]) -> None:
    """A pool's entry, an interpreter, a tool's settings, a back-link: those concerned hear of it, others do not."""
    bystander = project(land, "/.venv")
    for one in (*land.projects, *land.bare, bystander):
        desk.mark(one)
    desk.settle()
    before = desk.mark(bystander)
    for one in (*land.projects, *land.bare):
        desk.mark(one)
    root = way(land)
    desk.until_news(root)
    desk.settle()
    assert desk.current(bystander) == before


def test_a_named_environment_that_is_created(desk: Desk, land: Landscape) -> None:
    """`conda create -n lab` is news for the folder whose environment.yml names it, and for no other one."""
    root, other = conda_create(land), land.bare[1]
    desk.settle()
    desk.mark(root)
    before = desk.mark(other)
    land.conda(land.home / "miniconda3/envs/lab")
    desk.until_news(root)
    desk.settle()
    assert desk.current(other) == before


def test_the_first_pool_of_a_tool(land: Landscape, tmp_path: Path) -> None:
    """A tool's directory that is not there is waited for from the part of its path on that is."""
    root, away = project(land, ".local/share/virtualenvs"), tmp_path / "away"
    (land.home / ".local").rename(away)
    desk = Desk(land, tmp_path / "run")
    try:
        assert desk.ask(root).state == "none"
        desk.mark(root)
        desk.settle()
        desk.mark(root)
        (land.home / ".local/share").mkdir(parents=True)
        desk.settle()
        (away / "share/virtualenvs").rename(land.home / ".local/share/virtualenvs")
        desk.until_news(root)
        assert desk.ask(root).state != "none"
    finally:
        desk.watch.stop()


def test_after_a_gap_everything_is_looked_at(desk: Desk, land: Landscape) -> None:
    """What happened while nobody listened is news once the watch is told to look again."""
    root = project(land, ".local/share/pdm")
    desk.mark(root)
    desk.settle()
    desk.mark(root)
    desk.watch.stop()
    (land.expected[root] / "pyvenv.cfg").unlink()
    desk.watch.start()
    desk.watch.look_again()
    desk.until_news(root)


def test_a_storm_is_heard_in_small_steps(desk: Desk, land: Landscape) -> None:
    """One turn of the loop takes up neither every project nor every environment; all of them are in the end."""
    heard = list[bytes]()

    class Slow:
        roots = tuple(b"/%d" % number for number in range(50))

        def heard(self, root: bytes, _moment: Moment) -> None:
            heard.append(root)
            clock.now += 0.001

    class Clock:
        now = 0.0

        def monotonic(self) -> float:
            return self.now

        def wall_ns(self) -> int:
            return 0

    def forget(prefix: bytes) -> None:
        forgotten.append(prefix)
        clock.now += 0.001

    clock, waiting, forgotten = Clock(), list[Callable[[], None]](), list[bytes]()
    hearing = Hearing(Slow(), forget, None, clock, waiting.append)
    hearing.everything()
    hearing.take([b"/7", b"/nobody"])
    assert len(heard) < 5
    while waiting:
        waiting.pop()()
    assert heard[0] == b"/49"
    assert sorted(set(heard)) == sorted(Slow.roots)
    assert len(heard) <= len(Slow.roots) + 1
    heard.clear()
    hearing.take(ENVIRONMENT + b"/%d" % number for number in range(50))
    assert len(forgotten) < 5
    while waiting:
        assert not heard or len(forgotten) == 50
        waiting.pop()()
    assert (len(forgotten), len(heard)) == (50, 50)


@pytest.mark.parametrize("marked", [True, False])
def test_who_asks_first_tells_the_others(desk: Desk, land: Landscape, marked: bool) -> None:
    """A shell that sees a new environment before the watch tells of it leaves the others no worse off."""
    root = land.bare[0]
    for name in ("pyproject.toml", "notes.txt"):
        (root / name).unlink(missing_ok=True)
    if marked:
        write(root / "pyproject.toml", "[project]\nname = 'n'\n")
    before = desk.mark(root)
    land.venv(root / ".venv")
    assert desk.ask(root).prefix or desk.ask(root).state == "untrusted"
    assert desk.current(root) != before


def test_other_variables_are_no_event(desk: Desk, land: Landscape) -> None:
    """Who follows or decides with other override variables than the shell's makes nothing happen."""
    root = project(land, "/.venv")
    desk.mark(root)
    elsewhere = land.venv(root / "elsewhere")
    other = (b"HOME=" + desk.home, b"UV_PROJECT_ENVIRONMENT=" + os.fsencode(elsewhere))
    events = desk.handlers._shells.followers.events
    desk.handlers.handle(Follow(os.fsencode(root), other), None)
    desk.handlers.heard(os.fsencode(root))
    assert [one.kind for one in events.after(0)] == []
    desk.handlers.handle(Decide("deny", os.fsencode(root), other), None)
    desk.handlers.heard(os.fsencode(root))
    desk.ask(root)
    assert [one.kind for one in events.after(0)] == ["trust-changed"]
