"""The requests of the protocol, each with the method that answers it. No sockets here."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from alight.clock import Clock
from alight.errors import BadRequest
from alight.files.moment import Moment
from alight.server.command_handlers import CommandHandlers
from alight.server.handlers_base import Peer, Surface, absolute
from alight.server.shell_handlers import ShellHandlers
from alight.trust.answers import Answers
from alight.trust.maker import Makers
from alight.wire import facts
from alight.wire.messages import Always, Ask, Done, Guard, Message, Note, Ping, Pong
from alight.wire.requests import (
    Check,
    Decide,
    Follow,
    FollowReply,
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
        self._commands = CommandHandlers(answers, surface.news, surface.watch, clock, self._shells.decided)
        self._answers = answers
        self._surface = surface
        self._clock = clock
        self._guards: GuardHandlers | None = None

    def handle(self, request: Message, peer: Peer | None, moment: Moment | None = None) -> Message | None:
        """The reply, None for one that is given later; raises AlightError for what a person should hear.

        The ``moment`` began after the request came; it is over when the request may change the disk.
        """
        moment = Moment(self._clock) if moment is None else moment
        if not isinstance(request, Ask):
            moment.over()
        match request:
            case Ask():
                return self._shells.ask(request, moment)
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
            case Follow():
                return self._follow(request, peer)
            case Check():
                # Imported here: the grammar and the installers' rules are no part of a daemon's first answer.
                from alight.server.check_handlers import CheckHandlers

                return CheckHandlers(self._answers).check(request)
            case Decide():
                return self._commands.decide(request)
            case TrustTree():
                reply = self._commands.trust_tree(request)
                self._shells.reconsider(push=False)
                return reply
            case TrustList():
                return self._commands.decisions()
            case TrustRevoke():
                reply = self._commands.revoke(request)
                self._shells.reconsider(push=False)
                return reply
            case Guard():
                return self.guards().guard(request)
            case Always():
                return self.guards().always(request)
            case Stop():
                self._surface.stop("asked to stop")
                return Done()
            case _:
                raise BadRequest("unknown-verb", "no such request")

    def _follow(self, request: Follow, peer: Peer | None) -> FollowReply | None:
        directory, news = absolute(request.directory), self._surface.news
        self._shells.attend(directory, facts.parse(request.variables))
        followers = self._shells.followers
        last = followers.events.last
        is_mine = news is not None and request.epoch == news.stamp.epoch
        if peer is None or request.after < 0 or not is_mine or request.after > last:
            # Whoever followed another daemon hears at once that this is a new one, with all that happened since.
            events = followers.events.after(last if request.after < 0 else 0)
            return FollowReply(events, events[-1].sequence if events else last)
        return followers.follow(peer.routing_id, request.after, peer.reply)

    def guards(self) -> GuardHandlers:
        """What answers at Enter; made at the first call, which costs as much as a start of Python."""
        # Imported here: the grammar and the installers' rules are no part of a daemon's first answer.
        from alight.server.guard_handlers import GuardHandlers

        if self._guards is None:
            self._guards = GuardHandlers(self._answers, self._surface.guard)
        return self._guards

    @property
    def roots(self) -> tuple[bytes, ...]:
        """Every root that was asked about, the latest last."""
        return self._shells.roots

    def heard(self, root: bytes, moment: Moment | None = None) -> None:
        """Something changed on disk about ``root``: tell the shells when the answer did."""
        self._shells.heard(root, moment)

    def reconsider(self) -> None:
        """Something changed that may concern any project."""
        self._shells.reconsider()
