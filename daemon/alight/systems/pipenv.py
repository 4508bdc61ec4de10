"""Pipenv: a name with the project's hash in ``WORKON_HOME``, or what lies in the project (discovery rules 1.0, 1.4)."""

from __future__ import annotations

import base64
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal

from alight.digest import sha256
from alight.files.disk import join
from alight.files.ownership import within
from alight.model import WouldCreate
from alight.systems import pyvenv
from alight.systems.base import MISSING, POINTER, TOOL, Claim, Facts, Prefix, level_join, normalise
from alight.systems.venv import is_environment, is_occupied

COMMAND = "pipenv install"
RULE = "pipenv-project"
DEPTH = 10
"""Levels looked at for a Pipfile, the directory itself included."""

BACK_LINK = b".project"

_TRUE = frozenset({b"1", b"true", b"yes", b"on"})
_FALSE = frozenset({b"0", b"false", b"no", b"off"})
_SHAPE = re.compile(rb".-[A-Za-z0-9_-]{8}(?:-[^/]+)?\Z")
_VARIABLE = re.compile(rb"\$(?:\{(\w+)\}|(\w+))")

_Choice = Literal["yes", "no", "unclear", ""]


@dataclass(frozen=True, slots=True)
class _Project:
    """A Pipfile; ``locations`` are the paths it may be hashed by, Pipenv's own first."""

    root: bytes
    pipfile: bytes
    locations: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class _Place:
    """Where Pipenv keeps this project's environment; ``pointer`` is the ``.venv`` file that says so.

    ``rank`` is that of a missing environment where Pipenv is known to ignore what else stands at the level.
    """

    prefixes: tuple[bytes, ...]
    rank: int = MISSING
    pointer: bytes = b""


class Pipenv:
    """Projects that Pipenv manages."""

    name = "pipenv"

    def claim(self, level: bytes, facts: Facts) -> Claim | None:
        """What ``pipenv --venv`` names at the level of the Pipfile, else missing."""
        project = _project(level, facts)
        if project is None:
            return None
        place = _place(project, facts)
        if place is None:
            facts.note(RULE, "skipped", "its .venv file is no name Pipenv could use", join(project.root, b".venv"))
            return None
        decided = (project.pipfile, *((place.pointer,) if place.pointer else ()))
        for prefix in place.prefixes:
            if facts.disk.is_directory(prefix) and is_occupied(prefix, facts):
                evidence = (*decided, join(prefix, pyvenv.CONFIG))
                linked, file = _link(prefix, project, place, facts)
                facts.note(RULE, "hit", "Pipenv uses this environment", *evidence, *file)
                rank = POINTER if place.pointer else TOOL
                return Claim(RULE, rank, "certain" if place.pointer else "high", prefix, project.root,
                             (*evidence, *file), self.name, linked=linked)  # fmt: skip
        if project.root != level:
            facts.note(RULE, "miss", "$PIPENV_PIPFILE names a project without an environment", project.pipfile)
            return None
        if place.pointer and facts.disk.exists(place.prefixes[0]):
            facts.note(RULE, "miss", "its .venv file leads to something else than a venv", *decided)
            return None
        facts.note(RULE, "hit", f"`{COMMAND}` would create it", *decided, *place.prefixes)
        would = WouldCreate(COMMAND, place.prefixes[0])
        return Claim(RULE, place.rank, "medium", None, level, decided, self.name, would_create=would)

    def describe(self, prefix: bytes, facts: Facts) -> Prefix | None:
        """A venv in the pool whose name is the hash of the project it names; others describe themselves."""
        parent, _, name = prefix.rpartition(b"/")
        if not _SHAPE.search(name) or parent not in self.pools(facts) or not is_environment(prefix, facts):
            return None
        project = _back_link(prefix, facts)
        own = b"" if project is None else hashed_name(join(project, b"Pipfile"))
        if not own or (name != own and not name.startswith(own + b"-")):
            return None
        return replace(pyvenv.describe(prefix, facts.disk), system=self.name)

    def list(self, facts: Facts) -> Iterator[bytes]:
        """Environments in the pool that name a project."""
        for pool in self.pools(facts):
            for name in facts.disk.folders(pool):
                prefix = join(pool, name)
                if is_environment(prefix, facts) and facts.disk.has(prefix, BACK_LINK):
                    yield prefix

    def pools(self, facts: Facts) -> tuple[bytes, ...]:
        """``$WORKON_HOME`` or its default."""
        pool = _workon_home(replace(facts, directory=b""))
        return () if pool is None else (pool,)


def hashed_name(pipfile: bytes, python: bytes = b"") -> bytes:
    """The environment's name for a Pipfile's path, links kept; ``python`` is ``$PIPENV_PYTHON``."""
    directory = os.fsdecode(pipfile.rpartition(b"/")[0].rpartition(b"/")[2])
    clean = re.sub(r'[ &$`!*@"()\[\]\\\r\n\t]', "_", directory)[:42]
    digest = base64.urlsafe_b64encode(sha256(pipfile).digest()[:6])
    suffix = normalise(python).rpartition(b"/")[2] if python.startswith(b"/") else python
    return os.fsencode(clean) + b"-" + digest + (b"-" + suffix if suffix else b"")


def _project(level: bytes, facts: Facts) -> _Project | None:
    """The Pipfile that decides at this level: ``$PIPENV_PIPFILE`` wherever one is, else the level's own."""
    chosen = facts.override("PIPENV_PIPFILE")
    if chosen is None:
        pipfile = join(level, b"Pipfile")
        if not facts.disk.has(level, b"Pipfile") or not facts.disk.is_file(pipfile):
            return None
        if level != facts.directory and _distance(level, facts.directory) >= _depth(facts):
            facts.note(RULE, "skipped", "further up than $PIPENV_MAX_DEPTH allows", pipfile)
            return None
        # Pipenv starts from the physical directory; of a path in a variable it keeps the links.
        return _Project(level, pipfile, (join(facts.disk.realpath(level), b"Pipfile"), pipfile))
    pipfile = os.path.normpath(chosen if chosen.startswith(b"/") else join(facts.directory, chosen))
    root, _, name = pipfile.rpartition(b"/")
    root = root or b"/"
    # Pipenv then works in that project wherever the shell is.
    if level not in {facts.directory, root} and facts.disk.realpath(level) != facts.disk.realpath(root):
        return None
    if not facts.disk.is_file(pipfile):
        facts.note(RULE, "miss", "$PIPENV_PIPFILE names no file", pipfile)
        return None
    here = level if facts.disk.realpath(level) == facts.disk.realpath(root) else root
    return _Project(here, pipfile, (pipfile, join(facts.disk.realpath(root), name)))


def _distance(upper: bytes, lower: bytes) -> int:
    return lower[len(upper.rstrip(b"/")) :].count(b"/")


def _depth(facts: Facts) -> int:
    value = (facts.override("PIPENV_MAX_DEPTH") or b"").strip().lower()
    # Pipenv reads every variable as a truth value first.
    if value in _TRUE or value in _FALSE:
        return int(value in _TRUE)
    return int(value) if value.isdigit() and len(value) < 4 else DEPTH


def _place(project: _Project, facts: Facts) -> _Place | None:
    """Pipenv's own choice, in its order; None when a ``.venv`` file holds what cannot be a name."""
    directory = join(project.root, b".venv")
    pool = _workon_home(facts)
    if pool is None:
        return None
    custom = facts.override("PIPENV_CUSTOM_VENV_NAME")
    python = facts.override("PIPENV_PYTHON") or b""
    names = (custom,) if custom else tuple(hashed_name(location, python) for location in project.locations)
    hashed = tuple(dict.fromkeys(name if name.startswith(b"/") else join(pool, name) for name in names))
    present = facts.disk.has(project.root, b".venv") and facts.disk.exists(directory)
    if present and not facts.disk.is_directory(directory):
        return _pointed(project, directory, pool, hashed, facts)
    variable, written = _variable_choice(facts), _written_choice(project, facts)
    if variable in {"yes", "no"}:
        inside = variable == "yes"
    elif written:
        inside = written == "yes"
    else:
        # What only stands there yields to an environment in the pool, unless the variable holds some other word.
        inside = present and (variable == "unclear" or not any(facts.disk.exists(prefix) for prefix in hashed))
    return _Place((directory,)) if inside else _Place(hashed, TOOL if present else MISSING)


def _pointed(project: _Project, file: bytes, pool: bytes, hashed: tuple[bytes, ...], facts: Facts) -> _Place | None:
    content = facts.disk.read(file)
    if content is None:
        return None
    name = content.strip()
    if not name:
        return _Place(hashed)
    if b"\n" in name or b"\0" in name or name in {b".", b".."} or len(name) > 4096:
        return None
    if b"/" not in name:
        # Other tools' pools may hold that name.
        return _Place((join(pool, name),), MISSING, file)
    prefix = normalise(name if name.startswith(b"/") else join(project.root, name))
    return _Place((prefix,), POINTER, file)


def _variable_choice(facts: Facts) -> _Choice:
    value = (facts.override("PIPENV_VENV_IN_PROJECT") or b"").lower()
    return "yes" if value in _TRUE else "no" if value in _FALSE else "unclear" if value else ""


def _written_choice(project: _Project, facts: Facts) -> _Choice:
    table = facts.documents.table(project.pipfile, "pipenv", mention=b"venv_in_project")
    value = table.get("venv_in_project")
    return "" if value is None else "yes" if value else "no"


def _link(prefix: bytes, project: _Project, place: _Place, facts: Facts) -> tuple[bool, tuple[bytes, ...]]:
    """(the environment lies in the user's own pool and itself names this project, the file in it that says so)."""
    parent, _, name = prefix.rpartition(b"/")
    if parent not in Pipenv().pools(facts) or within(project.root, prefix):
        return False, ()
    named = _back_link(prefix, facts)
    if named is not None:
        roots = {location.rpartition(b"/")[0] for location in project.locations}
        return named in roots, (join(prefix, BACK_LINK),)
    python = facts.override("PIPENV_PYTHON") or b""
    return not place.pointer and name in {hashed_name(location, python) for location in project.locations}, ()


def _back_link(prefix: bytes, facts: Facts) -> bytes | None:
    if not facts.disk.has(prefix, BACK_LINK):
        return None
    content = (facts.disk.read(join(prefix, BACK_LINK)) or b"").strip()
    return content if content.startswith(b"/") and b"\n" not in content else None


def _workon_home(facts: Facts) -> bytes | None:
    """The pool, with variables and ``~`` replaced; relative ones are relative to where the shell is."""
    chosen = facts.override("WORKON_HOME")
    text = chosen or join(facts.override("XDG_DATA_HOME") or b"~/.local/share", b"virtualenvs")
    known = {**facts.overrides, "HOME": facts.home}

    def value(match: re.Match[bytes]) -> bytes:
        return known.get((match[1] or match[2]).decode("ascii", "replace"), match[0])

    text = _VARIABLE.sub(value, text)
    if not text.startswith((b"/", b"~/")) and (not facts.directory or text.startswith(b"~")):
        return None
    return level_join(facts.directory, text, facts.home)
