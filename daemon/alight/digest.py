"""Digests as ``hashlib`` has them, from the interpreter itself: ``hashlib`` loads OpenSSL, 3.5 MiB for nothing more.

The modules behind it are CPython's own, and their names change with its versions; where one is missing (a build that
leaves digests to OpenSSL alone), ``hashlib`` is asked after all.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Protocol, cast


class Digest(Protocol):
    """What was computed."""

    def digest(self) -> bytes:
        """As octets."""

    def hexdigest(self) -> str:
        """As lower-case hexadecimal digits."""


def _of(name: str, *modules: str) -> Callable[..., Digest]:
    for module in (*modules, "hashlib"):
        try:
            found = getattr(import_module(module), name)
        except (ImportError, AttributeError):
            continue
        return cast("Callable[..., Digest]", found)
    raise ImportError(f"this Python has no {name}")


def sha256(octets: bytes) -> Digest:
    """SHA-256."""
    return _sha256(octets)


def md5(octets: bytes) -> Digest:
    """MD5, for names that other tools make with it; also where a policy forbids it for security."""
    return _md5(octets, usedforsecurity=False)


def blake2b(octets: bytes, size: int) -> Digest:
    """BLAKE2b of ``size`` octets: the quickest, for what never leaves the process."""
    return _blake2b(octets, digest_size=size)


_sha256 = _of("sha256", "_sha2", "_sha256")
_md5 = _of("md5", "_md5")
_blake2b = _of("blake2b", "_blake2")
