"""``alight why``: the trail that led to the answer."""

from __future__ import annotations

import click

from alight.cli import render
from alight.cli.env import BAD_NEWS
from alight.cli.options import directory_argument, json_option
from alight.cli.place import directory_of
from alight.cli.render import shown, styled
from alight.cli.session import Session

_STYLES = {"hit": "green", "miss": "white", "skipped": "blue"}


@click.command()
@directory_argument
@json_option
@click.pass_obj
def why(session: Session, directory: str | None, as_json: bool) -> int:
    """Why this environment, or why none: every rule at every level of DIR, then the answer and the next step.

    `hit` decided, `miss` looked and found nothing, `skipped` was not looked at, and why.

    Exit code 1 when there is no environment, it is missing, or it is broken.
    """
    from alight.cli.describe import answer_fields
    from alight.cli.shapes import answer_shape
    from alight.wire.requests import AnswerReply, GetAnswer

    request = GetAnswer(directory_of(directory, session.environ), session.variables, trail=True)
    _, reply = session.read(request, AnswerReply)
    answer = session.audited(reply.answer)
    if as_json:
        render.document(answer_shape(answer, trail=True))
    else:
        trail = answer.resolution.trail
        width = max((len(step.rule) for step in trail), default=0)
        for step in trail:
            render.line(
                styled(f"{step.outcome:<7}", fg=_STYLES[step.outcome]),
                render.clean(f"{step.rule:<{width}}"),
                render.clean(step.reason) + (":" if step.paths and step.reason else ""),
                ", ".join(map(shown, step.paths)),
            )
        if trail:
            render.line()
        render.fields(answer_fields(answer))
    for warning in reply.warnings:
        render.note(warning)
    return 1 if answer.state in BAD_NEWS else 0
