"""What the daemon knew: read at the next start, believed only as far as the disk says the same."""

from __future__ import annotations

import logging
import os
import shutil
import signal
import stat
import time
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from alight import store as module
from alight.client import Client
from alight.index import Index
from alight.model import Resolution
from alight.resolver import resolve
from alight.server.keeping import SPACING_SECONDS, Keeping
from alight.store import VERSION, Memory, Store
from alight.wire.requests import AnswerReply, GetAnswer
from support.daemon import DaemonInstance
from support.landscape import KINDS, Landscape
from support.playfield import Clock, Playfield, link, write


class Heard(logging.Handler):
    """What was logged."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(record.getMessage())


@pytest.fixture
def heard() -> Heard:
    return Heard()


@pytest.fixture
def store(tmp_path: Path, heard: Heard) -> Store:
    """A store in a directory of the test's own."""
    (tmp_path / "state").mkdir(mode=0o700)
    return opened(tmp_path / "state/index.msgpack", heard)


def opened(path: Path, heard: Heard, maker: str = "") -> Store:
    """The file as the next daemon opens it."""
    log = logging.Logger("test")
    log.addHandler(heard)
    return Store(path, os.getuid(), log, maker)


def started(field: Playfield, clock: Clock | None = None) -> Index:
    """A daemon's index before it knows anything."""
    return Index(clock or field.clock, os.getuid(), os.fsencode(field.home))


def written(store: Store, index: Index) -> None:
    """Write all that is known."""
    job = store.encoded(index.memory())
    while True:
        try:
            next(job)
        except StopIteration as done:
            assert store.write(done.value)
            return


def restarted(field: Playfield, store: Store) -> Index:
    """The index of a daemon that finds the file, all of it looked at again."""
    index = started(field)
    assert store.recall(index.recall)
    while index.advance(10_000_000):
        continue
    return index


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """The directories that were resolved and not remembered."""
    asked: list[bytes] = []

    def counting(directory: bytes, *arguments: object, **options: object) -> Resolution:
        asked.append(directory)
        return resolve(directory, *arguments, **options)  # type: ignore[arg-type]

    monkeypatch.setattr("alight.index.resolve", counting)
    return asked


def test_what_was_known_is_known_again(field: Playfield, store: Store, counted: list[bytes]) -> None:
    """Answers, environments and interpreters come back equal, and nothing is found out a second time."""
    project = field.home / "p"
    field.venv(project / ".venv")
    field.venv(field.home / ".virtualenvs" / "tools")
    former = started(field)
    directory = os.fsencode(project)
    answer, environments, pythons = former.resolve(directory, {}), former.environments(), former.interpreters()
    written(store, former)
    counted.clear()
    index = restarted(field, store)
    assert index.resolve(directory, {}) == answer
    assert counted == []
    assert index.environments() == environments
    assert index.interpreters() == pythons
    assert index.generation == 0
    assert stat.S_IMODE(store.path.stat().st_mode) == 0o600
    assert [path.name for path in store.path.parent.iterdir()] == ["index.msgpack"]


def changes() -> dict[str, Callable[[Playfield, Path], object]]:
    """What may happen to a project with a .venv while no daemon runs."""
    return {
        "removed": lambda _field, root: shutil.rmtree(root / ".venv"),
        "broken": lambda _field, root: (root / ".venv/bin/python").unlink(),
        "upgraded": lambda field, root: link(root / ".venv/bin/python", str(field.base("3.12.4") / "bin/python")),
        "renamed": lambda field, root: os.rename(field.home / ".virtualenvs/tools", field.home / ".virtualenvs/other"),
        "tool": lambda _field, root: write(root / "uv.lock"),
        "edited": lambda _field, root: write(root / ".venv/pyvenv.cfg", "home = /nowhere\nversion = 3.9.1\n"),
        "pinned": lambda _field, root: write(root / ".python-version", "3.9\n"),
        "base": lambda field, _root: shutil.rmtree(field.home / ".pyenv"),
        "nearer": lambda field, root: field.venv(root / "src/.venv"),
        "linked": lambda field, root: (
            shutil.rmtree(root / ".venv"),
            write(field.home / ".virtualenvs/tools/.project", str(root)),
        ),
    }


@pytest.mark.parametrize("change", changes())
def test_what_changed_meanwhile_is_seen(field: Playfield, store: Store, change: str) -> None:
    """Whatever happens on disk while no daemon runs, the restarted one answers as one that never knew anything."""
    root = field.home / "code/p"
    (root / "src").mkdir(parents=True)
    write(root / "pyproject.toml", '[project]\nname = "p"\n')
    field.venv(root / ".venv")
    field.venv(field.home / ".virtualenvs/tools")
    asked = [os.fsencode(path) for path in (root, root / "src", field.home)]
    former = started(field)
    before = [former.resolve(directory, {}) for directory in asked]
    listed = former.environments(), former.interpreters()
    written(store, former)
    changes()[change](field, root)
    index, fresh = restarted(field, store), started(field)
    after = [index.resolve(directory, {}) for directory in asked]
    assert after == [fresh.resolve(directory, {}) for directory in asked]
    others = set(index.environments()) - set(fresh.environments())
    assert set(fresh.environments()) <= set(index.environments())
    assert all(os.path.isdir(one.prefix) for one in others), "only what nobody asked about may be known besides"
    assert index.interpreters() == fresh.interpreters()
    assert (after, (index.environments(), index.interpreters())) != (before, listed)


def test_the_first_question_need_not_wait_for_the_look(field: Playfield, store: Store) -> None:
    """Asked before everything was looked at again, the answer is right, and complete once that is done."""
    root = field.home / "p"
    write(root / "pyproject.toml", "")
    tools = field.venv(field.home / ".virtualenvs/tools")
    former = started(field)
    assert former.resolve(os.fsencode(root), {}).environment is None
    written(store, former)
    write(tools / ".project", str(root))
    index = Index(_Ahead(), os.getuid(), os.fsencode(field.home), links_budget_ns=1)
    assert store.recall(index.recall)
    index.resolve(os.fsencode(root), {})
    while index.advance(1):
        continue
    found = index.resolve(os.fsencode(root), {}).environment
    assert found is not None
    assert found.prefix == os.fsencode(tools)


def test_what_was_racy_is_not_believed(field: Playfield, store: Store, counted: list[bytes]) -> None:
    """An answer about files that were just written is not kept: they may have changed without their times telling."""
    field.venv(field.home / "p/.venv")
    former = started(field, Clock(0))
    former.resolve(os.fsencode(field.home / "p"), {})
    written(store, former)
    counted.clear()
    index = restarted(field, store)
    index.resolve(os.fsencode(field.home / "p"), {})
    assert counted == [os.fsencode(field.home / "p")]


def _torn(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-7])


def _flipped(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[-9] ^= 1
    path.write_bytes(content)


def _other_version(path: Path) -> None:
    path.write_bytes(msgspec.msgpack.encode([VERSION + 1, "", 0, b""]))


def _link(path: Path) -> None:
    path.rename(path.with_name("elsewhere"))
    path.symlink_to("elsewhere")


def _folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def _pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


BAD: dict[str, Callable[[Path], object]] = {
    "torn": _torn,
    "flipped": _flipped,
    "version": _other_version,
    "empty": lambda path: path.write_bytes(b""),
    "text": lambda path: path.write_text("{}"),
    "nested": lambda path: path.write_bytes(b"\x91" * 100_000),
    "shape": lambda path: path.write_bytes(msgspec.msgpack.encode([VERSION, 3])),
    "mode": lambda path: path.chmod(0o644),
    "link": _link,
    "folder": _folder,
    "pipe": _pipe,
    "large": lambda path: os.truncate(path, module.SIZE_LIMIT + 1),
}


@pytest.mark.parametrize("what", BAD)
def test_a_bad_file_is_set_aside(field: Playfield, store: Store, heard: Heard, what: str) -> None:
    """What cannot be used is renamed once, said once, and the daemon begins with nothing and writes anew."""
    field.venv(field.home / "p/.venv")
    former = started(field)
    former.resolve(os.fsencode(field.home / "p"), {})
    written(store, former)
    BAD[what](store.path)
    taken: list[Memory] = []
    assert not store.recall(taken.append)
    assert taken == []
    assert len(heard.lines) == 1
    assert "set aside as index.msgpack.bad" in heard.lines[0]
    assert os.path.lexists(f"{store.path}.bad")
    assert not os.path.lexists(store.path)
    assert not store.recall(taken.append)
    assert len(heard.lines) == 1
    written(store, former)
    assert store.recall(taken.append)


def test_what_is_no_file_gets_out_of_the_way_every_time(field: Playfield, store: Store, heard: Heard) -> None:
    """A folder in its place is set aside also when something else was before, so that the index can be written."""
    for number in range(3):
        written(store, started(field))
        _folder(store.path)
        assert not store.recall(lambda _memory: None)
        assert len(heard.lines) == number + 1
        assert "set aside as" in heard.lines[-1]
    written(store, started(field))
    assert store.recall(lambda _memory: None)


@pytest.mark.parametrize("what", ["flipped", "folder", "large", "nested"])
def test_a_daemon_lives_with_a_bad_file(field: Playfield, what: str) -> None:
    """The next daemon serves as if there had been none, says so once in its log, and writes a good one at its end."""
    field.venv(field.home / "p/.venv")
    environ = {**os.environ, "HOME": str(field.home)}
    request = GetAnswer(os.fsencode(field.home / "p"), (b"HOME=" + os.fsencode(field.home),))
    for _ in range(3):
        with DaemonInstance(environ=environ) as daemon:
            places = daemon.places()
            _, reply = Client(places, 5.0).request(request)
            assert isinstance(reply, AnswerReply)
            assert reply.answer.resolution.environment is not None
            daemon.signal(signal.SIGTERM)
            assert daemon.wait() == 0
        if not places.index.with_name("index.msgpack.bad").exists():
            BAD[what](places.index)
    assert stat.S_ISREG(places.index.lstat().st_mode)
    assert places.log.read_text().count("the index cannot be used") == 1


def test_a_file_of_somebody_else(tmp_path: Path, heard: Heard) -> None:
    """What another user has is neither read nor moved."""
    path = tmp_path / "index.msgpack"
    store = opened(path, heard)
    assert store.write(_parts(store))
    other = Store(path, os.getuid() + 1, logging.Logger("x"))
    assert not other.recall(lambda _memory: pytest.fail("it was read"))
    assert path.exists()


def _parts(store: Store) -> list[bytes]:
    job = store.encoded(Memory(b"/h", [], [], [], [], []))
    try:
        while True:
            next(job)
    except StopIteration as done:
        return list(done.value)


def test_another_makers_file_is_left_alone(tmp_path: Path, heard: Heard) -> None:
    """Other rules or another machine would have found something else; its file is neither used nor set aside."""
    path = tmp_path / "index.msgpack"
    theirs = opened(path, heard, "another alight")
    assert theirs.write(_parts(theirs))
    assert not opened(path, heard).recall(lambda _memory: pytest.fail("it was read"))
    assert path.exists()
    assert len(heard.lines) == 1


def test_a_directory_that_others_may_change_is_not_used(store: Store, heard: Heard) -> None:
    """Neither read nor written, which is said once; a full or missing directory is no reason to fail either."""
    assert store.write(_parts(store))
    store.path.parent.chmod(0o777)
    assert not store.recall(lambda _memory: pytest.fail("it was read"))
    assert not store.write(_parts(store))
    assert not store.write(_parts(store))
    assert len(heard.lines) == 2, heard.lines
    shutil.rmtree(store.path.parent)
    assert not store.write(_parts(store))
    assert not store.recall(lambda _memory: None)


def test_what_a_killed_writer_left_is_removed(store: Store) -> None:
    """Temporary files of another time go at the next start; one that is just being written stays."""
    old, new = (store.path.with_name(f".index.msgpack.{name}.tmp") for name in ("old", "new"))
    old.write_bytes(b"x")
    new.write_bytes(b"x")
    os.utime(old, (time.time() - 3600,) * 2)
    store.recall(lambda _memory: None)
    assert (old.exists(), new.exists()) == (False, True)


def test_it_is_bounded(store: Store, field: Playfield, monkeypatch: pytest.MonkeyPatch) -> None:
    """Beyond the limits what was used least recently is left out, and the file can still be read."""
    monkeypatch.setattr(module, "ENVIRONMENTS_OCTETS", 4000)
    monkeypatch.setattr(module, "LISTS_OCTETS", 30_000)
    land = Landscape(field.home / "h").grow(30, KINDS)
    index = Index(Clock(), os.getuid(), os.fsencode(land.home))
    index.environments()
    for project in land.projects:
        index.resolve(os.fsencode(project), {})
    last = os.fsencode(land.projects[-1])
    written(store, index)
    assert store.path.stat().st_size < 4000 + 4 * 30_000 + 1000
    memories: list[Memory] = []
    assert store.recall(memories.append)
    assert memories[0].answers[0].directory == last
    assert 0 < len(memories[0].environments) < len(land.environments)
    again = Index(Clock(), os.getuid(), os.fsencode(land.home))
    again.recall(memories[0])
    pooled = started(field)
    assert len(pooled.environments()) <= len(again.environments()) <= len(index.environments())


def test_another_home_is_another_world(field: Playfield, store: Store) -> None:
    """What shells without HOME were answered does not count when the daemon's home is another."""
    field.venv(field.home / "p/.venv")
    former = started(field)
    former.resolve(os.fsencode(field.home / "p"), {})
    written(store, former)
    index = Index(field.clock, os.getuid(), b"/elsewhere")
    assert store.recall(index.recall)
    assert index.memory() == Memory(b"/elsewhere", [], [], [], [], [])


class _Index:
    """One that changes when a test says so."""

    changes = 0

    def memory(self) -> Memory:
        return Memory(b"/h", [], [], [], [], [])


def test_written_in_idle_moments_only(store: Store) -> None:
    """Nothing is written without news nor more often than every few seconds; what is new at the end is written."""
    clock, index, waiting = _Moving(), _Index(), list[Callable[[], None]]()
    keeping = Keeping(index, store, clock, waiting.append)  # type: ignore[arg-type]
    clock.now += SPACING_SECONDS
    keeping.tick()
    assert not store.path.exists()
    index.changes += 1
    keeping.tick()
    while waiting:
        waiting.pop()()
    keeping.close()
    first = store.path.stat()
    index.changes += 1
    keeping.tick()
    assert store.path.stat().st_ino == first.st_ino
    keeping.close()
    assert store.path.stat().st_ino != first.st_ino


class _Ahead(Clock):
    """An hour ahead, on which time passes."""

    def monotonic(self) -> float:
        return time.monotonic()


class _Moving(Clock):
    """Time that passes when a test says so."""

    now = 100.0

    def monotonic(self) -> float:
        return self.now


def test_disk_is_looked_at_before_anything_counts(
    field: Playfield, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A remembered answer is given only after its fingerprint was tested in this process."""
    field.venv(field.home / "p/.venv")
    former = started(field)
    former.resolve(os.fsencode(field.home / "p"), {})
    written(store, former)
    index = restarted(field, store)
    tested: list[int] = []
    monkeypatch.setattr(
        "alight.files.moment.Moment.holds", lambda _, fingerprint: bool(tested.append(len(fingerprint.records)))
    )
    assert index.resolve(os.fsencode(field.home / "p"), {}).environment is not None
    assert tested
