"""From an interpreter's path to its prefix, as CPython's ``getpath`` and ``site`` find it (landing rules 1.1)."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator

from alight.files.disk import Disk, join
from alight.interpreters import (
    DPKG_STATUS,
    Pool,
    base_version,
    externally_managed,
    libraries,
    pools,
    scanned_version,
)
from alight.landing.base import Context, Python
from alight.landing.names import display_name
from alight.landing.schemes import land, packages, user_site_enabled
from alight.systems import prefixes, pyvenv
from alight.systems.base import normalise

__all__ = ("display_name", "has_module", "inspect", "release_of")

PTH_LIMIT = 64
"""``.pth`` files looked at in one directory."""

RELEASES_LIMIT = 1024
"""Pythons whose release is remembered: telling it may take the reading of a large binary."""

_RELEASES: dict[tuple[bytes, bytes, bytes, int, int, int, int], str] = {}

_CARRIED = re.compile(rb"((?:python|pypy)\d+\.\d+)([a-z]*)(?:-\w+)?\Z")
_MINOR = re.compile(rb"(\d+\.\d+)")
_STANDARD = (b"lib", b"lib64")
_POOLED = (
    (b"/.pyenv/versions/", "pyenv"), (b"/pyenv/versions/", "pyenv"), (b"/uv/python/", "uv"),
    (b"/mise/installs/python/", "mise"), (b"/.asdf/installs/python/", "asdf"), (b"/hatch/pythons/", "hatch"),
)  # fmt: skip
"""Where version managers put Pythons, for those of another user or root than the shell's."""


def inspect(executable: bytes, context: Context) -> Python | None:
    """What the interpreter at this path is; None when there is none, or nothing tells where it keeps its library.

    Links are kept: a link to an environment's ``bin/python`` from elsewhere is not the environment.
    """
    written, disk = context.path(executable), context.disk
    if not disk.is_executable(written) or disk.head(written, 2) == b"#!":
        return None
    # CPython shortens the text, links or not, before it looks around.
    path = b"/" + os.path.normpath(written).lstrip(b"/")
    real = disk.realpath(path if disk.exists(path) else written)
    binaries = path.rpartition(b"/")[0]
    prefix = binaries.rpartition(b"/")[0] or b"/"
    for directory in (prefix, binaries):
        if disk.is_file(join(directory, pyvenv.CONFIG)):
            return _environment(path, prefix, directory, real, context)
    return _base(path, real, context)


def release_of(python: Python, context: Context) -> str:
    """The release as its files give it, "" when they do not.

    It is remembered for as long as the executable, and the system's list of packages, are the same.
    """
    disk = context.disk
    facts, listed = disk.stat(python.executable), disk.stat(DPKG_STATUS)
    key = None
    if facts is not None and facts.st_ino:
        changed = 0 if listed is None else listed.st_mtime_ns
        key = (python.executable, python.base, python.library, facts.st_dev, facts.st_ino, facts.st_ctime_ns, changed)
        if key in _RELEASES:
            return _RELEASES[key]
    known = base_version(python.base, python.library, disk)
    if known.count(".") < 2:
        known = scanned_version(disk.realpath(python.executable), python.minor, disk) or known
    if key is not None and known:
        if len(_RELEASES) >= RELEASES_LIMIT:
            _RELEASES.clear()
        _RELEASES[key] = known
    return known


def has_module(python: Python, module: str, context: Context) -> bool:
    """Whether ``python -m module`` finds something to run, wherever this Python looks for it."""
    name = module.encode().replace(b".", b"/")
    return any(_stands(directory, name, context.disk) for directory in _search(python, context))


def _environment(path: bytes, prefix: bytes, configured: bytes, real: bytes, context: Context) -> Python | None:
    disk = context.disk
    settings = pyvenv.read_settings(configured, disk) or {}
    home = settings.get("home", b"")
    base = _standard_library(home, _library_of(real), disk) if home.startswith(b"/") else None
    base = base or _standard_library(real.rpartition(b"/")[0], _library_of(real), disk)
    library = base[1] if base is not None else _library_of(real) or _recorded(settings, prefix, disk)
    if not library:
        return None
    system_site = settings.get("include-system-site-packages", b"true").lower() == b"true"
    root = base[0] if base is not None else b""
    return Python(path, prefix, root, library, "venv", _origin(root, path, context), system_site, managed=False)


def _base(path: bytes, real: bytes, context: Context) -> Python | None:
    disk = context.disk
    library = _library_of(real)
    found = _standard_library(real.rpartition(b"/")[0], library, disk)
    home = (context.variable("PYTHONHOME") or b"").partition(b":")[0]
    if home:
        found = (context.path(home), found[1]) if found is not None else None
    if found is None:
        return None
    prefix, library = found
    if disk.is_directory(join(prefix, prefixes.METADATA)):
        managed = externally_managed(prefix, library, disk)
        return Python(path, prefix, prefix, library, "conda", "", system_site=True, managed=managed)
    former = join(prefix, b"lib/" + library)
    if disk.is_file(join(former, b"orig-prefix.txt")):
        # virtualenv before 20 copies the interpreter and links the standard library.
        origin = (disk.read(join(former, b"orig-prefix.txt")) or b"").strip()
        alone = disk.is_file(join(former, b"no-global-site-packages.txt"))
        return Python(path, prefix, origin, library, "venv", "", system_site=not alone, managed=False)
    managed = any(disk.is_file(join(prefix, lib + b"/" + library + b"/EXTERNALLY-MANAGED")) for lib in _STANDARD)
    return Python(
        path, prefix, prefix, library, "base", _origin(prefix, path, context), system_site=True, managed=managed
    )


def _library_of(real: bytes) -> bytes:
    """``pythonX.Y`` out of the name of the file that is really started; b"" when it does not carry it."""
    match = _CARRIED.match(real.rpartition(b"/")[2])
    if match is None:
        return b""
    return match[1] + b"t" if match[2].startswith(b"t") else match[1]


def _standard_library(start: bytes, library: bytes, disk: Disk) -> tuple[bytes, bytes] | None:
    """(the prefix, the library's name) of the nearest directory upward with ``lib/pythonX.Y/os.py``."""
    directory = normalise(start)
    # CPython stops below the root directory; with a merged /usr, the library of /bin's Python seems to be there.
    while directory != b"/":
        for name in (library,) if library else libraries(directory, disk):
            for lib in _STANDARD:
                folder = join(directory, lib + b"/" + name)
                if disk.is_file(join(folder, b"os.py")) or disk.is_file(join(folder, b"os.pyc")):
                    return directory, name
        directory = directory.rpartition(b"/")[0] or b"/"
    return None


def _recorded(settings: dict[str, bytes], prefix: bytes, disk: Disk) -> bytes:
    for key in ("version", "version_info", "python-version"):
        match = _MINOR.match(settings.get(key, b""))
        if match:
            return b"python" + match[1]
    present = libraries(prefix, disk)
    return present[0] if len(present) == 1 else b""


def _origin(prefix: bytes, path: bytes, context: Context) -> str:
    """Whose Python this is, as ``model.Interpreter`` says it."""
    disk = context.disk
    pooled = pools(context.variables, context.home, context.platform)
    started = path.rpartition(b"/")[0].rpartition(b"/")[0]
    for candidate in (prefix, started):
        for pool in pooled:
            if candidate.startswith(join(pool.directory, b"")):
                return pool.origin
    if b"/Cellar/" in prefix or b"/opt/python@" in prefix:
        return "homebrew"
    for place in pooled:
        if _is_within(prefix, place, disk):
            return place.origin
    for part, origin in _POOLED:
        if part in join(prefix, b""):
            return origin
    if prefix in (b"/usr", b"/"):
        return "debian" if disk.is_file(DPKG_STATUS) else "system"
    return "local" if prefix == b"/usr/local" else ""


def _is_within(prefix: bytes, pool: Pool, disk: Disk) -> bool:
    return disk.is_directory(pool.directory) and prefix.startswith(join(disk.realpath(pool.directory), b""))


def _search(python: Python, context: Context) -> Iterator[bytes]:
    """The directories on ``sys.path``, those of ``.pth`` files included."""
    disk = context.disk
    yield from (context.path(part) for part in (context.variable("PYTHONPATH") or b"").split(b":") if part)
    for root in dict.fromkeys((python.base, python.prefix)):
        for lib in _STANDARD:
            yield join(root, lib + b"/" + python.library)
    sites = list(packages(python, context))
    if python.kind == "venv" and python.system_site and python.base:
        outer = inspect(join(python.base, b"bin/" + python.library), context)
        sites += packages(outer, context) if outer is not None else ()
    if user_site_enabled(python, context, frozenset()):
        user = land(python, context, user=True).purelib
        sites += [user] if user is not None else []
    for site in sites:
        yield site
        yield from _added(site, disk)


def _added(site: bytes, disk: Disk) -> Iterator[bytes]:
    names = sorted(name for name in disk.names(site) or () if name.endswith(b".pth"))
    for name in names[:PTH_LIMIT]:
        for line in (disk.read(join(site, name)) or b"").splitlines():
            text = line.strip()
            if text and not text.startswith((b"#", b"import ", b"import\t")) and b"\0" not in text:
                yield text if text.startswith(b"/") else join(site, text)


def _stands(directory: bytes, name: bytes, disk: Disk) -> bool:
    path = join(directory, name)
    return disk.is_file(join(path, b"__main__.py")) or disk.is_file(path + b".py")
