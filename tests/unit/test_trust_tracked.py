"""Whether git tracks an environment: against the real git, and against hostile index files."""

from __future__ import annotations

import hashlib
import os
import struct
import subprocess
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alight.clock import SystemClock
from alight.files.disk import Disk
from alight.trust.tracked import _lists, is_tracked

_IDENTITY = {"GIT_AUTHOR_NAME": "a", "GIT_AUTHOR_EMAIL": "a@b", "GIT_COMMITTER_NAME": "a", "GIT_COMMITTER_EMAIL": "a@b"}


def git(where: Path, *words: str) -> str:
    """Run git in a repository, without the user's own settings."""
    environ = {"PATH": os.environ["PATH"], "HOME": "/nonexistent", "GIT_CONFIG_NOSYSTEM": "1", **_IDENTITY}
    done = subprocess.run(
        ["git", "-c", "protocol.file.allow=always", *words],
        cwd=where,
        env=environ,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.decode()


def tracked(prefix: Path) -> bool:
    return is_tracked(Disk(os.getuid(), SystemClock()), os.fsencode(prefix))


def environment(prefix: Path) -> Path:
    (prefix / "bin").mkdir(parents=True)
    (prefix / "bin" / "python").write_text("x")
    (prefix / "pyvenv.cfg").write_text("home = /usr/bin\n")
    return prefix


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A repository with some files around where an environment would be."""
    root = tmp_path / "repo"
    root.mkdir()
    git(root, "init", "-q")
    for name in ("a", ".venvx/y", ".ven", "sub/.venv-old/z", "zz/deep/file", "link"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(name)
    git(root, "add", "-f", ".")
    git(root, "commit", "-qm", "m")
    return root


def test_no_repository_no_tracking(tmp_path: Path) -> None:
    """Without a repository nothing is tracked; neither in one that has no index yet."""
    assert not tracked(environment(tmp_path / ".venv"))
    git(tmp_path, "init", "-q")
    assert not tracked(tmp_path / ".venv")


@pytest.mark.parametrize("version", ["2", "3", "4"])
@pytest.mark.parametrize("place", [".venv", "sub/.venv", "zz/deep/er/venv", "Ünï cødé/.venv"])
def test_every_index_version(repository: Path, version: str, place: str) -> None:
    """Added means tracked, before and after the commit; neighbours with similar names mean nothing."""
    prefix = environment(repository / place)
    git(repository, "update-index", "--index-version", version)
    assert not tracked(prefix)
    if version == "3":  # git writes version 3 only where an entry has extended flags
        git(repository, "add", "-N", "-f", f"{place}/pyvenv.cfg")
    else:
        git(repository, "add", "-f", f"{place}/bin/python")
    header = (repository / ".git/index").read_bytes()[4:8]
    assert struct.unpack(">I", header)[0] == int(version)
    assert tracked(prefix)
    git(repository, "rm", "-rqf", "--cached", place)
    assert not tracked(prefix)


def test_a_linked_worktree_has_an_index_of_its_own(repository: Path, tmp_path: Path) -> None:
    """The .git file of a worktree leads to its index."""
    prefix = environment(repository / ".venv")
    git(repository, "add", "-f", ".venv")
    git(repository, "commit", "-qm", "v")
    git(repository, "worktree", "add", "-q", str(tmp_path / "tree"), "HEAD")
    assert tracked(tmp_path / "tree/.venv")
    git(tmp_path / "tree", "rm", "-rq", "--cached", ".venv")
    assert not tracked(tmp_path / "tree/.venv")
    assert tracked(prefix)


def test_submodules(repository: Path, tmp_path: Path) -> None:
    """Inside a submodule its own index counts; an environment that is a submodule is tracked by the outer one."""
    inner = tmp_path / "inner"
    inner.mkdir()
    git(inner, "init", "-q")
    environment(inner / ".venv")
    git(inner, "add", "-f", ".venv")
    git(inner, "commit", "-qm", "i")
    git(repository, "submodule", "--quiet", "add", str(inner), "mod")
    assert tracked(repository / "mod/.venv")
    assert not tracked(environment(repository / "mod/other"))
    git(repository, "submodule", "--quiet", "add", str(inner), "env")
    assert tracked(repository / "env")


def test_a_split_index_counts_as_tracking(repository: Path) -> None:
    """Most of its entries are in another file, so it cannot say no."""
    prefix = environment(repository / ".venv")
    git(repository, "add", "-f", ".venv")
    git(repository, "update-index", "--split-index")
    (repository / "more").touch()
    git(repository, "add", "more")
    assert tracked(prefix)


def test_sha256_repositories(tmp_path: Path) -> None:
    """Longer object names make longer entries."""
    git(tmp_path, "init", "-q", "--object-format=sha256")
    prefix = environment(tmp_path / ".venv")
    (tmp_path / "a").touch()
    for version in ("2", "4"):
        git(tmp_path, "add", "a")
        git(tmp_path, "update-index", "--index-version", version)
        assert not tracked(prefix)
        git(tmp_path, "add", "-f", ".venv/pyvenv.cfg")
        assert tracked(prefix)
        git(tmp_path, "rm", "-rqf", "--cached", ".venv")


def test_links_are_tracked_as_what_they_are_and_where_they_lead(repository: Path, tmp_path: Path) -> None:
    """A tracked link, a link into a tracked folder, and a folder reached through a link all count."""
    outside = environment(tmp_path / "outside")
    (repository / "env").symlink_to(outside)
    assert not tracked(repository / "env")
    git(repository, "add", "-f", "env")
    assert tracked(repository / "env")
    environment(repository / ".venv")
    git(repository, "add", "-f", ".venv")
    (tmp_path / "pointer").symlink_to(repository / ".venv")
    assert tracked(tmp_path / "pointer")
    (tmp_path / "way").symlink_to(repository)
    assert tracked(tmp_path / "way/.venv")
    other = tmp_path / "other"
    other.mkdir()
    git(other, "init", "-q")
    (other / "a").touch()
    git(other, "add", "a")
    (other / ".venv").symlink_to(repository / ".venv")
    assert tracked(other / ".venv")


def test_case_does_not_hide_it(repository: Path) -> None:
    """On a disk that ignores case, .VENV in the index is .venv in the folder."""
    environment(repository / ".VENV")
    git(repository, "add", "-f", ".VENV")
    assert tracked(repository / ".venv")


@pytest.mark.parametrize("content", [b"", b"gitdir:", b"gitdir: \n", b"nonsense", b"gitdir: a\nb", b"x" * 5000])
def test_a_pointer_that_leads_nowhere_counts_as_tracking(tmp_path: Path, content: bytes) -> None:
    """A .git file that cannot be understood cannot say no."""
    (tmp_path / ".git").write_bytes(content)
    assert tracked(environment(tmp_path / ".venv"))


def test_an_index_that_cannot_be_read_counts_as_tracking(tmp_path: Path) -> None:
    """A special file, or rubbish, in its place."""
    prefix = environment(tmp_path / ".venv")
    (tmp_path / ".git").mkdir()
    os.mkfifo(tmp_path / ".git/index")
    assert tracked(prefix)
    (tmp_path / ".git/index").unlink()
    (tmp_path / ".git/index").write_bytes(b"rubbish")
    assert tracked(prefix)


def index(version: int, names: list[bytes], *, count: int | None = None, digest: int = 20, tail: bytes = b"") -> bytes:
    """An index file of our own making; version 4 without sharing any prefix octets."""
    content, former = b"", b""
    for name in names:
        head = b"\0" * (40 + digest) + struct.pack(">H", min(len(name), 0xFFF))
        if version == 4:
            content += head + _varint(len(former)) + name + b"\0"
            former = name
        else:
            entry = head + name
            content += entry + b"\0" * (8 - len(entry) % 8)
    body = b"DIRC" + struct.pack(">II", version, len(names) if count is None else count) + content + tail
    return body + (hashlib.sha1(body).digest() if digest == 20 else hashlib.sha256(body).digest())


def _varint(value: int) -> bytes:
    octets = [value & 0x7F]
    while value := (value >> 7):
        value -= 1
        octets.append(0x80 | value & 0x7F)
    return bytes(reversed(octets))


@pytest.mark.parametrize("version", [2, 3, 4])
@pytest.mark.parametrize("digest", [20, 32])
def test_entries_are_read_exactly(version: int, digest: int) -> None:
    """Whole components only, for names of any length."""
    names = [b"a" * length for length in (1, 5, 63, 127, 128, 129, 300)]
    assert not _lists(index(version, names, digest=digest), b".venv")
    assert not _lists(index(version, [*names, b".venvx/y", b"x/.venv/z"], digest=digest), b".venv")
    assert _lists(index(version, [*names, b".venv/y"], digest=digest), b".venv")
    assert _lists(index(version, [*names, b".venv"], digest=digest), b".venv")


HOSTILE = {
    "endless-count": index(4, [b"a"], count=2**32 - 1),
    "huge-varint": b"DIRC" + struct.pack(">II", 4, 9) + b"\0" * 62 + b"\x80" * 2_000_000,
    "strip-too-much": b"DIRC" + struct.pack(">II", 4, 1) + b"\0" * 61 + b"\x01\x7fa\0" + b"\x11" * 60,
    "cut-in-entry": index(4, [b"abc"])[:70],
    "cut-after-head": (b"DIRC" + struct.pack(">II", 4, 1) + b"\0" * 62),
    "no-nul": b"DIRC" + struct.pack(">II", 2, 1) + b"\0" * 62 + b".venv/" + b"x" * 100_000,
    "version-5": b"DIRC" + struct.pack(">II", 5, 0),
    "growing-names": b"DIRC"
    + struct.pack(">II", 4, 100_000)
    + (b"\0" * 60 + struct.pack(">H", 0xFFF) + b"\0" + b"x" * 900 + b"\0") * 5_000,
    "short": b"DIRC\0\0",
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_index_says_yes_at_once(name: str) -> None:
    """What is no proper index counts as tracking, in little processor time."""
    began = time.process_time()
    assert _lists(HOSTILE[name], b".venv")
    assert time.process_time() - began < 1


@settings(max_examples=300, deadline=None)
@given(
    st.binary(max_size=400),
    st.sampled_from([2, 3, 4, 7]),
    st.integers(min_value=0, max_value=2**32 - 1),
    st.sampled_from([b".venv", b"\xff/\n", b"a"]),
)
def test_no_index_raises(content: bytes, version: int, count: int, relative: bytes) -> None:
    """Whatever the octets, the answer is yes or no."""
    assert _lists(content, relative) in (True, False)
    assert _lists(b"DIRC" + struct.pack(">II", version, count) + content, relative) in (True, False)
