"""What the clients send: the golden frames, and the same variables chosen in the same order."""

from __future__ import annotations

import re
import threading
from collections.abc import Mapping
from pathlib import Path

import pytest

from alight import query
from conformance.clients import peers
from conformance.clients.builds import SOURCE
from conformance.clients.callers import ALL, ONE_SHOT, Client, Ended, Program, client
from conformance.clients.peers import recording
from support.rawserver import raw_server

COMPILED = [name for name in ONE_SHOT if name != "python"]
SIZES = b"\x1f".join(b"w" * size for size in (254, 255, 256, 257, 65534, 1))
GUARD = (b"guard", b"bash", b"1", b"/d")


def sent(asker: Client, runtime: Path, *words: bytes, env: Mapping[bytes, bytes] | None = None) -> list[bytes]:
    """The fields of the request that a client makes of ``words`` and its environment, without the id."""
    with recording(runtime) as (path, seen):
        assert asker.run(path, *words, env=env) == Ended(0, (b"done",))
    frames = seen[0][0].split(b"\0") if asker.packs else seen[0]
    assert 0 < len(frames.pop(2)) <= 32
    return frames


def golden(verb: str) -> list[bytes]:
    """The fields of a golden request, without the id."""
    frames = peers.golden(f"{verb}.request.bin")
    del frames[2]
    return frames


def environment(frames: list[bytes]) -> dict[bytes, bytes]:
    """The variables among frames."""
    return {name: value for name, _, value in (frame.partition(b"=") for frame in frames)}


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("verb", ["ask", "note", "guard", "always", "ping"])
def test_golden_requests(verb: str, name: str, runtime_directory: Path) -> None:
    """Each verb gives the golden frames: what may be seen from the command line, the rest from the environment."""
    frames = golden(verb)
    asker = client(name)
    count = query.VERBS[verb][0]
    words, rest = frames[1 : 2 + count], frames[2 + count :]
    if asker.packs:
        assert sent(asker, runtime_directory, *words, *rest) == frames
        return
    env = environment(rest)
    if verb == "guard":
        env = environment(rest[2:3]) | {b"ALIGHT_BEFORE": rest[0], b"ALIGHT_LINE": rest[1]}
        env[b"ALIGHT_WORDS"] = b"\x1f".join(rest[3:])
    assert sent(asker, runtime_directory, *words, env=env) == frames


@pytest.mark.parametrize("name", COMPILED)
@pytest.mark.parametrize("verb", ["ask", "note"])
def test_the_same_variables_in_the_same_order(verb: str, name: str, runtime_directory: Path) -> None:
    """Of all the names that either client knows, both send the same, without values that are too long."""
    names = {*re.findall(rb"[A-Z_][A-Z0-9_]+", SOURCE.read_bytes()), *query.VARIABLES, *query.LANDING_NAMES}
    names -= {b"ALIGHT_DEADLINE"}
    env = {name: name.lower() for name in sorted(names)}
    env |= {b"HOME": b"", b"UV_CACHE_DIR": b"u" * 8192, b"PIXI_HOME": b"p" * 8193, b"PATH": b"/" * 16000}
    words = (verb.encode(), *[b"/d"] * query.VERBS[verb][0])
    frames = sent(client(name), runtime_directory, *words, env=env)
    assert frames == sent(client("python"), runtime_directory, *words, env=env)
    assert len(frames) == 2 + query.VERBS[verb][0] + len(query.VARIABLES) - 1
    assert b"PATH=" + b"/" * 16000 in frames


LINES = {
    "nothing named": b"pip install x",
    "one named": b"$HOME/bin/pip install ${OWN_DIR}/x $MY_TOKEN",
    "a beginning": b"$OWN_DIRECTORY/pip install",
    "at the end": b"pip install $",
    "braces": b"pip install ${{OWN_DIR} ${ $$OWN_DIR",
}
OF_ALL_KINDS = {
    b"PIP_TARGET": b"/t", b"PIP_INDEX_URL": b"i", b"PIP_": b"", b"PI": b"no", b"UV_": b"1", b"UV": b"no",
    b"PYTHON": b"p", b"PYTHONPATH": b"/p", b"PYTHO": b"no", b"CI": b"1", b"CIX": b"no", b"XDG_DATA_HOME": b"=a=b",
    b"MY_TOKEN": b"t", b"OWN_DIR": b"/o", b"OWN_DIRECTORY": b"/oo", b"POETRY_HTTP_BASIC_X": b"s", b"PIP_PROXY": b"s",
    b"UV_X_SECRET_Y": b"s", b"CONDA_TOKEN": b"s", b"VIRTUAL_ENV": b"/v", b"VIRTUAL_EN": b"no", b"PWD": b"/d",
    b"PATH": b"/bin:" * 3200, b"HOME": b"h" * 8192, b"CDPATH": b"c" * 8193, b"_CONDA_ROOT": b"/c", b"lower": b"no",
    b"PIP_A": b"1", b"PIP_A1": b"2", b"PIP_AB": b"3", b"PIP_a": b"4", b"ENV": b"\xff\n",
}  # fmt: skip


@pytest.mark.parametrize("name", COMPILED)
@pytest.mark.parametrize("line", LINES.values(), ids=LINES)
def test_the_same_variables_for_the_guard(line: bytes, name: str, runtime_directory: Path) -> None:
    """What may change where a line lands, sorted; no secrets unless the line names them; what is named in any case."""
    env = {**OF_ALL_KINDS, b"ALIGHT_LINE": line, b"ALIGHT_BEFORE": b"if x\n", b"ALIGHT_WORDS": b"hash pip=/p"}
    frames = sent(client(name), runtime_directory, *GUARD, env=env)
    assert frames == sent(client("python"), runtime_directory, *GUARD, env=env)
    assert [b"if x\n", line] == frames[5:7]
    names = [frame.partition(b"=")[0] for frame in frames[7:-1]]
    assert names == sorted(names)
    assert {b"PIP_", b"CI", b"PATH", b"HOME", b"PIP_AB"} <= set(names)
    assert not {b"PI", b"CIX", b"CDPATH", b"lower", b"PIP_PROXY", b"PIP_INDEX_URL"} & set(names)


@pytest.mark.parametrize("name", ONE_SHOT)
def test_sixty_variables_are_the_most(name: str, runtime_directory: Path) -> None:
    """60 variables are sent, 61 are exit 5 before anybody is asked."""
    env = {b"PIP_%d" % number: b"v" for number in range(60)}
    assert len(sent(client(name), runtime_directory, *GUARD, env=env)) == 7 + 60
    with recording(runtime_directory) as (path, seen):
        assert client(name).run(path, *GUARD, env={**env, b"UV_X": b""}) == Ended(5)
    assert seen == []


@pytest.mark.parametrize("name", ONE_SHOT)
@pytest.mark.parametrize("words", [b"", b"a", b"a\x1f", b"\x1f", b"a\x1f\x1fb c", b"\x1f" * 40, SIZES])
def test_words_are_taken_apart(words: bytes, name: str, runtime_directory: Path) -> None:
    """``ALIGHT_WORDS`` gives a frame for each of its words, also for empty ones."""
    frames = sent(client(name), runtime_directory, *GUARD, env={b"ALIGHT_WORDS": words})
    assert frames[7:] == (words.split(b"\x1f") if words else [])


@pytest.mark.parametrize("name", ONE_SHOT)
def test_large_requests_arrive_whole(name: str, runtime_directory: Path) -> None:
    """What does not fit into the socket at once is sent as the peer takes it; one that takes nothing is exit 4."""
    env = {b"ALIGHT_BEFORE": b"b" * 120_000, b"ALIGHT_LINE": b"l" * 120_000, b"ALIGHT_WORDS": b"w" * 120_000}
    if name == "harassed":  # three octets at a time
        env = {name: value[:5000] for name, value in env.items()}
    frames = sent(client(name), runtime_directory, *GUARD, env=env)
    assert frames[5:] == list(env.values())
    if name != "harassed":
        with raw_server(runtime_directory, peers.never_reads) as path:
            assert client(name).run(path, *GUARD, env=env, seconds=0.2) == Ended(4)


@pytest.mark.parametrize("name", ONE_SHOT)
def test_usage(name: str) -> None:
    """Too few words, too many, or a verb that there is not, are exit 2."""
    asker = client(name)
    assert isinstance(asker, Program)
    for words in (
        [b""], [b"s"], [b"ping"], [b"s", b""], [b"s", b"pin"], [b"s", b"pings", b"/"], [b"s", b"ask"],
        [b"s", b"ping", b"a", b"b"], [b"s", b"ask", *[b""] * 8], [b"s", b"ask", *[b""] * 10], [b"s", b"guard"],
        [b"s", b"always", b"a", b"b", b"c"], [b"s", b"listen", b"/", b"/", b"m"], [b"spawn"], [b"spawn", b"/r"],
    ):  # fmt: skip
        done = asker.raw(*words)
        assert (done.returncode, done.stdout, done.stderr) == (2, b"", b""), words


@pytest.mark.parametrize("name", ONE_SHOT)
def test_a_ping_needs_no_directory(name: str, runtime_directory: Path) -> None:
    """``ping`` alone asks about no directory."""
    with recording(runtime_directory) as (path, seen):
        assert client(name).run(path, b"ping") == Ended(0, (b"done",))
    assert seen[0][3:] == [b""]


@pytest.mark.parametrize("name", ["python", "compiled", "bare"])
def test_how_long_a_client_waits(name: str, runtime_directory: Path) -> None:
    """``ALIGHT_DEADLINE`` counts where it is a number from 0.01 to 5; with anything else it is 50 ms."""
    never = threading.Event()

    def late(request: list[bytes], packed: bool) -> bytes:
        never.wait(0.15)
        return peers.wire(peers.answer(request, b"done"), packed=packed)

    patient = [b"5", b"5.0", b" 5\n", b"+5", b"0.5e1", b"3.", b"4.999"]
    usual = [
        b"",
        b" ",
        b"9",
        b"5.01",
        b"nan",
        b"inf",
        b"x",
        b"-1",
        b"0x5",
        b"5x",
        b"5 5",
        b"1e",
        b"0",
        b"0.0099",
        b"5,0",
    ]
    asker = client(name)
    with raw_server(runtime_directory, peers.replies(late)) as path:
        for value in patient + usual:
            ended = asker.run(path, b"ping", env={b"ALIGHT_DEADLINE": value})
            assert ended.code == (0 if value in patient else 4), value
