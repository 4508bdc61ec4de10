"""The checks of one conda prefix, each by the smallest damage that shows it."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from alight.files.disk import Disk
from alight.files.documents import Documents
from alight.health.conda import examine
from alight.model import Finding
from alight.systems import prefixes
from alight.systems.base import Facts
from alight.systems.conda import Conda
from alight.systems.pixi import Pixi
from support.condashape import conda_prefix, conda_root, pixi_environment
from support.playfield import Playfield, link, write


@pytest.fixture
def env(field: Playfield) -> Path:
    return conda_prefix(field.home / "envs" / "web")


def look(field: Playfield, env: Path | bytes, disk: Disk | None = None) -> tuple[Finding, ...]:
    reader = disk or field.disk()
    known = Facts(reader, {}, os.fsencode(field.home), b"/", Documents(reader))
    prefix = os.fsencode(env)
    described = Pixi().describe(prefix, known) or Conda().describe(prefix, known)
    return examine(described or prefixes.describe(prefix, "conda", "", reader), reader)


def found(field: Playfield, env: Path) -> list[tuple[str, str]]:
    return [(finding.code, finding.severity) for finding in look(field, env)]


def test_sound_prefixes(field: Playfield, env: Path) -> None:
    """Nothing is found where nothing is wrong: a named one, a root, pixi's, and one made by another path to it."""
    assert found(field, env) == []
    assert found(field, conda_root(field.home / "root")) == []
    project = field.home / "p"
    project.mkdir()
    assert found(field, pixi_environment(project)) == []
    link(field.home / "alias", str(field.home / "envs"))
    assert found(field, field.home / "alias" / "web") == []


def test_without_python(field: Playfield) -> None:
    """An environment of other programs is in order."""
    assert found(field, conda_prefix(field.home / "tools", None)) == []


def test_without_anything(field: Playfield) -> None:
    """An empty environment is in order for conda; that it has nothing to run is worth a word."""
    env = conda_prefix(field.home / "empty", None)
    (env / "bin").rmdir()
    assert found(field, env) == [("interpreter-missing", "info")]


def test_no_interpreter(field: Playfield, env: Path) -> None:
    """Python is recorded, but neither bin/python nor bin/python3 is there."""
    shutil.rmtree(env / "bin")
    assert found(field, env) == [("interpreter-missing", "error")]


def test_only_python3(field: Playfield, env: Path) -> None:
    """bin/python3 alone is enough."""
    (env / "bin" / "python").unlink()
    assert found(field, env) == []


def test_a_dangling_interpreter(field: Playfield, env: Path) -> None:
    """A link to nothing is an error that says where it points."""
    (env / "bin" / "python3.12").unlink()
    finding = look(field, env)[0]
    assert (finding.code, finding.severity) == ("interpreter-dangling", "error")
    assert "python3.12" in finding.message


def test_an_interpreter_that_is_a_directory(field: Playfield, env: Path) -> None:
    """Only a regular file can be started."""
    (env / "bin" / "python").unlink()
    (env / "bin" / "python").mkdir()
    assert found(field, env) == [("interpreter-missing", "error")]


def test_a_dangling_prefix(field: Playfield) -> None:
    """A prefix that is a link to nothing says so, and nothing else."""
    link(field.home / "lost", "/gone")
    assert found(field, field.home / "lost") == [("interpreter-dangling", "error")]


def test_no_site_packages(field: Playfield, env: Path) -> None:
    """A recorded Python without its site-packages was not finished, or was emptied."""
    shutil.rmtree(env / "lib")
    assert found(field, env) == [("site-packages-missing", "error")]


@pytest.mark.parametrize(("age", "severity"), [(0, "info"), (3_600 * 1_000_000_000, "error")])
def test_half_made(field: Playfield, age: int, severity: str) -> None:
    """conda-meta without a history is being made while it is fresh, and is broken afterwards."""
    field.clock.ahead_ns = age
    env = conda_prefix(field.home / "half", history=None)
    shutil.rmtree(env / "bin")
    disk = field.disk()
    assert [(finding.code, finding.severity) for finding in look(field, env, disk)] == [("history-missing", severity)]
    assert disk.fingerprint().racy == (age == 0)


@pytest.mark.parametrize("witness", ["history -p", "history --prefix=", "pip", "pixi"])
def test_moved(field: Playfield, witness: str) -> None:
    """The path it was made for is in pixi's note, in a script's first line, or in the history's first command."""
    project = field.home / "p"
    project.mkdir()
    before, env = project / "before", project / "after"
    if witness == "pixi":
        pixi_environment(project).rename(env)
    else:
        conda_prefix(before, history="# cmd: conda create -n x\n" if witness == "pip" else "").rename(env)
        if witness == "pip":
            write(env / "bin" / "pip", f"#!{before}/bin/python3.12\nimport pip\n")
        if witness == "history --prefix=":
            write(env / "conda-meta" / "history", f"# cmd: /c/bin/conda create --prefix={before} python\n")
    assert found(field, env) == [("moved", "warning")]


@pytest.mark.parametrize(
    "text",
    [
        "# cmd: conda create -n web\n", "# cmd: conda create -p ./env\n", "# cmd: conda create -p {env} python\n",
        "# cmd: conda create -p {env}/\n", "", "garbage\0\xff", "# cmd: conda install -p /else -p {env}\n",
        "# cmd: conda create -p {env}\n==> x <==\n# cmd: conda create --clone x -p /other\n",
    ],
)  # fmt: skip
def test_not_moved(field: Playfield, env: Path, text: str) -> None:
    """A name, a relative path, and a later command about another prefix say nothing."""
    write(env / "conda-meta" / "history", text.format(env=env))
    assert found(field, env) == []


def test_unpacked_elsewhere(field: Playfield, env: Path) -> None:
    """A packed environment that was set right in its new place is in order, whatever its history says."""
    write(env / "conda-meta" / "history", "# cmd: conda create -p /builder/env python\n")
    write(env / "bin" / "pip", f"#!{env}/bin/python\n")
    assert found(field, env) == []


def test_a_path_with_a_space(field: Playfield) -> None:
    """The history joins words by spaces; the own path is recognised all the same."""
    assert found(field, conda_prefix(field.home / "my envs" / "web")) == []


@pytest.mark.parametrize("part", ["", "conda-meta", "bin"])
def test_somebody_elses(field: Playfield, env: Path, part: str) -> None:
    """Prefix, conda-meta and bin have to be ours or root's."""
    field.owners[os.fsencode(env / part) if part else os.fsencode(env)] = 4242
    assert found(field, env) == [("not-owned", "warning")]


@pytest.mark.parametrize("part", ["", "conda-meta", "bin", "bin/python3.12"])
def test_writable_by_everybody(field: Playfield, env: Path, part: str) -> None:
    """What anybody may change is not only ours."""
    path = env / part if part else env
    path.chmod(path.stat().st_mode | 0o002)
    assert found(field, env) == [("not-owned", "warning")]


@pytest.mark.parametrize("name", ["a:b", "a\x1bb"])
def test_unsafe_paths(field: Playfield, name: str) -> None:
    """A path that cannot stand in PATH is an error."""
    assert found(field, conda_prefix(field.home / name)) == [("unsafe-path", "error")]


class _Drive(Disk):
    """A disk on which ``/mnt/c`` holds a Windows environment."""

    def stat(self, path: bytes) -> os.stat_result | None:
        where = {b"/mnt/c/env/conda-meta": b"/usr", b"/mnt/c/env/python.exe": b"/etc/passwd"}
        return super().stat(where.get(path, path))


def test_a_windows_environment(field: Playfield) -> None:
    """What WSL shows below /mnt/<drive> is named for what it is."""
    disk = _Drive(os.getuid(), field.clock)
    findings = look(field, b"/mnt/c/env", disk)
    assert [(finding.code, finding.severity) for finding in findings] == [("interpreter-missing", "error")]
    assert "Windows" in findings[0].message
