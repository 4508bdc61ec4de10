"""Where a Python imports packages from, in its order (landing rules 1.1; ``site.py``)."""

from __future__ import annotations

import re

from alight.files.disk import join
from alight.landing import schemes
from alight.landing.base import Context, Python
from alight.landing.python import inspect

NO_FLAGS: frozenset[str] = frozenset()

_VERSION = re.compile(rb"""^__version__\s*=\s*['"](\d+)\.(\d+)""", re.MULTILINE)


def search_path(python: Python, context: Context) -> tuple[bytes, ...]:
    """The directories a package is looked for in: PYTHONPATH, then an environment's own, the user's, the base's."""
    found = [context.path(part) for part in (context.variable("PYTHONPATH") or b"").split(b":") if part]
    if python.kind == "venv":
        found += schemes.packages(python, context)
    if schemes.user_site_enabled(python, context, NO_FLAGS):
        user = schemes.land(python, context, user=True).purelib
        found += [user] if user is not None else []
    if python.kind != "venv":
        found += schemes.packages(python, context)
    elif python.system_site and python.base:
        base = inspect(join(python.base, b"bin/" + python.library), context)
        found += schemes.packages(base, context) if base is not None else ()
    return tuple(dict.fromkeys(found))


def pip_release(python: Python, context: Context) -> tuple[bytes, tuple[int, int] | None] | None:
    """The package directory of the pip that this Python imports and its release, None where that cannot be read."""
    for directory in search_path(python, context):
        package = join(directory, b"pip")
        text = context.disk.read(join(package, b"__init__.py"))
        if text is not None:
            found = _VERSION.search(text)
            return package, (int(found[1][:4]), int(found[2][:4])) if found else None
        if context.disk.exists(join(package, b"__init__.py")):
            return package, None
    return None
