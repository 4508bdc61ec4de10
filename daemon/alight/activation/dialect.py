"""What an environment's own ``activate`` would set, read by bounded patterns and never run.

The scripts differ between creators and even between patch releases of Python (bpo-132361), so the answer is read from
the very script instead of a table of versions. Patterns cover ``venv/scripts`` of CPython 3.6 to 3.14, virtualenv's and
uv's ``activate`` and ``activate.fish``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from alight.files.disk import Disk

SCRIPT_LIMIT = 64 * 1024
_LITERAL_LIMIT = 4096


@dataclass(frozen=True)
class Dialect:
    """The part of a script's behaviour that differs between scripts.

    ``virtual_env`` is the path baked into the script; ``prompt`` is None where the script sets no
    ``VIRTUAL_ENV_PROMPT``; ``prompt_optional`` says that it does so only while prompts are not disabled.
    """

    virtual_env: bytes | None = None
    prompt: bytes | None = None
    prompt_optional: bool = False
    pkg_config: bool = False
    tcl_library: bytes = b""
    tk_library: bytes = b""
    clears_empty_pythonhome: bool = True


def read_dialect(disk: Disk, prefix: bytes, shell: str) -> Dialect:
    """The dialect of ``prefix``'s script for ``shell``; without a readable script, that of a current virtualenv."""
    name = b"activate.fish" if shell == "fish" else b"activate"
    script = disk.read(prefix + b"/bin/" + name, SCRIPT_LIMIT)
    if script is None:
        return Dialect(prompt=prefix.rpartition(b"/")[2])
    return parse_dialect(script, prefix, fish=shell == "fish")


def parse_dialect(script: bytes, prefix: bytes, *, fish: bool) -> Dialect:
    """Read the dialect from a script's text; anything that is not a plain literal is taken as not said."""
    lines = [line for line in script.split(b"\n") if _MAY_ASSIGN.search(line)]
    assignments = [found for line in lines if (found := _assignment(line, fish=fish)) is not None]
    virtual_env = next(
        (text for name, _, text in assignments if name == b"VIRTUAL_ENV" and text is not None and text[:1] == b"/"),
        None,
    )
    prompts = [(indent, text) for indent, text in _values(assignments, b"VIRTUAL_ENV_PROMPT")]
    literal = next((text for _, text in prompts if text), None)
    from_name = b'basename "$VIRTUAL_ENV"' in script
    prompt = literal
    if prompt is None and prompts:
        base = virtual_env if virtual_env is not None else prefix
        prompt = base.rstrip(b"/").rpartition(b"/")[2]
    return Dialect(
        virtual_env=virtual_env,
        prompt=prompt,
        prompt_optional=bool(prompts) and not from_name and prompts[0][0],
        pkg_config=b"/lib/pkgconfig" in script and any(name == b"PKG_CONFIG_PATH" for name, _, _ in assignments),
        tcl_library=_library(assignments, b"TCL_LIBRARY"),
        tk_library=_library(assignments, b"TK_LIBRARY"),
        clears_empty_pythonhome=fish or b'-n "${PYTHONHOME:-}"' not in script,
    )


_NAMES = rb"(VIRTUAL_ENV|VIRTUAL_ENV_PROMPT|PKG_CONFIG_PATH|TCL_LIBRARY|TK_LIBRARY)"
_MAY_ASSIGN = re.compile(rb"VIRTUAL_ENV|PKG_CONFIG_PATH|_LIBRARY")
_SH_ASSIGNMENT = re.compile(rb"([ \t]*)(?:export[ \t]+)?" + _NAMES + rb"=(.*)")
_FISH_ASSIGNMENT = re.compile(rb"([ \t]*)set -gx " + _NAMES + rb" (.*)")
_SH_PIECE = re.compile(rb"""'([^']*)'|"([^"$`\\]*)"|([^\s'"$`\\|&;<>(){}*?\[\]~#!]+)""")
_FISH_PIECE = re.compile(rb"""'((?:[^'\\]|\\.)*)'|"([^"$\\]*)"|([^\s'"$\\|&;<>(){}*?\[\]~#]+)""")


def _assignment(line: bytes, *, fish: bool) -> tuple[bytes, bool, bytes | None] | None:
    if len(line) > _LITERAL_LIMIT:
        return None
    match = (_FISH_ASSIGNMENT if fish else _SH_ASSIGNMENT).fullmatch(line.rstrip())
    return None if match is None else (match[2], bool(match[1]), _literal(match[3], fish=fish))


def _values(assignments: list[tuple[bytes, bool, bytes | None]], wanted: bytes) -> list[tuple[bool, bytes | None]]:
    return [(indented, text) for name, indented, text in assignments if name == wanted]


def _literal(text: bytes, *, fish: bool) -> bytes | None:
    """The one word that ``text`` is to that shell; None when it is several, or expands to something."""
    piece, position, word = (_FISH_PIECE if fish else _SH_PIECE), 0, b""
    while position < len(text):
        match = piece.match(text, position)
        if match is None:
            return None
        single, double, bare = match.groups()
        if single is not None:
            word += re.sub(rb"\\(['\\])", rb"\1", single) if fish else single
        else:
            word += double if double is not None else bare
        position = match.end()
    return word


def _library(assignments: list[tuple[bytes, bool, bytes | None]], name: bytes) -> bytes:
    return next((text for _, text in _values(assignments, name) if text and text[:1] == b"/"), b"")
