"""``alight env``: which environment belongs to a folder."""

from __future__ import annotations

import click

from alight.cli import render
from alight.cli.options import directory_argument, json_option
from alight.cli.place import directory_of
from alight.cli.session import Session

BAD_NEWS = ("none", "missing", "broken")
"""States in which there is no environment to use: exit code 1."""


@click.command()
@directory_argument
@json_option
@click.pass_obj
def env(session: Session, directory: str | None, as_json: bool) -> int:
    """Which environment belongs to DIR, whether or not you trust it.

    Nothing in DIR is run to find out. What is switched on in this shell decides nothing here; where it gets in the way,
    that is said.

    Exit code 1 when there is none, it is missing, or it is broken.
    """
    from alight.cli.describe import answer_fields
    from alight.cli.shapes import answer_shape
    from alight.wire.requests import AnswerReply, GetAnswer

    request = GetAnswer(directory_of(directory, session.environ), session.variables)
    _, reply = session.read(request, AnswerReply)
    answer = session.audited(reply.answer)
    if as_json:
        render.document(answer_shape(answer))
    else:
        render.fields(answer_fields(answer))
    for warning in reply.warnings:
        render.note(warning)
    return 1 if answer.state in BAD_NEWS else 0
