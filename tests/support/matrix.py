"""What alight does with one project of each system, measured in real shells: the table in the README."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import astuple, dataclass

from support.makers import MAKERS, Made, Maker, real_path
from support.shells import KINDS, ShellSession
from support.world import World

HEADING = ("system", "found", "listed", *(f"in {kind}" for kind in KINDS), "left cleanly", "asks first")
_OWN = (b"ALIGHT_", b"PWD", b"OLDPWD", b"SHLVL", b"_", b"VIRTUAL_ENV_DISABLE_PROMPT")


@dataclass(frozen=True)
class Row:
    """One system's line; each cell is ``yes`` or ``no``, ``made`` tells whether the real tool made the environment."""

    system: str
    found: str
    listed: str
    shells: tuple[str, ...]
    left: str
    asks: str

    def cells(self) -> tuple[str, ...]:
        """The line's cells in the order of the heading."""
        system, found, listed, shells, left, asks = astuple(self)
        return (system, found, listed, *shells, left, asks)


def measure(world: World, maker: Maker) -> Row:
    """Make the project, ask about it, and walk into and out of it in every shell."""
    made = maker.make(world)
    owner = maker.owner or maker.system
    answer = json.loads(world.alight("env", "--json", str(made.project), code=None, env=made.variables))
    environment = answer["environment"] or {"prefix": "", "system": ""}
    found = real_path(environment["prefix"]) == real_path(made.prefix) and environment["system"] == owner
    asks = answer["state"] == "untrusted"
    if asks:
        world.alight("allow", str(made.project), env=made.variables)
    listed = json.loads(world.alight("envs", "--json", env=made.variables))["environments"]
    known = {real_path(one["prefix"]): one["system"] for one in listed}
    walks = [_walk(world.shell(kind, world.home, env=made.variables), world, made) for kind in KINDS]
    return Row(
        system=maker.system if maker.real else f"{maker.system} (layout)",
        found=_word(found),
        listed=_word(known.get(real_path(made.prefix)) == owner),
        shells=tuple(_word(activated) for activated, _ in walks),
        left=_word(all(clean for _, clean in walks)),
        asks=_word(asks),
    )


def table(rows: list[Row]) -> str:
    """The rows as Markdown."""
    lines = [HEADING, ("---",) * len(HEADING), *(row.cells() for row in rows)]
    return "".join(f"| {' | '.join(cells)} |\n" for cells in lines)


def rows_of(makers: tuple[Maker, ...] = MAKERS) -> tuple[str, ...]:
    """The names in the first column."""
    return tuple(maker.system if maker.real else f"{maker.system} (layout)" for maker in makers)


def _walk(shell: ShellSession, world: World, made: Made) -> tuple[bool, bool]:
    before = _comparable(shell.env())
    shell.cd(made.project)
    inside = shell.env()
    active = inside.get(b"VIRTUAL_ENV") or inside.get(b"CONDA_PREFIX") or b"/"
    entries = [os.path.realpath(entry) for entry in inside[b"PATH"].split(b":")]
    activated = real_path(active) == real_path(made.prefix) and entries[0] == os.fsencode(
        real_path(made.prefix / "bin")
    )
    shell.cd(world.home)
    after = _comparable(shell.env())
    shell.close()
    return activated, after == before


def _comparable(environment: Mapping[bytes, bytes]) -> dict[bytes, bytes]:
    return {name: value for name, value in environment.items() if not name.startswith(_OWN[0]) and name not in _OWN[1:]}


def _word(fact: bool) -> str:
    return "yes" if fact else "no"
