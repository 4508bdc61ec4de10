"""Where the user wants no question: remembered for (project root or none, tool, prefix)."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass

from alight.trust.records import Records

OPEN_LIMIT = 256
"""Questions that may still be answered by "always"; an older one is asked again."""


@dataclass(frozen=True, slots=True)
class Landed:
    """What one installer writes to. ``root`` is empty without a project, ``prefix`` when nothing would land."""

    root: bytes
    tool: str
    prefix: bytes


class Always:
    """The answers "always here", and the questions that are open to one."""

    def __init__(self, records: Records) -> None:
        self._records = records
        self._open: OrderedDict[str, tuple[Landed, ...]] = OrderedDict()

    def holds(self, landed: Landed) -> bool:
        """Whether the user said so about this."""
        return self._records.find("always", landed.root, landed.prefix, landed.tool) is not None

    def offer(self, token: str, about: tuple[Landed, ...]) -> None:
        """A question was put; ``token`` names it."""
        self._open[token] = about
        while len(self._open) > OPEN_LIMIT:
            self._open.popitem(last=False)

    def record(self, token: str) -> bool:
        """Remember the answer; False when no such question is open. Raises UnsafeDirectory or OSError."""
        about = self._open.pop(token, None)
        if about is None:
            return False
        for landed in about:
            self._records.write("always", landed.root, landed.prefix, None, landed.tool)
        return True
