"""``alight check``: where a command would install, before it does."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from alight.cli import render
from alight.cli.options import AfterDashes, json_option
from alight.cli.place import directory_of
from alight.cli.session import Session
from alight.errors import UsageError
from alight.quoting import words_of

if TYPE_CHECKING:
    from alight.model import Install

SHELLS = ("bash", "zsh", "fish")
_VALUED = ("--shell", "--word")
BAD_NEWS = frozenset({"global", "wrong-env", "mixed"})
"""Verdicts that end the command with 1."""

_COLOURS = {"global": "yellow", "wrong-env": "yellow", "mixed": "yellow", "refused": "red", "ok": "green"}


class Dashed(AfterDashes):
    """Says what to type where the two dashes are missing, which keep COMMAND's options apart from its own."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        own, words = _parted(args)
        if words:
            typed = words_of([os.fsencode(word) for word in (*own, "--", *words)], "bash").decode("ascii")
            raise UsageError("the command goes after two dashes", f"alight check {typed}")
        return super().parse_args(ctx, args)


@click.command(cls=Dashed, options_metavar="[--json] [--shell SHELL] -- COMMAND...")
@json_option
@click.option("--shell", type=click.Choice(SHELLS), default="bash", show_default=True, help="Whose syntax a line has.")
@click.option("--word", "words", multiple=True, hidden=True, help="What the shell knows of a word.")
@click.pass_obj
def check(session: Session, as_json: bool, shell: str, words: tuple[str, ...], command: Sequence[str] | None) -> int:
    """Say where COMMAND would install, without running anything.

    One word is a line as you would type it (`alight check -- 'cd api && pip install -r requirements.txt'`); several
    words are one command as it is. The current directory and the exported variables are the caller's.

    Exit code 1 when something would land globally, in another environment than the one that belongs here, or among
    another package manager's packages; 0 otherwise, also when no installer is on the line or it cannot be known; 2
    wrong usage.
    """
    if not command or not any(command):
        raise UsageError("there is no command: it goes after two dashes", "alight check -- pip install NAME")
    from alight.wire.facts import collect_landing
    from alight.wire.requests import Check, CheckReply

    line = line_of(command, shell)
    where = directory_of(None, session.environ)
    variables = collect_landing(session.environ, line)
    request = Check(where, shell, line, variables, tuple(map(os.fsencode, words)))
    _, reply = session.read(request, CheckReply)
    if as_json:
        from alight.cli.shapes import install_shape

        render.document(
            {
                "command": render.text_of(line),
                "directory": render.text_of(where),
                "installs": [install_shape(install) for install in reply.installs],
            }
        )
    elif not reply.installs:
        render.line("nothing on this line installs packages")
    else:
        for install in reply.installs:
            _say(install, session, shell)
    return 1 if any(install.verdict in BAD_NEWS for install in reply.installs) else 0


def _parted(args: Sequence[str]) -> tuple[list[str], list[str]]:
    """(the options, the words of a command that stand in front of the dashes or without them)."""
    at = 0
    while at < len(args) and args[at].startswith("-") and args[at] != "--":
        at += 2 if args[at] in _VALUED else 1
    own, words = list(args[:at]), list(args[at:])
    if words[:1] == ["--"]:
        return own, []
    if "--" in words:
        words.remove("--")
    return own, words


def line_of(command: Sequence[str], shell: str) -> bytes:
    """The line that the words are: one is a line already, several are quoted so that they stay what they are."""
    octets = [os.fsencode(word) for word in command]
    return octets[0] if len(octets) == 1 else words_of(octets, shell)


def _say(install: Install, session: Session, shell: str) -> None:
    render.line("alight:", render.styled(install.message, fg=_COLOURS.get(install.verdict, "")))
    lines = []
    landing = install.landing
    if landing is not None:
        lines.append(("lands in", render.shown(landing.purelib or landing.prefix)))
    if install.expected is not None:
        lines.append(_expected(install, session))
    if install.confidence == "likely":
        lines.append(("probably", "a step of this is an assumption"))
    lines += [("because", render.clean(text)) for text in install.because]
    if install.instead is not None:
        lines.append(("instead", render.shown(words_of(install.instead, shell))))
    for label, text in lines:
        render.line(f"  {label:<10}", text)


def _expected(install: Install, session: Session) -> tuple[str, str]:
    """The label and the text of what was expected, with its Python and its owner where alight knows them."""
    from alight.wire.requests import AnswerReply, GetAnswer

    expected = install.expected
    assert expected is not None
    prefix = render.shown(expected.prefix)
    _, reply = session.read(GetAnswer(install.directory, session.variables), AnswerReply)
    found = reply.answer.resolution
    environment = found.environment
    if environment is not None and environment.prefix == expected.prefix:
        known = ", ".join(filter(None, (f"Python {environment.python_version}".rstrip(), environment.system)))
        return "project", f"{prefix}  ({render.clean(known)})"
    if not expected.exists:
        return "project", f"{prefix}  (not there yet)"
    return "active", prefix
