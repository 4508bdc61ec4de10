"""``alight envs``: everything that is known."""

from __future__ import annotations

import click

from alight.cli import listing
from alight.cli.options import json_option
from alight.cli.session import Session


@click.command()
@json_option
@click.pass_obj
def envs(session: Session, as_json: bool) -> int:
    """Every environment and every base interpreter alight knows on this machine.

    Without a terminal: one line each, separated by tabs: name, Python, maker, prefix.
    """
    return listing.show(session, as_json=as_json)
