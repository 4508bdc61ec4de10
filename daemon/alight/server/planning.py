"""Plans for questions, kept for whoever asks the same again: most shells ask what was asked before."""

from __future__ import annotations

import os
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, replace

import msgspec

from alight.activation.ownership import Surroundings
from alight.activation.plan import Published, make_plan
from alight.activation.session import Session
from alight.digest import blake2b
from alight.files.disk import Disk, Fingerprint
from alight.files.moment import Moment
from alight.model import Answer, Environment, Resolution
from alight.server.handlers_base import Surface
from alight.text import display
from alight.trust.answers import Answers
from alight.wire.messages import Ask, Plan

PLANS_LIMIT = 2048
"""Plans that are kept; one takes 2 to 6 KiB."""

Resolved = Callable[[bytes], Resolution]


@dataclass(frozen=True, slots=True)
class Planned:
    """A plan, and when the latest of its witnesses was changed (wall clock); 0 when none is there."""

    plan: Plan
    newest_ns: int


@dataclass(frozen=True, slots=True)
class _Kept:
    """A plan and all that decided it: the answer, what was looked at, and what was found in other directories."""

    planned: Planned
    answer: Answer
    fingerprint: Fingerprint
    others: tuple[tuple[bytes, Resolution], ...]


class Planner:
    """Makes plans and keeps them; used on the loop's thread only."""

    def __init__(self, answers: Answers, surface: Surface) -> None:
        self._answers = answers
        self._surface = surface
        self._kept: OrderedDict[bytes, _Kept] = OrderedDict()

    def plan(self, ask: Ask, session: Session, answer: Answer, moment: Moment, *, hurried: bool) -> Planned:
        """What the shell that asks should do, this being the answer; with the project's mark of now."""

        def resolved(directory: bytes) -> Resolution:
            return self._answers.index.resolve(directory, session.variables, hurried=hurried, moment=moment)

        published = self._published(answer)
        key = _key(ask)
        kept = self._kept.get(key)
        if (
            kept is not None
            and kept.answer == answer
            and moment.holds(kept.fingerprint)
            and all(resolved(directory) is found for directory, found in kept.others)
        ):
            self._kept.move_to_end(key)
            planned = kept.planned
            if planned.plan.mark == published.mark:
                return planned
            return replace(planned, plan=msgspec.structs.replace(planned.plan, mark=published.mark))
        disk, others = self._answers.disk(), list[tuple[bytes, Resolution]]()

        def noted(directory: bytes) -> Resolution:
            found = resolved(directory)
            others.append((directory, found))
            return found

        surface = self._surface
        plan = make_plan(
            session,
            answer,
            _surroundings(answer, disk, noted),
            _described(session.active, answer, noted),
            disk,
            published,
            segment=surface.segment,
            wrapper=surface.wrapper,
        )
        planned = Planned(plan, _newest(plan, disk))
        fingerprint = self._answers.index.sharing.fingerprint(disk.fingerprint())
        if not fingerprint.racy:
            self._kept[key] = _Kept(planned, answer, fingerprint, tuple(others))
            while len(self._kept) > PLANS_LIMIT:
                self._kept.popitem(last=False)
        return planned

    def _published(self, answer: Answer) -> Published:
        news, root = self._surface.news, answer.resolution.root
        return Published(news.file_of(root), news.mark_of(root)) if news is not None else Published(b"", "")


def _key(ask: Ask) -> bytes:
    """The same for questions that get the same plan: neither who asks nor how the last command ended is in it."""
    same = msgspec.msgpack.encode(msgspec.structs.replace(ask, pid=0, status=0))
    return blake2b(same, 16).digest()


def _newest(plan: Plan, disk: Disk) -> int:
    """When the latest witness was changed; that others are absent follows from the folders they are not in, mostly."""
    newest_ns = 0
    for path in (plan.witness_1, plan.witness_2, plan.witness_3, plan.witness_4):
        if path:
            disk.stat(os.path.dirname(path))
            disk.realpath(path)
            facts = disk.stat(path)
            newest_ns = max(newest_ns, facts.st_mtime_ns if facts is not None else 0)
    return newest_ns


def _surroundings(answer: Answer, disk: Disk, resolved: Resolved) -> Surroundings:
    def same(one: bytes, other: bytes) -> bool:
        return one == other or disk.realpath(one) == disk.realpath(other)

    def alive(prefix: bytes) -> bool:
        # virtualenv before version 20 writes no pyvenv.cfg, and some images set VIRTUAL_ENV=/usr.
        marks = (b"/pyvenv.cfg", b"/conda-meta", b"/bin/python", b"/bin/python3")
        return any(disk.exists(prefix + mark) for mark in marks)

    def elsewhere(prefix: bytes) -> bool:
        around = resolved(os.path.dirname(prefix))
        return (
            around.environment is not None
            and around.confidence in ("certain", "high", "medium")
            and same(around.environment.prefix, prefix)
            and around.root != answer.resolution.root
        )

    return Surroundings(same, alive, elsewhere)


def _described(prefix: bytes, answer: Answer, resolved: Resolved) -> Environment | None:
    """The environment that a shell has on."""
    if not prefix:
        return None
    own = answer.resolution.environment
    if own is not None and own.prefix == prefix:
        return own
    around = resolved(prefix).environment
    path = os.path.normpath(prefix)
    if around is not None and around.prefix == path:
        return around
    # Active, though none that is recognised; what lies around it is something else.
    name = display(os.fsdecode(os.path.basename(path)))
    return Environment(prefix, "venv", "", name, "", prefix + b"/bin/python", None, ())
