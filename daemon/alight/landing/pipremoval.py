"""What ``pip uninstall`` takes away: the first distribution of that name on the search path (landing rules 1.4 E)."""

from __future__ import annotations

import re

import msgspec

from alight.files.disk import join
from alight.landing import schemes
from alight.landing.base import Context, Python
from alight.landing.pipcommand import Command, End
from alight.landing.searchpath import search_path
from alight.model import Landing
from alight.text import display, display_path

_NAME = re.compile(rb"\s*([A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?)\s*(?:$|[\[<>=!~;@ ])")
_RUNS = re.compile(rb"[-_.]+")
_INFO = (b".dist-info", b".egg-info", b".egg-link", b".egg")


def removal(found: Command, context: Context) -> Landing | End:
    """Where the named distributions lie; without a name that is known, where this Python installs to."""
    names = [_normalised(name[1]) for name in map(_NAME.match, found.operands) if name is not None]
    if not names and not found.values.get("requirements"):
        return End("stops", "bad-options", ("nothing to uninstall is named",))
    if found.python.managed and found.release >= (23, 0) and not found.flag("break_system"):
        return End("stops", "externally-managed", ("EXTERNALLY-MANAGED stands in its standard library (PEP 668)",))
    if not names:
        return schemes.land(found.python, context)
    places: list[bytes] = []
    for name in names:
        place = _place(name, found.python, context)
        if isinstance(place, End):
            return place
        if place is not None:
            places.append(place)
    if not places:
        if found.values.get("requirements"):
            return schemes.land(found.python, context)
        return End("nothing", "no-landing", (f"{_shown(names)} is not installed there",))
    return _landing(places, found.python, context)


def _landing(places: list[bytes], python: Python, context: Context) -> Landing | End:
    real = context.disk.realpath(python.prefix)
    inside = [place for place in places if python.kind != "venv" or _within(context.disk.realpath(place), real)]
    if not inside:
        return End("nothing", "no-landing", (f"{display_path(places[0])} is outside this environment",))
    if len(set(inside)) > 1:
        return End("unknown", "unknown-settings", ("the distributions lie in several places",))
    place = inside[0]
    usual = schemes.land(python, context)
    user = schemes.land(python, context, user=True)
    landing = user if place == user.purelib else msgspec.structs.replace(usual, purelib=place)
    if place not in {usual.purelib, user.purelib} and not _within(place, python.prefix):
        return End("unknown", "unknown-settings", (f"it lies in {display_path(place)}",))
    if not schemes.can_write(place, context):
        return End("stops", "not-writable", (f"{display_path(place)} is not writable",))
    return landing


def _place(name: bytes, python: Python, context: Context) -> bytes | End | None:
    for directory in search_path(python, context):
        entries = context.disk.names(directory)
        if entries is None:
            return End("unknown", "unknown-settings", (f"{display_path(directory)} is too large to look through",))
        if any(_distribution(entry) == name for entry in entries):
            return directory
    return None


def _distribution(entry: bytes) -> bytes | None:
    for suffix in _INFO:
        if entry.endswith(suffix):
            stem = entry[: -len(suffix)]
            return _normalised(stem if suffix == b".egg-link" else stem.partition(b"-")[0])
    return None


def _normalised(name: bytes) -> bytes:
    return _RUNS.sub(b"-", name).lower()


def _within(path: bytes, directory: bytes) -> bool:
    return path == directory or path.startswith(join(directory, b""))


def _shown(names: list[bytes]) -> str:
    return display(", ".join(name.decode("ascii", "replace") for name in names))
