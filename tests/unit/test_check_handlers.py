"""``Check`` and its reply, without sockets."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from alight.clock import SystemClock
from alight.errors import BadRequest
from alight.index import Index
from alight.landing import judge
from alight.landing.base import Context
from alight.model import Stamp
from alight.server.check_handlers import CheckHandlers
from alight.trust.answers import Answers
from alight.trust.judge import Judge
from alight.trust.records import Records
from alight.wire import codec
from alight.wire.messages import Header
from alight.wire.requests import Check, CheckReply
from support.playfield import write


@pytest.fixture
def handlers(home: Path, tmp_path: Path) -> CheckHandlers:
    """Handlers over an empty home."""
    clock, uid = SystemClock(), os.getuid()
    return CheckHandlers(
        Answers(Index(clock, uid, os.fsencode(home)), Judge(Records(tmp_path / "t", uid, clock), uid), uid, clock)
    )


def test_the_caller_is_the_requests(handlers: CheckHandlers, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Directory, variables and the shell's words reach the rules as they were sent; nothing else does."""
    seen: list[Context] = []

    def remember(_line: bytes, _shell: str, caller: Context, _answering: object) -> tuple[()]:
        seen.append(caller)
        return ()

    monkeypatch.setattr(judge, "installs", remember)
    words = (b"hash pip=/bin/pip", b"hash x=relative", b"function uv", b"alias p=pip install", b"what ever", b"")
    handlers.check(Check(b"/code", "zsh", b"pip install x", (b"PATH=/bin", b"HOME=/h", b"PIP_USER="), words))
    handlers.check(Check(b"/", "bash", b""))
    first, second = seen
    assert (first.directory, first.home) == (b"/code", b"/h")
    assert first.variables == {"PATH": b"/bin", "HOME": b"/h", "PIP_USER": b""}
    assert (first.hashed, first.functions, first.aliases) == ({b"pip": b"/bin/pip"}, {b"uv"}, {b"p": b"pip install"})
    assert (second.home, second.variables) == (os.fsencode(home), {})


@pytest.mark.parametrize(
    "request_",
    [
        Check(b"relative", "bash", b"x"),
        Check(b"/a\0b", "bash", b"x"),
        Check(b"/", "tcsh", b"x"),
        Check(b"/", "bash", b"x", (b"nothing",)),
        Check(b"/", "bash", b"x", (b"1=2",)),
    ],
)
def test_what_does_not_fit_is_refused(handlers: CheckHandlers, request_: Check) -> None:
    """A relative directory, an unknown shell and a frame that is no variable are bad fields."""
    with pytest.raises(BadRequest):
        handlers.check(request_)


def test_a_global_install_is_seen(handlers: CheckHandlers, home: Path) -> None:
    """From line to verdict: a pip on PATH whose first line names a base Python lands there, beside the project."""
    base = home / "base"
    write(base / "bin/python3.12", b"\x7fELF").chmod(0o755)
    write(base / "lib/python3.12/os.py")
    write(base / "lib/python3.12/site-packages/pip/__init__.py", '__version__ = "24.0"\n')
    write(base / "lib/python3.12/site-packages/pip-24.0.dist-info/METADATA", "Name: pip\nVersion: 24.0\n")
    write(base / "bin/pip", f"#!{base}/bin/python3.12\nimport pip\n").chmod(0o755)
    variables = (f"PATH={base}/bin".encode(), f"HOME={home}".encode())
    reply = handlers.check(Check(os.fsencode(home), "bash", b"git status && pip install x", variables))
    (install,) = reply.installs
    assert (install.tool, install.verdict) == ("pip", "global")
    assert install.landing is not None
    assert install.landing.purelib == os.fsencode(base / "lib/python3.12/site-packages")


SAID: list[tuple[str, str, list[str], list[tuple[bytes, ...] | None]]] = [
    # line, shell, what the shell says; argv of each install, None for one that nobody knows
    ("p x", "bash", ['function p=p () \n{ \n    pip install "$@"\n}'], [(b"pip", b"install", b"x")]),
    ("p x", "zsh", ['function p=\tpip install "$@"'], [(b"pip", b"install", b"x")]),
    ("p x", "fish", ["function p=function p --wraps='pip'\n  pip install $argv\nend"], [(b"pip", b"install", b"x")]),
    ("pip install x", "zsh", ['function pip=\tcommand pip --verbose "$@"'], [(b"pip", b"--verbose", b"install", b"x")]),
    ("pip install x", "zsh", ['function pip=\tpip --verbose "$@"'], [None]),
    ("pip install x", "zsh", ['function pip=\tfoo; command pip "$@"'], [None]),
    ("'pip' install x", "zsh", ['function pip=\tcommand pip "$@"'], [None]),
    ("p x && p y", "zsh", ['function p=\tpip install "$@"'], [(b"pip", b"install", b"x"), (b"pip", b"install", b"y")]),
    ("p x; pip install y", "zsh", ['function p=\tpip install "$@"', "function pip"], [None, None]),
    ("pip install x", "zsh", ['function pip=\tcommand pip "$@"', "alias pip=pip -v"], [None]),
    ("command 'pip' install x", "zsh", ['function pip=\tcommand pip --user "$@"'], [(b"pip", b"install", b"x")]),
    ("p x; pip install y", "zsh", ["function p=\tcd /; pip"], [None]),
    ("pip install $x", "bash", ["shell x=a"], [(b"pip", b"install", b"a")]),
    ("pip install $x b", "bash", ["unset x"], [(b"pip", b"install", b"b")]),
    ("pip install -t $x b", "bash", [], [None]),
    ("cd $x && pip install b", "bash", ["shell x=/"], [(b"pip", b"install", b"b")]),
    ("x=c; pip install $x", "bash", ["shell x=a"], [(b"pip", b"install", b"c")]),
    ("pip install $EXPORTED", "bash", ["shell EXPORTED=a"], [(b"pip", b"install", b"e")]),
]  # fmt: skip


@pytest.mark.parametrize(("line", "shell", "said", "expected"), SAID)
def test_what_the_shell_says_of_words(
    handlers: CheckHandlers,
    home: Path,
    line: str,
    shell: str,
    said: list[str],
    expected: list[tuple[bytes, ...] | None],
) -> None:
    """A function that passes its arguments on is judged as what it starts, any other is not known; so are variables."""
    base = home / "base"
    write(base / "bin/python3.12", b"\x7fELF").chmod(0o755)
    write(base / "lib/python3.12/os.py")
    write(base / "lib/python3.12/site-packages/pip/__init__.py", '__version__ = "24.0"\n')
    write(base / "lib/python3.12/site-packages/pip-24.0.dist-info/METADATA", "Name: pip\nVersion: 24.0\n")
    write(base / "bin/pip", f"#!{base}/bin/python3.12\nimport pip\n").chmod(0o755)
    variables = (f"PATH={base}/bin".encode(), f"HOME={home}".encode(), b"EXPORTED=e")
    words = tuple(frame.encode() for frame in said)
    reply = handlers.check(Check(os.fsencode(home), shell, line.encode(), variables, words))
    found = [None if install.verdict == "unknown" else install.argv for install in reply.installs]
    assert found == expected


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=150)
@given(line=st.binary(max_size=200), shell=st.sampled_from(["bash", "zsh", "fish"]))
def test_any_octets_are_answered(handlers: CheckHandlers, line: bytes, shell: str) -> None:
    """Whatever stands on a line, there is a reply and it fits its encoding."""
    for text in (line, b"pip install " + line, b"uv pip " + line):
        reply = handlers.check(Check(b"/", shell, text, (b"PATH=/usr/bin:/bin", b"HOME=/nowhere")))
        _, decoded = codec.decode_reply(codec.encode_reply(Header("0", b"1", Stamp("e", 1), b"/"), reply))
        assert isinstance(decoded, CheckReply)
