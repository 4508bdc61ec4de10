"""Start the daemon's parts in order and stop them in reverse, whatever happens in between."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from types import TracebackType


@dataclass(frozen=True)
class Part:
    """Something with a beginning and an end. ``stop`` is called once for each ``start`` that returned."""

    name: str
    start: Callable[[], None]
    stop: Callable[[], None]


class Service:
    """Context manager over parts: entered, all are started; left, all are stopped, last started first.

    When a start fails, the parts before it are stopped and the error is raised. A stop that fails does not keep the
    others from stopping; its error is raised at the end.
    """

    def __init__(self, parts: Sequence[Part]) -> None:
        self._parts = tuple(parts)
        self._started = ExitStack()

    def __enter__(self) -> Service:
        with ExitStack() as stack:
            for part in self._parts:
                part.start()
                stack.callback(part.stop)
            self._started = stack.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._started.__exit__(kind, error, trace)
