"""Messages as one msgpack frame, for the command and for editors.

Request: ``[protocol, id, {verb, …}]``. Reply: ``[protocol, version, id, [epoch, generation], directory, {verb, …}]``.
"""

from __future__ import annotations

import msgspec

from alight.errors import BadRequest
from alight.model import Stamp
from alight.wire.limits import MAX_MESSAGE, PROTOCOL
from alight.wire.messages import Header, Message
from alight.wire.requests import CommandReply, CommandRequest

REPLY_LIMIT = 16 * 1024 * 1024
"""Octets of one reply to the command: listings are larger than what shells are sent."""


UNREADABLE = (msgspec.MsgspecError, RecursionError, UnicodeDecodeError)
"""What decoding raises for octets that are no message; text that is not UTF-8 has an exception of its own."""


class Request(msgspec.Struct, frozen=True, array_like=True):
    """The envelope of a request."""

    protocol: int
    id: bytes
    body: CommandRequest


class Reply(msgspec.Struct, frozen=True, array_like=True):
    """The envelope of a reply."""

    protocol: int
    version: str
    id: bytes
    stamp: Stamp
    directory: bytes
    body: CommandReply


class _Head(msgspec.Struct, frozen=True, array_like=True):
    protocol: int
    id: bytes = b""


_encoder = msgspec.msgpack.Encoder()
_requests = msgspec.msgpack.Decoder(Request)
_replies = msgspec.msgpack.Decoder(Reply)
_heads = msgspec.msgpack.Decoder(_Head)


def encode_request(identifier: bytes, request: Message) -> bytes:
    """One frame of the command's request."""
    return _encoder.encode([PROTOCOL, identifier, request])


def decode_request(frame: bytes) -> tuple[bytes, Message]:
    """(request id, request); raises BadRequest for everything that does not fit."""
    if len(frame) > MAX_MESSAGE:
        raise BadRequest("too-large", f"at most {MAX_MESSAGE} octets a message")
    try:
        head = _heads.decode(frame)
    except UNREADABLE:
        raise BadRequest("bad-message", "neither shell frames nor a msgpack request") from None
    if head.protocol != PROTOCOL:
        raise BadRequest("bad-protocol", f"this daemon speaks protocol {PROTOCOL}")
    try:
        request = _requests.decode(frame)
    except msgspec.ValidationError as error:
        code = "unknown-verb" if "Invalid value" in str(error) and "verb" in str(error) else "bad-field"
        raise BadRequest(code, str(error)) from None
    except UNREADABLE:
        raise BadRequest("bad-message", "not a msgpack request") from None
    return request.id, request.body


def encode_reply(header: Header, reply: Message) -> bytes:
    """One frame of the daemon's reply."""
    return _encoder.encode([PROTOCOL, header.version, header.id, header.stamp, header.directory, reply])


def decode_reply(frame: bytes) -> tuple[Header, Message]:
    """The inverse of ``encode_reply``; raises BadRequest for anything else."""
    if len(frame) > REPLY_LIMIT:
        raise BadRequest("too-large", "the reply is larger than any daemon sends")
    try:
        reply = _replies.decode(frame)
    except UNREADABLE:
        raise BadRequest("bad-message", "the reply is not one of this protocol") from None
    return Header(reply.version, reply.id, reply.stamp, reply.directory), reply.body
