"""What a verb gets from outside: the caller's variables, and somebody who answers.

``Service`` is the whole of what verbs know of the daemon; tests pass their own.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, NamedTuple, Protocol, TypeVar

from alight.cli import render
from alight.errors import AlightError, BadRequest, DeadlineExpired, Unreachable, UnsafeDirectory

if TYPE_CHECKING:
    from alight.model import Answer
    from alight.paths import Places
    from alight.settings import Settings
    from alight.wire.messages import Header, Message

DEADLINE_SECONDS = 3.0
"""A person at a command waits longer than a prompt does; after this a daemon counts as stuck."""

FOLLOWING_SECONDS = 15.0
"""The same for a request that the daemon keeps open for ten."""

SETTLING_SECONDS = 2.0
"""How long a command asks on while the daemon is still reading what decides its answer."""

_STALE = ("bad-protocol", "unknown-verb")

_R = TypeVar("_R", bound="Message")


class Service(Protocol):
    """Answers one request at a time: the daemon, or the same code in this process."""

    def request(self, message: Message) -> tuple[Header, Message]:
        """The reply and its header; raises Unreachable when there is nobody."""


class Session(NamedTuple):
    """One run of the command.

    ``running`` gives the daemon as it is; ``deciding`` the daemon, started when it is down; ``reading`` the same, or
    this process itself where none can be started; ``following`` is as ``deciding``, for requests that are kept open.
    They raise Unreachable or UnsafeDirectory.
    """

    environ: Mapping[bytes, bytes]
    reading: Callable[[], Service]
    deciding: Callable[[], Service]
    running: Callable[[], Service]
    places: Callable[[], Places]
    settings: Callable[[], Settings]
    following: Callable[[], Service] = lambda: _Daemon(FOLLOWING_SECONDS)

    def read(self, message: Message, kind: type[_R]) -> tuple[Header, _R]:
        """Ask a question that changes nothing."""
        return ask(self.reading(), message, kind)

    def decide(self, message: Message, kind: type[_R]) -> tuple[Header, _R]:
        """Ask for a change, which the daemon alone makes."""
        return ask(self.deciding(), message, kind)

    @property
    def variables(self) -> tuple[bytes, ...]:
        """The frames that describe the caller's environment."""
        from alight.wire.facts import collect

        return collect(self.environ)

    def audited(self, answer: Answer) -> Answer:
        """The answer with what takes longer to find out; done here, so that no shell waits for it."""
        from alight.clock import SystemClock
        from alight.files.disk import Disk
        from alight.health.audit import audited
        from alight.wire.facts import parse

        return audited(answer, parse(self.variables), Disk(os.getuid(), SystemClock()))


def ask(service: Service, message: Message, kind: type[_R]) -> tuple[Header, _R]:
    """The reply of the kind that belongs to the question; raises AlightError, with the next step, for a failure."""
    from alight.wire.messages import Failure
    from alight.wire.requests import AnswerReply

    patience = time.monotonic() + SETTLING_SECONDS
    while True:
        try:
            header, reply = service.request(message)
        except BadRequest as error:
            raise _explained(error.code, str(error)) from error
        # A daemon that has just started is still reading the pools, and reads on with each question.
        if not isinstance(reply, AnswerReply) or reply.settled or time.monotonic() > patience:
            break
    if isinstance(reply, kind):
        return header, reply
    if isinstance(reply, Failure):
        raise _explained(reply.code, reply.message)
    raise AlightError(f"the daemon answered {reply.VERB}, not {kind.VERB}", "alight daemon restart")


def _explained(code: str, message: str) -> AlightError:
    if code in _STALE:
        return AlightError(f"the daemon is of another version ({message})", "alight daemon restart")
    if code == "unsafe-directory":
        return UnsafeDirectory(message)
    return AlightError(message if code == "internal" else f"{message} ({code})")


def of_process() -> Session:
    """The session of this very process."""
    return Session(
        environ=os.environb,
        reading=_Fallback,
        deciding=_Daemon,
        running=_running,
        places=process_places,
        settings=process_settings,
    )


def process_places() -> Places:
    """Where this user's files are."""
    from alight.paths import places

    return places(os.environ, os.getuid())


def process_settings() -> Settings:
    """The settings as the user's config file has them; raises SettingsError."""
    from alight.settings import load

    return load(process_places().config_file, os.environ)


def _running(deadline: float = DEADLINE_SECONDS) -> Service:
    from alight.client import Client
    from alight.paths import RuntimePlaces, runtime_directory

    return Client(RuntimePlaces(runtime_directory(os.environ, os.getuid())), deadline)


class _Daemon:
    """The daemon, started when nobody is there. One that is there but silent is not started twice."""

    def __init__(self, deadline: float = DEADLINE_SECONDS) -> None:
        self._deadline = deadline

    def request(self, message: Message) -> tuple[Header, Message]:
        client = _running(self._deadline)
        try:
            return client.request(message)
        except DeadlineExpired:
            raise
        except Unreachable:
            from alight.lifecycle.start import start

            start(process_places(), os.getuid())
            return client.request(message)


class _Fallback:
    """The daemon; when it cannot be started or does not answer, this process, which says so once."""

    def __init__(self) -> None:
        self._here: Service | None = None

    def request(self, message: Message) -> tuple[Header, Message]:
        if self._here is None:
            try:
                return _Daemon().request(message)
            except (Unreachable, UnsafeDirectory) as error:
                here = _Here()
                first = str(error).partition("\n")[0]
                render.note(f"{first}; answered without it (alight daemon start says more)")
                self._here = here
        return self._here.request(message)


class _Here:
    """The daemon's own handler, called in this process."""

    def __init__(self) -> None:
        from alight.app import local_handler

        self._handler = local_handler(process_places(), process_settings())

    def request(self, message: Message) -> tuple[Header, Message]:
        from alight import __version__
        from alight.model import Stamp
        from alight.wire.messages import Header

        reply = self._handler.handle(message, None)
        assert reply is not None, "without a peer every request is answered at once"
        return Header(__version__, b"", Stamp("", 0), b""), reply
