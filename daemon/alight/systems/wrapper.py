"""virtualenvwrapper, virtualfish and zsh-autoswitch: environments known by name in one pool (discovery rules 1.10)."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from dataclasses import replace

from alight.digest import sha256
from alight.files.disk import join
from alight.systems import pyvenv
from alight.systems.base import CHILD, Claim, Facts, Prefix, normalise

PROJECT_FILE = b".project"
PROJECT_LIMIT = 4096
"""Octets of a project's path."""

NAME_LIMIT = 255

ROOTS = (
    b"pyproject.toml", b"setup.py", b"setup.cfg", b"requirements.txt", b"tox.ini", b"noxfile.py", b".git",
)  # fmt: skip
"""Entries that make a level a project's root, on which an environment of the same name is worth a mention."""


class Wrapper:
    """Environments in ``$WORKON_HOME`` and the pools of its relatives."""

    name = "virtualenvwrapper"

    def claim(self, level: bytes, facts: Facts) -> Claim | None:
        """Never an answer: an environment called as the directory is only an alternative (discovery rules 2.1, 9)."""
        rule = "same-name"
        if facts.marked or not any(facts.disk.has(level, name) for name in ROOTS):
            facts.note(rule, "skipped", "this is no project's root", level)
            return None
        prefix = named(level.rpartition(b"/")[2], facts)
        if prefix is None:
            facts.note(rule, "miss", "no environment in the pools is called as this directory", *pools(facts))
            return None
        if project_of(prefix, facts) is not None:
            facts.note(rule, "miss", "the environment of this name says itself whose it is", prefix)
            return None
        facts.note(rule, "miss", "an environment has this name, which proves nothing", prefix)
        facts.undecided.append(Claim(rule, CHILD, "guess", prefix, level, (join(prefix, pyvenv.CONFIG),)))
        return None

    def describe(self, prefix: bytes, facts: Facts) -> Prefix | None:
        """A venv of the pools that was made for a project; Pipenv's, known by their hashed names, are not ours."""
        pool, _, name = prefix.rpartition(b"/")
        if pool not in pools(facts) or not _stands(prefix, facts):
            return None
        project = project_of(prefix, facts)
        if project is None or is_pipenv(name, project):
            return None
        fish = facts.override_path("VIRTUALFISH_HOME")
        owner = "virtualfish" if pool == fish != facts.override_path("WORKON_HOME") else self.name
        return replace(pyvenv.describe(prefix, facts.disk), system=owner)

    def list(self, facts: Facts) -> Iterator[bytes]:
        """Environments directly below the pools, with a project or without."""
        for pool in pools(facts):
            for name in facts.disk.folders(pool):
                prefix = join(pool, name)
                if _stands(prefix, facts):
                    yield prefix

    def pools(self, facts: Facts) -> tuple[bytes, ...]:
        """Where environments are known by name."""
        return pools(facts)


def pools(facts: Facts) -> tuple[bytes, ...]:
    """``$WORKON_HOME``, ``$VIRTUALFISH_HOME``, ``~/.virtualenvs``, ``~/Envs``, and pipenv's default."""
    chosen = (facts.override_path("WORKON_HOME"), facts.override_path("VIRTUALFISH_HOME"))
    usual = (join(facts.home, b".virtualenvs"), join(facts.home, b"Envs"), join(facts.data_home(), b"virtualenvs"))
    return tuple(dict.fromkeys(pool for pool in (*chosen, *usual) if pool is not None))


def named(name: bytes, facts: Facts) -> bytes | None:
    """The first pool's environment of that name; None when there is none, or when it is a path and no name."""
    if not name or b"/" in name or b"\0" in name or name in {b".", b".."} or len(name) > NAME_LIMIT:
        return None
    # The pool first: one look at it stands for every name that is not in it, for all projects alike.
    there = (pool for pool in pools(facts) if facts.disk.is_directory(pool))
    return next((prefix for pool in there if _stands(prefix := join(pool, name), facts)), None)


def project_of(prefix: bytes, facts: Facts) -> bytes | None:
    """The project that the environment's ``.project`` names: the first line, absolute; None when it names none.

    virtualenvwrapper ends the line, Pipenv does not; a path that holds a line break is not believed.
    """
    content = facts.disk.read(join(prefix, PROJECT_FILE), PROJECT_LIMIT)
    line = (content or b"").removesuffix(b"\n").removesuffix(b"\r")
    if not line.startswith(b"/") or any(octet in line for octet in (b"\0", b"\n", b"\r")):
        return None
    return normalise(line)


def _stands(prefix: bytes, facts: Facts) -> bool:
    return facts.disk.lstat(join(prefix, pyvenv.CONFIG)) is not None


def is_pipenv(name: bytes, project: bytes) -> bool:
    """True when the name carries Pipenv's hash of this project (discovery rules 1.0)."""
    digest = sha256(join(project, b"Pipfile")).digest()[:6]
    return b"-" + base64.urlsafe_b64encode(digest) in name
