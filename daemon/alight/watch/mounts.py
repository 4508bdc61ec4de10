"""Which folders lie on network disks: what others change there gives no event (rules/discovery.md 5.3)."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass

from alight.clock import Clock

MOUNTS_FILE = "/proc/self/mountinfo"

READ_AGAIN_SECONDS = 1.0

LINKS_LIMIT = 40

REMOTE = frozenset({
    "9p", "afs", "autofs", "beegfs", "ceph", "cifs", "coda", "glusterfs", "gpfs", "lustre", "ncpfs", "nfs", "nfs4",
    "orangefs", "prl_fs", "pvfs2", "smb3", "smbfs", "vboxsf", "virtiofs", "vmhgfs",
})  # fmt: skip
"""Types of file systems whose files other machines write, too; all of FUSE is taken for one."""

_POINT = 4
"""The field that holds where it is mounted."""

_ESCAPE = re.compile(rb"\\([0-7]{3})")


@dataclass(frozen=True)
class Mount:
    """A network disk: where it is mounted, and its type."""

    point: bytes
    kind: str


class Mounts:
    """The mounted file systems, read at most once a second. ``file`` is in the format of ``mountinfo``."""

    def __init__(self, clock: Clock, file: str = MOUNTS_FILE) -> None:
        self._clock = clock
        self._file = file
        self._read: float | None = None
        self._points: dict[bytes, str] = {}

    def remote(self, path: bytes) -> Mount | None:
        """The network disk that a path leads to. Looks at links on the way, and at nothing behind a remote mount."""
        self._refresh()
        if not any(is_remote(kind) for kind in self._points.values()):
            return None
        pending, done, links = path.split(b"/")[::-1], b"", 0
        while pending:
            part = pending.pop()
            if part in {b"", b"."}:
                continue
            if part == b"..":
                done = done.rpartition(b"/")[0]
                continue
            here = done + b"/" + part
            kind = self._points.get(here)
            if kind is not None and is_remote(kind):
                return Mount(here, kind)
            try:
                target = os.readlink(here)
            except OSError:
                done = here
                continue
            links += 1
            if links > LINKS_LIMIT:
                return None
            if target.startswith(b"/"):
                done = b""
            pending.extend(target.split(b"/")[::-1])
        return None

    def _refresh(self) -> None:
        now = self._clock.monotonic()
        if self._read is not None and 0 <= now - self._read < READ_AGAIN_SECONDS:
            return
        self._read = now
        try:
            with open(self._file, "rb") as file:
                # The last one at a point covers those before it.
                self._points = dict(filter(None, map(_parse, file)))
        except OSError:
            self._points = {}


def is_remote(kind: str) -> bool:
    """Whether others may change such a file system."""
    return kind in REMOTE or kind == "fuse" or kind.startswith("fuse.")


def _parse(line: bytes) -> tuple[bytes, str] | None:
    before, separator, after = line.partition(b" - ")
    fields = before.split(b" ")
    if not separator or len(fields) <= _POINT:
        return None
    point = _ESCAPE.sub(lambda match: bytes([int(match[1], 8)]), fields[_POINT])
    return point, after.split(b" ", 1)[0].decode("ascii", "replace")
