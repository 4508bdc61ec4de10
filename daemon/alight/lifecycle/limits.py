"""Process limits of the daemon."""

from __future__ import annotations

import resource
import sys

DESCRIPTORS = 65536
"""One connection is one descriptor, and libzmq aborts the process when accept finds none (reliability finding 2)."""

ADDRESS_SPACE = 2 * 1024**3
"""Octets. ``ZMQ_MAXMSGSIZE`` bounds a frame, not a message that never ends (reliability finding 6): between two
self-checks this is what stops one. The allocation fails, libzmq aborts, the next prompt starts a daemon."""


def apply() -> None:
    """Raise the soft limit of open files to the hard one, bound memory, and write no core dumps: they hold paths."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = DESCRIPTORS if hard == resource.RLIM_INFINITY else min(hard, DESCRIPTORS)
    resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    resource.setrlimit(resource.RLIMIT_CORE, (0, resource.getrlimit(resource.RLIMIT_CORE)[1]))
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    bound = ADDRESS_SPACE if hard == resource.RLIM_INFINITY else min(hard, ADDRESS_SPACE)
    if sys.platform == "linux":  # elsewhere the limit is not kept, or cannot be set
        resource.setrlimit(resource.RLIMIT_AS, (bound, hard))
