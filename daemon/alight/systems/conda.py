"""conda, mamba and micromamba: prefixes in the project, and those its files name in the user's pools (rules 1.7)."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator

from alight.files.disk import join
from alight.files.documents import DOCUMENT_LIMIT
from alight.model import WouldCreate
from alight.systems import condaroots, prefixes
from alight.systems.base import CONVENTION, INSIDE, LOCAL, MISSING, NAMED, Claim, Facts, Prefix, level_join
from alight.systems.condaroots import name_of, root_of
from alight.systems.pyvenv import clean

__all__ = ("Conda", "manifest_of", "name_of", "root_of", "wanted")

MANIFESTS = (b"environment.yml", b"environment.yaml")
LOCK = b"conda-lock.yml"
LOCALS = (b".venv", b".conda", b"env", b"venv", b"envs/default")
ROOTS = frozenset({*MANIFESTS, LOCK, b".git", b"pyproject.toml", b"setup.py", b"setup.cfg", b"requirements.txt"})
"""Markers of a level whose name is worth comparing with the names of environments."""

_KEY = re.compile(rb"^(name|prefix)[ \t]*:[ \t]*([^\r\n]*)", re.MULTILINE)
_PLAIN = re.compile(rb"(?:'([^'\\]*)'|\"([^\"\\]*)\"|([^\s'\"&*!|>{}\[\]%@`#][^\r\n]*?))[ \t]*(?:[ \t]#.*)?\Z")
_INVALID = re.compile(rb"[/\x00-\x20:#\x7f]")
_NOTHING = frozenset({b"", b"~", b"null", b"Null", b"NULL"})


class Conda:
    """Environments with a ``conda-meta/history``, and projects with an ``environment.yml``."""

    name = "conda"

    def claim(self, level: bytes, facts: Facts) -> Claim | None:
        """The prefix around, those in the project, the one ``environment.yml`` names, or what it would create."""
        if facts.disk.has(level, prefixes.METADATA) and prefixes.is_prefix(level, facts.disk):
            history = join(level, prefixes.HISTORY)
            facts.note("inside-environment", "hit", "the directory lies in an environment", history)
            return Claim("inside-environment", INSIDE, "certain", level, level, (history,))
        claims = [*_local(level, facts), *_named(level, facts)]
        if not claims:
            _guess(level, facts)
            return _missing(level, facts)
        first = min(claims, key=lambda claim: claim.rank)
        return Claim(first.rule, first.rank, first.confidence, first.prefix, level, first.evidence, first.owner,
                     others=tuple(claim for claim in claims if claim is not first))  # fmt: skip

    def describe(self, prefix: bytes, facts: Facts) -> Prefix | None:
        """A prefix with a history, or a half-made one that is no venv; pixi is asked before."""
        if not prefixes.stands(prefix, facts.disk):
            return None
        if not prefixes.is_prefix(prefix, facts.disk) and facts.disk.lstat(join(prefix, b"pyvenv.cfg")) is not None:
            return None
        name = name_of(prefix, facts)
        return prefixes.describe(prefix, self.name, "" if name.startswith("/") else clean(name), facts.disk)

    def list(self, facts: Facts) -> Iterator[bytes]:
        """The roots, what lies in their directories, and what ``environments.txt`` adds."""
        seen: set[bytes] = set()
        for prefix in self._candidates(facts):
            if prefix not in seen:
                seen.add(prefix)
                if prefixes.is_prefix(prefix, facts.disk) and not self._is_others(prefix, facts):
                    yield prefix

    def pools(self, facts: Facts) -> tuple[bytes, ...]:
        """The ``envs_dirs``, and ``~/.conda`` for its ``environments.txt``."""
        return (*condaroots.envs_dirs(facts), join(facts.home, b".conda"))

    @staticmethod
    def _is_others(prefix: bytes, facts: Facts) -> bool:
        """True for pixi's, and for what only Windows can start."""
        return facts.disk.is_file(join(prefix, prefixes.BACK_LINK)) or prefixes.is_foreign(prefix, facts.disk)

    def _candidates(self, facts: Facts) -> Iterator[bytes]:
        yield from condaroots.roots(facts)
        for pool in condaroots.envs_dirs(facts):
            for name in facts.disk.folders(pool):
                yield join(pool, name)
        yield from condaroots.registered(facts)


def _local(level: bytes, facts: Facts) -> Iterator[Claim]:
    rule = "conda-local"
    present = (join(level, name) for name in LOCALS if facts.disk.has(level, name.partition(b"/")[0]))
    found = [path for path in present if prefixes.stands(path, facts.disk)]
    if not found:
        facts.note(rule, "miss", "no .conda, env, envs/default or .venv with a conda-meta", level)
        return
    facts.note(rule, "hit", "a conda prefix with a usual name", *found)
    for path in found:
        conventional = path.endswith(b"/.venv")
        yield Claim(rule, CONVENTION if conventional else LOCAL, "high" if conventional else "medium", path, level,
                    (join(path, prefixes.HISTORY),))  # fmt: skip


def _named(level: bytes, facts: Facts) -> Iterator[Claim]:
    rule, manifest = "conda-yml", manifest_of(level, facts)
    if manifest is None:
        facts.note(rule, "miss", "there is no environment.yml", join(level, MANIFESTS[0]))
        return
    name, written = wanted(manifest, facts)
    prefix = level_join(level, written, facts.home)
    if prefix is not None and prefixes.is_prefix(prefix, facts.disk):
        facts.note(rule, "hit", "its prefix is there", manifest, prefix)
        yield Claim(rule, NAMED, "medium", prefix, level, (manifest, join(prefix, prefixes.HISTORY)), "conda")
        return
    prefix = condaroots.find(name, facts) if name else None
    if prefix is None:
        reason = f"no environment is called {clean(os.fsdecode(name))}" if name else "it names no environment"
        facts.note(rule, "miss", reason, manifest)
        return
    facts.note(rule, "hit", "an environment of that name is there", manifest, prefix)
    yield Claim(rule, NAMED, "medium", prefix, level, (manifest, join(prefix, prefixes.HISTORY)), "conda")


def _missing(level: bytes, facts: Facts) -> Claim | None:
    rule, manifest = "conda-yml", manifest_of(level, facts)
    if manifest is not None:
        command, prefix = _creates(manifest, wanted(manifest, facts)[0], level, facts)
    elif facts.disk.has(level, LOCK):
        rule, manifest, prefix = "conda-lock", join(level, LOCK), join(level, b".conda")
        command = "conda-lock install -p .conda conda-lock.yml"
    else:
        return None
    facts.note(rule, "hit", f"`{command}` would create it", manifest)
    return Claim(rule, MISSING, "medium", None, level, (manifest,), "conda", would_create=WouldCreate(command, prefix))


def _creates(manifest: bytes, name: bytes, level: bytes, facts: Facts) -> tuple[str, bytes]:
    """(the command of the tool this machine evidently has, where the environment would be)."""
    maker = (facts.override("MAMBA_EXE") or b"").rpartition(b"/")[2] if facts.override("CONDA_EXE") is None else b""
    command = {b"micromamba": "micromamba create", b"mamba": "mamba env create"}.get(maker, "conda env create")
    command += f" -f {manifest.rpartition(b'/')[2].decode('ascii')}"
    if not name:
        return f"{command} -p .conda", join(level, b".conda")
    if name in condaroots.BASE or not condaroots.roots(facts):
        return command, b""
    return command, join(condaroots.envs_dirs(facts)[0], name)


def _guess(level: bytes, facts: Facts) -> None:
    """An environment that is called like the project: worth showing, never worth choosing."""
    # Only where conda is set up in the shell: elsewhere every answer would have to look for it all over the disk.
    if not any(facts.override(name) for name in ("CONDA_EXE", "MAMBA_EXE", "MAMBA_ROOT_PREFIX")):
        return
    name = level.rpartition(b"/")[2]
    if not name or name in condaroots.BASE or not any(facts.disk.has(level, marker) for marker in ROOTS):
        return
    prefix = condaroots.find(name, facts)
    if prefix is not None and prefixes.is_prefix(prefix, facts.disk):
        history = join(prefix, prefixes.HISTORY)
        facts.note("same-name", "skipped", "an environment is called like the project: only a guess", level, prefix)
        facts.undecided.append(Claim("same-name", MISSING, "guess", prefix, level, (history,)))


def manifest_of(level: bytes, facts: Facts) -> bytes | None:
    """The level's ``environment.yml``, or ``environment.yaml``."""
    for name in MANIFESTS:
        path = join(level, name)
        if facts.disk.has(level, name) and facts.disk.is_file(path):
            return path
    return None


def wanted(manifest: bytes, facts: Facts) -> tuple[bytes, bytes]:
    """(name, prefix) of an ``environment.yml``; b"" for what it does not say, or says in a way conda refuses."""
    content = (facts.disk.read(manifest, DOCUMENT_LIMIT) or b"").removeprefix(b"\xef\xbb\xbf")
    found = {key: _PLAIN.match(value) for key, value in _KEY.findall(content)}
    if content.lstrip()[:1] in {b"{", b"-", b"%"} or None in found.values() or content.count(b"\n---") > 0:
        # Something that only a YAML parser, at 1 ms a KB, reads rightly.
        table = facts.documents.yaml(manifest)
        values = {key: prefixes.octets(table.get(key)) or b"" for key in ("name", "prefix")}
    else:
        values = {
            key.decode(): next((group for group in match.groups() if group is not None), b"")
            for key, match in found.items()
            if match is not None
        }
    name, prefix = values.get("name", b"").strip(), values.get("prefix", b"").strip()
    if name in _NOTHING or name in {b".", b".."} or len(name) > 255 or _INVALID.search(name):
        name = b""
    return name, b"" if prefix in _NOTHING else prefix
