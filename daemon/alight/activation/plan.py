"""The plan for one shell: decision, operations, what to show and what to watch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from alight.activation.changes import Changes, changes
from alight.activation.ownership import Decision, Surroundings, decide
from alight.activation.prompt import escaped, prompt_state, prompt_text
from alight.activation.session import Session
from alight.files.disk import Disk
from alight.model import Answer, Environment, State
from alight.text import display, display_path
from alight.wire.messages import Plan

_CONDA = ("CONDA_PREFIX", "CONDA_DEFAULT_ENV", "CONDA_PROMPT_MODIFIER", "CONDA_SHLVL")


@dataclass(frozen=True)
class Published:
    """Where news about the project appears, and what it said when the answer was made."""

    generation: bytes
    mark: str


def make_plan(
    session: Session,
    answer: Answer,
    ask: Surroundings,
    active: Environment | None,
    disk: Disk,
    published: Published,
    *,
    segment: bool,
) -> Plan:
    """The reply to a shell's question; ``active`` describes the environment the shell has on now."""
    decision = decide(session, answer, ask)
    own = answer.resolution.environment
    operations: list[bytes] = []
    if decision.dropped:
        operations += _drop(session, decision.dropped, disk)
    if decision.action == "enter" and own is not None:
        before = _before(session, decision)
        operations += _operations(changes(own, before, session.shell, disk))
    shown_active = _active_after(decision, own, active, session)
    is_own = shown_active is not None and own is not None and ask.same(shown_active.prefix, own.prefix)
    state = prompt_state(answer, shown_active, own=is_own, on=shown_active is not None)
    shown = (
        shown_active if shown_active is not None else (own if state in ("broken", "untrusted", "inactive") else None)
    )
    text = prompt_text(state, shown, own.name if own is not None else "")
    witnesses = _witnesses(session, answer)
    return Plan(
        action=decision.action,
        root=answer.resolution.root,
        prefix=_prefix(decision, own, session),
        owner=decision.owner,
        stamp=answer.stamp if decision.action == "enter" else b"",
        state=state,
        name=display(shown.name) if shown is not None else "",
        kind=shown.kind if shown is not None else "",
        python_version=shown.python_version if shown is not None else "",
        prompt=escaped(text, session.shell),
        segment=segment,
        notice=_notice(session, answer, decision, shown_active, disk),
        generation=published.generation,
        mark=published.mark,
        witness_1=witnesses[0],
        witness_2=witnesses[1],
        witness_3=witnesses[2],
        witness_4=witnesses[3],
        operations=tuple(operations),
    )


_HEADLINES: Mapping[State, str] = {
    "untrusted": "{shown} is not trusted yet; `alight allow` switches it on",
    "broken": "{shown} is broken: {why}; `alight why` tells more",
}


def notice(answer: Answer) -> str:
    """The one line for stderr, with the way out; "" when there is nothing to say."""
    environment = answer.resolution.environment
    headline = _HEADLINES.get(answer.state)
    if environment is None or headline is None:
        return ""
    why = next((finding.message for finding in environment.health if finding.severity == "error"), "")
    shown = display_path(environment.prefix, 120)
    if answer.state == "untrusted" and answer.reason:
        return display(f"alight: {shown}: {answer.reason}; `alight allow` switches it on", 200)
    return display("alight: " + headline.format(shown=shown, why=why), 200)


def _notice(session: Session, answer: Answer, decision: Decision, active: Environment | None, disk: Disk) -> str:
    if active is None:
        return "" if decision.declined else notice(answer)
    if decision.action != "keep" or decision.owner != "alight":
        return ""
    front = _in_front(session, active.prefix, disk)
    return display(f"alight: {display_path(front)} stands in front of {active.name} in PATH", 200) if front else ""


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


def _before(session: Session, decision: Decision) -> dict[str, bytes]:
    """The variables as they are after the hook undid what it must, before the new operations."""
    variables = dict(session.variables)
    gone = session.applied or decision.dropped
    if gone:
        own_entry = gone + b"/lib/pkgconfig"
        first, separator, rest = variables.get("PKG_CONFIG_PATH", b"").partition(b":")
        if first == own_entry:
            variables["PKG_CONFIG_PATH"] = rest if separator else b""
    if session.applied:
        # Undo brings back a PYTHONHOME that was set before; only the hook knows, so it is always cleared again.
        variables.setdefault("PYTHONHOME", b"?")
    return variables


def _operations(wanted: Changes) -> list[bytes]:
    return [
        *(b"set " + name.encode() + b"=" + value for name, value in wanted.set),
        *(b"unset " + name.encode() for name in wanted.unset),
        *(b"path-remove " + directory for directory in wanted.path_remove),
        *(b"path-add " + directory for directory in wanted.path_add),
        *(b"run " + file for file in wanted.run),
    ]


def _drop(session: Session, prefix: bytes, disk: Disk) -> list[bytes]:
    operations = []
    if session.variables.get("VIRTUAL_ENV") == prefix:
        operations += [b"drop VIRTUAL_ENV", b"drop VIRTUAL_ENV_PROMPT"]
    if session.variables.get("CONDA_PREFIX") == prefix:
        operations += [b"drop " + name.encode() for name in _CONDA]
    if prefix.startswith(b"/") and b":" not in prefix and not _is_shared(prefix, disk):
        operations.append(b"path-remove " + prefix + b"/bin")
    return operations


def _is_shared(prefix: bytes, disk: Disk) -> bool:
    """Whether ``bin`` is more than an environment's: VIRTUAL_ENV=/usr must not cost the user /usr/bin."""
    marks = (prefix + b"/pyvenv.cfg", prefix + b"/conda-meta")
    return disk.exists(prefix + b"/bin") and not any(disk.exists(mark) for mark in marks)


def _active_after(
    decision: Decision, own: Environment | None, active: Environment | None, session: Session
) -> Environment | None:
    match decision.action:
        case "enter" | "adopt":
            return own
        case "clean":
            return None
        case "leave":
            return active if decision.owner not in ("", "alight") and session.active else None
        case "keep":
            return active if session.active else None


def _prefix(decision: Decision, own: Environment | None, session: Session) -> bytes:
    if decision.action in ("enter", "adopt") and own is not None:
        return own.prefix
    # VIRTUAL_ENV may hold anything; the hook refuses a plan with a relative path in it.
    return session.active if decision.action == "keep" and session.active.startswith(b"/") else b""


def _witnesses(session: Session, answer: Answer) -> tuple[bytes, bytes, bytes, bytes]:
    """At most four paths whose appearance, disappearance or change may alter the answer.

    Where there is an environment these are files that rarely change for other reasons; where there is none, the
    directories in which one would appear.
    """
    resolution = answer.resolution
    environment = resolution.environment
    if environment is not None:
        wanted = [
            environment.prefix + b"/pyvenv.cfg",
            environment.interpreter,
            session.directory + b"/.venv",
            resolution.root + b"/pyproject.toml",
        ]
    else:
        # the directory's time tells of a new entry, but not of one that was empty when somebody looked
        wanted = [
            session.directory,
            session.directory + b"/.venv/pyvenv.cfg",
            *((resolution.root, resolution.root + b"/.venv/pyvenv.cfg") if resolution.root else ()),
        ]
    unique = [path for path in dict.fromkeys(wanted) if path.startswith(b"/") and b"\x1f" not in path]
    padded = [*unique[:4], b"", b"", b"", b""]
    return padded[0], padded[1], padded[2], padded[3]
