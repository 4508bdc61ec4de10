"""Write the golden frames: one file per verb and encoding, the octets of one ZMTP message.

    PYTHONPATH=daemon python tests/conformance/frames/generate.py

``<verb>.request.bin`` and ``<verb>.reply.bin`` are a shell's frames, ``<verb>.request.msgpack.bin`` and
``<verb>.reply.msgpack.bin`` the command's single frame. The values are hostile on purpose: newlines, separators,
octets that are not UTF-8, empty fields, and a field that needs the long form of a frame.
"""

from __future__ import annotations

from pathlib import Path
from typing import get_args

from alight import query
from alight.model import (
    Answer,
    Environment,
    Event,
    Expected,
    Finding,
    Install,
    Interpreter,
    Landing,
    Project,
    Resolution,
    Stamp,
    Step,
    WouldCreate,
)
from alight.wire import codec, messages, requests, shellframe
from alight.wire.messages import Header, Message

FRAMES = Path(__file__).parent
IDENTIFIER = b"0123456789abcdef"
DIRECTORY = b"/code/it's \xc3\xa9 $(x)\n\xff"
LONG = b"PATH=" + b"/usr/bin:" * 40
HEADER = Header("0.1.0", IDENTIFIER, Stamp("18ea62f19254a290-1", 42), DIRECTORY)

_environment = Environment(
    prefix=DIRECTORY + b"/.venv",
    kind="venv",
    system="uv",
    name="app",
    python_version="3.12.4",
    interpreter=DIRECTORY + b"/.venv/bin/python",
    base=b"/usr",
    site_packages=(DIRECTORY + b"/.venv/lib/python3.12/site-packages",),
    health=(Finding("moved", "warning", "made under another path", (b"/old",)),),
)
_interpreter = Interpreter(b"/usr/bin/python3.11", b"/usr", "3.11.2", "debian", externally_managed=True)
_answer = Answer(
    Resolution(
        directory=DIRECTORY,
        project=Project(DIRECTORY, ("pyproject.toml",), "uv"),
        environment=_environment,
        interpreter=None,
        condition="found",
        would_create=WouldCreate("uv sync", DIRECTORY + b"/.venv"),
        rule="uv-project",
        confidence="high",
        evidence=(DIRECTORY + b"/uv.lock",),
        trail=(Step("uv-project", "hit", (DIRECTORY + b"/uv.lock",), "has a lock file"),),
    ),
    state="untrusted",
    reason="never asked",
)

_install = Install(
    tool="pip",
    action="install",
    argv=(b"pip", b"install", DIRECTORY),
    directory=DIRECTORY,
    landing=Landing(
        b"/usr/bin/python3.11", b"/usr", "posix_local", b"/usr/local/lib/python3.11/dist-packages", "base", "Debian"
    ),
    expected=Expected(DIRECTORY + b"/.venv", exists=True),
    verdict="global",
    confidence="sure",
    reason="system-python",
    because=("/usr/bin/pip: first line",),
    message="this pip installs into Debian Python 3.11 (global)",
    instead=(DIRECTORY + b"/.venv/bin/python", b"-m", b"pip", b"install", DIRECTORY),
    span=(0, 11),
)

SAMPLES: tuple[Message, ...] = (
    messages.Ask("zsh", 4242, DIRECTORY, "on", "alight", b"/v", b"", 130, True, (LONG, b"HOME=/h\xff")),
    messages.Note("fish", 4242, DIRECTORY, "file", b"python -m venv .venv\x1f", (b"HOME=/h",)),
    messages.Guard("zsh", 4242, DIRECTORY, b"for i in 1; do\n", b"pip install \xff", (LONG, b"alias p=pip install")),
    messages.Always("bash", 4242, DIRECTORY, "0123456789abcdef"),
    messages.Listen(DIRECTORY, DIRECTORY, "18ea62f19254a290-1-41"),
    messages.Ping(DIRECTORY),
    messages.Plan(
        action="enter",
        root=DIRECTORY,
        prefix=DIRECTORY + b"/.venv",
        owner="alight",
        stamp=b"/h/.local/share/alight/trust/" + b"0" * 64 + b".json",
        state="active",
        name="app",
        kind="venv",
        python_version="3.12.4",
        prompt="(app) ",
        segment=True,
        notice="",
        generation=b"/run/user/1000/alight/projects/0123456789abcdef",
        mark="18ea62f19254a290-1-42",
        witness_1=DIRECTORY + b"/.venv/pyvenv.cfg",
        witness_2=DIRECTORY,
        witness_3=b"",
        witness_4=b"",
        operations=(b"set VIRTUAL_ENV=" + DIRECTORY + b"/.venv", b"unset PYTHONHOME", b"path-add " + DIRECTORY + b"/b"),
    ),
    messages.Verdict(
        "ask", "", "alight: this pip", "rpac", "0123456789abcdef", (b"-  lands in", b"@0:15", b".uv", b".\xff")
    ),
    messages.Done(),
    messages.Pong(4242),
    messages.News(DIRECTORY, "18ea62f19254a290-1-43"),
    messages.Failure("bad-field", "pid is a decimal number"),
    requests.GetAnswer(DIRECTORY, (LONG,), trail=True),
    requests.GetEnvironments(DIRECTORY, (b"HOME=/h",)),
    requests.GetStatus(),
    requests.Follow(DIRECTORY, (b"HOME=/h",), "18ea62f19254a290-1", 41),
    requests.Check(DIRECTORY, "fish", b"pip install \xff; and true\n", (LONG,), (b"hash pip=/usr/bin/pip",)),
    requests.Decide("allow", DIRECTORY, (b"HOME=/h",)),
    requests.TrustTree(DIRECTORY),
    requests.TrustList(),
    requests.TrustRevoke(DIRECTORY, b"\xff"),
    requests.Stop(),
    requests.AnswerReply(_answer, "allowed", ("the lock file is older",)),
    requests.EnvironmentsReply((_environment,), (_interpreter,)),
    requests.CheckReply((_install,)),
    requests.FollowReply(
        (Event(42, 1_790_000_000_123_456_789, "lock-changed", DIRECTORY, None, "uv.lock is gone"),), 42
    ),
    requests.StatusReply(4242, ("watches",), 12.5, 3, 2),
    requests.DecisionsReply((requests.Decision("0" * 64, "allow", DIRECTORY, b"/v", "2026-01-02"),), "revoked"),
)
"""One message of every verb."""


def generate() -> dict[str, bytes]:
    """File name -> content, for every verb of the four unions."""
    files: dict[str, bytes] = {}
    for sample in SAMPLES:
        kind, verb = type(sample), sample.VERB
        if kind in get_args(messages.ShellRequest):
            files[f"{verb}.request.bin"] = query.encode(shellframe.encode_request(IDENTIFIER, sample))
        if kind in get_args(messages.ShellReply):
            header = HEADER if verb != "news" else Header(HEADER.version, b"", HEADER.stamp, b"")
            files[f"{verb}.reply.bin"] = query.encode(shellframe.encode_reply(header, sample))
        if kind in get_args(requests.CommandRequest):
            files[f"{verb}.request.msgpack.bin"] = query.encode([codec.encode_request(IDENTIFIER, sample)])
        if kind in get_args(requests.CommandReply):
            files[f"{verb}.reply.msgpack.bin"] = query.encode([codec.encode_reply(HEADER, sample)])
    return files


def main() -> None:
    """Replace every golden frame."""
    for stale in FRAMES.glob("*.bin"):
        stale.unlink()
    for name, content in generate().items():
        (FRAMES / name).write_bytes(content)


if __name__ == "__main__":
    main()
