"""The base Pythons that are there (discovery rules 1.9, 1.12).

``/usr/bin/python3`` on macOS opens an install dialog and pyenv's shims are scripts: reading is not only safer.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping

from alight.files.disk import Disk, join
from alight.interpreters.places import (
    APPLE_FRAMEWORK,
    DEVELOPER_LINK,
    HOMEBREW,
    Pool,
    absolute,
    pools,
    pyenv_root,
)
from alight.interpreters.request import newest, parse
from alight.interpreters.version import (
    DPKG_STATUS,
    base_version,
    directory_version,
    externally_managed,
    libraries,
    minor_of,
    scanned_version,
)
from alight.model import Interpreter

POOL_LIMIT = 256
"""Installations looked at in one directory."""

INNER = (b"", b"install", b"python", b"python/install")
"""Where below an installation's own directory the prefix is: standalone builds of older releases, and Hatch's."""


def list_interpreters(
    disk: Disk, overrides: Mapping[str, bytes], home: bytes, platform: str = sys.platform, root: bytes = b""
) -> tuple[Interpreter, ...]:
    """Every base Python that can be found, each real prefix and version once.

    ``root`` is put before the system's own directories, for a system that is mounted somewhere.
    """
    found: dict[tuple[bytes, str], Interpreter] = {}
    for interpreter in _candidates(disk, overrides, home, platform, root):
        minor = ".".join(interpreter.python_version.split(".")[:2])
        found.setdefault((disk.realpath(interpreter.prefix), minor), interpreter)
    return tuple(found.values())


def find_interpreter(
    request: bytes, disk: Disk, overrides: Mapping[str, bytes], home: bytes, prefer: str = ""
) -> Interpreter | None:
    """The base Python that one word of a version file asks for, or None: newest match, those of ``prefer`` first.

    The exact name of one of pyenv's is that one, whatever else is newer.
    """
    wanted = parse(request)
    if wanted is None:
        return None
    exact = whole(join(join(pyenv_root(overrides, home), b"versions"), request.removeprefix(b"python-")), "pyenv", disk)
    if exact is not None and prefer in {"", "pyenv"}:
        return exact
    return newest(tuple(filter(wanted.allows, list_interpreters(disk, overrides, home))), prefer)


def whole(prefix: bytes, origin: str, disk: Disk) -> Interpreter | None:
    """The newest base Python at ``prefix``; None for an environment and for everything else."""
    if disk.exists(join(prefix, b"pyvenv.cfg")):
        return None
    for library in libraries(prefix, disk):
        found = _interpreter(prefix, library, origin, disk)
        if found is not None:
            return found
    return None


def pooled(pool: Pool, disk: Disk) -> Iterator[Interpreter]:
    """The Pythons of one pool; links among them are second names."""
    for name in sorted(disk.names(pool.directory) or ())[:POOL_LIMIT]:
        path = join(pool.directory, name)
        if disk.readlink(path) is not None:
            continue
        for inner in INNER if pool.origin in {"hatch", "poetry", "pdm"} else (b"",):
            found = whole(join(path, inner) if inner else path, pool.origin, disk)
            if found is not None:
                yield found
                break


def _candidates(
    disk: Disk, overrides: Mapping[str, bytes], home: bytes, platform: str, root: bytes
) -> Iterator[Interpreter]:
    for pool in pools(overrides, home, platform):
        own = pool.origin in {"python.org", "commandlinetools", "xcode"}
        yield from pooled(Pool(root + pool.directory, pool.origin) if own else pool, disk)
    if platform == "darwin":
        developer = disk.readlink(root + DEVELOPER_LINK)
        if developer is not None and developer.startswith(b"/"):
            yield from pooled(Pool(root + join(developer, APPLE_FRAMEWORK), "xcode"), disk)
    brews = [root + brew for brew in HOMEBREW]
    for brew in dict.fromkeys((*brews, absolute(overrides, "HOMEBREW_PREFIX"))):
        if brew is not None:
            yield from _brewed(brew, disk)
    if platform != "darwin":
        # On macOS /usr/bin/python3 is a stub, and what it starts was listed above.
        origin = "debian" if disk.is_file(root + DPKG_STATUS) else "system"
        yield from _shared(root + b"/usr", origin, disk)
    yield from _shared(root + b"/usr/local", "local", disk)


def _shared(prefix: bytes, origin: str, disk: Disk) -> Iterator[Interpreter]:
    for library in libraries(prefix, disk):
        found = _interpreter(prefix, library, origin, disk)
        # /usr/local may hold another's links (Homebrew's or python.org's) and a bare dist-packages directory.
        if found is not None and not _is_foreign(disk.realpath(found.executable)):
            yield found


def _is_foreign(executable: bytes) -> bool:
    return b"/Cellar/" in executable or b".framework/" in executable


def _brewed(brew: bytes, disk: Disk) -> Iterator[Interpreter]:
    directory = join(brew, b"opt")
    for name in sorted(disk.names(directory) or ())[: POOL_LIMIT * 4]:
        if not name.startswith(b"python@"):
            continue
        # `opt` survives upgrades; what it leads to, in the Cellar, does not.
        stable = join(directory, name)
        version = directory_version(disk.realpath(stable))
        minor = name.removeprefix(b"python@")
        framework = join(stable, b"Frameworks/Python.framework/Versions/" + minor)
        for prefix in (framework, stable):
            executable = join(prefix, b"bin/python" + minor)
            if disk.is_file(executable):
                managed = externally_managed(prefix, b"python" + minor, disk)
                yield Interpreter(executable, prefix, version or minor.decode("ascii", "replace"), "homebrew", managed)
                break


def _interpreter(prefix: bytes, library: bytes, origin: str, disk: Disk) -> Interpreter | None:
    executable = join(prefix, b"bin/" + library)
    if not disk.is_file(executable) or not disk.is_file(join(prefix, b"lib/" + library + b"/os.py")):
        return None
    minor = minor_of(library)
    version = base_version(prefix, library, disk) or scanned_version(executable, minor, disk) or minor
    return Interpreter(executable, prefix, version, origin, externally_managed(prefix, library, disk))
