"""What stands at a prefix that conda, mamba or pixi made (discovery rules 1.7, 1.8, 3): one layout, several makers."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass

from alight.files.disk import Disk, join
from alight.interpreters import LIBRARY, base_version, libraries, minor_of
from alight.systems.base import Facts, Prefix

METADATA = b"conda-meta"
HISTORY = b"conda-meta/history"
BACK_LINK = b"conda-meta/pixi"
HISTORY_LIMIT = 1024 * 1024
"""Octets of a history: one line for each package of each transaction."""

_PYTHON = re.compile(rb"python-(\d+(?:\.\w+)+)-[^-]+\.json\Z")
_PYPY = re.compile(rb"pypy(\d+\.\d+)-[^-]+-[^-]+\.json\Z")
_DRIVE = re.compile(rb"/mnt/[a-z]/")
_COMMAND = re.compile(rb"^# cmd: ([^\r\n]+)", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class BackLink:
    """What a pixi environment says of itself; ``manifest`` is as written, absolute or not."""

    manifest: bytes
    environment: str


def is_prefix(prefix: bytes, disk: Disk) -> bool:
    """What conda itself takes for an environment: ``conda-meta/history`` is a file."""
    return disk.is_file(join(prefix, HISTORY))


def stands(prefix: bytes, disk: Disk) -> bool:
    """True for a prefix and for a half-made one: there is a ``conda-meta``."""
    return disk.is_directory(join(prefix, METADATA))


def is_foreign(prefix: bytes, disk: Disk) -> bool:
    """True for a Windows environment that WSL shows below ``/mnt/<drive>``: nothing in it starts here."""
    if not _DRIVE.match(prefix):
        return False
    return disk.is_file(join(prefix, b"python.exe")) and disk.lstat(join(prefix, b"bin")) is None


def describe(prefix: bytes, system: str, prompt: str, disk: Disk) -> Prefix:
    """Everything that can be read of the prefix; without a Python, the version is "" and there are no libraries."""
    version, names = python(prefix, disk)
    paths = tuple(join(prefix, b"lib/" + name + b"/site-packages") for name in names)
    return Prefix(
        path=prefix,
        kind="conda",
        system=system,
        prompt=prompt,
        python_version=version,
        base_version=version,
        interpreter=_interpreter(prefix, disk),
        base=None,
        home=None,
        site_packages=paths,
        libraries=tuple(name.decode("ascii") for name in names),
        settings=None,
    )


def python(prefix: bytes, disk: Disk) -> tuple[str, tuple[bytes, ...]]:
    """(the version of the prefix's own Python, its library directories that have site-packages); ("", ()) for none."""
    version = _recorded(disk.names(join(prefix, METADATA)) or frozenset())
    minor = ".".join(version.split(".")[:2])
    library = join(prefix, b"lib")
    # lib of a large prefix is slow to list, and the record says which names to look for.
    likely = tuple(f"{kind}{minor}".encode() for kind in ("python", "pypy")) if minor else ()
    likely += (f"python{minor}t".encode(),) if minor else ()
    # One look at what holds them tells of all that are absent.
    disk.stat(library)
    found = tuple(name for name in likely if disk.is_directory(join(library, name + b"/site-packages")))
    if not version and stands(prefix, disk):
        # The directory was too large to list, or what is there came without a record.
        present = [name for name in libraries(prefix, disk) if LIBRARY.match(name)]
        found = tuple(name for name in present[:1] if disk.is_directory(join(library, name + b"/site-packages")))
        if found and disk.lstat(_interpreter(prefix, disk)) is not None:
            version = base_version(prefix, found[0], disk) or minor_of(found[0])
    return version, found


def back_link(prefix: bytes, facts: Facts) -> BackLink | None:
    """``conda-meta/pixi``, the prefix's word about its manifest; None when it is absent or says nothing usable."""
    path = join(prefix, BACK_LINK)
    if not facts.disk.is_file(path):
        return None
    content = facts.documents.json(path)
    manifest, environment = content.get("manifest_path"), content.get("environment_name")
    written = octets(manifest)
    return BackLink(written, environment) if written and isinstance(environment, str) else None


def is_linked(prefix: bytes, manifest: bytes, facts: Facts) -> bool:
    """True when the prefix itself names this manifest, by its path or by another path to the same file."""
    link = back_link(prefix, facts)
    if link is None or not link.manifest.startswith(b"/"):
        return False
    if link.manifest == manifest:
        return True
    return link.manifest == facts.disk.realpath(manifest)


def commands(prefix: bytes, disk: Disk) -> tuple[bytes, ...]:
    """The command lines in the history, oldest first; the first one made the prefix."""
    return tuple(_COMMAND.findall(disk.read(join(prefix, HISTORY), HISTORY_LIMIT) or b""))


def octets(text: object) -> bytes | None:
    """A path out of a parsed file; None for what is no text, or holds NUL or half a character."""
    if not isinstance(text, str) or "\0" in text:
        return None
    try:
        return os.fsencode(text)
    except UnicodeEncodeError:
        return None


def _recorded(names: frozenset[bytes]) -> str:
    for pattern in (_PYTHON, _PYPY):
        found = sorted(match.group(1).decode("ascii", "replace") for name in names if (match := pattern.match(name)))
        if found:
            return found[-1]
    return ""


def _interpreter(prefix: bytes, disk: Disk) -> bytes:
    for name in (b"bin/python", b"bin/python3"):
        path = join(prefix, name)
        if disk.lstat(path) is not None:
            return path
    return join(prefix, b"bin/python")
