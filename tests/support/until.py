"""The only waiting tool of the tests."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def until(what: str, condition: Callable[[], T | None], deadline: float = 5.0) -> T:
    """Return the first true value of ``condition``; fail with ``what must become true`` after ``deadline`` seconds."""
    end = time.monotonic() + deadline
    pause = 0.002
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() >= end:
            raise AssertionError(f"not within {deadline:g} s: {what}")
        time.sleep(pause)
        pause = min(pause * 1.5, 0.05)
