"""Messages as plain octet frames, for shells.

Request: ``protocol verb id field…``. Reply: ``protocol version id epoch generation directory verb field…``.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any, get_args, get_origin, get_type_hints

import msgspec

from alight.errors import BadRequest
from alight.model import Stamp
from alight.wire import messages
from alight.wire.limits import MAX_FRAME, MAX_FRAMES, MAX_MESSAGE, PROTOCOL
from alight.wire.messages import Header, Message, ShellReply, ShellRequest

_REQUESTS: dict[bytes, type[Message]] = {kind.VERB.encode(): kind for kind in get_args(ShellRequest)}
_REPLIES: dict[bytes, type[Message]] = {kind.VERB.encode(): kind for kind in get_args(ShellReply)}
_HEADER_FRAMES = 7


@cache
def _layout(kind: type[Message]) -> tuple[tuple[str, Any], ...]:
    hints = get_type_hints(kind, vars(messages))
    return tuple((field.name, hints[field.name]) for field in msgspec.structs.fields(kind))


def _is_rest(annotation: Any) -> bool:
    return get_origin(annotation) is tuple


def _encode(message: Message) -> list[bytes]:
    frames: list[bytes] = []
    for name, annotation in _layout(type(message)):
        value = getattr(message, name)
        if _is_rest(annotation):
            frames.extend(value)
        elif isinstance(value, bytes):
            frames.append(value)
        elif isinstance(value, bool):
            frames.append(b"1" if value else b"0")
        else:
            frames.append(str(value).encode("utf-8", "replace"))
    return frames


def _scalar(name: str, annotation: Any, frame: bytes) -> object:
    if annotation is bytes:
        return frame
    if annotation is bool:
        if frame not in (b"0", b"1"):
            raise BadRequest("bad-field", f"{name} is 0 or 1")
        return frame == b"1"
    if annotation is int:
        digits = frame[1:] if frame[:1] == b"-" else frame
        if not digits.isdigit() or len(digits) > 18:
            raise BadRequest("bad-field", f"{name} is a decimal number")
        return int(frame)
    try:
        text = frame.decode("utf-8")
    except UnicodeDecodeError:
        raise BadRequest("bad-field", f"{name} is UTF-8 text") from None
    allowed = get_args(annotation)
    if allowed and text not in allowed:
        raise BadRequest("bad-field", f"{name} is one of {', '.join(filter(None, allowed))}")
    return text


def _decode(kind: type[Message], frames: Sequence[bytes]) -> Message:
    layout = _layout(kind)
    fixed = [entry for entry in layout if not _is_rest(entry[1])]
    has_rest = len(fixed) != len(layout)
    if len(frames) < len(fixed) or (len(frames) > len(fixed) and not has_rest):
        raise BadRequest("bad-field", f"{kind.VERB} has {len(fixed)} fields, not {len(frames)}")
    values: dict[str, object] = {
        name: _scalar(name, annotation, frame) for (name, annotation), frame in zip(fixed, frames, strict=False)
    }
    if has_rest:
        values[layout[-1][0]] = tuple(frames[len(fixed) :])
    return kind(**values)


def check_bounds(frames: Sequence[bytes]) -> None:
    """Raise BadRequest when a message is larger than any peer may send."""
    if len(frames) > MAX_FRAMES:
        raise BadRequest("too-large", f"at most {MAX_FRAMES} frames a message")
    if any(len(frame) > MAX_FRAME for frame in frames) or sum(map(len, frames)) > MAX_MESSAGE:
        raise BadRequest("too-large", f"at most {MAX_FRAME} octets a frame and {MAX_MESSAGE} a message")


def encode_request(identifier: bytes, request: Message) -> list[bytes]:
    """The frames of a shell's request."""
    return [str(PROTOCOL).encode(), request.VERB.encode(), identifier, *_encode(request)]


def decode_request(frames: Sequence[bytes]) -> tuple[bytes, Message]:
    """(request id, request); raises BadRequest with the code that the reply will carry."""
    check_bounds(frames)
    if len(frames) < 3:
        raise BadRequest("bad-message", "a request has at least protocol, verb and id")
    if frames[0] != str(PROTOCOL).encode():
        raise BadRequest("bad-protocol", f"this daemon speaks protocol {PROTOCOL}")
    kind = _REQUESTS.get(frames[1])
    if kind is None:
        raise BadRequest("unknown-verb", "no such verb")
    return frames[2], _decode(kind, frames[3:])


def encode_reply(header: Header, reply: Message) -> list[bytes]:
    """The frames of a reply to a shell."""
    return [
        str(PROTOCOL).encode(),
        header.version.encode(),
        header.id,
        header.stamp.epoch.encode(),
        str(header.stamp.generation).encode(),
        header.directory,
        reply.VERB.encode(),
        *_encode(reply),
    ]


def decode_reply(frames: Sequence[bytes]) -> tuple[Header, Message]:
    """The inverse of ``encode_reply``; raises BadRequest for anything else."""
    check_bounds(frames)
    if len(frames) < _HEADER_FRAMES or frames[0] != str(PROTOCOL).encode():
        raise BadRequest("bad-protocol", f"a reply of protocol {PROTOCOL} has at least {_HEADER_FRAMES} frames")
    kind = _REPLIES.get(frames[6])
    if kind is None:
        raise BadRequest("unknown-verb", "no such reply")
    generation = _scalar("generation", int, frames[4])
    assert isinstance(generation, int)
    header = Header(
        version=frames[1].decode("utf-8", "replace"),
        id=frames[2],
        stamp=Stamp(frames[3].decode("utf-8", "replace"), generation),
        directory=frames[5],
    )
    return header, _decode(kind, frames[_HEADER_FRAMES:])
