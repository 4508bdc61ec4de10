"""``alight on``, ``off`` and ``pause`` without a hook: they live in the shell, and this process cannot reach it."""

from __future__ import annotations

import os

import click

from alight.cli.session import Session
from alight.errors import UsageError


def _unhooked(session: Session, verb: str) -> UsageError:
    shell = os.path.basename(os.fsdecode(session.environ.get(b"SHELL", b"")))
    lines = {
        "zsh": 'eval "$(alight init zsh)"',
        "bash": 'eval "$(alight init bash)"',
        "fish": "alight init fish | source",
    }
    return UsageError(
        f"alight {verb} works in shells with alight's hook only, and this one has none",
        f"hook it: {lines.get(shell, 'alight init zsh|bash|fish')}",
    )


@click.command()
@click.pass_obj
def on(session: Session) -> int:
    """Let alight work in this shell again, after `alight off`, `alight pause` or `deactivate`."""
    raise _unhooked(session, "on")


@click.command()
@click.pass_obj
def off(session: Session) -> int:
    """Leave the environment alight entered and do nothing more in this shell, until `alight on`."""
    raise _unhooked(session, "off")


@click.command()
@click.pass_obj
def pause(session: Session) -> int:
    """Leave the environment alight entered and do nothing more until you go to another project."""
    raise _unhooked(session, "pause")
