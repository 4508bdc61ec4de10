"""All clients end alike: the same exit code and the same fields, whatever the peer does."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import threading
from pathlib import Path

import pytest

from alight import query
from conformance.clients import peers
from conformance.clients.callers import ALL, ONE_SHOT, Client, Ended, Program, Zsh, client
from conformance.clients.peers import PING, answer, full_backlog, long_frame, wire
from support.rawserver import GREETING, READY, Script, raw_server

PONG = Ended(0, (b"pong", b"42"))


@pytest.fixture(params=ALL)
def asker(request: pytest.FixtureRequest) -> Client:
    """Each client in turn."""
    return client(request.param)


@pytest.fixture(params=ONE_SHOT)
def program(request: pytest.FixtureRequest) -> Program:
    """Each client that is a program."""
    found = client(request.param)
    assert isinstance(found, Program)
    return found


GOLDEN = sorted(file.name for file in peers.FRAMES.glob("*.reply.bin") if not file.name.startswith("news"))


@pytest.mark.parametrize("name", GOLDEN)
def test_golden_replies(name: str, asker: Client, runtime_directory: Path) -> None:
    """Every golden reply is given out field by field, hostile octets and all; a failure is exit 1."""
    golden = peers.golden(name)
    serve = peers.replies(
        lambda request, packed: wire([*golden[:2], request[2], *golden[3:]], packed=packed), hang_up=True
    )
    with raw_server(runtime_directory, serve) as path:
        ended = asker.run(path, b"ping", peers.DIRECTORY)
    expected = tuple(field.replace(b"\x1f", b"?") for field in golden[6:])
    assert ended == Ended(1 if name.startswith("failure") else 0, expected)


def test_the_whole_output(program: Program, runtime_directory: Path) -> None:
    """Version, epoch, generation and directory come first, the id is left out, separators inside are shown as ``?``."""
    serve = peers.fields(b"pong", b"a\x1fb\0c\n\xff", b"")
    with raw_server(runtime_directory, serve) as path:
        done = program.raw(path, b"ping", b"/with\nnewline\xff")
    fields = [b"0.1.0", b"epoch", b"7", b"/with\nnewline\xff", b"pong", b"a?b?c\n\xff", b"", b"end"]
    assert (done.returncode, done.stdout, done.stderr) == (0, b"\x1f".join(fields), b"")


def test_one_octet_at_a_time(asker: Client, runtime_directory: Path) -> None:
    """Octets may come and be taken one by one."""
    with raw_server(runtime_directory, peers.by_octets) as path:
        assert asker.run(path, b"ping", b"/d") == PONG


def test_end_of_file_at_every_octet(asker: Client, runtime_directory: Path) -> None:
    """Wherever the peer leaves, nobody is there, and nothing is printed."""
    reply = wire(answer([b"1", b"ping", b"0123456789abcdef", b"/d"], b"pong", b"42"), packed=asker.packs)
    whole = len(GREETING + READY + reply)
    cut = iter(range(whole))

    def cut_short(peer: socket.socket) -> None:
        size = next(cut)
        peers.hear_hello(peer)
        peer.sendall((GREETING + READY)[:size])
        if size >= len(GREETING + READY):
            request, packed = peers.hear(peer)
            own = answer([b"1", b"ping", b"x" * 16, b"/d"], b"pong", b"42")
            own[2] = request[2] if not packed else b"x" * 16
            peer.sendall(wire(own, packed=packed)[: size - len(GREETING + READY)])

    with raw_server(runtime_directory, cut_short) as path:
        for size in range(whole):
            assert asker.run(path, b"ping", b"/d") == Ended(3), f"cut after {size} octets"


BAD_FRAMES = {
    "reserved bits": b"\x08\x01x",
    "more of a command": b"\x05\x01x",
    "2^62 octets": long_frame(2**62),
    "2^64-1 octets": long_frame(2**64 - 1),
    "a command of 2^62 octets": long_frame(2**62, flags=6),
    "fewer than seven fields": query.encode([b"1", b"2", b"3"]),
    "an empty message": b"\0\0",
    "another protocol": query.encode([b"2", b"v", b"i", b"e", b"1", b"/d", b"done"]),
    "only noise": b"\x00\x0c1\0\0\0\0\0\0\0\0\0\0\0" + b"\xff" * 20,
}


@pytest.mark.parametrize("name", BAD_FRAMES)
def test_bad_frames_are_another_protocol(name: str, asker: Client, runtime_directory: Path) -> None:
    """What no daemon of this protocol sends is exit 5 at once."""
    with raw_server(runtime_directory, peers.replies(lambda _request, _packed: BAD_FRAMES[name])) as path:
        assert asker.run(path, b"ping", b"/d").code == 5


@pytest.mark.parametrize("bit", [8, 16, 32, 64, 128])
def test_reserved_bits(bit: int, asker: Client, runtime_directory: Path) -> None:
    """A reply that is good but for a flag that nobody knows is exit 5, too."""

    def marked(request: list[bytes], packed: bool) -> bytes:
        whole = wire(answer(request, b"pong", b"42"), packed=packed)
        return bytes([whole[0] | bit]) + whole[1:]

    with raw_server(runtime_directory, peers.replies(marked)) as path:
        assert asker.run(path, b"ping", b"/d") == Ended(5)


@pytest.mark.parametrize(
    ("sizes", "code"),
    [
        ([16384], 0),
        ([16385], 5),
        ([1] * 89, 0),
        ([1] * 90, 5),
        ([16000] * 4, 0),
        ([16000] * 4 + [2000], 5),
        ([255, 256, 257], 0),
    ],
    ids=["largest field", "too large a field", "most fields", "too many", "large", "too large", "around 256"],
)
def test_the_bounds_of_a_reply(sizes: list[int], code: int, asker: Client, runtime_directory: Path) -> None:
    """96 fields of 16 KiB, 64 KiB in all: what keeps within is printed whole, what is beyond is exit 5."""
    values = [b"v" * size for size in sizes]
    serve = peers.fields(b"pong", *values)
    with raw_server(runtime_directory, serve) as path:
        ended = asker.run(path, b"ping", b"/d")
    assert ended == (Ended(0, (b"pong", *values)) if code == 0 else Ended(code))


OTHERS: dict[str, Script] = {
    "http": peers.says(b"HTTP/1.1 400 Bad Request\r\n\r\n" + b"x" * 60),
    "zmtp 1": peers.says(b"\x01\0" * 40),
    "no signature": peers.says(GREETING[:9] + b"\x7e" + GREETING[10:] + READY),
    "version 2": peers.says(GREETING[:10] + b"\x02" + GREETING[11:] + READY),
    "plain": peers.says(GREETING.replace(b"NULL\0", b"PLAIN") + READY),
    "error": peers.says(GREETING + b"\x04\x0a\x05ERROR\x03400"),
    "a message first": peers.says(GREETING + b"\x00\x01x"),
    "an endless command": peers.says(GREETING + long_frame(2**62, flags=6)),
}


@pytest.mark.parametrize("name", OTHERS)
def test_other_servers(name: str, asker: Client, runtime_directory: Path) -> None:
    """Another protocol, version or mechanism, a refusal, or a message before READY is exit 5."""
    with raw_server(runtime_directory, OTHERS[name]) as path:
        ended = asker.run(path, b"ping", b"/d")
    assert ended == Ended(5)


def test_one_who_leaves_at_once_has_said_who_he_is(program: Program, runtime_directory: Path) -> None:
    """What a server of another kind says before it hangs up counts, even when it never read a word: exit 5."""
    with raw_server(runtime_directory, lambda peer: peer.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")) as path:
        assert program.run(path, b"ping", b"/d") == Ended(5)


@pytest.mark.parametrize(
    "serve",
    [peers.silent, peers.greets_only, peers.never_replies, peers.commands_for_ever, peers.others_for_ever],
    ids=lambda serve: serve.__name__,
)
def test_the_deadline_bounds_everything(serve: Script, asker: Client, runtime_directory: Path) -> None:
    """Silence or endless chatter after any step is exit 4."""
    with raw_server(runtime_directory, serve) as path:
        assert asker.run(path, b"ping", b"/d", seconds=0.2) == Ended(4)


def test_commands_in_between_are_skipped(asker: Client, runtime_directory: Path) -> None:
    """PING and unknown commands, short and long, before or inside a reply mean nothing."""

    def chatty(request: list[bytes], packed: bool) -> bytes:
        whole = wire(answer(request, b"pong", b"42"), packed=packed)
        first = 0 if packed else 3
        return PING + b"\x04\x00" + whole[:first] + peers.LONG_PING + whole[first:]

    with raw_server(runtime_directory, peers.replies(chatty)) as path:
        assert asker.run(path, b"ping", b"/d") == PONG


def test_commands_before_ready_are_skipped(program: Program, runtime_directory: Path) -> None:
    """So do commands before READY, whatever their length."""

    def chatty(peer: socket.socket) -> None:
        peers.hear_hello(peer)
        peer.sendall(GREETING + PING + peers.LONG_PING + b"\x04\x00" + READY)
        request, packed = peers.hear(peer)
        peer.sendall(wire(answer(request, b"pong", b"42"), packed=packed))
        peer.recv(1)

    with raw_server(runtime_directory, chatty) as path:
        assert program.run(path, b"ping", b"/d") == PONG


def test_replies_to_others_are_dropped(asker: Client, runtime_directory: Path) -> None:
    """Replies with another id, and news, are passed over; the right one after them counts."""

    def late(request: list[bytes], packed: bool) -> bytes:
        stale = answer([*request[:2], b"another-id", *request[3:]], b"pong", b"1")
        news = answer([*request[:2], b"", *request[3:]], b"news", b"/root", b"mark")
        return b"".join(wire(fields, packed=packed) for fields in (stale, news, answer(request, b"pong", b"42")))

    with raw_server(runtime_directory, peers.replies(late)) as path:
        assert asker.run(path, b"ping", b"/d") == PONG


def test_replies_for_elsewhere_are_dropped(asker: Client, runtime_directory: Path) -> None:
    """So are replies of the right id about another directory, unless they are failures."""

    def elsewhere(request: list[bytes], packed: bool) -> bytes:
        wrong = answer(request, b"pong", b"1")
        wrong[5] = b"/elsewhere"
        return wire(wrong, packed=packed) + wire(answer(request, b"pong", b"42"), packed=packed)

    with raw_server(runtime_directory, peers.replies(elsewhere)) as path:
        assert asker.run(path, b"ping", b"/d") == PONG

    def failure(request: list[bytes], packed: bool) -> bytes:
        return wire([*answer(request)[:5], b"", b"failure", b"unsafe-directory", b"no"], packed=packed)

    with raw_server(runtime_directory, peers.replies(failure)) as path:
        assert asker.run(path, b"ping", b"/d") == Ended(1, (b"failure", b"unsafe-directory", b"no"))


def test_nobody_there(asker: Client, runtime_directory: Path) -> None:
    """No directory, no socket, a refused socket and a plain file in its place are exit 3."""
    path = os.fsencode(runtime_directory / "alight.sock")
    assert asker.run(path, b"ping", b"/d") == Ended(3)
    runtime_directory.mkdir(mode=0o700)
    assert asker.run(path, b"ping", b"/d") == Ended(3)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(path)
    assert asker.run(path, b"ping", b"/d") == Ended(3)
    os.unlink(path)
    Path(os.fsdecode(path)).touch()
    assert asker.run(path, b"ping", b"/d") == Ended(3)


def test_a_path_that_no_socket_can_have(program: Program, runtime_directory: Path) -> None:
    """An empty path and one that is too long are exit 3, also at the very limit of 107 octets."""
    for path in (b"", b"/", b"/tmp/" + b"x" * 200, b"/tmp/" + b"x" * 103, b"/tmp/" + b"x" * 102, b"alight.sock"):
        assert program.run(path, b"ping", b"/d") == Ended(3)
    folder = runtime_directory.parent / ("r" * (107 - len(os.fsencode(runtime_directory.parent)) - 13))
    with raw_server(folder, peers.fields(b"pong", b"42")) as longest:
        assert len(longest) == 107
        assert program.run(longest, b"ping", b"/d") == PONG


def test_a_directory_that_is_not_ours(asker: Client, runtime_directory: Path) -> None:
    """A link is refused although somebody answers behind it, and so is another user's directory."""
    link = runtime_directory.parent / "link"
    link.symlink_to(runtime_directory)
    with raw_server(runtime_directory, peers.fields(b"pong", b"42")) as path:
        assert asker.run(os.fsencode(link / "alight.sock"), b"ping", b"/d") == Ended(3)
        if os.geteuid() == 0:
            os.chown(runtime_directory, 12345, -1)
            assert asker.run(path, b"ping", b"/d") == Ended(3)
            os.chown(runtime_directory, 0, -1)
        assert asker.run(path, b"ping", b"/d") == PONG


def test_a_stopped_daemon_with_a_full_backlog(asker: Client, runtime_directory: Path) -> None:
    """A listener that never accepts costs the deadline and no more, even when connect itself would block."""
    with full_backlog(runtime_directory) as (path, _), subprocess.Popen(["sleep", "60"]) as daemon:
        daemon.send_signal(signal.SIGSTOP)
        os.waitid(os.P_PID, daemon.pid, os.WSTOPPED | os.WNOWAIT)
        try:
            asked = Zsh(daemon.pid) if isinstance(asker, Zsh) else asker
            assert asked.run(path, b"ping", b"/d", seconds=0.2) == Ended(4)
        finally:
            daemon.kill()


def test_a_backlog_that_clears(program: Program, runtime_directory: Path) -> None:
    """A daemon that goes on before the deadline still answers."""
    with full_backlog(runtime_directory) as (path, serve):
        later = threading.Timer(0.1, serve)
        later.start()
        try:
            assert program.run(path, b"ping", b"/d") == PONG
        finally:
            later.join()


def test_nobody_reads_the_output(program: Program, runtime_directory: Path) -> None:
    """A closed pipe at its end is no failure and no signal."""
    with raw_server(runtime_directory, peers.fields(b"pong", b"42")) as path:
        reading, writing = os.pipe()
        os.close(reading)
        try:
            done = subprocess.run(
                [*program.command, path, b"ping", b"/d"], stdout=writing, stderr=subprocess.PIPE,
                env={"ALIGHT_DEADLINE": "5"}, timeout=30, check=False,
            )  # fmt: skip
        finally:
            os.close(writing)
    assert (done.returncode, done.stderr) == (0, b"")
