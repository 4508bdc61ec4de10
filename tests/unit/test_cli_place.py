"""The DIR argument."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from alight.cli.place import directory_of
from alight.errors import UsageError


@pytest.fixture
def linked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """``real/deep`` with a link ``link`` to it; the current directory is the link's target."""
    (tmp_path / "real" / "deep").mkdir(parents=True)
    (tmp_path / "link").symlink_to("real/deep")
    monkeypatch.chdir(tmp_path / "link")
    return tmp_path


def test_here_is_spelled_as_the_shell_spells_it(linked: Path) -> None:
    """``$PWD`` counts where it is the current directory."""
    assert directory_of(None, {b"PWD": bytes(linked / "link")}) == bytes(linked / "link")


@pytest.mark.parametrize("pwd", [b"", b"relative", b"/", b"/no/such", b"%s/link/."])
def test_a_wrong_pwd_is_not_believed(linked: Path, pwd: bytes) -> None:
    """A ``$PWD`` that is elsewhere, relative, gone or not plain yields the kernel's spelling."""
    environ = {b"PWD": pwd.replace(b"%s", bytes(linked))}
    assert directory_of(None, environ) == os.path.realpath(bytes(linked / "link"))


def test_relative_directories_start_at_the_logical_one(linked: Path) -> None:
    """A relative DIR is joined to ``$PWD``; ``.`` is ``$PWD`` itself."""
    (linked / "link" / "sub").mkdir()
    environ = {b"PWD": bytes(linked / "link")}
    assert directory_of("sub/", environ) == bytes(linked / "link" / "sub")
    assert directory_of(".", environ) == bytes(linked / "link")


def test_dots_never_lead_elsewhere_than_the_kernel(linked: Path) -> None:
    """``..`` out of a link is the target's parent, as for every program that opens the path."""
    assert directory_of("..", {b"PWD": bytes(linked / "link")}) == os.path.realpath(bytes(linked / "real"))


def test_octets_survive(tmp_path: Path) -> None:
    """A name that is not UTF-8 arrives as the octets it has on disk."""
    name = bytes(tmp_path) + b"/\xff \n"
    os.mkdir(name)
    assert directory_of(os.fsdecode(name), {}) == name


@pytest.mark.parametrize(
    ("argument", "said"), [("nowhere", "does not exist"), ("file", "not a directory"), ("", "empty")]
)
def test_what_is_no_directory_is_a_usage_error(
    argument: str, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A DIR that is absent, a file or empty is refused with its name."""
    (tmp_path / "file").touch()
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageError, match=f"(?s){argument}.*{said}"):
        directory_of(argument, {})


def test_a_removed_current_directory_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the current directory was removed there is nothing to ask about."""
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    with pytest.raises(UsageError, match="no longer exists"):
        directory_of(None, {b"PWD": bytes(gone)})
