"""``conda activate`` and ``conda deactivate`` on a line, as conda's own ``activate.py`` would do them."""

from __future__ import annotations

import os

from alight.activation import stack
from alight.commandline.effects import CondaActivate
from alight.files.disk import join
from alight.landing.base import Context
from alight.landing.place import Place, Unknowable
from alight.systems import condaroots, prefixes
from alight.systems.base import Facts, normalise
from alight.text import display_path

_SCRIPTS = b"etc/conda/activate.d"


def conda_activate(effect: CondaActivate, place: Place) -> None:
    """The named environment on top of the stack; raises Unknowable when it cannot be found."""
    name = b"base" if effect.environment is None else place.text(effect.environment)
    context = place.caller.inside(place.directory, **place.variables)
    facts = context.facts()
    prefix = find(name, context, facts)
    if prefix is None or not prefixes.stands(prefix, place.caller.disk) or stack.is_broken(place.variables):
        raise Unknowable("opaque-line")
    now = stack.read(place.variables)
    place.hashed = {}
    if now.prefix == prefix:
        return
    if now.below == prefix or now.below is None:
        raise Unknowable("opaque-line")
    folder = join(prefix, b"bin")
    entries = place.variables.get("PATH", b"").split(b":")
    former = join(now.prefix, b"bin")
    if now.level and not effect.stack and former in entries:
        entries[entries.index(former)] = folder
    else:
        entries.insert(0, folder)
    if now.level:
        place.variables[f"CONDA_PREFIX_{now.level}"] = now.prefix
    place.variables |= {
        "PATH": b":".join(entries),
        "CONDA_PREFIX": prefix,
        "CONDA_SHLVL": b"%d" % (now.level + 1),
        "CONDA_DEFAULT_ENV": os.fsencode(condaroots.name_of(prefix, facts)),
    }
    if place.caller.disk.names(join(prefix, _SCRIPTS)):
        place.doubts.append(f"the scripts in {display_path(join(prefix, _SCRIPTS))} may change what follows")
    if place.caller.disk.is_file(join(prefix, b"conda-meta/state")):
        place.doubts.append(f"{display_path(prefix)} has variables of its own")


def conda_deactivate(place: Place) -> None:
    """The stack without its top level."""
    if stack.is_broken(place.variables):
        raise Unknowable("opaque-line")
    if not stack.read(place.variables).level:
        return
    found = stack.popped(place.variables)
    if found is None:
        raise Unknowable("opaque-line")
    place.variables, place.hashed = found, {}


def find(name: bytes, context: Context, facts: Facts) -> bytes | None:
    """The prefix that a name or a path on the command line means."""
    if b"/" in name:
        return normalise(context.path(name))
    return condaroots.find(name, facts)
