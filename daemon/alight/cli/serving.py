"""``alight daemon run`` without click: a daemon stays for days, and would keep all of it in memory."""

from __future__ import annotations

import gc
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from alight.cli.session import Session

GARBAGE_THRESHOLD = 20_000
"""What two hundred questions at once need for a moment is no reason to go through all that the daemon knows."""


def serve(session: Session) -> int:
    """Be the daemon until asked to stop; returns the exit code. Raises UnsafeDirectory and Unreachable."""
    # Imported here: the help page of the verb needs nothing of it.
    from alight.app import run_daemon

    gc.set_threshold(GARBAGE_THRESHOLD)
    return run_daemon(session.places(), session.settings(), foreground=sys.stderr is not None and sys.stderr.isatty())
