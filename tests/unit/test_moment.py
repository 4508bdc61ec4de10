"""One moment of the disk for everybody who had asked before it began, and what a fingerprint need not say."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from alight.files.disk import Disk, Fingerprint, is_absent, look
from alight.files.moment import Moment
from support.playfield import Clock, link, write


def octets(path: Path) -> bytes:
    return os.fsencode(path)


def looked(*look: Callable[[Disk], object]) -> Fingerprint:
    """The fingerprint of these looks, an hour from now: nothing is racy."""
    disk = Disk(os.getuid(), Clock())
    for one in look:
        one(disk)
    return disk.fingerprint()


def holds(fingerprint: Fingerprint) -> bool:
    return Moment(Clock()).holds(fingerprint)


def test_a_path_is_looked_at_once_a_moment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Fingerprints that share a path share its look, whatever the manner; the next moment looks again."""
    file = octets(write(tmp_path / "file", "x"))
    pointer = octets(link(tmp_path / "pointer", "file"))
    one = looked(lambda disk: disk.stat(file), lambda disk: disk.readlink(pointer))
    two = looked(lambda disk: disk.stat(file), lambda disk: disk.permissions(pointer))
    looks: Counter[bytes] = Counter()
    stat, lstat = os.stat, os.lstat
    monkeypatch.setattr(os, "stat", lambda path: looks.update([path]) or stat(path))
    monkeypatch.setattr(os, "lstat", lambda path: looks.update([path]) or lstat(path))
    moment = Moment(Clock())
    assert all(moment.holds(fingerprint) for fingerprint in (one, two, one))
    assert looks == {file: 1, pointer: 1}
    moment.over()
    assert moment.holds(one)
    assert looks == {file: 2, pointer: 2}


def test_a_change_is_seen_in_the_next_moment(tmp_path: Path) -> None:
    """What was looked at stays as it was until the moment is over; what was not is seen as it is."""
    first, second = write(tmp_path / "first", "x"), write(tmp_path / "second", "x")
    one, two = (looked(lambda disk, file=file: disk.stat(octets(file))) for file in (first, second))
    moment = Moment(Clock())
    assert moment.holds(one)
    first.write_text("changed")
    second.write_text("changed")
    assert moment.holds(one)
    assert not moment.holds(two)
    began = moment.began_ns
    moment.over()
    assert moment.began_ns > began
    assert not moment.holds(one)


def test_a_racy_fingerprint_holds_at_no_moment(tmp_path: Path) -> None:
    """Who says that the answer depends on how old something is, is asked again."""
    assert not holds(looked(lambda disk: disk.stat(octets(tmp_path)), lambda disk: disk.provisional()))


def test_only_the_first_of_a_moment_does_it() -> None:
    """What others would only do again is done by the first of them, in each moment."""
    moment = Moment(Clock())
    assert [moment.first(what) for what in ("a", "b", "a")] == [True, True, False]
    moment.over()
    assert moment.first("a")


LINK_CHANGES: dict[str, Callable[[Path], object]] = {
    "nothing": lambda _: None,
    "the first link": lambda base: link(base / "env/bin/python", "python4"),
    "the second link": lambda base: link(base / "env/bin/python3", "../../base/other"),
    "the link of the end": lambda base: link(base / "base/python3", "other"),
    "the end": lambda base: (base / "base/python3.11").write_text("changed"),
    "the end is gone": lambda base: (base / "base/python3.11").unlink(),
    "the folder": lambda base: os.rename(base / "env/bin", base / "env/was"),
}


@pytest.mark.parametrize("change", LINK_CHANGES)
def test_links_are_told_by_the_folders_they_are_in(tmp_path: Path, change: str) -> None:
    """A link is never changed, only replaced: it has no record, and all that lead to one end share that of the end."""
    for name in ("python3.11", "other"):
        write(tmp_path / "base" / name, "x")
    link(tmp_path / "base/python3", "python3.11")
    link(tmp_path / "env/bin/python3", str(tmp_path / "base/python3"))
    link(tmp_path / "env/bin/python", "python3")
    interpreter, end = octets(tmp_path / "env/bin/python"), octets(tmp_path / "base/python3.11")
    fingerprint = looked(
        lambda disk: disk.stat(os.path.dirname(interpreter)),
        lambda disk: disk.realpath(interpreter),
        lambda disk: disk.stat(interpreter),
    )
    assert {(record.manner, record.path) for record in fingerprint.records} == {
        ("stat", os.path.dirname(interpreter)),
        ("lstat", octets(tmp_path / "base/python3")),  # nobody looked at the folder it is in
        ("stat", end),
    }
    LINK_CHANGES[change](tmp_path)
    assert holds(fingerprint) == (change == "nothing")


@pytest.mark.parametrize("follow", [True, False])
@pytest.mark.parametrize(
    "thing", ["absent", "file", "directory", "link", "dangling", "loop", "nul", "long", "below a file"]
)
def test_what_is_absent_is_absent_to_a_quick_look(tmp_path: Path, thing: str, follow: bool) -> None:
    """The quick look and the whole one agree about everything that can stand at a path."""
    write(tmp_path / "file", "x")
    (tmp_path / "directory").mkdir()
    link(tmp_path / "link", "file")
    link(tmp_path / "dangling", "nowhere")
    link(tmp_path / "loop", "loop")
    name = {"nul": b"a\0b", "long": b"x" * 5000, "below a file": b"file/x"}.get(thing, thing.encode())
    path = octets(tmp_path) + b"/" + name
    assert is_absent(path, follow=follow) == (look(path, follow=follow) is None)


ABSENT = {
    "in a directory": (("d",), "d/x"),
    "deep in a directory": (("d",), "d/x/y/z"),
    "below what is absent": (("d/x",), "d/x/y"),
    "in what is no directory": (("d/file",), "d/file/x"),
}


@pytest.mark.parametrize("case", ABSENT)
@pytest.mark.parametrize("first", ["above", "absent"])
@pytest.mark.parametrize("manner", ["stat", "lstat"])
def test_an_absence_follows_from_a_look_above_it(tmp_path: Path, case: str, first: str, manner: str) -> None:
    """It needs no record where a directory above was looked at, before or after, and its end is seen all the same."""
    above, absent = ABSENT[case]
    write(tmp_path / "d/file", "x")
    path = tmp_path / absent
    names = [(octets(tmp_path / name), "stat") for name in above] + [(octets(path), manner)]
    looks = [lambda disk, path=path, manner=manner: getattr(disk, manner)(path) for path, manner in names]
    fingerprint = looked(*(looks if first == "above" else reversed(looks)))
    assert [record.path for record in fingerprint.records] == [octets(tmp_path / name) for name in above]
    assert holds(fingerprint)
    (tmp_path / "d/file").unlink()
    write(path)
    assert not holds(fingerprint)


def test_an_absence_with_nothing_above_it_is_recorded(tmp_path: Path) -> None:
    """Where no directory above was looked at, or the way goes on into one that was not, it speaks for itself."""
    (tmp_path / "d/e").mkdir(parents=True)
    absent = octets(tmp_path / "d/e/x")
    assert [record.path for record in looked(lambda disk: disk.stat(absent)).records] == [absent]
    fingerprint = looked(lambda disk: disk.stat(octets(tmp_path / "d")), lambda disk: disk.stat(absent))
    assert absent in {record.path for record in fingerprint.records}
    write(tmp_path / "d/e/x")
    assert not holds(fingerprint)


@pytest.mark.parametrize("at", ["x", "x/y"])
def test_a_link_to_nothing_is_no_absence(tmp_path: Path, at: str) -> None:
    """What its target's appearance changes is nowhere near the link, so the path itself is looked at again."""
    (tmp_path / "d").mkdir()
    link(tmp_path / "d/x", "../elsewhere")
    path = octets(tmp_path / "d" / at)
    fingerprint = looked(lambda disk: disk.stat(octets(tmp_path / "d")), lambda disk: disk.stat(path))
    assert holds(fingerprint)
    (tmp_path / "elsewhere").mkdir()
    write(tmp_path / "elsewhere/y")
    assert not holds(fingerprint)


def test_permissions_follow_from_a_look_at_the_same_thing(tmp_path: Path) -> None:
    """The change time tells of owner and mode, too; behind a link they are another's, and recorded."""
    directory, pointer = tmp_path / "d", tmp_path / "pointer"
    directory.mkdir()
    link(pointer, "d")
    looks = [
        lambda disk, path=path, manner=manner: getattr(disk, manner)(path)
        for path in (octets(directory), octets(pointer))
        for manner in ("stat", "permissions")
    ]
    fingerprint = looked(*looks)
    manners = [(record.path, record.manner) for record in fingerprint.records]
    assert manners == [
        (octets(directory), "stat"),
        (octets(pointer), "stat"),
        (octets(pointer), "permissions"),
    ]
    directory.chmod(0o777)
    assert not holds(fingerprint)
