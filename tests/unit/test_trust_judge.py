"""Decisions joined with what is there: what each change does to an approval, and what a tree covers."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from alight.clock import SystemClock
from alight.errors import BadNews, UsageError
from alight.files.disk import Disk
from alight.index import Index
from alight.model import Answer, Resolution
from alight.trust.answers import Answers
from alight.trust.judge import PACKAGES, Judge, may_be_allowed
from alight.trust.records import Records
from alight.trust.shadows import CORE_COMMANDS, shadowed
from support.playfield import Clock, Playfield, write


@dataclass
class Bench:
    """A playfield with a judge of its own."""

    field: Playfield
    judge: Judge

    def resolve(self, directory: Path) -> Resolution:
        return self.field.resolve(directory)

    def state(self, directory: Path) -> Answer:
        return self.judge.join(self.resolve(directory), self.field.disk())

    def allow(self, directory: Path) -> tuple[str, ...]:
        return self.judge.allow(self.resolve(directory), self.field.disk()).warnings

    def made(self, directory: Path) -> bool:
        return self.judge.made(self.resolve(directory), self.field.disk())

    def tree(self, directory: Path) -> None:
        self.judge.trust_tree(os.fsencode(directory), self.field.disk())

    def app(self, name: str = "app") -> Path:
        root = self.field.home / name
        write(root / "pyproject.toml")
        self.field.venv(root / ".venv")
        return root


@pytest.fixture
def bench(field: Playfield, tmp_path: Path) -> Bench:
    return Bench(field, Judge(Records(tmp_path / "trust", os.getuid(), SystemClock()), os.getuid()))


def test_the_default_is_no(bench: Bench) -> None:
    """An environment about which nothing was decided is untrusted, without a stamp."""
    found = bench.state(bench.app())
    assert (found.state, found.stamp, found.reason) == ("untrusted", b"", "")


def test_allowing_gives_a_stamp(bench: Bench) -> None:
    """The stamp is the record's own file, which the hook can test."""
    root = bench.app()
    assert bench.allow(root) == ()
    found = bench.state(root)
    assert found.state == "trusted"
    assert Path(os.fsdecode(found.stamp)).is_file()


def _anew(root: Path) -> None:
    shutil.copytree(root / ".venv", root / "copy", symlinks=True)
    (root / ".venv").rename(root / "old")
    (root / "copy").rename(root / ".venv")


def _new_bin(root: Path) -> None:
    shutil.copytree(root / ".venv/bin", root / ".venv/new", symlinks=True)
    (root / ".venv/bin").rename(root / ".venv/old")
    (root / ".venv/new").rename(root / ".venv/bin")


def _config(root: Path) -> None:
    with (root / ".venv/pyvenv.cfg").open("a") as config:
        config.write("include-system-site-packages = true\n")


CHANGES: dict[str, tuple[Callable[[Path], object], str]] = {
    "made-anew": (_anew, "it was made anew since you allowed it"),
    "bin-replaced": (_new_bin, "it was made anew since you allowed it"),
    "configuration": (_config, "pyvenv.cfg changed since you allowed it"),
    "shadow": (lambda root: write(root / ".venv/bin/git"), "its bin now holds git"),
    "shadow-in-capitals": (lambda root: write(root / ".venv/bin/SUDO"), "its bin now holds sudo"),
    "two-shadows": (
        lambda root: (write(root / ".venv/bin/ssh"), write(root / ".venv/bin/ls")),
        "its bin now holds ls, ssh",
    ),
    "unreadable-repository": (lambda root: write(root / ".git", "gitdir:"), "git tracks it now"),
    "open-bin": (lambda root: (root / ".venv/bin").chmod(0o777), "can be changed by others"),
    "open-configuration": (lambda root: (root / ".venv/pyvenv.cfg").chmod(0o666), "can be changed by others"),
    "open-prefix": (lambda root: (root / ".venv").chmod(0o777), "can be changed by others"),
}


@pytest.mark.parametrize("name", CHANGES)
def test_each_change_asks_again_and_says_why(bench: Bench, name: str) -> None:
    """An approval holds for what was there when it was given; the reason names what changed."""
    root = bench.app()
    bench.allow(root)
    change, reason = CHANGES[name]
    change(root)
    found = bench.state(root)
    assert found.state == "untrusted"
    assert found.stamp == b""
    assert reason in found.reason


@pytest.mark.parametrize("name", ["shadow", "two-shadows", "configuration", "made-anew", "unreadable-repository"])
def test_allowing_again_accepts_the_change(bench: Bench, name: str) -> None:
    """What the user has seen and allowed is trusted as it is now."""
    root = bench.app()
    bench.allow(root)
    CHANGES[name][0](root)
    warnings = bench.allow(root)
    assert bool(warnings) is (name not in ("configuration", "made-anew"))
    assert bench.state(root).state == "trusted"


def test_ordinary_work_does_not_ask_again(bench: Bench) -> None:
    """New packages, scripts, manifests and lock files are what an environment is for."""
    root = bench.app()
    write(root / "uv.lock", "version = 1\n")
    bench.allow(root)
    write(root / "uv.lock", "version = 2\n")
    write(root / "pyproject.toml", "[project]\nname = 'x'\n")
    write(root / ".venv/bin/pytest")
    write(root / ".venv/lib/python3.11/site-packages/x.py")
    assert bench.state(root).state == "trusted"


def test_a_moved_pointer_is_another_pair(bench: Bench) -> None:
    """Trust of one target is no trust of another, and a pointer's own change asks again."""
    root, first, second = bench.field.home / "app", bench.field.home / "one", bench.field.home / "two"
    for prefix in (first, second):
        bench.field.venv(prefix)
    write(root / "pyproject.toml")
    (root / ".venv").symlink_to(first)
    bench.allow(root)
    assert bench.state(root).state == "trusted"
    (root / ".venv").unlink()
    (root / ".venv").symlink_to(second)
    assert bench.state(root).state == "untrusted"


def test_deny_beats_everything(bench: Bench) -> None:
    """An earlier approval and a trusted tree count for nothing until it is allowed again."""
    root = bench.app()
    bench.allow(root)
    bench.tree(bench.field.home)
    bench.judge.deny(bench.resolve(root), bench.field.disk())
    assert bench.state(root).state == "denied"
    assert not bench.made(root)
    assert bench.state(bench.app("other")).state == "trusted"
    bench.allow(root)
    assert bench.state(root).state == "trusted"


def test_a_tree_covers_whole_components(bench: Bench) -> None:
    """The tree itself and what is below it, never a neighbour whose name begins the same."""
    inside, deep, beside, above = bench.app("code"), bench.app("code/a/b"), bench.app("code-old"), bench.app("cod")
    bench.tree(bench.field.home / "code")
    assert [bench.state(root).state for root in (inside, deep, beside, above)] == [
        "trusted",
        "trusted",
        "untrusted",
        "untrusted",
    ]
    assert "in the trusted tree" in bench.state(deep).reason
    assert bench.state(deep).stamp == bench.state(inside).stamp != b""


@pytest.mark.parametrize("name", ["shadow", "unreadable-repository", "open-bin", "shadow-in-capitals"])
def test_a_tree_never_covers_what_a_person_should_look_at(bench: Bench, name: str) -> None:
    """Shadowing, tracked and open environments are asked about one by one."""
    root = bench.app()
    bench.tree(bench.field.home)
    CHANGES[name][0](root)
    found = bench.state(root)
    assert found.state == "untrusted"
    assert found.reason


def test_a_tree_does_not_reach_out_of_itself(bench: Bench) -> None:
    """A project in the tree whose environment lies elsewhere, or is a link to elsewhere, is not covered."""
    elsewhere = bench.field.venv(bench.field.home / "elsewhere")
    root = bench.field.home / "code/app"
    write(root / "pyproject.toml")
    (root / ".venv").symlink_to(elsewhere)
    bench.tree(bench.field.home / "code")
    assert bench.state(root).state == "untrusted"


def test_an_approval_that_no_longer_holds_is_not_mended_by_a_tree(bench: Bench) -> None:
    """What the user allowed by name is asked about by name."""
    root = bench.app()
    bench.allow(root)
    bench.tree(bench.field.home)
    _config(root)
    assert bench.state(root).state == "untrusted"


@pytest.mark.parametrize("which", ["file", "absent", "root"])
def test_a_tree_is_a_directory(bench: Bench, which: str) -> None:
    """Neither a file, nor nothing, nor the whole disk can be trusted."""
    file = write(bench.field.home / "file")
    with pytest.raises(UsageError):
        bench.tree({"file": file, "absent": bench.field.home / "absent", "root": Path("/")}[which])
    assert list(bench.judge.records.all()) == []


def test_a_tree_that_others_can_write_is_refused(bench: Bench) -> None:
    """Whoever can write there would decide what is trusted."""
    (bench.field.home / "open").mkdir()
    (bench.field.home / "open").chmod(0o777)
    with pytest.raises(UsageError, match="can be changed by others"):
        bench.tree(bench.field.home / "open")


FOREIGN = ["app", "app/.venv", "app/.venv/bin", "app/.venv/pyvenv.cfg"]


@pytest.mark.parametrize("part", FOREIGN)
def test_what_belongs_to_another_user_is_never_trusted(bench: Bench, part: str) -> None:
    """Two users: whatever was decided before, a component of somebody else's makes it untrusted."""
    root = bench.app()
    bench.allow(root)
    bench.tree(bench.field.home)
    resolution = bench.resolve(root)
    bench.field.owners[os.fsencode(bench.field.home / part)] = 4242
    found = bench.judge.join(resolution, bench.field.disk())
    assert found.state == "untrusted"
    assert "can be changed by others" in found.reason
    with pytest.raises(BadNews, match="belongs to somebody else"):
        bench.judge.allow(resolution, bench.field.disk())
    assert not bench.judge.made(resolution, bench.field.disk())


def test_a_bin_that_leads_to_another_users_place_is_not_trusted(bench: Bench, tmp_path: Path) -> None:
    """PATH leads to what ``bin`` leads to: a link out of a clean prefix is followed."""
    root = bench.app()
    shared = tmp_path / "shared"
    shutil.move(root / ".venv/bin", shared)
    (root / ".venv/bin").symlink_to(shared)
    shared.chmod(0o777)
    with pytest.raises(BadNews):
        bench.allow(root)
    assert not bench.made(root)


def test_made_is_like_allowed_but_stricter(bench: Bench) -> None:
    """An environment the user has just made is trusted, unless a standing check speaks against it."""
    root = bench.app()
    assert bench.made(root)
    assert bench.state(root).state == "trusted"
    for name in ("shadow", "unreadable-repository", "open-bin"):
        other = bench.app(name)
        CHANGES[name][0](other)
        assert not bench.made(other)
    assert not bench.made(bench.field.home)


def test_nothing_and_broken_cannot_be_allowed(bench: Bench) -> None:
    """Without an environment there is nothing to decide about; a broken one is an answer of its own."""
    with pytest.raises(BadNews, match="no environment here"):
        bench.allow(bench.field.home)
    assert bench.state(bench.field.home).state == "none"
    root = bench.app()
    bench.allow(root)
    (root / ".venv/pyvenv.cfg").unlink()
    assert bench.state(root).state in ("broken", "none", "missing")
    other = bench.app("other")
    resolution = bench.resolve(other)
    shutil.rmtree(other / ".venv/bin")
    with pytest.raises(BadNews):
        bench.judge.allow(resolution, bench.field.disk())


def test_a_failing_allow_keeps_the_denial(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """The new decision is on disk before the old one goes."""
    root = bench.app()
    bench.judge.deny(bench.resolve(root), bench.field.disk())

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", full)
        with pytest.raises(OSError, match="No space"):
            bench.allow(root)
    assert bench.state(root).state == "denied"


def test_revoking(bench: Bench) -> None:
    """By root, by prefix, through a link, by the beginning of the identifier; never by a part of a path."""
    roots = [bench.app(name) for name in ("a", "b", "c", "d")]
    for root in roots:
        bench.allow(root)
    link = bench.field.home / "link"
    link.symlink_to(roots[2])
    name = next(record.identifier for record in bench.judge.records.all() if record.root == str(roots[3]))
    for which in (
        b"",
        b"/",
        b"app",
        name[:5].encode(),
        os.fsencode(bench.field.home),
        os.fsencode(roots[0])[:-1],
        b"/x\0y",
        b"\xff",
    ):
        with pytest.raises(BadNews):
            bench.judge.revoke(which)
    for which, root in zip((str(roots[0]), f"{roots[1]}/.venv", str(link), name[:6]), roots, strict=True):
        assert "forgot allow" in bench.judge.revoke(which.encode()).message
        assert bench.state(root).state == "untrusted"


def test_revoking_a_root_forgets_its_denial_and_its_tree(bench: Bench) -> None:
    """Everything recorded about that directory goes at once."""
    root = bench.app()
    bench.tree(root)
    bench.judge.deny(bench.resolve(root), bench.field.disk())
    said = bench.judge.revoke(os.fsencode(root)).message
    assert "deny" in said
    assert "tree" in said
    assert list(bench.judge.records.all()) == []


def test_names_that_are_no_text(bench: Bench) -> None:
    """Octets that are not UTF-8 are allowed, denied, listed and revoked like others."""
    directory = os.fsencode(bench.field.home) + b"/caf\xe9 \xff\x1b"
    root = Path(os.fsdecode(directory))
    bench.field.venv(root / ".venv")
    disk = bench.field.disk()
    resolution = bench.resolve(root)
    for said in (bench.judge.deny(resolution, disk), bench.judge.trust_tree(directory, disk)):
        said.message.encode("utf-8")
        assert said.message.isprintable()
    assert bench.judge.join(resolution, bench.field.disk()).state == "denied" or resolution.condition == "broken"
    bench.judge.revoke(directory)
    assert list(bench.judge.records.all()) == []


def test_shadows_are_found_in_a_bin_of_any_size(tmp_path: Path) -> None:
    """A bin too large to list is asked for each command by name; links that lead nowhere count, too."""
    (tmp_path / "bin").mkdir()
    for number in range(1100):
        (tmp_path / "bin" / f"tool{number}").touch()
    (tmp_path / "bin" / "git").symlink_to("nowhere")
    (tmp_path / "bin" / "ssh").mkdir()
    assert shadowed(Disk(os.getuid(), SystemClock()), os.fsencode(tmp_path)) == ("git", "ssh")
    assert {b"git", b"ls", b"sudo", b"ssh", b"sh"} <= CORE_COMMANDS


@pytest.fixture
def answers(bench: Bench) -> Answers:
    index = Index(Clock(), os.getuid(), os.fsencode(bench.field.home))
    return Answers(index, bench.judge, os.getuid(), Clock())


@pytest.mark.parametrize("name", [*CHANGES, "deny", "revoke"])
def test_a_remembered_answer_holds_only_while_everything_does(bench: Bench, answers: Answers, name: str) -> None:
    """The memory is never the reason for a trusted answer: every change is seen at the next question."""
    root = bench.app()
    overrides = {"HOME": os.fsencode(bench.field.home)}
    directory = os.fsencode(root)
    bench.allow(root)
    assert answers.answer(directory, overrides).state == "trusted"
    assert answers.answer(directory, overrides).state == "trusted"
    if name == "deny":
        bench.judge.deny(bench.resolve(root), bench.field.disk())
    elif name == "revoke":
        bench.judge.revoke(directory)
    else:
        CHANGES[name][0](root)
    assert answers.answer(directory, overrides).state in ("untrusted", "denied")


def test_what_cannot_be_allowed_names_no_way_that_fails(bench: Bench) -> None:
    """Where `alight allow` would refuse, nobody is told to type it; broken ones and PDM's packages are not recorded."""
    root = bench.app()
    assert may_be_allowed(bench.state(root))
    (root / ".venv/pyvenv.cfg").chmod(0o666)
    assert not may_be_allowed(bench.state(root))
    local = bench.field.home / "local"
    write(local / "pdm.toml", "[python]\nuse_venv = false\n")
    (local / "__pypackages__/3.12/lib").mkdir(parents=True)
    found = bench.state(local)
    assert (found.state, found.reason, may_be_allowed(found)) == ("untrusted", PACKAGES, False)
    with pytest.raises(BadNews, match="packages of PDM's"):
        bench.allow(local)
    broken = bench.app("broken")
    (broken / ".venv/bin/python").unlink()
    (broken / ".venv/bin/python").symlink_to("/nowhere/python3")
    assert bench.state(broken).state == "broken"
    with pytest.raises(BadNews, match="is broken"):
        bench.allow(broken)
    assert not list(bench.judge.records.all())
