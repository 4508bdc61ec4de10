"""The run as a picture: a panel for each shell and kind of sample, a bar for each tool, on one logarithmic scale.

A bar ends at the median; the thin line goes on to the 95th percentile. What adds less than the scale's beginning, or
nothing at all, has no bar, only its number.
"""

from __future__ import annotations

import math

from bench.record import START, Record
from bench.svg import Canvas, LogScale
from bench.tools import SUBJECT

PANELS = {"cd": "added per cd", "prompt": "added per prompt", START: "added at shell start"}
LOW = 0.01
WIDTH, LABELS, GAP, ROW, BAR = 960.0, 168.0, 26.0, 19.0, 11.0
HEAD, PANEL_HEAD, PANEL_FOOT = 64.0, 24.0, 30.0
VALUE = 40.0
"""Room for the number behind a bar."""


def picture(record: Record) -> str:
    """The SVG document."""
    shells, names = record.shells(), [SUBJECT, *record.peers()]
    whats = [what for what in PANELS if any(record.added(what, shell) for shell in shells)]
    spreads = [row.added for row in record.rows if row.added and row.what in whats and row.tool in names]
    top = max([spread.p95 for spread in spreads], default=1.0)
    high = 10.0 ** max(1, math.ceil(math.log10(max(top, 1.0)) - 1e-9))
    canvas = Canvas(
        WIDTH,
        "What each tool adds to a cd, to a prompt and to the start of a shell",
        "Bars end at the median, thin lines at the 95th percentile; milliseconds, logarithmic; less is better.",
    )
    canvas.words(16, 27, "What each tool adds", size=16, bold=True)
    canvas.words(
        16, 47, "milliseconds, logarithmic; bar: median, thin line: 95th percentile; shorter is better", "muted"
    )
    width = (WIDTH - LABELS - GAP * len(shells)) / max(len(shells), 1)
    y = HEAD
    for what in whats:
        for column, shell in enumerate(shells):
            x = LABELS + column * (width + GAP)
            scale = LogScale(LOW, high, x, x + width - VALUE)
            canvas.words(x, y + 14, f"{shell}, {PANELS[what]}", bold=True)
            bottom = y + PANEL_HEAD + ROW * len(names)
            for decade in scale.decades():
                canvas.line([(scale(decade), y + PANEL_HEAD), (scale(decade), bottom + 3)], "grid")
                canvas.words(scale(decade), bottom + 15, f"{decade:g}", "muted", size=10, anchor="middle")
            for number, name in enumerate(names):
                middle = y + PANEL_HEAD + ROW * (number + 0.5)
                if column == 0:
                    canvas.words(
                        LABELS - 10,
                        middle + 4,
                        name,
                        "ink" if name == SUBJECT else "muted",
                        anchor="end",
                        size=11,
                        bold=name == SUBJECT,
                    )
                _bar(canvas, record, scale, what, shell, name, middle)
        y += PANEL_HEAD + ROW * len(names) + PANEL_FOOT
    canvas.height = y + 4
    return canvas.document()


def _bar(canvas: Canvas, record: Record, scale: LogScale, what: str, shell: str, name: str, middle: float) -> None:
    row = record.row(what, shell, name)
    tone = "mine" if name == SUBJECT else "other"
    if row is None or row.added is None:
        why = row.problem.partition(" (")[0].partition(":")[0] if row is not None else "not measured"
        canvas.rectangle(scale.start + 2, middle - ROW / 2 + 2, 6.0 * len(why), ROW - 4, "back")
        canvas.words(scale.start + 4, middle + 4, why, "muted", size=10)
        return
    p50, p95 = scale(row.added.p50), scale(row.added.p95)
    canvas.rectangle(scale.start, middle - BAR / 2, p50 - scale.start, BAR, tone)
    canvas.line([(p50, middle), (p95, middle)], "ink", 1.2)
    canvas.line([(p95, middle - 3), (p95, middle + 3)], "ink", 1.2)
    canvas.words(p95 + 5, middle + 4, _number(row.added.p50), size=10, bold=name == SUBJECT)


def _number(value: float) -> str:
    return f"{value:.2f}" if value < 9.995 else f"{value:.1f}" if value < 99.95 else f"{value:.0f}"
