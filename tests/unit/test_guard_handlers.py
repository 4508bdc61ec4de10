"""``Guard`` and ``Always``: what a shell is told about a line at Enter. Without sockets."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from alight.clock import SystemClock
from alight.errors import BadNews, BadRequest
from alight.index import Index
from alight.model import GuardMode
from alight.server.guard_handlers import GuardHandlers
from alight.trust.answers import Answers
from alight.trust.judge import Judge
from alight.trust.records import Records
from alight.wire.messages import Always, Done, Guard, Verdict
from support.playfield import write


class Field:
    """A base Python with pip on PATH, and a project with an environment of its own that has pip, too."""

    def __init__(self, home: Path, trust: Path) -> None:
        self.home = home
        self.base = self._python(home / "base", "")
        self.root = home / "app"
        write(self.root / "pyproject.toml")
        self.prefix = self._python(
            self.root / ".venv", f"home = {self.base}/bin\ninclude-system-site-packages = false\nversion = 3.12.1\n"
        )
        self.clock, self.uid = SystemClock(), os.getuid()
        self.records = Records(trust, self.uid, self.clock)
        self.answers = Answers(
            Index(self.clock, self.uid, os.fsencode(home)), Judge(self.records, self.uid), self.uid, self.clock
        )

    @staticmethod
    def _python(prefix: Path, configuration: str) -> Path:
        if configuration:
            (prefix / "bin").mkdir(parents=True)
            (prefix / "bin/python3.12").symlink_to(prefix.parent.parent / "base/bin/python3.12")
        else:
            write(prefix / "bin/python3.12", b"\x7fELF").chmod(0o755)
        (prefix / "bin/python").symlink_to("python3.12")
        library = prefix / "lib/python3.12"
        if configuration:
            write(prefix / "pyvenv.cfg", configuration)
        else:
            write(library / "os.py")
        write(library / "site-packages/pip/__init__.py", '__version__ = "24.0"\n')
        write(library / "site-packages/pip/__main__.py")
        write(library / "site-packages/pip-24.0.dist-info/METADATA", "Name: pip\nVersion: 24.0\n")
        write(prefix / "bin/pip", f"#!{prefix}/bin/python3.12\nimport pip\n").chmod(0o755)
        return prefix

    def allow(self) -> None:
        """The user's word for the project's environment."""
        answer = self.answers.answer(os.fsencode(self.root), {})
        self.answers.judge.allow(answer.resolution, self.answers.disk())

    def handlers(self, mode: GuardMode | None = None) -> GuardHandlers:
        """The handlers of a daemon that has just started."""
        return GuardHandlers(self.answers, mode)

    def guard(self, line: str, *frames: str, before: str = "", where: Path | None = None) -> Guard:
        """A question from bash in the project, with the base Python's pip on PATH."""
        sent = (f"PATH={self.base}/bin", f"HOME={self.home}", *frames)
        directory = os.fsencode(where or self.root)
        return Guard("bash", 7, directory, before.encode(), line.encode(), tuple(map(str.encode, sent)))

    def edited(self, line: str, reply: Verdict) -> str:
        """The line after the reply's edits, its words joined by blanks (none here needs quotes)."""
        text, edits = line.encode(), []
        for frame in reply.frames:
            if frame.startswith(b"@"):
                begin, _, end = frame[1:].partition(b":")
                edits.append((int(begin), int(end), []))
            elif frame.startswith(b"."):
                edits[-1][2].append(frame[1:])
        for begin, end, words in reversed(edits):
            text = text[:begin] + b" ".join(words) + text[end:]
        return text.decode()


@pytest.fixture
def field(home: Path, tmp_path: Path) -> Field:
    """The field, nothing allowed yet."""
    return Field(home, tmp_path / "trust")


def lines(reply: Verdict) -> str:
    """Everything a person reads."""
    return "\n".join([reply.message, *(frame[1:].decode() for frame in reply.frames if frame.startswith(b"-"))])


def test_a_wrong_place_is_asked_about(field: Field) -> None:
    """A global install beside a trusted environment: the landing, the project, and a line that lands there."""
    field.allow()
    line = "cd . && pip install x 2>&1 | cat"
    reply = field.handlers().guard(field.guard(line))
    assert (reply.act, reply.keys) == ("ask", "rpac")
    assert f"{field.base}/lib/python3.12/site-packages" in lines(reply)
    assert f"{field.prefix}  (Python 3.12.1, venv)" in lines(reply)
    assert field.edited(line, reply) == f"cd . && {field.prefix}/bin/python -m pip install x 2>&1 | cat"


def test_what_is_right_or_no_install_is_silent(field: Field) -> None:
    """The environment's own pip, another command and a quoted text get no word."""
    field.allow()
    for line in (f"{field.prefix}/bin/pip install x", "ls", "git commit -m 'pip install'", "f() { pip install x; }"):
        assert field.handlers().guard(field.guard(line)) == Verdict("run"), line


def test_an_untrusted_environment_is_not_offered(field: Field) -> None:
    """Before ``alight allow`` there is no ``r``, no edit, and the message says what to do."""
    reply = field.handlers().guard(field.guard("pip install x"))
    assert (reply.act, reply.keys) == ("ask", "pac")
    assert "`alight allow`" in reply.message
    assert not any(frame.startswith((b"@", b".")) for frame in reply.frames)


def test_two_installs_are_one_question(field: Field) -> None:
    """Every wrong install on the line is named, and all of them are put right by one key, or none."""
    field.allow()
    line = "pip install x; pip install y"
    reply = field.handlers().guard(field.guard(line))
    python = f"{field.prefix}/bin/python -m pip install"
    assert field.edited(line, reply) == f"{python} x; {python} y"
    assert "  and " in lines(reply)
    # What an alias puts in front of the installer has no place on the line.
    mixed = field.handlers().guard(field.guard("pip install x; q y", "alias q=FOO=1 pip install"))
    assert "  and  " in lines(mixed)
    assert "r" not in mixed.keys


def test_an_alias_is_replaced_where_it_was_typed(field: Field) -> None:
    """The words of an alias stand in for the typed one, and with them the whole command is replaced."""
    field.allow()
    reply = field.handlers().guard(field.guard("p x", "alias p=pip install"))
    assert field.edited("p x", reply) == f"{field.prefix}/bin/python -m pip install x"


def test_only_the_line_at_hand_is_spoken_of(field: Field) -> None:
    """What the shell has taken before is not asked about again, and edits count from the line at hand."""
    field.allow()
    handlers, line = field.handlers(), "  pip install y"
    reply = handlers.guard(field.guard(line, before="for i in 1; do\n  echo pip\n"))
    assert field.edited(line, reply) == f"  {field.prefix}/bin/python -m pip install y"
    before = "for i in 1; do\n  pip install x\n"
    assert handlers.guard(field.guard("  echo", before=before)) == Verdict("run")
    assert handlers.guard(field.guard("pip install y", before="cat <<E\n")) == Verdict("run")


def test_always_here_is_remembered_and_revoked(field: Field) -> None:
    """After "always" the same tool into the same place from the same project is silent until it is revoked."""
    field.allow()
    handlers, guard = field.handlers(), field.guard("pip install x")
    token = handlers.guard(guard).token
    assert handlers.always(Always("bash", 7, guard.directory, token)) == Done()
    assert handlers.guard(guard).act == "run"
    assert field.handlers().guard(guard).act == "run", "it outlives the daemon"
    elsewhere = field.guard("pip install x", where=field.home)
    assert handlers.guard(elsewhere).act == "ask", "another project is another question"
    [record] = [record for record in field.records.all() if record.decision == "always"]
    assert (record.root, record.tool, record.prefix) == (str(field.root), "pip", str(field.base))
    field.answers.judge.revoke(record.identifier[:12].encode())
    assert handlers.guard(guard).act == "ask"


def test_an_answer_counts_once_and_only_to_a_question(field: Field) -> None:
    """A token that was never given, or was used, is refused, and nothing is recorded."""
    field.allow()
    handlers, guard = field.handlers(), field.guard("pip install x")
    token = handlers.guard(guard).token
    handlers.always(Always("bash", 7, guard.directory, token))
    for wrong in (token, "0" * 16, ""):
        with pytest.raises(BadNews):
            handlers.always(Always("bash", 7, guard.directory, wrong))
    assert len([record for record in field.records.all() if record.decision == "always"]) == 1


@pytest.mark.parametrize(
    ("mode", "frames", "act"),
    [
        (None, (), "ask"),
        (None, ("CI=true",), "run"),
        ("ask", ("CI=true",), "ask"),
        (None, ("CI=true", "ALIGHT_GUARD=warn"), "say"),
        ("off", (), "run"),
        ("off", ("ALIGHT_GUARD=block",), "stop"),
        ("warn", ("ALIGHT_GUARD=off",), "run"),
        ("block", ("ALIGHT_GUARD=nonsense",), "stop"),
    ],
)
def test_who_decides_what_the_guard_does(
    field: Field, mode: GuardMode | None, frames: tuple[str, ...], act: str
) -> None:
    """ALIGHT_GUARD before the settings; without either it asks, and is off where CI runs."""
    field.allow()
    reply = field.handlers(mode).guard(field.guard("pip install x", *frames))
    assert reply.act == act
    if act in ("say", "stop"):
        assert f"instead    {field.prefix}/bin/python -m pip install x" in lines(reply)
        assert (reply.keys, reply.token) == ("", "")


def test_what_makes_an_environment_is_said_once(field: Field) -> None:
    """An install that makes the environment first is a note, once a shell, and no question."""
    write(field.root / "uv.lock", "version = 1\n")
    write(field.root / "pyproject.toml", "[project]\nname = 'app'\nversion = '1'\n")
    write(field.base / "bin/uv", b"\x7fELF").chmod(0o755)
    other = field.home / "new"
    write(other / "pyproject.toml", "[project]\nname = 'new'\nversion = '1'\n")
    write(other / "uv.lock", "version = 1\n")
    reply = field.handlers().guard(field.guard("uv add x", where=other))
    assert reply.act == "say"
    assert reply.once == f"ok:{other}/.venv"


def test_fields_that_do_not_fit_are_refused(field: Field) -> None:
    """A relative directory and an unknown shell are bad fields."""
    for wrong in (Guard("bash", 7, b"app", b"", b"pip install x"), Guard("tcsh", 7, b"/", b"", b"pip install x")):
        with pytest.raises(BadRequest):
            field.handlers().guard(wrong)
