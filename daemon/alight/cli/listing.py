"""Every environment that is known, page by page; without click, since programs ask for it often."""

from __future__ import annotations

from typing import TYPE_CHECKING

from alight.cli import render
from alight.cli.render import text_of
from alight.cli.session import Session, ask
from alight.errors import AlightError

if TYPE_CHECKING:
    from alight.model import Environment, Interpreter

EMPTY_LIMIT = 3000
"""Pages in a row without an environment; each is worth about 10 ms of counting."""


def show(session: Session, *, as_json: bool) -> int:
    """Print it all, as ``alight envs`` does."""
    environments, interpreters = _everything(session)
    if as_json:
        from alight.cli.shapes import environment_shape, interpreter_shape

        render.listing(
            {
                "environments": [environment_shape(environment) for environment in environments],
                "interpreters": [interpreter_shape(interpreter) for interpreter in interpreters],
            }
        )
        return 0
    rows = [
        (environment.name, environment.python_version, environment.system, text_of(environment.prefix))
        for environment in environments
    ]
    rows += [
        ("-", interpreter.python_version, interpreter.origin, text_of(interpreter.executable))
        for interpreter in interpreters
    ]
    render.table(("name", "python", "made by", "where"), rows)
    if not rows:
        render.note("nothing is known yet; cd into a project, or make one: python3 -m venv .venv")
    return 0


def _everything(session: Session) -> tuple[list[Environment], tuple[Interpreter, ...]]:
    """All pages, one after the other, so that the daemon serves shells in between."""
    from alight.cli.place import directory_of
    from alight.cli.progress import Progress
    from alight.wire.requests import EnvironmentsReply, GetEnvironments

    directory, variables, service = directory_of(None, session.environ), session.variables, session.reading()
    found: list[Environment] = []
    interpreters: tuple[Interpreter, ...] = ()
    empty = 0
    with Progress("reading environments") as progress:
        while True:
            after = found[-1].prefix if found else b""
            _, page = ask(service, GetEnvironments(directory, variables, after), EnvironmentsReply)
            found += page.environments
            interpreters = interpreters or page.interpreters
            if not page.more:
                return found, interpreters
            empty = 0 if page.environments else empty + 1
            if empty > EMPTY_LIMIT or (page.environments and page.environments[-1].prefix <= after):
                raise AlightError("the daemon's list does not come to an end", "alight daemon restart")
            progress.update(len(found), page.total)
