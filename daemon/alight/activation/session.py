"""What a shell says about itself in one question."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from alight.activation import stack
from alight.model import Owner, Switch
from alight.wire import facts
from alight.wire.messages import Ask

NO_ROOT = b"-"
"""What a hook declines or pauses where there is no project."""


@dataclass(frozen=True)
class Session:
    """One shell at one prompt; ``applied`` is the prefix alight switched on here, or empty."""

    shell: str
    directory: bytes
    switch: Switch
    owner: Owner
    applied: bytes
    declined: bytes
    first: bool
    variables: Mapping[str, bytes]

    @classmethod
    def of(cls, ask: Ask) -> Session:
        """The session that a question describes; raises BadRequest for a malformed variable."""
        return cls(
            shell=ask.shell,
            directory=ask.directory,
            switch=ask.switch,
            owner=ask.owner,
            applied=ask.applied,
            declined=ask.declined,
            first=ask.first,
            variables=facts.parse(ask.variables),
        )

    @property
    def active(self) -> bytes:
        """The prefix this shell has switched on, whoever did it; conda's base counts as none (it is merely there)."""
        virtual_env = self.variables.get("VIRTUAL_ENV", b"")
        if virtual_env:
            return virtual_env
        return b"" if self.base else self.variables.get("CONDA_PREFIX", b"")

    @property
    def base(self) -> bytes:
        """The base of conda where it is on top of the stack, else b""."""
        return stack.base(self.variables)

    @property
    def base_over(self) -> bytes:
        """What base was put on top of; b"" where it is alone, as a start-up file leaves it."""
        return stack.read(self.variables).below or b"" if self.base else b""

    @property
    def inside_tool_shell(self) -> bool:
        """True in the child shell of ``poetry shell``, ``pipenv shell``, ``hatch shell`` or ``pixi shell``."""
        return any(
            self.variables.get(name) for name in ("POETRY_ACTIVE", "PIPENV_ACTIVE", "HATCH_ENV_ACTIVE", "PIXI_IN_SHELL")
        )
