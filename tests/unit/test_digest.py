"""Digests, and what a daemon does not load."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys

import pytest

from alight.digest import blake2b, md5, sha256


@pytest.mark.parametrize("octets", [b"", b"/home/u/app", bytes(range(256)) * 300])
def test_digests_are_those_of_hashlib(octets: bytes) -> None:
    """Names that other tools made with OpenSSL's digests are found with the interpreter's own."""
    assert sha256(octets).digest() == hashlib.sha256(octets).digest()
    assert sha256(octets).hexdigest() == hashlib.sha256(octets).hexdigest()
    assert md5(octets).digest() == hashlib.md5(octets, usedforsecurity=False).digest()
    assert blake2b(octets, 16).digest() == hashlib.blake2b(octets, digest_size=16).digest()


def test_without_the_interpreters_own_modules_hashlib_is_asked() -> None:
    """A Python that was built without its own digests gives the same ones."""
    code = (
        "import sys; sys.modules.update(dict.fromkeys(['_sha2', '_sha256', '_md5']));"
        "from alight.digest import md5, sha256; print(sha256(b'x').hexdigest(), md5(b'x').hexdigest())"
    )
    said = _run(code).split()
    assert said == [hashlib.sha256(b"x").hexdigest(), hashlib.md5(b"x", usedforsecurity=False).hexdigest()]


def test_a_daemon_loads_neither_openssl_nor_the_command_line() -> None:
    """What stays in memory for days is not there for one digest, nor for help pages."""
    code = (
        "import sys, alight.app; alight.app.run_daemon = lambda *_, **__: 0;"
        "from alight.cli.main import run; from alight.cli.session import of_process;"
        "run(['daemon', 'run'], of_process());"
        "import alight.server.covering, alight.server.hearing, alight.server.guard_handlers, alight.watch.observer;"
        "print(sorted({'_hashlib', 'hmac', 'click', 'rich', 'asyncio', 'email'} & set(sys.modules)))"
    )
    assert _run(code) == "[]\n"


def _run(code: str) -> str:
    environ = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    return subprocess.run(
        [sys.executable, "-c", code], env=environ, capture_output=True, check=True, timeout=60, text=True
    ).stdout
