"""The simplest system with pools: each folder below them that holds an environment."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from alight.files.disk import join
from alight.systems.base import Claim, Facts, Prefix
from alight.systems.venv import is_environment


@dataclass
class Shelf:
    """Lists what lies in ``places``, which are relative to the home; ``listings`` counts how often it was asked."""

    places: tuple[bytes, ...] = (b".virtualenvs",)
    name: str = "shelf"
    listings: int = 0

    def claim(self, level: bytes, facts: Facts) -> Claim | None:
        return None

    def describe(self, prefix: bytes, facts: Facts) -> Prefix | None:
        return None

    def list(self, facts: Facts) -> Iterator[bytes]:
        self.listings += 1
        for pool in self.pools(facts):
            for name in facts.disk.folders(pool):
                prefix = join(pool, name)
                if is_environment(prefix, facts) or facts.disk.is_directory(join(prefix, b"conda-meta")):
                    yield prefix

    def pools(self, facts: Facts) -> tuple[bytes, ...]:
        chosen = facts.override_path("WORKON_HOME")
        return (chosen,) if chosen else tuple(join(facts.home, place) for place in self.places)
