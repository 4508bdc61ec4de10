"""What can be wrong with alight itself, with this shell's part in it, and with other tools that do the same."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from alight import __version__
from alight.cli.advice import creation
from alight.cli.describe import next_step
from alight.cli.render import text_of
from alight.cli.status import NO_ROOT
from alight.errors import UnsafeDirectory
from alight.model import Answer, Finding, Severity
from alight.paths import Places, secure
from alight.wire.messages import Header
from alight.wire.requests import StatusReply

Trouble = Literal[
    "daemon-unreachable",  # nobody answers, and none could be started
    "daemon-degraded",  # it answers, but events may be missing
    "daemon-version",  # it is of another version than the command
    "runtime-unsafe",  # the runtime directory is not ours alone
    "runtime-stale",  # a socket is there and nobody behind it
    "hook-missing",  # this shell has no hook
    "hook-disabled",  # ALIGHT_DISABLE is set
    "guard-missing",  # this shell cannot ask before a line runs
    "switched-off",  # off or paused in this shell
    "declined",  # left by hand in this project
    "other-activator",  # another tool switches environments on here
    "environment-absent",  # none belongs here, or it is not made yet
    "untrusted",  # not allowed yet
    "denied",  # denied by the user
]
"""Codes of ``doctor`` beside those of ``model.Code``."""


@dataclass(frozen=True, slots=True)
class Complaint:
    """One line of ``doctor``."""

    code: str
    severity: Severity
    message: str
    evidence: tuple[bytes, ...] = ()


@dataclass(frozen=True, slots=True)
class Shell:
    """What is known of the shell: facts that the hook's ``alight`` function adds, None where it added none."""

    owner: str | None
    switch: str | None
    declined: str | None
    interactive: bool
    environ: Mapping[bytes, bytes]
    guard: bool = True


def complaint(code: Trouble, severity: Severity, message: str, *evidence: bytes) -> Complaint:
    """One of doctor's own."""
    return Complaint(code, severity, message, evidence)


def of_finding(finding: Finding) -> Complaint:
    """A finding of the answer."""
    return Complaint(finding.code, finding.severity, finding.message, finding.evidence)


def of_daemon(daemon: tuple[Header, StatusReply] | None, places: Places, uid: int) -> Iterator[Complaint]:
    """Whether it answers and how it is; ``daemon`` is None when the answer was worked out without it."""
    if daemon is None:
        yield from _alone(places, uid)
        return
    header, status = daemon
    for reason in status.degraded:
        since = f"for at most {_span(status.uptime_seconds)}, since the daemon started"
        yield complaint(
            "daemon-degraded", "warning", f"{reason} ({since}); changes show at the next prompt all the same"
        )
    if header.version != __version__:
        message = f"the daemon is of version {header.version}, this command of {__version__}; `alight daemon restart`"
        yield complaint("daemon-version", "warning", message)


def of_shell(shell: Shell) -> Iterator[Complaint]:
    """Whether the hook is there and switched on, and who else switches environments on."""
    hooked = shell.owner is not None or shell.switch is not None or b"ALIGHT_STATE" in shell.environ
    if shell.environ.get(b"ALIGHT_DISABLE", b"0") not in {b"", b"0"}:
        yield complaint(
            "hook-disabled", "warning", "ALIGHT_DISABLE is set: alight does nothing here; `unset ALIGHT_DISABLE`"
        )
    elif not hooked:
        # Scripts, editors and cron have no hook and need none.
        severity: Severity = "warning" if shell.interactive else "info"
        message = "this shell has no hook, so nothing is switched on by itself; `alight init --help` says how to add it"
        yield complaint("hook-missing", severity, message)
    if not shell.guard:
        message = "this shell has no line editor that alight can ask in: an install is not questioned before it runs"
        yield complaint("guard-missing", "info", message)
    if shell.switch in ("off", "paused"):
        yield complaint("switched-off", "info", f"alight is {shell.switch} in this shell; `alight on` takes it back")
    elif shell.declined and shell.declined != NO_ROOT:
        message = f"you left the environment of {shell.declined} by hand; `alight on` takes it back"
        yield complaint("declined", "info", message, os.fsencode(shell.declined))
    yield from _others(shell)


def of_place(answer: Answer) -> Iterator[Complaint]:
    """Whether there is an environment, and whether the user allowed it."""
    found = answer.resolution
    if answer.state in ("none", "missing"):
        what = "no environment belongs here" if answer.state == "none" else "the project has no environment yet"
        yield complaint("environment-absent", "info", f"{what}; {creation(found)}")
    elif answer.state in ("untrusted", "denied") and found.environment is not None:
        said = answer.reason or ("not trusted yet" if answer.state == "untrusted" else "denied by you")
        message = f"{text_of(found.environment.prefix)} is not switched on: {said}; {next_step(answer)}"
        yield complaint(
            "untrusted" if answer.state == "untrusted" else "denied", "info", message, found.environment.prefix
        )


def _alone(places: Places, uid: int) -> Iterator[Complaint]:
    try:
        os.close(secure(places.runtime, uid))
    except UnsafeDirectory as error:
        yield complaint("runtime-unsafe", "error", f"{error}; {error.remedy}", os.fsencode(places.runtime))
        return
    except OSError as error:
        message = (
            f"{places.runtime} cannot be made: {error.strerror}; set ALIGHT_RUNTIME_DIR to a directory of your own"
        )
        yield complaint("runtime-unsafe", "error", message, os.fsencode(places.runtime))
        return
    message = "no daemon answers and none could be started; `alight daemon start` says why"
    yield complaint("daemon-unreachable", "error", message, os.fsencode(places.log))
    socket = places.runtime / "alight.sock"
    try:
        left = stat.S_ISSOCK(os.lstat(socket).st_mode)
    except OSError:
        left = False
    if left:
        message = "the socket of a daemon that is gone or stuck is still there; `alight daemon restart` replaces it"
        yield complaint("runtime-stale", "warning", message, os.fsencode(socket))


def _others(shell: Shell) -> Iterator[Complaint]:
    from alight.activation.foreign import foreign_owner

    known = {os.fsdecode(name): value for name, value in shell.environ.items()}
    owner = shell.owner if shell.owner in ("direnv", "mise", "pyenv", "vscode") else foreign_owner(known, None)
    if owner:
        message = f"{owner} switched on what is on in this shell; alight stands down where it does"
        yield complaint("other-activator", "info", message)
    elif known.get("PYENV_VIRTUALENV_INIT"):
        message = (
            "pyenv-virtualenv switches environments on at each prompt, too; take `pyenv virtualenv-init` out of the "
            "shell's start-up file to leave that to alight"
        )
        yield complaint("other-activator", "info", message)


def _span(seconds: float) -> str:
    for size, name in ((86_400, "days"), (3_600, "hours"), (60, "minutes")):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {name}"
    return f"{seconds:.0f} seconds"
