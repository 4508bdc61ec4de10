"""The files in which an environment names its project (discovery rules 0, 1.4, 1.8, 1.10).

``.project`` holds the project's directory: pipenv writes it without a newline, virtualenvwrapper with one.
``conda-meta/pixi`` names pixi's manifest. ``direct_url.json`` (PEP 610) names the source of an editable install,
whichever installer made it. None of them is believed before it was confirmed at the project itself.
"""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Iterator
from typing import Any
from urllib.parse import unquote_to_bytes

import msgspec

from alight.files.disk import Disk, join
from alight.files.glance import Glance
from alight.files.ownership import fault, first_offender
from alight.interpreters import libraries
from alight.systems.base import normalise

PATH_LIMIT = 4096
JSON_LIMIT = 64 * 1024

DISTRIBUTIONS_LIMIT = 4096
"""Installed distributions of one environment that are looked at."""

RECENT_NS = 60_000_000_000
"""Age of the last installation or removal up to which one may be under way."""

UNFINISHED_LIMIT = 8
"""Installations under way in one folder that are told when to read again."""

LINKS_LIMIT = 64
"""Projects one environment may name; an editable monorepo has a few dozen."""

PROJECT = b".project"
PIXI = b"conda-meta/pixi"
RECORD = b"RECORD"
"""What installers write last (discovery rules 5.1)."""

DIRECT_URL = b"direct_url.json"
TOOLS = (b"uv-receipt.toml", b"pipx_metadata.json")
"""What stands in environments that hold a program, not a project: pipx's and ``uv tool``'s (discovery rules 1.12)."""

SCRIPTS = b"/environments-v"
"""The part of uv's cache that holds the environments of single scripts."""

_MANIFESTS = (b"pyproject.toml", b"setup.py", b"setup.cfg")


class Word(msgspec.Struct, frozen=True, gc=False):
    """One file's word: the project's path as written there."""

    project: bytes
    evidence: bytes


def read(prefix: bytes, disk: Disk) -> tuple[Word, ...]:
    """Everything the environment says about projects, the most explicit first; nothing for a program's own."""
    if SCRIPTS in prefix or any(disk.lstat(join(prefix, name)) is not None for name in TOOLS):
        return ()
    words: dict[bytes, Word] = {}
    for evidence in _evidence(prefix, disk):
        project = named(evidence, disk)
        if project is not None:
            words.setdefault(project, Word(project, evidence))
            if len(words) >= LINKS_LIMIT:
                break
    return tuple(words.values())


def glance(prefix: bytes, disk: Disk) -> Glance:
    """The looks that tell when to read again: each of the files appears in, or is, one of these.

    ``disk`` is the one that was read from: each of these was looked at before the files were.
    """
    paths = [prefix]
    if disk.lstat(join(prefix, PROJECT)) is not None:
        paths.append(join(prefix, PROJECT))
    if disk.is_directory(join(prefix, b"conda-meta")):
        paths += [join(prefix, b"conda-meta"), join(prefix, PIXI)]
    folders = _site_packages(prefix, disk)
    unfinished = (path for packages in folders for path in _unfinished(packages, disk)[:UNFINISHED_LIMIT])
    return Glance.of((*paths, join(prefix, b"lib"), *folders, *unfinished), disk, prefix)


def named(evidence: bytes, disk: Disk) -> bytes | None:
    """The project this file names, or None; the file's name says what to expect in it."""
    if evidence.endswith(b"/" + PIXI):
        return _usable(_octets(_object(evidence, disk).get("manifest_path")).rpartition(b"/")[0])
    if evidence.endswith(b"/" + DIRECT_URL):
        return _editable(_object(evidence, disk))
    content = disk.read(evidence, PATH_LIMIT) or b""
    return _usable(content.split(b"\n", 1)[0].rstrip(b"\r"))


def doubt(project: bytes, prefix: bytes, evidence: bytes, disk: Disk) -> str:
    """Why the file's word does not count for the project, or an empty string; everything is looked at on ``disk``.

    Who believes it may switch the environment on unasked, so what a repository can bring along is never believed:
    neither an environment in the project nor anything that others own or may write.
    """
    written = named(evidence, disk)
    own = disk.stat(project)
    other = disk.stat(written) if written is not None else None
    if written is None or own is None or other is None or not os.path.samestat(own, other):
        return "it names another directory"
    if evidence.endswith(b"/" + DIRECT_URL) and not any(disk.has(project, name) for name in _MANIFESTS):
        return "what was installed from there is gone"
    if evidence.endswith(b"/" + PIXI) and not disk.is_file(_octets(_object(evidence, disk).get("manifest_path"))):
        return "its manifest is gone"
    real = disk.realpath(project)
    if any(_within(path, root) for path in (prefix, disk.realpath(prefix)) for root in (project, real)):
        return "the environment lies in the project"
    place = disk.lstat(prefix)
    if place is None or place.st_uid != disk.uid:
        return "the environment is not yours"
    look = disk.lstat(evidence)
    if look is None or not stat.S_ISREG(look.st_mode):
        return "it is no regular file"
    offender = first_offender(disk, evidence, disk.uid)
    if offender is not None:
        return f"{offender.decode('utf-8', 'backslashreplace')} {fault(disk.permissions(offender), disk.uid)}"
    return ""


def rank(evidence: bytes) -> int:
    """How explicit the word is: somebody's own choice, the maker's record, one package among others."""
    if evidence.endswith(b"/" + DIRECT_URL):
        return 2
    return 1 if evidence.endswith(b"/" + PIXI) else 0


def _evidence(prefix: bytes, disk: Disk) -> Iterator[bytes]:
    for name in (PROJECT, PIXI):
        if disk.is_file(join(prefix, name)):
            yield join(prefix, name)
    for packages in _site_packages(prefix, disk):
        _unfinished(packages, disk)
        for folder in _installed(packages, disk):
            path = join(folder, DIRECT_URL)
            if disk.is_file(path):
                yield path


def _installed(packages: bytes, disk: Disk) -> list[bytes]:
    installed = [name for name in disk.names(packages) or () if name.endswith(b".dist-info")]
    return [join(packages, name) for name in sorted(installed)[:DISTRIBUTIONS_LIMIT]]


def _unfinished(packages: bytes, disk: Disk) -> list[bytes]:
    """The distributions that are being installed: their folder stands, and what is written last is not there yet."""
    look = disk.stat(packages)
    if look is None or disk.now_ns - look.st_mtime_ns > RECENT_NS:
        return []
    # In this order: what was there when the folder was looked at is found in it.
    folders = [folder for folder in _installed(packages, disk) if disk.is_directory(folder)]
    return [folder for folder in folders if disk.lstat(join(folder, RECORD)) is None]


def _site_packages(prefix: bytes, disk: Disk) -> tuple[bytes, ...]:
    paths = (join(prefix, b"lib/" + name + b"/site-packages") for name in libraries(prefix, disk))
    return tuple(path for path in paths if disk.is_directory(path))


def _editable(record: dict[str, Any]) -> bytes | None:
    url, details = record.get("url"), record.get("dir_info")
    if not isinstance(url, str) or not isinstance(details, dict) or details.get("editable") is not True:
        return None
    host, slash, path = url[7:].partition("/")
    if url[:7].lower() != "file://" or host not in {"", "localhost"} or not slash:
        return None
    return _usable(unquote_to_bytes(_octets("/" + path)))


def _object(path: bytes, disk: Disk) -> dict[str, Any]:
    # A number of 5,000 digits is a ValueError, ten thousand brackets are a RecursionError.
    try:
        found = json.loads(disk.read(path, JSON_LIMIT) or b"{}")
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _usable(path: bytes) -> bytes | None:
    if not path.startswith(b"/") or b"\0" in path or len(path) > PATH_LIMIT:
        return None
    return normalise(path)


def _octets(text: object) -> bytes:
    """A path from JSON, which may hold half a surrogate pair: that is nobody's path."""
    try:
        return os.fsencode(text) if isinstance(text, str) else b""
    except UnicodeEncodeError:
        return b""


def _within(path: bytes, directory: bytes) -> bool:
    return path == directory or path.startswith(join(directory, b""))
