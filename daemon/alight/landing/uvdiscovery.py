"""Which Python uv takes: its own order of environments, then PATH (landing rules 1.5, 2-4)."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from packaging.version import Version

from alight.files.disk import join
from alight.interpreters import Pool, pooled
from alight.landing import program, python
from alight.landing.base import Context, Python
from alight.landing.uvsettings import Surroundings, ancestors, boolean, stop, unknown
from alight.landing.uvwish import Wish, full_version, matches
from alight.model import Reason
from alight.systems import condaroots, prefixes
from alight.systems.base import level_join

__all__ = ("Found", "Mode", "base_reason", "conda_kind", "executable_of", "find", "full_version", "may_fetch")

Mode = Literal["environment", "system", "any"]
"""Environments only, as ``uv pip`` wants; base Pythons only, as for ``--system`` and new environments; or both."""

REDIRECTS = (0, 13, 9)
"""The first release seen to follow a ``.venv`` file; 0.12.5 still passed it over."""

DEFAULT_NAMES = (b"python3", b"python")
PATH_LIMIT = 128
"""Directories of PATH looked at."""

_MINOR = re.compile(rb"python3\.(\d\d?)t?\Z")
_SYSTEM: dict[str, Reason] = {
    "debian": "system-python", "system": "system-python", "local": "system-python", "python.org": "system-python",
    "commandlinetools": "system-python", "xcode": "system-python", "homebrew": "homebrew-python",
    "pyenv": "pyenv-global",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Found:
    """The Python that is taken, why it was, and how much that is worth."""

    python: Python
    reason: Reason
    because: tuple[str, ...]
    sure: bool = True


@dataclass(frozen=True, slots=True)
class _Candidate:
    source: str
    executable: bytes
    because: str


def find(wanted: Wish, mode: Mode, around: Surroundings, preference: str = "managed") -> Found | None:
    """The Python that uv takes; None when there is none. Raises ``Refusal`` when uv stops or nobody can tell."""
    context = around.context
    if wanted.directory is not None or wanted.path is not None:
        return _explicit(wanted, context)
    if wanted.name is not None:
        return _named(wanted.name, wanted, mode, context)
    skipped: list[str] = []
    for candidate in _candidates(wanted, mode, around, preference):
        inspected = _inspect(candidate, context)
        if inspected is None:
            skipped.append(candidate.because)
            continue
        if not _allowed(inspected, candidate.source, mode):
            continue
        fits = True if wanted.request is None else matches(wanted.request, inspected, context)
        if fits is None:
            raise unknown(
                "unknown-settings", f"it is not known whether {_shown(inspected.prefix)} fits {wanted.source}"
            )
        if not fits:
            skipped.append(f"{_shown(inspected.prefix)} is not what {wanted.source} asks for")
            continue
        return Found(inspected, _reason(candidate.source, inspected, context), (*skipped, candidate.because))
    return None


def may_fetch(around: Surroundings, preference: str) -> bool:
    """Whether uv would get a Python that is not there from the network."""
    offline = around.line.has("offline") or boolean("UV_OFFLINE", around.context)
    if offline or around.line.has("no-python-downloads") or preference == "only-system":
        return False
    setting = around.value("python-downloads", "UV_PYTHON_DOWNLOADS")
    return setting is None or setting.value in {b"automatic", b"auto"}


def executable_of(prefix: bytes, context: Context) -> bytes:
    """The interpreter of an environment, as uv looks for it: ``python3`` before ``python``."""
    first = join(prefix, b"bin/python3")
    second = join(prefix, b"bin/python")
    return second if not context.disk.exists(first) and context.disk.exists(second) else first


def conda_kind(prefix: bytes, around: Surroundings) -> str:
    """``child`` or ``base``, by uv's own signs; raises ``Refusal`` where releases differ."""
    context = around.context
    if context.disk.is_file(join(prefix, prefixes.BACK_LINK)):
        return "child"
    if context.variables.get("_CONDA_ROOT") == prefix:
        return "base"
    name = context.variables.get("CONDA_DEFAULT_ENV")
    if name is None or name == prefix:
        return "child"
    last = prefix.rpartition(b"/")[2]
    if name in {b"base", b"root", b"default"} and last == name and (around.version is None or around.version < (0, 12)):
        raise unknown("unknown-settings", "releases of uv differ about a conda environment of this name")
    return "child" if last == name else "base"


def _explicit(wanted: Wish, context: Context) -> Found | None:
    executable = wanted.path or b"" if wanted.directory is None else executable_of(wanted.directory, context)
    if not context.disk.is_file(executable):
        return None
    found = _run(executable, context)
    if found is None:
        raise unknown("unknown-program", f"{_shown(executable)} is no Python that can be read")
    reason: Reason = "explicit-environment" if found.kind == "venv" else base_reason(found, context)
    return Found(found, reason, (f"{wanted.source} names {_shown(executable)}",))


def _named(name: bytes, wanted: Wish, mode: Mode, context: Context) -> Found | None:
    for directory in _path(context):
        executable = join(directory, name)
        if not _is_runnable(executable, context):
            continue
        found = _run(executable, context)
        if found is not None and _allowed(found, "path", mode):
            reason: Reason = "explicit-environment" if found.kind == "venv" else base_reason(found, context)
            return Found(found, reason, (f"{wanted.source} names {_shown(name)}, which is {_shown(executable)}",))
    return None


def _candidates(wanted: Wish, mode: Mode, around: Surroundings, preference: str) -> Iterator[_Candidate]:
    context = around.context
    parent = around.parent or context.variable("UV_INTERNAL__PARENT_INTERPRETER")
    if parent is not None:
        yield _Candidate("parent", parent, f"{_shown(parent)} runs uv")
    if mode != "system":
        yield from _environments(around)
    prefix = context.variable("CONDA_PREFIX")
    if mode != "environment" and prefix and conda_kind(prefix, around) == "base":
        because = f"CONDA_PREFIX is the base environment {_shown(prefix)}"
        yield _Candidate("base-conda", executable_of(context.path(prefix), context), because)
    managed = _managed(around) if mode != "environment" and preference != "only-system" else ()
    if preference in {"managed", "only-managed"}:
        yield from managed
    if preference != "only-managed":
        yield from _installed(wanted, mode, context)
    if preference == "system":
        yield from managed


def _environments(around: Surroundings) -> Iterator[_Candidate]:
    context = around.context
    active = context.variable("VIRTUAL_ENV")
    if active is None and around.parent is not None:
        inspected = python.inspect(around.parent, context)
        if inspected is not None and context.disk.exists(join(inspected.prefix, b"pyvenv.cfg")):
            active = inspected.prefix
    if active is not None:
        prefix = context.path(active)
        yield _Candidate("active", executable_of(prefix, context), f"VIRTUAL_ENV is {_shown(active)}")
    conda = context.variable("CONDA_PREFIX")
    if conda is not None and conda_kind(conda, around) == "child":
        executable = executable_of(context.path(conda), context)
        yield _Candidate("conda", executable, f"CONDA_PREFIX is {_shown(conda)}")
    discovered = _discovered(around)
    if discovered is not None:
        prefix, because = discovered
        yield _Candidate("discovered", executable_of(prefix, context), because)


def _discovered(around: Surroundings) -> tuple[bytes, str] | None:
    """The directory's own environment, however far up: uv knows no boundary of a project here."""
    context, disk = around.context, around.context.disk
    for level in ancestors(context.directory):
        if disk.has(level, b"pyvenv.cfg") and disk.is_file(join(level, b"pyvenv.cfg")):
            return level, f"the directory lies in {_shown(level)}"
        path = join(level, b".venv")
        if not disk.has(level, b".venv"):
            continue
        if disk.is_file(path) and disk.readlink(path) is None:
            target = _redirect(path, level, around)
            if target is None:
                continue
            because = f"{_shown(path)} leads to {_shown(target)}"
            return (target, because) if disk.is_file(join(target, b"pyvenv.cfg")) else None
        if disk.is_directory(path) or disk.readlink(path) is not None:
            known = disk.is_file(join(path, b"pyvenv.cfg"))
            return (path, f"{_shown(path)} is the nearest .venv") if known else None
    return None


def _redirect(path: bytes, level: bytes, around: Surroundings) -> bytes | None:
    """Where a ``.venv`` file leads; None for the releases that pass it over."""
    if around.version is not None and around.version <= (0, 12, 5):
        return None
    if around.version is None or around.version < REDIRECTS:
        raise unknown("unknown-settings", f"releases of uv differ about the file {_shown(path)}")
    text = (around.context.disk.read(path) or b"").strip()
    target = None if b"\n" in text else level_join(level, text, around.context.home)
    if target is None or text.startswith(b"~"):
        raise unknown("unknown-settings", f"{_shown(path)} names no path")
    return target


def _managed(around: Surroundings) -> tuple[_Candidate, ...]:
    """Uv's own Pythons, the newest first."""
    facts = around.context.facts()
    chosen = around.context.variable("UV_PYTHON_INSTALL_DIR")
    directory = around.context.path(chosen) if chosen else join(facts.data_home(), b"uv/python")
    found = [one for one in pooled(Pool(directory, "uv"), around.context.disk) if b"/cpython-" in one.prefix]
    found.sort(key=lambda one: Version(one.python_version), reverse=True)
    return tuple(_Candidate("managed", one.executable, f"{_shown(one.prefix)} is uv's own") for one in found)


def _installed(wanted: Wish, mode: Mode, context: Context) -> Iterator[_Candidate]:
    """What PATH holds, directory by directory; for an environment only the very first counts."""
    names = list(DEFAULT_NAMES)
    request = wanted.request
    exact = request is not None and request.version.count(".") >= 1
    if request is not None and request.version:
        numbers = request.version.split(".")
        suffix = "t" if request.free_threaded else ""
        more = [".".join(numbers[:count]) + suffix for count in range(len(numbers), 1, -1)]
        names = [*(f"python{one}".encode() for one in more), *names]
    for directory in _path(context):
        present = [join(directory, name) for name in names if context.disk.has(directory, name)]
        if not exact:
            present += _minors(directory, wanted, context)
        for executable in present:
            if not _is_runnable(executable, context):
                continue
            first = "first" if mode == "environment" else "path"
            yield _Candidate(first, executable, f"{_shown(executable)} is the first Python on PATH")
            if mode == "environment":
                return


def _minors(directory: bytes, wanted: Wish, context: Context) -> list[bytes]:
    found = [
        (int(match.group(1)), name) for name in context.disk.names(directory) or () if (match := _MINOR.match(name))
    ]
    if wanted.request is not None and wanted.request.specifiers is not None:
        specifiers = wanted.request.specifiers
        found = [pair for pair in found if any(specifiers.contains(f"3.{pair[0]}.{patch}") for patch in range(40))]
    return [join(directory, name) for minor, name in sorted(found, reverse=True) if minor >= 6]


def _path(context: Context) -> Iterator[bytes]:
    search = context.variables.get("UV_PYTHON_SEARCH_PATH", context.variables.get("PATH", b""))
    seen: set[tuple[int, int]] = set()
    for entry in search.split(b":")[:PATH_LIMIT]:
        directory = context.path(entry).rstrip(b"/") or b"/"
        facts = context.disk.stat(directory) if entry else None
        if facts is None or not context.disk.is_directory(directory) or (facts.st_dev, facts.st_ino) in seen:
            continue
        seen.add((facts.st_dev, facts.st_ino))
        yield directory


def _is_runnable(path: bytes, context: Context) -> bool:
    return context.disk.is_executable(path) and os.access(path, os.X_OK)


def _inspect(candidate: _Candidate, context: Context) -> Python | None:
    """The Python behind a candidate; None when there is none and uv goes on to the next."""
    executable = candidate.executable
    if not context.disk.exists(executable):
        prefix = executable.rpartition(b"/bin/")[0]
        if candidate.source == "active" and context.disk.is_file(join(prefix, b"pyvenv.cfg")):
            raise stop("interpreter-missing", f"{_shown(executable)} is gone, and VIRTUAL_ENV names its environment")
        return None
    if candidate.source in {"first", "path"}:
        return _run(executable, context)
    found = python.inspect(executable, context)
    if found is None:
        raise unknown("unknown-program", f"{_shown(executable)} is no Python that can be read")
    return found


def _run(executable: bytes, context: Context) -> Python | None:
    """The Python that a file on PATH starts, shims followed; None when it would only fail."""
    started = program.find(executable, context)
    if started is None:
        return None
    if started.python is None:
        raise unknown("unknown-program", f"{_shown(executable)} is no Python that can be read")
    return python.inspect(started.python, context)


def _allowed(found: Python, source: str, mode: Mode) -> bool:
    if mode == "any":
        return True
    if mode == "system":
        return found.kind != "venv"
    return found.kind == "venv" or source in {"conda", "parent"}


def _reason(source: str, found: Python, context: Context) -> Reason:
    if source in {"active", "conda", "first"} and (found.kind == "venv" or source == "conda"):
        return "active-environment"
    if source == "discovered":
        return "project-environment"
    if source == "parent" and found.kind == "venv":
        return "uv-pip-elsewhere"
    return base_reason(found, context)


def base_reason(found: Python, context: Context) -> Reason:
    """Which kind of Python that is no environment this is."""
    if found.kind == "conda":
        return "conda-base" if condaroots.is_root(found.prefix, context.facts()) else "explicit-environment"
    if found.kind == "venv":
        return "explicit-environment"
    return _SYSTEM.get(found.origin, "managed-python")


def _shown(path: bytes) -> str:
    return path.decode("utf-8", "backslashreplace")
