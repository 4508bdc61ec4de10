"""Raw frames in, raw frames out; whatever happens in between, the daemon lives on.

One frame is msgpack (``codec``) or a packed message of a shell, three or more are a shell's (``shellframe``).
Everything that does not fit is answered by a ``Failure`` in the encoding it came in.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import msgspec

from alight import __version__
from alight.errors import AlightError, BadRequest, UnsafeDirectory
from alight.files.moment import Moment
from alight.model import Stamp
from alight.server.boundary import contained
from alight.server.handlers_base import Handler, Peer
from alight.server.news import News
from alight.wire import codec, shellframe
from alight.wire.limits import MAX_FRAME
from alight.wire.messages import Ask, Failure, Header, Listen, Message, Note, Ping, Plan
from alight.wire.requests import Follow

ID_LIMIT = 32
"""Octets of a request id (PROTOCOL.md 3)."""

# Where ``directory`` stands in a shell's request, so that a reply to an unreadable one can still repeat it.
_DIRECTORY_FRAME = {
    kind.VERB.encode(): 3 + [field.name for field in msgspec.structs.fields(kind)].index("directory")
    for kind in (Ask, Note, Listen, Ping)
}


_INTERNAL = Failure("internal", "the daemon failed on this request; alight daemon logs has the details")


class _Place(msgspec.Struct):
    directory: bytes = b""


class _Head(msgspec.Struct, array_like=True):
    protocol: Any
    id: bytes = b""
    body: msgspec.Raw = msgspec.Raw(b"\x80")


class Dispatcher:
    """Turns one message into one reply; ``news`` supplies the stamp and remembers who listens.

    ``send`` takes what is answered later: a routing id and frames; it is False when the peer is gone.
    """

    def __init__(
        self,
        handler: Handler,
        news: News,
        log: logging.Logger,
        send: Callable[[bytes, Sequence[bytes]], bool] | None = None,
    ) -> None:
        self._handler = handler
        self._news = news
        self._log = log
        self._send = send

    def dispatch(self, frames: Sequence[bytes], peer: Peer, moment: Moment) -> list[bytes] | None:
        """The reply's frames, or None for what is answered later: a ``listen`` by news, a ``follow`` by events.

        The ``moment`` began after the message came.
        """
        is_packed = len(frames) == 1 and shellframe.is_packed(frames[0])
        is_shell = is_packed or len(frames) != 1
        identifier, directory = b"", b""
        try:
            if is_packed:
                frames = shellframe.unpack(frames[0])
            identifier, directory = _salvage_shell(frames) if is_shell else _salvage_msgpack(frames[0])
            identifier, request = shellframe.decode_request(frames) if is_shell else codec.decode_request(frames[0])
            if not 1 <= len(identifier) <= ID_LIMIT:
                raise BadRequest("bad-field", f"an id has 1 to {ID_LIMIT} octets")
            directory = getattr(request, "directory", b"")
            if isinstance(request, Follow) and self._send is not None:
                peer = replace(peer, reply=self._later(identifier, directory, peer.routing_id))
            answer = self._contained_answer(request, peer, moment)
            if answer is None:
                return None
            reply = answer
        except AlightError as error:
            reply = _failure(error)
        header = self._header(identifier[:ID_LIMIT], directory)
        encoded = contained(
            self._log, f"the encoding of a {reply.VERB}", lambda: _encode(header, reply, is_shell=is_shell), None
        ) or _encode(header, _INTERNAL, is_shell=is_shell)
        if isinstance(reply, Plan):
            self._news.follow(peer.routing_id, reply.root, reply.mark)
        return [shellframe.pack(encoded)] if is_packed else encoded

    def news_frames(self, message: Message) -> list[bytes]:
        """An unsolicited message for a shell: its id is empty."""
        return shellframe.encode_reply(self._header(b"", b""), message)

    def _contained_answer(self, request: Message, peer: Peer, moment: Moment) -> Message | None:
        otherwise: Message | None = _INTERNAL
        return contained(self._log, f"a {request.VERB} request", lambda: self._answer(request, peer, moment), otherwise)

    def _answer(self, request: Message, peer: Peer, moment: Moment) -> Message | None:
        if isinstance(request, Listen):
            self._news.listen(peer.routing_id, request.root, request.mark)
            return None
        return self._handler.handle(request, peer, moment)

    def _later(self, identifier: bytes, directory: bytes, routing_id: bytes) -> Callable[[Message], bool]:
        def send(reply: Message) -> bool:
            encoded = _encode(self._header(identifier, directory), reply, is_shell=False)
            return self._send is not None and self._send(routing_id, encoded)

        return send

    def _header(self, identifier: bytes, directory: bytes) -> Header:
        stamp: Stamp = self._news.stamp
        return Header(__version__, identifier, stamp, directory)


def _failure(error: AlightError) -> Failure:
    if isinstance(error, BadRequest):
        return Failure(error.code, str(error))
    message = f"{error}; {error.remedy}" if error.remedy else str(error)
    return Failure("unsafe-directory" if isinstance(error, UnsafeDirectory) else "internal", message)


def _encode(header: Header, reply: Message, *, is_shell: bool) -> list[bytes]:
    if is_shell:
        frames = shellframe.encode_reply(header, reply)
        try:
            shellframe.check_bounds(frames)
        except BadRequest as error:
            return shellframe.encode_reply(header, Failure(error.code, f"the reply does not fit: {error}"))
        return frames
    frame = codec.encode_reply(header, reply)
    if len(frame) > codec.REPLY_LIMIT:
        frame = codec.encode_reply(header, Failure("too-large", "the reply does not fit"))
    return [frame]


def _salvage_shell(frames: Sequence[bytes]) -> tuple[bytes, bytes]:
    if len(frames) < 3:
        return b"", b""
    position = _DIRECTORY_FRAME.get(frames[1], len(frames))
    directory = frames[position] if position < len(frames) else b""
    return frames[2], directory if len(directory) <= MAX_FRAME else b""


def _salvage_msgpack(frame: bytes) -> tuple[bytes, bytes]:
    head = _Head(None)
    try:
        head = msgspec.msgpack.decode(frame, type=_Head)
        return head.id, msgspec.msgpack.decode(head.body, type=_Place).directory
    except codec.UNREADABLE:
        return head.id, b""
