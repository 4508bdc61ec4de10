"""Which Python a directory asks for, whoever is asked: pyenv, uv, mise or asdf (discovery rules 2.1, 10)."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace

from alight.interpreters import Selection, find_interpreter
from alight.model import Interpreter
from alight.systems import mise, pyenv, uv
from alight.systems.base import Facts


def chosen(facts: Facts, levels: Sequence[bytes], uv_root: bytes = b"") -> Selection | None:
    """What the nearest version file of ``levels``, nearest first, comes down to; None when there is none.

    $PYENV_VERSION comes before every file. ``uv_root`` is the workspace's root when uv manages the project: there
    uv reads the file, which takes its first request only. On one level ``.python-version`` comes before mise's and
    asdf's files. What pyenv lacks may be any other tool's.
    """
    if facts.override("PYENV_VERSION") is not None:
        return _completed(pyenv.selection(facts, ()), facts)
    inner = levels[: levels.index(uv_root) + 1] if uv_root in levels else ()
    managed = uv.selection(facts, inner) if inner else None
    if managed is not None and not managed.fallback:
        return managed
    for level in levels:
        if facts.disk.has(level, pyenv.FILE) and facts.disk.is_file(level + b"/" + pyenv.FILE):
            return _completed(pyenv.selection(facts, (level,)), facts)
        asked = mise.selection(facts, (level,))
        if asked is not None:
            return asked
    return None


def _completed(selection: Selection, facts: Facts) -> Selection:
    """The same with other tools' Pythons for the versions that pyenv lacks."""
    found: dict[str, Interpreter] = {}
    for word in selection.missing:
        interpreter = find_interpreter(os.fsencode(word), facts.disk, facts.overrides, facts.home)
        if interpreter is not None:
            found[word] = interpreter
    if not found:
        return selection
    others = tuple(found.values())
    first = bool(selection.words) and selection.words[0] in found
    return replace(
        selection,
        interpreters=(*others, *selection.interpreters) if first else (*selection.interpreters, *others),
        missing=tuple(word for word in selection.missing if word not in found),
    )
