"""From a word to the file that runs, and from there to the Python that runs it (landing rules 1.2)."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping
from dataclasses import replace

from alight.files.disk import join
from alight.landing import shims
from alight.landing.base import Context, Program
from alight.model import Reason
from alight.text import display_path

HEAD = 4096
"""Octets of a script that are looked at: pyenv's shims and asdf's are shorter."""

LINE_LIMIT = 255
"""Octets of a first line that Linux takes."""

DEPTH_LIMIT = 8
DEFAULT_PATH = b"/bin:/usr/bin"
"""Where the C library looks when there is no PATH, and ``command -p``."""

_PYTHON = re.compile(rb"(?:python|pypy)(?:\d+(?:\.\d+)?[a-z]*)?(?:-\w+)?\Z")
_TRAMPOLINE = re.compile(rb"#![ \t]*/bin/sh[ \t]*\n'''exec' ([^\n]+)\n")
_OWN_FOLDER = re.compile(rb"""\A"\$\(dirname -- "\$\(realpath -- "\$0"\)"\)"/(.*)\Z""", re.DOTALL)
_FLAGS = re.compile(r"-[bBdEhiIOPqRsSuvVx?]+\Z")
_ASSIGNMENT = re.compile(rb"[A-Za-z_][A-Za-z0-9_]*=")


def find(word: bytes, context: Context) -> Program | None:
    """The program that ``word`` starts, followed to its Python; None when there is none.

    Functions and aliases are the caller's business: this is about files.
    """
    path = locate(word, context)
    return None if path is None else _follow(path, context, 0)


def locate(word: bytes, context: Context) -> bytes | None:
    """The file that is started, links kept: as named, remembered by the shell, or the first on PATH."""
    if not word or b"\0" in word:
        return None
    if b"/" in word:
        path = context.path(word)
        return path if can_run(path, context) else None
    remembered = context.hashed.get(word)
    if remembered is not None:
        path = context.path(remembered)
        return path if can_run(path, context) else None
    return on_path(word, context)


def on_path(word: bytes, context: Context) -> bytes | None:
    """The first executable of that name on PATH; an empty entry is the current directory."""
    search = context.variables.get("PATH")
    for entry in (DEFAULT_PATH if search is None else search).split(b":"):
        path = join(context.path(entry or b""), word)
        if can_run(path, context):
            return path
    return None


def module(python: Program, name: str, context: Context) -> Program:  # noqa: ARG001 - the signature is shared
    """What ``python -m name`` runs: the same Python, under another name."""
    because = (*python.because, f"-m {name}: the module of that Python")
    return replace(python, because=because)


def can_run(path: bytes, context: Context) -> bool:
    """Whether the caller may execute the file."""
    facts, disk = context.disk.stat(path), context.disk
    if facts is None or not disk.is_executable(path):
        return False
    if disk.uid == 0 or context.user is not None:
        return True
    return bool(facts.st_mode & (0o100 if facts.st_uid == disk.uid else 0o011))


def is_python(path: bytes, context: Context) -> bool:
    """Whether a file that is no script is a Python, by its own name or that of what a link leads to."""
    if _PYTHON.match(path.rpartition(b"/")[2]):
        return True
    return _PYTHON.match(context.disk.realpath(path).rpartition(b"/")[2]) is not None


def _follow(path: bytes, context: Context, depth: int) -> Program | None:
    """What runs when ``path`` is started, None when a shim finds nothing."""
    head = context.disk.head(path, HEAD)
    behind = shims.follow(path, head, context) if depth < DEPTH_LIMIT else None
    if behind is not None:
        return _behind(path, behind, context, depth)
    if not head.startswith(b"#!"):
        python = path if head[:1] not in (b"", b"#") and is_python(path, context) else None
        return Program(path, path, python)
    if depth >= DEPTH_LIMIT:
        return Program(path, path, None)
    trampoline = _TRAMPOLINE.match(head)
    if trampoline is not None:
        return _trampoline(path, trampoline[1], context, depth)
    return _first_line(path, head, context, depth)


def _behind(path: bytes, behind: shims.Behind, context: Context, depth: int) -> Program | None:
    if behind.path is None:
        return None
    if not behind.path:
        return Program(path, path, None, behind.because, doubts=behind.doubts)
    inner = replace(context, variables={**context.variables, **behind.variables}, hashed={})
    found = _follow(behind.path, inner, depth + 1)
    if found is None:
        return None
    return replace(
        found,
        path=path,
        because=(*behind.because, *found.because),
        variables={**behind.variables, **found.variables},
        doubts=(*behind.doubts, *found.doubts),
        fell="pyenv-lacks-version" if behind.lacks else found.fell,
    )


def _first_line(path: bytes, head: bytes, context: Context, depth: int) -> Program | None:
    line, newline, _ = head[2 : LINE_LIMIT + 1].partition(b"\n")
    if not newline and len(head) > LINE_LIMIT and not re.search(rb"[^ \t][ \t]", line.strip(b" \t")):
        return Program(path, path, None)
    words = line.strip(b" \t").split(None, 1)
    if not words:
        return Program(path, path, None)
    interpreter, argument = words[0], words[1].rstrip(b" \t") if len(words) > 1 else b""
    if interpreter.rpartition(b"/")[2] == b"env" and context.disk.is_executable(context.path(interpreter)):
        return _env(path, argument, context, depth)
    because = f"{display_path(path)} is run by {display_path(interpreter)}"
    return _run_by(path, interpreter, _split(argument), context, depth, because)


def _run_by(
    path: bytes, interpreter: bytes, arguments: list[bytes], context: Context, depth: int, because: str
) -> Program | None:
    executable = context.path(interpreter)
    if not context.disk.exists(executable):
        problem: Reason = "interpreter-missing"
        return Program(path, path, executable, (because, f"there is no {display_path(executable)}"), problem=problem)
    inner = _follow(executable, context, depth + 1)
    python = inner.python if inner is not None else None
    if inner is None or python is None:
        return Program(path, path, None, (because,))
    flags = inner.flags | _flags(arguments)
    return replace(inner, path=path, script=path, because=(because, *inner.because), flags=flags)


def _env(path: bytes, argument: bytes, context: Context, depth: int) -> Program | None:
    """``#!/usr/bin/env python3``: PATH decides; with ``-S`` the argument is split."""
    words, variables = [argument], dict(context.variables)
    if argument.startswith((b"-S", b"--split-string=")):
        words = _split(argument.partition(b"=")[2] if argument.startswith(b"--") else argument[2:])
    while words and (_ASSIGNMENT.match(words[0]) or words[0] in (b"-i", b"-u")):
        if words[0] == b"-i":
            variables.clear()
        elif words[0] == b"-u":
            variables.pop(b"".join(words[1:2]).decode("utf-8", "replace"), None)
            del words[:1]
        else:
            name, _, value = words[0].partition(b"=")
            variables[name.decode("ascii")] = value
        del words[:1]
    if not words or words[0].startswith(b"-"):
        return Program(path, path, None)
    inner = replace(context, variables=variables, hashed={})
    found = locate(words[0], inner)
    because = f"{display_path(path)} asks env for {display_path(words[0])}"
    if found is None:
        return Program(path, path, context.path(words[0]), (because, "PATH has none"), problem="interpreter-missing")
    program = _run_by(path, found, words[1:], inner, depth, f"{because}: {display_path(found)}")
    changed = _changed(context.variables, variables)
    return program if program is None or not changed else replace(program, variables={**changed, **program.variables})


def _trampoline(path: bytes, line: bytes, context: Context, depth: int) -> Program | None:
    """``/bin/sh`` starting Python, for paths that do not fit into a first line, and for scripts that may be moved."""
    folder = context.disk.realpath(path).rpartition(b"/")[0]
    relative = _OWN_FOLDER.match(line)
    words = _split(relative[1] if relative is not None else line)
    if len(words) < 2:
        return Program(path, path, None)
    interpreter = join(folder, words[0]) if relative is not None else words[0]
    if b"$" in interpreter or b"`" in interpreter or not interpreter.startswith(b"/"):
        return Program(path, path, None)
    because = f"{display_path(path)} starts {display_path(interpreter)}"
    return _run_by(path, interpreter, words[1:], context, depth, because)


def _changed(before: Mapping[str, bytes], after: Mapping[str, bytes]) -> dict[str, bytes]:
    return {name: value for name, value in after.items() if before.get(name) != value}


def _flags(arguments: list[bytes]) -> frozenset[str]:
    found: set[str] = set()
    for argument in arguments:
        text = argument.decode("utf-8", "replace")
        if not _FLAGS.match(text):
            break
        found.update(text[1:])
    return frozenset(found)


def _split(text: bytes) -> list[bytes]:
    try:
        words = shlex.split(text.decode("utf-8", "surrogateescape"))
    except ValueError:
        return []
    return [word.encode("utf-8", "surrogateescape") for word in words]
