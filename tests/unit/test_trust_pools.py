"""Trust that nobody was asked for: environments in the user's pools that name the project, and pinned interpreters."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import msgspec
import pytest

from alight.clock import SystemClock
from alight.errors import BadNews
from alight.model import Answer, Interpreter, Resolution
from alight.trust import pins
from alight.trust.judge import Judge
from alight.trust.records import Records
from support.condashape import conda_root
from support.playfield import Playfield, write


@dataclass
class Pool:
    """A project whose ``.venv`` file leads to an environment in a pool, with or without the environment's own word."""

    field: Playfield
    judge: Judge
    project: Path
    prefix: Path

    def resolution(self, *, linked: bool = True, kind: str = "venv") -> Resolution:
        found = self.field.resolve(self.project)
        assert found.environment is not None
        environment = msgspec.structs.replace(found.environment, kind=kind)
        return msgspec.structs.replace(found, linked=linked, environment=environment)

    def answer(self, *, linked: bool = True, kind: str = "venv") -> Answer:
        return self.judge.join(self.resolution(linked=linked, kind=kind), self.field.disk())


@pytest.fixture
def pool(field: Playfield, tmp_path: Path) -> Pool:
    project = field.home / "app"
    prefix = field.home / ".virtualenvs/app"
    field.venv(prefix)
    write(project / ".venv", str(prefix))
    write(project / "pyproject.toml")
    return Pool(field, Judge(Records(tmp_path / "trust", os.getuid(), SystemClock()), os.getuid()), project, prefix)


def test_a_linked_environment_in_a_pool_is_trusted_by_ownership(pool: Pool) -> None:
    """Nobody is asked, and the stamp that the hooks test is written once."""
    answer = pool.answer()
    assert answer.state == "trusted"
    assert not Path(os.fsdecode(answer.stamp)).exists()
    assert pool.judge.pools.settle(answer)
    assert Path(os.fsdecode(answer.stamp)).stat().st_mode & 0o777 == 0o600
    again = pool.answer()
    assert again.stamp == answer.stamp
    assert not pool.judge.pools.settle(again)


def test_a_mere_name_is_not_enough(pool: Pool) -> None:
    """A file of the project that names a pool's environment asks for the user's approval of the pair."""
    assert pool.answer(linked=False).state == "untrusted"
    pool.judge.allow(pool.resolution(linked=False), pool.field.disk())
    assert pool.answer(linked=False).state == "trusted"


def test_what_lies_below_the_project_is_no_pool(pool: Pool) -> None:
    """A repository that brings an environment which names it gains nothing."""
    pool.field.venv(pool.project / "inside")
    write(pool.project / ".venv", "./inside")
    assert pool.answer().state == "untrusted"


def test_denied_is_denied(pool: Pool) -> None:
    """The user's no holds for pools, too."""
    pool.judge.deny(pool.resolution(), pool.field.disk())
    assert pool.answer().state == "denied"


def test_a_venv_with_core_commands_is_looked_at(pool: Pool) -> None:
    """Nothing good in a venv is called git; conda's packages may bring one."""
    write(pool.prefix / "bin/git")
    assert pool.answer().state == "untrusted"
    assert pool.answer(kind="conda").state == "trusted"


def test_a_pool_that_others_can_write_is_not_ours(pool: Pool) -> None:
    """Every component of the path has to be the user's or root's, and closed to others."""
    pool.prefix.parent.chmod(0o777)
    answer = pool.answer()
    assert answer.state == "untrusted"
    assert "can be changed by others" in answer.reason


def test_the_stamp_follows_what_activation_runs(pool: Pool) -> None:
    """A changed activation script makes a newer stamp: hooks do not run files that are newer than theirs."""
    (pool.prefix / "conda-meta").mkdir()
    scripts = pool.prefix / "etc/conda/activate.d"
    scripts.mkdir(parents=True)
    write(scripts / "one.sh", "true")
    pool.judge.pools.settle(pool.answer(kind="conda"))
    for change in ("other", "one more"):
        write(scripts / f"{change}.sh", "export A=1")
        assert pool.judge.pools.settle(pool.answer(kind="conda"))
        assert not pool.judge.pools.settle(pool.answer(kind="conda"))


def test_an_approval_is_bound_to_what_conda_runs(pool: Pool) -> None:
    """For an approved conda environment a new or changed script, variable file or state asks again."""
    (pool.prefix / "conda-meta").mkdir()
    resolution = pool.resolution(linked=False, kind="conda")
    for path in ("etc/conda/activate.d/a.sh", "etc/conda/deactivate.d/a.sh", "etc/conda/env_vars.d/a.json"):
        pool.judge.allow(resolution, pool.field.disk())
        assert pool.answer(linked=False, kind="conda").state == "trusted"
        (pool.prefix / path).parent.mkdir(parents=True, exist_ok=True)
        write(pool.prefix / path, "{}")
        answer = pool.answer(linked=False, kind="conda")
        assert (answer.state, answer.reason) == ("untrusted", f"{Path(path).name} changed since you allowed it")
    pool.judge.allow(resolution, pool.field.disk())
    write(pool.prefix / "conda-meta/state", "x" * 100_000)
    assert pool.answer(linked=False, kind="conda").state == "untrusted"


def test_revoking_a_stamp_says_what_helps(pool: Pool) -> None:
    """A stamp would be back at the next prompt: the user is told what keeps the environment off."""
    pool.judge.pools.settle(pool.answer())
    with pytest.raises(BadNews, match="lies in a pool of yours") as caught:
        pool.judge.revoke(os.fsencode(pool.prefix))
    assert caught.value.remedy == f"`alight deny {pool.project}` keeps it off"


def test_a_stamp_that_cannot_be_written_is_an_error_of_its_own(pool: Pool, tmp_path: Path) -> None:
    """Where stamps lie, others may not write; nothing is torn, and the caller hears of it."""
    (tmp_path / "trust").symlink_to(tmp_path)
    with pytest.raises(Exception, match="trust"):
        pool.judge.pools.settle(pool.answer())


@pytest.fixture
def pinned(field: Playfield) -> Resolution:
    """A project with a pin and no environment."""
    prefix = field.home / ".pyenv/versions/3.12.4"
    write(prefix / "bin/python")
    project = field.home / "pinned"
    write(project / ".python-version", "3.12.4")
    found = field.resolve(project)
    interpreter = Interpreter(os.fsencode(prefix / "bin/python"), os.fsencode(prefix), "3.12.4", "pyenv")
    return msgspec.structs.replace(found, interpreter=interpreter)


def test_a_pinned_interpreter_is_allowed_as_a_pair(pool: Pool, pinned: Resolution) -> None:
    """Before the approval there is no stamp, after it there is, and a denial takes it away."""
    disk = pool.field.disk()
    assert pool.judge.join(pinned, disk).stamp == b""
    assert pool.judge.allow(pinned, disk).message.startswith("allowed Python 3.12.4 in ")
    answer = pool.judge.join(pinned, disk)
    assert answer.state == "none"
    assert Path(os.fsdecode(answer.stamp)).is_file()
    pool.judge.deny(pinned, disk)
    assert pool.judge.join(pinned, disk).stamp == b""
    pool.judge.allow(pinned, disk)
    assert pool.judge.join(pinned, disk).stamp == answer.stamp


def test_only_pyenvs_interpreters_go_on_path(pinned: Resolution) -> None:
    """A distribution's Python is on PATH already, and an environment beats any pin."""
    assert pinned.interpreter is not None
    debian = msgspec.structs.replace(pinned.interpreter, origin="debian")
    assert pins.pinned(pinned) is not None
    assert pins.pinned(msgspec.structs.replace(pinned, interpreter=debian)) is None


def test_an_interpreter_of_others_is_refused(pool: Pool, pinned: Resolution) -> None:
    """What others can write is not put on PATH, whatever was recorded."""
    pool.judge.allow(pinned, pool.field.disk())
    assert pinned.interpreter is not None
    Path(os.fsdecode(pinned.interpreter.prefix)).chmod(0o777)
    assert pool.judge.join(pinned, pool.field.disk()).stamp == b""
    with pytest.raises(BadNews, match="can be written by others"):
        pool.judge.allow(pinned, pool.field.disk())


@pytest.mark.parametrize("file", ["environment.yml", ".venv", ".python-version"])
def test_what_a_repository_names_waits_for_approval(field: Playfield, tmp_path: Path, file: str) -> None:
    """An environment of the user's that a project's file merely names is found, and not trusted before that pair is."""
    project, text = field.home / "clone", "tools\n"
    if file == "environment.yml":
        prefix, text = conda_root(field.home / "miniconda3", environments=["tools"]) / "envs/tools", "name: tools\n"
    elif file == ".venv":
        prefix = field.venv(field.home / ".virtualenvs/tools")
    else:
        prefix = field.venv(field.home / ".pyenv/versions/tools")
    write(project / file, text)
    write(project / "pyproject.toml")
    judge = Judge(Records(tmp_path / "trust", os.getuid(), SystemClock()), os.getuid())
    found = field.resolve(project)
    assert found.environment is not None
    assert (found.environment.prefix, found.linked) == (os.fsencode(prefix), False)
    assert judge.join(found, field.disk()).state == "untrusted"
    judge.allow(found, field.disk())
    assert judge.join(field.resolve(project), field.disk()).state == "trusted"
    other = field.home / "other"
    write(other / file, text)
    assert judge.join(field.resolve(other), field.disk()).state == "untrusted"
