"""The benchmark of the guard runs, and says what it promises in a table and in JSON; no figure is judged here."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from bench import figures, lines

BENCHMARK = Path(__file__).resolve().parents[1] / "bench" / "guard"


def _run(directory: Path, arguments: Sequence[str], path: str = os.defpath) -> subprocess.CompletedProcess[str]:
    environment = {"PATH": path, "TMPDIR": str(directory), "HOME": str(directory)}
    return subprocess.run(
        [sys.executable, BENCHMARK, *arguments], env=environment, capture_output=True, text=True, check=False
    )


def test_table_and_document(tmp_path: Path) -> None:
    """Every shell gives a row for each line, in the table and in JSON, and the temporary folder is left empty."""
    scratch = tmp_path / "s"
    scratch.mkdir()
    report = tmp_path / "figures.json"
    done = _run(scratch, ["--rounds", "2", "--json", str(report)])
    assert (done.returncode, done.stderr) == (0, "")
    document = json.loads(report.read_text())
    assert [(row["shell"], row["line"], row["count"], row["problem"]) for row in document["rows"]] == [
        (shell, line, 2, "") for shell in ("zsh", "bash", "fish") for line in lines.LINES
    ]
    for row in document["rows"]:
        assert f"| {row['shell']} | {row['line']} | 2 | {row['bare']:.3f} |" in done.stdout
        assert set(row["guard"]) == {"mean", "p50", "p95", "p99", "max"}
    assert list(scratch.iterdir()) == []


def test_a_missing_shell_is_loud(tmp_path: Path) -> None:
    """A shell that was asked for and is not there has its rows say so, and the exit code is 1."""
    done = _run(tmp_path, ["--rounds", "1", "--shells", "fish"], str(tmp_path))
    assert done.returncode == 1
    assert "| fish | ordinary | 0 | **missing: no fish on PATH** |" in done.stdout
    assert "NOT MEASURED: fish: missing" in done.stderr


@pytest.mark.parametrize("arguments", [["--rounds", "0"], ["--shells", "csh"]])
def test_usage(tmp_path: Path, arguments: list[str]) -> None:
    """A number or shell that cannot be is refused with exit code 2 before anything starts."""
    assert _run(tmp_path, arguments).returncode == 2


def test_the_guard_is_what_alight_adds_to_its_own_hook() -> None:
    """The bare shell's median is taken off the hook and the whole, the hook's off the whole for the guard's share."""
    taken = {"bare": [1, 2, 3], "control": [2, 2, 2], "hook": [3, 4, 5], "alight": [5, 7, 9]}
    samples = {name: {"list": [value * 1_000_000 for value in values]} for name, values in taken.items()}
    row = lines.row("zsh", "list", samples)
    assert (row.bare, row.control, row.hook) == (2, 0, 2)
    assert row.added == figures.Spread(mean=5, p50=5, p95=7, p99=7, max=7)
    assert row.guard == figures.Spread(mean=3, p50=3, p95=5, p99=5, max=5)
