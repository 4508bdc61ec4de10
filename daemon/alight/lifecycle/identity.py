"""Whose daemon is this? Only an ordinary session of one user gets one."""

from __future__ import annotations

from collections.abc import Mapping

from alight.errors import Unreachable


def require_ordinary_user(real: int, effective: int, environ: Mapping[str, str]) -> None:
    """Raise Unreachable for a setuid process and for root by way of sudo; uid 0 itself is an ordinary user."""
    if real != effective:
        raise Unreachable(
            f"alight does not run with changed ids (real uid {real}, effective uid {effective})",
            "run it as the user whose shells it serves",
        )
    if effective == 0 and "SUDO_UID" in environ:
        raise Unreachable(
            "alight does not run as root through sudo: it would serve the wrong user",
            "run it without sudo",
        )
