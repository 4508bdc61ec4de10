"""The DIR argument: an absolute directory, spelled the way the user's shell spells it."""

from __future__ import annotations

import os
from collections.abc import Mapping

from alight.cli.render import text_of
from alight.errors import UsageError


def directory_of(argument: str | None, environ: Mapping[bytes, bytes]) -> bytes:
    """The directory a verb is asked about.

    Without an argument the logical ``$PWD`` where it is the current directory, else ``getcwd``. ``..`` goes the way
    ``cd`` goes, unless that leads elsewhere than the kernel would. Raises UsageError for what is no directory.
    """
    if argument is None:
        return _current(environ)
    given = os.fsencode(argument)
    if not given:
        raise UsageError("DIR is empty", "name a directory, or leave it out for the current one")
    joined = given if given.startswith(b"/") else os.path.join(_current(environ), given)
    if not os.path.isdir(joined):
        what = "is not a directory" if os.path.lexists(joined) else "does not exist"
        raise UsageError(f"{text_of(given)} {what}", "DIR is an existing directory")
    logical = b"/" + os.path.normpath(joined).lstrip(b"/")
    return logical if _same(logical, joined) else os.path.realpath(joined)


def _current(environ: Mapping[bytes, bytes]) -> bytes:
    try:
        physical = os.getcwdb()
    except FileNotFoundError:
        raise UsageError("the current directory no longer exists", "cd to one that does") from None
    logical = environ.get(b"PWD", b"")
    plain = logical.startswith(b"/") and not {b".", b".."} & set(logical.split(b"/"))
    return logical if plain and _same(logical, physical) else physical


def _same(one: bytes, other: bytes) -> bool:
    try:
        return os.path.samefile(one, other)
    except OSError:
        return False
