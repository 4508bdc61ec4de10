"""One object for all that are equal: most of what decides one answer decides the others, too."""

from __future__ import annotations

from collections.abc import Hashable
from typing import TypeVar

from alight.files.disk import Fingerprint

LIMIT = 1024
"""Values of one generation; a question asks for some 100, and half of them are its own."""

_T = TypeVar("_T", bound=Hashable)


class Sharing:
    """Remembers what was asked for lately, in two generations: what is asked for again lives on.

    It knows values for a while only, so that what nobody keeps does not stay; what it forgot is equal still, and
    merely stands in memory twice.
    """

    def __init__(self) -> None:
        self._young: dict[Hashable, Hashable] = {}
        self._old: dict[Hashable, Hashable] = {}

    def __len__(self) -> int:
        """Values that are remembered, twice ``LIMIT`` at most."""
        return len(self._young) + len(self._old)

    def of(self, value: _T) -> _T:
        """The value, or the one that was given before and is equal and of the same type."""
        known = self._young.get(value)
        if known is None:
            if len(self._young) >= LIMIT:
                self._old, self._young = self._young, {}
            known = self._young[value] = self._old.pop(value, value)
        return known if type(known) is type(value) else value

    def fingerprint(self, fingerprint: Fingerprint) -> Fingerprint:
        """The same, of shared records."""
        return Fingerprint(tuple(map(self.of, fingerprint.records)), fingerprint.racy)
