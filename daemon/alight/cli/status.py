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
    from alight.cli.describe import show_answer
    from alight.cli.shapes import answer_shape, daemon_shape
    from alight.wire.messages import AnswerReply, GetAnswer, GetStatus, StatusReply

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
    shell_line = "no hook here (alight init --help)"
    if hooked:
        shell_line = f"{_SWITCHES.get(switch, switch)}; {_OWNERS.get(owner, f'switched on by {owner}')}"
    lines = [("daemon", "not running; this answer was worked out without it")]
    if daemon is not None:
        _, facts = daemon
        lines = [("daemon", f"running, pid {facts.pid}, version {daemon[0].version}")]
        lines += [("degraded", reason) for reason in facts.degraded]
    lines.append(("shell", shell_line))
    if declined is not None:
        lines.append(("declined", f"{declined} (alight on)"))
    render.fields(lines)
    show_answer(answered.answer)
    for warning in answered.warnings:
        render.note(warning)
    return 0
