"""What a shell asks at Enter: is there anything to say about this line? No sockets here."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import get_args

from alight.commandline import closed
from alight.errors import BadNews
from alight.landing import dispatch, judge, question
from alight.landing.base import Context
from alight.model import GuardMode
from alight.server.check_handlers import CheckHandlers
from alight.trust.always import Always, Landed
from alight.trust.answers import Answers
from alight.wire.messages import Always as AlwaysRequest
from alight.wire.messages import Done, Guard, Verdict

MODES: tuple[GuardMode, ...] = get_args(GuardMode)


class GuardHandlers:
    """Answers ``Guard`` and ``Always``; ``mode`` is None when nobody has set it."""

    def __init__(self, answers: Answers, mode: GuardMode | None) -> None:
        self._answers = answers
        self._checks = CheckHandlers(answers)
        self._mode = mode
        self._always = Always(answers.judge.records)

    def guard(self, guard: Guard) -> Verdict:
        """What to do with the line; raises BadRequest for fields that do not fit."""
        variables = tuple(frame for frame in guard.frames if b" " not in frame.partition(b"=")[0])
        words = tuple(frame for frame in guard.frames if b" " in frame.partition(b"=")[0])
        caller = self._checks.caller(guard.directory, guard.shell, variables, words)
        mode = self._mode_of(caller.variables)
        if mode == "off":
            return Verdict("run")
        line = closed(guard.before, guard.line, guard.shell)
        if line is None:
            return Verdict("run")
        found = question.within(self._found(line, guard.shell, caller), len(guard.before))
        token = os.urandom(8).hex()
        reply = question.verdict(found, mode, len(guard.before), guard.shell, self._is_silenced, token)
        if reply.act == "ask":
            self._always.offer(token, tuple(dict.fromkeys(_landed(one) for one in found if one.is_bad)))
        return reply

    def always(self, request: AlwaysRequest) -> Done:
        """Remember "always here"; raises BadNews when the question is too old, UnsafeDirectory or OSError."""
        try:
            if not self._always.record(request.token):
                raise BadNews("that question is too old to be remembered", "it will be asked again")
        except OSError as error:
            raise BadNews(
                f"this cannot be remembered: {error}", "`alight status` shows where decisions are kept"
            ) from error
        return Done()

    def _found(self, line: bytes, shell: str, caller: Context) -> list[question.Found]:
        answering = self._answers.answer
        return [
            question.Found(
                judge.judge(simple, context, prediction, answering),
                None if simple is None else question.place_of(simple),
                answering(context.directory, context.variables),
            )
            for simple, context, prediction in dispatch.predictions(line, shell, caller)
        ]

    def _is_silenced(self, found: question.Found) -> bool:
        return self._always.holds(_landed(found))

    def _mode_of(self, variables: Mapping[str, bytes]) -> GuardMode:
        """``ALIGHT_GUARD``, else the settings, else ``ask``, where nobody answers (CI) ``off``."""
        wanted = variables.get("ALIGHT_GUARD", b"").decode("utf-8", "replace")
        given: GuardMode | None = next((mode for mode in MODES if mode == wanted), self._mode)
        return given or ("off" if variables.get("CI") else "ask")


def _landed(found: question.Found) -> Landed:
    landing = found.install.landing
    return Landed(found.answer.resolution.root, found.install.tool, b"" if landing is None else landing.prefix)
