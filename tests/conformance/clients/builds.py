"""The compiled client, built in the ways in which it is tested."""

from __future__ import annotations

import functools
import runpy
import shutil
import tempfile
from pathlib import Path

from support.checkout import ROOT, succeed

SOURCE = ROOT / "shell" / "query" / "alight-query.c"
FAULTS = Path(__file__).with_name("faults.h")

STRICT = ("-std=c99", "-Wall", "-Wextra", "-Wpedantic", "-Wconversion", "-Wshadow", "-Werror")
_SANITIZERS = ("-g", "-O1", "-fsanitize=address,undefined", "-fno-sanitize-recover=all", "-fno-omit-frame-pointer")
BARE = tuple(runpy.run_path(str(ROOT / "hatch_build.py"))["BARE"])
OPTIONS = {
    "compiled": ("-O2",),
    "bare": ("-O2", *BARE),
    "sanitized": _SANITIZERS,
    "harassed": (*_SANITIZERS, "-include", str(FAULTS)),
    "debuggable": ("-g", "-O1"),
}
"""``bare`` is what the build hook makes; ``harassed`` runs on a system where every call is interrupted, refused or cut
short."""


def compilers() -> list[str]:
    """The C compilers of this machine."""
    return [name for name in ("gcc", "clang") if shutil.which(name)]


@functools.cache
def build(kind: str) -> Path:
    """The program, in a folder of its own that lasts as long as this process."""
    program = Path(_folder().name) / kind
    succeed("cc", *STRICT, *OPTIONS[kind], "-o", program, SOURCE)
    return program


@functools.cache
def _folder() -> tempfile.TemporaryDirectory[str]:
    return tempfile.TemporaryDirectory(prefix="alight-query-", ignore_cleanup_errors=True)
