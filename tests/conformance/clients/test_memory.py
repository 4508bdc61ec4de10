"""The compiled client under valgrind: nothing read that was not written, nothing touched that is not its own."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

import pytest

from conformance.clients import peers
from conformance.clients.callers import Ended, client
from conformance.clients.peers import answer, long_frame, wire
from support.rawserver import GREETING, READY, Script, raw_server

pytestmark = pytest.mark.skipif(
    sys.platform != "linux" or not shutil.which("valgrind"), reason="valgrind is for Linux; tests/run installs it"
)

PLAN = peers.golden("plan.reply.bin")
SERVERS: dict[str, tuple[Script, int]] = {
    "a plan": (peers.replies(lambda request, _: wire([*PLAN[:2], request[2], *PLAN[3:]], packed=False)), 0),
    "the largest": (peers.fields(b"pong", *[b"v" * 16384] * 3, b"v" * 16000, *[b""] * 85), 0),
    "one field too many": (peers.fields(b"pong", *[b"v"] * 90), 5),
    "one octet too many": (peers.fields(b"pong", *[b"v" * 16384] * 4), 5),
    "octet by octet": (peers.by_octets, 0),
    "an empty message": (peers.replies(lambda _, __: b"\0\0"), 5),
    "2^64-1 octets": (peers.replies(lambda _, __: long_frame(2**64 - 1)), 5),
    "an empty command": (peers.says(GREETING + b"\x04\x00" + READY[:1]), 4),
    "a name beyond its frame": (peers.says(GREETING + b"\x04\x03\xffRE" + b"\x04\x05\x05READ" + READY[:1]), 4),
    "half a field": (peers.replies(lambda request, _: wire(answer(request), packed=False)[:20], hang_up=True), 3),
    "no ZMTP": (peers.says(b"HTTP/1.1 400 Bad Request\r\n\r\n"), 5),
}


@pytest.mark.parametrize("name", SERVERS)
def test_valgrind_finds_nothing(name: str, runtime_directory: Path) -> None:
    """Good and bad replies end as they should and without a word from valgrind."""
    serve, code = SERVERS[name]
    with raw_server(runtime_directory, serve) as path:
        ended = client("valgrind").run(path, b"ping", peers.DIRECTORY, seconds=5 if code != 4 else 1)
    assert ended.code == code


@pytest.mark.parametrize("verb", ["ask", "guard"])
def test_valgrind_finds_nothing_in_requests(verb: str, runtime_directory: Path) -> None:
    """The same for requests with everything in them."""
    env = {b"PATH": b"p" * 16000, b"ALIGHT_LINE": b"pip ${OWN", b"OWN": b"", b"ALIGHT_WORDS": b"\x1fa\x1f", b"X": b""}
    env |= {b"PIP_%d" % number: b"v" * 300 for number in range(50)}
    words = (verb.encode(), b"bash", b"1", b"/d", *[b""] * (6 if verb == "ask" else 0))
    with raw_server(runtime_directory, peers.fields(b"done")) as path:
        assert client("valgrind").run(path, *words, env=env) == Ended(0, (b"done",))
    assert client("valgrind").run(os.fsencode(runtime_directory / "alight.sock"), *words, env=env) == Ended(3)
