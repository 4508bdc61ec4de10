"""The growth curves as a table and as a picture: a panel for each, from little to much, on one logarithmic scale."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from bench.figures import Spread
from bench.svg import Canvas, LogScale


@dataclass(frozen=True)
class Point:
    """How long it takes where there is so much: a question (``ask``), an empty one (``ping``), and a cd in zsh.

    ``cd`` has the bare shell's median taken off and is None where there was no zsh to measure.
    """

    curve: str
    axis: str
    amount: int
    count: int
    ask: Spread
    ping: Spread
    cd: Spread | None


LOW = 0.1
WIDTH, COLUMNS, LEFT, GAP = 960.0, 3, 44.0, 62.0
HEAD, TALL, FOOT = 66.0, 170.0, 46.0


def table(points: Sequence[Point]) -> str:
    """Markdown, milliseconds."""
    lines = [
        "| how much | of what | ask, p50 / p95 | ping, p50 | zsh, added per `cd`, p50 / p95 |",
        "|--:|---|--:|--:|--:|",
    ]
    for point in points:
        cd = f"{point.cd.p50:.2f} / {point.cd.p95:.2f}" if point.cd is not None else "-"
        ask = f"{point.ask.p50:.2f} / {point.ask.p95:.2f}"
        lines.append(f"| {point.amount:,} | {point.axis} | {ask} | {point.ping.p50:.2f} | {cd} |")
    return "\n".join(lines)


def growth(points: Sequence[Point]) -> str:
    """Markdown: for each curve how the median question grew from its first to its last point, and by how much each."""
    lines = ["| of what | from | to | ask, p50 | times | for each |", "|---|--:|--:|--:|--:|--:|"]
    for name in dict.fromkeys(point.curve for point in points):
        first, *_, last = [point for point in points if point.curve == name] * 2
        one, other = first.ask.p50, last.ask.p50
        each = (other - one) * 1000 / max(last.amount - first.amount, 1)
        lines.append(
            f"| {first.axis} | {first.amount:,} | {last.amount:,} | {one:.2f} to {other:.2f} ms"
            f" | {other / max(one, 0.001):.2f} | {each:.3f} us |"
        )
    return "\n".join(lines)


def picture(points: Sequence[Point]) -> str:
    """The SVG document."""
    names = list(dict.fromkeys(point.curve for point in points))
    canvas = Canvas(
        WIDTH,
        "How the cost of a cd grows",
        "Medians with lines up to the 95th percentile, in milliseconds on a logarithmic scale.",
    )
    canvas.words(16, 27, "How the cost of a cd grows", size=16, bold=True)
    canvas.words(16, 47, "milliseconds, logarithmic; dot: median, thin line: up to the 95th percentile", "muted")
    _legend(canvas)
    top = max(spread.p95 for point in points for spread in (point.ask, point.cd) if spread is not None)
    high = 10.0 ** max(1, math.ceil(math.log10(max(top, LOW))))
    width = (WIDTH - LEFT - GAP * COLUMNS + GAP - 24) / COLUMNS
    for number, name in enumerate(names):
        row, column = divmod(number, COLUMNS)
        x, y = LEFT + column * (width + GAP), HEAD + row * (TALL + FOOT)
        _panel(canvas, [point for point in points if point.curve == name], x, y, width, high)
    canvas.height = HEAD + (TALL + FOOT) * -(-len(names) // COLUMNS) + 4
    return canvas.document()


def _legend(canvas: Canvas) -> None:
    x = WIDTH - 366
    for tone, text, room in (("mine", "zsh, added per cd", 150), ("other", "one question over the socket", 0)):
        canvas.line([(x, 43), (x + 18, 43)], tone, 2)
        canvas.dot(x + 9, 43, tone)
        canvas.words(x + 24, 47, text, "muted", size=11)
        x += room


def _panel(canvas: Canvas, points: Sequence[Point], x: float, y: float, width: float, high: float) -> None:
    canvas.words(x, y + 14, points[0].axis, bold=True)
    scale = LogScale(LOW, high, y + TALL - 6, y + 30)
    for decade in scale.decades():
        canvas.line([(x, scale(decade)), (x + width, scale(decade))], "grid")
        canvas.words(x - 6, scale(decade) + 4, f"{decade:g}", "muted", size=10, anchor="end")
    step = width / len(points)
    places = [x + step * (number + 0.5) for number in range(len(points))]
    for place, point in zip(places, points, strict=True):
        canvas.words(place, y + TALL + 10, f"{point.amount:,}", "muted", size=10, anchor="middle")
    for tone, offset, spreads in (
        ("other", -4, [point.ask for point in points]),
        ("mine", 4, [point.cd for point in points]),
    ):
        drawn = [(place + offset, spread) for place, spread in zip(places, spreads, strict=True) if spread is not None]
        canvas.line([(place, scale(spread.p50)) for place, spread in drawn], tone, 2)
        for place, spread in drawn:
            canvas.line([(place, scale(spread.p50)), (place, scale(spread.p95))], "ink", 1)
            canvas.line([(place - 3, scale(spread.p95)), (place + 3, scale(spread.p95))], "ink", 1)
            canvas.dot(place, scale(spread.p50), tone)
            label = f"{spread.p50:.2f}"
            if offset > 0:
                canvas.words(place + 6, scale(spread.p50) - 5, label, size=10, bold=True)
            else:
                canvas.words(place, scale(spread.p50) + 15, label, "muted", size=10, anchor="middle")
