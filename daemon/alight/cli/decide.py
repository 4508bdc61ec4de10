"""``alight allow`` and ``alight deny``: the user's decision about a folder's environment."""

from __future__ import annotations

import click

from alight.cli import render
from alight.cli.options import directory_argument
from alight.cli.place import directory_of
from alight.cli.session import Session


@click.command()
@directory_argument
@click.pass_obj
def allow(session: Session, directory: str | None) -> int:
    """Trust the environment that `alight env` names for DIR; a hooked shell enters it at its next prompt.

    Allowed is this one environment of this one project, as it is now. If its configuration changes behind your back,
    you are asked again. Exit code 1 when there is nothing to allow, 3 without a daemon.
    """
    return _decide(session, "allow", directory)


@click.command()
@directory_argument
@click.pass_obj
def deny(session: Session, directory: str | None) -> int:
    """Never use the environment that belongs to DIR, whatever else trusts it. `alight allow` takes it back.

    Exit code 1 when there is nothing to deny, 3 without a daemon.
    """
    return _decide(session, "deny", directory)


def _decide(session: Session, decision: str, directory: str | None) -> int:
    from alight.cli.describe import next_step
    from alight.errors import BadNews
    from alight.wire.requests import AnswerReply, Decide

    where = directory_of(directory, session.environ)
    _, reply = session.decide(Decide(decision, where, session.variables), AnswerReply)
    pinned = reply.answer.resolution.environment is None and reply.message and not reply.warnings
    if pinned:
        render.line(render.clean(reply.message))
        return 0
    if reply.answer.resolution.environment is None or reply.answer.state in ("none", "missing"):
        message = reply.message or f"there is nothing to {decision} in {render.text_of(where)}"
        raise BadNews(message, next_step(reply.answer))
    wanted = {"allow": "trusted", "deny": "denied"}[decision]
    # What is broken and denied is shown as broken; the word is recorded all the same.
    if reply.answer.state != wanted and not (decision == "deny" and reply.answer.state == "broken"):
        message = reply.message or reply.answer.reason or f"the environment is {reply.answer.state}"
        raise BadNews(message, "; ".join(reply.warnings) or "alight why")
    for warning in reply.warnings:
        render.note(warning)
    render.line(render.clean(reply.message) or f"{wanted}: {render.shown(reply.answer.resolution.environment.prefix)}")
    return 0
