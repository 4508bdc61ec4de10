"""The bookkeeping of direnv and mise, as they write it into a shell's environment."""

from __future__ import annotations

import base64
import json
import zlib
from collections.abc import Mapping, Sequence

import msgspec


def direnv_variables(before: Mapping[str, str], after: Mapping[str, str]) -> dict[str, bytes]:
    """DIRENV_DIR and DIRENV_DIFF: URL-safe base64 of zlib of JSON."""
    packed = zlib.compress(json.dumps({"p": dict(before), "n": dict(after)}).encode())
    return {"DIRENV_DIR": b"-/p", "DIRENV_DIFF": base64.urlsafe_b64encode(packed)}


def mise_variables(before: Mapping[str, str], after: Mapping[str, str], path: Sequence[str]) -> dict[str, bytes]:
    """__MISE_DIFF: base64 without padding of zlib of msgpack."""
    packed = zlib.compress(msgspec.msgpack.encode({"old": dict(before), "new": dict(after), "path": list(path)}))
    return {"__MISE_DIFF": base64.b64encode(packed).rstrip(b"=")}
