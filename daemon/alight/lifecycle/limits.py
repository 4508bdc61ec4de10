"""Process limits of the daemon."""

from __future__ import annotations

import resource

DESCRIPTORS = 65536
"""One connection is one descriptor, and libzmq aborts the process when accept finds none (reliability finding 2)."""


def apply() -> None:
    """Raise the soft limit of open files to the hard one, and write no core dumps: they would hold paths."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = DESCRIPTORS if hard == resource.RLIM_INFINITY else min(hard, DESCRIPTORS)
    resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    resource.setrlimit(resource.RLIMIT_CORE, (0, resource.getrlimit(resource.RLIMIT_CORE)[1]))
