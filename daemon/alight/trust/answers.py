"""Answers in memory: a resolution joined with the decisions, remembered while everything that decided it holds."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass

import msgspec

from alight.clock import Clock
from alight.files.disk import Disk, Fingerprint
from alight.files.moment import Moment
from alight.index import Index
from alight.model import Answer, Resolution
from alight.trust.judge import Judge

LIMIT = 4096


@dataclass(slots=True)
class _Judged:
    answer: Answer
    fingerprint: Fingerprint

    def of(self, resolution: Resolution) -> bool:
        """Whether another directory's resolution is about the same thing: all that a decision looks at."""
        own = self.answer.resolution
        return own is resolution or _weighed(own) == _weighed(resolution)


class Answers:
    """Gives answers; used on the loop's thread only."""

    def __init__(self, index: Index, judge: Judge, uid: int, clock: Clock) -> None:
        self.index = index
        self.judge = judge
        self._uid = uid
        self._clock = clock
        self._judged: OrderedDict[tuple[bytes, bytes], _Judged] = OrderedDict()

    def disk(self) -> Disk:
        """A fresh look at the disk."""
        return Disk(self._uid, self._clock)

    def answer(
        self,
        directory: bytes,
        overrides: Mapping[str, bytes],
        *,
        trail: bool = False,
        hurried: bool = False,
        moment: Moment | None = None,
    ) -> Answer:
        """What belongs to ``directory`` and what the user decided about it; see ``Index.resolve``."""
        moment = Moment(self._clock) if moment is None else moment
        resolution = self.index.resolve(directory, overrides, trail=trail, hurried=hurried, moment=moment)
        if trail or resolution.environment is None:
            return self.judge.join(resolution, self.disk())
        key = (resolution.root, resolution.environment.prefix)
        known = self._judged.get(key)
        if known is not None and known.of(resolution) and moment.holds(known.fingerprint):
            self._judged.move_to_end(key)
            if known.answer.resolution is not resolution:
                known.answer = msgspec.structs.replace(known.answer, resolution=resolution)
            return known.answer
        disk = self.disk()
        answer = self.judge.join(resolution, disk)
        self._judged[key] = _Judged(answer, self.index.sharing.fingerprint(disk.fingerprint()))
        while len(self._judged) > LIMIT:
            self._judged.popitem(last=False)
        return answer


def _weighed(found: Resolution) -> tuple[object, ...]:
    return found.condition, found.environment, found.evidence, found.linked, found.root or found.directory
