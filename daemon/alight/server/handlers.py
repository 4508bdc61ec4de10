"""One method per request: joins what the layers below know into a reply. No sockets here."""

from __future__ import annotations

import os
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

import msgspec

from alight.activation.ownership import Surroundings
from alight.activation.plan import Published, make_plan
from alight.activation.session import Session
from alight.clock import Clock
from alight.errors import BadNews, BadRequest, UnsafeDirectory
from alight.files.disk import Disk
from alight.model import Answer, Environment
from alight.server.handlers_base import Peer
from alight.server.news import PROJECT_LIMIT, News
from alight.text import display
from alight.trust.answers import Answers
from alight.trust.maker import Makers
from alight.wire import facts
from alight.wire.messages import (
    AnswerReply,
    Ask,
    Decide,
    Decision,
    DecisionsReply,
    Done,
    EnvironmentsReply,
    GetAnswer,
    GetEnvironments,
    GetStatus,
    Message,
    Note,
    Ping,
    Plan,
    Pong,
    StatusReply,
    Stop,
    TrustList,
    TrustRevoke,
    TrustTree,
)

COARSE_CLOCK_NS = 10_000_000
"""File times may lag the precise clock by one tick of the kernel (at most 10 ms)."""


class Watcher(Protocol):
    """What the handlers tell the watch, and what it says about itself."""

    def cover(self, root: bytes, folders: tuple[bytes, ...]) -> None:
        """Watch these folders for ``root`` from now on."""

    @property
    def degraded(self) -> tuple[str, ...]:
        """Why events may be missing; empty when all is well."""

    @property
    def watched(self) -> int:
        """Watched folders."""


@dataclass(frozen=True)
class Surface:
    """What the handlers are given from outside: settings, the news, the watch, and how to stop."""

    news: News | None
    watch: Watcher | None
    stop: Callable[[str], None]
    segment: bool


class Handlers:
    """Answers every request of the protocol; called on the loop's thread, or in the command's own process."""

    def __init__(self, answers: Answers, makers: Makers, surface: Surface, clock: Clock) -> None:
        self._answers = answers
        self._makers = makers
        self._surface = surface
        self._clock = clock
        self._started = clock.monotonic()
        self._questions = 0
        # root -> the last question about it and its answer, to tell news from noise
        self._asked: OrderedDict[bytes, tuple[bytes, Mapping[str, bytes], Answer]] = OrderedDict()

    def handle(self, request: Message, peer: Peer | None) -> Message:  # noqa: ARG002 - part of the Handler protocol
        """The reply; raises AlightError for what a person should hear."""
        match request:
            case Ask():
                self._questions += 1
                return self._ask(request)
            case Note():
                return self._note(request)
            case Ping():
                return Pong(os.getpid())
            case GetAnswer(directory=directory, variables=variables, trail=trail):
                return AnswerReply(self._answers.answer(_absolute(directory), facts.parse(variables), trail=trail))
            case GetEnvironments(directory=directory, variables=variables):
                return self._environments(directory, facts.parse(variables))
            case GetStatus():
                return self._status()
            case Decide():
                return self._decide(request)
            case TrustTree(directory=directory):
                recorded = self._answers.judge.trust_tree(_absolute(directory), self._answers.disk())
                self._changed(b"", everywhere=True)
                return self._decisions(recorded.message)
            case TrustList():
                return self._decisions("")
            case TrustRevoke(which=which):
                return self._revoke(which)
            case Stop():
                self._surface.stop("asked to stop")
                return Done()
            case _:
                raise BadRequest("unknown-verb", "no such request")

    def heard(self, root: bytes) -> None:
        """Something changed on disk about ``root``: tell the shells when the answer did.

        A hint may be about anything; where nobody asked yet, or the answer is the same, nobody is told.
        """
        last = self._asked.get(root)
        if last is None:
            return
        directory, variables, former = last
        answer = self._answers.answer(directory, variables)
        if answer != former:
            self._remember(directory, variables, answer)
            self._changed(root)

    def _remember(self, directory: bytes, variables: Mapping[str, bytes], answer: Answer) -> None:
        root = answer.resolution.root
        self._asked[root] = (directory, variables, answer)
        self._asked.move_to_end(root)
        while len(self._asked) > PROJECT_LIMIT:
            self._asked.popitem(last=False)

    # --- shells ---

    def _ask(self, ask: Ask) -> Plan:
        began_ns = self._clock.wall_ns() - COARSE_CLOCK_NS
        session = Session.of(ask)
        directory = _absolute(ask.directory)
        answer = self._answers.answer(directory, session.variables)
        environment = answer.resolution.environment
        # Asked with or without an environment: a line that made none must not speak for what the next one unpacks.
        made = self._makers.made(ask.pid, ask.status, environment.prefix if environment else b"", self._answers.disk())
        if made and answer.state == "untrusted" and self._record_made(answer):
            self._changed(answer.resolution.root)
            answer = self._answers.answer(directory, session.variables)
        self._cover(answer)
        self._remember(directory, session.variables, answer)
        disk = self._answers.disk()
        surroundings = self._surroundings(answer, session, disk)
        active = self._describe(session.active, answer, session.variables)
        news = self._surface.news
        root = answer.resolution.root
        published = Published(news.file_of(root), news.mark_of(root)) if news is not None else Published(b"", "")
        plan = make_plan(session, answer, surroundings, active, disk, published, segment=self._surface.segment)
        if news is not None and self._refresh(news, plan, began_ns):
            plan = msgspec.structs.replace(plan, mark=news.mark_of(root))
        return plan

    def _record_made(self, answer: Answer) -> bool:
        try:
            return self._answers.judge.made(answer.resolution, self._answers.disk())
        except (UnsafeDirectory, OSError):
            # The user is asked instead, and `alight allow` tells what is wrong with the directory.
            return False

    def _refresh(self, news: News, plan: Plan, began_ns: int) -> bool:
        """Keep "witness newer than the generation file" meaningful for every shell in the project.

        When a witness changed since the file was written, other shells may have asked before it did: they get a new
        mark. The file's time is that of the moment before the disk was read, so a later change shows. True when there
        is a new mark.
        """
        try:
            written_ns = os.stat(plan.generation).st_mtime_ns
        except OSError:
            written_ns = 0
        witnesses = (plan.witness_1, plan.witness_2, plan.witness_3, plan.witness_4)
        if not any(_mtime_ns(path) > written_ns for path in witnesses if path):
            return False
        news.bump(plan.root)
        news.touch(plan.root, began_ns)
        return True

    def _note(self, note: Note) -> Done:
        variables = facts.parse(note.variables)
        directory = _absolute(note.directory)
        project = self._answers.answer(directory, variables).resolution.root
        self._makers.note(
            note.pid, note.line, note.word, directory, variables.get("PATH", b""), project, self._answers.disk()
        )
        return Done()

    def _surroundings(self, answer: Answer, session: Session, disk: Disk) -> Surroundings:
        def same(one: bytes, other: bytes) -> bool:
            return one == other or disk.realpath(one) == disk.realpath(other)

        def alive(prefix: bytes) -> bool:
            # virtualenv before version 20 writes no pyvenv.cfg, and some images set VIRTUAL_ENV=/usr.
            marks = (b"/pyvenv.cfg", b"/conda-meta", b"/bin/python", b"/bin/python3")
            return any(disk.exists(prefix + mark) for mark in marks)

        def elsewhere(prefix: bytes) -> bool:
            around = self._answers.index.resolve(os.path.dirname(prefix), session.variables)
            return (
                around.environment is not None
                and around.confidence in ("certain", "high", "medium")
                and same(around.environment.prefix, prefix)
                and around.root != answer.resolution.root
            )

        return Surroundings(same, alive, elsewhere)

    def _describe(self, prefix: bytes, answer: Answer, variables: Mapping[str, bytes]) -> Environment | None:
        if not prefix:
            return None
        own = answer.resolution.environment
        if own is not None and own.prefix == prefix:
            return own
        around = self._answers.index.resolve(prefix, variables).environment
        path = os.path.normpath(prefix)
        if around is not None and around.prefix == path:
            return around
        # Active, though none that is recognised; what lies around it is something else.
        name = display(os.fsdecode(os.path.basename(path)))
        return Environment(prefix, "venv", "", name, "", prefix + b"/bin/python", None, ())

    def _cover(self, answer: Answer) -> None:
        root = answer.resolution.root
        if self._surface.watch is not None and root:
            self._surface.watch.cover(root, self._answers.index.watch_paths(answer.resolution))

    # --- the command ---

    def _decide(self, request: Decide) -> AnswerReply:
        directory = _absolute(request.directory)
        variables = facts.parse(request.variables)
        answer = self._answers.answer(directory, variables)
        if answer.resolution.environment is None:
            return AnswerReply(answer)
        if request.decision not in ("allow", "deny"):
            raise BadRequest("bad-field", "a decision is allow or deny")
        judge, disk = self._answers.judge, self._answers.disk()
        try:
            recorded = (judge.allow if request.decision == "allow" else judge.deny)(answer.resolution, disk)
        except BadNews as error:
            return AnswerReply(answer, str(error), (error.remedy,) if error.remedy else ())
        self._changed(answer.resolution.root)
        return AnswerReply(self._answers.answer(directory, variables), recorded.message, recorded.warnings)

    def _revoke(self, which: bytes) -> DecisionsReply:
        try:
            recorded = self._answers.judge.revoke(which)
        except BadNews as error:
            return self._decisions(str(error))
        self._changed(b"", everywhere=True)
        return self._decisions(recorded.message)

    def _decisions(self, message: str) -> DecisionsReply:
        listed = tuple(
            Decision(
                record.identifier, record.decision, os.fsencode(record.root), os.fsencode(record.prefix), record.since
            )
            for record in self._answers.judge.records.all()
        )
        return DecisionsReply(listed, message)

    def _environments(self, directory: bytes, variables: Mapping[str, bytes]) -> EnvironmentsReply:
        index = self._answers.index
        if directory:
            index.resolve(_absolute(directory), variables)
        return EnvironmentsReply(tuple(index.environments(variables)), tuple(index.interpreters(variables)))

    def _status(self) -> StatusReply:
        watch, news = self._surface.watch, self._surface.news
        return StatusReply(
            pid=os.getpid(),
            degraded=watch.degraded if watch is not None else ("watching: switched off",),
            uptime_seconds=round(self._clock.monotonic() - self._started, 1),
            watched=watch.watched if watch is not None else 0,
            projects=news.projects if news is not None else 0,
            questions=self._questions,
        )

    def _changed(self, root: bytes, *, everywhere: bool = False) -> None:
        news = self._surface.news
        if news is None:
            return
        if everywhere:
            news.bump_all()
        else:
            news.bump(root)


def _absolute(directory: bytes) -> bytes:
    if not directory.startswith(b"/") or b"\0" in directory:
        raise BadRequest("bad-field", "a directory is an absolute path")
    return directory


def _mtime_ns(path: bytes) -> int:
    try:
        return os.stat(path).st_mtime_ns
    except OSError:
        return 0
