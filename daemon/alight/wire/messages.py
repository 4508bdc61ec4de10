"""Every message, one frozen Struct per verb; the only place a field is named.

The order of the fields is the order of the octet frames (``shellframe``). ``bytes`` are octets as they are,
``str`` is UTF-8, ``int`` is decimal, ``bool`` is 0 or 1, and a last ``tuple[bytes, ...]`` takes all remaining frames.
"""

from __future__ import annotations

from typing import ClassVar

import msgspec

from alight.model import (
    Action,
    Answer,
    Environment,
    Install,
    Interpreter,
    Owner,
    PromptState,
    Stamp,
    Switch,
)


class Message(msgspec.Struct, frozen=True, tag_field="verb", omit_defaults=True):
    """Base of all messages; ``VERB`` is the tag in both encodings."""

    VERB: ClassVar[str] = ""


# --- requests that shells send -------------------------------------------------------------------


class Ask(Message, frozen=True, tag="ask"):
    """What should this shell have switched on here?"""

    VERB: ClassVar[str] = "ask"
    shell: str  # zsh | bash | fish
    pid: int
    directory: bytes  # the logical $PWD
    switch: Switch
    owner: Owner  # who owns the active environment, as this shell knows it
    applied: bytes  # the prefix alight has applied here, or empty
    declined: bytes  # the project root declined or paused, or empty
    status: int  # of the last command; read only after a Note
    first: bool  # this shell's first question
    variables: tuple[bytes, ...] = ()  # NAME=value, names of facts.FACTS


class Note(Message, frozen=True, tag="note"):
    """A line that may make an environment was just accepted; nothing ran yet."""

    VERB: ClassVar[str] = "note"
    shell: str
    pid: int
    directory: bytes
    word: str  # what the shell says the first word is: file | alias | function | builtin | keyword | none
    line: bytes
    variables: tuple[bytes, ...] = ()


class Listen(Message, frozen=True, tag="listen"):
    """Tell me when the mark of this project is no longer the one I have (kept connections only)."""

    VERB: ClassVar[str] = "listen"
    directory: bytes
    root: bytes
    mark: str


class Ping(Message, frozen=True, tag="ping"):
    """Are you there?"""

    VERB: ClassVar[str] = "ping"
    directory: bytes = b""


# --- replies that shells read --------------------------------------------------------------------


class Plan(Message, frozen=True, tag="plan"):
    """What the shell should do and show. Data only: the hook checks and applies each field with builtins."""

    VERB: ClassVar[str] = "plan"
    action: Action
    root: bytes
    prefix: bytes  # enter, adopt: the environment; else the active one or empty
    owner: Owner  # after the plan
    stamp: bytes  # enter: the trust record the hook re-tests
    state: PromptState
    name: str
    kind: str
    python_version: str
    prompt: str  # ready-made, escaped for this shell
    segment: bool  # the settings want the hook's own prompt segment
    notice: str  # one line for stderr, or empty
    generation: bytes  # file whose content changes with news about this project
    mark: str  # the content it had for this reply
    witness_1: bytes
    witness_2: bytes
    witness_3: bytes
    witness_4: bytes
    operations: tuple[bytes, ...] = ()  # as PROTOCOL.md section 5 lists them


class Done(Message, frozen=True, tag="done"):
    """Heard; there is nothing to do."""

    VERB: ClassVar[str] = "done"


class Pong(Message, frozen=True, tag="pong"):
    """I am here."""

    VERB: ClassVar[str] = "pong"
    pid: int


class News(Message, frozen=True, tag="news"):
    """Unsolicited: the project's mark is now this one; ask again."""

    VERB: ClassVar[str] = "news"
    root: bytes
    mark: str


class Failure(Message, frozen=True, tag="failure"):
    """The request could not be served; ``code`` is from the closed list of PROTOCOL.md."""

    VERB: ClassVar[str] = "failure"
    code: str
    message: str


# --- requests of the command and of editors (msgpack) --------------------------------------------


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
    decision: str  # allow | deny | tree
    root: bytes
    prefix: bytes
    since: str


class DecisionsReply(Message, frozen=True, tag="decisions-reply"):
    """The recorded decisions after the request."""

    VERB: ClassVar[str] = "decisions-reply"
    decisions: tuple[Decision, ...]
    message: str = ""


ShellRequest = Ask | Note | Listen | Ping
ShellReply = Plan | Done | Pong | News | Failure
CommandRequest = (
    GetAnswer | GetEnvironments | GetStatus | Check | Decide | TrustTree | TrustList | TrustRevoke | Stop | Ping
)
CommandReply = AnswerReply | EnvironmentsReply | StatusReply | CheckReply | DecisionsReply | Done | Pong | Failure


class Header(msgspec.Struct, frozen=True):
    """What every reply repeats."""

    version: str
    id: bytes
    stamp: Stamp
    directory: bytes
