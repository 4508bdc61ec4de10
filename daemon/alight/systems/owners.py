"""Tools that own a level by their files: what they would create there, and what of theirs lies in the project itself.

Their environments outside the project are other modules' matter; a tool with a module of its own leaves this table.
"""

from __future__ import annotations

from dataclasses import dataclass

from alight.files.disk import join
from alight.model import WouldCreate
from alight.systems.base import MISSING, TOOL, Claim, Facts, ProjectLocal
from alight.systems.venv import is_environment


@dataclass(frozen=True, slots=True)
class Owner(ProjectLocal):
    """A tool that claims a level by one of ``files`` or by a table of pyproject.toml.

    ``locals`` are the prefixes the tool itself would use when they exist, ``creates`` the one it makes by default
    ("" when it lies in a pool), ``in_project`` the variable that puts it into ``.venv``.
    """

    name: str
    files: tuple[bytes, ...]
    command: str
    locals: tuple[bytes, ...] = ()
    creates: bytes = b""
    table: tuple[str, ...] = ()
    in_project: str = ""

    def claim(self, level: bytes, facts: Facts) -> Claim | None:
        """The local environment the tool would use, else what it would create."""
        evidence = self._evidence(level, facts)
        if not evidence:
            return None
        rule = f"{self.name}-project"
        choice = (facts.override(self.in_project) or b"").lower() if self.in_project else b""
        for name in () if choice in {b"0", b"false"} else self.locals:
            prefix = join(level, name)
            if facts.disk.has(level, name) and is_environment(prefix, facts):
                facts.note(rule, "hit", f"{self.name} uses this environment", *evidence, prefix)
                return Claim(rule, TOOL, "high", prefix, level, (*evidence, join(prefix, b"pyvenv.cfg")), self.name)
        facts.note(rule, "hit", f"`{self.command}` would create it", *evidence)
        creates = b".venv" if choice in {b"1", b"true"} else self.creates
        would = WouldCreate(self.command, join(level, creates) if creates else b"")
        return Claim(rule, MISSING, "medium", None, level, evidence, self.name, would_create=would)

    def _evidence(self, level: bytes, facts: Facts) -> tuple[bytes, ...]:
        found = tuple(join(level, name) for name in self.files if facts.disk.has(level, name))
        if found or not self.table or not facts.disk.has(level, b"pyproject.toml"):
            return found
        manifest = join(level, b"pyproject.toml")
        return (manifest,) if facts.documents.table(manifest, *self.table, mention=self.table[-1].encode()) else ()


OWNERS = (
    Owner("pixi", (b"pixi.toml", b"pixi.lock"), "pixi install", creates=b".pixi/envs/default", table=("tool", "pixi")),
    Owner("poetry", (b"poetry.lock",), "poetry install", (b".venv",), in_project="POETRY_VIRTUALENVS_IN_PROJECT"),
    Owner("pipenv", (b"Pipfile",), "pipenv install", (b".venv",), in_project="PIPENV_VENV_IN_PROJECT"),
    Owner("pdm", (b"pdm.lock",), "pdm install", (b".venv", b"venv", b"env"), b".venv"),
    Owner("hatch", (b"hatch.toml",), "hatch env create", table=("tool", "hatch", "envs")),
    Owner("conda", (b"environment.yml", b"environment.yaml"), "conda env create -f environment.yml"),
)
