"""Arbitrary input: decoders refuse it with a code, and a serving daemon answers it and lives on."""

from __future__ import annotations

import os
import socket
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from alight import query
from alight.errors import BadRequest
from alight.model import Stamp
from alight.wire import codec, messages, requests, shellframe
from alight.wire.limits import MAX_FRAME, MAX_FRAMES
from alight.wire.messages import Header
from support.echo import Echo, echo_in_thread
from support.zmtp import connected

CODES = {"bad-message", "bad-protocol", "unknown-verb", "bad-field", "too-large", "unsafe-directory", "internal"}
VERBS = [kind.VERB.encode() for kind in get_args(messages.ShellRequest)]

octets = st.binary(max_size=64)
paths = st.binary(max_size=300)
numbers = st.integers(-(10**17), 10**17)
frames = st.one_of(
    st.lists(octets, min_size=1, max_size=12),
    st.tuples(st.just(b"1"), st.sampled_from([*VERBS, b"nope"]), octets, st.lists(octets, max_size=14)).map(
        lambda parts: [*parts[:3], *parts[3]]
    ),
    st.recursive(
        st.none() | st.booleans() | st.integers(-9, 9) | octets | st.text(max_size=9), st.lists, max_leaves=20
    ).map(lambda value: [msgspec.msgpack.encode(value)]),
)
asks = st.builds(
    messages.Ask,
    shell=st.text(max_size=20),
    pid=numbers,
    directory=paths,
    switch=st.sampled_from(["on", "off", "paused"]),
    owner=st.sampled_from(["", "alight", "user"]),
    applied=paths,
    declined=paths,
    status=numbers,
    first=st.booleans(),
    variables=st.lists(paths, max_size=20).map(tuple),
)


@pytest.fixture(scope="module")
def echo() -> Iterator[Echo]:
    """One daemon for all examples: that it is the same one to the end is the point."""
    with (
        tempfile.TemporaryDirectory(prefix="al-", dir="/tmp") as parent,
        echo_in_thread(Path(parent) / "run") as served,
    ):
        yield served


@given(identifier=st.binary(min_size=1, max_size=32), ask=asks)
def test_shell_requests_come_back_as_they_were(identifier: bytes, ask: messages.Ask) -> None:
    """Whatever octets the fields hold, encoding and decoding a request is the identity."""
    assert shellframe.decode_request(shellframe.encode_request(identifier, ask)) == (identifier, ask)


@given(identifier=octets, ask=st.builds(requests.GetAnswer, directory=paths, trail=st.booleans()), epoch=st.text())
def test_msgpack_comes_back_as_it_was(identifier: bytes, ask: requests.GetAnswer, epoch: str) -> None:
    """The same for the command's encoding, both ways."""
    assert codec.decode_request(codec.encode_request(identifier, ask)) == (identifier, ask)
    header = Header("v", identifier, Stamp(epoch, 3), ask.directory)
    reply = messages.Failure("internal", epoch)
    assert codec.decode_reply(codec.encode_reply(header, reply)) == (header, reply)


@given(frames=frames)
def test_decoders_raise_nothing_but_bad_request(frames: list[bytes]) -> None:
    """Requests and replies that do not fit are refused with a code of the closed list."""
    for decode in (shellframe.decode_request, shellframe.decode_reply):
        try:
            decode(frames)
        except BadRequest as error:
            assert error.code in CODES
    for frame in frames:
        for decode_frame in (codec.decode_request, codec.decode_reply):
            try:
                decode_frame(frame)
            except BadRequest as error:
                assert error.code in CODES


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(frames=frames)
def test_a_daemon_answers_anything_and_serves_the_next(echo: Echo, frames: list[bytes]) -> None:
    """On one connection: arbitrary frames get a reply that repeats the id, then a ping is answered."""
    with connected(os.fsencode(echo.places.socket)) as connection:
        if frames[1:2] != [b"listen"]:
            reply = connection.ask(frames)
            if len(frames) == 1 and shellframe.is_packed(frames[0]):
                # One field has no id to repeat.
                _, message = shellframe.decode_reply(shellframe.unpack(reply[0]))
                assert not isinstance(message, messages.Failure) or message.code in CODES
            elif len(frames) == 1:
                header, message = codec.decode_reply(reply[0])
                assert not isinstance(message, messages.Failure) or message.code in CODES
                assert len(header.id) <= 32
            else:
                header, message = shellframe.decode_reply(reply)
                assert not isinstance(message, messages.Failure) or message.code in CODES
                assert header.id == (frames[2][:32] if len(frames) > 2 else b"")
        connection.send([b"1", b"ping", b"after", b"/d"])
        while (reply := connection.receive())[2] != b"after":
            assert reply[6] in (b"news", b"failure")
        assert reply[6] == b"pong"


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(stream=st.binary(max_size=200), greeted=st.booleans())
def test_a_daemon_survives_any_octets(echo: Echo, stream: bytes, greeted: bool) -> None:
    """Raw octets instead of a greeting, or after it, disturb nobody else."""
    with socket.socket(socket.AF_UNIX) as peer:
        peer.settimeout(5)
        peer.connect(os.fsencode(echo.places.socket))
        try:
            peer.sendall((query.GREETING if greeted else b"") + stream)
        except (BrokenPipeError, ConnectionResetError):
            assert stream
    assert query.ping(os.fsencode(echo.places.socket), 5)


@pytest.mark.parametrize(
    ("request_frames", "code"),
    [
        ([b"2", b"ping", b"i", b"/d"], b"bad-protocol"),
        ([b"1", b"fly", b"i", b"/d"], b"unknown-verb"),
        ([b"1", b"ping", b"i", b"/d", b"x"], b"bad-field"),
        ([b"1", b"ping", b"i" * 33, b"/d"], b"bad-field"),
        ([b"1", b"ping", b"", b"/d"], b"bad-field"),
        ([b"1", b"ping"], b"bad-message"),
        ([b"1", b"ask", b"i", b"zsh", b"x", b"/d", b"on", b"", b"", b"", b"0", b"1"], b"bad-field"),
        ([b"1", b"ping", b"i", b"x" * (MAX_FRAME + 1)], b"too-large"),
        ([b"1", b"ping", b"i", *[b""] * MAX_FRAMES], b"too-large"),
        ([b"1", b"ask", b"i", *[b"x" * MAX_FRAME] * 5], b"too-large"),
        ([b"1", b"note", b"i", b"zsh", b"1", b"/d", b"file", b"ls"], b"internal"),
    ],
    ids=lambda value: value.decode() if isinstance(value, bytes) else "",
)
def test_failures_carry_their_code(echo: Echo, request_frames: list[bytes], code: bytes) -> None:
    """Each way to be wrong has its code; the connection serves on, and the directory is repeated where it is known."""
    with connected(os.fsencode(echo.places.socket)) as connection:
        reply = connection.ask(request_frames)
        assert (reply[6], reply[7]) == (b"failure", code)
        assert reply[5] in (b"/d", b"", b"x" * MAX_FRAME)
        assert b"Traceback" not in reply[8]
        assert connection.ask([b"1", b"ping", b"next", b"/e"])[5:7] == [b"/e", b"pong"]


def test_msgpack_failures_carry_their_code(echo: Echo) -> None:
    """The same for the command's frame: deep nesting, an unknown verb, a reply that cannot be encoded."""
    bad = {
        b"\x91" * 5000 + b"\xc0": "bad-message",
        b"\xc1": "bad-message",
        msgspec.msgpack.encode([2, b"i", {"verb": "ping"}]): "bad-protocol",
        msgspec.msgpack.encode([1, b"i", {"verb": "fly", "directory": b"/d"}]): "unknown-verb",
        msgspec.msgpack.encode([1, b"i", {"verb": "answer", "directory": 7}]): "bad-field",
        msgspec.msgpack.encode([1, b"i", {"verb": "environments"}]): "internal",
        msgspec.msgpack.encode([1, b"i", {"verb": "trust-list"}]): "internal",
    }
    with connected(os.fsencode(echo.places.socket)) as connection:
        for frame, code in bad.items():
            header, message = codec.decode_reply(connection.ask([frame])[0])
            assert isinstance(message, messages.Failure)
            assert message.code == code
            assert header.id in (b"i", b"")


def test_a_frame_above_the_limit_ends_the_connection(echo: Echo) -> None:
    """Libzmq disconnects at the header of a frame above 64 KiB; nothing of it is stored."""
    with connected(os.fsencode(echo.places.socket)) as connection:
        connection._stream.send(b"\x02" + (2**62).to_bytes(8, "big"))
        with pytest.raises((query.Absent, OSError)):
            connection.receive()
    assert query.ping(os.fsencode(echo.places.socket), 5)
