"""Variables that a conda environment wants set while it is on: ``etc/conda/env_vars.d`` and ``conda-meta/state``."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator

from alight.files.disk import join
from alight.systems.base import Facts

PACKAGES = b"etc/conda/env_vars.d"
STATE = b"conda-meta/state"
FILES_LIMIT = 64
VALUE_LIMIT = 4096

UNSET = "***unset***"
"""conda's mark for a variable that this environment leaves alone."""

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,127}\Z")
_SHELLS_OWN = re.compile(
    # What one of the three shells expands, obeys or keeps to itself: its hook refuses a whole plan with one of these.
    r"(?:PATH|IFS|ENV|ZDOTDIR|R?PS\d|[RS]?PROMPT\w*|BASH\w*|SHELLOPTS|ZSH_\w*|LD_\w*|DYLD_\w*"
    r"|ARGC|CDPATH|COLUMNS|DIRSTACK|E?[UG]ID|EPOCH\w*|FIGNORE|FPATH|FUNCNAME|FUNCNEST|GLOBIGNORE|GROUPS|HISTCHARS|HISTCMD"
    r"|HISTSIZE|HOME|KEYBOARD_HACK|KEYTIMEOUT|LANG|LC_\w+|LINENO|LINES|LISTMAX|LOGCHECK|MAILCHECK|MAILPATH|MANPATH"
    r"|MODULE_PATH|NULLCMD|OLDPWD|OPTARG|OPTERR|OPTIND|PIPESTATUS|POSIXLY_CORRECT|PPID|PSVAR|PWD|S?RANDOM|READNULLCMD"
    r"|SAVEHIST|SECONDS|SHLVL|TERM|TERMINFO|TERMINFO_DIRS|TRY_BLOCK_\w+|TTYIDLE|USERNAME|WATCH|WORDCHARS|COMP_\w+|_"
    # Names of one word in small letters are arrays and functions' variables of zsh and fish.
    r"|[a-z]+|dis_[a-z_]+|module_path|functions_source|fish_\w+|__fish_\w+|zsh_\w+|zle_\w+|status_generation"
    # What the activation itself sets, and alight's own.
    r"|CONDA_(?:PREFIX|PREFIX_\d+|SHLVL|DEFAULT_ENV|PROMPT_MODIFIER|EXE|PYTHON_EXE|STACKED_\d+|ENV_SHLVL_\w+)"
    r"|_CONDA_\w+|__CONDA_\w+|_CE_\w+|VIRTUAL_ENV|VIRTUAL_ENV_PROMPT|ALIGHT_\w+|__alight\w*|PIXI_IN_SHELL)\Z"
)
_SESSIONS_OWN = re.compile(
    r"(?:USER|LOGNAME|SHELL|COLORTERM|TZ|TMPDIR|EDITOR|VISUAL|PAGER|MAIL|DISPLAY|(?:SSH|XDG|WAYLAND|DBUS)_\w+)\Z"
)
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")


def settable(name: str) -> bool:
    """Whether every hook sets this variable: none that a shell, conda's stack or alight itself lives by."""
    return bool(_NAME.match(name)) and not _SHELLS_OWN.match(name)


def wanted(prefix: bytes, facts: Facts, *, pixi: bool = False) -> tuple[tuple[str, bytes], ...]:
    """What conda would export for this prefix, in its order: packages' files by name, then the user's own.

    In capitals, as conda does unless told otherwise (``envvars_force_uppercase``); pixi only does so with the latter.
    Left out is what conda leaves out (``***unset***``, PATH) and what a hook refuses: names of a shell's own, values
    with control octets or of more than ``VALUE_LIMIT`` octets.
    """
    values = dict(_written(prefix, facts, pixi=pixi))
    return tuple(
        (name, octets)
        for name, value in values.items()
        if settable(name)
        and value != UNSET
        and not _CONTROL.search(value)
        and len(octets := os.fsencode(value)) <= VALUE_LIMIT
    )


def left_over(prefix: bytes, facts: Facts) -> tuple[str, ...]:
    """The names that leaving this prefix takes away, which never are those of a login session."""
    names = dict.fromkeys(name for pixi in (False, True) for name, _ in _written(prefix, facts, pixi=pixi))
    return tuple(name for name in names if settable(name) and not _SESSIONS_OWN.match(name))


def _written(prefix: bytes, facts: Facts, *, pixi: bool) -> Iterator[tuple[str, str]]:
    directory = join(prefix, PACKAGES)
    for file in sorted(facts.disk.names(directory) or ())[:FILES_LIMIT]:
        for name, value in _texts(facts.documents.json(join(directory, file))):
            yield name if pixi else name.upper(), value
    for name, value in _texts(facts.documents.json(join(prefix, STATE)).get("env_vars")):
        yield name.upper(), value


def _texts(table: object) -> Iterator[tuple[str, str]]:
    for name, value in table.items() if isinstance(table, dict) else ():
        if isinstance(value, str) and _is_text(value):
            yield name, value
        elif isinstance(value, int) and not isinstance(value, bool):
            # conda formats whatever it finds.
            yield name, str(value)


def _is_text(value: str) -> bool:
    try:
        os.fsencode(value)
    except UnicodeEncodeError:
        return False
    return True
