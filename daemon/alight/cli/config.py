"""``alight config``: every setting, its value, and who set it."""

from __future__ import annotations

import json
import os

import click

from alight.cli import render
from alight.cli.options import json_option
from alight.cli.session import Session


@click.command()
@click.option("--path", "only_path", is_flag=True, help="Print where config.toml is, or would be.")
@json_option
@click.pass_obj
def config(session: Session, only_path: bool, as_json: bool) -> int:
    """Every setting, its value, and where it comes from: environment, file, or default.

    Settings are changed in config.toml, or for one shell by the variable named beside each.
    Exit code 2 when config.toml cannot be used as it is.
    """
    file = session.places().config_file
    if only_path and not as_json:
        render.octets(os.fsencode(file) + b"\n")
        return 0
    known = session.settings().all()
    if as_json:
        settings = [
            {
                "key": setting.option.key,
                "value": setting.value,
                "source": setting.source,
                "variable": setting.option.variable,
            }
            for setting in known
        ]
        render.document({"path": render.text_of(os.fsencode(file)), "settings": settings})
        return 0
    render.table(
        ("setting", "value", "from", "variable"),
        [(one.option.key, _written(one.value), one.source, one.option.variable) for one in known],
    )
    return 0


def _written(value: str | bool) -> str:
    """A value as config.toml spells it."""
    return json.dumps(value)
