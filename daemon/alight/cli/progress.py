"""A progress bar on stderr for work that takes longer than a person notices; nothing anywhere else."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from types import TracebackType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.progress import Progress as Bar
    from rich.progress import TaskID

PATIENCE_SECONDS = 0.15
"""Before that a bar would only flicker, and loading what draws it takes a third of the time."""


class Progress:
    """A context manager; the bar is there from the first ``update`` after the patience ended, until the block does."""

    def __init__(self, label: str, now: Callable[[], float] = time.monotonic) -> None:
        self._label = label
        self._now = now
        self._began = now()
        self._bar: tuple[Bar, TaskID] | None = None

    def update(self, done: int, total: int) -> None:
        """So much is done; a ``total`` of 0 is not known yet."""
        if self._bar is None:
            if self._now() - self._began < PATIENCE_SECONDS or sys.stderr is None or not sys.stderr.isatty():
                return
            self._bar = self._drawn()
        bar, task = self._bar
        bar.update(task, completed=done, total=total or None)

    def _drawn(self) -> tuple[Bar, TaskID]:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
        bar = Progress(*columns, console=Console(file=sys.stderr), transient=True)
        bar.start()
        return bar, bar.add_task(self._label, total=None)

    def __enter__(self) -> Progress:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar[0].stop()
