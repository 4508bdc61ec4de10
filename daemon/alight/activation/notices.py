"""The one line on stderr, with the way out."""

from __future__ import annotations

from collections.abc import Mapping

from alight.activation import interpreter
from alight.activation.ownership import Decision
from alight.activation.session import Session
from alight.files.disk import Disk
from alight.model import Answer, Environment, State
from alight.text import display, display_path
from alight.trust.judge import may_be_allowed

_HEADLINES: Mapping[State, str] = {
    "untrusted": "{shown} is not trusted yet; `alight allow` switches it on",
    "broken": "{shown} is broken: {why}; `alight why` tells more",
}


def notice(answer: Answer) -> str:
    """What to say about the answer itself; "" when there is nothing to say."""
    environment = answer.resolution.environment
    headline = _HEADLINES.get(answer.state)
    # A __pypackages__ is never switched on, so there is no way out to name.
    if environment is None or headline is None or environment.kind == "pep582":
        return ""
    why = next((finding.message for finding in environment.health if finding.severity == "error"), "")
    shown = display_path(environment.prefix, 120)
    if answer.state == "untrusted" and answer.reason:
        way_out = "`alight allow` switches it on" if may_be_allowed(answer) else "it stays off as long as that is so"
        return display(f"alight: {shown}: {answer.reason}; {way_out}", 200)
    return display("alight: " + headline.format(shown=shown, why=why), 200)


def of_plan(session: Session, answer: Answer, decision: Decision, active: Environment | None, disk: Disk) -> str:
    """What to say in this shell; ``active`` is what it has on after the plan."""
    if active is None:
        if decision.declined:
            return ""
        return notice(answer) or (interpreter.notice(answer, session.variables) if decision.action == "keep" else "")
    if decision.action != "keep" or decision.owner != "alight":
        return ""
    front = _in_front(session, active.prefix, disk)
    return display(f"alight: {display_path(front)} stands in front of {active.name} in PATH", 200) if front else ""


def too_much(prefix: bytes) -> str:
    """Why a trusted environment is not switched on: a reply cannot carry everything that it wants."""
    shown = display_path(prefix, 120)
    return display(f"alight: {shown} has too many activation files and variables; `conda activate` takes them all", 200)


def _in_front(session: Session, prefix: bytes, disk: Disk) -> bytes:
    """The first directory with a ``python`` before the active environment's own in PATH, or nothing."""
    entries = session.variables.get("PATH", b"").split(b":")
    own = (session.variables.get("VIRTUAL_ENV", b"") or prefix) + b"/bin"
    if entries[:1] == [own]:
        return b""
    for entry in entries[: entries.index(own)] if own in entries else entries[:32]:
        if entry.startswith(b"/") and disk.stat(entry + b"/python") is not None:
            return entry
    return b""
