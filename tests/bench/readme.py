"""Marked blocks of the README that a command writes: ``<!-- figures:NAME -->`` to ``<!-- /figures:NAME -->``."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from bench.places import CHECKOUT

README = CHECKOUT / "README.md"
PICTURES = CHECKOUT / "docs" / "figures"


class MarksMissing(ValueError):
    """The page has no such block, or only half of its marks; the text names them."""


def refreshed(page: str, blocks: Mapping[str, str]) -> str:
    """The page with the contents of its blocks replaced. Raises MarksMissing."""
    for name, text in blocks.items():
        first, last = f"<!-- figures:{name} -->", f"<!-- /figures:{name} -->"
        before, found, rest = page.partition(first)
        _old, closed, after = rest.partition(last)
        if not found or not closed:
            raise MarksMissing(f"the page lacks {first} or {last} behind it")
        page = f"{before}{first}\n\n{text.strip()}\n\n{last}{after}"
    return page


def check(names: Iterable[str], path: Path = README) -> None:
    """Before anything is measured for these blocks. Raises OSError and MarksMissing."""
    refreshed(path.read_text(encoding="utf-8"), dict.fromkeys(names, ""))


def refresh(blocks: Mapping[str, str], path: Path = README) -> None:
    """Write the page anew. Raises OSError and MarksMissing, then without having written."""
    path.write_text(refreshed(path.read_text(encoding="utf-8"), blocks), encoding="utf-8")


def picture(name: str, svg: str, folder: Path = PICTURES) -> None:
    """Write ``docs/figures/NAME.svg``."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}.svg").write_text(svg, encoding="utf-8")
