"""Changes of an activation, applied to a set of variables or written as shell lines, for ``exec`` and ``export``."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace

from alight.activation import interpreter, stack
from alight.activation.changes import Changes
from alight.activation.operations import entering
from alight.cli.describe import next_step
from alight.cli.render import text_of
from alight.cli.session import Session
from alight.clock import SystemClock
from alight.errors import BadNews, Untrusted
from alight.files.disk import Disk
from alight.files.documents import Documents
from alight.model import Answer, Environment
from alight.quoting import quote_sh
from alight.systems.base import Facts, normalise
from alight.trust.judge import may_be_allowed
from alight.trust.pins import pinned
from alight.wire.requests import AnswerReply, GetAnswer

_EDIT_PATH = b"""\
__alight_rest=$PATH: __alight_kept=
while [ -n "$__alight_rest" ]; do
  __alight_one=${__alight_rest%%:*}; __alight_rest=${__alight_rest#*:}
  [ "$__alight_one" = GONE ] || __alight_kept=$__alight_kept:$__alight_one
done
PATH=${__alight_kept#:}; unset __alight_rest __alight_kept __alight_one
"""

_REPLACE_IN_PATH = b"""\
__alight_rest=$PATH: __alight_kept= __alight_new=%(new)s
case :$PATH: in *:%(old)s:*) ;; *) __alight_kept=:$__alight_new; __alight_new= ;; esac
while [ -n "$__alight_rest" ]; do
  __alight_one=${__alight_rest%%%%:*}; __alight_rest=${__alight_rest#*:}
  if [ "$__alight_one" != %(old)s ]; then __alight_kept=$__alight_kept:$__alight_one
  elif [ -n "$__alight_new" ]; then __alight_kept=$__alight_kept:$__alight_new; __alight_new=; fi
done
export PATH="${__alight_kept#:}"; unset __alight_rest __alight_kept __alight_one __alight_new
"""


def changes_for(session: Session, directory: bytes) -> Changes:
    """What activation of the directory's environment changes from the caller's variables.

    Raises Untrusted without the user's consent and BadNews when there is nothing to activate.
    """
    _, reply = session.read(GetAnswer(directory, session.variables), AnswerReply)
    known = {os.fsdecode(name): value for name, value in session.environ.items()}
    found = reply.answer.resolution
    lone = pinned(found) if reply.answer.stamp and found.condition == "none" else None
    if lone is not None:
        return without_effectless(interpreter.changes(lone), session.environ)
    environment = usable(reply.answer)
    if environment.kind == "conda" and known.get("CONDA_PREFIX") == environment.prefix and stack.read(known).level:
        return Changes()  # conda would only run its files again
    facts = facts_of(directory, known)
    planned = entering(environment, known, "sh", facts, root=found.root)
    planned = kept(planned, known)
    if environment.kind == "conda" and known.get("VIRTUAL_ENV"):
        # As in a hooked shell: a venv is left, not stacked upon.
        left = known["VIRTUAL_ENV"] + b"/bin"
        planned = replace(planned, unset=(*planned.unset, "VIRTUAL_ENV", "VIRTUAL_ENV_PROMPT"), path_remove=(left,))
    return without_effectless(planned, session.environ)


def facts_of(directory: bytes, known: Mapping[str, bytes]) -> Facts:
    """What the systems are asked with about the caller's environments."""
    home = normalise(known.get("HOME") or os.fsencode(os.path.expanduser("~")))
    disk = Disk(os.getuid(), SystemClock())
    return Facts(disk, known, home, directory, Documents(disk))


def usable(answer: Answer) -> Environment:
    """The environment of an answer that may be switched on; raises Untrusted or BadNews with the next step."""
    found = answer.resolution
    where = text_of(found.directory)
    if answer.state in ("untrusted", "denied"):
        prefix = text_of(found.environment.prefix) if found.environment is not None else where
        said = answer.reason or ("you denied it" if answer.state == "denied" else "you have not allowed it yet")
        allow = f"alight allow {text_of(quote_sh(found.directory))}"
        raise Untrusted(f"{prefix} is {answer.state}: {said}", allow if may_be_allowed(answer) else next_step(answer))
    if found.environment is None or answer.state != "trusted":
        reasons = {"missing": "its environment is not made yet", "broken": "its environment is broken"}
        raise BadNews(f"{where}: {reasons.get(answer.state, 'no environment belongs to it')}", next_step(answer))
    return found.environment


def kept(planned: Changes, known: Mapping[str, bytes]) -> Changes:
    """The changes with what they save as plain values, since the caller's own are known here."""
    saved = tuple((name, known[other]) for name, other in planned.save if other in known)
    return replace(planned, save=(), set=(*saved, *planned.set))


def without_effectless(planned: Changes, environ: Mapping[bytes, bytes]) -> Changes:
    """The changes that change something: what is already so in ``environ`` is left out."""
    path = environ.get(b"PATH", b"").split(b":")
    leading = tuple(path[: len(planned.path_add)]) == planned.path_add
    return replace(
        planned,
        set=tuple((name, value) for name, value in planned.set if environ.get(name.encode()) != value),
        unset=tuple(name for name in planned.unset if name.encode() in environ),
        path_add=() if leading else planned.path_add,
        path_remove=tuple(entry for entry in planned.path_remove if entry in path),
        on_leave=(),
        after_leave=(),
    )


def applied(planned: Changes, environ: Mapping[bytes, bytes]) -> dict[bytes, bytes]:
    """``environ`` after the changes; ``run`` is the caller's business."""
    result = dict(environ)
    for name in planned.unset:
        result.pop(name.encode(), None)
    result.update((name.encode(), value) for name, value in planned.set)
    former = environ.get(b"PATH", os.defpath.encode()).split(b":")
    entries = [entry for entry in former if entry not in planned.path_remove]
    for old, new in planned.path_replace:
        at = entries.index(old) if old in entries else 0
        rest = [entry for entry in entries[at:] if entry != old]
        entries = [*entries[:at], new, *rest]
    result[b"PATH"] = b":".join([*planned.path_add, *entries])
    return result


def changes_shape(planned: Changes) -> dict[str, object]:
    """``export --json``: what takes another's place in PATH is one entry removed and one added."""
    return {
        "set": {name: text_of(value) for name, value in planned.set},
        "unset": list(planned.unset),
        "path_add": [text_of(entry) for entry in (*planned.path_add, *(new for _, new in planned.path_replace))],
        "path_remove": [text_of(entry) for entry in (*planned.path_remove, *(old for old, _ in planned.path_replace))],
        "run": [text_of(file) for file in (*planned.run_first, *planned.run)],
    }


def shell_lines(planned: Changes) -> bytes:
    """The changes as lines for any POSIX shell, in the order in which a hook applies them."""
    lines = [b". " + quote_sh(file) + b"\n" for file in planned.run_first]
    lines += [b"unset " + name.encode() + b"\n" for name in planned.unset]
    lines += [b"export " + name.encode() + b"=" + quote_sh(value) + b"\n" for name, value in planned.set]
    lines += [_EDIT_PATH.replace(b"GONE", quote_sh(entry)) for entry in planned.path_remove]
    for old, new in planned.path_replace:
        lines.append(_REPLACE_IN_PATH % {b"old": quote_sh(old), b"new": quote_sh(new)})
    if planned.path_add:
        added = quote_sh(b":".join(planned.path_add))
        lines.append(b"export PATH=" + added + b'"${PATH:+:$PATH}"\n')
    lines += [b". " + quote_sh(file) + b"\n" for file in planned.run]
    return b"".join(lines)
