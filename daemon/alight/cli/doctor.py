"""``alight doctor``: everything that is wrong here, and what to do about each."""

from __future__ import annotations

import os

import click

from alight.cli import render
from alight.cli.options import directory_argument, json_option
from alight.cli.place import directory_of
from alight.cli.session import Session, ask

_COLOURS = {"error": "red", "warning": "yellow", "info": "blue"}


@click.command()
@click.option("--shell-owner", hidden=True, help="Who owns the active environment, as the shell knows it.")
@click.option("--shell-switch", hidden=True, help="The shell's switch: on, off or paused.")
@click.option("--shell-declined", hidden=True, help="The project root declined or paused in the shell.")
@click.option("--shell-guard", hidden=True, help="`no` when the shell cannot ask before a line runs.")
@directory_argument
@json_option
@click.pass_obj
def doctor(
    session: Session,
    directory: str | None,
    shell_owner: str | None,
    shell_switch: str | None,
    shell_declined: str | None,
    shell_guard: str | None,
    as_json: bool,
) -> int:
    """Everything that is wrong with DIR's environment, with this shell around it, and with alight itself.

    Packages against the lock file, broken and half-made installations, two tools on one project, conda beneath a venv,
    a system CUDA before the environment's own; the daemon, the hook, other tools that switch environments on.

    Exit code 1 when there is an error or a warning.
    """
    from alight.cli.checkup import Shell, of_daemon, of_finding, of_place, of_shell
    from alight.cli.shapes import answer_shape, daemon_shape, paths_shape
    from alight.wire.requests import AnswerReply, GetAnswer, GetStatus, StatusReply

    where = directory_of(directory, session.environ)
    service = session.reading()
    header, answered = ask(service, GetAnswer(where, session.variables), AnswerReply)
    daemon = ask(service, GetStatus(where), StatusReply) if header.stamp.epoch else None
    answer = session.audited(answered.answer)
    found = answer.resolution
    health = found.environment.health if found.environment is not None else ()
    guard = shell_guard != "no"
    shell = Shell(shell_owner, shell_switch, shell_declined or None, os.isatty(0), session.environ, guard=guard)
    complaints = [
        *map(of_finding, (*health, *found.findings)),
        *of_place(answer),
        *of_shell(shell),
        *of_daemon(daemon, session.places(), os.getuid()),
    ]
    complaints.sort(key=lambda one: list(_COLOURS).index(one.severity))
    wrong = any(one.severity != "info" for one in complaints)
    if as_json:
        render.document(
            {
                "directory": render.text_of(found.directory),
                "findings": [
                    {
                        "code": one.code,
                        "severity": one.severity,
                        "message": one.message,
                        "evidence": paths_shape(one.evidence),
                    }
                    for one in complaints
                ],
                "daemon": None if daemon is None else daemon_shape(*daemon),
                "answer": answer_shape(answer),
            }
        )
        return int(wrong)
    for one in complaints:
        render.line(render.styled(f"{one.severity:<7}", fg=_COLOURS[one.severity]), render.clean(one.message))
        for path in one.evidence:
            render.line("       ", render.shown(path))
    if not wrong:
        render.line("nothing is wrong")
    for warning in answered.warnings:
        render.note(warning)
    return int(wrong)
