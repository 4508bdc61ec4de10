"""pipx: one environment for each installed application, listed and never associated (discovery rules 1.12)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from alight.files.disk import join
from alight.systems import pyvenv
from alight.systems.base import Claim, Facts, Prefix


class Pipx:
    """Applications that pipx installed."""

    name = "pipx"

    def claim(self, level: bytes, facts: Facts) -> Claim | None:  # noqa: ARG002 - the protocol's arguments
        """Never: no project uses an application's environment."""
        return None

    def describe(self, prefix: bytes, facts: Facts) -> Prefix | None:
        """A venv directly in pipx's pool."""
        if prefix.rpartition(b"/")[0] not in self.pools(facts) or not _stands(prefix, facts):
            return None
        return replace(pyvenv.describe(prefix, facts.disk), system=self.name)

    def list(self, facts: Facts) -> Iterator[bytes]:
        """Every application's environment."""
        for pool in self.pools(facts):
            for name in facts.disk.folders(pool):
                if _stands(join(pool, name), facts):
                    yield join(pool, name)

    def pools(self, facts: Facts) -> tuple[bytes, ...]:
        """The pool of today's pipx and that of versions before 1.3; $PIPX_HOME is not sent by shells."""
        return join(facts.data_home(), b"pipx/venvs"), join(facts.home, b".local/pipx/venvs")


def _stands(prefix: bytes, facts: Facts) -> bool:
    return facts.disk.lstat(join(prefix, pyvenv.CONFIG)) is not None
