"""The variables a shell sends when they are set, as ``NAME=value`` frames.

The daemon's own environment says nothing about a shell's; these names are the whole of what an answer
may depend on beside the directory and the disk (discovery rules 0.4), and what ownership is judged by.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from alight.errors import BadRequest

OVERRIDES: tuple[str, ...] = (
    "CONDA_EXE", "_CONDA_ROOT", "MAMBA_EXE", "MAMBA_ROOT_PREFIX", "CONDA_ENVS_DIRS", "CONDA_ENVS_PATH", "CONDARC",
    "WORKON_HOME", "VIRTUALFISH_HOME",
    "PIPENV_PIPFILE", "PIPENV_VENV_IN_PROJECT", "PIPENV_CUSTOM_VENV_NAME", "PIPENV_PYTHON", "PIPENV_MAX_DEPTH",
    "POETRY_VIRTUALENVS_PATH", "POETRY_VIRTUALENVS_IN_PROJECT", "POETRY_CACHE_DIR", "POETRY_CONFIG_DIR",
    "PDM_PYTHON", "PDM_IGNORE_SAVED_PYTHON", "PDM_USE_VENV", "PDM_VENV_IN_PROJECT", "PDM_CONFIG_FILE",
    "HATCH_DATA_DIR", "HATCH_CONFIG", "HATCH_ENV", "HATCH_ENV_TYPE_VIRTUAL_PATH",
    "UV_PROJECT_ENVIRONMENT", "UV_PYTHON_INSTALL_DIR", "UV_CACHE_DIR",
    "PYENV_ROOT", "PYENV_VERSION", "PIXI_HOME", "MISE_DATA_DIR", "ASDF_DATA_DIR", "ASDF_PYTHON_VERSION",
    "XDG_DATA_HOME", "XDG_CACHE_HOME", "XDG_CONFIG_HOME", "HOME",
)  # fmt: skip
"""Variables that may change which environment belongs to a directory; part of every cache key."""

SESSION: tuple[str, ...] = (
    "PATH", "VIRTUAL_ENV", "VIRTUAL_ENV_PROMPT", "VIRTUAL_ENV_DISABLE_PROMPT",
    "CONDA_PREFIX", "CONDA_DEFAULT_ENV", "CONDA_SHLVL", "CONDA_PREFIX_1", "CONDA_PREFIX_2", "CONDA_CHANGEPS1",
    "PYTHONHOME", "PKG_CONFIG_PATH", "PYENV_VIRTUAL_ENV", "PYENV_ACTIVATE_SHELL",
    "POETRY_ACTIVE", "PIPENV_ACTIVE", "HATCH_ENV_ACTIVE", "PIXI_IN_SHELL",
    "DIRENV_DIR", "DIRENV_DIFF", "__MISE_DIFF", "TERM_PROGRAM",
)  # fmt: skip
"""Variables that say what this shell has switched on and who did it; never part of which environment belongs."""

FACTS: tuple[str, ...] = SESSION + OVERRIDES
"""Everything a shell sends, in the order of the hooks' own lists."""

CHECKED: tuple[str, ...] = ("LD_LIBRARY_PATH", "CUDA_HOME", "CUDA_PATH", "PYTHONPATH")
"""Variables that only the commands send, for their checks of the shell around an environment."""

LANDING_PREFIXES: tuple[str, ...] = (
    "PIP_", "UV_", "CONDA_", "_CONDA_", "MAMBA_", "POETRY_", "PIPENV_", "PDM_", "HATCH_", "PYENV_", "PIXI_", "PIPX_",
    "FLIT_", "ASDF_", "MISE_", "DIRENV_", "VIRTUALENV_", "XDG_", "DEB_", "RPM_", "HOMEBREW_", "CUDA_", "PYTHON",
    "VIRTUAL_ENV",
)  # fmt: skip
LANDING_NAMES: tuple[str, ...] = (
    "CONDARC", "WORKON_HOME", "VIRTUALFISH_HOME", "DIST_EXTRA_CONFIG", "__PYVENV_LAUNCHER__", "__MISE_DIFF",
    "_OLD_VIRTUAL_PATH", "HOME", "PATH", "PWD", "OLDPWD", "CDPATH", "USER", "LOGNAME", "CI", "SUDO_USER",
    "TERM_PROGRAM", "BASH_ENV", "ENV", "ZDOTDIR", "LD_LIBRARY_PATH", "ALIGHT_GUARD",
)  # fmt: skip
"""Variables that may change where an installer writes; sent with a line to check (PROTOCOL.md 7)."""

SECRETS: tuple[str, ...] = ("PASSWORD", "TOKEN", "HTTP_BASIC", "SECRET", "CREDENTIAL", "_INDEX", "PROXY", "_CERT")
"""What the names of variables hold that stay at home: they decide what is installed, never where."""

_NAME = re.compile(rb"[A-Za-z_][A-Za-z0-9_]*")
_MENTIONED = re.compile(rb"\$\{?([A-Za-z_][A-Za-z0-9_]*)")

_KNOWN = frozenset(FACTS + CHECKED)

VALUE_LIMIT = 8 * 1024
PATH_LIMIT = 16_000
"""Octets of one value, and of PATH; a longer variable is left out."""


def parse(variables: Iterable[bytes]) -> dict[str, bytes]:
    """Turn ``NAME=value`` frames into a mapping; names outside ``FACTS`` are ignored so that newer hooks work.

    Raises BadRequest when a frame has no ``=``.
    """
    found: dict[str, bytes] = {}
    for frame in variables:
        name, separator, value = frame.partition(b"=")
        if not separator:
            raise BadRequest("bad-field", "a variable has the form NAME=value")
        text = name.decode("ascii", "replace")
        if text in _KNOWN:
            found[text] = value
    return found


def collect(environ: Mapping[bytes, bytes]) -> tuple[bytes, ...]:
    """The frames that describe ``environ``, as a hook would send them."""
    return tuple(
        name.encode() + b"=" + environ[name.encode()]
        for name in FACTS + CHECKED
        if name.encode() in environ and len(environ[name.encode()]) <= (PATH_LIMIT if name == "PATH" else VALUE_LIMIT)
    )


def is_landing(name: str) -> bool:
    """Whether a variable of this name is sent with a line to check."""
    is_one = name in LANDING_NAMES or name.startswith(LANDING_PREFIXES)
    return is_one and not any(part in name for part in SECRETS)


def collect_landing(environ: Mapping[bytes, bytes], line: bytes) -> tuple[bytes, ...]:
    """The frames that decide where ``line`` lands: those of ``LANDING``, and the variables that the line names.

    Indexes and credentials stay at home.
    """
    mentioned = set(_MENTIONED.findall(line))
    return tuple(
        name + b"=" + value
        for name, value in sorted(environ.items())
        if _NAME.fullmatch(name)
        and (name in mentioned or is_landing(name.decode()))
        and len(value) <= (PATH_LIMIT if name == b"PATH" else VALUE_LIMIT)
    )


def parse_landing(variables: Iterable[bytes]) -> dict[str, bytes]:
    """The inverse of ``collect_landing``; raises BadRequest for a frame that is no ``NAME=value``."""
    found: dict[str, bytes] = {}
    for frame in variables:
        name, separator, value = frame.partition(b"=")
        if not separator or not _NAME.fullmatch(name):
            raise BadRequest("bad-field", "a variable has the form NAME=value")
        found[name.decode()] = value
    return found
