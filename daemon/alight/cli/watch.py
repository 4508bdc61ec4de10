"""``alight watch``: what happens to environments, while it happens."""

from __future__ import annotations

import contextlib
import json
import os

import click

from alight.cli import render
from alight.cli.feed import Feed
from alight.cli.following import Following, event_shape, sentence
from alight.cli.options import directory_argument, json_option
from alight.cli.place import directory_of
from alight.cli.session import Session


@click.command()
@directory_argument
@json_option
@click.pass_obj
def watch(session: Session, directory: str | None, as_json: bool) -> int:
    """What happens to environments, as it happens: made, removed, broken, upgraded, installed into, allowed.

    On a terminal the environments around DIR and the latest events, until q or Ctrl-C. Without one, or with --json,
    an event a line: {"time", "event", "root", "prefix", "message"}. DIR is watched even where no shell is; events of
    other projects are told, too, where a shell is in them.
    """
    where = directory_of(directory, session.environ)
    is_terminal = render.is_terminal()
    is_screen = not as_json and is_terminal and os.environ.get("TERM", "dumb") != "dumb"
    following = Following(session.following(), where, session.variables, past=is_screen)
    with contextlib.suppress(KeyboardInterrupt):
        if is_screen:
            from alight.cli.screen import show

            return show(session, where, following)
        return _lines(following, as_json=as_json or not is_terminal)
    return 0


def _lines(following: Following, *, as_json: bool) -> int:
    """An event a line, until the reader leaves."""
    with Feed(following) as feed:
        while feed.wait(stdout=render.descriptor()):
            for item in feed.take():
                if isinstance(item, str):
                    render.note(item)
                    continue
                for event in item:
                    shape = event_shape(event)
                    render.line(json.dumps(shape) if as_json else render.clean(sentence(shape)))
                render.flush()
    return 0
