"""An audit as a whole: pure, joined with the answer only when asked for, and never the end of an environment."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from alight.health.audit import audit, audited
from alight.model import Answer
from alight.wire.facts import CHECKED, FACTS
from support.playfield import Playfield, write

LOCK = '[[package]]\nname = "one"\nversion = "2.0"\nsource = { registry = "https://example.org/simple" }\n'


@pytest.fixture
def project(field: Playfield) -> Path:
    root = field.home / "p"
    env = field.venv(root / ".venv")
    write(root / "uv.lock", LOCK)
    write(root / "poetry.lock", LOCK)
    for version in ("1.0", "1.1"):
        write(env / "lib/python3.11/site-packages" / f"one-{version}.dist-info" / "RECORD")
    return root


def test_worst_first_and_never_an_error(field: Playfield, project: Path) -> None:
    """Findings come by severity; what an audit finds does not make an environment unusable."""
    shell = {"PYTHONPATH": b"/elsewhere", "VIRTUAL_ENV": b"/other", "CONDA_PREFIX": b"/c", "_CONDA_ROOT": b"/c"}
    health, place = audit(field.resolve(project), shell, field.disk())
    assert [finding.code for finding in health] == ["duplicate-metadata"]
    assert {finding.code for finding in place} == {
        "lock-mismatch", "other-active", "conda-base-active", "python-variables",
    }  # fmt: skip
    severities = [finding.severity for finding in place]
    assert severities == sorted(severities, reverse=True)
    assert "error" not in {*severities, *(finding.severity for finding in health)}


def test_the_answer_keeps_its_own_findings(field: Playfield, project: Path) -> None:
    """What the answer found stays, the audit's comes after it, and the state does not change."""
    found = field.resolve(project)
    answer = audited(Answer(found, "trusted"), {}, field.disk())
    assert answer.state == "trusted"
    assert [finding.code for finding in answer.resolution.findings] == ["two-lock-files", "lock-mismatch"]
    assert answer.resolution.environment is not None
    assert [finding.code for finding in answer.resolution.environment.health] == ["duplicate-metadata"]
    assert not answer.resolution.environment.broken
    assert found.environment is not None
    assert found.environment.health == ()


@pytest.mark.parametrize("name", ["nowhere", "bare"])
def test_without_an_environment(field: Playfield, name: str) -> None:
    """Where there is nothing to look at, an audit finds nothing."""
    (field.home / "bare").mkdir()
    assert audit(field.resolve(field.home / name), {}, field.disk()) == ((), ())


def test_no_value_of_a_variable_raises(field: Playfield, project: Path) -> None:
    """Every variable a command sends may hold anything."""
    found = field.resolve(project)
    for value in (b"", b"/", b":", b"::/:", b"\xff\x1b[31m", b"/" * 4096, b"9" * 5000, b"-1", b"\xc2\xb2"):
        for names in ([name] for name in FACTS + CHECKED):
            audit(found, dict.fromkeys(names, value), field.disk())
        audit(found, dict.fromkeys(FACTS + CHECKED, value), field.disk())


def test_a_project_that_links_its_lock_file_elsewhere(field: Playfield, project: Path) -> None:
    """What is no regular file is not read."""
    (project / "uv.lock").unlink()
    os.mkfifo(project / "uv.lock")
    _, place = audit(field.resolve(project), {}, field.disk())
    assert [finding.code for finding in place] == []
