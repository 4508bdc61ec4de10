"""Why a command is not the one that was meant: what was passed over on PATH, remembered, moved or copied."""

from __future__ import annotations

from dataclasses import replace

from alight.files.disk import join
from alight.landing import program
from alight.landing.base import Context, Prediction, Program
from alight.landing.python import inspect
from alight.model import Reason
from alight.systems import prefixes, pyvenv
from alight.text import display_path

_EXPLICIT = frozenset({"explicit-directory", "explicit-environment"})


def explained(prediction: Prediction, word: bytes, found: Program, context: Context) -> Prediction:
    """The prediction with the reason why this program runs, where it lands in that program's own Python."""
    if prediction.reason in _EXPLICIT or prediction.landing is None or found.python is None:
        return prediction
    python = inspect(found.python, context)
    if python is None or (prediction.landing.prefix != python.prefix and prediction.landing.kind != "user"):
        return prediction
    reason = found.fell
    because: tuple[str, ...] = ()
    if reason is None:
        reason, because = _reason(word, found, python.prefix, context)
    return prediction if reason is None else replace(prediction, reason=reason, because=(*because, *prediction.because))


def _reason(word: bytes, found: Program, prefix: bytes, context: Context) -> tuple[Reason | None, tuple[str, ...]]:
    shown = display_path(word)
    # `python -m pip` was found by another word than the tool's.
    if b"/" not in word and found.path.rpartition(b"/")[2] == word:
        first = program.on_path(word, context)
        if word in context.hashed and first is not None and first != found.path:
            return "stale-hash", (f"the shell remembers {display_path(found.path)}, PATH gives {display_path(first)}",)
        over = _passed_over(found.path, context)
        if over is not None:
            active, stands = over
            if not stands:
                return "moved-environment", (f"{display_path(active)}, which PATH names first, is not there",)
            return "active-without-pip", (f"{display_path(active)} has no {shown}",)
    home = found.script.rpartition(b"/")[0].rpartition(b"/")[0]
    disk = context.disk
    is_script = disk.head(found.script, 2) == b"#!"
    if is_script and disk.is_file(join(home, pyvenv.CONFIG)) and disk.realpath(home) != disk.realpath(prefix):
        return "copied-environment", (f"{display_path(found.script)} still names {display_path(prefix)}",)
    return None, ()


def _passed_over(path: bytes, context: Context) -> tuple[bytes, bool] | None:
    """(the active environment that comes before the program on PATH without having it, whether it is there)."""
    entries = context.variables.get("PATH", b"").split(b":")
    folder = path.rpartition(b"/")[0]
    before = entries[: entries.index(folder)] if folder in entries else entries
    for name in ("VIRTUAL_ENV", "CONDA_PREFIX"):
        active = (context.variable(name) or b"").rstrip(b"/")
        if active and join(active, b"bin") in before:
            disk = context.disk
            stands = disk.is_file(join(active, pyvenv.CONFIG)) or prefixes.stands(active, disk)
            return active, stands
    return None
