"""The recording reader, and the fingerprint that says whether an answer still holds."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from alight.clock import SystemClock
from alight.files import disk as module
from alight.files.disk import Disk
from alight.files.moment import Moment
from support.playfield import Clock, link, write


@pytest.fixture
def disk() -> Disk:
    return Disk(os.getuid(), Clock())


def octets(path: Path) -> bytes:
    return os.fsencode(path)


def test_reads_a_regular_file_up_to_its_limit(tmp_path: Path, disk: Disk) -> None:
    """A file of exactly the limit is read, one octet more is as good as absent."""
    fits, over = write(tmp_path / "fits", "x" * 10), write(tmp_path / "over", "x" * 11)
    assert disk.read(octets(fits), 10) == b"x" * 10
    assert disk.read(octets(over), 10) is None


@pytest.mark.parametrize("kind", ["fifo", "directory", "device", "absent", "loop", "nul", "long", "sparse"])
def test_never_waits_and_never_raises(tmp_path: Path, disk: Disk, kind: str) -> None:
    """What is no readable regular file is absent to ``read``, whatever it is."""
    path = octets(tmp_path / "thing")
    if kind == "fifo":
        os.mkfifo(path)
    elif kind == "directory":
        os.mkdir(path)
    elif kind == "device":
        path = b"/dev/zero"
    elif kind == "loop":
        os.symlink(b"thing", path)
    elif kind == "nul":
        path += b"\0x"
    elif kind == "long":
        path += b"x" * 5000
    elif kind == "sparse":
        write(tmp_path / "thing")
        os.truncate(path, 1 << 30)
    assert disk.read(path) is None
    assert disk.names(path) == frozenset()
    assert disk.readlink(path) in {None, b"thing"}
    disk.realpath(path)
    assert Moment(SystemClock()).holds(disk.fingerprint())


@pytest.mark.parametrize("error", [PermissionError, OSError])
def test_a_failing_look_is_absence(tmp_path: Path, disk: Disk, monkeypatch: pytest.MonkeyPatch, error: type) -> None:
    """EACCES and EIO on stat, open or scandir are absence, not errors."""
    path = write(tmp_path / "file", "x")

    def fail(*_arguments: object, **_options: object) -> None:
        raise error(5, "Input/output error")

    monkeypatch.setattr(os, "open", fail)
    monkeypatch.setattr(os, "scandir", fail)
    assert disk.read(octets(path)) is None
    assert disk.names(octets(tmp_path)) is None
    assert disk.has(octets(tmp_path), b"file")
    monkeypatch.setattr(os, "stat", fail)
    monkeypatch.setattr(os, "lstat", fail)
    other = Disk(os.getuid(), Clock())
    assert other.stat(octets(path)) is None
    assert other.lstat(octets(path)) is None


def test_a_large_directory_is_probed_instead_of_listed(
    tmp_path: Path, disk: Disk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """``names`` is None above the limit, ``has`` still answers, and the absences need no records of their own."""
    monkeypatch.setattr(module, "NAMES_LIMIT", 3)
    for name in "abcd":
        write(tmp_path / name)
    assert disk.names(octets(tmp_path)) is None
    assert disk.has(octets(tmp_path), b"a")
    assert not any(disk.has(octets(tmp_path), name) for name in (b"x", b"y", b"z"))
    assert all(record.seen is not None for record in disk.fingerprint().records)


def test_realpath_follows_links_and_keeps_what_does_not_exist(tmp_path: Path, disk: Disk) -> None:
    """The same as the platform's realpath, for links, ``..``, absent tails and loops."""
    real = Path(os.path.realpath(tmp_path))
    (real / "a" / "b").mkdir(parents=True)
    link(real / "to-b", "a/b")
    link(real / "far", str(real / "to-b"))
    link(real / "one", "two")
    link(real / "two", "one")
    for tail in ("to-b", "far", "far/../c", "far/absent/x", "a/./b/", "a//b"):
        path = octets(real) + b"/" + tail.encode()
        assert disk.realpath(path) == os.path.realpath(path), tail
    assert disk.realpath(octets(real / "one")) == octets(real / "one")


def test_each_path_is_looked_at_once(tmp_path: Path, disk: Disk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Within one question the same path always looks the same."""
    path = octets(write(tmp_path / "file", "x"))
    assert disk.exists(path)
    os.unlink(path)
    assert disk.exists(path)
    assert not Moment(SystemClock()).holds(disk.fingerprint())


@pytest.mark.parametrize("change", ["content", "touch", "mode", "remove", "replace", "retarget", "create", "listed"])
def test_a_change_ends_the_fingerprint(tmp_path: Path, disk: Disk, change: str) -> None:
    """Every kind of change to something looked at is noticed, and nothing else is."""
    file, absent = write(tmp_path / "d" / "file", "x"), tmp_path / "e" / "absent"
    absent.parent.mkdir()
    pointer = link(tmp_path / "links" / "pointer", str(file))
    disk.read(octets(file))
    disk.realpath(octets(pointer))
    disk.exists(octets(absent))
    disk.names(octets(tmp_path / "d"))
    fingerprint = disk.fingerprint()
    write(tmp_path / "e" / "unrelated")
    assert Moment(SystemClock()).holds(fingerprint)
    if change == "content":
        file.write_text("y")
    elif change == "touch":
        os.utime(file, ns=(1, 1))
    elif change == "mode":
        file.chmod(0o600)
    elif change == "remove":
        file.unlink()
    elif change == "replace":
        os.replace(write(tmp_path / "links" / "new", "x"), file)
    elif change == "retarget":
        link(pointer, "../d/../d/file")
    elif change == "create":
        write(absent)
    elif change == "listed":
        write(tmp_path / "d" / "sibling")
    assert not Moment(SystemClock()).holds(fingerprint)


def test_a_file_just_written_never_holds(tmp_path: Path) -> None:
    """Within two seconds of a change the clock's grain may hide the next one, so the answer is asked again."""
    path = octets(write(tmp_path / "file", "x"))
    disk = Disk(os.getuid(), SystemClock())
    disk.read(path)
    assert disk.fingerprint().racy
    assert not Moment(SystemClock()).holds(disk.fingerprint())


def test_a_provisional_answer_never_holds(tmp_path: Path, disk: Disk) -> None:
    """An answer that depends on how old something is must be asked again."""
    disk.exists(octets(tmp_path))
    disk.provisional()
    assert not Moment(SystemClock()).holds(disk.fingerprint())
