"""What is read of a real prefix, written by rattler, equals what its own Python says; and the fake layout is like it.

The conda, mamba and pixi programs are in no registry: which environment they would choose is tested on their layout.
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import rattler

from alight.files.disk import Disk
from alight.files.documents import Documents
from alight.health.conda import examine
from alight.resolver import resolve
from alight.systems import condaroots
from alight.systems.base import Facts, Prefix
from alight.systems.conda import Conda
from alight.systems.pixi import Pixi
from alight.systems.uv import Uv
from alight.systems.venv import Venv
from support.condachannel import PLACEHOLDER, Package, channel, install, python_package
from support.condashape import conda_prefix, conda_root, environments_txt
from support.playfield import Clock, write
from support.pythons import Python, pythons

QUESTION = """
import json, sys, sysconfig
print(json.dumps([sys.prefix, sys.version.split()[0], sysconfig.get_path("purelib", "posix_prefix")]))
"""
MODERN = [python for python in pythons() if not python.version.startswith("3.6.")]
CHOSEN = [MODERN[0], MODERN[-1]] if len(MODERN) > 1 else MODERN

DEMO = Package(
    "demo", "1.0", "pyhd8ed1ab_0", "noarch", depends=["python"], entry_points=["demo = demo:main"],
    files={
        "site-packages/demo/__init__.py": "def main():\n    print('demo')\n",
        "site-packages/demo-1.0.dist-info/METADATA": "Metadata-Version: 2.1\nName: demo\nVersion: 1.0\n",
        "site-packages/demo-1.0.dist-info/INSTALLER": "conda\n",
        "site-packages/demo-1.0.dist-info/RECORD": "demo/__init__.py,,\n",
    },
)  # fmt: skip
TOOL = Package(
    "tool", "2.1", files={"bin/tool": f"#!/bin/sh\necho {PLACEHOLDER}\n", "etc/conda/activate.d/tool.sh": "TOOL=1\n"}
)


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A channel with two real Pythons, a Python package and a program."""
    packages = {python.version: python_package(python) for python in CHOSEN}
    return channel(tmp_path_factory.mktemp("conda") / "channel", *packages.values(), DEMO, TOOL)


@pytest.fixture(autouse=True)
def _of_this_home_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("alight.resolver.SYSTEMS", (Uv(), Pixi(), Conda(), Venv()))
    monkeypatch.setattr(condaroots, "SHARED", ())


def facts(home: Path) -> Facts:
    disk = Disk(os.getuid(), Clock())
    return Facts(disk, {}, os.fsencode(home), b"/", Documents(disk))


def look(prefix: Path, home: Path) -> Prefix:
    described = Conda().describe(os.fsencode(prefix), facts(home))
    assert described is not None
    return described


def ask(interpreter: bytes) -> list[str]:
    """The environment's own word."""
    command = [os.fsdecode(interpreter), "-I", "-S", "-c", QUESTION]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 0, done.stderr
    answer: list[str] = json.loads(done.stdout)
    return answer


@pytest.mark.parametrize("python", CHOSEN, ids=str)
def test_a_real_prefix(source: Path, tmp_path: Path, home: Path, python: Python) -> None:
    """Version, prefix and site-packages are those the prefix's own Python answers, and nothing is wrong with it."""
    env = install(source, tmp_path / "envs" / "web", f"python=={python.version}", "demo", cache=tmp_path / "cache")
    described = look(env, home)
    prefix, version, purelib = ask(described.interpreter)
    assert os.fsdecode(described.path) == prefix
    assert described.python_version == version
    assert [os.fsdecode(path) for path in described.site_packages] == [purelib]
    assert (env / "bin" / "demo").read_text().startswith(f"#!{env}/bin/python")
    assert (described.kind, described.system, described.prompt) == ("conda", "conda", "web")
    assert examine(described, Disk(os.getuid(), Clock())) == ()


def test_a_real_prefix_without_python(source: Path, tmp_path: Path, home: Path) -> None:
    """A prefix with another program than Python has no version, and is in order."""
    env = install(source, tmp_path / "env", "tool", cache=tmp_path / "cache")
    assert (env / "bin" / "tool").read_text().endswith(f"{env}\n")
    described = look(env, home)
    assert (described.python_version, described.site_packages) == ("", ())
    assert examine(described, Disk(os.getuid(), Clock())) == ()


def test_a_real_prefix_that_moved(source: Path, tmp_path: Path, home: Path) -> None:
    """A moved prefix is told by the first line of the scripts that the installer wrote."""
    pip = Package(
        "pip", "24.0", "pyhd8ed1ab_0", "noarch", depends=["python"], entry_points=["pip = pip:main"],
        files={"site-packages/pip/__init__.py": "def main():\n    pass\n"},
    )  # fmt: skip
    own = channel(tmp_path / "channel", python_package(CHOSEN[-1]), pip)
    env = install(own, tmp_path / "before", "pip", cache=tmp_path / "cache").rename(tmp_path / "after")
    findings = examine(look(env, home), Disk(os.getuid(), Clock()))
    assert [(finding.code, finding.severity) for finding in findings] == [("moved", "warning")]
    assert str(tmp_path / "before") in findings[0].message


def test_a_project_with_real_prefixes(source: Path, tmp_path: Path, home: Path) -> None:
    """A prefix in the project, a named one and a registered one are found as the tools would find them."""
    cache, root = tmp_path / "cache", conda_root(home / "miniforge3")
    named = install(source, root / "envs" / "web", "tool", cache=cache)
    far = install(source, home / "far", "tool", cache=cache)
    environments_txt(home, far)
    project = home / "project"
    write(project / "environment.yml", "name: web\ndependencies: [tool]\n")
    assert _prefix(project, home) == named
    local = install(source, project / ".conda", "tool", cache=cache)
    assert _prefix(project, home) == local
    assert _prefix(local / "bin", home) == local
    listed = {os.fsdecode(prefix) for prefix in Conda().list(facts(home))}
    assert listed == {str(root), str(named), str(far)}


def test_the_fake_is_like_the_real_one(source: Path, tmp_path: Path, home: Path) -> None:
    """The prefixes that other tests make have every file of Python's package that a real one has, and read the same."""
    python = CHOSEN[-1]
    cache = tmp_path / "cache"
    real = install(source, tmp_path / "real", f"python=={python.version}", "demo", cache=cache)
    fake = conda_prefix(tmp_path / "fake", python.version, packages=("demo-1.0-pyhd8ed1ab_0",))
    assert set(_records(real)) <= set(_records(fake))
    for name, record in _records(real).items():
        made = _records(fake)[name]
        assert {"name", "version", "build", "subdir", "files", "paths_data", "link"} <= made.keys() & record.keys()
        assert [made[key] for key in ("name", "version", "build")] == [
            record[key] for key in ("name", "version", "build")
        ]
    one, other = look(real, home), look(fake, home)
    assert (one.python_version, one.libraries) == (other.python_version, other.libraries)
    assert [path.removeprefix(one.path) for path in one.site_packages] == [
        path.removeprefix(other.path) for path in other.site_packages
    ]


def test_rattler_reads_the_fake(tmp_path: Path) -> None:
    """The library under pixi reads the fake's records and installs beside them."""
    fake = conda_prefix(tmp_path / "fake", CHOSEN[-1].version)
    for path in (fake / "conda-meta").glob("*.json"):
        record = rattler.PrefixRecord.from_path(path)
        assert f"{record.name.normalized}-{record.version}-{record.build}" == path.stem
    own = channel(tmp_path / "channel", TOOL)
    gateway = rattler.Gateway(cache_dir=tmp_path / "repodata")

    async def add() -> None:
        records = await rattler.solve(
            [rattler.Channel(own.as_uri())], ["tool"], gateway=gateway, platforms=["linux-64"]
        )
        installed = [rattler.PrefixRecord.from_path(path) for path in (fake / "conda-meta").glob("*.json")]
        kept = {record.name.normalized for record in installed}
        await rattler.install(records, fake, cache_dir=tmp_path / "pkgs", show_progress=False, ignored_packages=kept)

    asyncio.run(add())
    assert (fake / "conda-meta" / f"{TOOL.stem}.json").exists()


def _records(prefix: Path) -> dict[str, dict[str, object]]:
    return dict(_parsed(prefix))


def _parsed(prefix: Path) -> Iterator[tuple[str, dict[str, object]]]:
    for path in (prefix / "conda-meta").glob("*.json"):
        yield path.name, json.loads(path.read_text())


def _prefix(directory: Path, home: Path) -> Path | None:
    answer = resolve(os.fsencode(directory), {}, Disk(os.getuid(), Clock()), os.fsencode(home))
    return None if answer.environment is None else Path(os.fsdecode(answer.environment.prefix))
