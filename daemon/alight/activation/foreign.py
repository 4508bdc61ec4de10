"""Whether another tool, not the user, switched the active environment on in this shell."""

from __future__ import annotations

import base64
import binascii
import json
import zlib
from collections.abc import Mapping

import msgspec

from alight.model import Owner

_INFLATED_LIMIT = 1024 * 1024
_MARKS = ("VIRTUAL_ENV", "CONDA_PREFIX")


def foreign_owner(variables: Mapping[str, bytes], prefix: bytes | None) -> Owner:
    """The tool that set ``VIRTUAL_ENV`` or ``CONDA_PREFIX`` or put ``prefix``'s bin on PATH; "" when none did.

    An ``.envrc`` or ``mise.toml`` that has nothing to do with Python changes nothing.
    """
    added = _direnv_added(variables.get("DIRENV_DIFF", b""))
    if added is not None and variables.get("DIRENV_DIR") and _owns(added, prefix):
        return "direnv"
    added = _mise_added(variables.get("__MISE_DIFF", b""))
    if added is not None and _owns(added, prefix):
        return "mise"
    # pyenv-virtualenv's own prompt hook; `pyenv activate` is a line that the user typed, and sets the other one, too.
    chosen = variables.get("PYENV_VIRTUAL_ENV")
    if chosen and chosen == variables.get("VIRTUAL_ENV") and not variables.get("PYENV_ACTIVATE_SHELL"):
        return "pyenv"
    return ""


def _owns(added: Mapping[str, str], prefix: bytes | None) -> bool:
    if any(added.get(name) for name in _MARKS):
        return True
    if prefix is None:
        return False
    directory = prefix.decode("utf-8", "surrogateescape") + "/bin"
    return directory in added.get("PATH", "").split(":")


def _direnv_added(value: bytes) -> dict[str, str] | None:
    """``DIRENV_DIFF``: URL-safe base64 of zlib of ``{"p": before, "n": after}`` (direnv: gzenv.go, env_diff.go)."""
    inflated = _inflate(value, altchars=b"-_")
    if inflated is None:
        return None
    try:
        document = json.loads(inflated)
    except (ValueError, RecursionError):
        return None
    return _difference(document, "p", "n")


def _mise_added(value: bytes) -> dict[str, str] | None:
    """``__MISE_DIFF``: base64 of zlib of msgpack ``{old, new, path}`` (mise: src/env_diff.rs)."""
    inflated = _inflate(value, altchars=None)
    if inflated is None:
        return None
    try:
        document = msgspec.msgpack.decode(inflated)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return None
    if isinstance(document, list) and len(document) >= 2:
        document = {"old": document[0], "new": document[1], "path": document[2] if len(document) > 2 else []}
    added = _difference(document, "old", "new")
    if added is not None and isinstance(document.get("path"), list):
        added["PATH"] = ":".join(entry for entry in document["path"] if isinstance(entry, str))
    return added


def _difference(document: object, before: str, after: str) -> dict[str, str] | None:
    if not isinstance(document, dict):
        return None
    old, new = document.get(before), document.get(after)
    if not isinstance(old, dict) or not isinstance(new, dict):
        return None
    added = {
        name: value
        for name, value in new.items()
        if isinstance(name, str) and isinstance(value, str) and old.get(name) != value
    }
    former = old.get("PATH")
    if "PATH" in added and isinstance(former, str):
        # The tool found what was there before it, be it put there by alight, and kept it.
        had = frozenset(former.split(":"))
        added["PATH"] = ":".join(entry for entry in added["PATH"].split(":") if entry not in had)
    return added


def _inflate(value: bytes, *, altchars: bytes | None) -> bytes | None:
    if not value:
        return None
    try:
        packed = base64.b64decode(value + b"=" * (-len(value) % 4), altchars=altchars)
        stream = zlib.decompressobj(wbits=47)
        inflated = stream.decompress(packed, _INFLATED_LIMIT)
    except (binascii.Error, zlib.error, ValueError):
        return None
    return None if stream.unconsumed_tail else inflated
