"""The daemon, but one that believes the times of files at once.

It takes the time that a file was changed for telling even right after the change. On a kernel whose file times are
fine enough that is so; without it no answer would ever be kept while the disk changes all the time, and a stale one
could not be found. Nor does it take an environment for one in the making, which is a matter of its age alone.

``python -m conformance.freshness.launch daemon run``. With ``FRESHNESS_LYING`` set it believes everything it ever saw,
which is how the test is tested.
"""

from __future__ import annotations

import os
import sys
from types import ModuleType

from alight.cli.main import main
from alight.files import disk, glance, moment
from alight.health import conda, venv

BELIEVED: tuple[tuple[ModuleType, str, int], ...] = (
    (disk, "RACY_NS", 0),
    (glance, "RACY_NS", 0),
    (conda, "FRESH_NS", 0),
    (venv, "FRESH_NS", 0),
)
LYING = "FRESHNESS_LYING"


def believe() -> None:
    """Have this process do so."""
    for module, name, value in BELIEVED:
        setattr(module, name, value)


if __name__ == "__main__":
    believe()
    if LYING in os.environ:
        moment.Moment.holds = lambda _self, _fingerprint: True  # type: ignore[method-assign]
    sys.exit(main())
