"""Lock files of every kind against what is installed, from texts as the tools write them, and from hostile ones."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path

import pytest

from alight.files.documents import Documents
from alight.health.audit import audit
from alight.health.lockfiles import Edge, read
from alight.health.locks import same_version
from alight.health.markers import Markers
from alight.health.staleness import stale
from alight.model import Environment
from support.playfield import Playfield, write

UV = """\
version = 1
requires-python = ">=3.8"

[[package]]
name = "demo"
version = "0"
source = { virtual = "." }
dependencies = [
    { name = "one", extra = ["Big"], marker = "sys_platform == 'linux'" },
    { name = "two", marker = "sys_platform == 'win32'" },
    { name = "fork" },
]

[package.dev-dependencies]
dev = [
    { name = "tester" },
]

[[package]]
name = "one"
version = "1.0"
source = { registry = "https://example.org/simple" }
sdist = { url = "https://example.org/one-1.0.tar.gz", hash = "sha256:00" }
wheels = [
    { url = "https://example.org/one-1.0.whl", hash = "sha256:00" },
]

[package.optional-dependencies]
Big = [
    { name = "three" },
]

[[package]]
name = "fork"
version = "1.0"
source = { registry = "https://example.org/simple" }
resolution-markers = [
    "python_full_version < '3.10'",
]

[[package]]
name = "fork"
version = "2.0"
source = { registry = "https://example.org/simple" }
resolution-markers = [
    "python_full_version >= '3.11'",
    "python_full_version == '3.10.*'",
]

[[package]]
name = "three"
version = "3.0+cu118"
source = { git = "https://example.org/three.git" }

[[package]]
name = "tester"
version = "1"
source = { registry = "https://example.org/simple" }

[[package]]
name = "two"
version = "2"
source = { registry = "https://example.org/simple" }
"""


@pytest.fixture
def project(field: Playfield) -> Path:
    root = field.home / "p"
    field.venv(root / ".venv")
    write(root / "pyproject.toml", '[project]\nname = "demo"\nversion = "0"\n')
    write(root / "uv.lock", UV)
    return root


def install(project: Path, *stems: str) -> None:
    for stem in stems:
        write(project / ".venv/lib/python3.11/site-packages" / f"{stem}.dist-info" / "RECORD")


def found(field: Playfield, project: Path) -> dict[str, str]:
    _, place = audit(field.resolve(project), {}, field.disk())
    return {finding.code: finding.message for finding in place if finding.code.startswith("lock-")}


def packages(message: str) -> set[str]:
    return {part.split()[0] for part in message.partition(": ")[2].partition(";")[0].split(", ")}


def test_everything_as_locked(field: Playfield, project: Path) -> None:
    """Extras are followed, markers evaluated, forks chosen; an absent development group is not asked for."""
    install(project, "one-1.0", "three-3.0+cu118", "fork-2.0", "pip-25.0", "setuptools-80.0")
    assert found(field, project) == {}


@pytest.mark.parametrize(
    ("stems", "wrong", "missing", "extra"),
    [
        ((), set(), {"fork", "one", "three"}, set()),
        (("one-1.1", "three-3.0+cu118", "fork-2.0"), {"one"}, set(), set()),
        (("one-1.0", "three-3.0", "fork-2.0"), {"three"}, set(), set()),
        (("one-1.0+local", "three-3.0+cu118", "fork-1.0"), {"fork"}, set(), set()),
        (("one-1.0", "three-3.0+cu118", "fork-2.0", "two-1"), {"two"}, set(), set()),
        (("one-1.0", "three-3.0+cu118", "fork-2.0", "My_Own.thing-1"), set(), set(), {"my-own-thing"}),
        (("one-1.0", "three-3.0+cu118", "fork-2.0", "demo-5"), set(), set(), set()),
    ],
)
def test_what_differs(
    field: Playfield, project: Path, stems: tuple[str, ...], wrong: set[str], missing: set[str], extra: set[str]
) -> None:
    """Wrong, missing and extra are told apart; the project itself is neither, nor is a local part of its own."""
    install(project, *stems)
    said = found(field, project)
    for code, names in (("lock-mismatch", wrong), ("lock-missing", missing), ("lock-extra", extra)):
        assert (packages(said[code]) if code in said else set()) == names


def test_a_started_development_group_is_expected_whole(field: Playfield, project: Path) -> None:
    """Once one package of the development group is there, the others are missing."""
    write(project / "uv.lock", UV.replace('{ name = "tester" },', '{ name = "tester" },\n    { name = "two" },'))
    install(project, "one-1.0", "three-3.0+cu118", "fork-2.0")
    assert found(field, project) == {}
    install(project, "two-2")
    assert packages(found(field, project)["lock-missing"]) == {"tester"}


def test_choices_without_a_trace_leave_nothing_missing(field: Playfield, project: Path) -> None:
    """Where extras or groups exclude each other, what is not there may have been left out."""
    write(
        project / "uv.lock", 'conflicts = [[\n    { package = "demo", extra = "a" },\n]]\n'.join(("version = 1\n", UV))
    )
    assert set(found(field, project)) == set()


def test_packages_that_show_through_are_not_missing(field: Playfield, project: Path) -> None:
    """With the base Python's packages in sight, an absent one may be there."""
    text = (project / ".venv/pyvenv.cfg").read_text()
    write(project / ".venv/pyvenv.cfg", text.replace("packages = false", "packages = true"))
    assert found(field, project) == {}


POETRY = """\
# This file is automatically @generated by Poetry 2.1.0 and should not be changed by hand.

[[package]]
name = "One"
version = "1.0"
optional = false
groups = ["main"]
markers = "sys_platform == \\"linux\\" and extra != \\"x\\""
files = [
    {file = "one.whl", hash = "sha256:0"},
]

[package.dependencies]
two = "*"

[[package]]
name = "two"
version = "2.0"
optional = true
groups = ["main"]
files = []

[[package]]
name = "three"
version = "3.0"
optional = false
groups = ["main", "dev"]
files = []

[package.source]
type = "directory"
url = "../three"

[[package]]
name = "four"
version = "4.0"
optional = false
groups = ["dev", "main"]
markers = {main = "python_version < \\"3\\"", dev = "python_version > \\"3\\""}
files = []

[metadata]
lock-version = "2.1"
"""


def test_poetry_lock(field: Playfield, project: Path) -> None:
    """Optional packages and those whose markers differ by group are not missing; a folder's version is its own."""
    (project / "uv.lock").unlink()
    write(project / "poetry.lock", POETRY)
    assert packages(found(field, project)["lock-missing"]) == {"one", "three"}
    install(project, "one-1.0", "three-99", "stranger-1")
    assert found(field, project) == {}
    install(project, "two-2.1", "four-4.0.0")
    assert packages(found(field, project)["lock-mismatch"]) == {"two"}


PDM = """\
[metadata]
groups = ["default", "dev"]
strategy = ["inherit_metadata"]

[[package]]
name = "one"
version = "1.0"
groups = ["default"]
marker = "python_version >= \\"3.8\\""

[[package]]
name = "two"
version = "2.0"
groups = ["default"]
path = "./two"

[[package]]
name = "three"
version = "3.0"
groups = ["dev"]
"""


def test_pdm_lock(field: Playfield, project: Path) -> None:
    """Groups count only where PDM wrote them down; what ``sync --clean`` removes is extra."""
    (project / "uv.lock").unlink()
    write(project / "pdm.lock", PDM)
    install(project, "stranger-1")
    said = found(field, project)
    assert (packages(said["lock-missing"]), packages(said["lock-extra"])) == ({"one", "two"}, {"stranger"})
    install(project, "two-99", "one-1.0")
    assert set(found(field, project)) == {"lock-extra"}
    write(project / "pdm.lock", PDM.replace('"inherit_metadata"', ""))
    assert set(found(field, project)) == {"lock-extra"}


@pytest.mark.parametrize(
    ("installed", "locked", "same"),
    [
        ("1.0", "1.0.0", True), ("2.3.0+cu121", "2.3.0", True), ("2.3.0", "2.3.0+cu121", False),
        ("2.3.0+cpu", "2.3.0+cu121", False), ("1.0rc1", "1.0", False), ("odd", "odd", True), ("odd", "1", False),
    ],
)  # fmt: skip
def test_versions(installed: str, locked: str, same: bool) -> None:
    """PEP 440 equality; a local part counts only where the lock file has one."""
    assert same_version(installed, locked) is same


def python(version: str, library: bytes = b"python3.12") -> Environment:
    return Environment(b"/e", "venv", "venv", "e", version, b"", None, (b"/e/lib/" + library + b"/site-packages",))


@pytest.mark.parametrize(
    ("version", "marker", "holds"),
    [
        ("3.12.4", "", True),
        ("3.12.4", "python_version >= '3.12' and sys_platform == 'linux'", True),
        ("3.12.4", "python_full_version < '3.12.4'", False),
        ("3.12", "python_full_version < '3.12.4'", None),
        ("3.12", "python_version < '3.13'", True),
        ("", "python_version < '3.13'", None),
        ("3.12.4", "extra == 'x'", False),
        ("3.12.4", "'x' in extras", None),
        ("3.12.4", "platform_python_implementation == 'CPython'", True),
        ("3.12.4", "nonsense", None),
        ("3.12.4", "(" * 3000, None),
        ("3.12.4", "python_version >= 'x'", False),
    ],
)
def test_markers(version: str, marker: str, holds: bool | None) -> None:
    """A marker holds, does not, or cannot be known: a version read only in part decides only what it can."""
    assert Markers(python(version), "linux").holds(marker) is holds


def test_pypy_is_told_by_its_library() -> None:
    """The implementation is read from where the packages lie."""
    assert Markers(python("3.10.14", b"pypy3.10"), "linux").holds("implementation_name == 'pypy'") is True


def test_markers_are_bounded() -> None:
    """After so many different markers the rest stays unknown: a lock file must not hold up a daemon."""
    markers = Markers(python("3.12.4"), "linux")
    assert [markers.holds(f"python_version > '3.{number}'") for number in range(600)][-1] is None


def test_uv_edges() -> None:
    """The needs in a uv.lock are read with version, marker and extras."""
    lock = read("uv", UV)
    assert lock is not None
    demo = next(package for package in lock.packages if package.name == "demo")
    assert demo.edges[""][0] == Edge("one", marker="sys_platform == 'linux'", extras=("Big",))
    assert demo.edges["group:dev"] == (Edge("tester"),)
    assert lock.own == {"demo": "."}


@pytest.mark.parametrize("tool", ["uv", "poetry", "pdm", "pipenv", "pylock"])
@pytest.mark.parametrize(
    "text",
    [
        "", "[[package]]\n", '[[package]]\nname = "a\n', "[[package]]\nname = ''\n", "[[package]]\n" * 20_000,
        '[[package]]\nname = "a"\ndependencies = [\n' + "    { name = " * 50_000, "a" * 500_000,
        '[[package]]\nname = "x"\ngroups = [' + "\n    [" * 100_000, "[" * 100_000,
        '{"default": {"a": 1, "b": {"version": 2}}}',
        '{"default": []}', "[]", "\0", '[[package]]\nname = "a"\ndependencies = [\n    { ' + "a" * 400_000 + " },\n]\n",
        '[[package]]\nname = "a"\ndependencies = [\n    { name = "b", ' + "extra = [" * 40_000 + " },\n]\n",
    ],
    ids=range(15),
)  # fmt: skip
@pytest.mark.limit(10)
def test_hostile_lock_files(tool: str, text: str) -> None:
    """Nothing in a lock file raises, and no text makes a search quadratic."""
    read(tool, text)


def judged(field: Playfield, lock: str, text: str, manifest: str, name: str = "pyproject.toml") -> list[str]:
    root = field.home / "s"
    write(root / name, manifest)
    write(root / lock, text)
    tool = {"Pipfile.lock": "pipenv"}.get(lock, lock.partition(".")[0])
    disk = field.disk()
    findings = stale(tool, os.fsencode(root / lock), os.fsencode(root), disk, Documents(disk))
    return [finding.code for finding in findings]


@pytest.mark.parametrize(
    ("lock", "text", "manifest"),
    [
        ("poetry.lock", 'content-hash = "' + "0" * 64 + '"\n', "[project]\nrequires-python = 2020-01-01\n"),
        ("poetry.lock", "", "[project]\nname = 'a'\n"),
        ("pdm.lock", f'content_hash = "sha256:{"0" * 64}"\nlock_inputs = 1\n', "[project]\nname = 'a'\n"),
        ("pdm.lock", f'content_hash = "sha256:{"0" * 64}"\n', "[tool.pdm.workspace]\nmembers = []\n"),
        ("Pipfile.lock", "{", "[packages]\n"),
        ("uv.lock", UV, "[project]\nname = 'other'\n"),
        ("uv.lock", UV, "[project]\nname = 'demo'\ndynamic = ['dependencies']\n"),
        ("uv.lock", UV, "[project]\nname = 'demo'\ndependencies = ['!']\n"),
        ("uv.lock", UV, "[project]\nname = 'demo'\ndependencies = [1]\n"),
        ("uv.lock", UV, "[project]\nname = 'demo'\n[dependency-groups]\na = [{include-group = 'a'}]\n"),
        ("uv.lock", UV, "not toml"),
    ],
)
def test_what_cannot_be_told_is_not_stale(field: Playfield, lock: str, text: str, manifest: str) -> None:
    """Dynamic metadata, dates, workspaces, newer formats and broken files are no reason to call a lock file stale."""
    assert judged(field, lock, text, manifest, "Pipfile" if lock == "Pipfile.lock" else "pyproject.toml") == []


@pytest.mark.limit(10)
def test_a_hostile_uv_lock_takes_no_time_to_compare(field: Playfield) -> None:
    """Requirements that never end are not searched again from each of their beginnings."""
    text = UV.replace(
        "[[package]]", "[package.metadata]\nrequires-dist = [" + "{ name = " * 400_000 + "\n\n[[package]]", 2
    )
    judged(field, "uv.lock", text.replace("\n[[package]]\n[package", "\n[package"), "[project]\nname = 'demo'\n")


def test_an_older_poetry_hashed_without_groups(field: Playfield) -> None:
    """Before Poetry 2.3 dependency groups did not count: both hashes are taken for such a file."""
    manifest = "[project]\nname = 'a'\ndependencies = []\n[dependency-groups]\ndev = ['x']\n"
    content = json.dumps({"project": {"dependencies": []}, "tool": {"poetry": {}}}, sort_keys=True)
    line = f'content-hash = "{hashlib.sha256(content.encode()).hexdigest()}"\n'
    head = "# This file is automatically @generated by Poetry {} and should not be changed by hand.\n"
    assert judged(field, "poetry.lock", head.format("2.2.1") + line, manifest) == []
    assert judged(field, "poetry.lock", head.format("2.3.0") + line, manifest) == ["lock-stale"]
