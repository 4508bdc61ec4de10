"""The command in this process, with a daemon made of canned replies."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from alight.cli.main import run
from alight.cli.session import Service, Session
from alight.errors import Unreachable
from alight.model import Answer, Environment, Project, Resolution, Stamp, State, Step, WouldCreate
from alight.wire.messages import Header, Message
from alight.wire.requests import AnswerReply

HOSTILE = b"/tmp/a \xff\x1b[31m\n'$(x)\xe2\x80\xae"
"""A path with an octet that is not UTF-8, an escape sequence, a newline, a quote, a substitution, a bidi mark."""

_MARKERS = ("pyproject.toml", "uv.lock")


def environment(prefix: bytes = b"/code/app/.venv", *, kind: str = "venv", name: str = "app") -> Environment:
    """A healthy environment."""
    return Environment(
        prefix=prefix,
        kind=kind,  # type: ignore[arg-type]
        system="uv",
        name=name,
        python_version="3.12.4",
        interpreter=prefix + b"/bin/python",
        base=b"/usr",
        site_packages=(prefix + b"/lib/python3.12/site-packages",),
    )


def answer(state: State, *, prefix: bytes = b"/code/app/.venv", directory: bytes = b"/code/app") -> Answer:
    """An answer in this state, as a daemon would give it."""
    condition = {"none": "none", "missing": "missing", "broken": "broken"}.get(state, "found")
    found = Resolution(
        directory=directory,
        project=Project(directory, ("pyproject.toml",)) if state == "none" else Project(directory, _MARKERS, "uv"),
        environment=None if state in ("none", "missing") else environment(prefix),
        interpreter=None,
        condition=condition,  # type: ignore[arg-type]
        would_create=None if state == "none" else WouldCreate("uv sync", prefix),
        rule="uv-project",
        confidence="high",
        evidence=(directory + b"/uv.lock",),
        trail=(Step("uv-project", "hit", (directory + b"/uv.lock",), "uv.lock is here"),),
    )
    return Answer(found, state)


@dataclass
class CannedService:
    """Answers each kind of message with its canned reply, and remembers what it was asked."""

    replies: Mapping[str, Message | Callable[[Message], Message]]
    stamp: Stamp = field(default_factory=lambda: Stamp("e1", 7))
    asked: list[Message] = field(default_factory=list)

    def request(self, message: Message) -> tuple[Header, Message]:
        self.asked.append(message)
        reply = self.replies[message.VERB]
        return Header("0.1.0", b"1", self.stamp, b""), reply if isinstance(reply, Message) else reply(message)


def answering(state: State, **details: bytes) -> CannedService:
    """A daemon that gives one answer to questions and decisions alike."""
    reply = AnswerReply(answer(state, **details))
    return CannedService({"answer": reply, "decide": reply})


def session(service: Service | None, environ: Mapping[bytes, bytes] | None = None) -> Session:
    """A session with this daemon, or without any."""

    def service_or_raise() -> Service:
        if service is None:
            raise Unreachable("no daemon answers", "alight daemon start")
        return service

    def nothing() -> object:
        raise AssertionError("this verb needs no places and no settings")

    return Session(
        environ={b"PATH": b"/usr/bin:/bin"} if environ is None else environ,
        reading=service_or_raise,
        deciding=service_or_raise,
        running=service_or_raise,
        places=nothing,  # type: ignore[arg-type]
        settings=nothing,  # type: ignore[arg-type]
        following=service_or_raise,
    )


def alight(*arguments: str, service: Service | None = None, environ: Mapping[bytes, bytes] | None = None) -> int:
    """Run one command line; its exit code. What it prints is for pytest's capture."""
    return run(arguments, session(service, environ))
