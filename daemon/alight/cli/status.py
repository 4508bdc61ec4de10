"""``alight status``: the daemon, this shell and this folder in one look."""

from __future__ import annotations

import os

import click

from alight.cli import render
from alight.cli.options import json_option
from alight.cli.place import directory_of
from alight.cli.session import Session, ask

_OWNERS = {
    "alight": "switched on by alight",
    "user": "switched on by you; alight leaves it alone",
    "inherited": "was on before this shell started",
    "": "nothing is switched on",
}
NO_ROOT = "-"
"""What a shell passes as declined where there is no project."""

_SWITCHES = {"on": "on", "off": "off until alight on", "paused": "paused until you leave this project"}


@click.command()
@click.option("--shell-owner", hidden=True, help="Who owns the active environment, as the shell knows it.")
@click.option("--shell-switch", hidden=True, help="The shell's switch: on, off or paused.")
@click.option("--shell-declined", hidden=True, help="The project root declined or paused in the shell.")
@json_option
@click.pass_obj
def status(
    session: Session,
    shell_owner: str | None,
    shell_switch: str | None,
    shell_declined: str | None,
    as_json: bool,
) -> int:
    """What the daemon, this shell and the current folder are doing, and what would help.

    The shell's part comes from alight's hook; without one it is missing.
    """
    from alight.cli.describe import answer_fields
    from alight.cli.shapes import answer_shape, daemon_shape
    from alight.wire.requests import AnswerReply, GetAnswer, GetStatus, StatusReply

    where = directory_of(None, session.environ)
    service = session.reading()
    header, answered = ask(service, GetAnswer(where, session.variables), AnswerReply)
    daemon = ask(service, GetStatus(where), StatusReply) if header.stamp.epoch else None
    hooked = any(fact is not None for fact in (shell_owner, shell_switch, shell_declined))
    owner, switch, declined = shell_owner or "", shell_switch or "on", shell_declined or None
    if declined == NO_ROOT:
        declined = None
    if as_json:
        render.document(
            {
                "daemon": None if daemon is None else daemon_shape(*daemon),
                "shell": {
                    "owner": owner,
                    "switch": switch,
                    "declined": None if declined is None else render.text_of(os.fsencode(declined)),
                }
                if hooked
                else None,
                "answer": answer_shape(answered.answer),
            }
        )
        return 0
    if daemon is None:
        fields = [render.Field("daemon", "not running; this answer was worked out without it", "yellow")]
    else:
        fields = [render.Field("daemon", f"running, pid {daemon[1].pid}, version {daemon[0].version}")]
        fields += [render.Field("degraded", reason, "yellow") for reason in daemon[1].degraded]
    doing = f"{_SWITCHES.get(switch, switch)}; {_OWNERS.get(owner, f'switched on by {owner}')}"
    fields.append(render.Field("shell", doing if hooked else "no hook here (alight init --help)"))
    if declined is not None:
        fields.append(render.Field("declined", f"{declined} (alight on takes it back)"))
    render.fields([*fields, *answer_fields(answered.answer)])
    for warning in answered.warnings:
        render.note(warning)
    return 0
