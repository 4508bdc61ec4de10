"""Who owns the active environment, and what follows: the state machine of design section 5.

The decision is a pure function of the session, the answer and three questions about other prefixes, so that every
row of it is a unit test.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

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

    ``dropped`` is an inherited or left-over prefix to be cleaned away; ``declined`` says that the project's own
    environment stays off because the user said so.
    """

    action: Action
    owner: Owner
    dropped: bytes = b""
    declined: bool = False
    paused: bool = False


def decide(session: Session, answer: Answer, ask: Surroundings) -> Decision:
    """Choose the action for this shell at this prompt."""
    environment = answer.resolution.environment
    own = environment.prefix if environment is not None else None
    active = session.active
    root = answer.resolution.root or NO_ROOT
    held = bool(session.declined) and session.declined == root
    paused = session.switch == "paused" and held
    if paused or session.switch == "off":
        return Decision("keep", session.owner, declined=True, paused=paused)
    wanted = answer.state == "trusted" and not held

    foreign = foreign_owner(session.variables, own)
    if foreign:
        # Also what is ours beneath it: the tool saved those values and will bring them back when it lets go.
        return Decision("keep", foreign)
    if session.applied:
        return _with_ours(session, ask, own=own, wanted=wanted, held=held, denied=answer.state == "denied")
    if not active:
        return Decision("enter", "alight", declined=held) if wanted else Decision("keep", "", declined=held)

    if session.owner == "vscode" or (session.first and session.variables.get("TERM_PROGRAM") == b"vscode"):
        return Decision("keep", "vscode")
    leftover = session.owner in ("direnv", "mise") or not ask.alive(active)
    own_active = own is not None and ask.same(active, own)
    if session.first and not session.inside_tool_shell and not leftover:
        # A child shell has the variables but not the functions of whoever switched them on.
        leftover = (own_active and wanted) or (not own_active and ask.elsewhere(active))
    if leftover:
        return Decision("enter" if wanted else "clean", "alight" if wanted else "", dropped=active, declined=held)
    if own_active and answer.state != "denied":
        # What is not trusted, or was declined, is on because the user said so: it stays the user's while they are here.
        return Decision("adopt", "alight" if wanted else "user", declined=held)
    return Decision("keep", "user")


def _with_ours(
    session: Session, ask: Surroundings, *, own: bytes | None, wanted: bool, held: bool, denied: bool
) -> Decision:
    active = session.active
    if not active:
        # The user took VIRTUAL_ENV away by other means than `deactivate`: the rest of ours goes too.
        return Decision("leave", "", declined=held)
    if not ask.same(active, session.applied):
        return Decision("leave", "user")
    is_own = own is not None and ask.same(session.applied, own)
    if not wanted:
        if is_own and session.owner == "user" and not denied:
            return Decision("keep", "user", declined=held)
        return Decision("leave", "", declined=held)
    if is_own:
        return Decision("keep", "alight")
    return Decision("enter", "alight")
