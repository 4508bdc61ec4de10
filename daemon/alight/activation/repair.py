"""Taking away what was inherited or left over, so that nothing of it is passed on (activation rules R25, R28)."""

from __future__ import annotations

from collections.abc import Mapping

from alight.activation import stack
from alight.activation.variables import left_over
from alight.files.disk import Disk, join
from alight.systems.base import Facts

_PIXI = (
    "PIXI_PROJECT_ROOT", "PIXI_PROJECT_NAME", "PIXI_PROJECT_MANIFEST", "PIXI_PROJECT_VERSION",
    "PIXI_ENVIRONMENT_NAME", "PIXI_ENVIRONMENT_PLATFORMS", "PIXI_PROMPT",
)  # fmt: skip


def dropping(prefix: bytes, variables: Mapping[str, bytes], facts: Facts) -> list[bytes]:
    """The operations that take the environment at ``prefix`` out of a shell in which nobody can undo it any more."""
    operations: list[bytes] = []
    fits_path = prefix.startswith(b"/") and b":" not in prefix
    if variables.get("VIRTUAL_ENV") == prefix:
        operations += _drops("VIRTUAL_ENV", "VIRTUAL_ENV_PROMPT")
    if variables.get("CONDA_PREFIX") == prefix:
        # Before the pop, which brings back the values that these replaced.
        operations += _drops(*left_over(prefix, facts), *(_PIXI if _is_pixi(prefix, facts.disk) else ()))
        if stack.read(variables).level and fits_path:
            operations.append(b"conda-pop " + prefix)
        else:
            operations += _drops(*stack.ATOMIC)
    if fits_path and not _is_shared(prefix, facts.disk):
        operations.append(b"path-remove " + prefix + b"/bin")
    return operations


def mending(variables: Mapping[str, bytes], disk: Disk) -> list[bytes]:
    """The operations that take away a broken stack of conda's, all of it."""
    operations = _drops(*stack.ATOMIC, *stack.BENEATH)
    for name in ("CONDA_PREFIX", "CONDA_PREFIX_1", "CONDA_PREFIX_2"):
        prefix = variables.get(name, b"")
        removal = b"path-remove " + prefix + b"/bin"
        if (
            prefix.startswith(b"/")
            and b":" not in prefix
            and not _is_shared(prefix, disk)
            and removal not in operations
        ):
            operations.append(removal)
    return operations


def _drops(*names: str) -> list[bytes]:
    return [b"drop " + name.encode() for name in names]


def _is_pixi(prefix: bytes, disk: Disk) -> bool:
    return b"/.pixi/envs/" in prefix or disk.exists(join(prefix, b"conda-meta/pixi"))


def _is_shared(prefix: bytes, disk: Disk) -> bool:
    """Whether ``bin`` is more than an environment's: VIRTUAL_ENV=/usr must not cost the user /usr/bin."""
    marks = (prefix + b"/pyvenv.cfg", prefix + b"/conda-meta")
    return disk.exists(prefix + b"/bin") and not any(disk.exists(mark) for mark in marks)
