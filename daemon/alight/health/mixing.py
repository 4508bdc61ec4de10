"""pip inside a conda environment, by conda's own rule of what belongs to it (discovery rules 3.2).

A distribution is conda's when a record in ``conda-meta`` lists its RECORD (or egg-info) file. INSTALLER alone is not
enough: some conda packages say ``pip`` there.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from packaging.utils import canonicalize_name

from alight.files.disk import Disk, join
from alight.files.documents import Documents
from alight.health.locks import LISTED, listed
from alight.health.packages import Installed, Package, installer, names_of
from alight.model import Finding

RECORDS_LIMIT = 4096
RECORD_LIMIT = 8 * 1024 * 1024
TOTAL_LIMIT = 96 * 1024 * 1024
"""Octets of all records together; 200 packages have 15 MB."""

MANIFESTS = (b"environment.yml", b"environment.yaml")

_MARKS = (b'.dist-info/RECORD"', b'.egg-info/PKG-INFO"', b'.egg-info"')
_NAME_LIMIT = 256


@dataclass(frozen=True, slots=True)
class Owned:
    """What conda installed: metadata directory names, and their packages' names with the record that has them."""

    directories: frozenset[bytes]
    records: dict[str, bytes]

    @property
    def anchors(self) -> frozenset[str]:
        """The PEP 503 names."""
        return frozenset(self.records)


def owned(prefix: bytes, disk: Disk) -> Owned:
    """Read conda's records; about 0.1 ms each."""
    directory = join(prefix, b"conda-meta")
    directories: set[bytes] = set()
    records: dict[str, bytes] = {}
    left = TOTAL_LIMIT
    for name in _records(directory):
        path = join(directory, name)
        content = disk.read(path, min(RECORD_LIMIT, max(left, 0))) or b""
        left -= len(content)
        for found in _anchors(content):
            directories.add(found)
            stem = found.rpartition(b".")[0].decode("utf-8", "replace")
            records[canonicalize_name(stem.partition("-")[0])] = path
    return Owned(frozenset(directories), records)


def mixed(present: Installed, conda: Owned, root: bytes, disk: Disk, documents: Documents) -> Iterator[Finding]:
    """How much pip installed here, and what of conda's it replaced."""
    foreign = [package for package in present.packages if not _is_conda(package, conda, disk)]
    if not foreign:
        return
    asked = asks_pip(root, disk, documents)
    replaced = [package for package in foreign if package.name in conda.records]
    if replaced:
        names = listed(f"{package.name} {package.version}" for package in replaced)
        message = f"pip wrote over conda's packages: {names}; `conda install --force-reinstall NAME` takes one back"
        evidence = [path for package in replaced[:LISTED] for path in (package.path, conda.records[package.name])]
        yield Finding("pip-over-conda", "info" if asked else "warning", message, tuple(evidence))
    count = f"{len(foreign)} package{'s' if len(foreign) > 1 else ''} that conda did not install"
    why = ", as environment.yml asks" if asked else "; conda does not keep them up to date"
    names = listed(package.name for package in foreign)
    yield Finding("pip-in-conda", "info", f"{count}: {names}{why}", tuple(one.path for one in foreign[:LISTED]))


def asks_pip(root: bytes, disk: Disk, documents: Documents) -> bool:
    """Whether the project's environment file has a ``pip:`` section."""
    for name in MANIFESTS:
        if root and disk.has(root, name):
            needs = documents.yaml(join(root, name)).get("dependencies")
            return isinstance(needs, list) and any(isinstance(need, dict) and "pip" in need for need in needs)
    return False


def _is_conda(package: Package, conda: Owned, disk: Disk) -> bool:
    return package.path.rpartition(b"/")[2] in conda.directories or installer(package, disk) == "conda"


def _records(directory: bytes) -> list[bytes]:
    return [name for name in names_of(directory) or () if name.endswith(b".json")][:RECORDS_LIMIT]


def _anchors(content: bytes) -> Iterator[bytes]:
    """Metadata directories directly in site-packages that a record lists; plain searches, since records are large."""
    for mark in _MARKS:
        end = content.find(mark)
        while end >= 0:
            start = content.rfind(b"/", max(0, end - _NAME_LIMIT), end) + 1
            if start and content.endswith(b"/site-packages/", 0, start):
                yield content[start : end + mark.index(b"-info") + len(b"-info")]
            end = content.find(mark, end + 1)
