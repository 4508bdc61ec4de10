"""The requests of the protocol, each with the method that answers it. No sockets here."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from alight.clock import Clock
from alight.errors import BadRequest
from alight.server.command_handlers import CommandHandlers
from alight.server.handlers_base import Peer, Surface
from alight.server.shell_handlers import ShellHandlers
from alight.trust.answers import Answers
from alight.trust.maker import Makers
from alight.wire.messages import Always, Ask, Done, Guard, Message, Note, Ping, Pong
from alight.wire.requests import (
    Check,
    Decide,
    GetAnswer,
    GetEnvironments,
    GetStatus,
    Stop,
    TrustList,
    TrustRevoke,
    TrustTree,
)

if TYPE_CHECKING:
    from alight.server.guard_handlers import GuardHandlers


class Handlers:
    """Answers every request of the protocol; called on the loop's thread, or in the command's own process."""

    def __init__(self, answers: Answers, makers: Makers, surface: Surface, clock: Clock) -> None:
        self._shells = ShellHandlers(answers, makers, surface, clock)
        self._commands = CommandHandlers(answers, surface.news, surface.watch, clock)
        self._answers = answers
        self._surface = surface
        self._guards: GuardHandlers | None = None

    def handle(self, request: Message, peer: Peer | None) -> Message:  # noqa: ARG002 - part of the Handler protocol
        """The reply; raises AlightError for what a person should hear."""
        match request:
            case Ask():
                return self._shells.ask(request)
            case Note():
                return self._shells.note(request)
            case Ping():
                return Pong(os.getpid())
            case GetAnswer():
                return self._commands.answer(request)
            case GetEnvironments():
                return self._commands.environments(request)
            case GetStatus():
                return self._commands.status(self._shells.questions)
            case Check():
                # Imported here: the grammar and the installers' rules are no part of a daemon's first answer.
                from alight.server.check_handlers import CheckHandlers

                return CheckHandlers(self._answers).check(request)
            case Decide():
                return self._commands.decide(request)
            case TrustTree():
                return self._commands.trust_tree(request)
            case TrustList():
                return self._commands.decisions()
            case TrustRevoke():
                return self._commands.revoke(request)
            case Guard():
                return self.guards().guard(request)
            case Always():
                return self.guards().always(request)
            case Stop():
                self._surface.stop("asked to stop")
                return Done()
            case _:
                raise BadRequest("unknown-verb", "no such request")

    def guards(self) -> GuardHandlers:
        """What answers at Enter; made at the first call, which costs as much as a start of Python."""
        # Imported here: the grammar and the installers' rules are no part of a daemon's first answer.
        from alight.server.guard_handlers import GuardHandlers

        if self._guards is None:
            self._guards = GuardHandlers(self._answers, self._surface.guard)
        return self._guards

    def heard(self, root: bytes) -> None:
        """Something changed on disk about ``root``: tell the shells when the answer did."""
        self._shells.heard(root)

    def reconsider(self) -> None:
        """Something changed that may concern any project."""
        self._shells.reconsider()
