"""Requests and their replies, without sockets: what a shell, the command and a liar may ask."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from alight.clock import SystemClock
from alight.errors import BadRequest
from alight.index import Index
from alight.model import Owner, Stamp, Switch
from alight.paths import Places
from alight.server.handlers import Handlers
from alight.server.handlers_base import Surface
from alight.server.news import News
from alight.trust.answers import Answers
from alight.trust.judge import Judge
from alight.trust.maker import Makers
from alight.trust.records import Records
from alight.wire import codec, shellframe
from alight.wire.facts import FACTS
from alight.wire.messages import Ask, Done, Header, Listen, Message, Note, Ping, Plan, Pong
from alight.wire.requests import (
    AnswerReply,
    Decide,
    DecisionsReply,
    EnvironmentsReply,
    GetAnswer,
    GetEnvironments,
    GetStatus,
    StatusReply,
    Stop,
    TrustList,
    TrustRevoke,
    TrustTree,
)
from support.playfield import Playfield, write
from support.world import base_python


class Desk:
    """Handlers over a playfield, with news in a directory of the test's own."""

    def __init__(self, field: Playfield, runtime: Path) -> None:
        self.field = field
        self.home = os.fsencode(field.home)
        self.stopped: list[str] = []
        runtime.mkdir(mode=0o700)
        places = Places(runtime, runtime / "c", runtime / "d", runtime / "s")
        clock = SystemClock()
        self.news = News(places, clock)
        self.news.open(lambda _routing, _news: True)
        self.records = Records(places.trust, os.getuid(), clock)
        judge = Judge(self.records, os.getuid())
        answers = Answers(Index(clock, os.getuid(), self.home), judge, os.getuid(), clock)
        surface = Surface(self.news, None, self.stopped.append, segment=True)
        self.handlers = Handlers(answers, Makers(clock), surface, clock)

    def handle(self, request: Message) -> Message:
        """The reply, which has to fit the encoding it would be sent in."""
        reply = self.handlers.handle(request, None)
        assert reply is not None
        header = Header("0", b"1", Stamp("e", 1), b"/")
        if isinstance(request, Ask | Note | Listen):
            shellframe.decode_reply(shellframe.encode_reply(header, reply))
        else:
            codec.decode_reply(codec.encode_reply(header, reply))
        return reply

    def ask(
        self,
        directory: Path | bytes,
        *variables: bytes,
        status: int = 0,
        applied: bytes = b"",
        declined: bytes = b"",
        owner: Owner = "",
        switch: Switch = "on",
        first: bool = False,
        pid: int = 1,
    ) -> Plan:
        given_variables = (b"HOME=" + self.home, b"PATH=/usr/bin:/bin", *variables)
        request = Ask(
            "bash", pid, os.fsencode(directory), switch, owner, applied, declined, status, first, given_variables
        )
        reply = self.handle(request)
        assert isinstance(reply, Plan)
        return reply

    def note(self, directory: Path, line: str, pid: int = 1) -> None:
        variables = (b"HOME=" + self.home, b"PATH=" + os.path.dirname(base_python()).encode())
        assert self.handle(Note("bash", pid, os.fsencode(directory), "file", line.encode(), variables)) == Done()

    def decide(self, decision: str, directory: Path) -> AnswerReply:
        reply = self.handle(Decide(decision, os.fsencode(directory), (b"HOME=" + self.home,)))
        assert isinstance(reply, AnswerReply)
        return reply

    def app(self, name: str = "app", *, environment: bool = True) -> Path:
        root = self.field.home / name
        write(root / "pyproject.toml")
        if environment:
            self.field.venv(root / ".venv")
        return root


@pytest.fixture
def desk(field: Playfield, tmp_path: Path) -> Desk:
    return Desk(field, tmp_path / "run")


def test_a_shells_day(desk: Desk) -> None:
    """Untrusted, allowed, entered, kept, left: each plan follows from what the shell says about itself."""
    root = desk.app()
    prefix = os.fsencode(root / ".venv")
    first = desk.ask(root)
    assert (first.action, first.state) == ("keep", "untrusted")
    assert "alight allow" in first.notice
    assert desk.decide("allow", root).answer.state == "trusted"
    entered = desk.ask(root)
    assert (entered.action, entered.prefix, entered.owner) == ("enter", prefix, "alight")
    assert os.path.isfile(entered.stamp)
    assert entered.mark != first.mark
    on = (b"VIRTUAL_ENV=" + prefix,)
    kept = desk.ask(root, *on, applied=prefix, owner="alight")
    assert (kept.action, kept.state, kept.operations) == ("keep", "active", ())
    assert desk.ask(desk.field.home, *on, applied=prefix, owner="alight").action == "leave"
    assert desk.decide("deny", root).answer.state == "denied"
    assert desk.ask(root, *on, applied=prefix, owner="alight").action == "leave"


def test_made_by_the_user(desk: Desk) -> None:
    """A noted line that made the environment is the permission; the news goes to every shell."""
    root = desk.app(environment=False)
    before = desk.ask(root).mark
    desk.note(root, f"{base_python()} -m venv .venv")
    desk.field.venv(root / ".venv")
    made = desk.ask(root)
    assert made.action == "enter"
    assert made.mark != before


def test_a_maker_that_made_nothing_vouches_for_nothing(desk: Desk) -> None:
    """`uv sync` that found nothing to do, then an archive that brings a .venv: the archive is asked about."""
    root = desk.app(environment=False)
    desk.note(root, f"{base_python()} -m venv .venv")
    assert desk.ask(root, status=0).action == "keep"
    desk.field.venv(root / ".venv")
    assert desk.ask(root).state == "untrusted"


def test_made_but_not_recordable_is_asked_about(desk: Desk) -> None:
    """A data directory that is not ours alone costs the permission, not the plan."""
    root = desk.app(environment=False)
    desk.note(root, f"{base_python()} -m venv .venv")
    desk.field.venv(root / ".venv")
    desk.records.directory.mkdir(parents=True)
    desk.records.directory.chmod(0o755)
    assert desk.ask(root).state == "untrusted"


@pytest.mark.parametrize("prefix", ["/usr", "/usr/local"])
def test_a_base_that_an_image_calls_an_environment_is_the_users(desk: Desk, prefix: str) -> None:
    """VIRTUAL_ENV=/usr is not cleaned away with /usr/bin: whatever follows, PATH keeps it."""
    for first in (True, False):
        plan = desk.ask(desk.field.home, b"VIRTUAL_ENV=" + prefix.encode(), first=first)
        assert b"path-remove " + prefix.encode() + b"/bin" not in plan.operations


def test_an_environment_without_pyvenv_cfg_is_not_taken_for_another(desk: Desk) -> None:
    """What old virtualenv made inside a project is neither dead nor the project's own."""
    root = desk.app()
    desk.decide("allow", root)
    write(root / "old/bin/python")
    plan = desk.ask(root, b"VIRTUAL_ENV=" + os.fsencode(root / "old"))
    assert (plan.action, plan.owner, plan.state, plan.name) == ("keep", "user", "mismatch", "old")


@pytest.mark.parametrize(
    "value", [b"relative", b"", b"/", b"//", b"/gone", b"/a:b", b"\xff", b"/" + b"x" * 8000, b".", b"/\x1b\n"]
)
@pytest.mark.parametrize("name", [b"VIRTUAL_ENV", b"CONDA_PREFIX"])
def test_whatever_a_shell_has_there_is_a_plan_the_hook_takes(desk: Desk, name: bytes, value: bytes) -> None:
    """Every path in a plan is absolute, and nothing with a colon is put into or taken from PATH."""
    root = desk.app()
    desk.decide("allow", root)
    for directory in (root, desk.field.home):
        for first in (True, False):
            plan = desk.ask(directory, name + b"=" + value, first=first)
            for path in (plan.root, plan.prefix, plan.stamp, plan.generation):
                assert path == b"" or path.startswith(b"/")
            for operation in plan.operations:
                verb, _, rest = operation.partition(b" ")
                if verb.startswith(b"path-"):
                    assert rest.startswith(b"/")
                    assert b":" not in rest


@pytest.mark.parametrize("directory", [b"", b"relative", b"/a\0b", b"~"])
def test_a_directory_is_an_absolute_path(desk: Desk, directory: bytes) -> None:
    """Everything else is a bad field in every request that has one."""
    requests: list[Message] = [
        Ask("zsh", 1, directory, "on", "", b"", b"", 0, False),
        Note("zsh", 1, directory, "file", b"uv sync"),
        GetAnswer(directory),
        Decide("allow", directory),
        TrustTree(directory),
        *([GetEnvironments(directory)] if directory else []),
    ]
    for request in requests:
        with pytest.raises(BadRequest) as caught:
            desk.handlers.handle(request, None)
        assert caught.value.code == "bad-field"


def test_only_two_decisions_exist(desk: Desk) -> None:
    """A misspelt decision is neither."""
    with pytest.raises(BadRequest):
        desk.decide("alow", desk.app())
    assert list(desk.records.all()) == []


def test_what_the_command_asks(desk: Desk) -> None:
    """Every verb of the command has its reply; failing ones carry the sentence for the user."""
    root = desk.app()
    assert isinstance(desk.handle(Ping()), Pong)
    status = desk.handle(GetStatus())
    assert isinstance(status, StatusReply)
    assert status.degraded
    trail = desk.handle(GetAnswer(os.fsencode(root), (b"HOME=" + desk.home,), trail=True))
    assert isinstance(trail, AnswerReply)
    assert trail.answer.resolution.trail
    prefixes: list[bytes] = []
    more, after = True, b""
    while more:
        page = desk.handle(GetEnvironments(os.fsencode(root), (b"HOME=" + desk.home,), after))
        assert isinstance(page, EnvironmentsReply)
        prefixes += [environment.prefix for environment in page.environments]
        more, after = page.more, prefixes[-1] if prefixes else b""
    assert os.fsencode(root / ".venv") in prefixes
    assert desk.handle(TrustList()) == DecisionsReply(())
    desk.decide("allow", root)
    trusted = desk.handle(TrustTree(desk.home))
    assert isinstance(trusted, DecisionsReply)
    assert {decision.decision for decision in trusted.decisions} == {"allow", "tree"}
    revoked = desk.handle(TrustRevoke(b"/", os.fsencode(root)))
    assert isinstance(revoked, DecisionsReply)
    assert [decision.decision for decision in revoked.decisions] == ["tree"]
    nothing = desk.handle(TrustRevoke(b"/", b"/nowhere"))
    assert isinstance(nothing, DecisionsReply)
    assert "nothing is recorded" in nothing.message
    empty = desk.decide("allow", desk.field.home)
    assert empty.message == ""
    (root / ".venv").chmod(0o777)
    refused = desk.decide("allow", root)
    assert "can be written by others" in refused.message
    assert refused.warnings
    assert desk.handle(Stop()) == Done()
    assert desk.stopped == ["asked to stop"]


def test_a_variable_without_a_value_is_a_bad_field(desk: Desk) -> None:
    """NAME=value or nothing."""
    with pytest.raises(BadRequest):
        desk.ask(desk.field.home, b"VIRTUAL_ENV")


HOSTILE = [
    b"caf\xe9 \xff",
    b"$(touch hurt)`touch hurt`",
    b"%F{red}\\w",
    b"esc\x1b[31m\x07",
    b"two\nlines",
    b'it\'s "q"',
    "环境 🐍\u202e".encode(),
]


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_names_reach_every_reply_whole(desk: Desk, name: bytes) -> None:
    """A folder of any name, with a prompt of any text, is asked about, allowed, listed and revoked."""
    directory = desk.home + b"/" + name
    root = Path(os.fsdecode(directory))
    write(root / "pyproject.toml", b'[project]\nname = "' + name + b'"\n')
    desk.field.venv(root / ".venv")
    with open(root / ".venv/pyvenv.cfg", "ab") as config:
        config.write(b"prompt = " + name.replace(b"\n", b" ") + b"\n")
    text = desk.ask(directory)
    for shown in (text.name, text.prompt, text.notice, text.python_version):
        assert shown.isprintable()
    variables = (b"HOME=" + desk.home,)
    for trail in (True, False):
        assert isinstance(desk.handle(GetAnswer(directory, variables, trail=trail)), AnswerReply)
    desk.handle(GetEnvironments(directory, variables))
    desk.handle(Decide("allow", directory, variables))
    desk.ask(directory)
    desk.handle(TrustTree(directory))
    desk.handle(Decide("deny", directory, variables))
    desk.handle(TrustList())
    assert desk.handle(TrustRevoke(b"/", directory)) != DecisionsReply(())
    assert list(desk.records.all()) == []


_VALUES = st.sampled_from(
    [
        b"",
        b"/",
        b".",
        b"1",
        b"base",
        b"/gone",
        b"/usr",
        b"\xff",
        b"x" * 9000,
        b"eJyrrgUAAXUA+Q==",
        b"/a:b",
        b"\n",
        b"vscode",
    ]
)
_VARIABLES = st.lists(st.tuples(st.sampled_from(FACTS).map(str.encode), _VALUES).map(b"=".join), max_size=20)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    variables=_VARIABLES,
    applied=_VALUES,
    declined=_VALUES,
    owner=st.sampled_from(["", "alight", "user", "inherited", "direnv", "mise", "vscode"]),
    switch=st.sampled_from(["on", "off", "paused"]),
    first=st.booleans(),
    inside=st.booleans(),
)
def test_no_session_raises(
    desk: Desk,
    variables: list[bytes],
    applied: bytes,
    declined: bytes,
    owner: Owner,
    switch: Switch,
    first: bool,
    inside: bool,
) -> None:
    """Whatever a shell says about itself, there is a plan, and it fits the wire."""
    root = desk.field.home / "app"
    if not root.exists():
        desk.app()
        desk.decide("allow", root)
    desk.ask(
        root if inside else desk.field.home,
        *variables,
        applied=applied,
        declined=declined,
        owner=owner,
        switch=switch,
        first=first,
    )
