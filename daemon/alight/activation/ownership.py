"""Who owns the active environment, and what follows: the state machine of design section 5.

The decision is a pure function of the session, the answer and three questions about other prefixes, so that every
row of it is a unit test.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from alight.activation import interpreter, stack
from alight.activation.foreign import foreign_owner
from alight.activation.session import NO_ROOT, Session
from alight.model import Action, Answer, Owner


@dataclass(frozen=True)
class Surroundings:
    """What the decision may ask about prefixes other than the answer's."""

    same: Callable[[bytes, bytes], bool]
    """Whether two paths are one environment."""
    alive: Callable[[bytes], bool]
    """Whether a prefix still is an environment."""
    elsewhere: Callable[[bytes], bool]
    """Whether a prefix is the environment of a project other than the one the shell is in."""


@dataclass(frozen=True)
class Decision:
    """What the hook does with the active environment.

    ``dropped`` is an inherited or left-over prefix to be cleaned away, ``mended`` says that conda's broken variables
    are; ``declined`` says that the project's own environment stays off because the user said so.
    """

    action: Action
    owner: Owner
    dropped: bytes = b""
    declined: bool = False
    paused: bool = False
    mended: bool = False


@dataclass(frozen=True)
class _Wish:
    """What belongs here and can be switched on: the prefix, and whether it is to be on; None for what never is."""

    prefix: bytes | None
    wanted: bool
    held: bool
    denied: bool
    lone: bool
    """It is an interpreter: it stands on PATH and sets no variable."""


def decide(session: Session, answer: Answer, ask: Surroundings) -> Decision:
    """Choose the action for this shell at this prompt."""
    root = answer.resolution.root or NO_ROOT
    held = bool(session.declined) and session.declined == root
    paused = session.switch == "paused" and held
    if paused or session.switch == "off":
        return Decision("keep", session.owner, declined=True, paused=paused)
    wish = _wish(session, answer, held=held)
    foreign = foreign_owner(session.variables, wish.prefix)
    if foreign:
        # Also what is ours beneath it: the tool saved those values and will bring them back when it lets go.
        return Decision("keep", foreign)
    if session.applied:
        return _with_ours(session, ask, wish)
    if not stack.is_broken(session.variables):
        return _without_ours(session, ask, wish)
    decision = _without_ours(replace(session, variables=stack.without(session.variables)), ask, wish)
    if decision.action in ("enter", "clean"):
        return replace(decision, mended=True)
    # What is adopted now would be left again for the repair: the next answer adopts it.
    return replace(
        decision, action="clean", owner="user" if decision.action == "adopt" else decision.owner, mended=True
    )


def _wish(session: Session, answer: Answer, *, held: bool) -> _Wish:
    environment, denied = answer.resolution.environment, answer.state == "denied"
    if environment is not None and environment.kind != "pep582":
        return _Wish(environment.prefix, answer.state == "trusted" and not held, held, denied, lone=False)
    lone = interpreter.wanted(answer, session.variables)
    return _Wish(None if lone is None else lone.prefix, lone is not None and not held, held, denied, lone=True)


def _active(session: Session, ask: Surroundings, wish: _Wish) -> bytes:
    """What is on; conda's base only where it is what belongs here."""
    if session.active or not session.base or wish.prefix is None:
        return session.active
    return session.base if ask.same(session.base, wish.prefix) else b""


def _without_ours(session: Session, ask: Surroundings, wish: _Wish) -> Decision:
    active, own, wanted, held = _active(session, ask, wish), wish.prefix, wish.wanted, wish.held
    if not active:
        if session.owner == "user" and session.base_over and not session.first:
            # Typed over another environment: base at the first prompt is the work of a start-up file.
            return Decision("keep", "user", declined=held)
        if wanted:
            return Decision("enter", "alight", declined=held)
        return Decision("keep", "inherited" if session.base else "", declined=held)

    if session.owner == "vscode" or (session.first and session.variables.get("TERM_PROGRAM") == b"vscode"):
        return Decision("keep", "vscode")
    wanted = wanted and not (wish.lone and ask.alive(active))
    leftover = session.owner in ("direnv", "mise") or not ask.alive(active)
    own_active = own is not None and not wish.lone and ask.same(active, own)
    if session.first and not session.inside_tool_shell and not leftover:
        # A child shell has the variables but not the functions of whoever switched them on.
        leftover = (own_active and wanted and active != session.base) or (not own_active and ask.elsewhere(active))
    if leftover:
        return Decision("enter" if wanted else "clean", "alight" if wanted else "", dropped=active, declined=held)
    if active == session.base:
        # It was there before and stays when the project is left.
        return Decision("keep", "inherited", declined=held)
    if own_active and not wish.denied:
        # What is not trusted, or was declined, is on because the user said so: it stays the user's while they are here.
        return Decision("adopt", "alight" if wanted else "user", declined=held)
    return Decision("keep", "user")


def _with_ours(session: Session, ask: Surroundings, wish: _Wish) -> Decision:
    active, own = _active(session, ask, wish), wish.prefix
    is_own = own is not None and ask.same(session.applied, own)
    if not active:
        if is_own and wish.lone and wish.wanted:
            return Decision("keep", "alight")
        if session.base_over and ask.same(session.base_over, session.applied):
            # The user put base on top of ours.
            return Decision("leave", "user", declined=wish.held)
        if wish.wanted and not is_own:
            return Decision("enter", "alight")
        # The user took VIRTUAL_ENV away by other means than `deactivate`: the rest of ours goes too.
        return Decision("leave", "", declined=wish.held)
    if not ask.same(active, session.applied):
        return Decision("leave", "user")
    if not wish.wanted:
        if is_own and session.owner == "user" and not wish.denied:
            return Decision("keep", "user", declined=wish.held)
        return Decision("leave", "", declined=wish.held)
    return Decision("keep" if is_own else "enter", "alight")
