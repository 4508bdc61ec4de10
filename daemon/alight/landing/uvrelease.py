"""Which release of uv will run, read and not asked: rules that changed hold for some releases only."""

from __future__ import annotations

import re

from alight.files.disk import join
from alight.landing import python, schemes
from alight.landing.base import Context, Program

_VERSION = re.compile(rb"uv-(\d+)\.(\d+)\.(\d+)\.dist-info\Z")
_DIRECTORY = re.compile(rb"/(?:Cellar/uv|installs/uv|installs/astral-uv)/(\d+)\.(\d+)\.(\d+)[^/]*/")
_CONDA = re.compile(rb"uv-(\d+)\.(\d+)\.(\d+)-[^-]+\.json\Z")
_RECEIPT = re.compile(rb'"version"\s*:\s*"(\d+)\.(\d+)\.(\d+)"')


def version(program: Program, context: Context) -> tuple[int, ...] | None:
    """The release of the uv that will run, from what its installer left beside it; None when nothing tells."""
    disk = context.disk
    real = disk.realpath(program.script)
    match = _DIRECTORY.search(real)
    if match:
        return _numbers(match)
    prefix = real.rpartition(b"/bin/")[0]
    if program.python is not None:
        started = python.inspect(program.python, context)
        folders = [] if started is None else list(schemes.packages(started, context))
    else:
        library = join(prefix, b"lib")
        folders = [
            join(library, name + b"/" + kind)
            for name in disk.folders(library)
            if name.startswith((b"python", b"pypy"))
            for kind in (b"site-packages", b"dist-packages")
        ]
    for folder, pattern in (*((folder, _VERSION) for folder in folders), (join(prefix, b"conda-meta"), _CONDA)):
        for name in disk.folders(folder) if pattern is _VERSION else disk.names(folder) or ():
            match = pattern.match(name)
            if match:
                return _numbers(match)
    receipt = disk.read(join(context.facts().config_home(), b"uv/uv-receipt.json")) or b""
    match = _RECEIPT.search(receipt)
    return _numbers(match) if match and prefix + b"/" in receipt.replace(b'"', b"/") else None


def _numbers(match: re.Match[bytes]) -> tuple[int, ...]:
    return tuple(int(number) for number in match.groups())
