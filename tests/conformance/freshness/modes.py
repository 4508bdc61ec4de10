"""What may keep a daemon from hearing of changes, each as a daemon that it happens to."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from alight.server.gap import GAP_SECONDS
from alight.server.reading import PERIOD_SECONDS
from conformance.freshness.asker import Asker, Asks, Elsewhere
from support.daemon import SOURCES, DaemonInstance
from support.landscape import Landscape
from support.tools import clean_environment

QUEUE_FILE = "/proc/sys/fs/inotify/max_queued_events"
WATCHES = 24
"""What the user namespace of the mode `exhausted` allows: less than the pools alone."""

LAUNCH = ("-m", "conformance.freshness.launch", "daemon", "run")
PASSTHROUGH = ("-m", "conformance.freshness.passthrough")


@dataclass
class Served:
    """A daemon under test, who asks it, and what is done before and after a batch of changes.

    ``reason`` is part of why it says that it may miss events, empty where it may not. ``restore`` takes the reason
    away, None where it stays; with an ``outage``, so many seconds have to pass between ``before`` and ``after`` to be
    noticed as one.
    """

    asks: Asks
    before: Callable[[], None] = lambda: None
    after: Callable[[], None] = lambda: None
    reason: str = ""
    restore: Callable[[], None] | None = None
    outage: float = 0.0


class Impossible(Exception):
    """The mode is not possible on this machine; the text says what is missing."""


@contextmanager
def plain(land: Landscape, **more: str) -> Iterator[Served]:
    """Watching is on, unless the variables say otherwise."""
    environ = _environ(land, **more)
    with DaemonInstance(LAUNCH, environ) as daemon, _asker(daemon, land) as asker:
        yield Served(asker, restore=_nothing)


@contextmanager
def off(land: Landscape) -> Iterator[Served]:
    """Watching is switched off."""
    with plain(land, ALIGHT_WATCH="false") as served:
        served.reason, served.restore = "switched off", None
        yield served


@contextmanager
def suspend(land: Landscape) -> Iterator[Served]:
    """The daemon is stopped while things change, as by a lid that is closed."""
    with DaemonInstance(LAUNCH, _environ(land)) as daemon, _asker(daemon, land) as asker:
        yield Served(
            asker,
            lambda: daemon.signal(signal.SIGSTOP),
            lambda: daemon.signal(signal.SIGCONT),
            "alight was stopped",
            _nothing,
            GAP_SECONDS + 2 * PERIOD_SECONDS,
        )


@contextmanager
def overflow(land: Landscape) -> Iterator[Served]:
    """More happens than the kernel keeps for a daemon that does not come to read it."""
    limit = int(Path(QUEUE_FILE).read_text())
    noisy = land.bare[0]

    def after() -> None:
        one, other = noisy / "one", noisy / "other"
        one.touch()
        for _ in range(limit // 4 + 1):  # two renames, two events each
            one.rename(other)
            other.rename(one)
        daemon.signal(signal.SIGCONT)

    def before() -> None:
        # It is watched because somebody asked about it.
        noisy.mkdir(parents=True, exist_ok=True)
        asker.attend(os.fsencode(noisy))
        daemon.signal(signal.SIGSTOP)

    with DaemonInstance(LAUNCH, _environ(land)) as daemon, _asker(daemon, land) as asker:
        yield Served(asker, before, after, "the kernel dropped some", _nothing)


@contextmanager
def exhausted(land: Landscape) -> Iterator[Served]:
    """A user namespace whose own limit of watches is used up; the machine's is not touched."""
    limit = "/proc/sys/user/max_inotify_watches"
    script = f'echo {WATCHES} > {limit} && [ "$(cat {limit})" = {WATCHES} ] && exec "$@"'
    unshare = ["unshare", "--user", "--map-root-user"] if os.getuid() == 0 else ["unshare", "--user", "--map-user=0"]
    words = [*unshare, "sh", "-c", script, "sh"]
    _require([*words, "true"], "user namespaces with limits of their own")
    python = _script(land, "limited-python", f'exec {_quoted(words)} {_quoted([sys.executable])} "$@"\n')
    with DaemonInstance(LAUNCH, _environ(land), python=python) as daemon, _asker(daemon, land) as asker:
        inside = ["nsenter", "--user", "--preserve-credentials", "--target", str(daemon.process.pid)]
        more = [*inside, "sh", "-c", f"echo {1000 * WATCHES} > {limit}"]
        yield Served(asker, reason="limit is reached", restore=lambda: _run(more))


@contextmanager
def network(land: Landscape) -> Iterator[Served]:
    """The projects lie on a FUSE file system; what is changed there is changed behind its back."""
    code = land.home / "code"
    unshare = ["unshare", "--user", "--map-root-user", "--mount"]
    python = f"PYTHONPATH={SOURCES / 'daemon'}:{SOURCES / 'tests'}"
    mounted = [*unshare, "env", python, sys.executable, *PASSTHROUGH, str(code)]
    _require([*mounted, "test", "-d", str(code)], "FUSE in a user namespace")
    environ = _environ(land)
    script = _script(land, "mounted-python", f'exec {_quoted(mounted)} {_quoted([sys.executable])} "$@"\n')
    with DaemonInstance(LAUNCH, environ, python=script) as daemon, _asker(daemon, land) as near:
        asker = Elsewhere(mounted, daemon.environ, near)
        try:
            inside = ["nsenter", "--user", "--mount", "--preserve-credentials", "--target", str(daemon.process.pid)]
            unmount = [*inside, "umount", "--lazy", str(code)]
            yield Served(asker, reason="is a network disk (fuse.sshfs)", restore=lambda: _run(unmount))
        finally:
            asker.close()


MODES: Mapping[str, Callable[[Landscape], object]] = {
    "on": plain,
    "off": off,
    "overflow": overflow,
    "exhausted": exhausted,
    "suspend": suspend,
    "network": network,
}


def _environ(land: Landscape, **more: str) -> dict[str, str]:
    runtime = land.home.parent / "r"
    return clean_environment(land.home, ALIGHT_RUNTIME_DIR=str(runtime), **more)


def _asker(daemon: DaemonInstance, land: Landscape) -> closing[Asker]:
    return closing(Asker(daemon.places(), os.fsencode(land.home)))


def _nothing() -> None:
    """Nothing has to be done."""


def _run(words: list[str]) -> None:
    subprocess.run(words, check=True)


def _require(words: list[str], what: str) -> None:
    if shutil.which(words[0]) is None or subprocess.run(words, capture_output=True, check=False).returncode != 0:
        raise Impossible(f"this machine does not offer {what}")


def _script(land: Landscape, name: str, text: str) -> str:
    path = land.home.parent / name
    path.write_text(f"#!/bin/sh\n{text}")
    path.chmod(0o700)
    return str(path)


def _quoted(words: list[str]) -> str:
    return " ".join("'" + word.replace("'", "'\\''") + "'" for word in words)
