"""Stop the daemon: ask, then insist. Gone means that the lifetime lock is free."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from typing import Literal

from alight.client import Client
from alight.errors import BadRequest, Unreachable
from alight.lifecycle.lock import holder
from alight.paths import Places
from alight.wire.requests import Stop

Ending = Literal["not-running", "stopped", "terminated", "killed"]

ASK_SECONDS = 0.5
GRACE_SECONDS = 1.5
_PAUSE_SECONDS = 0.01


def stop(places: Places, uid: int, grace: float = GRACE_SECONDS) -> Ending:
    """End the daemon of ``places`` and say how it went.

    It is asked first; one that is still there after ``grace`` seconds gets SIGTERM, then SIGKILL, by the process id
    in the lock it holds. Raises Unreachable when even that did not free the lock.
    """
    if holder(places, uid) is None:
        return "not-running"
    with contextlib.suppress(Unreachable, BadRequest):
        Client(places, ASK_SECONDS).request(Stop())
        if wait_free(places, uid, grace):
            return "stopped"
    if _insist(places, uid, signal.SIGTERM, grace):
        return "terminated"
    if _insist(places, uid, signal.SIGKILL, grace):
        return "killed"
    raise Unreachable(f"the daemon still holds {places.lock}", f"cat {places.lock}; kill -9 its first word")


def wait_free(places: Places, uid: int, seconds: float) -> bool:
    """True when nobody holds the lock within ``seconds``."""
    deadline = time.monotonic() + seconds
    while holder(places, uid) is not None:
        if time.monotonic() >= deadline:
            return False
        time.sleep(_PAUSE_SECONDS)
    return True


def _insist(places: Places, uid: int, number: signal.Signals, grace: float) -> bool:
    found = holder(places, uid)
    if found is not None and found.pid > 0:
        with contextlib.suppress(ProcessLookupError):
            os.kill(found.pid, number)
    return wait_free(places, uid, grace)
