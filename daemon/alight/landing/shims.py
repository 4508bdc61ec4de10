"""What stands behind the shims of pyenv, asdf and mise, without running them (landing rules 1.3)."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from alight.files.disk import join
from alight.interpreters import pools
from alight.landing.base import Context
from alight.systems import mise, pyenv, pyvenv
from alight.systems.base import normalise
from alight.text import display, display_path

LEVELS_LIMIT = 64

KNOWN_HOOKS = frozenset({b"conda.bash", b"python-config.bash", b"system-site-packages.bash", b"pip-rehash.bash"})
"""pyenv's own hooks and those of its virtualenv plugin: none of them changes which Python runs what is installed."""

_HOOK_PLACES = (b"/usr/etc/pyenv.d", b"/usr/local/etc/pyenv.d", b"/etc/pyenv.d", b"/usr/lib/pyenv/hooks")
_PYENV = re.compile(rb"""^exec ["']?/[^\n]*pyenv["']? exec "\$program" "\$@\"""", re.MULTILINE)
_PYENV_ROOT = re.compile(rb"""^export PYENV_ROOT=(["']?)(/[^\n"']*)\1$""", re.MULTILINE)
_ASDF = re.compile(rb"^# asdf-plugin: (\S+) (\S+)", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Behind:
    """What a shim starts; ``path`` is None when it finds nothing. ``variables`` are what it exports.

    ``lacks`` says that a version was asked for that is not installed, so that the next one or the system's is taken.
    """

    path: bytes | None
    because: tuple[str, ...]
    variables: dict[str, bytes] = field(default_factory=dict)
    doubts: tuple[str, ...] = ()
    lacks: bool = False


def follow(path: bytes, content: bytes, context: Context) -> Behind | None:
    """What the shim at ``path`` starts; None when it is no shim. ``content`` is its text, or its beginning."""
    name = path.rpartition(b"/")[2]
    if _PYENV.search(content):
        return _pyenv(path, name, content, context)
    if content.startswith(b"#!") and _ASDF.search(content) and b"asdf exec" in content:
        return _asdf(name, content, context)
    if b"/shims/" in path and name != b"mise" and context.disk.realpath(path).rpartition(b"/")[2] == b"mise":
        return _mise(name, context)
    return None


def _pyenv(path: bytes, name: bytes, content: bytes, context: Context) -> Behind:
    root = _root_of(path, content)
    inside = replace(context, variables={**context.variables, "PYENV_ROOT": root})
    facts = inside.facts()
    start = context.variable("PYENV_DIR")
    levels = [*levels_of(context.path(start) if start else context.directory), *levels_of(context.directory)]
    file, found = pyenv.searched(facts, list(dict.fromkeys(levels)))
    source = display_path(file) if file else "$PYENV_VERSION"
    missing = [word for word, prefix in found if prefix is None]
    because = [f"{display_path(path)} is a shim of pyenv's"]
    because += [f"pyenv has no {_shown(word)}, which {source} asks for" for word in missing]
    names = b":".join(word if not prefix else prefix.rpartition(b"/")[2] for word, prefix in found)
    variables = {"PYENV_ROOT": root, "PYENV_VERSION": names or b"system"}
    doubts = tuple(f"{display_path(hook)} may change what pyenv starts" for hook in _hooks(root, context))
    if b"PYENV_FILE_ARG" in content and name.startswith(b"python"):
        doubts += ("this shim of pyenv's also looks beside the files that it is given",)
    lacks = bool(missing)
    for word, prefix in (*found, (b"system", b"")):
        if prefix is None:
            continue
        if prefix:
            program = join(prefix, b"bin/" + name)
            because_of = f"{source} chooses {_shown(word)}"
            variables["PATH"] = join(prefix, b"bin") + b":" + context.variables.get("PATH", b"")
        else:
            outer = _outside(root, path, name, context)
            program, because_of = outer or b"", f"the first {_shown(name)} on PATH that is no shim"
            variables.pop("PATH", None)
        if program and context.disk.is_executable(program):
            return Behind(program, (*because, because_of), variables, doubts, lacks)
    shared = _shared(found, name, context)
    if shared is not None:
        return Behind(shared, (*because, "its base has it"), variables, doubts, lacks)
    return Behind(None, (*because, f"none of the versions chosen has {_shown(name)}"), {}, doubts, lacks)


def _root_of(path: bytes, content: bytes) -> bytes:
    match = _PYENV_ROOT.search(content)
    return match[2].rstrip(b"/") if match else path.rpartition(b"/")[0].rpartition(b"/")[0]


def _outside(root: bytes, path: bytes, name: bytes, context: Context) -> bytes | None:
    shims = {join(root, b"shims"), path.rpartition(b"/")[0]}
    home = context.variables.get("HOME", context.home)
    for entry in context.variables.get("PATH", b"").replace(b"~", home).split(b":"):
        if entry not in shims:
            found = join(context.path(entry) if entry else context.directory, name)
            if context.disk.is_executable(found):
                return found
    return None


def _shared(found: tuple[tuple[bytes, bytes | None], ...], name: bytes, context: Context) -> bytes | None:
    """What pyenv-virtualenv's hook takes for an environment that shows its base's packages."""
    if len(found) != 1 or not found[0][1]:
        return None
    settings = pyvenv.read_settings(found[0][1], context.disk) or {}
    if settings.get("include-system-site-packages", b"").lower() != b"true":
        return None
    program = join(settings.get("home", b""), name)
    return program if program.startswith(b"/") and context.disk.is_executable(program) else None


def _hooks(root: bytes, context: Context) -> Iterator[bytes]:
    """Hooks that are not pyenv's own: code that may change anything."""
    disk = context.disk
    chosen = [context.path(part) for part in (context.variable("PYENV_HOOK_PATH") or b"").split(b":") if part]
    plugins = join(root, b"plugins")
    added = [join(plugins, name + b"/etc/pyenv.d") for name in disk.folders(plugins)]
    for place in dict.fromkeys((*chosen, join(root, b"pyenv.d"), *_HOOK_PLACES, *added)):
        for kind in (b"version-name", b"which", b"exec"):
            if disk.has(place, kind):
                folder = join(place, kind)
                for name in sorted(disk.names(folder) or ()):
                    if name.endswith(b".bash") and name not in KNOWN_HOOKS:
                        yield join(folder, name)


def _asdf(name: bytes, content: bytes, context: Context) -> Behind:
    because = ("a shim of asdf's",)
    installed = [match[2] for match in _ASDF.finditer(content) if match[1] == b"python"]
    facts = context.facts()
    asked: tuple[str, ...] = ()
    chosen = context.variable("ASDF_PYTHON_VERSION")
    if chosen is not None:
        asked = tuple(chosen.decode("utf-8", "replace").split())
    else:
        for level in (*levels_of(context.directory), context.home):
            asked = mise.tool_versions(context.disk.read(join(level, b".tool-versions")) or b"")
            if asked:
                break
    for word in asked:
        if os.fsencode(word) not in installed:
            continue
        for pool in pools(facts.overrides, facts.home, facts.platform):
            program = join(pool.directory, os.fsencode(word) + b"/bin/" + name)
            if pool.origin == "asdf" and context.disk.is_executable(program):
                return Behind(program, (*because, f"asdf chooses {display(word)}"), {}, ("asdf's settings decide",))
    return Behind(b"", because, {}, ("asdf's settings decide",))


def _mise(name: bytes, context: Context) -> Behind:
    because = ("a shim of mise's",)
    chosen = mise.selection(context.facts(), list(levels_of(context.directory)))
    doubts = ("mise's settings decide",)
    for interpreter in chosen.interpreters if chosen is not None else ():
        program = join(interpreter.prefix, b"bin/" + name)
        if context.disk.is_executable(program):
            return Behind(program, (*because, f"mise chooses {display(interpreter.python_version)}"), {}, doubts)
    return Behind(b"", because, {}, doubts)


def levels_of(directory: bytes) -> Iterator[bytes]:
    """The directory and those above it, as its path is written."""
    level = normalise(directory)
    for _ in range(LEVELS_LIMIT):
        yield level
        if level == b"/":
            return
        level = level.rpartition(b"/")[0] or b"/"


def _shown(word: bytes) -> str:
    return display(word.decode("utf-8", "replace"))
