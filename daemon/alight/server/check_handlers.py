"""Where a line would install: what the command and editors ask before it runs. No sockets here."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from alight.errors import BadRequest
from alight.files.documents import Documents
from alight.landing import judge, told
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
        said = told.parse(words, shell)
        return Context(
            directory=absolute(directory),
            variables=variables,
            disk=disk,
            documents=Documents(disk),
            home=variables.get("HOME") or self._answers.index.home,
            resolve=partial(self._resolve, variables),
            hashed=said.hashed,
            functions=said.functions,
            aliases=said.aliases,
            passing=said.passing,
            shell_variables=said.shell_variables,
        )

    def _resolve(self, variables: Mapping[str, bytes], directory: bytes) -> Resolution:
        return self._answers.index.resolve(directory, variables)
