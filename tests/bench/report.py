"""A run as Markdown: everybody beside each other, the guard, and the budgets."""

from __future__ import annotations

from collections.abc import Sequence

from bench.budgets import judged, times_less
from bench.figures import NOT_INSTALLED, Row
from bench.record import START, Record
from bench.tools import SUBJECT

COMPARED = {"cd": "per `cd`", "prompt": "per prompt", START: "per start"}


def peers(record: Record) -> str:
    """What each tool adds, p50 / p95 / p99, and how many times alight's median the fastest peer's is."""
    names = [SUBJECT, *record.peers()]
    headings = [f"{name} {record.versions[name].split()[0]}" if name in record.versions else name for name in names]
    lines = [
        f"| ms, p50 / p95 / p99 | {' | '.join(headings)} | the fastest peer |",
        "|---" + "|--:" * (len(names) + 1) + "|",
    ]
    for shell in record.shells():
        for what, text in COMPARED.items():
            rows = [record.row(what, shell, name) for name in names]
            if any(rows):
                cells = " | ".join(_cell(row) for row in rows)
                lines.append(f"| {shell}, {text} | {cells} | {_ratio(record, what, shell)} |")
    return "\n".join(lines)


def guard(record: Record) -> str:
    """What the guard adds to each kind of line, p50 / p95 / p99."""
    shells = list(dict.fromkeys(row.shell for row in record.lines))
    lines = [f"| ms, p50 / p95 / p99 | {' | '.join(shells)} |", "|---" + "|--:" * len(shells) + "|"]
    for line in dict.fromkeys(row.line for row in record.lines):
        spreads = [row.guard for row in record.lines if row.line == line]
        cells = (f"{one.p50:.3f} / {one.p95:.3f} / {one.p99:.3f}" if one else "not measured" for one in spreads)
        lines.append(f"| {line} | {' | '.join(cells)} |")
    return "\n".join(lines)


def budgets(record: Record) -> str:
    """Each budget and what was measured."""
    lines = ["| what | shell | measured, p50 / p99 ms | budget | met |", "|---|---|--:|--:|---|"]
    for one in judged(record):
        lines.append(
            f"| {one.what} | {one.shell or '-'} | {one.measured} | {one.allowed} | {'yes' if one.kept else '**no**'} |"
        )
    return "\n".join(lines)


def circumstances(record: Record) -> str:
    """One paragraph: how it was measured, where, and what differences mean nothing."""
    noise = [abs(row.added.p50) for row in record.rows if row.tool == "control" and row.added and row.what != START]
    parts = [f"{record.rounds} rounds each", f"`{record.command}`", f"{record.machine.get('cores')} cores"]
    parts += [str(record.machine.get("processor", "")), f"load {record.machine.get('load')}", record.date[:10]]
    text = "; ".join(part for part in parts if part) + "."
    if noise:
        text += f" A second bare shell beside the first differs by up to {max(noise):.2f} ms at the median."
    return text


def problems(rows: Sequence[Row]) -> list[str]:
    """Everything that should have been measured and was not."""
    found = (f"{row.shell or row.what}, {row.tool}: {row.problem}" for row in rows if row.failed)
    return sorted(set(found))


def absences(record: Record) -> str:
    """One sentence for each peer that nobody has here, or nothing."""
    found = {row.tool: row.problem for row in record.rows if row.problem.startswith(NOT_INSTALLED)}
    return "\n".join(f"- {tool}: {problem}." for tool, problem in found.items())


def whole(record: Record) -> str:
    """All of it, for a terminal or a file."""
    parts = [
        "Added milliseconds, interactive shells on a pty, the bare shell's median taken off.", peers(record),
        absences(record), "The guard's share of a line at Enter:", guard(record), "Budgets:", budgets(record),
        circumstances(record),
    ]  # fmt: skip
    return "\n\n".join(part for part in parts if part)


def _cell(row: Row | None) -> str:
    if row is None or row.added is None:
        return "-" if row is None else row.problem.partition(" (")[0].partition(":")[0]
    return " / ".join(_short(value) for value in (row.added.p50, row.added.p95, row.added.p99))


def _short(value: float) -> str:
    """Three significant digits, but never finer than a hundredth."""
    return f"{value:.2f}" if abs(value) < 9.995 else f"{value:.1f}" if abs(value) < 99.95 else f"{value:.0f}"


def _ratio(record: Record, what: str, shell: str) -> str:
    mine, fastest = record.added(what, shell), record.fastest(what, shell)
    if mine is None or fastest is None:
        return "-"
    return f"{times_less(fastest[1], mine.p50):.1f} x ({fastest[0]})"
