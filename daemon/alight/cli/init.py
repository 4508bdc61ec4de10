"""``alight init``: the hook's source text for a shell's rc file."""

from __future__ import annotations

import os
import sys

import click

from alight.cli import render
from alight.cli.shellfiles import SHELLS, base_interpreter, command_path, query_client, shell_file
from alight.quoting import assignment

_HELP = """Print the hook for a shell. Add one line to its rc file:

\b
  zsh    ~/.zshrc                     eval "$(alight init zsh)"
  bash   ~/.bashrc                    eval "$(alight init bash)"
  fish   ~/.config/fish/config.fish   alight init fish | source

The line starts Python once per shell. The installer instead writes a line that does not.
"""


@click.command(help=_HELP)
@click.argument("shell", metavar="zsh|bash|fish", type=click.Choice(SHELLS))
def init(shell: str) -> int:
    """Print the hook's source text."""
    render.octets(hook_text(shell, sys.argv[0]))
    return 0


PARTS = ("alight", "guard")
"""The files of a hook, in the order they are read."""


def hook_text(shell: str, invoked: str) -> bytes:
    """Four assignments that tell the hook its programs, then the hook's files."""
    values: dict[str, str | os.PathLike[str]] = {
        "__alight_python": base_interpreter(),
        "__alight_client": query_client(),
        "__alight_command": command_path(invoked),
        "__alight_daemon_python": sys.executable,
    }
    preamble = b"".join(assignment(shell, name, os.fsencode(value)) for name, value in values.items())
    return preamble + b"\n".join(shell_file(f"{part}.{shell}").read_bytes() for part in PARTS)
