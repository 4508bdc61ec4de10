"""The plan for one shell: decision, operations, what to show and what to watch."""

from __future__ import annotations

from dataclasses import dataclass, replace

from alight.activation import interpreter, notices, operations
from alight.activation.notices import notice
from alight.activation.ownership import Decision, Surroundings, decide
from alight.activation.prompt import escaped, prompt_state, prompt_text
from alight.activation.session import Session
from alight.activation.witnesses import witnesses
from alight.files.disk import Disk
from alight.files.documents import Documents
from alight.model import Answer, Environment, Interpreter
from alight.systems.base import Facts, normalise
from alight.text import display
from alight.wire.messages import Plan

__all__ = ["Published", "facts_of", "make_plan", "notice"]


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
    wrapper: bool = False,
) -> Plan:
    """The reply to a shell's question; ``active`` describes the environment the shell has on now.

    ``wrapper`` says that virtualenvwrapper's hooks are wanted.
    """
    facts = facts_of(session, disk)
    decision, todo, hindrance = _decided(session, answer, ask, facts, wrapper=wrapper)
    own = answer.resolution.environment
    if own is not None and session.base and ask.same(session.base, own.prefix):
        # Base is merely there, except where it is what belongs here.
        active = own
    on = active if session.active or (active is own and own is not None and session.base) else None
    shown_active = _active_after(decision, own, on)
    is_own = shown_active is not None and own is not None and ask.same(shown_active.prefix, own.prefix)
    state = prompt_state(answer, shown_active, own=is_own, on=shown_active is not None)
    shown = (
        shown_active if shown_active is not None else (own if state in ("broken", "untrusted", "inactive") else None)
    )
    lone = None if shown is not None else _lone(session, answer, decision)
    text = prompt_text(state, shown, own.name if own is not None else "")
    watched = witnesses(session, answer)
    return Plan(
        action=decision.action,
        root=answer.resolution.root,
        prefix=_prefix(decision, own, lone, session),
        owner=decision.owner,
        # What is adopted has files to run on the way out, and they must not be newer than this.
        stamp=answer.stamp if decision.action in ("enter", "adopt") and decision.owner == "alight" else b"",
        state=state,
        name=display(shown.name) if shown is not None else "",
        kind=shown.kind if shown is not None else "",
        python_version=shown.python_version if shown is not None else lone.python_version if lone is not None else "",
        prompt=escaped(text, session.shell),
        segment=segment,
        notice=hindrance or notices.of_plan(session, answer, decision, shown_active, disk),
        generation=published.generation,
        mark=published.mark,
        witness_1=watched[0],
        witness_2=watched[1],
        witness_3=watched[2],
        witness_4=watched[3],
        operations=todo,
    )


def facts_of(session: Session, disk: Disk) -> Facts:
    """What the systems are asked with about this shell's environments."""
    home = normalise(session.variables.get("HOME", b"/"))
    return Facts(disk, session.variables, home, session.directory, Documents(disk))


def _decided(
    session: Session, answer: Answer, ask: Surroundings, facts: Facts, *, wrapper: bool
) -> tuple[Decision, tuple[bytes, ...], str]:
    """The decision as far as it can be carried out, its operations, and what to say about the rest."""
    decision = decide(session, answer, ask)
    if operations.cannot_follow(session, answer, decision):
        # It is entered at the next prompt, when the shell tells what came to light.
        decision = replace(decision, action="leave" if session.applied else "clean", owner="")
    todo = operations.of_plan(session, answer, decision, facts, wrapper=wrapper)
    environment = answer.resolution.environment
    if operations.fits(todo) or environment is None:
        return decision, todo, ""
    if decision.action != "enter":
        return decision, (), ""
    decision = replace(
        decision, action="leave" if session.applied else "clean" if decision.dropped else "keep", owner=""
    )
    todo = operations.of_plan(session, answer, decision, facts, wrapper=wrapper)
    return decision, todo, notices.too_much(environment.prefix)


def _lone(session: Session, answer: Answer, decision: Decision) -> Interpreter | None:
    """The interpreter that is on PATH after the plan."""
    stays = decision.action == "keep" and not session.active
    if decision.owner != "alight" or not (stays or decision.action == "enter"):
        return None
    return interpreter.wanted(answer, session.variables)


def _active_after(decision: Decision, own: Environment | None, active: Environment | None) -> Environment | None:
    match decision.action:
        case "enter" | "adopt":
            return own
        case "clean":
            return active if decision.mended and decision.owner == "user" else None
        case "leave":
            return active if decision.owner not in ("", "alight") else None
        case "keep":
            return active


def _prefix(decision: Decision, own: Environment | None, lone: Interpreter | None, session: Session) -> bytes:
    if decision.action in ("enter", "adopt") and own is not None:
        return own.prefix
    if lone is not None:
        return lone.prefix
    # VIRTUAL_ENV may hold anything; the hook refuses a plan with a relative path in it.
    return session.active if decision.action == "keep" and session.active.startswith(b"/") else b""
