"""The Python that the programs beside the tests run with; of the standard library only, for any Python 3."""

from __future__ import annotations

import importlib.util
import os
import sys

NEEDED = ("msgspec", "zmq", "watchdog", "pexpect", "pyte")
TESTS = os.path.dirname(os.path.dirname(os.path.realpath(__file__)))


def need_environment() -> None:
    """Go on in the tests' environment where this Python lacks what they import; exit with 2 where there is none."""
    if sys.version_info >= (3, 11) and all(importlib.util.find_spec(name) for name in NEEDED):
        return
    environment = os.environ.get("ALIGHT_TEST_ENV") or os.path.join(TESTS, ".env")
    python = os.path.join(environment, "bin", "python")
    if os.path.realpath(sys.prefix) == os.path.realpath(environment) or not os.access(python, os.X_OK):
        name = os.path.relpath(sys.argv[0])
        sys.stderr.write(f"{name}: this Python lacks what it needs; run ./tests/run once, which makes tests/.env\n")
        sys.exit(2)
    os.execv(python, [python, *sys.argv])
