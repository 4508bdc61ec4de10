"""The growth curves are measured and drawn, each in the home it speaks of; no figure is judged here."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from xml.etree import ElementTree

import pytest

from bench import curves, figures, terrain
from bench.playground import Tree, shape

BENCHMARK = Path(__file__).resolve().parents[1] / "bench" / "growth"


def _run(directory: Path, arguments: Sequence[str]) -> subprocess.CompletedProcess[str]:
    environment = {"PATH": os.defpath, "TMPDIR": str(directory), "HOME": str(directory)}
    return subprocess.run(
        [sys.executable, BENCHMARK, *arguments], env=environment, capture_output=True, text=True, check=False
    )


def _point(curve: str, amount: int, ask: float) -> curves.Point:
    spread = figures.Spread(ask, ask, ask, ask, ask)
    return curves.Point(curve, f"{curve} there are", amount, 3, spread, spread, None)


@pytest.mark.limit(120)
def test_a_point_of_a_curve(tmp_path_factory: pytest.TempPathFactory) -> None:
    """A point has its question, ping and cd in the table and in JSON, and what was kept gives the same again."""
    scratch, kept = tmp_path_factory.mktemp("b"), tmp_path_factory.mktemp("k") / "growth.json"
    done = _run(scratch, ["--rounds", "6", "--curves", "shells", "--points", "3", "--json", str(kept)])
    assert (done.returncode, done.stderr) == (0, "")
    assert "| 3 | open shells |" in done.stdout
    [point] = json.loads(kept.read_text())["points"]
    assert (point["curve"], point["amount"], point["count"]) == ("shells", 3, 6)
    assert all(set(point[kind]) == {"mean", "p50", "p95", "p99", "max"} for kind in ("ask", "ping", "cd"))
    assert list(scratch.iterdir()) == []
    svg = kept.with_suffix(".svg")
    repeated = _run(scratch, ["--from", str(kept), "--svg", str(svg)])
    assert (repeated.returncode, repeated.stdout) == (0, done.stdout)
    assert "open shells" in [mark.text for mark in ElementTree.fromstring(svg.read_text()).findall(".//{*}text")]


@pytest.mark.parametrize("arguments", [["--rounds", "0"], ["--curves", "none"], ["--points", "x"], ["--from", "/none"]])
def test_usage(tmp_path: Path, arguments: list[str]) -> None:
    """A number, curve or file that cannot be is refused with exit code 2 before anything starts."""
    assert _run(tmp_path, arguments).returncode == 2


@pytest.mark.parametrize("curve", terrain.CURVES, ids=lambda curve: curve.name)
def test_a_home_holds_what_its_curve_varies(tmp_path: Path, curve: terrain.Curve) -> None:
    """Each curve's home has so much of its own thing and nothing of the others', and folders to ask about."""
    tree = Tree(tmp_path.resolve() / "h")
    first = tree.projects[0]
    shape(first / ".venv")
    ground = curve.build(tree, 11, 1)
    found = {
        "depth": len(ground.ring[0].relative_to(first).parts),
        "pools": len(list(tree.home.rglob("pyvenv.cfg"))) + len(list(tree.home.rglob("envs/*/conda-meta"))) - 1,
        "projects": len(ground.visited),
        "packages": len(list(first.glob(".venv/lib/*/site-packages/*.dist-info"))),
    }
    # In the home for visits the environments lie in projects, not in pools.
    usual = {"depth": 1, "pools": found["pools"] if curve.name == "projects" else 0, "projects": 0, "packages": 0}
    assert found == usual | ({} if curve.listens else {curve.name: 11})
    assert len(ground.ring) == terrain.RING
    assert all(folder.is_dir() for folder in ground.ring)


def test_growth_is_told_from_the_first_point_to_the_last() -> None:
    """A curve's line has both ends, how many times the last is, and what each further one costs."""
    points = [_point("depth", 1, 1.0), _point("depth", 5, 5.0), _point("depth", 51, 2.0), _point("pools", 0, 1.0)]
    assert curves.growth(points).splitlines()[2:] == [
        "| depth there are | 1 | 51 | 1.00 to 2.00 ms | 2.00 | 20.000 us |",
        "| pools there are | 0 | 0 | 1.00 to 1.00 ms | 1.00 | 0.000 us |",
    ]
