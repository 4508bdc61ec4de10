"""Base Pythons on this machine, found and dated without running one (discovery rules 1.9, 1.12, 3).

``/usr/bin/python3`` on macOS opens an install dialog and pyenv's shims are scripts: reading is not only safer.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import msgspec

from alight.files.disk import Disk, join
from alight.model import Interpreter

PACKAGES_LIMIT = 32 * 1024 * 1024
"""Octets of dpkg's status file."""

BINARY_LIMIT = 64 * 1024 * 1024
"""Octets of an interpreter or its library, searched for a version only when nothing else tells."""

POOL_LIMIT = 256
"""Installations looked at in one directory."""

FRAMEWORKS = b"/Library/Frameworks/Python.framework/Versions"
HOMEBREW = (b"/opt/homebrew", b"/usr/local", b"/home/linuxbrew/.linuxbrew")
DPKG_STATUS = b"/var/lib/dpkg/status"

LIBRARY = re.compile(rb"(?:python|pypy)(\d+\.\d+)t?\Z")
"""A standard library's directory below ``lib``, and an executable that carries its X.Y."""

PROBED = tuple(f"python3.{minor}{suffix}".encode() for minor in range(6, 20) for suffix in ("", "t"))
"""Names asked for one by one in a ``lib`` that is too large to list."""

_PATCHLEVEL = re.compile(rb'^#define\s+PY_VERSION\s+"([^"\n]{1,32})"', re.MULTILINE)
_NUMBER = re.compile(rb"(?:\A|-|@)(\d+\.\d+\.\d+[a-z0-9]*)(?:_\d+)?(?:\Z|-)")
_PLAIN = re.compile(rb"\d+(?:\.\d+){0,2}(?:[a-z]+\d+)?\Z")
_RELEASE = re.compile(r"(\d+)\.(\d+)(?:\.(\d+))?")


class _Build(msgspec.Struct):
    """The part of PEP 739's ``build-details.json`` that is read."""

    class Language(msgspec.Struct):
        version: str = ""

    class Implementation(msgspec.Struct):
        class Version(msgspec.Struct):
            major: int = 0
            minor: int = 0
            micro: int = 0

        version: Version = msgspec.field(default_factory=Version)

    language: Language = msgspec.field(default_factory=Language)
    implementation: Implementation = msgspec.field(default_factory=Implementation)


@dataclass(frozen=True, slots=True)
class Pool:
    """A directory whose children are whole Pythons, and the tool that puts them there."""

    directory: bytes
    origin: str


def pools(overrides: Mapping[str, bytes], home: bytes) -> tuple[Pool, ...]:
    """Where pyenv, uv, mise, asdf and python.org install; none of them needs to exist."""
    data = _absolute(overrides, "XDG_DATA_HOME") or join(home, b".local/share")
    mise = _absolute(overrides, "MISE_DATA_DIR") or join(data, b"mise")
    asdf = _absolute(overrides, "ASDF_DATA_DIR") or join(home, b".asdf")
    return (
        Pool(join(pyenv_root(overrides, home), b"versions"), "pyenv"),
        Pool(_absolute(overrides, "UV_PYTHON_INSTALL_DIR") or join(data, b"uv/python"), "uv"),
        Pool(join(mise, b"installs/python"), "mise"),
        Pool(join(asdf, b"installs/python"), "asdf"),
        Pool(FRAMEWORKS, "python.org"),
    )


def pyenv_root(overrides: Mapping[str, bytes], home: bytes) -> bytes:
    """``$PYENV_ROOT`` or ``~/.pyenv``."""
    return _absolute(overrides, "PYENV_ROOT") or join(home, b".pyenv")


def list_interpreters(disk: Disk, overrides: Mapping[str, bytes], home: bytes) -> tuple[Interpreter, ...]:
    """Every base Python that can be found, each real prefix and version once."""
    found: dict[tuple[bytes, str], Interpreter] = {}
    for interpreter in _candidates(disk, overrides, home):
        minor = ".".join(interpreter.python_version.split(".")[:2])
        found.setdefault((disk.realpath(interpreter.prefix), minor), interpreter)
    return tuple(found.values())


def find_interpreter(request: bytes, disk: Disk, overrides: Mapping[str, bytes], home: bytes) -> Interpreter | None:
    """The base Python that one word of a ``.python-version`` asks for, or None: newest match, pyenv's first."""
    word = request.removeprefix(b"python-").removeprefix(b"cpython-").removeprefix(b"cpython@")
    if not _PLAIN.match(word):
        return None
    exact = join(join(pyenv_root(overrides, home), b"versions"), word)
    direct = _whole(exact, "pyenv", disk)
    if direct is not None:
        return direct
    wanted = word.decode()
    matches = [
        interpreter
        for interpreter in list_interpreters(disk, overrides, home)
        if interpreter.python_version == wanted or interpreter.python_version.startswith(wanted + ".")
    ]
    return max(matches, key=lambda match: release(match.python_version), default=None)


def release(version: str) -> tuple[int, ...]:
    """The numbers at the start of a version, for comparison; empty when there are none."""
    match = _RELEASE.match(version)
    return tuple(int(part) for part in match.groups(default="0")) if match else ()


def base_version(prefix: bytes, library: bytes, disk: Disk) -> str:
    """The version of the base Python at ``prefix`` whose standard library is ``lib/<library>``; "" when unknown.

    Ordered by cost; an answer that contradicts the library's X.Y is not taken.
    """
    minor = minor_of(library)
    for version in (
        _build_details(prefix, library, disk),
        _patchlevel(prefix, library, disk),
        _directory_version(prefix),
        _packaged(library, disk) if prefix == b"/usr" else "",
    ):
        if version and (not minor or version == minor or version.startswith(minor + ".")):
            return version
    return ""


def scanned_version(executable: bytes, minor: str, disk: Disk) -> str:
    """The version a binary names, filtered by its X.Y since binaries hold other numbers too; "" when it does not."""
    content = disk.read(executable, BINARY_LIMIT)
    if content is None:
        return ""
    match = re.search(rb"\0(" + re.escape(minor.encode()) + rb"\.\d+(?:(?:a|b|rc)\d+)?\+?)\0", content)
    return match.group(1).decode().rstrip("+") if match else ""


def libraries(prefix: bytes, disk: Disk) -> tuple[bytes, ...]:
    """The ``lib/pythonX.Y`` names of a prefix, newest first."""
    directory = join(prefix, b"lib")
    names = disk.names(directory)
    if names is None:
        found = [name for name in PROBED if disk.has(directory, name)]
    else:
        found = [name for name in names if LIBRARY.match(name)]
    return tuple(sorted(found, key=lambda name: (release(minor_of(name)), name), reverse=True))


def minor_of(library: bytes) -> str:
    """The X.Y of ``pythonX.Y``; "" for any other name."""
    match = LIBRARY.match(library)
    return match.group(1).decode() if match else ""


def externally_managed(prefix: bytes, library: bytes, disk: Disk) -> bool:
    """True when PEP 668's marker stands in the standard library."""
    return disk.is_file(join(prefix, b"lib/" + library + b"/EXTERNALLY-MANAGED"))


def _candidates(disk: Disk, overrides: Mapping[str, bytes], home: bytes) -> Iterator[Interpreter]:
    for pool in pools(overrides, home):
        for name in sorted(disk.names(pool.directory) or ())[:POOL_LIMIT]:
            path = join(pool.directory, name)
            # Links are second names: uv's minor versions, pyenv's virtualenvs, mise's `latest`.
            if disk.readlink(path) is None:
                whole = _whole(path, pool.origin, disk)
                if whole is not None:
                    yield whole
    for brew in dict.fromkeys((*HOMEBREW, _absolute(overrides, "HOMEBREW_PREFIX"))):
        if brew is not None:
            yield from _brewed(brew, disk)
    yield from _shared(b"/usr", "debian" if disk.is_file(DPKG_STATUS) else "system", disk)
    yield from _shared(b"/usr/local", "local", disk)


def _whole(prefix: bytes, origin: str, disk: Disk) -> Interpreter | None:
    if disk.exists(join(prefix, b"pyvenv.cfg")):
        return None
    for library in libraries(prefix, disk):
        found = _interpreter(prefix, library, origin, disk)
        if found is not None:
            return found
    return None


def _shared(prefix: bytes, origin: str, disk: Disk) -> Iterator[Interpreter]:
    for library in libraries(prefix, disk):
        found = _interpreter(prefix, library, origin, disk)
        # /usr/local may hold another's links (Homebrew on Intel Macs) and a bare dist-packages directory.
        if found is not None and b"/Cellar/" not in disk.realpath(found.executable):
            yield found


def _brewed(brew: bytes, disk: Disk) -> Iterator[Interpreter]:
    directory = join(brew, b"opt")
    for name in sorted(disk.names(directory) or ())[: POOL_LIMIT * 4]:
        if not name.startswith(b"python@"):
            continue
        stable = join(directory, name)
        version = _directory_version(disk.realpath(stable))
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


def _build_details(prefix: bytes, library: bytes, disk: Disk) -> str:
    content = disk.read(join(prefix, b"lib/" + library + b"/build-details.json"))
    if not content:
        return ""
    try:
        build = msgspec.json.decode(content, type=_Build)
    except (msgspec.MsgspecError, RecursionError):
        return ""
    numbers = build.implementation.version
    if build.language.version.count(".") == 1 and build.language.version == f"{numbers.major}.{numbers.minor}":
        return f"{build.language.version}.{numbers.micro}"
    return build.language.version


def _patchlevel(prefix: bytes, library: bytes, disk: Disk) -> str:
    match = _PATCHLEVEL.search(disk.read(join(prefix, b"include/" + library + b"/patchlevel.h")) or b"")
    return match.group(1).decode("ascii", "replace").rstrip("+") if match else ""


def _directory_version(prefix: bytes) -> str:
    name = prefix.rpartition(b"/")[2]
    if name.startswith((b"pypy", b"graalpy", b"jython", b"ironpython")):
        return ""
    match = _NUMBER.search(name)
    return match.group(1).decode("ascii", "replace") if match else ""


def _packaged(library: bytes, disk: Disk) -> str:
    status = disk.read(DPKG_STATUS, PACKAGES_LIMIT)
    if status is None:
        return ""
    start = status.find(b"\nPackage: " + library + b"-minimal\n")
    stanza = status[start + 1 : status.find(b"\n\n", start + 1)] if start >= 0 else b""
    match = re.search(rb"^Version: (?:\d+:)?(\d+\.\d+\.\d+)", stanza, re.MULTILINE)
    return match.group(1).decode() if match else ""


def _absolute(overrides: Mapping[str, bytes], name: str) -> bytes | None:
    value = overrides.get(name)
    return value.rstrip(b"/") or b"/" if value and value.startswith(b"/") else None
