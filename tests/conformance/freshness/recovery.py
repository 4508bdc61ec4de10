"""Does a daemon say why it may miss events, and does watching resume by itself once the reason is gone?"""

from __future__ import annotations

import os
from pathlib import Path

from alight.watch.watches import RECONCILE_SECONDS
from conformance.freshness.modes import Served
from support.until import until

NOTICED_SECONDS = 10.0

RESUMED_SECONDS = RECONCILE_SECONDS + 15.0
"""What was refused or missed is looked at again after a minute; a loaded machine may take longer."""

EVENTS = 3


def says(served: Served) -> bool:
    """Whether the status gives the reason, or none where there is none."""
    degraded = served.asks.status()[0].degraded
    return any(served.reason in one for one in degraded) if served.reason else not degraded


def notices(served: Served, folder: Path) -> bool:
    """The same within ten seconds; a shell is in the folder meanwhile, so that there is something to watch."""
    served.asks.attend(os.fsencode(folder))
    try:
        return until("the reason is said", lambda: says(served), NOTICED_SECONDS)
    except AssertionError:
        return False


def resumes(served: Served, folder: Path) -> bool:
    """Take the reason away and touch nothing else: in the end nothing is degraded, and an event is news again."""
    assert served.restore is not None
    served.restore()
    try:
        until("nothing is degraded", lambda: not served.asks.status()[0].degraded, RESUMED_SECONDS)
        served.asks.attend(os.fsencode(folder))
        for number in range(EVENTS):
            before = served.asks.status()[1]
            # Nobody asks: only an event can tell. The first may be news because the shell just came.
            (folder / ("uv.lock" if number % 2 else "poetry.lock")).write_text(str(number))
            until("the event is news", lambda before=before: served.asks.status()[1] > before, NOTICED_SECONDS)
    except AssertionError as error:
        print(f"watching does not resume: {error}; {served.asks.status()}", flush=True)
        return False
    return True
