"""The benchmark of ``cd`` runs, and says what it promises in a table and in JSON; no figure is judged here."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from bench import figures

BENCHMARK = Path(__file__).resolve().parents[1] / "bench" / "cd"
SHELLS = ("zsh", "bash", "fish")


def _run(directory: Path, arguments: Sequence[str], path: str = os.defpath) -> subprocess.CompletedProcess[str]:
    environment = {"PATH": path, "TMPDIR": str(directory), "HOME": str(directory)}
    return subprocess.run(
        [sys.executable, BENCHMARK, *arguments], env=environment, capture_output=True, text=True, check=False
    )


def test_table_and_document_of_the_bare_shells(tmp_path: Path) -> None:
    """Every shell gives a row per timed thing, in the table and in JSON, and the temporary folder is left empty."""
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    report = tmp_path / "figures.json"
    done = _run(scratch, ["--rounds", "3", "--only", "bare,control", "--json", str(report)])
    assert (done.returncode, done.stderr) == (0, "")
    for shell in SHELLS:
        for tool in ("bare", "control"):
            for what in ("cd", "prompt"):
                assert f"| {shell} | {tool} | {what} | 4 |" in done.stdout
    document = json.loads(report.read_text())
    assert set(document) == {"command", "date", "machine", "rounds", "rows", "seed", "unit", "versions"}
    assert document["command"].startswith("tests/bench/cd --rounds 3 --only bare,control")
    assert set(SHELLS) <= set(document["versions"])
    assert {"cores", "kernel", "load", "load_after"} <= set(document["machine"])
    assert [(row["shell"], row["what"], row["tool"]) for row in document["rows"]] == [
        (shell, what, tool) for shell in SHELLS for what in ("cd", "prompt") for tool in ("bare", "control")
    ]
    for row in document["rows"]:
        assert row["problem"] == ""
        assert set(row["total"]) == {"mean", "p50", "p95", "p99", "max"}
        assert (row["added"] is None) == (row["tool"] == "bare")
        assert set(row["kinds"]) == (
            {"enter", "stay", "switch", "leave"} if (row["what"], row["tool"]) == ("cd", "control") else set()
        )
    assert list(scratch.iterdir()) == []


def test_a_missing_tool_is_loud(tmp_path: Path) -> None:
    """A tool that was asked for and cannot be had has its row say so, and the exit code is 1."""
    only_shell = tmp_path / "bin"
    only_shell.mkdir()
    (only_shell / "bash").symlink_to("/bin/bash")
    done = _run(tmp_path, ["--rounds", "1", "--shells", "bash", "--only", "direnv"], str(only_shell))
    assert done.returncode == 1
    assert "| bash | direnv | cd | 0 | **missing: no direnv on PATH" in done.stdout
    assert "NOT MEASURED: bash, direnv" in done.stderr


def test_a_tool_that_does_not_activate_is_invalid(tmp_path: Path) -> None:
    """A tool whose hook leaves PATH as it was is not timed: its rows are marked and the exit code is 1."""
    idle = tmp_path / "bin" / "direnv"
    idle.parent.mkdir()
    idle.write_text('#!/bin/sh\n[ "$1" = version ] && echo 0; exit 0\n')
    idle.chmod(0o755)
    path = f"{idle.parent}{os.pathsep}{os.defpath}"
    done = _run(tmp_path, ["--rounds", "1", "--shells", "bash", "--only", "direnv"], path)
    assert done.returncode == 1
    assert "| bash | direnv | cd | 0 | **invalid: after enter (A)" in done.stdout


@pytest.mark.parametrize("arguments", [["--rounds", "0"], ["--only", "nothing"], ["--shells", "csh"]])
def test_usage(tmp_path: Path, arguments: list[str]) -> None:
    """A number, tool or shell that cannot be is refused with exit code 2 before anything starts."""
    assert _run(tmp_path, arguments).returncode == 2


def _samples(enter: int, other: int) -> figures.Samples:
    milliseconds = {"enter": enter, "stay": other, "switch": enter, "leave": other}
    return figures.Samples({kind: [value * 1_000_000] for kind, value in milliseconds.items()}, [1_000_000])


def test_percentiles_are_by_nearest_rank() -> None:
    """Of the milliseconds 1 to 100 the percentile of a share is the value at that rank, whatever the order."""
    found = figures.spread([number * 1_000_000 for number in range(100, 0, -1)])
    assert found == figures.Spread(mean=50.5, p50=50.0, p95=95.0, p99=99.0, max=100.0)


def test_added_is_less_the_bare_median_of_the_same_kind() -> None:
    """The bare shell's median is taken off each figure, and that of the same kind of cd off each kind."""
    entry = figures.row("zsh", "direnv", "cd", _samples(25, 6), _samples(3, 1))
    assert entry.added == figures.Spread(mean=14.5, p50=5.0, p95=24.0, p99=24.0, max=24.0)
    assert (entry.kinds["enter"].p50, entry.kinds["stay"].p50) == (22.0, 5.0)


def test_ratio_names_the_nearest_kind() -> None:
    """A comparison gives the ratio of the medians and that of the kind of cd where the two tools are nearest."""
    rows = [
        figures.row("zsh", tool, "cd", samples, _samples(0, 0))
        for tool, samples in (("alight", _samples(5, 1)), ("direnv", _samples(20, 6)))
    ]
    assert figures.ratios(rows) == [
        "zsh, cd: direnv adds 6.000 ms to 1.000 ms, 6.0 times; nearest at enter: 20.000 ms to 5.000 ms, 4.0 times"
    ]
