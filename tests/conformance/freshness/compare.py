"""One question, answered by a daemon and by a resolver that knows nothing yet: are they the same?"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import msgspec

from alight.clock import SystemClock
from alight.index import Index
from alight.model import Answer
from alight.trust.answers import Answers
from alight.trust.judge import Judge
from alight.trust.records import Records
from alight.wire.messages import Plan

SHOWN = 300

Pair = tuple[Answer, Answer] | tuple[Plan, Plan]
"""What the daemon says, and what is right."""


@dataclass(frozen=True)
class Stale:
    """An answer that is not what the disk says."""

    number: int
    change: str
    directory: str
    variables: Mapping[str, bytes]
    given: Answer | Plan
    fresh: Answer | Plan

    def __str__(self) -> str:
        lines = [f"{self.number}: {self.directory} {dict(self.variables)} after: {self.change}"]
        for name, given, fresh in self.differences():
            lines += [
                f"    {name}: given {_without(given, fresh)}",
                f"    {'':{len(name)}}  right {_without(fresh, given)}",
            ]
        return "\n".join(lines)

    def differences(self) -> Iterator[tuple[str, object, object]]:
        """The fields that differ: name, given, right."""
        given, fresh = (_flat(one) for one in (self.given, self.fresh))
        for name in sorted(given.keys() | fresh.keys()):
            if given.get(name) != fresh.get(name):
                yield name, given.get(name), fresh.get(name)


def fresh(directory: bytes, variables: Mapping[str, bytes], home: bytes, trust: Path) -> Answer:
    """What a resolver says that was never asked before."""
    clock, uid = SystemClock(), os.getuid()
    answers = Answers(Index(clock, uid, home), Judge(Records(trust, uid, clock), uid), uid, clock)
    return answers.answer(directory, variables)


def _flat(answer: Answer | Plan) -> dict[str, object]:
    built = msgspec.to_builtins(answer, builtin_types=(bytes,))
    resolution = built.pop("resolution", {})
    return {**built, **resolution}


def _without(value: object, other: object) -> str:
    """What of a list the other one lacks; everything else as it is, cut."""
    if isinstance(value, tuple | list) and isinstance(other, tuple | list):
        value = [one for one in value if one not in other] or "(the same, in another order)"
    text = repr(value)
    return text if len(text) <= SHOWN else text[:SHOWN] + "…"
