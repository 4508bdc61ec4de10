"""A small SVG writer: rectangles, lines and words in a handful of classes whose colours follow the reader's mode.

The picture brings its own background, so that it reads the same where the mode is not known.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from xml.sax.saxutils import escape

LIGHT = {
    "back": "#ffffff",
    "ink": "#1f2328",
    "muted": "#59636e",
    "grid": "#d8dee4",
    "mine": "#0969da",
    "other": "#9aa4af",
}
DARK = {
    "back": "#0d1117",
    "ink": "#f0f6fc",
    "muted": "#9198a1",
    "grid": "#2f353d",
    "mine": "#4493f8",
    "other": "#6e7681",
}
FONT = "ui-sans-serif, system-ui, -apple-system, 'Segoe UI', 'DejaVu Sans', Arial, sans-serif"


@dataclass
class Canvas:
    """Elements in the order they are drawn. A ``tone`` is a key of ``LIGHT``."""

    width: float
    title: str
    description: str
    height: float = 0.0
    _elements: list[str] = field(default_factory=list)

    def rectangle(self, x: float, y: float, width: float, height: float, tone: str) -> None:
        """A filled one."""
        self._elements.append(
            f'<rect class="{tone}" x="{x:.1f}" y="{y:.1f}" width="{max(width, 0):.1f}" height="{height:.1f}" rx="1.5"/>'
        )

    def line(self, points: Sequence[tuple[float, float]], tone: str, width: float = 1.0) -> None:
        """A line through the points."""
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
        self._elements.append(f'<polyline class="{tone}-line" stroke-width="{width:g}" points="{path}"/>')

    def dot(self, x: float, y: float, tone: str) -> None:
        """A small filled circle."""
        self._elements.append(f'<circle class="{tone}" cx="{x:.1f}" cy="{y:.1f}" r="3"/>')

    def words(
        self,
        x: float,
        y: float,
        text: str,
        tone: str = "ink",
        *,
        size: int = 12,
        anchor: str = "start",
        bold: bool = False,
    ) -> None:
        """Text whose base line is at ``y``."""
        weight = ' font-weight="600"' if bold else ""
        self._elements.append(
            f'<text class="{tone}" x="{x:.1f}" y="{y:.1f}" font-size="{size}" text-anchor="{anchor}"{weight}>'
            f"{escape(text)}</text>"
        )

    def document(self) -> str:
        """The whole picture."""
        box = f"0 0 {self.width:.0f} {self.height:.0f}"
        size = f'width="{self.width:.0f}" height="{self.height:.0f}"'
        lines = [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="{box}" {size} role="img" font-family="{FONT}">',
            f"<title>{escape(self.title)}</title>",
            f"<desc>{escape(self.description)}</desc>",
            f"<style>{_rules(LIGHT)}@media (prefers-color-scheme: dark) {{{_rules(DARK)}}}</style>",
            f'<rect class="back" width="{self.width:.0f}" height="{self.height:.0f}"/>',
            *self._elements,
            "</svg>",
        ]
        return "\n".join(lines) + "\n"


@dataclass(frozen=True)
class LogScale:
    """Values from ``low`` to ``high`` on a stretch from ``start`` to ``end``; what lies outside is at the edge."""

    low: float
    high: float
    start: float
    end: float

    def __call__(self, value: float) -> float:
        share = math.log(min(max(value, self.low), self.high) / self.low) / math.log(self.high / self.low)
        return self.start + share * (self.end - self.start)

    def decades(self) -> list[float]:
        """Powers of ten on the scale, edges included."""
        first, last = math.ceil(math.log10(self.low) - 1e-9), math.floor(math.log10(self.high) + 1e-9)
        return [10.0**number for number in range(first, last + 1)]


def _rules(tones: dict[str, str]) -> str:
    return "".join(
        f".{tone}{{fill:{colour}}}.{tone}-line{{stroke:{colour};fill:none}}" for tone, colour in tones.items()
    )
