"""The command's client: replies, failures, and who is not there."""

from __future__ import annotations

import socket
from pathlib import Path

import msgspec
import pytest

from alight import __version__, query
from alight.client import Client
from alight.errors import BadRequest, DeadlineExpired, Unreachable
from alight.model import Environment, Stamp
from alight.wire import codec
from alight.wire.messages import Header, Ping, Pong
from alight.wire.requests import EnvironmentsReply, GetEnvironments, GetStatus, StatusReply
from support.echo import echo_in_thread, places_in
from support.rawserver import GREETING, READY, Script, raw_server, read_request


def test_a_request_is_answered(runtime_directory: Path) -> None:
    """The reply is the Struct that the verb asks for, with the daemon's version and stamp."""
    with echo_in_thread(runtime_directory) as echo:
        header, reply = Client(echo.places).request(GetStatus())
        assert isinstance(reply, StatusReply)
        assert header.version == __version__
        assert header.stamp.epoch == echo.news.stamp.epoch


def test_a_failure_is_raised_with_its_code(runtime_directory: Path) -> None:
    """What a handler raises on purpose arrives as one sentence and a code."""
    with (
        echo_in_thread(runtime_directory) as echo,
        pytest.raises(BadRequest, match="nothing here; look elsewhere") as caught,
    ):
        Client(echo.places).request(GetEnvironments())
    assert caught.value.code == "internal"


def test_nobody_and_silence_differ(runtime_directory: Path) -> None:
    """No socket is Unreachable; a peer that accepts and says nothing is DeadlineExpired, which names a remedy."""
    client = Client(places_in(runtime_directory), deadline=0.2)
    with pytest.raises(Unreachable) as absent:
        client.request(Ping())
    assert not isinstance(absent.value, DeadlineExpired)

    with raw_server(runtime_directory, listens_only), pytest.raises(DeadlineExpired) as silent:
        client.request(Ping())
    assert absent.value.remedy
    assert silent.value.remedy


def listens_only(peer: socket.socket) -> None:
    """A server that never says anything."""
    peer.recv(94, socket.MSG_WAITALL)
    peer.recv(1)


def reply_with(*frames: bytes, own_id: bool = False) -> Script:
    """A server that answers every request with these frames, or with a Pong of the request's own id after them."""

    def serve(peer: socket.socket) -> None:
        peer.recv(94, socket.MSG_WAITALL)
        peer.sendall(GREETING + READY)
        request = read_request(peer)
        identifier = msgspec.msgpack.decode(request[0])[1]
        for frame in frames:
            peer.sendall(query.encode([frame]))
        if own_id:
            peer.sendall(query.encode([codec.encode_reply(Header("9", identifier, Stamp("e", 1), b""), Pong(7))]))
        peer.recv(1)

    return serve


def test_a_reply_to_somebody_else_is_dropped(runtime_directory: Path) -> None:
    """Only the reply with the request's own id counts."""
    other = codec.encode_reply(Header("9", b"other", Stamp("e", 1), b""), Pong(1))
    with raw_server(runtime_directory, reply_with(other, other, own_id=True)):
        _, reply = Client(places_in(runtime_directory)).request(Ping())
    assert reply == Pong(7)


def test_another_protocol_is_a_bad_request(runtime_directory: Path) -> None:
    """Octets that are no reply, and peers that are no ZMTP, are named as such."""
    client = Client(places_in(runtime_directory))
    with raw_server(runtime_directory, reply_with(b"\xc1")), pytest.raises(BadRequest):
        client.request(Ping())
    web = raw_server(runtime_directory, lambda peer: peer.sendall(b"HTTP/1.1 400 Bad\r\n\r\n"))
    with web, pytest.raises(BadRequest) as caught:
        client.request(Ping())
    assert caught.value.code == "bad-protocol"


def test_listings_may_be_large(runtime_directory: Path) -> None:
    """A reply of several MiB, far above what shells are sent, arrives whole."""
    many = tuple(
        Environment(b"/e/%d" % number + b"x" * 300, "venv", "uv", "n", "3.12", b"/p", None, ())
        for number in range(10_000)
    )

    def serve(peer: socket.socket) -> None:
        peer.recv(94, socket.MSG_WAITALL)
        peer.sendall(GREETING + READY)
        identifier = msgspec.msgpack.decode(read_request(peer)[0])[1]
        frame = codec.encode_reply(Header("9", identifier, Stamp("e", 1), b""), EnvironmentsReply(many, ()))
        peer.sendall(query.encode([frame]))
        peer.recv(1)

    with raw_server(runtime_directory, serve):
        _, reply = Client(places_in(runtime_directory), deadline=10).request(GetEnvironments())
    assert isinstance(reply, EnvironmentsReply)
    assert len(reply.environments) == 10_000
