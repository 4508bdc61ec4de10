"""What the command and editors ask: answers, listings, decisions. No sockets here."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping

from alight.clock import Clock
from alight.errors import BadNews, BadRequest
from alight.model import Answer
from alight.server.handlers_base import Watcher, absolute
from alight.server.news import News
from alight.trust.answers import Answers
from alight.trust.pins import pinned
from alight.wire import facts
from alight.wire.requests import (
    AnswerReply,
    Decide,
    Decision,
    DecisionsReply,
    EnvironmentsReply,
    GetAnswer,
    GetEnvironments,
    StatusReply,
    TrustRevoke,
    TrustTree,
)

PAGE_NS = 10_000_000
"""What one page may take, so that shells are served in between."""


Decided = Callable[[bytes, Mapping[str, bytes], Answer, Answer], None]
"""Hears of a decision: directory, variables, the answer before and after."""


class CommandHandlers:
    """Answers what one run of the command asks, and records what it decides."""

    def __init__(
        self, answers: Answers, news: News | None, watch: Watcher | None, clock: Clock, decided: Decided
    ) -> None:
        self._decided = decided
        self._answers = answers
        self._news = news
        self._watch = watch
        self._clock = clock
        self._started = clock.monotonic()

    def answer(self, request: GetAnswer) -> AnswerReply:
        """What belongs to the directory."""
        variables = facts.parse(request.variables)
        answer = self._answers.answer(absolute(request.directory), variables, trail=request.trail)
        return AnswerReply(answer, settled=self._answers.index.settled)

    def environments(self, request: GetEnvironments) -> EnvironmentsReply:
        """A page of the environments that are known, the first with every interpreter."""
        index, variables = self._answers.index, facts.parse(request.variables)
        if request.directory and not request.after:
            index.resolve(absolute(request.directory), variables)
        page = index.page(variables, request.after, PAGE_NS)
        interpreters = () if request.after else index.interpreters(variables)
        return EnvironmentsReply(page.environments, interpreters, page.total, page.more)

    def status(self, questions: int) -> StatusReply:
        """The daemon about itself."""
        watch, news = self._watch, self._news
        return StatusReply(
            pid=os.getpid(),
            degraded=watch.degraded if watch is not None else ("watching: switched off",),
            uptime_seconds=round(self._clock.monotonic() - self._started, 1),
            watched=watch.watched if watch is not None else 0,
            projects=news.projects if news is not None else 0,
            questions=questions,
        )

    def decide(self, request: Decide) -> AnswerReply:
        """Record the user's word about what belongs to the directory."""
        directory = absolute(request.directory)
        variables = facts.parse(request.variables)
        answer = self._answers.answer(directory, variables)
        if answer.resolution.environment is None and pinned(answer.resolution) is None:
            return AnswerReply(answer, settled=self._answers.index.settled)
        if request.decision not in ("allow", "deny"):
            raise BadRequest("bad-field", "a decision is allow or deny")
        judge, disk = self._answers.judge, self._answers.disk()
        try:
            recorded = (judge.allow if request.decision == "allow" else judge.deny)(answer.resolution, disk)
        except BadNews as error:
            return AnswerReply(answer, str(error), (error.remedy,) if error.remedy else ())
        self._changed(answer.resolution.root)
        latter = self._answers.answer(directory, variables)
        self._decided(directory, variables, answer, latter)
        return AnswerReply(latter, recorded.message, recorded.warnings)

    def trust_tree(self, request: TrustTree) -> DecisionsReply:
        """Trust everything below a directory."""
        recorded = self._answers.judge.trust_tree(absolute(request.directory), self._answers.disk())
        self._changed(b"", everywhere=True)
        return self.decisions(recorded.message)

    def revoke(self, request: TrustRevoke) -> DecisionsReply:
        """Forget a decision."""
        try:
            recorded = self._answers.judge.revoke(request.which)
        except BadNews as error:
            return self.decisions(str(error))
        self._changed(b"", everywhere=True)
        return self.decisions(recorded.message)

    def decisions(self, message: str = "") -> DecisionsReply:
        """Every recorded decision."""
        listed = tuple(
            Decision(
                record.identifier,
                record.decision,
                os.fsencode(record.root),
                os.fsencode(record.prefix),
                record.since,
                record.tool,
            )
            for record in self._answers.judge.records.all()
        )
        return DecisionsReply(listed, message)

    def _changed(self, root: bytes, *, everywhere: bool = False) -> None:
        news = self._news
        if news is None:
            return
        if everywhere:
            news.bump_all()
        else:
            news.bump(root)
