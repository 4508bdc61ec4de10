"""The one-shot client against servers good and bad, in process and as the script that shells start."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from alight import query
from alight.wire import facts, limits
from support.echo import echo_in_thread
from support.rawserver import GREETING, READY, raw_server, read_request, reply_to, serve_well
from support.until import until

SCRIPT = query.__file__


def run(*words: str | bytes, environ: dict[str, str] | None = None) -> subprocess.CompletedProcess[bytes]:
    """The script as a hook starts it, again while a busy machine makes it miss its 50 ms."""
    return until("the exchange ends before its deadline", lambda: _once(words, environ), 20)


def _once(words: Sequence[str | bytes], environ: dict[str, str] | None) -> subprocess.CompletedProcess[bytes] | None:
    ended = once(*words, environ=environ)
    return ended if ended.returncode != query.EXPIRED else None


def once(*words: str | bytes, environ: dict[str, str] | None = None) -> subprocess.CompletedProcess[bytes]:
    """The script as a hook starts it."""
    command = [sys.executable, "-I", "-S", SCRIPT, *words]
    return subprocess.run(command, capture_output=True, env=environ, timeout=30, check=False)


def ask(path: bytes, seconds: float = 5.0) -> list[bytes]:
    """One ping whose reply may be anything."""
    return query.exchange(path, [b"1", b"ping", b"id", b"/d"], seconds)


def shake(peer: socket.socket) -> list[bytes]:
    """The server's half of the handshake, and the request that follows."""
    peer.recv(94, socket.MSG_WAITALL)
    peer.sendall(GREETING + READY)
    return read_request(peer)


def test_a_daemon_of_pyzmq_answers(runtime_directory: Path) -> None:
    """The client's octets are ZMTP as libzmq speaks it."""
    with echo_in_thread(runtime_directory) as echo:
        reply = ask(os.fsencode(echo.places.socket))
    assert (reply[0], reply[2], reply[5], reply[6]) == (b"1", b"id", b"/d", b"pong")


def test_names_and_bounds_are_those_of_the_wire() -> None:
    """What the script repeats because it imports nothing is the same as in ``wire``."""
    assert [name.decode() for name in query.VARIABLES] == list(facts.FACTS)
    assert [name.decode() for name in query.LANDING_PREFIXES] == list(facts.LANDING_PREFIXES)
    assert [name.decode() for name in query.LANDING_NAMES] == list(facts.LANDING_NAMES)
    assert [name.decode() for name in query.SECRETS] == list(facts.SECRETS)
    assert (query.MAX_FRAMES, query.MAX_FRAME, query.MAX_MESSAGE) == (
        limits.MAX_FRAMES,
        limits.MAX_FRAME,
        limits.MAX_MESSAGE,
    )
    assert str(limits.PROTOCOL).encode() == query.PROTOCOL
    assert limits.DEADLINE_SECONDS == query.DEADLINE_SECONDS
    assert query.VALUE_LIMIT == facts.VALUE_LIMIT


def test_the_script_loads_built_in_modules_and_one_more() -> None:
    """Nothing of the library but ``_socket`` is loaded, or the start would double."""
    code = (
        "import sys; before = set(sys.modules); sys.argv = ['query.py', '/nowhere/s', 'ping']\n"
        f"source = open({SCRIPT!r}).read().replace('posix._exit(', 'codes.append(')\n"
        "codes = []; exec(compile(source, 'query.py', 'exec'))\n"
        "print(codes, sorted(name for name in set(sys.modules) - before if name not in sys.builtin_module_names))"
    )
    ended = subprocess.run([sys.executable, "-I", "-S", "-c", code], capture_output=True, text=True, check=True)
    loaded = ended.stdout.strip()
    assert loaded in ("[3] ['_socket']", "[3] []"), loaded + ended.stderr


def test_one_octet_at_a_time_is_understood(runtime_directory: Path) -> None:
    """The greeting, READY and the reply may arrive in any pieces."""

    def slowly(peer: socket.socket) -> None:
        def give(data: bytes) -> None:
            for octet in data:
                peer.sendall(bytes([octet]))

        serve_well(peer, give)

    with raw_server(runtime_directory, slowly) as path:
        assert ask(path)[6] == b"pong"


def test_commands_in_between_are_skipped(runtime_directory: Path) -> None:
    """PING and unknown commands, short and long, before READY and before or inside a reply mean nothing."""
    ping = b"\x04\x07\x04PING\0\0"
    long_ping = b"\x06" + (7).to_bytes(8, "big") + b"\x04PING\0\0"

    def chatty(peer: socket.socket) -> None:
        peer.recv(94, socket.MSG_WAITALL)
        peer.sendall(GREETING + ping + long_ping + READY)
        frames = reply_to(read_request(peer))
        first = query.encode([frames[0], b""])[: 2 + len(frames[0])]
        peer.sendall(ping + first + ping + query.encode(frames[1:]))

    with raw_server(runtime_directory, chatty) as path:
        assert ask(path)[6] == b"pong"


def test_eof_at_every_octet_means_absent(runtime_directory: Path) -> None:
    """Wherever the server leaves, the client says that nobody is there."""
    reply = query.encode(reply_to([b"1", b"ping", b"id", b"/d"]))
    whole = GREETING + READY + reply
    cuts = iter(range(len(whole)))

    def cut_short(peer: socket.socket) -> None:
        size = next(cuts)
        peer.recv(94, socket.MSG_WAITALL)
        peer.sendall(whole[: min(size, 107)])
        if size >= 107:
            read_request(peer)
            peer.sendall(whole[107:size])

    with raw_server(runtime_directory, cut_short) as path:
        for size in range(len(whole)):
            with pytest.raises(query.Absent):
                ask(path)
            assert size < len(whole)


@pytest.mark.parametrize(
    ("name", "answer"),
    [
        ("reserved bits", b"\x08\x01x"),
        ("a high reserved bit", b"\x80\x01x"),
        ("MORE on a command", b"\x05\x01x"),
        ("a frame of 2^62 octets", b"\x02" + (2**62).to_bytes(8, "big")),
        ("a frame just over 16 KiB", b"\x02" + (16 * 1024 + 1).to_bytes(8, "big")),
        ("97 frames", b"\x01\x00" * 97),
        ("more than 64 KiB", (b"\x03" + (16384).to_bytes(8, "big") + b"x" * 16384) * 5),
    ],
)
def test_malformed_replies_are_incompatible(runtime_directory: Path, name: str, answer: bytes) -> None:
    """What no daemon of this protocol sends ends the exchange at once."""

    def wrong(peer: socket.socket) -> None:
        shake(peer)
        peer.sendall(answer)
        peer.recv(1)

    with raw_server(runtime_directory, wrong) as path, pytest.raises(query.Incompatible):
        ask(path)


@pytest.mark.parametrize(
    "greeting",
    [
        b"HTTP/1.1 400 Bad Request\r\n\r\n",
        b"\x01\0" * 40,
        b"\xff" + b"\0" * 8 + b"\x7f\x01" + b"\0" * 53,
        GREETING.replace(b"NULL\0", b"PLAIN"),
        GREETING + b"\x04\x0a\x05ERROR\x03400",
        GREETING + b"\x00\x01x",
    ],
    ids=["http", "zmtp1", "version-1", "plain", "error", "message-first"],
)
def test_other_greetings_are_incompatible(runtime_directory: Path, greeting: bytes) -> None:
    """Another protocol, version or mechanism, a refusal, or a message before READY is exit 5, not 3 or 4."""

    def other(peer: socket.socket) -> None:
        peer.recv(94, socket.MSG_WAITALL)
        peer.sendall(greeting)
        peer.recv(1)

    with raw_server(runtime_directory, other) as path, pytest.raises(query.Incompatible):
        ask(path)


def _silent(peer: socket.socket) -> None:
    peer.recv(94, socket.MSG_WAITALL)
    peer.recv(1)


def _greets_only(peer: socket.socket) -> None:
    peer.sendall(GREETING)
    _silent(peer)


def _never_replies(peer: socket.socket) -> None:
    shake(peer)
    peer.recv(1)


def _commands_for_ever(peer: socket.socket) -> None:
    shake(peer)
    while True:
        peer.sendall(b"\x04\x07\x04PING\0\0")


def _others_news_for_ever(peer: socket.socket) -> None:
    request = shake(peer)
    while True:
        peer.sendall(query.encode(reply_to([b"1", b"ping", b"other", request[3]])))


@pytest.mark.parametrize(
    "script",
    [_silent, _greets_only, _never_replies, _commands_for_ever, _others_news_for_ever],
    ids=lambda s: s.__name__,
)
def test_the_deadline_bounds_the_whole_exchange(
    runtime_directory: Path, script: Callable[[socket.socket], None]
) -> None:
    """Silence or endless chatter after any step ends in Expired."""
    with raw_server(runtime_directory, script) as path, pytest.raises(query.Expired):
        query.exchange(path, [b"1", b"ping", b"id", b""], 0.2, accept=lambda frames: frames[2] == b"id")


def test_a_full_backlog_is_a_deadline_not_a_hang(runtime_directory: Path) -> None:
    """A listener that never accepts costs the deadline, even when connect itself would block."""
    runtime_directory.mkdir(mode=0o700)
    path = os.fsencode(runtime_directory / "alight.sock")
    waiting: list[socket.socket] = []
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(path)
        listener.listen(1)
        while True:
            peer = socket.socket(socket.AF_UNIX)
            peer.setblocking(False)
            waiting.append(peer)
            if peer.connect_ex(path):
                break
        try:
            with pytest.raises(query.Expired):
                ask(path, 0.2)
        finally:
            for peer in waiting:
                peer.close()


def test_nobody_there(runtime_directory: Path) -> None:
    """No directory, no socket, a refused socket and a plain file in its place are all Absent."""
    path = os.fsencode(runtime_directory / "alight.sock")
    with pytest.raises(query.Absent):
        ask(path)
    runtime_directory.mkdir(mode=0o700)
    with pytest.raises(query.Absent):
        ask(path)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(path)
    with pytest.raises(query.Absent):
        ask(path)
    os.unlink(path)
    Path(os.fsdecode(path)).touch()
    with pytest.raises(query.Absent):
        ask(path)


def test_a_linked_directory_is_not_ours(runtime_directory: Path) -> None:
    """The socket's directory is looked at before it is used: a link is refused although a daemon answers behind it."""
    link = runtime_directory.parent / "link"
    link.symlink_to(runtime_directory)
    with echo_in_thread(runtime_directory), pytest.raises(query.Absent, match="not a directory of ours"):
        ask(os.fsencode(link / "alight.sock"))


def test_large_replies_are_for_those_who_expect_them(runtime_directory: Path) -> None:
    """``limit`` raises the bound of a frame and of a message for the command alone."""

    def listing(peer: socket.socket) -> None:
        shake(peer)
        peer.sendall(query.encode([b"x" * 1_000_000]))
        peer.recv(1)

    with raw_server(runtime_directory, listing) as path:
        assert len(query.exchange(path, [b"q"], 5, limit=16 * 2**20)[0]) == 1_000_000
        with pytest.raises(query.Incompatible):
            query.exchange(path, [b"q"], 5)


def test_the_script_prints_what_the_protocol_says(runtime_directory: Path) -> None:
    """``version US epoch US generation US directory US verb US field … US end``, exit 0, nothing on stderr."""

    def wrong_characters(peer: socket.socket) -> None:
        request = shake(peer)
        peer.sendall(query.encode([*reply_to(request), b"a\x1fb\0c\n\xff"]))

    with raw_server(runtime_directory, wrong_characters) as path:
        ended = run(path, "ping", b"/with\nnewline\xff")
    assert ended.stdout.split(b"\x1f") == [
        b"0.1.0", b"epoch", b"7", b"/with\nnewline\xff", b"pong", b"42", b"a?b?c\n\xff", b"end",
    ]  # fmt: skip
    assert (ended.returncode, ended.stderr) == (0, b"")


def test_the_script_sends_variables_from_its_own_environment(runtime_directory: Path) -> None:
    """``ask`` carries the names of PROTOCOL.md 4 that are set, without the values that are too long."""
    seen: list[list[bytes]] = []

    def record(peer: socket.socket) -> None:
        seen.insert(0, shake(peer))
        peer.sendall(query.encode(reply_to([b"", b"", seen[0][2], seen[0][5]])))

    environ = {"PATH": "p" * 9000, "UV_CACHE_DIR": "u" * 9000, "VIRTUAL_ENV": "/v=\udcff", "SECRET": "s", "HOME": ""}
    with raw_server(runtime_directory, record) as path:
        ended = run(path, "ask", "bash", "12", "/d", "on", "", "", "", "0", "1", environ=environ)
    assert ended.returncode == 0
    assert seen[0][:2] == [b"1", b"ask"]
    assert seen[0][3:12] == [b"bash", b"12", b"/d", b"on", b"", b"", b"", b"0", b"1"]
    assert seen[0][12:] == [b"PATH=" + b"p" * 9000, b"VIRTUAL_ENV=/v=\xff", b"HOME="]


def test_exit_codes(runtime_directory: Path) -> None:
    """1 failure, 2 arguments, 3 nobody, 5 another protocol; only a reply is printed."""
    with echo_in_thread(runtime_directory) as echo:
        path = os.fsencode(echo.places.socket)
        failed = run(path, "ask", "bash", "no number", "/d", "on", "", "", "", "0", "1")
    assert failed.returncode == 1
    assert b"\x1ffailure\x1fbad-field\x1f" in failed.stdout
    for words in ([], ["s"], ["s", "no-such-verb"], ["s", "ask", "too", "few"], ["s", "ping", "a", "b"]):
        assert run(*words).returncode == 2
    assert run(path, "ping").returncode == 3
    with raw_server(runtime_directory, lambda peer: peer.sendall(b"HTTP/1.1 400\r\n\r\n")) as path:
        assert run(path, "ping").returncode == 5

    def speaks_out_of_turn(peer: socket.socket) -> None:
        peer.sendall(GREETING + READY + b"\0\1x")
        _silent(peer)

    with raw_server(runtime_directory, speaks_out_of_turn) as path:
        assert run(path, "ping").returncode == 5


def test_the_script_gives_up_at_its_deadline(runtime_directory: Path) -> None:
    """A server that accepts and is silent is exit 4, and nothing is printed."""
    with raw_server(runtime_directory, _silent) as path:
        ended = once(path, "ping")
    assert (ended.returncode, ended.stdout, ended.stderr) == (4, b"", b"")


@pytest.mark.parametrize(
    ("value", "seconds"),
    [(b"0.2", 0.2), (b"5", 5), (b"", 0.05), (b"9", 0.05), (b"nan", 0.05), (b"x", 0.05), (b"-1", 0.05)],
)
def test_slow_machines_may_wait_longer(value: bytes, seconds: float) -> None:
    """``ALIGHT_DEADLINE`` counts between 0.01 and 5 seconds; anything else means 50 ms."""
    assert query.deadline({b"ALIGHT_DEADLINE": value}) == seconds
    assert query.deadline({}) == limits.DEADLINE_SECONDS


def test_replies_to_other_questions_are_dropped(runtime_directory: Path) -> None:
    """A reply with another id or for another directory is not printed; the right one after it is."""

    def late(peer: socket.socket) -> None:
        request = shake(peer)
        stale = reply_to([b"", b"", b"another-id", request[3]])
        elsewhere = reply_to([b"", b"", request[2], b"/elsewhere"])
        peer.sendall(query.encode(stale) + query.encode(elsewhere) + query.encode(reply_to(request)))

    with raw_server(runtime_directory, late) as path:
        ended = run(path, "ping", "/here")
    assert ended.stdout.split(b"\x1f")[3] == b"/here"
