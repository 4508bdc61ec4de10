"""``alight envs``: everything that is known."""

from __future__ import annotations

import click

from alight.cli import render
from alight.cli.options import json_option
from alight.cli.render import text_of
from alight.cli.session import Session


@click.command()
@json_option
@click.pass_obj
def envs(session: Session, as_json: bool) -> int:
    """Every environment and every base interpreter alight knows on this machine.

    Without a terminal: one line each, separated by tabs: name, Python, maker, prefix.
    """
    from alight.cli.place import directory_of
    from alight.cli.shapes import environments_shape
    from alight.wire.messages import EnvironmentsReply, GetEnvironments

    request = GetEnvironments(directory_of(None, session.environ), session.variables)
    _, reply = session.read(request, EnvironmentsReply)
    if as_json:
        render.document(environments_shape(reply))
        return 0
    rows = [
        (environment.name, environment.python_version, environment.system, text_of(environment.prefix))
        for environment in reply.environments
    ]
    rows += [
        ("-", interpreter.python_version, interpreter.origin, text_of(interpreter.executable))
        for interpreter in reply.interpreters
    ]
    render.table(("name", "python", "made by", "where"), rows)
    if not rows:
        render.note("nothing is known yet; cd into a project, or make one: python3 -m venv .venv")
    return 0
