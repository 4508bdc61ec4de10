"""Start the daemon detached, as a hook would, and wait until it serves."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping

from alight import query
from alight.errors import Unreachable
from alight.lifecycle.detach import START_LOG, Failures
from alight.lifecycle.probe import NeedsRestart, Ready, probe
from alight.paths import Places, secure

TAIL_LINES = 12
_PROCESS_SECONDS = 10.0


def start(
    places: Places,
    uid: int,
    python: str = sys.executable,
    environ: Mapping[str, str] = os.environ,
) -> Ready | NeedsRestart:
    """Return the daemon that serves afterwards, started or found.

    Raises Unreachable with the tail of the log when none does, UnsafeDirectory when the runtime directory is not
    ours alone. A person's start is not held back by earlier failures.
    """
    directory = secure(places.runtime, uid)
    try:
        Failures(directory).forget()
    finally:
        os.close(directory)
    words = [sys.executable, "-I", "-S", query.__file__, "spawn", os.fspath(places.runtime), python]
    ended = subprocess.run(  # noqa: S603 - our own interpreter and file
        words, env=dict(environ), stdin=subprocess.DEVNULL, capture_output=True, timeout=_PROCESS_SECONDS, check=False
    )
    found = probe(places)
    if isinstance(found, Ready | NeedsRestart):
        return found
    said = ended.stderr.decode("utf-8", "replace").strip()
    tail = log_tail(places)
    raise Unreachable(
        "\n".join(filter(None, ["the daemon did not start", said, tail])),
        "`alight daemon run` shows what it says; installing alight again repairs it",
    )


def log_tail(places: Places, lines: int = TAIL_LINES) -> str:
    """The last lines of what the daemon printed and logged, for a person."""
    said = _tail(os.fsencode(places.runtime) + b"/" + START_LOG, lines)
    return said or _tail(os.fsencode(places.log), lines)


def _tail(path: bytes, lines: int) -> str:
    try:
        with open(path, "rb") as file:
            file.seek(max(0, os.fstat(file.fileno()).st_size - 64 * 1024))
            text = file.read().decode("utf-8", "replace")
    except OSError:
        return ""
    return "\n".join(text.splitlines()[-lines:])
