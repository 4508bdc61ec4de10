"""The command's end of the wire: one request, one reply, one deadline."""

from __future__ import annotations

import os

from alight import query
from alight.errors import BadRequest, DeadlineExpired, Unreachable
from alight.paths import RuntimePlaces
from alight.wire import codec
from alight.wire.messages import Failure, Header, Message

DEADLINE_SECONDS = 2.0


class Client:
    """Asks the daemon of ``places``; each request is a connection of its own."""

    def __init__(self, places: RuntimePlaces, deadline: float = DEADLINE_SECONDS) -> None:
        self._socket = os.fsencode(places.socket)
        self._deadline = deadline

    def request(self, message: Message) -> tuple[Header, Message]:
        """The reply to ``message``.

        Raises Unreachable when nobody is there, DeadlineExpired when somebody is but does not answer in time, and
        BadRequest with the daemon's code when it answers with a Failure or with something else than this protocol.
        """
        header, reply = self._exchange(message)
        if isinstance(reply, Failure):
            raise BadRequest(reply.code, reply.message)
        return header, reply

    def _exchange(self, message: Message) -> tuple[Header, Message]:
        identifier = query.identifier()
        frame = codec.encode_request(identifier, message)
        try:
            frames = query.exchange(
                self._socket,
                [frame],
                self._deadline,
                limit=codec.REPLY_LIMIT,
                accept=lambda reply: len(reply) != 1 or codec.decode_reply(reply[0])[0].id == identifier,
            )
        except query.Expired as error:
            raise DeadlineExpired(
                f"the daemon did not answer within {self._deadline:g} s", "alight daemon restart"
            ) from error
        except query.Incompatible as error:
            raise BadRequest("bad-protocol", f"the daemon's socket does not speak this protocol: {error}") from error
        except query.ExchangeError as error:
            raise Unreachable("no daemon is running", "alight daemon start") from error
        if len(frames) != 1:
            raise BadRequest("bad-message", "the reply has more than one frame")
        return codec.decode_reply(frames[0])
