"""A bare interpreter on PATH: what a ``.python-version`` asks for where no environment belongs to the directory."""

from __future__ import annotations

from collections.abc import Mapping

from alight.activation.changes import Changes
from alight.interpreters import pyenv_root
from alight.model import Answer, Interpreter
from alight.systems.base import normalise
from alight.text import display
from alight.trust.pins import pinned


def has_shims(variables: Mapping[str, bytes]) -> bool:
    """Whether pyenv's shims stand on PATH, which choose the interpreter by themselves."""
    home = normalise(variables.get("HOME", b"/"))
    shims = {pyenv_root(variables, home) + b"/shims", home + b"/.pyenv/shims"}
    return any(entry.rstrip(b"/") in shims for entry in variables.get("PATH", b"").split(b":"))


def wanted(answer: Answer, variables: Mapping[str, bytes]) -> Interpreter | None:
    """The interpreter to put on PATH: pinned, allowed by the user, and not the shims' matter."""
    interpreter = pinned(answer.resolution)
    if interpreter is None or not answer.stamp or answer.state == "denied" or has_shims(variables):
        return None
    return interpreter


def changes(interpreter: Interpreter) -> Changes:
    """Its commands first in PATH, and nothing else: it is no environment."""
    return Changes(path_add=(interpreter.prefix + b"/bin",))


def notice(answer: Answer, variables: Mapping[str, bytes]) -> str:
    """The one line about an interpreter that waits for the user's word; "" when none does."""
    # Where a tool would make an environment, that is what is missing.
    interpreter = pinned(answer.resolution) if answer.resolution.condition == "none" else None
    if interpreter is None or answer.stamp or answer.state == "denied" or has_shims(variables):
        return ""
    source = "PYENV_VERSION" if variables.get("PYENV_VERSION") else ".python-version"
    version = display(interpreter.python_version)
    return f"alight: {source} names Python {version} (pyenv); `alight allow` puts it on PATH"
