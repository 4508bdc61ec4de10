"""What shells ask and tell: joins what the layers below know into a plan. No sockets here."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from functools import partial

import msgspec

from alight.activation.session import Session
from alight.clock import Clock
from alight.errors import UnsafeDirectory
from alight.files.moment import Moment
from alight.model import Answer, Resolution
from alight.server.followers import Followers
from alight.server.handlers_base import Surface, absolute
from alight.server.news import PROJECT_LIMIT, News
from alight.server.planning import Planner
from alight.trust.answers import Answers
from alight.trust.maker import Makers
from alight.wire import facts
from alight.wire.messages import Ask, Done, Note, Plan

COVERED_SECONDS = 2.0
"""How long what the watch was told need not be told again."""

COARSE_CLOCK_NS = 10_000_000
"""File times may lag the precise clock by one tick of the kernel (at most 10 ms)."""


class ShellHandlers:
    """Answers ``Ask`` and ``Note``; ``questions`` counts the answered ``Ask``s, ``followers`` hear of events."""

    def __init__(self, answers: Answers, makers: Makers, surface: Surface, clock: Clock) -> None:
        self.questions = 0
        self._answers = answers
        self._planner = Planner(answers, surface)
        self._makers = makers
        self._surface = surface
        self._news = surface.news
        self._watch = surface.watch
        self._clock = clock
        self.followers = Followers(clock, surface.later)
        self._events = self.followers.events
        # root -> the last question about it and its answer, to tell news from noise
        self._asked: OrderedDict[bytes, tuple[bytes, Mapping[str, bytes], Answer]] = OrderedDict()
        self._covered: dict[bytes, tuple[Resolution, float]] = {}

    def ask(self, ask: Ask, moment: Moment) -> Plan:
        """What the shell should do now; it had asked before the ``moment`` began."""
        self.questions += 1
        began_ns = moment.began_ns - COARSE_CLOCK_NS
        session = Session.of(ask)
        directory = absolute(ask.directory)
        hurried = self._is_watched
        answer = self._answers.answer(directory, session.variables, hurried=hurried, moment=moment)
        environment = answer.resolution.environment
        # Asked with or without an environment: a line that made none must not speak for what the next one unpacks.
        made = self._makers.made(ask.pid, ask.status, environment.prefix if environment else b"", self._answers.disk())
        if made and answer.state == "untrusted" and self._record_made(answer):
            moment.over()
            answer = self._answers.answer(directory, session.variables, hurried=hurried, moment=moment)
        self._observe(directory, session.variables, answer, watched=hurried)
        answer = self._settled(answer, moment)
        self._cover(answer)
        self._remember(directory, session.variables, answer)
        planned = self._planner.plan(ask, session, answer, moment, hurried=hurried)
        plan, news = planned.plan, self._news
        if news is not None and planned.newest_ns > news.written_ns(plan.root, moment):
            self._renew(news, plan.root, began_ns)
            plan = msgspec.structs.replace(plan, mark=news.mark_of(plan.root))
        return plan

    def note(self, note: Note) -> Done:
        """Remember a line that may make an environment."""
        variables = facts.parse(note.variables)
        directory = absolute(note.directory)
        project = self._answers.answer(directory, variables, hurried=self._is_watched).resolution.root
        self._makers.note(
            note.pid, note.line, note.word, directory, variables.get("PATH", b""), project, self._answers.disk()
        )
        return Done()

    def attend(self, directory: bytes, variables: Mapping[str, bytes]) -> None:
        """Somebody wants to hear of events here: know what belongs here, and watch it."""
        answer = self._answers.answer(directory, variables)
        root = answer.resolution.root or directory
        if root in self._asked:
            # By the variables of the shell that asked, as the next look will be: others would differ by themselves.
            self.heard(root)
        else:
            self._observe(directory, variables, answer)
            self._remember(directory, variables, answer, root)
        if self._watch is not None:
            self._watch.cover(root, self._answers.index.watch_paths(answer.resolution))

    def decided(self, directory: bytes, variables: Mapping[str, bytes], former: Answer, latter: Answer) -> None:
        """A decision of the user's made another answer of the former one."""
        root = former.resolution.root or directory
        if root in self._asked:
            self.heard(root, push=False)
            return
        if self._events.answer(root) is None:
            self._events.begin(root, former, self._answers.disk())
        self._observe(directory, variables, latter, push=False)

    @property
    def _is_watched(self) -> bool:
        """Whether the watch would have told of what a shell that waits need not look at."""
        return self._watch is not None and not self._watch.degraded

    @property
    def roots(self) -> tuple[bytes, ...]:
        """Every root, or directory without one, that was asked about, the latest last."""
        return tuple(self._asked)

    def heard(self, root: bytes, moment: Moment | None = None, *, push: bool = True) -> None:
        """Something changed on disk about ``root``: tell the shells when the answer did, or what belongs to it.

        A hint may be about anything; where nobody asked yet, or all is as it was, nobody is told. Without ``push`` the
        shells were told already.
        """
        last = self._asked.get(root)
        if last is None:
            return
        directory, variables, former = last
        answer = self._answers.answer(directory, variables, moment=moment)
        is_news = self._events.observe(root, answer, self._answers.disk(), partial(self.heard, root))
        if answer != former:
            self._remember(directory, variables, answer, root)
        if push and (is_news or answer != former):
            self._bump(former.resolution.root)

    def reconsider(self, *, push: bool = True) -> None:
        """Something changed that may concern any project: tell the shells of those whose answers did."""
        for root in tuple(self._asked):
            self.heard(root, push=push)

    def _observe(
        self,
        directory: bytes,
        variables: Mapping[str, bytes],
        answer: Answer,
        *,
        push: bool = True,
        watched: bool | None = None,
    ) -> None:
        """Tell what happened since the look before, which may have been from another directory of the project.

        Who asks may be the first to see it: what the watch tells of it later is no news any more, so the other shells
        are told here, unless they were already (without ``push``). They listen where the project was when they asked.
        """
        root = answer.resolution.root or directory
        known = self._events.answer(root)
        if known == answer and (self._is_watched if watched is None else watched):
            return  # whatever else happens, the watch tells: a shell at its prompt need not look
        if answer.resolution.root and known is None and self._events.answer(directory) is not None:
            root = directory  # it had no root before
        last = self._asked.get(root)
        if last is not None and last[:2] != (directory, variables) and _gist(last[2]) != _gist(answer):
            # Like is compared with like: what differs by directory or variables did not happen.
            self.heard(root, push=push)
            self._events.begin(root, answer, self._answers.disk())
            return
        is_news = self._events.observe(root, answer, self._answers.disk(), partial(self.heard, root))
        if last is not None and last[:2] == (directory, variables):
            is_news = is_news or last[2] != answer
        if push and is_news:
            self._bump(last[2].resolution.root if last is not None else answer.resolution.root)

    def _remember(
        self, directory: bytes, variables: Mapping[str, bytes], answer: Answer, root: bytes | None = None
    ) -> None:
        root = (answer.resolution.root or directory) if root is None else root
        asked = (directory, variables, answer)
        if self._asked.get(root) != asked:
            # What lives on is work for the garbage collector, which stops every answer.
            self._asked[root] = asked
        self._asked.move_to_end(root)
        while len(self._asked) > PROJECT_LIMIT:
            self._asked.popitem(last=False)

    def _settled(self, answer: Answer, moment: Moment) -> Answer:
        """The answer once the stamp is there that the hook will test: for a pool's environment it is written here."""
        try:
            if self._answers.judge.pools.settle(answer):
                moment.over()
        except (UnsafeDirectory, OSError) as error:
            reason = f"its approval cannot be recorded: {error}"
            return msgspec.structs.replace(answer, state="untrusted", reason=reason, stamp=b"")
        return answer

    def _record_made(self, answer: Answer) -> bool:
        try:
            return self._answers.judge.made(answer.resolution, self._answers.disk())
        except (UnsafeDirectory, OSError):
            # The user is asked instead, and `alight allow` tells what is wrong with the directory.
            return False

    @staticmethod
    def _renew(news: News, root: bytes, began_ns: int) -> None:
        """Keep "witness newer than the generation file" meaningful for every shell in the project.

        A witness changed since the file was written: other shells may have asked before it did, so they get a new mark.
        The file's time is that of the moment before the disk was read, so that a later change shows.
        """
        news.bump(root)
        news.touch(root, began_ns)

    def _cover(self, answer: Answer) -> None:
        """Have the folders of this answer watched, and again now and then: the watch forgets who is not asked about."""
        if self._watch is None:
            return
        found, now = answer.resolution, self._clock.monotonic()
        root = found.root or found.directory
        known = self._covered.get(root)
        if known is not None and known[0] is found and now - known[1] < COVERED_SECONDS:
            return
        if len(self._covered) >= PROJECT_LIMIT:
            self._covered.clear()
        self._covered[root] = (found, now)
        self._watch.cover(root, self._answers.index.watch_paths(found))

    def _bump(self, root: bytes) -> None:
        if self._news is not None:
            self._news.bump(root)


def _gist(answer: Answer) -> tuple[object, ...]:
    found = answer.resolution
    return found.environment, found.interpreter, found.project, answer.state
