"""The entry point: run one verb, turn what it raises into a message and an exit code."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from alight.cli import render
from alight.cli.session import Session, of_process
from alight.errors import AlightError, Unreachable, UsageError

if TYPE_CHECKING:
    import click

INTERRUPTED = 130


def main() -> None:
    """``alight`` as a program."""
    sys.exit(run(sys.argv[1:], of_process()))


def run(arguments: Sequence[str], session: Session) -> int:
    """Run one command line and return its exit code; everything a person reads goes through ``render``."""
    try:
        code = _invoke(list(arguments), session)
        render.flush()
    except render.OutputClosed:
        render.abandon()
        return 0
    except AlightError as error:
        if isinstance(error, render.OutputLost):
            render.abandon()
        message, *details = str(error).split("\n") if isinstance(error, Unreachable) else [str(error)]
        render.problem(message, error.remedy, details)
        return error.exit_code
    except KeyboardInterrupt:
        render.abandon()
        return INTERRUPTED
    return code


def _invoke(arguments: list[str], session: Session) -> int:
    try:
        if arguments in (["envs"], ["envs", "--json"]):
            # Editors and completions ask for this; loading click would take longer than the answer.
            from alight.cli import listing

            return listing.show(session, as_json="--json" in arguments)
        if arguments == ["daemon", "run"]:
            from alight.cli import serving  # not before: the verb `envs` needs nothing of it

            return serving.serve(session)
        return _parsed(arguments, session)
    except BrokenPipeError as error:  # from click's own help pages
        raise render.OutputClosed from error
    except OSError as error:
        raise AlightError(f"{_name(error)}: {error.strerror}", "see whether it is there and may be used") from error


def _parsed(arguments: list[str], session: Session) -> int:
    import click

    from alight.cli.group import alight

    # click's own ``main`` would turn a closed pipe into exit 1 and print errors as they are
    try:
        with alight.make_context("alight", arguments, obj=session) as context:
            result = alight.invoke(context)
    except click.exceptions.Exit as leaving:
        return leaving.exit_code
    except click.UsageError as error:
        raise UsageError(error.format_message(), _usage_of(error.ctx)) from error
    return result if isinstance(result, int) else 0


def _usage_of(context: click.Context | None) -> str:
    return f"{context.command_path} --help" if context is not None else "alight --help"


def _name(error: OSError) -> str:
    return render.text_of(os.fsencode(error.filename)) if error.filename is not None else "the system refused"
