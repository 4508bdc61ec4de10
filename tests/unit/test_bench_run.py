"""The run beside the peers does all its parts, and says what it promises; no figure is judged here."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from xml.etree import ElementTree

import pytest

from bench import budgets, figures, plot, readme, report, suite
from bench.lines import Row as LineRow
from bench.record import Record, load
from bench.visits import FIRST, LATER

BENCHMARK = Path(__file__).resolve().parents[1] / "bench" / "run"
CLASSES = {"back", "ink", "muted", "grid", "mine", "other"}


def _run(directory: Path, arguments: Sequence[str], path: str = os.defpath) -> subprocess.CompletedProcess[str]:
    environment = {"PATH": path, "TMPDIR": str(directory), "HOME": str(directory)}
    return subprocess.run(
        [sys.executable, BENCHMARK, *arguments], env=environment, capture_output=True, text=True, check=False
    )


def _spread(value: float) -> figures.Spread:
    return figures.Spread(value, value, value, value, value)


def _row(shell: str, tool: str, what: str, value: float) -> figures.Row:
    return figures.Row(shell, tool, what, 4, _spread(value + 1), _spread(value), {}, "")


def _record(*rows: figures.Row, lines: Sequence[LineRow] = ()) -> Record:
    return Record("tests/bench/run", "2026-01-01T00:00:00+00:00", 4, 1, {"cores": 2}, {"alight": "1.0"}, rows, lines)


@pytest.mark.limit(120)
def test_every_part_of_a_run(tmp_path_factory: pytest.TempPathFactory) -> None:
    """A run has rows for every part in JSON, tables on stdout and a picture, and what it kept gives the same again."""
    directory = tmp_path_factory.mktemp("b")
    scratch = directory / "s"
    scratch.mkdir()
    kept, svg, again = directory / "run.json", directory / "run.svg", directory / "again.svg"
    chosen = ["--rounds", "3", "--shells", "zsh", "--only", "control,alight"]
    done = _run(scratch, [*chosen, "--json", str(kept), "--svg", str(svg)])
    assert (done.returncode, done.stderr) == (0, "")
    record = load(kept)
    tools = ["bare", "control", "alight"]
    assert [(row.shell, row.what, row.tool) for row in record.rows] == [
        *(("zsh", what, tool) for what in ("cd", "prompt", "start", FIRST, LATER) for tool in tools),
        ("", "spawn", "alight"),
    ]
    assert all(row.problem == "" and row.count > 0 for row in record.rows)
    assert [row.line for row in record.lines] == ["ordinary", "list", "mention", "installer"]
    assert record.command == "tests/bench/run --rounds 4 --shells zsh --only bare,control,alight"
    for text in ("| zsh, per `cd` |", "| zsh, per start |", "| installer |", "| daemon: spawn to first answer |"):
        assert text in done.stdout
    assert list(scratch.iterdir()) == []
    repeated = _run(scratch, ["--from", str(kept), "--svg", str(again)])
    assert (repeated.returncode, repeated.stdout) == (0, done.stdout)
    assert again.read_text() == svg.read_text()


def test_a_missing_shell_is_loud(tmp_path: Path) -> None:
    """A shell that was asked for and is not there has its rows say so, and the exit code is 1."""
    done = _run(tmp_path, ["--rounds", "1", "--shells", "fish", "--only", "control"], str(tmp_path))
    assert done.returncode == 1
    assert "NOT MEASURED: fish, control: missing: no fish on PATH" in done.stderr


def test_a_peer_that_nobody_has_is_no_failure(tmp_path: Path) -> None:
    """A peer that is compared only where it is installed is said not to be, and the exit code is 0."""
    done = _run(tmp_path, ["--rounds", "1", "--shells", "bash", "--only", "pyenv-virtualenv"])
    assert (done.returncode, done.stderr) == (0, "")
    assert "| bash, per `cd` | - | not installed |" in done.stdout
    assert "- pyenv-virtualenv: not installed (no pyenv)." in done.stdout


@pytest.mark.parametrize(
    "arguments", [["--rounds", "0"], ["--only", "nothing"], ["--shells", "csh"], ["--from", "/nonexistent"]]
)
def test_usage(tmp_path: Path, arguments: list[str]) -> None:
    """A number, tool, shell or file that cannot be is refused with exit code 2 before anything starts."""
    assert _run(tmp_path, arguments).returncode == 2


def test_budgets_are_judged_at_both_percentiles() -> None:
    """A budget is kept when neither the median nor, where that is limited, the 99th percentile is above it."""
    slow_tail = figures.Row("zsh", "alight", "cd", 9, _spread(9), figures.Spread(1, 0.4, 0.5, 2.5, 3), {}, "")
    rows = [_row("bash", "alight", "cd", 2.0), slow_tail, _row("zsh", "alight", "prompt", 0.07)]
    lines = [LineRow("zsh", "ordinary", 4, 1, 0, 0, _spread(0.01), _spread(0.01))]
    found = {(one.what, one.shell): one.kept for one in budgets.judged(_record(*rows, lines=lines))}
    assert found == {
        ("`cd`, known directory", "zsh"): False,
        ("`cd`, known directory", "bash"): True,
        ("prompt without `cd`", "zsh"): False,
        ("guard, ordinary line", "zsh"): True,
    }


def test_without_a_compiler_another_budget_holds() -> None:
    """The client in Python has a budget of its own."""
    record = _record(_row("bash", "alight", "cd", 15.0))
    assert [one.kept for one in budgets.judged(record)] == [False]
    python = Record(**{**vars(record), "versions": {"alight": "1.0 (Python client)"}})
    assert [(one.allowed, one.kept) for one in budgets.judged(python)] == [("20", True)]


def test_times_are_those_of_the_faster_rival() -> None:
    """The figure is held against the faster of direnv and mise, and the table names the fastest peer of all."""
    values = {"alight": 0.5, "direnv": 12.0, "mise": 9.0, "zsh-autoswitch-virtualenv": 8.0}
    record = _record(*(_row("zsh", tool, "cd", value) for tool, value in values.items()))
    ratio = budgets.judged(record)[-1]
    assert (ratio.what, ratio.measured, ratio.kept) == ("`cd`, times less than mise", "18.0", False)
    assert report.peers(record).endswith("| 16.0 x (zsh-autoswitch-virtualenv) |")


def test_the_picture_is_drawn_in_classes_of_both_modes() -> None:
    """Every mark of the picture has a class with a colour for light and for dark; a tool that is absent says so."""
    record = _record(_row("zsh", "alight", "cd", -0.01), figures.absent("zsh", "direnv", "cd", "missing: no direnv"))
    tree = ElementTree.fromstring(plot.picture(record))
    style = tree.findtext("{*}style") or ""
    light, _, dark = style.partition("@media (prefers-color-scheme: dark)")
    used = {mark.get("class", "").removesuffix("-line") for mark in tree if mark.get("class")}
    assert used <= CLASSES
    assert all(f".{name}{{" in part for name in used for part in (light, dark))
    words = [mark.text for mark in tree.findall(".//{*}text")]
    assert {"alight", "direnv", "missing", "-0.01"} <= set(words)
    assert all(float(mark.get("width", "0")) >= 0 for mark in tree.findall(".//{*}rect"))


def test_the_readme_has_every_block() -> None:
    """The page has a place for each table that the commands write, and shows both pictures."""
    readme.check((*suite.BLOCKS, "growth"))
    page = readme.README.read_text("utf-8")
    assert all(f"(docs/figures/{name}.svg)" in page for name in ("peers", "growth"))


def test_only_what_is_between_the_marks_is_replaced() -> None:
    """A block is replaced as a whole, twice gives the same as once, and half a pair of marks is refused."""
    page = "before\n<!-- figures:a -->\nold\n<!-- /figures:a -->\nafter\n"
    once = readme.refreshed(page, {"a": "new"})
    assert once == "before\n<!-- figures:a -->\n\nnew\n\n<!-- /figures:a -->\nafter\n"
    assert readme.refreshed(once, {"a": "new"}) == once
    with pytest.raises(readme.MarksMissing, match="figures:b"):
        readme.refreshed(page, {"b": "new"})
    with pytest.raises(readme.MarksMissing, match="/figures:a"):
        readme.refreshed("<!-- figures:a -->", {"a": "new"})
