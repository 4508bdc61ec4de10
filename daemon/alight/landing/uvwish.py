"""What ``--python`` and its like ask for, and whether a Python is that."""

from __future__ import annotations

from dataclasses import dataclass

from packaging.version import InvalidVersion, Version

from alight.interpreters import Request, parse
from alight.landing.base import Context, Python
from alight.landing.python import release_of
from alight.landing.uvsettings import Setting


@dataclass(frozen=True, slots=True)
class Wish:
    """What ``--python`` asks for; all fields empty for anything. ``source`` says who asks."""

    source: str = ""
    request: Request | None = None
    path: bytes | None = None
    directory: bytes | None = None
    name: bytes | None = None


def wish(setting: Setting | None, context: Context) -> Wish:
    """The meaning of a word for a Python: a version, else an existing path, else a command's name."""
    if setting is None:
        return Wish()
    text: bytes = setting.value
    if text.lower() in {b"any", b"default"}:
        return Wish(setting.source)
    request = parse(text)
    if request is not None:
        return Wish(setting.source, request)
    path = context.path(text)
    if context.disk.is_directory(path):
        return Wish(setting.source, directory=path)
    if context.disk.is_file(path) or b"/" in text:
        return Wish(setting.source, path=path)
    return Wish(setting.source, name=text)


def matches(request: Request, chosen: Python, context: Context) -> bool | None:
    """Whether a Python is what is asked for; None when its version is not known well enough."""
    name = "pypy" if chosen.library.startswith(b"pypy") else "cpython"
    if request.implementation and request.implementation != name:
        return False
    threaded = chosen.library.endswith(b"t")
    if request.free_threaded != threaded:
        return False if request.free_threaded else None
    known = full_version(chosen, context)
    if not known:
        return None
    if request.specifiers is not None:
        found = {request.specifiers.contains(one, prereleases=True) for one in _possible(known)}
        return found.pop() if len(found) == 1 else None
    if not request.version:
        return True
    if known == request.version or known.startswith(request.version + "."):
        return True
    return None if request.version.startswith(known + ".") else False


def full_version(chosen: Python, context: Context) -> str:
    """The release of a Python, X.Y alone where only that can be read, or ""."""
    known = release_of(chosen, context)
    try:
        return str(Version(known)) if known else chosen.minor
    except InvalidVersion:
        return chosen.minor


def _possible(known: str) -> tuple[str, ...]:
    return (known,) if known.count(".") >= 2 else (f"{known}.0", f"{known}.99")
