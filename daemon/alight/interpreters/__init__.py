"""Base Pythons on this machine, found and dated without running one (discovery rules 1.9, 1.12, 3)."""

from alight.interpreters.installed import find_interpreter, list_interpreters, pooled, whole
from alight.interpreters.places import FRAMEWORKS, HOMEBREW, Pool, pools, pyenv_root
from alight.interpreters.request import Request, parse
from alight.interpreters.scheme import Scheme, default_scheme
from alight.interpreters.selection import Selection
from alight.interpreters.version import (
    BINARY_LIMIT,
    DPKG_STATUS,
    LIBRARY,
    PACKAGES_LIMIT,
    base_version,
    externally_managed,
    libraries,
    minor_of,
    release,
    scanned_version,
)

__all__ = [
    "BINARY_LIMIT",
    "DPKG_STATUS",
    "FRAMEWORKS",
    "HOMEBREW",
    "LIBRARY",
    "PACKAGES_LIMIT",
    "Pool",
    "Request",
    "Scheme",
    "Selection",
    "base_version",
    "default_scheme",
    "externally_managed",
    "find_interpreter",
    "libraries",
    "list_interpreters",
    "minor_of",
    "parse",
    "pooled",
    "pools",
    "pyenv_root",
    "release",
    "scanned_version",
    "whole",
]
