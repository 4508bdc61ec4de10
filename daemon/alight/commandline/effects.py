"""What happens to a shell before a command runs: directory, variables, environments; and what stands in its way.

Everything is symbolic: words are expanded, files are read and directories looked up by whoever folds the effects
over the shell's state, from left to right.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal as OneOf
from typing import TypeAlias

from alight.commandline.words import Word

Reason = OneOf["eval", "function", "alternative", "loop", "directory", "hash", "tool", "assignment", "trap"]
"""Why what follows cannot be known: code not on the line, branches that disagree, a tool with a state of its own."""


@dataclass(frozen=True, slots=True)
class Cd:
    """``cd``: to ``directory``, to the home directory (None), or back (the word ``-``).

    ``implicit`` when a directory was typed as a command: it counts only where the word is a directory and the shell
    goes there (fish always, zsh and bash with an option). ``physical`` when links are followed before ``..`` is.
    """

    directory: Word | None
    implicit: bool = False
    physical: bool = False


@dataclass(frozen=True, slots=True)
class Pushd:
    """``pushd directory``; None exchanges the two top entries."""

    directory: Word | None


@dataclass(frozen=True, slots=True)
class Popd:
    """``popd`` without arguments."""


@dataclass(frozen=True, slots=True)
class SetVariable:
    """A variable gets ``value`` (None: keeps the one it has).

    ``exported``: True from now on, False no longer, None as it was. ``local`` ones end with their block; an effect
    with an unknown value stands there.
    """

    name: str
    value: Word | None
    exported: bool | None
    local: bool = False


@dataclass(frozen=True, slots=True)
class Unset:
    """A variable is gone."""

    name: str


@dataclass(frozen=True, slots=True)
class ClearEnvironment:
    """``env -i``, ``exec -c``: every variable is gone, PATH too (the system's default is searched)."""


@dataclass(frozen=True, slots=True)
class Source:
    """``source file arguments``: an environment's activate script, or code that nobody knows."""

    file: Word
    arguments: tuple[Word, ...] = ()


@dataclass(frozen=True, slots=True)
class Deactivate:
    """``deactivate``, the function of an active environment."""


@dataclass(frozen=True, slots=True)
class CondaActivate:
    """``conda activate environment``; None is ``base``. ``tool`` is the word typed (conda, mamba, micromamba)."""

    environment: Word | None
    tool: bytes
    stack: bool = False


@dataclass(frozen=True, slots=True)
class CondaDeactivate:
    """``conda deactivate``."""

    tool: bytes


@dataclass(frozen=True, slots=True)
class Pyenv:
    """``pyenv shell|local|global|activate versions``; without versions: ``--unset`` or ``deactivate``."""

    scope: OneOf["shell", "local", "global", "activate"]
    versions: tuple[Word, ...]


@dataclass(frozen=True, slots=True)
class Workon:
    """``workon environment`` of virtualenvwrapper."""

    environment: Word


@dataclass(frozen=True, slots=True)
class Rehash:
    """The shell forgets where it found commands."""


@dataclass(frozen=True, slots=True)
class Called:
    """A command ran in this shell by its bare name.

    Where the shell says that ``name`` is a function or an alias, what follows is unknown.
    """

    name: bytes


@dataclass(frozen=True, slots=True)
class Opaque:
    """From here on nothing is known: directory, variables and commands."""

    reason: Reason


@dataclass(frozen=True, slots=True)
class NewShell:
    """From here on a child shell reads, a new process behind ``wrappers``.

    It has none of the parent's own variables, functions, aliases and remembered commands. ``login`` and
    ``interactive`` ones read files that may change anything.
    """

    shell: str
    wrappers: tuple[Wrapper, ...]
    login: bool = False
    interactive: bool = False


@dataclass(frozen=True, slots=True)
class Wrapper:
    """Something in front of a command that changes how it runs; a command's wrappers are folded left to right.

    Words in ``assignments`` are expanded one after the other, each with those before it; words in all others with the
    variables the shell has without any of the command's wrappers.

    ``kind``: ``assignments`` and ``env`` (their changes in ``effects``); ``command`` and ``equals`` (no functions, zsh
    ``=pip``), ``builtin``, ``exec``; ``sudo``, ``doas`` (``user``, else root; ``effects`` are what they set);
    ``xargs``, ``parallel``, ``find`` (arguments unknown); ``login`` (zsh's ``-``); the rest only by name: ``nohup time
    nice ionice timeout stdbuf setsid chronic noglob nocorrect coproc repeat``. ``options`` are the flags given, as
    single letters or long names without dashes. ``argv0`` is the name the program is told (``exec -a``).
    """

    kind: str
    effects: tuple[Effect, ...] = ()
    options: frozenset[str] = frozenset()
    user: Word | None = None
    argv0: Word | None = None


Effect: TypeAlias = (
    Cd
    | Pushd
    | Popd
    | SetVariable
    | Unset
    | ClearEnvironment
    | Source
    | Deactivate
    | CondaActivate
    | CondaDeactivate
    | Pyenv
    | Workon
    | Rehash
    | Called
    | Opaque
    | NewShell
)
