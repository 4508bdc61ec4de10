"""Where a Python's packages go: its own scheme, the user's, or a directory that was asked for (landing rules 1.1)."""

from __future__ import annotations

import os

from alight.files.disk import join
from alight.interpreters import default_scheme
from alight.landing.base import Context, Python
from alight.landing.names import display_name
from alight.model import Interpreter, Landing, LandingKind, Scheme
from alight.text import display_path


def land(
    python: Python,
    context: Context,
    *,
    user: bool = False,
    target: bytes | None = None,
    prefix: bytes | None = None,
    root: bytes | None = None,
    local: bool = False,
) -> Landing:
    """Where packages go, with the paths of ``--target``, ``--prefix`` and ``--root`` as typed.

    ``local`` puts ``local`` behind a prefix, as Debian's own Python does for pips that ask it (before 26.3).
    """
    if target is not None:
        return _directory(python, context, _absolute(target, context), "target", root)
    if prefix is not None:
        where = _absolute(prefix, context)
        inside = b"local/lib/%s/dist-packages" if local else b"lib/%s/site-packages"
        return _directory(python, context, where, "prefix", root, inside % python.library)
    purelib, kind, scheme = _user(python, context) if user else _own(python, context)
    prefix_of = user_base(context, python) if user else python.prefix
    if root is not None:
        where = _absolute(root, context)
        return _directory(python, context, where, "root", None, purelib.lstrip(b"/"))
    name = display_path(prefix_of) if user else display_name(python, context)
    exists = context.disk.is_directory(prefix_of)
    return Landing(python.executable, prefix_of, scheme, purelib, kind, name, exists)


def packages(python: Python, context: Context) -> tuple[bytes, ...]:
    """The directories this Python itself imports packages from, the one it installs to first; no user's."""
    purelib, _, _ = _own(python, context)
    found = [purelib]
    if python.kind == "base" and python.origin == "debian":
        shared = join(python.prefix, b"lib/python3/dist-packages")
        own = join(python.prefix, b"local/lib/" + python.library + b"/dist-packages")
        found += [own, shared, join(python.prefix, b"lib/" + python.library + b"/dist-packages")]
    else:
        found.append(join(python.prefix, b"lib64/" + python.library + b"/site-packages"))
        if python.kind == "base":
            # Homebrew's and Red Hat's own places come beside the ones below the prefix.
            found.append(join(python.prefix, b"lib/" + python.library + b"/site-packages"))
    return tuple(dict.fromkeys(found))


def user_base(context: Context, python: Python | None = None) -> bytes:
    """``$PYTHONUSERBASE``, else ``~/.local``, or the Library of an Apple framework's Python."""
    chosen = context.variable("PYTHONUSERBASE")
    if chosen is not None:
        expanded = context.home + chosen[1:] if chosen == b"~" or chosen.startswith(b"~/") else chosen
        return _absolute(expanded, context)
    if python is not None and _is_framework(python, context):
        return join(context.home, b"Library/Python/" + python.minor.encode())
    return join(context.home, b".local")


def user_site_enabled(python: Python, context: Context, flags: frozenset[str]) -> bool:
    """Whether the user's site-packages count; ``flags`` are the interpreter's single-letter options."""
    if flags & {"s", "I"} or not python.system_site:
        return False
    return "E" in flags or context.variable("PYTHONNOUSERSITE") is None


def is_writable(python: Python, context: Context) -> bool:
    """Whether the caller may write where packages go: the nearest directory upward that exists decides."""
    purelib, _, _ = _own(python, context)
    return can_write(purelib, context)


def can_write(path: bytes, context: Context) -> bool:
    """The same for any path; root of a command behind ``sudo`` may."""
    if context.user is not None:
        return context.user == "root" or context.disk.uid == 0
    while path and not context.disk.exists(path):
        path = path.rpartition(b"/")[0]
    return context.disk.is_writable(path or b"/")


def _own(python: Python, context: Context) -> tuple[bytes, LandingKind, Scheme]:
    purelib = join(python.prefix, b"lib/" + python.library + b"/site-packages")
    if python.kind == "venv":
        return purelib, "venv", "venv"
    if python.kind == "conda":
        return purelib, "conda", "conda"
    if python.origin == "debian":
        if context.variable("DEB_PYTHON_INSTALL_LAYOUT") in (b"deb", b"deb_system"):
            return join(python.prefix, b"lib/python3/dist-packages"), "base", "base"
        return join(python.prefix, b"local/lib/" + python.library + b"/dist-packages"), "base", "posix_local"
    if python.prefix == b"/usr" and context.variable("RPM_BUILD_ROOT") is not None:
        return purelib, "base", "base"
    executable = join(python.prefix, b"bin/" + python.library)
    scheme = default_scheme(Interpreter(executable, python.prefix, "", python.origin), context.disk)
    return scheme.purelib, "base", "base"


def _user(python: Python, context: Context) -> tuple[bytes, LandingKind, Scheme]:
    base = user_base(context, python)
    if _is_framework(python, context):
        return join(base, b"lib/python/site-packages"), "user", "user"
    return join(base, b"lib/" + python.library + b"/site-packages"), "user", "user"


def _is_framework(python: Python, context: Context) -> bool:
    return context.platform == "darwin" and b".framework/" in context.disk.realpath(python.base or python.prefix)


def _directory(
    python: Python, context: Context, where: bytes, scheme: Scheme, root: bytes | None, inside: bytes = b""
) -> Landing:
    """A directory that was asked for; what stands around it is not looked at."""
    if root is not None:
        where = join(_absolute(root, context), where.lstrip(b"/"))
    purelib = join(where, inside) if inside else where
    disk = context.disk
    own, kind, _ = _own(python, context)
    if disk.realpath(purelib) == disk.realpath(own):
        return Landing(python.executable, python.prefix, scheme, purelib, kind, display_name(python, context))
    return Landing(
        python.executable, where, scheme, purelib, "directory", display_path(where), disk.is_directory(where)
    )


def _absolute(text: bytes, context: Context) -> bytes:
    path = os.path.normpath(context.path(text))
    return path[1:] if path.startswith(b"//") else path
