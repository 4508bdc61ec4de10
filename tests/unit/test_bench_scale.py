"""The benchmarks of scale, news and installations run, and say what they promise; no figure is judged here."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).resolve().parents[1] / "bench"


def _run(name: str, directory: Path, arguments: Sequence[str]) -> tuple[str, dict[str, object]]:
    """What it printed and its JSON document; it leaves nothing and says nothing else."""
    report, scratch = directory / "figures.json", directory / "s"
    scratch.mkdir()
    environment = {"PATH": os.environ["PATH"], "HOME": str(directory), "LANG": "C.UTF-8"}
    command = [sys.executable, str(BENCHMARKS / name), *arguments, "--directory", str(scratch), "--json", str(report)]
    done = subprocess.run(command, env=environ_with(environment), capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, ""), done.stdout
    assert list(scratch.iterdir()) == []
    return done.stdout, json.loads(report.read_text())


def environ_with(environment: dict[str, str]) -> dict[str, str]:
    """The test's own caches and certificates, and this."""
    return {name: value for name, value in os.environ.items() if name.startswith(("UV_", "PIP_"))} | environment


@pytest.mark.limit(120)
def test_scale(tmp_path: Path) -> None:
    """Each number of environments gives a row, and one for each number of shells; the daemon stays small in threads."""
    arguments = ["--quick", "--environments", "11,22", "--projects", "11", "--shells", "1,4", "--seconds", "0.2"]
    printed, document = _run("scale", tmp_path, arguments)
    burdens, rates = document["burdens"], document["rates"]
    assert isinstance(burdens, list)
    assert isinstance(rates, list)
    assert [(row["environments"], row["projects"]) for row in burdens] == [(11, 11), (22, 11)]
    assert [(row["environments"], row["shells"]) for row in rates] == [(11, 1), (11, 4), (22, 1), (22, 4)]
    assert all(row["threads"] <= 8 and row["watches"] > 0 for row in burdens)
    assert all(row["questions"] > 0 for row in rates)
    assert "| environments | projects | memory MiB |" in printed
    assert "| environments | shells | questions /s |" in printed


@pytest.mark.limit(120)
def test_news(tmp_path: Path) -> None:
    """Every kind of change is seen on zsh's screen, and has a row."""
    printed, document = _run("news", tmp_path, ["--rounds", "1"])
    changes = ["python -m venv", "alight allow", "pip install", "edit pyproject.toml", "rm -rf .venv", "uv sync"]
    assert list(document["rows"]) == changes  # type: ignore[call-overload]
    for change in (*changes, "all that the prompt shows"):
        assert f"| {change} |" in printed


def test_install(tmp_path: Path) -> None:
    """An installation is counted: events of the kernel, notifications (two at most), what `alight watch` tells."""
    printed, document = _run("install", tmp_path, ["--rounds", "1", "--packages", "5", "--quiet", "1.5"])
    (row,) = document["rows"]  # type: ignore[misc]
    assert row["raw_events"] >= 5
    assert 1 <= row["notifications"] <= 2
    assert set(row["told"]) == {"packages-changed"}
    assert "| 5 |" in printed
