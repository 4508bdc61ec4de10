"""Environments in the user's pools that name this project themselves (discovery rules 2.1, source 6).

``.project`` is somebody's explicit choice and counts at any directory, as ``workon`` and ``mkproject`` have it; an
editable install and pixi's record count where the manifest they were made from still stands.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from alight.files.disk import join
from alight.model import Confidence
from alight.systems import wrapper
from alight.systems.base import BACK_LINK, Claim, Facts, Link, ProjectLocal, System
from alight.systems.linktable import LinkTable

RULE = "back-link"
OTHERS_LIMIT = 16
"""Further environments shown for one project."""


@dataclass(frozen=True, slots=True)
class _Moment:
    """The question's own time, for a table that lives no longer than the question."""

    now_ns: int

    def monotonic(self) -> float:
        return self.now_ns / 1e9

    def wall_ns(self) -> int:
        return self.now_ns


class BackLinks(ProjectLocal):
    """``systems`` are those whose pools are searched where the question brings no table along."""

    name = "back-link"

    def __init__(self, systems: Sequence[System]) -> None:
        self._systems = tuple(systems)

    def claim(self, level: bytes, facts: Facts) -> Claim | None:
        """The environment that names this level, its rivals behind it."""
        if level == b"/":
            return None
        if facts.links is None:
            facts.links = LinkTable(_Moment(facts.disk.now_ns), facts.disk.uid, self._systems).question()
        links = facts.links.of(level, facts)
        if facts.disk.has(level, b"Pipfile"):
            # Where Pipenv keeps a file, its own rules say which of its environments counts, and from how far below.
            links = tuple(link for link in links if not _is_pipenvs(link, facts))
        if not links:
            facts.note(RULE, "miss", "no environment in a pool names this directory", level)
            return None
        facts.note(RULE, "hit", "the environment names this directory", *(link.evidence for link in links))
        confidence: Confidence = "high" if len(links) == 1 else "medium"
        claims = [
            Claim(RULE, BACK_LINK, confidence, link.prefix, level, (link.evidence,), _owner(link, facts), linked=True)
            for link in links[: OTHERS_LIMIT + 1]
        ]
        first = claims[0]
        return Claim(RULE, BACK_LINK, confidence, first.prefix, level, first.evidence, first.owner, linked=True,
                     others=tuple(claims[1:]))  # fmt: skip


def _is_pipenvs(link: Link, facts: Facts) -> bool:
    """Also in a pool that Pipenv was told to leave for another one, its environments keep their hashed names."""
    if link.system == "pipenv":
        return True
    project = wrapper.project_of(link.prefix, facts)
    return project is not None and wrapper.is_pipenv(link.prefix.rpartition(b"/")[2], project)


def _owner(link: Link, facts: Facts) -> str:
    """The tool whose pool it is; the venv family and conda's tell by themselves who made an environment."""
    if link.system == "venv" or facts.disk.lstat(join(link.prefix, b"conda-meta")) is not None:
        return ""
    return link.system
