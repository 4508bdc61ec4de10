"""Decisions on disk: one JSON file each, mode 0600, named by what it is about; written whole or not at all."""

from __future__ import annotations

import contextlib
import datetime
import json
import os
import stat
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import msgspec

from alight.clock import Clock
from alight.digest import sha256
from alight.paths import secure

RECORD_LIMIT = 64 * 1024
VERSION = 1
DecisionKind = Literal["allow", "deny", "tree", "pool", "always"]
"""``pool`` is no decision of the user's: it is the stamp of an environment trusted by ownership and its link.

``always`` is no trust: the user wants no question about what a tool writes there.
"""


class Evidence(msgspec.Struct, frozen=True):
    """What an approved environment looked like. Device numbers are left out: they change with every mount."""

    prefix_inode: int
    bin_inode: int
    files: dict[str, str]
    shadows: tuple[str, ...] = ()
    tracked: bool = False


class Record(msgspec.Struct, frozen=True):
    """One decision. Paths are text with surrogate escapes, as stdlib ``json`` round-trips them."""

    version: int
    decision: DecisionKind
    root: str
    prefix: str
    owner: int
    since: str
    evidence: Evidence | None = None
    tool: str = ""
    """Of an ``always``; it may have an empty root (no project) and an empty prefix (nothing would land)."""

    @property
    def identifier(self) -> str:
        """The file's name without ending: SHA-256 over what the decision is about."""
        return identify(self.decision, os.fsencode(self.root), os.fsencode(self.prefix), self.tool)


def identify(decision: str, root: bytes, prefix: bytes, tool: str = "") -> str:
    """The name of the record about (root, prefix), for an ``always`` about (root, tool, prefix)."""
    about = (decision.encode(), root, prefix, *([tool.encode()] if tool else ()))
    return sha256(b"\0".join(about)).hexdigest()


@dataclass(frozen=True)
class Loaded:
    """A record and the state of the file it came from."""

    record: Record
    ctime_ns: int
    inode: int


class Records:
    """The store. The daemon alone writes it; a file that cannot be used is set aside, never fatal."""

    def __init__(self, directory: Path, uid: int, clock: Clock) -> None:
        self.directory = directory
        self._uid = uid
        self._clock = clock
        self._cache: dict[str, Loaded] = {}

    def path(self, identifier: str) -> bytes:
        """The file that holds this decision: the trust stamp that hooks test."""
        return os.fsencode(self.directory / f"{identifier}.json")

    def find(self, decision: DecisionKind, root: bytes, prefix: bytes, tool: str = "") -> Record | None:
        """The record about (root, prefix), or None. Costs one stat when it was read before."""
        identifier = identify(decision, root, prefix, tool)
        record = self._load(identifier)
        if record is None or record.decision != decision:
            return None
        matches = os.fsencode(record.root) == root and os.fsencode(record.prefix) == prefix
        return record if matches and record.tool == tool else None

    def all(self) -> Iterator[Record]:
        """Every usable record, oldest name first."""
        try:
            names = sorted(os.listdir(self.directory))
        except OSError:
            return
        for name in names:
            stem, dot, ending = name.partition(".")
            if dot and ending == "json" and len(stem) == 64:
                record = self._load(stem)
                if record is not None:
                    yield record

    def trees(self) -> tuple[Record, ...]:
        """The records that cover whole trees."""
        return tuple(record for record in self.all() if record.decision == "tree")

    def write(
        self, decision: DecisionKind, root: bytes, prefix: bytes, evidence: Evidence | None, tool: str = ""
    ) -> Record:
        """Store a decision: temporary file, fsync, rename. Raises UnsafeDirectory or OSError; nothing is torn."""
        os.close(secure(self.directory, self._uid))
        record = Record(
            version=VERSION,
            decision=decision,
            root=os.fsdecode(root),
            prefix=os.fsdecode(prefix),
            owner=self._uid,
            since=_timestamp(self._clock),
            evidence=evidence,
            tool=tool,
        )
        text = json.dumps(msgspec.structs.asdict(record) | {"evidence": _plain(evidence)}, indent=1) + "\n"
        target = self.directory / f"{record.identifier}.json"
        # A name of its own, mode 0600: two writers never share a file.
        descriptor, temporary = tempfile.mkstemp(".tmp", f".{record.identifier}.", self.directory)
        try:
            with os.fdopen(descriptor, "w", encoding="ascii") as stream:
                stream.write(text)
                stream.flush()
                os.fsync(stream.fileno())
            os.replace(temporary, target)
        except OSError:
            with contextlib.suppress(OSError):
                os.unlink(temporary)
            raise
        return record

    def remove(self, identifier: str) -> bool:
        """Forget a decision; False when there was none."""
        self._cache.pop(identifier, None)
        try:
            os.unlink(self.path(identifier))
        except FileNotFoundError:
            return False
        return True

    def _load(self, identifier: str) -> Record | None:
        path = self.path(identifier)
        try:
            facts = os.lstat(path)
        except OSError:
            self._cache.pop(identifier, None)
            return None
        known = self._cache.get(identifier)
        if known is not None and (known.ctime_ns, known.inode) == (facts.st_ctime_ns, facts.st_ino):
            return known.record
        self._cache.pop(identifier, None)
        if not stat.S_ISREG(facts.st_mode) or facts.st_uid != self._uid or stat.S_IMODE(facts.st_mode) & 0o077:
            return None
        record = _read(path, identifier)
        if record is None or record.owner != self._uid:
            return None
        self._cache[identifier] = Loaded(record, facts.st_ctime_ns, facts.st_ino)
        return record


def _read(path: bytes, identifier: str) -> Record | None:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        with os.fdopen(descriptor, "rb") as stream:
            text = stream.read(RECORD_LIMIT)
        # stdlib json keeps the surrogate escapes of undecodable octets; msgspec's refuses them
        record = msgspec.convert(json.loads(text), Record)
        # Other surrogates stand for no octets: such a record has no identifier, which is a ValueError, too.
        usable = record.version == VERSION and record.identifier == identifier
    except (OSError, ValueError, RecursionError):
        return None
    return record if usable else None


def _plain(evidence: Evidence | None) -> dict[str, object] | None:
    return None if evidence is None else msgspec.structs.asdict(evidence)


def _timestamp(clock: Clock) -> str:
    moment = datetime.datetime.fromtimestamp(clock.wall_ns() // 1_000_000_000, tz=datetime.UTC)
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
