"""``alight daemon``: run, start, stop, restart, look at it, read its log."""

from __future__ import annotations

import os

import click

from alight.cli import render
from alight.cli.options import json_option
from alight.cli.serving import serve
from alight.cli.session import Session, ask
from alight.errors import BadNews, Unreachable

_ENDINGS = {
    "not-running": "no daemon was running",
    "stopped": "stopped",
    "terminated": "stopped; it did not answer and was terminated",
    "killed": "stopped; it did not answer and had to be killed",
}


@click.group(invoke_without_command=True)
@click.pass_context
def daemon(context: click.Context) -> None:
    """Start, stop and look at the daemon that answers your shells.

    You rarely need this: shells and commands start it when it is not there. It serves this user alone, over a socket
    that nobody else may open, and keeps nothing in memory that is not on disk.
    """
    if context.invoked_subcommand is None:
        render.page(context.get_help())


@daemon.command()
@click.pass_obj
def run(session: Session) -> int:
    """Be the daemon, in the foreground, until Ctrl-C; for service managers and for looking at it.

    Exit code 0 also when another one serves already.
    """
    return serve(session)


@daemon.command()
@click.pass_obj
def start(session: Session) -> int:
    """Start the daemon in the background and wait until it serves.

    Exit code 3, with the end of its log, when it does not.
    """
    _start(session)
    return 0


@daemon.command()
@click.pass_obj
def stop(session: Session) -> int:
    """Stop the daemon: ask it, then insist. Open shells stay as they are; the next prompt starts it again.

    Exit code 0 also when none was running.
    """
    _stop(session)
    return 0


@daemon.command()
@click.pass_obj
def restart(session: Session) -> int:
    """Stop the daemon if there is one, and start it again; after an upgrade, for example."""
    _stop(session)
    _start(session)
    return 0


@daemon.command()
@json_option
@click.pass_obj
def status(session: Session, as_json: bool) -> int:
    """Whether the daemon answers, and how it is. It is not started for this question.

    Exit code 3 when it does not answer.
    """
    from alight import __version__
    from alight.cli.shapes import daemon_shape
    from alight.wire.requests import GetStatus, StatusReply

    try:
        header, facts = ask(session.running(), GetStatus(), StatusReply)
    except Unreachable:
        if as_json:
            render.document(None)
        raise
    if as_json:
        render.document(daemon_shape(header, facts))
        return 0
    fields = [
        render.Field("daemon", f"running, pid {facts.pid}"),
        render.Field("version", header.version),
        render.Field("up", f"{facts.uptime_seconds:.0f} s"),
        render.Field("watching", f"{facts.watched} folders of {facts.projects} projects"),
        render.Field("clock", f"{header.stamp.generation} of {header.stamp.epoch}"),
    ]
    render.fields([*fields, *(render.Field("degraded", reason, "yellow") for reason in facts.degraded)])
    if header.version != __version__:
        render.note(f"the daemon is of version {header.version}, this command of {__version__}: alight daemon restart")
    return 0


@daemon.command()
@click.option("-n", "count", metavar="N", type=click.IntRange(min=0), default=50, show_default=True, help="Last lines.")
@click.option("-f", "--follow", is_flag=True, help="Go on with what is added, until Ctrl-C.")
@click.pass_obj
def logs(session: Session, count: int, follow: bool) -> int:
    """The end of the daemon's log. Paths in it are hashed, unless log.level is debug."""
    from alight.cli.logs import added_lines, last_lines

    file = session.places().log
    try:
        lines, position = last_lines(file, count)
    except FileNotFoundError:
        raise BadNews(f"there is no log yet: {file}", "alight daemon start") from None
    for entry in lines:
        render.line(render.shown(entry))
    if follow:
        render.flush()
        for entry in added_lines(file, position):
            render.line(render.shown(entry))
            render.flush()
    return 0


def _start(session: Session) -> None:
    from alight.lifecycle.probe import NeedsRestart
    from alight.lifecycle.start import start as start_daemon

    found = start_daemon(session.places(), os.getuid())
    render.line(f"running, pid {found.pid}, version {render.clean(found.version) or 'unknown'}")
    if isinstance(found, NeedsRestart):
        render.note("the running daemon is of another version: alight daemon restart")


def _stop(session: Session) -> None:
    from alight.lifecycle.stop import stop as stop_daemon

    render.line(_ENDINGS[stop_daemon(session.places(), os.getuid())])
