"""``alight export``: what activation would change from the caller's exported environment."""

from __future__ import annotations

import click

from alight.cli import render
from alight.cli.options import directory_argument, json_option
from alight.cli.place import directory_of
from alight.cli.session import Session


@click.command()
@directory_argument
@json_option
@click.pass_obj
def export(session: Session, directory: str | None, as_json: bool) -> int:
    """What switching on DIR's environment changes from the variables you have now, as POSIX shell lines.

    For scripts:  eval "$(alight export)"

    Exit code 4 when the environment is untrusted or denied, 1 when there is none to use; nothing is printed then.
    """
    from alight.cli.applying import changes_for, changes_shape, shell_lines

    found = changes_for(session, directory_of(directory, session.environ))
    if as_json:
        render.document(changes_shape(found))
    else:
        render.octets(shell_lines(found))
    return 0
