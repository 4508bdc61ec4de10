"""Decisions on disk: what is written, and what is not believed."""

from __future__ import annotations

import json
import os
import stat
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from alight.clock import SystemClock
from alight.errors import UnsafeDirectory
from alight.trust.records import RECORD_LIMIT, Evidence, Record, Records, identify

ROOT, PREFIX = b"/code/caf\xe9 \xff", b"/code/caf\xe9 \xff/.venv"
EVIDENCE = Evidence(1, 2, {"/code/caf\udce9/pyvenv.cfg": "ab"}, ("git",), tracked=True)


@pytest.fixture
def store(tmp_path: Path) -> Records:
    return fresh(tmp_path / "alight" / "trust")


def fresh(directory: Path, uid: int | None = None) -> Records:
    """A store without a memory."""
    return Records(directory, os.getuid() if uid is None else uid, SystemClock())


def file_of(store: Records, record: Record) -> Path:
    return Path(os.fsdecode(store.path(record.identifier)))


def test_what_is_written_is_found_by_another_store(store: Records) -> None:
    """Octets that are no text survive; the file is ours alone and named by what it is about."""
    written = store.write("allow", ROOT, PREFIX, EVIDENCE)
    file = file_of(store, written)
    assert fresh(store.directory).find("allow", ROOT, PREFIX) == written
    assert os.fsencode(written.root) == ROOT
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(store.directory.stat().st_mode) == 0o700
    assert file.name == f"{identify('allow', ROOT, PREFIX)}.json"
    assert [path.name for path in store.directory.iterdir()] == [file.name]
    assert json.loads(file.read_text())["since"].endswith("Z")


def test_a_decision_is_about_exactly_one_pair(store: Records) -> None:
    """Neither another root, nor another prefix, nor another kind of decision is meant."""
    store.write("allow", ROOT, PREFIX, EVIDENCE)
    assert store.find("allow", ROOT, PREFIX + b"x") is None
    assert store.find("allow", ROOT + b"/", PREFIX) is None
    assert store.find("deny", ROOT, PREFIX) is None
    assert identify("allow", b"a", b"b") != identify("allow", b"a\0b", b"")


def test_removing(store: Records) -> None:
    """What is removed is gone for every store; a second time there is nothing to remove."""
    record = store.write("deny", ROOT, b"", None)
    assert store.remove(record.identifier)
    assert store.find("deny", ROOT, b"") is None
    assert not store.remove(record.identifier)


def edit(change: Callable[[dict[str, object]], None]) -> Callable[[Path], None]:
    def apply(file: Path) -> None:
        document = json.loads(file.read_text())
        change(document)
        file.write_text(json.dumps(document))

    return apply


def _symlink(file: Path) -> None:
    file.rename(file.with_name("elsewhere"))
    file.symlink_to("elsewhere")


def _fifo(file: Path) -> None:
    file.unlink()
    os.mkfifo(file, 0o600)


def _directory(file: Path) -> None:
    file.unlink()
    file.mkdir(mode=0o700)


DAMAGE: dict[str, Callable[[Path], object]] = {
    "torn": lambda file: file.write_bytes(file.read_bytes()[:-20]),
    "empty": lambda file: file.write_bytes(b""),
    "rubbish": lambda file: file.write_bytes(bytes(range(256))),
    "nested": lambda file: file.write_text("[" * 50_000),
    "padded-too-large": lambda file: file.write_bytes(b" " * RECORD_LIMIT + file.read_bytes()),
    "other-root": edit(lambda document: document.update(root="/elsewhere")),
    "other-prefix": edit(lambda document: document.update(prefix="/elsewhere")),
    "other-decision": edit(lambda document: document.update(decision="tree")),
    "unknown-decision": edit(lambda document: document.update(decision="maybe")),
    "other-owner": edit(lambda document: document.update(owner=os.getuid() + 1)),
    "other-version": edit(lambda document: document.update(version=2)),
    "wrong-type": edit(lambda document: document.update(evidence=[1])),
    "missing-field": edit(lambda document: document.pop("owner")),
    "lone-surrogate": edit(lambda document: document.update(root="\ud800")),
    "nul": edit(lambda document: document.update(root="/a\0b")),
    "group-readable": lambda file: file.chmod(0o640),
    "world-writable": lambda file: file.chmod(0o602),
    "symlink": _symlink,
    "fifo": _fifo,
    "directory": _directory,
}


@pytest.mark.parametrize("name", DAMAGE)
@pytest.mark.parametrize("known", [False, True], ids=["unread", "read-before"])
def test_a_file_that_cannot_be_used_is_no_decision(store: Records, name: str, known: bool) -> None:
    """Torn, foreign, open, or about something else: not believed, not fatal, also where it was good before."""
    record = store.write("allow", ROOT, PREFIX, EVIDENCE)
    other = store.write("tree", b"/code", b"", None)
    if known:
        assert store.find("allow", ROOT, PREFIX) is not None
        assert len(list(store.all())) == 2
    DAMAGE[name](file_of(store, record))
    asked = store if known else fresh(store.directory)
    assert asked.find("allow", ROOT, PREFIX) is None
    assert list(asked.all()) == [other]


def test_a_file_of_another_user_is_no_decision(store: Records) -> None:
    """The owner is that of the file, not what the file says."""
    store.write("allow", ROOT, PREFIX, EVIDENCE)
    assert fresh(store.directory, os.getuid() + 1).find("allow", ROOT, PREFIX) is None


@pytest.mark.parametrize(
    "name", ["x.json", "0" * 64 + ".json.tmp", "0" * 63 + ".json", "0" * 64, "." + "0" * 64 + ".json"]
)
def test_other_names_are_not_read(store: Records, name: str) -> None:
    """Left-overs and strangers in the directory are not decisions."""
    record = store.write("allow", ROOT, PREFIX, EVIDENCE)
    (store.directory / name).write_bytes(file_of(store, record).read_bytes())
    (store.directory / name).chmod(0o600)
    assert list(store.all()) == [record]


def test_a_copy_under_another_identifier_is_no_decision(store: Records) -> None:
    """The name must be that of the content."""
    record = store.write("allow", ROOT, PREFIX, EVIDENCE)
    copy = store.directory / ("0" * 64 + ".json")
    copy.write_bytes(file_of(store, record).read_bytes())
    copy.chmod(0o600)
    assert list(store.all()) == [record]


def test_no_directory_no_decisions(tmp_path: Path) -> None:
    """Before the first decision there is nothing, and looking creates nothing."""
    empty = fresh(tmp_path / "absent")
    assert list(empty.all()) == []
    assert empty.find("allow", ROOT, PREFIX) is None
    assert not (tmp_path / "absent").exists()


@pytest.mark.parametrize("fault", ["open", "link"])
def test_nothing_is_written_into_a_directory_that_is_not_ours_alone(tmp_path: Path, fault: str) -> None:
    """A link or a directory open to others is refused, with the remedy."""
    directory = tmp_path / "trust"
    if fault == "open":
        directory.mkdir()
        directory.chmod(0o755)
    else:
        (tmp_path / "real").mkdir(mode=0o700)
        directory.symlink_to(tmp_path / "real")
    with pytest.raises(UnsafeDirectory) as caught:
        fresh(directory).write("allow", ROOT, PREFIX, EVIDENCE)
    assert caught.value.remedy
    assert not list(tmp_path.rglob("*.json"))


def test_a_failed_write_leaves_the_former_decision_and_no_litter(
    store: Records, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A full disk costs the new decision, never the old one."""
    former = store.write("allow", ROOT, PREFIX, EVIDENCE)

    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", full)
        with pytest.raises(OSError, match="No space"):
            store.write("allow", ROOT, PREFIX, None)
    assert fresh(store.directory).find("allow", ROOT, PREFIX) == former
    assert len(list(store.directory.iterdir())) == 1


def test_writers_beside_each_other_never_tear_a_file(store: Records) -> None:
    """Whoever reads meanwhile finds one whole record or another, and no temporary files stay."""
    store.write("allow", ROOT, PREFIX, EVIDENCE)
    failures: list[BaseException] = []

    def write(size: int) -> None:
        own = fresh(store.directory)
        try:
            for _ in range(40):
                own.write("allow", ROOT, PREFIX, Evidence(size, size, {"/" + "x" * size * 1000: "y" * size * 100}))
        except BaseException as error:
            failures.append(error)

    writers = [threading.Thread(target=write, args=(size,)) for size in (1, 5, 20)]
    for writer in writers:
        writer.start()
    while any(writer.is_alive() for writer in writers):
        found = fresh(store.directory).find("allow", ROOT, PREFIX)
        assert found is not None
        assert found.evidence is not None
        size = found.evidence.prefix_inode
        assert found.evidence == EVIDENCE or len(next(iter(found.evidence.files.values()))) == size * 100
    for writer in writers:
        writer.join()
    assert not failures
    assert len(list(store.directory.iterdir())) == 1
