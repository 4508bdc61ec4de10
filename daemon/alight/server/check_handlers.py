"""Where a line would install: what the command and editors ask before it runs. No sockets here."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from alight.errors import BadRequest
from alight.files.documents import Documents
from alight.landing import judge
from alight.landing.base import Context
from alight.model import Resolution
from alight.server.handlers_base import absolute
from alight.trust.answers import Answers
from alight.wire import facts
from alight.wire.requests import Check, CheckReply

SHELLS = ("zsh", "bash", "fish")


class CheckHandlers:
    """Answers ``Check``; nothing is run for it and nothing is remembered."""

    def __init__(self, answers: Answers) -> None:
        self._answers = answers

    def check(self, request: Check) -> CheckReply:
        """What every installer on the line would do; raises BadRequest for a line of an unknown shell."""
        caller = self.caller(request.directory, request.shell, request.variables, request.words)
        return CheckReply(judge.installs(request.line, request.shell, caller, self._answers.answer))

    def caller(
        self, directory: bytes, shell: str, variables_sent: tuple[bytes, ...], words: tuple[bytes, ...]
    ) -> Context:
        """Where and as whom a line would run; raises BadRequest for what cannot be."""
        if shell not in SHELLS:
            raise BadRequest("bad-field", f"a shell is one of {', '.join(SHELLS)}")
        disk = self._answers.disk()
        variables = facts.parse_landing(variables_sent)
        hashed, functions, aliases = _words(words)
        return Context(
            directory=absolute(directory),
            variables=variables,
            disk=disk,
            documents=Documents(disk),
            home=variables.get("HOME") or self._answers.index.home,
            resolve=partial(self._resolve, variables),
            hashed=hashed,
            functions=functions,
            aliases=aliases,
        )

    def _resolve(self, variables: Mapping[str, bytes], directory: bytes) -> Resolution:
        return self._answers.index.resolve(directory, variables)


def _words(words: tuple[bytes, ...]) -> tuple[dict[bytes, bytes], frozenset[bytes], dict[bytes, bytes]]:
    """(remembered files, functions, aliases); words of kinds that are not known yet are left out."""
    hashed: dict[bytes, bytes] = {}
    functions: set[bytes] = set()
    aliases: dict[bytes, bytes] = {}
    for word in words:
        kind, _, rest = word.partition(b" ")
        name, separator, text = rest.partition(b"=")
        if kind == b"function" and rest:
            functions.add(rest)
        elif kind == b"hash" and name and text.startswith(b"/"):
            hashed[name] = text
        elif kind == b"alias" and name and separator:
            aliases[name] = text
    return hashed, frozenset(functions), aliases
