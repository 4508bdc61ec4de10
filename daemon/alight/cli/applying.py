"""Changes of an activation, applied to a set of variables or written as shell lines, for ``exec`` and ``export``."""

from __future__ import annotations

import os
from collections.abc import Mapping

from alight.activation.changes import Changes, changes
from alight.cli.describe import next_step
from alight.cli.quoting import quote_sh
from alight.cli.render import text_of
from alight.cli.session import Session
from alight.errors import BadNews, Untrusted
from alight.model import Answer, Environment
from alight.wire.messages import AnswerReply, GetAnswer

_EDIT_PATH = b"""\
__alight_rest=$PATH: __alight_kept=
while [ -n "$__alight_rest" ]; do
  __alight_one=${__alight_rest%%:*}; __alight_rest=${__alight_rest#*:}
  [ "$__alight_one" = GONE ] || __alight_kept=$__alight_kept:$__alight_one
done
PATH=${__alight_kept#:}; unset __alight_rest __alight_kept __alight_one
"""


def changes_for(session: Session, directory: bytes) -> Changes:
    """What activation of the directory's environment changes from the caller's variables.

    Raises Untrusted without the user's consent and BadNews when there is nothing to activate.
    """
    _, reply = session.read(GetAnswer(directory, session.variables), AnswerReply)
    environment = usable(reply.answer)
    from alight.clock import SystemClock
    from alight.files.disk import Disk

    known = {os.fsdecode(name): value for name, value in session.environ.items()}
    planned = changes(environment, known, "sh", Disk(os.getuid(), SystemClock()))
    return without_effectless(planned, session.environ)


def usable(answer: Answer) -> Environment:
    """The environment of an answer that may be switched on; raises Untrusted or BadNews with the next step."""
    found = answer.resolution
    where = text_of(found.directory)
    if answer.state in ("untrusted", "denied"):
        prefix = text_of(found.environment.prefix) if found.environment is not None else where
        said = answer.reason or ("you denied it" if answer.state == "denied" else "you have not allowed it yet")
        raise Untrusted(f"{prefix} is {answer.state}: {said}", f"alight allow {text_of(quote_sh(found.directory))}")
    if found.environment is None or answer.state != "trusted":
        reasons = {"missing": "its environment is not made yet", "broken": "its environment is broken"}
        raise BadNews(f"{where}: {reasons.get(answer.state, 'no environment belongs to it')}", next_step(answer))
    return found.environment


def without_effectless(planned: Changes, environ: Mapping[bytes, bytes]) -> Changes:
    """The changes that change something: what is already so in ``environ`` is left out."""
    path = environ.get(b"PATH", b"").split(b":")
    leading = tuple(path[: len(planned.path_add)]) == planned.path_add
    return Changes(
        set=tuple((name, value) for name, value in planned.set if environ.get(name.encode()) != value),
        unset=tuple(name for name in planned.unset if name.encode() in environ),
        path_add=() if leading else planned.path_add,
        path_remove=tuple(entry for entry in planned.path_remove if entry in path),
        run=planned.run,
    )


def applied(planned: Changes, environ: Mapping[bytes, bytes]) -> dict[bytes, bytes]:
    """``environ`` after the changes; ``run`` is the caller's business."""
    result = dict(environ)
    for name in planned.unset:
        result.pop(name.encode(), None)
    result.update((name.encode(), value) for name, value in planned.set)
    former = environ.get(b"PATH", os.defpath.encode()).split(b":")
    kept = [entry for entry in former if entry not in planned.path_remove]
    result[b"PATH"] = b":".join([*planned.path_add, *kept])
    return result


def changes_shape(planned: Changes) -> dict[str, object]:
    """``export --json``."""
    return {
        "set": {name: text_of(value) for name, value in planned.set},
        "unset": list(planned.unset),
        "path_add": [text_of(entry) for entry in planned.path_add],
        "path_remove": [text_of(entry) for entry in planned.path_remove],
        "run": [text_of(file) for file in planned.run],
    }


def shell_lines(planned: Changes) -> bytes:
    """The changes as lines for any POSIX shell, in the order in which a hook applies them."""
    lines = [b"unset " + name.encode() + b"\n" for name in planned.unset]
    lines += [b"export " + name.encode() + b"=" + quote_sh(value) + b"\n" for name, value in planned.set]
    lines += [_EDIT_PATH.replace(b"GONE", quote_sh(entry)) for entry in planned.path_remove]
    if planned.path_add:
        added = quote_sh(b":".join(planned.path_add))
        lines.append(b"export PATH=" + added + b'"${PATH:+:$PATH}"\n')
    lines += [b". " + quote_sh(file) + b"\n" for file in planned.run]
    return b"".join(lines)
