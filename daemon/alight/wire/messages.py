"""Every message, one frozen Struct per verb; the only place a field is named.

The order of the fields is the order of the octet frames (``shellframe``). ``bytes`` are octets as they are,
``str`` is UTF-8, ``int`` is decimal, ``bool`` is 0 or 1, and a last ``tuple[bytes, ...]`` takes all remaining frames.
"""

from __future__ import annotations

from typing import ClassVar

import msgspec

from alight.model import (
    Act,
    Action,
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


class Guard(Message, frozen=True, tag="guard"):
    """Is there anything to say about a line that is about to be accepted? (PROTOCOL.md 7)"""

    VERB: ClassVar[str] = "guard"
    shell: str
    pid: int
    directory: bytes
    before: bytes  # what the shell has already taken of an unfinished command
    line: bytes
    frames: tuple[bytes, ...] = ()  # NAME=value, and what the shell knows of words


class Always(Message, frozen=True, tag="always"):
    """The user answered: never ask about this again."""

    VERB: ClassVar[str] = "always"
    shell: str
    pid: int
    directory: bytes
    token: str  # of the verdict


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


class Verdict(Message, frozen=True, tag="verdict"):
    """What a shell does with the line it asked about."""

    VERB: ClassVar[str] = "verdict"
    act: Act
    once: str = ""  # if not empty, the message is shown once a shell for this text
    message: str = ""
    keys: str = ""  # the letters that are answers
    token: str = ""  # what Always names
    frames: tuple[bytes, ...] = ()  # -TEXT a further line, @BEGIN:END an edit, .WORD a word of it


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


ShellRequest = Ask | Note | Guard | Always | Listen | Ping
ShellReply = Plan | Verdict | Done | Pong | News | Failure


class Header(msgspec.Struct, frozen=True):
    """What every reply repeats."""

    version: str
    id: bytes
    stamp: Stamp
    directory: bytes
