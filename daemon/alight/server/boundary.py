"""The one place where any exception is caught: around work done for somebody else."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TypeVar

from alight.errors import AlightError

T = TypeVar("T")


def contained(log: logging.Logger, what: str, work: Callable[[], T], otherwise: T) -> T:
    """The result of ``work``; after an unexpected exception, ``otherwise`` and a traceback in the log.

    A bug in one request, timer or event must not take the daemon, and with it every shell, along. What alight
    raises on purpose passes.
    """
    try:
        return work()
    except AlightError:
        raise
    except Exception:
        log.exception("%s failed", what)
        return otherwise
