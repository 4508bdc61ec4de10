"""``alight exec``: a command in a folder's environment."""

from __future__ import annotations

import errno
import os
import signal
from collections.abc import Sequence

import click

from alight.cli import render
from alight.cli.options import AfterDashes
from alight.cli.place import directory_of
from alight.cli.session import Session
from alight.errors import AlightError, Untrusted, UsageError

FAILED = 125
NOT_EXECUTABLE = 126
NOT_FOUND = 127
_BASHES = (b"/bin/bash", b"/usr/bin/bash", b"/usr/local/bin/bash", b"/opt/homebrew/bin/bash")


@click.command("exec", cls=AfterDashes, options_metavar="[DIR] -- COMMAND...")
@click.argument("directory", metavar="", required=False)
@click.pass_obj
def execute(session: Session, directory: str | None, command: Sequence[str] | None) -> int:
    """Run COMMAND with the environment of DIR switched on, in the current directory.

    For scripts, editors, cron and agents: no shell, no hook. Only an environment you trust is used; there is no silent
    fallback to another Python.

    Exit code: COMMAND's own. 127 it was not found, 126 it cannot be executed, 4 the environment is untrusted or denied,
    125 anything else that kept alight from running it, 2 wrong usage.
    """
    if not command or not command[0]:
        raise UsageError("the command goes after two dashes", "alight exec [DIR] -- COMMAND...")
    where = directory_of(directory, session.environ)
    try:
        from alight.cli.applying import applied, changes_for, shell_lines

        planned = changes_for(session, where)
    except (Untrusted, UsageError):
        raise
    except AlightError as error:
        render.problem(str(error), error.remedy)
        return FAILED
    except OSError as error:
        render.problem(str(error))
        return FAILED
    words = [os.fsencode(word) for word in command]
    if planned.run_first:
        # These belong to what is on now, and want to find it so.
        return replace_process(_with_hooks((), words, shell_lines(planned)), dict(session.environ))
    if planned.run:
        words = _with_hooks(planned.run, words)
    return replace_process(words, applied(planned, session.environ))


def replace_process(words: list[bytes], environ: dict[bytes, bytes]) -> int:
    """Become the command; returns a shell's exit code only when that is not possible."""
    render.flush()
    former = signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # Python ignores it, and programs inherit that
    try:
        os.execvpe(words[0], words, environ)  # noqa: S606 - no shell is meant
    except OSError as error:
        name = render.text_of(words[0])
        if error.errno in (errno.ENOENT, errno.ENOTDIR):
            render.problem(f"{name}: command not found", "it is searched in the environment's bin first, then in PATH")
            return NOT_FOUND
        render.problem(f"{name}: {error.strerror}", "it has to be an executable file with a valid first line")
        return NOT_EXECUTABLE
    finally:
        signal.signal(signal.SIGPIPE, former)


def _with_hooks(files: Sequence[bytes], words: Sequence[bytes], lines: bytes = b"") -> list[bytes]:
    """The command behind ``lines`` and the environment's activation files, which only a shell can run.

    Packages write them for bash, whatever they are called; ``conda run`` starts one, too.
    """
    from alight.quoting import quote_sh

    shell = next((path for path in _BASHES if os.access(path, os.X_OK)), b"/bin/sh")
    sourced = b"".join(b". " + quote_sh(file) + b"; " for file in files)
    return [shell, b"-c", lines + sourced + b'exec "$@"', b"alight", *words]
