"""What the names in site-packages and conda's records tell: doubles, halves, and pip among conda's packages."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from pathlib import Path

import pytest

from alight.health.audit import audit
from alight.health.mixing import owned
from alight.health.packages import installed
from alight.model import Environment, Kind, Project, Resolution
from support.playfield import Clock, Playfield, write


def packages(site: Path, *stems: str, by: str = "pip", kind: str = "dist-info") -> None:
    for stem in stems:
        write(site / f"{stem}.{kind}" / ("RECORD" if kind == "dist-info" else "PKG-INFO"))
        write(site / f"{stem}.{kind}" / "INSTALLER", by + "\n")


def record(prefix: Path, name: str, *files: str) -> None:
    """A package as conda writes it down."""
    write(prefix / "conda-meta" / f"{name}.json", json.dumps({"name": name, "files": list(files)}, indent=2))


@pytest.fixture
def site(field: Playfield) -> Path:
    path = field.home / "p" / ".venv" / "lib/python3.11/site-packages"
    path.mkdir(parents=True)
    return path


def look(field: Playfield, site: Path, kind: Kind = "venv", system: str = "") -> list[tuple[str, str, str]]:
    prefix = os.fsencode(site.parents[2])
    own = Environment(prefix, kind, system or kind, "p", "3.11.7", b"", None, (os.fsencode(site),))
    root = os.fsencode(field.home / "p")
    found = Resolution(root, Project(root, ()), own, None, "found", None, "rule", "high")
    health, place = audit(found, {}, field.disk())
    assert place == ()
    assert all(finding.evidence for finding in health)
    return [(finding.code, finding.severity, finding.message) for finding in health]


def codes(found: Iterable[tuple[str, str, str]]) -> list[tuple[str, str]]:
    return [(code, severity) for code, severity, _ in found]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("My_Pkg.x-1.0.dist-info", ("my-pkg-x", "1.0")),
        ("a-b-1.0.dist-info", ("a-b", "1.0")),
        ("torch-2.0+cu118.dist-info", ("torch", "2.0+cu118")),
        ("old-1.0-py3.11.egg-info", ("old", "1.0")),
        ("bare.egg-info", ("bare", "")),
        ("nothing.dist-info", None),
        ("~ip-1.0.dist-info", None),
        ("module.py", None),
    ],
)
def test_names_of_metadata(tmp_path: Path, name: str, expected: tuple[str, str] | None) -> None:
    """Name and version come from the directory's name, normalised by PEP 503."""
    (tmp_path / name).mkdir()
    found = [(package.name, package.version) for package in installed((os.fsencode(tmp_path),)).packages]
    assert found == ([expected] if expected else [])


def test_a_directory_that_cannot_be_listed(tmp_path: Path) -> None:
    """Of what was not seen, nothing is missing."""
    assert not installed((os.fsencode(tmp_path / "absent"),)).complete
    (tmp_path / b"\xff-1.0.dist-info".decode("utf-8", "surrogateescape")).mkdir()
    assert installed((os.fsencode(tmp_path), os.fsencode(tmp_path))).complete


def test_sound_packages(field: Playfield, site: Path) -> None:
    """Different packages, each with its list of files, are fine."""
    packages(site, "one-1.0", "two-1.0")
    packages(site, "three", kind="egg-info")
    assert look(field, site) == []


@pytest.mark.parametrize(
    ("other", "kind"), [("One-2.0", "dist-info"), ("one-1.0-py3.11", "egg-info"), ("one", "egg-info")]
)
def test_two_of_one_name(field: Playfield, site: Path, other: str, kind: str) -> None:
    """Two metadata directories of one name are a warning with both versions, and what puts it right."""
    packages(site, "one-1.0")
    packages(site, other, kind=kind)
    ((code, severity, message),) = look(field, site, system="uv")
    assert (code, severity) == ("duplicate-metadata", "warning")
    assert "1.0" in message
    assert "`uv pip install --reinstall one`" in message


def test_halves_by_age(field: Playfield, site: Path) -> None:
    """A stash or a lost RECORD is under way when it is fresh, left over after five minutes."""
    write(site / "one-1.0.dist-info" / "METADATA")
    (site / "~wo").mkdir()
    assert codes(look(field, site)) == [("half-installed", "warning")] * 2
    field.clock = Clock(ahead_ns=0)
    assert codes(look(field, site)) == [("half-installed", "info")] * 2


@pytest.fixture
def conda(field: Playfield, site: Path) -> Path:
    """A conda prefix with two Python packages of conda's, one of which says pip in INSTALLER."""
    prefix = site.parents[2]
    write(prefix / "conda-meta" / "history")
    packages(site, "numpy-1.26.0", by="conda")
    packages(site, "sphinx-7.0")
    record(prefix, "numpy-1.26.0-py311_0", "bin/f2py", "lib/python3.11/site-packages/numpy-1.26.0.dist-info/RECORD")
    record(prefix, "sphinx-7.0-0", "lib/python3.11/site-packages/sphinx-7.0.dist-info/RECORD")
    record(prefix, "old-1-0", "lib/python3.11/site-packages/old-1-py3.11.egg-info/PKG-INFO")
    record(prefix, "vendor-1-0", "lib/python3.11/site-packages/setuptools/_vendor/wheel-0.4.dist-info/RECORD")
    return prefix


def test_what_is_condas(field: Playfield, conda: Path) -> None:
    """What is conda's: whose RECORD or egg-info a record lists in site-packages, not vendored deeper."""
    found = owned(os.fsencode(conda), field.disk())
    assert found.directories == {b"numpy-1.26.0.dist-info", b"sphinx-7.0.dist-info", b"old-1-py3.11.egg-info"}
    assert set(found.records) == {"numpy", "sphinx", "old"}


def test_conda_alone(field: Playfield, site: Path, conda: Path) -> None:
    """Conda's own packages are no mixture, whatever INSTALLER says and however they lack RECORD."""
    (site / "sphinx-7.0.dist-info" / "RECORD").unlink()
    assert look(field, site, "conda") == []


def test_pip_inside_conda(field: Playfield, site: Path, conda: Path) -> None:
    """What pip added is counted, as information."""
    packages(site, "rich-13.0", "httpx-0.27")
    ((code, severity, message),) = look(field, site, "conda")
    assert (code, severity) == ("pip-in-conda", "info")
    assert "2 packages that conda did not install: httpx, rich" in message


@pytest.mark.parametrize("leave", [True, False])
def test_pip_over_conda(field: Playfield, site: Path, conda: Path, leave: bool) -> None:
    """Pip's newer version in the place of conda's, or beside it, is a warning that names the record."""
    packages(site, "numpy-2.0.0")
    if not leave:
        (site / "numpy-1.26.0.dist-info" / "RECORD").unlink()
        (site / "numpy-1.26.0.dist-info" / "INSTALLER").unlink()
        (site / "numpy-1.26.0.dist-info").rmdir()
    found = look(field, site, "conda")
    assert ("pip-over-conda", "warning") in codes(found)
    assert "numpy 2.0.0" in next(message for code, _, message in found if code == "pip-over-conda")


@pytest.mark.parametrize("manifest", ["environment.yml", "environment.yaml"])
def test_pip_as_the_project_asks(field: Playfield, site: Path, conda: Path, manifest: str) -> None:
    """Where environment.yml has a pip section, mixing is what was wanted."""
    packages(site, "numpy-2.0.0")
    write(field.home / "p" / manifest, "dependencies:\n  - numpy\n  - pip:\n    - numpy>=2\n")
    assert {severity for code, severity in codes(look(field, site, "conda")) if code.startswith("pip-")} == {"info"}


def test_pypi_packages_in_pixi_are_normal(field: Playfield, site: Path, conda: Path) -> None:
    """Pixi installs from PyPI itself."""
    packages(site, "rich-13.0", by="uv-pixi")
    assert look(field, site, "conda", "pixi") == []


@pytest.mark.parametrize(
    "content", [b"\xff" * 100, b"[" * 100_000, b'"/.dist-info/RECORD"' * 5_000, b'.dist-info/RECORD"']
)
def test_hostile_records(field: Playfield, site: Path, conda: Path, content: bytes) -> None:
    """A record that is none owns nothing."""
    write(conda / "conda-meta" / "evil.json", content)
    assert look(field, site, "conda") == []
