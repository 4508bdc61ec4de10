"""The benchmarks of answers and listings run, and say what they promise; no figure is judged here."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from support.landscape import KINDS, POOLED, Landscape

BENCHMARKS = Path(__file__).resolve().parents[1] / "bench"


def _run(name: str, directory: Path, arguments: Sequence[str]) -> tuple[subprocess.CompletedProcess[str], Path]:
    scratch = directory / "s"
    scratch.mkdir()
    environment = {"PATH": os.defpath, "TMPDIR": str(scratch), "HOME": str(directory)}
    command = [sys.executable, str(BENCHMARKS / name), *arguments]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False), scratch


def test_folders(tmp_path: Path) -> None:
    """Each number of known environments gives three rows, every project has its own answer, nothing is left."""
    report = tmp_path / "figures.json"
    done, scratch = _run(
        "folders", tmp_path, ["--known", "0,11", "--per-kind", "1", "--bare", "3", "--json", str(report)]
    )
    assert (done.returncode, done.stderr) == (0, "")
    for known in (0, 11):
        assert f"| {known} | running | {2 * len(KINDS) + 3} |" in done.stdout
    rows = json.loads(report.read_text())["rows"]
    assert [(row["known"], row["daemon"]) for row in rows] == [
        (0, "running"),
        (0, "fresh"),
        (0, "restored"),
        (11, "running"),
        (11, "fresh"),
        (11, "restored"),
    ]
    assert all(row["agree"] == row["projects"] == len(KINDS) for row in rows if row["daemon"] == "running")
    assert list(scratch.iterdir()) == []


@pytest.mark.limit(90)
def test_envs(runtime_directory: Path) -> None:
    """Every generated environment is listed by the command, and each part of the time has its row."""
    runtime_directory.mkdir(mode=0o700)
    report = runtime_directory / "figures.json"
    done, scratch = _run("envs", runtime_directory, ["--environments", "16", "--rounds", "1", "--json", str(report)])
    assert (done.returncode, done.stderr) == (0, "")
    assert "| cold | 1 |" in done.stdout
    assert "| restarted | 1 |" in done.stdout
    assert "| split: daemon | 10 |" in done.stdout
    document = json.loads(report.read_text())
    assert document["missing"] == 0
    assert document["listed"] >= 16
    assert list(scratch.iterdir()) == []


def test_the_landscape_is_the_same_for_a_seed(tmp_path: Path) -> None:
    """Two homes of one seed differ in their place only; another seed gives another."""
    first, second, third = (
        Landscape(tmp_path / name, seed).grow(2 * len(KINDS)).bare_folders(4)
        for name, seed in (("a", 5), ("b", 5), ("c", 6))
    )

    def relative(land: Landscape) -> list[str]:
        # Hashes of paths are another in another place.
        names = [str(project.relative_to(land.home)) for project in (*land.projects, *land.bare)]
        return names + [environment.joinpath("pyvenv.cfg").name for environment in land.environments]

    assert relative(first) == relative(second) != relative(third)
    assert len(first.expected) == len(first.environments) == 2 * len(KINDS)
    assert all((prefix / "bin/python").exists() for prefix in first.environments)
    assert set(POOLED) < set(KINDS)
