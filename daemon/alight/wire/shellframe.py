"""Messages as plain octet frames, for shells.

Request: ``protocol verb id field…``. Reply: ``protocol version id epoch generation directory verb field…``. The same
fields may come packed into one frame, and are answered in kind.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any, NamedTuple, get_args, get_origin, get_type_hints

import msgspec

from alight.errors import BadRequest
from alight.model import Stamp
from alight.wire import messages
from alight.wire.limits import MAX_FRAME, MAX_FRAMES, MAX_MESSAGE, PROTOCOL
from alight.wire.messages import Header, Message, ShellReply, ShellRequest

_REQUESTS: dict[bytes, type[Message]] = {kind.VERB.encode(): kind for kind in get_args(ShellRequest)}
_REPLIES: dict[bytes, type[Message]] = {kind.VERB.encode(): kind for kind in get_args(ShellReply)}
_HEADER_FRAMES = 7


class _Field(NamedTuple):
    name: str
    kind: str  # octets | text | number | switch | rest
    allowed: tuple[str, ...]


@cache
def _layout(kind: type[Message]) -> tuple[_Field, ...]:
    hints = get_type_hints(kind, vars(messages))
    return tuple(_field(field.name, hints[field.name]) for field in msgspec.structs.fields(kind))


def _field(name: str, annotation: Any) -> _Field:
    if get_origin(annotation) is tuple:
        return _Field(name, "rest", ())
    kinds = {bytes: "octets", bool: "switch", int: "number"}
    return _Field(name, kinds.get(annotation, "text"), get_args(annotation))


def _encode(message: Message) -> list[bytes]:
    frames: list[bytes] = []
    for value in msgspec.structs.astuple(message):
        if isinstance(value, bytes):
            frames.append(value)
        elif isinstance(value, str):
            frames.append(value.encode("utf-8", "replace"))
        elif isinstance(value, tuple):
            frames += value
        else:
            frames.append(b"%d" % value)
    return frames


def _number(name: str, frame: bytes) -> int:
    digits = frame[1:] if frame[:1] == b"-" else frame
    if not digits.isdigit() or len(digits) > 18:
        raise BadRequest("bad-field", f"{name} is a decimal number")
    return int(frame)


def _scalar(field: _Field, frame: bytes) -> object:
    if field.kind == "octets":
        return frame
    if field.kind == "number":
        return _number(field.name, frame)
    if field.kind == "switch":
        if frame not in (b"0", b"1"):
            raise BadRequest("bad-field", f"{field.name} is 0 or 1")
        return frame == b"1"
    try:
        text = frame.decode("utf-8")
    except UnicodeDecodeError:
        raise BadRequest("bad-field", f"{field.name} is UTF-8 text") from None
    if field.allowed and text not in field.allowed:
        raise BadRequest("bad-field", f"{field.name} is one of {', '.join(filter(None, field.allowed))}")
    return text


def _decode(kind: type[Message], frames: Sequence[bytes]) -> Message:
    layout = _layout(kind)
    has_rest = bool(layout) and layout[-1].kind == "rest"
    fixed = layout[:-1] if has_rest else layout
    if len(frames) < len(fixed) or (len(frames) > len(fixed) and not has_rest):
        raise BadRequest("bad-field", f"{kind.VERB} has {len(fixed)} fields, not {len(frames)}")
    values = {field.name: _scalar(field, frame) for field, frame in zip(fixed, frames, strict=False)}
    if has_rest:
        values[layout[-1].name] = tuple(frames[len(fixed) :])
    return kind(**values)


def is_packed(frame: bytes) -> bool:
    """Whether a single frame holds a shell's fields; a msgpack request starts with an octet that is no digit."""
    return frame[:1].isdigit()


def pack(frames: Sequence[bytes]) -> bytes:
    """All fields in one frame, joined by NUL, which no field holds: zsh takes it apart with one expansion."""
    packed = b"\0".join(frames)
    if packed.count(b"\0") < len(frames):
        return packed
    return b"\0".join([frame.replace(b"\0", b"?") for frame in frames])


def unpack(frame: bytes) -> list[bytes]:
    """The inverse of ``pack``; raises BadRequest when it is larger than any message."""
    if len(frame) > MAX_MESSAGE:
        raise BadRequest("too-large", f"at most {MAX_MESSAGE} octets a message")
    return frame.split(b"\0")


def check_bounds(frames: Sequence[bytes]) -> None:
    """Raise BadRequest when a message is larger than any peer may send."""
    if len(frames) > MAX_FRAMES:
        raise BadRequest("too-large", f"at most {MAX_FRAMES} frames a message")
    lengths = list(map(len, frames))
    if lengths and (max(lengths) > MAX_FRAME or sum(lengths) > MAX_MESSAGE):
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
    header = Header(
        version=frames[1].decode("utf-8", "replace"),
        id=frames[2],
        stamp=Stamp(frames[3].decode("utf-8", "replace"), _number("generation", frames[4])),
        directory=frames[5],
    )
    return header, _decode(kind, frames[_HEADER_FRAMES:])
