"""What the command and editors ask, and what they are answered: one msgpack frame each (``codec``).

The same kind of Structs as the shells' in ``messages``; the order of the fields means nothing here.
"""

from __future__ import annotations

from typing import ClassVar

import msgspec

from alight.model import Answer, Environment, Event, Install, Interpreter
from alight.wire.messages import Done, Failure, Message, Ping, Pong


class GetAnswer(Message, frozen=True, tag="answer"):
    """What belongs to this directory? With ``trail``, also every rule that was looked at."""

    VERB: ClassVar[str] = "answer"
    directory: bytes
    variables: tuple[bytes, ...] = ()
    trail: bool = False


class GetEnvironments(Message, frozen=True, tag="environments"):
    """Every environment and interpreter alight knows, a page at a time so that shells are served in between.

    ``after`` is the last prefix of the page before; empty for the first, which also carries the interpreters.
    """

    VERB: ClassVar[str] = "environments"
    directory: bytes = b""
    variables: tuple[bytes, ...] = ()
    after: bytes = b""


class Follow(Message, frozen=True, tag="follow"):
    """What happened after event ``after`` of the daemon named by ``epoch``? Answered when something did.

    At once when there is something already, when the daemon is another one, or when ``after`` is negative, which asks
    only where to begin; else after ``limits.FOLLOW_SECONDS`` at the latest. ``directory`` is watched from then on;
    events come from everywhere.
    """

    VERB: ClassVar[str] = "follow"
    directory: bytes
    variables: tuple[bytes, ...] = ()
    epoch: str = ""
    after: int = 0


class GetStatus(Message, frozen=True, tag="status"):
    """How is the daemon?"""

    VERB: ClassVar[str] = "status"
    directory: bytes = b""


class Decide(Message, frozen=True, tag="decide"):
    """Record the user's decision about what belongs to this directory; the daemon alone writes it."""

    VERB: ClassVar[str] = "decide"
    decision: str  # allow | deny
    directory: bytes
    variables: tuple[bytes, ...] = ()


class TrustTree(Message, frozen=True, tag="trust-tree"):
    """Trust every environment at or below this directory that passes the standing checks."""

    VERB: ClassVar[str] = "trust-tree"
    directory: bytes


class TrustList(Message, frozen=True, tag="trust-list"):
    """List every recorded decision."""

    VERB: ClassVar[str] = "trust-list"
    directory: bytes = b""


class TrustRevoke(Message, frozen=True, tag="trust-revoke"):
    """Forget a decision, named by its identifier, root or prefix."""

    VERB: ClassVar[str] = "trust-revoke"
    directory: bytes
    which: bytes


class Check(Message, frozen=True, tag="check"):
    """Where would this line install, without running it? ``variables`` are all of ``facts.LANDING`` that are exported.

    ``words`` is what the caller's shell would run for a word, where that is no matter of PATH: ``hash pip=/bin/pip``,
    ``function pip``, ``alias p=pip install``.
    """

    VERB: ClassVar[str] = "check"
    directory: bytes
    shell: str  # zsh | bash | fish: whose syntax the line has
    line: bytes
    variables: tuple[bytes, ...] = ()
    words: tuple[bytes, ...] = ()


class Stop(Message, frozen=True, tag="stop"):
    """Leave in good order."""

    VERB: ClassVar[str] = "stop"
    directory: bytes = b""


# --- replies to them -----------------------------------------------------------------------------


class AnswerReply(Message, frozen=True, tag="answer-reply"):
    """The answer, and after a Decide the sentence that says what was recorded.

    ``settled`` is False while environments in pools are still being read: ask again, and it will be.
    """

    VERB: ClassVar[str] = "answer-reply"
    answer: Answer
    message: str = ""
    warnings: tuple[str, ...] = ()
    settled: bool = True


class EnvironmentsReply(Message, frozen=True, tag="environments-reply"):
    """One page, by prefix; ``total`` is how many environments there are, ``more`` says that another page follows."""

    VERB: ClassVar[str] = "environments-reply"
    environments: tuple[Environment, ...]
    interpreters: tuple[Interpreter, ...]
    total: int = 0
    more: bool = False


class FollowReply(Message, frozen=True, tag="follow-reply"):
    """Events, the oldest first; ``last`` is what to ask with next."""

    VERB: ClassVar[str] = "follow-reply"
    events: tuple[Event, ...]
    last: int


class CheckReply(Message, frozen=True, tag="check-reply"):
    """One entry for each installer on the line, in the order they run."""

    VERB: ClassVar[str] = "check-reply"
    installs: tuple[Install, ...]


class StatusReply(Message, frozen=True, tag="status-reply"):
    """The daemon about itself."""

    VERB: ClassVar[str] = "status-reply"
    pid: int
    degraded: tuple[str, ...] = ()
    uptime_seconds: float = 0.0
    watched: int = 0
    projects: int = 0
    questions: int = 0


class Decision(msgspec.Struct, frozen=True):
    """One recorded decision, as listed."""

    identifier: str
    decision: str  # allow | deny | tree | pool | always
    root: bytes
    prefix: bytes
    since: str
    tool: str = ""  # of an always


class DecisionsReply(Message, frozen=True, tag="decisions-reply"):
    """The recorded decisions after the request."""

    VERB: ClassVar[str] = "decisions-reply"
    decisions: tuple[Decision, ...]
    message: str = ""


CommandRequest = (
    GetAnswer
    | GetEnvironments
    | GetStatus
    | Follow
    | Check
    | Decide
    | TrustTree
    | TrustList
    | TrustRevoke
    | Stop
    | Ping
)
CommandReply = (
    AnswerReply | EnvironmentsReply | StatusReply | FollowReply | CheckReply | DecisionsReply | Done | Pong | Failure
)
