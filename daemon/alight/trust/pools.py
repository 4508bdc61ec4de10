"""Environments trusted by ownership: in a pool of the user's, and naming the project themselves (design section 9).

The hooks test a stamp before they enter anything; for these the daemon writes it without being asked.
"""

from __future__ import annotations

from alight.files.ownership import within
from alight.model import Answer, Resolution
from alight.trust.records import Evidence, Records, identify

REASON = "it lies in a pool of yours and names this project"
UNSETTLED_LIMIT = 1024
"""Stamps waiting to be written."""


class Pools:
    """Judges linked environments and keeps their stamps; used on one thread."""

    def __init__(self, records: Records) -> None:
        self._records = records
        # (root, prefix) -> evidence of an environment whose stamp is absent or out of date
        self._unsettled: dict[tuple[bytes, bytes], Evidence] = {}

    def covers(self, root: bytes, prefix: bytes, now: Evidence, resolution: Resolution) -> bool:
        """Whether ownership speaks for it: linked, outside the project, and nothing that makes one look twice.

        That every component of its path is the user's or root's was found before.
        """
        environment = resolution.environment
        if environment is None or not resolution.linked or within(root, prefix) or now.tracked:
            return False
        # Packages of conda bring a git or a curl of their own; in a venv nothing good is called so.
        if now.shadows and environment.kind != "conda":
            return False
        record = self._records.find("pool", root, prefix)
        if record is None or record.evidence != now:
            while len(self._unsettled) >= UNSETTLED_LIMIT:
                self._unsettled.pop(next(iter(self._unsettled)))
            self._unsettled[root, prefix] = now
        return True

    def stamp(self, root: bytes, prefix: bytes) -> bytes:
        """The file that hooks test."""
        return self._records.path(identify("pool", root, prefix))

    def settle(self, answer: Answer) -> bool:
        """Write the stamp of a trusted answer; False when it is there.

        Raises UnsafeDirectory or OSError when it cannot be written.
        """
        if not self._unsettled or answer.state != "trusted":
            return False
        for pair, now in list(self._unsettled.items()):
            if answer.stamp == self.stamp(*pair):
                del self._unsettled[pair]
                self._records.write("pool", *pair, now)
                return True
        return False
