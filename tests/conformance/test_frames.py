"""The golden frames: current, complete, and read back to the values they were made of."""

from __future__ import annotations

from typing import get_args

import pytest

from alight.wire import codec, messages, requests, shellframe
from conformance.frames import generate

UNIONS = {
    "request.bin": messages.ShellRequest,
    "reply.bin": messages.ShellReply,
    "request.msgpack.bin": requests.CommandRequest,
    "reply.msgpack.bin": requests.CommandReply,
}
SAMPLES = {type(sample): sample for sample in generate.SAMPLES}
NAMES = sorted(f"{kind.VERB}.{ending}" for ending, union in UNIONS.items() for kind in get_args(union))


def split(octets: bytes) -> list[bytes]:
    """The frames of one ZMTP message."""
    frames: list[bytes] = []
    position, more = 0, True
    while more:
        flags, size = octets[position], octets[position + 1]
        assert not flags & ~3
        position += 2
        if flags & 2:
            size = int.from_bytes(octets[position - 1 : position + 7], "big")
            position += 7
        frames.append(octets[position : position + size])
        position += size
        more = bool(flags & 1)
    assert position == len(octets)
    return frames


def test_the_files_are_current_and_complete() -> None:
    """What ``generate.py`` would write is what lies there, one file for every verb of every union."""
    written = {file.name: file.read_bytes() for file in generate.FRAMES.glob("*.bin")}
    assert written == generate.generate(), "run: PYTHONPATH=daemon python tests/conformance/frames/generate.py"
    assert sorted(written) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_each_file_is_read_back(name: str) -> None:
    """Decoding a golden frame gives the message and header it was made of."""
    verb, _, ending = name.partition(".")
    kind = next(kind for kind in get_args(UNIONS[ending]) if verb == kind.VERB)
    frames = split((generate.FRAMES / name).read_bytes())
    if ending == "request.bin":
        assert shellframe.decode_request(frames) == (generate.IDENTIFIER, SAMPLES[kind])
    elif ending == "reply.bin":
        header, message = shellframe.decode_reply(frames)
        assert message == SAMPLES[kind]
        assert header.stamp == generate.HEADER.stamp
        assert (header.id, header.directory) == (
            (b"", b"") if verb == "news" else (generate.IDENTIFIER, generate.DIRECTORY)
        )
    elif ending == "request.msgpack.bin":
        assert codec.decode_request(frames[0]) == (generate.IDENTIFIER, SAMPLES[kind])
    else:
        assert codec.decode_reply(frames[0]) == (generate.HEADER, SAMPLES[kind])
