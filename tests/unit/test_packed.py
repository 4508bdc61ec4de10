"""A shell's message packed into one frame: the same fields, answered in kind."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alight import query
from alight.errors import BadRequest
from alight.model import Stamp
from alight.wire import codec, shellframe
from alight.wire.limits import MAX_MESSAGE
from alight.wire.messages import Ask, Header, News, Ping, Pong
from alight.wire.requests import GetStatus
from support.daemon import ECHO, DaemonInstance

ASK = Ask("zsh", 7, b"/caf\xe9\nx", "on", "", b"", b"", 0, True, (b"PATH=/bin", b"HOME=/"))


def test_a_packed_request_is_the_same_request() -> None:
    """What is packed and taken apart again decodes to the same value, an empty last field included."""
    for request in (ASK, Ping(b"")):
        frames = shellframe.encode_request(b"id", request)
        assert shellframe.unpack(shellframe.pack(frames)) == frames
        assert shellframe.decode_request(shellframe.unpack(shellframe.pack(frames))) == (b"id", request)


def test_a_nul_in_a_field_cannot_make_two_of_it() -> None:
    """No field of a reply holds a NUL; if one did, it would be shown as a question mark."""
    frames = shellframe.encode_reply(Header("1", b"id", Stamp("e", 1), b"/"), News(b"/a\0b", "m"))
    assert shellframe.unpack(shellframe.pack(frames))[7] == b"/a?b"


def test_the_three_forms_are_told_apart() -> None:
    """A single frame is packed when it begins with a digit; msgpack never does."""
    assert shellframe.is_packed(shellframe.pack(shellframe.encode_request(b"id", ASK)))
    assert not shellframe.is_packed(codec.encode_request(b"id", GetStatus()))
    assert not shellframe.is_packed(b"")


def test_more_than_a_message_is_refused() -> None:
    """The bound of a message holds for its packed form, too."""
    with pytest.raises(BadRequest, match="octets a message"):
        shellframe.unpack(b"1" + b"x" * MAX_MESSAGE)


@given(st.binary(max_size=300))
def test_arbitrary_octets_are_a_bad_request_at_worst(octets: bytes) -> None:
    """Whatever begins like a packed message either is one or is refused with a code."""
    try:
        shellframe.decode_request(shellframe.unpack(b"1" + octets))
    except BadRequest as error:
        assert error.code


def test_a_packed_request_is_answered_packed(runtime_directory: Path) -> None:
    """Over the real socket: one frame there, one frame back, and a packed failure for a packed mistake."""
    with DaemonInstance(ECHO) as daemon:
        request = shellframe.pack(shellframe.encode_request(b"id", Ping(b"/")))
        (answer,) = query.exchange(daemon.socket, [request], 5)
        header, reply = shellframe.decode_reply(shellframe.unpack(answer))
        assert (header.id, reply) == (b"id", Pong(daemon.process.pid))
        (answer,) = query.exchange(daemon.socket, [b"1\0nonsense\0id"], 5)
        assert shellframe.unpack(answer)[6:8] == [b"failure", b"unknown-verb"]
    assert runtime_directory.exists()
