"""pyenv and pyenv-virtualenv: what a ``.python-version`` means to them (discovery rules 1.9).

The grammar follows pyenv's ``version-file-read``, ``version-name`` and ``latest`` as of 2.6.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from alight.files.disk import join
from alight.interpreters import Selection, pyenv_root, whole
from alight.model import Finding
from alight.systems import pyvenv
from alight.systems.base import NAMED, Claim, Facts, Prefix
from alight.systems.pyvenv import CONFIG

FILE = b".python-version"
WORDS_LIMIT = 64
CHUNK = 1024
"""Octets pyenv reads as one line; the rest of a longer one is the next."""

VERSIONS_LIMIT = 512
"""Entries of ``versions`` looked at for environments."""

_SPLIT = re.compile(rb"[ \t\r]+")
_VERSION = re.compile(rb"(?:python|cpython|pypy|graalpy|pyodide|cp|pp|gp)?[\d<>=!~@+-]")
_PLACEHOLDERS = frozenset({b"any", b"default", b"system"})
_UNFINISHED = re.compile(r"-dev\Z|-src\Z|-latest\Z|(?:a|b|rc)\d+\Z")
_IMPLEMENTATION = re.compile(r"[^\W_]+-", re.ASCII)
_NUMBER = re.compile(r"\s*(-?\d+)")


class Pyenv:
    """Environments that pyenv-virtualenv keeps among pyenv's versions."""

    name = "pyenv"

    def claim(self, level: bytes, facts: Facts) -> Claim | None:
        """The environment that the level's ``.python-version`` names first; $PYENV_VERSION speaks in its place."""
        rule, path = "pyenv-virtualenv", join(level, FILE)
        if not facts.disk.has(level, FILE) or not facts.disk.is_file(path):
            facts.note(rule, "miss", "there is no .python-version", path)
            return None
        chosen = facts.override("PYENV_VERSION")
        words = _split(chosen) if chosen is not None else words_of(facts.disk.read(path) or b"")
        evidence = () if chosen is not None else (path,)
        shown = "$PYENV_VERSION" if chosen is not None else _shown(path)
        found = [entry for entry in (_resolve(word, facts) for word in words) if entry is not None]
        environments = [entry for entry in found if entry.environment]
        if chosen is None:
            _report_unknown(words, path, facts)
        if not environments or not found[0].environment:
            facts.note(rule, "miss", f"{shown} names no environment of pyenv's", path)
            return None
        if len({facts.disk.realpath(entry.prefix) for entry in environments}) > 1:
            # pyenv-virtualenv refuses, too: "cannot activate multiple versions at once".
            prefixes = tuple(entry.prefix for entry in environments)
            message = f"{shown} names {len(prefixes)} environments; only one can be active"
            facts.findings.append(Finding("ambiguous", "warning", message, (*evidence, *prefixes)))
            facts.undecided.extend(Claim(rule, NAMED, "medium", prefix, level, evidence) for prefix in prefixes)
            facts.note(rule, "miss", "several environments are named", path, *prefixes)
            return None
        prefix = found[0].prefix
        facts.note(rule, "hit", f"{shown} names this environment", path, prefix)
        return Claim(rule, NAMED, "medium", prefix, level, (*evidence, join(prefix, CONFIG)))

    def describe(self, prefix: bytes, facts: Facts) -> Prefix | None:
        """A venv inside pyenv's ``versions``, itself or where a link leads; else None."""
        versions = join(versions_of(facts), b"")
        inside = prefix.startswith(versions)
        if not inside and facts.disk.readlink(prefix) is not None:
            inside = facts.disk.realpath(prefix).startswith(join(facts.disk.realpath(versions), b""))
        if not inside or facts.disk.lstat(join(prefix, CONFIG)) is None:
            return None
        return replace(pyvenv.describe(prefix, facts.disk), system=self.name)

    def list(self, facts: Facts) -> Iterator[bytes]:
        """Each environment once, as ``pyenv prefix`` spells it: ``versions/<name>`` where there is such a link."""
        versions = versions_of(facts)
        seen: set[bytes] = set()
        names = facts.disk.folders(versions)[:VERSIONS_LIMIT]
        short = [join(versions, name) for name in names]
        long = [join(pool, name) for pool in self.pools(facts)[1:] for name in facts.disk.folders(pool)]
        for prefix in (*short, *long):
            if facts.disk.lstat(join(prefix, CONFIG)) is not None:
                real = facts.disk.realpath(prefix)
                if real not in seen:
                    seen.add(real)
                    yield prefix

    def pools(self, facts: Facts) -> tuple[bytes, ...]:
        """``versions`` and each version's ``envs``."""
        versions = versions_of(facts)
        bases = (join(versions, name) for name in facts.disk.folders(versions)[:VERSIONS_LIMIT])
        return (versions, *(join(base, b"envs") for base in bases if facts.disk.has(base, b"envs")))


def selection(facts: Facts, levels: Sequence[bytes]) -> Selection:
    """What pyenv would use, looking at ``levels`` nearest first.

    $PYENV_VERSION, else the nearest ``.python-version``, be it empty, else ``$PYENV_ROOT/version``, else ``system``.
    The interpreter of ``system`` depends on PATH and is not given.
    """
    chosen = facts.override("PYENV_VERSION")
    if chosen is not None:
        return _selected(_split(chosen), b"", facts)
    for level in levels:
        path = join(level, FILE)
        if facts.disk.has(level, FILE) and facts.disk.is_file(path):
            return _selected(words_of(facts.disk.read(path) or b""), path, facts)
    path = join(pyenv_root(facts.overrides, facts.home), b"version")
    return replace(_selected(words_of(facts.disk.read(path) or b""), path, facts), fallback=True)


def searched(facts: Facts, levels: Sequence[bytes]) -> tuple[bytes, tuple[tuple[bytes, bytes | None], ...]]:
    """(the file with the words or b"", each word with its prefix), in the order in which pyenv looks for a program.

    A prefix is b"" for ``system``, which also stands for nothing, and None for what is not installed.
    """
    chosen, path = facts.override("PYENV_VERSION"), b""
    if chosen is not None:
        words = _split(chosen)
    else:
        files = (join(level, FILE) for level in levels if facts.disk.has(level, FILE))
        own = join(pyenv_root(facts.overrides, facts.home), b"version")
        path = next((file for file in files if facts.disk.is_file(file)), own)
        words = words_of(facts.disk.read(path) or b"")
    safe = [word for word in words if chosen is not None or not _escapes(word, facts)]
    found = ((word, _resolve(word, facts)) for word in safe or (b"system",))
    return path, tuple((word, None if entry is None else entry.prefix) for word, entry in found)


def words_of(content: bytes) -> tuple[bytes, ...]:
    """The first word of every line that has one and is no comment; a word may hold several, joined by colons."""
    words: list[bytes] = []
    for line in content.replace(b"\0", b"").split(b"\n"):
        for start in range(0, len(line), CHUNK):
            piece = line[start : start + CHUNK].lstrip(b" \t\r")
            word = _SPLIT.split(piece, maxsplit=1)[0]
            if word and not word.startswith(b"#"):
                words += _split(word)
        if len(words) >= WORDS_LIMIT:
            break
    return tuple(words[:WORDS_LIMIT])


def versions_of(facts: Facts) -> bytes:
    """``$PYENV_ROOT/versions``."""
    return join(pyenv_root(facts.overrides, facts.home), b"versions")


@dataclass(frozen=True, slots=True)
class _Entry:
    name: bytes
    prefix: bytes
    environment: bool


def _split(words: bytes) -> tuple[bytes, ...]:
    return tuple(word for word in words.split(b":") if word)[:WORDS_LIMIT]


def _selected(words: tuple[bytes, ...], path: bytes, facts: Facts) -> Selection:
    safe = [word for word in words if not _escapes(word, facts)]
    entries = [(word, _resolve(word, facts)) for word in safe or (b"system",)]
    found = [entry for _, entry in entries if entry is not None]
    bases = (whole(entry.prefix, "pyenv", facts.disk) for entry in found if entry.prefix and not entry.environment)
    return Selection(
        tool="pyenv",
        words=tuple(_shown(word) for word in words),
        path=path,
        names=tuple(_shown(entry.name) for entry in found),
        interpreters=tuple(base for base in bases if base is not None),
        environments=tuple(entry.prefix for entry in found if entry.environment),
        missing=tuple(_shown(word) for word, entry in entries if entry is None),
    )


def _resolve(word: bytes, facts: Facts) -> _Entry | None:
    """The entry of ``versions`` that a word stands for; None when it escapes from there or nothing is installed."""
    if word == b"system":
        return _Entry(word, b"", environment=False)
    if _escapes(word, facts) or len(word) > CHUNK:
        return None
    versions = versions_of(facts)
    plain = word.removeprefix(b"python-")
    for name in dict.fromkeys((word, plain)):
        if name and facts.disk.is_directory(join(versions, name)):
            return _entry(name, facts)
    for name in dict.fromkeys((word, plain)):
        newest = _latest(name, facts)
        if newest is not None:
            return _entry(newest, facts)
    return None


def _entry(name: bytes, facts: Facts) -> _Entry:
    prefix = join(versions_of(facts), name)
    environment = facts.disk.lstat(join(prefix, CONFIG)) is not None
    if not environment and facts.disk.is_directory(join(prefix, b"conda-meta")):
        # What stands beside a conda installation in its `envs` is an environment, the installation itself is not.
        environment = facts.disk.realpath(prefix).rpartition(b"/")[0].endswith(b"/envs")
    return _Entry(name, prefix, environment)


def _escapes(word: bytes, facts: Facts) -> bool:
    """True for what would lead out of ``versions`` (CVE-2022-35861), and for what leads nowhere on that way."""
    if word != b".." and b"/" not in word:
        return False
    versions = versions_of(facts)
    path = join(versions, word)
    return not os.path.normpath(path).startswith(join(versions, b"")) or not facts.disk.is_directory(path)


def _latest(prefix: bytes, facts: Facts) -> bytes | None:
    """The newest installed version that begins with ``prefix``, as ``pyenv latest`` chooses."""
    suffix = ""
    wanted = prefix.decode("utf-8", "surrogateescape")
    if re.search(r"\dt\Z", wanted):
        wanted, suffix = wanted[:-1], "t"
    versions = versions_of(facts)
    candidates: list[str] = []
    for name in facts.disk.folders(versions):
        text = name.decode("utf-8", "surrogateescape")
        if not text.startswith((f"{wanted}-", f"{wanted}.")) or not text.endswith(suffix) or _UNFINISHED.search(text):
            continue
        if (suffix or not re.search(r"\dt\Z", text)) and facts.disk.is_directory(join(versions, name)):
            candidates.append(text)
    # Stable sorts from the last key to the first, as `sort` orders by several keys; ties stay in ascending order.
    candidates.sort()
    for field in (3, 2, 1):
        candidates.sort(key=lambda name: _numeric(_fields(name)[field]), reverse=True)
    candidates.sort(key=lambda name: _fields(name)[0], reverse=True)
    return candidates[0].encode("utf-8", "surrogateescape") if candidates else None


def _fields(name: str) -> list[str]:
    match = _IMPLEMENTATION.match(name)
    key = f"{name[: match.end() - 1]}.{name[match.end() :]}" if match else name
    return [*key.split("."), "", "", ""][:4] if key.count(".") < 3 else key.split(".")[:4]


def _numeric(field: str) -> int:
    match = _NUMBER.match(field[:32])
    return int(match.group(1)) if match else 0


def _report_unknown(words: tuple[bytes, ...], path: bytes, facts: Facts) -> None:
    """Names that cannot be versions are said at once; versions may be installed by another tool than pyenv."""
    unknown = [word for word in words if not _is_version(word) and _resolve(word, facts) is None]
    if unknown:
        finding = Selection("pyenv", (), path, missing=tuple(_shown(word) for word in unknown)).finding()
        if finding is not None:
            facts.findings.append(finding)


def _is_version(word: bytes) -> bool:
    return word in _PLACEHOLDERS or (b"/" not in word and _VERSION.match(word) is not None)


def _shown(text: bytes) -> str:
    return pyvenv.clean(text.decode("utf-8", "backslashreplace"))
