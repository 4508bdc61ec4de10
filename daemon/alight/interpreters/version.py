"""Which version a base Python is, read and not run (discovery rules 3)."""

from __future__ import annotations

import re

import msgspec

from alight.files.disk import Disk, join

PACKAGES_LIMIT = 32 * 1024 * 1024
"""Octets of dpkg's status file."""

BINARY_LIMIT = 64 * 1024 * 1024
"""Octets of an interpreter or its library, searched for a version only when nothing else tells."""

DPKG_STATUS = b"/var/lib/dpkg/status"

LIBRARY = re.compile(rb"(?:python|pypy)(\d+\.\d+)t?\Z")
"""A standard library's directory below ``lib``, and an executable that carries its X.Y."""

PROBED = tuple(f"python3.{minor}{suffix}".encode() for minor in range(6, 20) for suffix in ("", "t"))
"""Names asked for one by one in a ``lib`` that is too large to list."""

_PATCHLEVEL = re.compile(rb'^#define\s+PY_VERSION\s+"([^"\n]{1,32})"', re.MULTILINE)
_BUNDLE = re.compile(
    rb"<key>CFBundle(?:ShortVersionString|LongVersionString)</key>\s*<string>[^<\d]{0,64}(\d+\.\d+\.\d+[a-z0-9]*)"
)
_NUMBER = re.compile(rb"(?:\A|-|@)(\d+\.\d+\.\d+[a-z0-9]*)(?:_\d+)?(?:\Z|-)")
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
        _bundled(prefix, disk),
        directory_version(prefix),
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


def directory_version(prefix: bytes) -> str:
    """The full version in a directory's name, without Homebrew's revision; "" for other implementations' numbers."""
    name = prefix.rpartition(b"/")[2]
    if name.startswith((b"pypy", b"graalpy", b"jython", b"ironpython")):
        return ""
    match = _NUMBER.search(name)
    return match.group(1).decode("ascii", "replace") if match else ""


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


def _bundled(prefix: bytes, disk: Disk) -> str:
    """The version a macOS framework's own Info.plist gives."""
    if b".framework/Versions/" not in prefix:
        return ""
    match = _BUNDLE.search(disk.read(join(prefix, b"Resources/Info.plist")) or b"")
    return match.group(1).decode("ascii", "replace") if match else ""


def _packaged(library: bytes, disk: Disk) -> str:
    status = disk.read(DPKG_STATUS, PACKAGES_LIMIT)
    if status is None:
        return ""
    start = status.find(b"\nPackage: " + library + b"-minimal\n")
    stanza = status[start + 1 : status.find(b"\n\n", start + 1)] if start >= 0 else b""
    match = re.search(rb"^Version: (?:\d+:)?(\d+\.\d+\.\d+)", stanza, re.MULTILINE)
    return match.group(1).decode() if match else ""
