"""The venv family at one level: what is inside, pointed to, conventional, local, or a child (discovery rules 2.1)."""

from __future__ import annotations

import re
import stat
from collections.abc import Iterator

from alight.files.disk import join
from alight.files.ownership import fault
from alight.interpreters import release
from alight.model import Finding
from alight.systems import prefixes, pyvenv, wrapper
from alight.systems.base import (
    CHILD,
    CONVENTION,
    INSIDE,
    LOCAL,
    POINTER,
    Claim,
    Facts,
    Prefix,
    level_join,
)

LOCAL_NAMES = (b"venv", b"env", b".virtualenv")
CHILDREN_LIMIT = 64
"""Child directories looked at for a ``pyvenv.cfg``."""

LINES_LIMIT = 64
"""Lines of ``.python-envs`` considered, from the end."""

SHAPE = frozenset({b"bin", b"lib", b"include", b"Scripts"})
"""Entries of which one says that a directory without ``pyvenv.cfg`` was meant as an environment."""

_DIRENV = re.compile(rb"python-(\d[\w.]*)\Z")


class Venv:
    """Environments with a ``pyvenv.cfg``, whoever made them."""

    name = "venv"

    def claim(self, level: bytes, facts: Facts) -> Claim | None:
        """The best candidate of this level, the others behind it."""
        inside = self._inside(level, facts)
        if inside is not None:
            return inside
        candidates = [*self._dot_venv(level, facts), *self._python_envs(level, facts), *self._local(level, facts)]
        if not candidates:
            return self._child(level, facts)
        unique = {candidate.prefix: candidate for candidate in reversed(candidates)}
        ordered = sorted(unique.values(), key=lambda claim: (claim.rank, candidates.index(claim)))
        first = ordered[0]
        return Claim(first.rule, first.rank, first.confidence, first.prefix, level, first.evidence,
                     others=tuple(ordered[1:]))  # fmt: skip

    def describe(self, prefix: bytes, facts: Facts) -> Prefix | None:
        """Any prefix that is not conda's; the last system asked, so that a broken one is described too."""
        return pyvenv.describe(prefix, facts.disk)

    def list(self, facts: Facts) -> Iterator[bytes]:  # noqa: ARG002 - the protocol's arguments
        """Nothing lies outside projects but in other systems' pools."""
        return iter(())

    def pools(self, facts: Facts) -> tuple[bytes, ...]:  # noqa: ARG002 - the protocol's arguments
        """There is nothing to watch."""
        return ()

    def _inside(self, level: bytes, facts: Facts) -> Claim | None:
        rule, config = "inside-environment", join(level, pyvenv.CONFIG)
        if not facts.disk.has(level, pyvenv.CONFIG):
            facts.note(rule, "miss", "no pyvenv.cfg here", config)
            return None
        if pyvenv.read_settings(level, facts.disk) is None and not facts.disk.has(level, b"bin"):
            facts.note(rule, "miss", "pyvenv.cfg has no home and there is no bin", config)
            return None
        facts.note(rule, "hit", "the directory lies in an environment", config)
        return Claim(rule, INSIDE, "certain", level, level, (config,))

    def _dot_venv(self, level: bytes, facts: Facts) -> Iterator[Claim]:
        path = join(level, b".venv")
        if not facts.disk.has(level, b".venv"):
            facts.note("venv-pointer-file", "miss", "there is no .venv", path)
            facts.note("venv-directory", "miss", "there is no .venv", path)
            return
        target = facts.disk.stat(path)
        if target is None or not stat.S_ISREG(target.st_mode):
            facts.note("venv-pointer-file", "miss", ".venv is no file", path)
        if target is None:
            facts.note("venv-directory", "hit", ".venv is a link to nothing", path)
            yield Claim("venv-directory", CONVENTION, "high", path, level, (path,))
        elif stat.S_ISREG(target.st_mode):
            yield from self._pointer(level, path, facts)
        elif not stat.S_ISDIR(target.st_mode):
            facts.note("venv-directory", "miss", ".venv is neither a directory nor a file", path)
        elif is_occupied(path, facts):
            facts.note("venv-directory", "hit", "there is a .venv", path)
            yield Claim("venv-directory", CONVENTION, "high", path, level, (join(path, pyvenv.CONFIG),))
        else:
            facts.note("venv-directory", "miss", ".venv holds no environment", path)

    def _pointer(self, level: bytes, path: bytes, facts: Facts) -> Iterator[Claim]:
        rule = "venv-pointer-file"
        content = facts.disk.read(path)
        text = (content or b"").removeprefix(b"\xef\xbb\xbf").split(b"\n", 1)[0].strip()
        target = level_join(level, text, facts.home) if b"/" in text else _beside(level, text, facts)
        if target is None:
            _invalid(f"{_shown(path)} names no environment", path, facts)
            facts.note(rule, "miss", "its first line names no environment", path)
            return
        if not is_environment(target, facts) and not prefixes.is_prefix(target, facts.disk):
            _invalid(f"{_shown(path)} points to {_shown(target)}, where there is no environment", path, facts)
        facts.note(rule, "hit", "a .venv file points there", path, target)
        yield Claim(rule, POINTER, "certain", target, level, (path, join(target, pyvenv.CONFIG)))

    def _python_envs(self, level: bytes, facts: Facts) -> Iterator[Claim]:
        rule, path = "python-envs", join(level, b".python-envs")
        if not facts.disk.has(level, b".python-envs"):
            facts.note(rule, "miss", "there is no .python-envs", path)
            return
        lines = [line.strip() for line in (facts.disk.read(path) or b"").splitlines()]
        written = [line for line in lines if line]
        prefixes = (level_join(level, line, facts.home) for line in reversed(written[-LINES_LIMIT:]))
        usable = [prefix for prefix in prefixes if prefix is not None and is_environment(prefix, facts)]
        if not usable:
            _invalid(f"no line of {_shown(path)} leads to an environment", path, facts)
            facts.note(rule, "miss", "no line leads to an environment", path)
            return
        facts.note(rule, "hit", "the last usable line", path, usable[0])
        for prefix in dict.fromkeys(usable):
            yield Claim(rule, CONVENTION, "high", prefix, level, (path, join(prefix, pyvenv.CONFIG)))

    def _local(self, level: bytes, facts: Facts) -> Iterator[Claim]:
        rule = "local-prefix"
        paths = [join(level, name) for name in LOCAL_NAMES if facts.disk.has(level, name)]
        if facts.disk.has(level, b".direnv"):
            layouts = join(level, b".direnv")
            versions = [name for name in facts.disk.folders(layouts) if _DIRENV.match(name)]
            versions.sort(key=lambda name: release(name[7:].decode("ascii", "replace")), reverse=True)
            paths += [join(layouts, name) for name in versions]
        found = [path for path in paths if is_environment(path, facts)]
        if not found:
            facts.note(rule, "miss", "no venv, env, .virtualenv or .direnv/python-*", *paths)
            return
        facts.note(rule, "hit", "a prefix with a usual name", *found)
        if len(found) > 1:
            _ambiguous(level, found, facts)
        for path in found:
            yield Claim(rule, LOCAL, "medium", path, level, (join(path, pyvenv.CONFIG),))

    def _child(self, level: bytes, facts: Facts) -> Claim | None:
        rule = "child-prefix"
        own = facts.disk.stat(level)
        if fault(own, facts.disk.uid) or (own is not None and own.st_mode & stat.S_IWOTH):
            facts.note(rule, "skipped", "others may write here", level)
            return None
        if facts.marked:
            facts.note(rule, "skipped", "a project lies between", level)
            return None
        folders = (join(level, name) for name in facts.disk.folders(level)[:CHILDREN_LIMIT])
        found = [path for path in folders if is_environment(path, facts)]
        claims = [Claim(rule, CHILD, "low", path, level, (join(path, pyvenv.CONFIG),)) for path in found]
        if len(claims) == 1:
            facts.note(rule, "hit", "the only child with a pyvenv.cfg", *found)
            return claims[0]
        facts.note(
            rule, "miss", "several children with a pyvenv.cfg" if found else "no child with a pyvenv.cfg", *found
        )
        if claims:
            _ambiguous(level, found, facts)
            facts.undecided.extend(claims)
        return None


def is_environment(prefix: bytes, facts: Facts) -> bool:
    """True when something called ``pyvenv.cfg`` stands at the prefix, readable or not."""
    return facts.disk.lstat(join(prefix, pyvenv.CONFIG)) is not None


def stands(prefix: bytes, facts: Facts) -> bool:
    """True for a directory that holds an environment, or a link to nothing; a file is the pointer rule's."""
    if facts.disk.lstat(prefix) is None:
        return False
    target = facts.disk.stat(prefix)
    return target is None or (stat.S_ISDIR(target.st_mode) and is_occupied(prefix, facts))


def is_occupied(prefix: bytes, facts: Facts) -> bool:
    """True when a directory holds an environment or the ruins of one; an empty or unrelated directory does not."""
    names = facts.disk.names(prefix)
    if names is None:
        return True
    return pyvenv.CONFIG in names or bool(names & SHAPE and b"conda-meta" not in names)


def _beside(level: bytes, name: bytes, facts: Facts) -> bytes | None:
    """A bare name: virtualenv's redirect to an environment beside the file (PEP 832), else a name in the pools."""
    if name not in {b"", b".", b".."} and b"\0" not in name and len(name) <= wrapper.NAME_LIMIT:
        prefix = join(level, name)
        if prefix != join(level, b".venv") and is_environment(prefix, facts):
            return prefix
    return wrapper.named(name, facts)


def _invalid(message: str, path: bytes, facts: Facts) -> None:
    facts.findings.append(Finding("pointer-invalid", "warning", message, (path,)))


def _ambiguous(level: bytes, paths: list[bytes], facts: Facts) -> None:
    message = f"{len(paths)} environments of the same rank in {_shown(level)}"
    facts.findings.append(Finding("ambiguous", "warning", message, tuple(paths[:CHILDREN_LIMIT])))


def _shown(path: bytes) -> str:
    return path.decode("utf-8", "backslashreplace")
