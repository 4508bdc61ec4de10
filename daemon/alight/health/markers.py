"""Environment markers (PEP 508) for a Python that is read about and not run."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Mapping

from packaging.markers import InvalidMarker, Marker, UndefinedComparison, UndefinedEnvironmentName
from packaging.version import InvalidVersion

from alight.model import Environment

TEXT_LIMIT = 2048
"""Characters of a marker worth evaluating."""

DISTINCT_LIMIT = 512
"""Different markers evaluated for one environment; each costs about 50 us."""

_SELECTION = re.compile(r"\b(?:extras|dependency_groups)\b")
_SYSTEMS = {"linux": "Linux", "darwin": "Darwin"}


class Markers:
    """Whether markers hold in one environment; answers are kept, since lock files repeat theirs."""

    def __init__(self, environment: Environment, platform: str = sys.platform) -> None:
        self._candidates = tuple(_variables(environment, version, platform) for version in _versions(environment))
        self._known: dict[str, bool | None] = {}

    def holds(self, text: str) -> bool | None:
        """True, False, or None where that cannot be known: an unreadable marker, or one about a selection."""
        if not text:
            return True
        if text not in self._known:
            if len(self._known) >= DISTINCT_LIMIT:
                return None
            self._known[text] = self._evaluated(text)
        return self._known[text]

    def _evaluated(self, text: str) -> bool | None:
        if len(text) > TEXT_LIMIT or _SELECTION.search(text) or not self._candidates:
            return None
        try:
            marker = Marker(text)
            outcomes = {marker.evaluate(dict(variables)) for variables in self._candidates}
        except (InvalidMarker, UndefinedComparison, UndefinedEnvironmentName, InvalidVersion, RecursionError):
            return None
        # Of 3.12 alone it is not known which 3.12 it is.
        return outcomes.pop() if len(outcomes) == 1 else None


def _versions(environment: Environment) -> tuple[str, ...]:
    version = environment.python_version
    if not re.match(r"\d+\.\d+", version):
        return ()
    return (version,) if version.count(".") > 1 else (version + ".0", version + ".99")


def _variables(environment: Environment, version: str, platform: str) -> Mapping[str, str]:
    machine = os.uname()
    libraries = b"".join(environment.site_packages)
    pypy = b"/pypy" in libraries
    name = "pypy" if pypy else "cpython"
    return {
        "os_name": "posix",
        "sys_platform": platform,
        "platform_system": _SYSTEMS.get(platform, machine.sysname),
        "platform_machine": machine.machine,
        "platform_release": machine.release,
        "platform_version": machine.version,
        "platform_python_implementation": "PyPy" if pypy else "CPython",
        "implementation_name": name,
        "implementation_version": version,
        "python_version": ".".join(version.split(".")[:2]),
        "python_full_version": version,
        "extra": "",
    }
