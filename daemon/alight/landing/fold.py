"""What stands before a command on its line, folded over the caller's shell (landing rules 1.15)."""

from __future__ import annotations

from collections.abc import Mapping

from alight.commandline import read
from alight.commandline.effects import (
    Called,
    Cd,
    ClearEnvironment,
    CondaActivate,
    CondaDeactivate,
    Deactivate,
    Effect,
    NewShell,
    Opaque,
    Popd,
    Pushd,
    Pyenv,
    Rehash,
    SetVariable,
    Source,
    Unset,
    Workon,
    Wrapper,
)
from alight.commandline.simple import Simple
from alight.commandline.words import expand
from alight.files.disk import join
from alight.landing import shims
from alight.landing.activatescript import environment_of
from alight.landing.base import Context
from alight.landing.condastack import conda_activate, conda_deactivate
from alight.landing.otheruser import become
from alight.landing.place import Place, Unknowable
from alight.landing.program import DEFAULT_PATH, can_run
from alight.model import Reason
from alight.systems import pyenv
from alight.text import display_path

BENIGN = frozenset({b"conda", b"mamba", b"micromamba", b"pyenv", b"nvm", b"ls", b"alight"})
"""Functions that are known to leave variables and directory alone, but for what they are asked to do."""

_STARTED_BY_SHELL = frozenset({"assignments", "time", "noglob", "nocorrect", "coproc", "repeat", "login", "builtin"})
_SAVED = "_OLD_VIRTUAL_PATH"
"""Where ``activate`` keeps PATH for ``deactivate``."""

_DIRENV = b".envrc"
_MISE = (b"mise.toml", b".mise.toml")


def fold(simple: Simple, caller: Context) -> Context | Reason:
    """The directory, variables and user of one command; a Reason when something on the way cannot be known."""
    place = Place(caller)
    try:
        for effect in simple.effects:
            _apply(effect, place, simple.shell)
        words = place.known()
        for wrapper in simple.wrappers:
            _wrap(wrapper, place, simple, words)
        if simple.quoted_first:
            place.functions |= place.aliases.keys() & caller.passing
            place.aliases = {}
        if simple.presumed:
            place.doubts.append("a test on the line decides what happens before it")
        return place.context(words, conditional=simple.conditional)
    except Unknowable as unknowable:
        return unknowable.reason


def _apply(effect: Effect, place: Place, shell: str, words: Mapping[str, bytes | None] | None = None) -> None:
    """One effect; its words are expanded with ``words``, else with what the shell knows by now."""
    match effect:
        case SetVariable():
            if effect.value is None:
                if effect.exported is not None:
                    place.mark(effect.name, exported=effect.exported)
            else:
                known = place.now if words is None else words
                place.assign(effect.name, expand(effect.value, known, place.home), effect.exported)
        case Unset():
            if effect.name == "PATH":
                raise Unknowable("unknown-word")
            place.forget(effect.name)
        case ClearEnvironment():
            place.clear()
        case Cd():
            _cd(effect, place, shell, words)
        case Pushd() | Popd():
            _stacked(effect, place)
        case Rehash():
            place.hashed = {}
        case Source():
            _source(effect, place)
        case Deactivate():
            _deactivate(place)
        case CondaActivate():
            conda_activate(effect, place)
        case CondaDeactivate():
            conda_deactivate(place)
        case Pyenv():
            _pyenv(effect, place)
        case Workon():
            _workon(effect, place)
        case Called():
            _called(effect.name, place, shell)
        case NewShell():
            _new_shell(effect, place)
        case Opaque():
            raise Unknowable("opaque-line")


def _cd(effect: Cd, place: Place, shell: str, words: Mapping[str, bytes | None] | None) -> None:
    if b"cd" in place.functions or b"cd" in place.aliases:
        raise Unknowable("opaque-line")
    target = place.home if effect.directory is None else place.text(effect.directory, words)
    disk = place.caller.disk
    if effect.implicit:
        path = target if target.startswith(b"/") else join(place.directory, target)
        if not disk.is_directory(path):
            return
        if shell != "fish":
            # An option of zsh and bash decides, which is not known here.
            raise Unknowable("opaque-line")
    if target == b"-" and effect.directory is not None:
        if place.former is None:
            raise Unknowable("opaque-line")
        target = place.former
    elif target[:1] not in (b"/", b".") and "CDPATH" in place.now:
        raise Unknowable("opaque-line")
    place.enter(target or place.directory, physical=effect.physical)
    _hooked(place, shell)


def _hooked(place: Place, shell: str) -> None:
    """Doubts where a tool of the caller's changes variables as soon as the directory does."""
    disk = place.caller.disk
    for level in shims.levels_of(place.directory):
        if shell in ("zsh", "fish") and disk.has(level, _DIRENV):
            place.doubts.append(f"{display_path(join(level, _DIRENV))} may change what follows")
            return
        if "MISE_SHELL" in place.variables and any(disk.has(level, name) for name in _MISE):
            place.doubts.append(f"mise's file in {display_path(level)} may change what follows")
            return


def _stacked(effect: Pushd | Popd, place: Place) -> None:
    if isinstance(effect, Pushd) and effect.directory is not None:
        place.stack.append(place.directory)
        place.enter(place.text(effect.directory))
        return
    if not place.stack:
        raise Unknowable("opaque-line")
    target = place.stack.pop()
    if isinstance(effect, Pushd):
        place.stack.append(place.directory)
    place.enter(target)


def _source(effect: Source, place: Place) -> None:
    if effect.arguments:
        raise Unknowable("opaque-line")
    name = place.text(effect.file)
    path = name if name.startswith(b"/") else join(place.directory, name)
    disk = place.caller.disk
    if b"/" not in name:
        search = place.variables.get("PATH", b"").split(b":")
        path = next((join(entry, name) for entry in search if entry and disk.is_file(join(entry, name))), path)
    prefix = environment_of(path, disk)
    if prefix is None:
        raise Unknowable("opaque-line")
    former = place.variables.get("VIRTUAL_ENV")
    if not _restore(place) and former and former != prefix and not disk.has(join(prefix, b"bin"), b"pip"):
        place.doubts.append(f"{display_path(former)} is taken to stay on PATH")
    _activate(prefix, place)


def _activate(prefix: bytes, place: Place) -> None:
    if "PYTHONHOME" in place.variables:
        place.forget("PYTHONHOME")
    place.own[_SAVED] = place.variables.get("PATH")
    place.variables["VIRTUAL_ENV"] = prefix
    place.prepend(join(prefix, b"bin"))


def _deactivate(place: Place) -> None:
    prefix = place.variables.get("VIRTUAL_ENV")
    if not prefix:
        return
    if not _restore(place) and not place.remove(join(prefix, b"bin")):
        raise Unknowable("opaque-line")
    place.variables.pop("VIRTUAL_ENV")
    place.variables.pop("VIRTUAL_ENV_PROMPT", None)
    place.hashed = {}


def _restore(place: Place) -> bool:
    """PATH as the script that switched an environment on has kept it; False where none did."""
    former = place.now.get(_SAVED)
    if not former:
        return False
    place.forget(_SAVED)
    place.variables["PATH"] = former
    place.hashed = {}
    return True


def _workon(effect: Workon, place: Place) -> None:
    name = place.text(effect.environment)
    pool = place.variables.get("WORKON_HOME") or join(place.home, b".virtualenvs")
    prefix = environment_of(join(pool, name + b"/bin/activate"), place.caller.disk)
    if prefix is None or b"/" in name:
        raise Unknowable("opaque-line")
    if place.caller.disk.exists(join(pool, name + b"/bin/postactivate")):
        place.doubts.append("virtualenvwrapper's hooks may change what follows")
    former = place.variables.get("VIRTUAL_ENV")
    if not _restore(place) and former:
        place.remove(join(former, b"bin"))
    _activate(prefix, place)


def _pyenv(effect: Pyenv, place: Place) -> None:
    names = [place.text(typed) for typed in effect.versions]
    if effect.scope == "shell":
        if names:
            place.assign("PYENV_VERSION", b":".join(names), exported=True)
        else:
            place.forget("PYENV_VERSION")
        return
    if effect.scope in ("local", "global"):
        if place.variables.get("PYENV_VERSION"):
            return
        raise Unknowable("opaque-line")
    facts = place.caller.inside(place.directory, **place.variables, PYENV_VERSION=names[0] if names else b"").facts()
    _, found = pyenv.searched(facts, ())
    if len(names) != 1 or not found[0][1]:
        raise Unknowable("opaque-line")
    place.assign("PYENV_VERSION", names[0], exported=True)
    place.assign("VIRTUAL_ENV", found[0][1], exported=True)


def _called(name: bytes, place: Place, shell: str) -> None:
    if name in BENIGN:
        return
    if name in place.functions:
        raise Unknowable("opaque-line")
    alias = place.aliases.get(name)
    if alias is not None:
        found = read(alias, shell)
        if not found.complete or len(found.commands) != 1 or found.commands[0].effects:
            raise Unknowable("opaque-line")


def _new_shell(effect: NewShell, place: Place) -> None:
    words = place.known()
    for wrapper in effect.wrappers:
        _wrap(wrapper, place, None, words)
    disk = place.caller.disk
    if effect.login or effect.interactive or place.variables.get("BASH_ENV"):
        raise Unknowable("opaque-line")
    files = {
        "zsh": [join(place.variables.get("ZDOTDIR") or place.home, b".zshenv")],
        "fish": [join(place.variables.get("XDG_CONFIG_HOME") or join(place.home, b".config"), b"fish/config.fish")],
    }.get(effect.shell, [])
    if any(disk.read(path) != b"" and disk.exists(path) for path in files):
        raise Unknowable("opaque-line")
    place.as_program()
    place.own, place.argv0 = {}, None


def _wrap(wrapper: Wrapper, place: Place, simple: Simple | None, words: Mapping[str, bytes | None]) -> None:
    kind = wrapper.kind
    _trusted(kind.encode(), place)
    name = simple.name if simple is not None else None
    if kind in ("sudo", "doas"):
        if kind == "doas":
            raise Unknowable("other-user")
        become(place, b"root" if wrapper.user is None else place.text(wrapper.user, words), wrapper.options)
    elif kind == "command":
        place.functions, place.aliases = frozenset(), {}
        if "p" in wrapper.options and name is not None and b"/" not in name:
            place.hashed = {name: _on_default_path(name, place)}
    elif kind == "exec":
        place.functions, place.aliases = frozenset(), {}
        if wrapper.argv0 is not None:
            place.argv0 = place.text(wrapper.argv0, words)
        if "c" in wrapper.options:
            raise Unknowable("opaque-line")
    elif kind == "equals":
        place.functions, place.aliases = frozenset(), {}
    elif kind not in _STARTED_BY_SHELL:
        place.as_program()
    for effect in wrapper.effects:
        _apply(effect, place, simple.shell if simple is not None else "sh", None if kind == "assignments" else words)


def _trusted(word: bytes, place: Place) -> None:
    """A wrapper that is the user's own function, or an alias for more than itself, is not the one that is known."""
    if word in place.functions or place.aliases.get(word, word).strip() != word:
        raise Unknowable("opaque-line")


def _on_default_path(name: bytes, place: Place) -> bytes:
    paths = [join(entry, name) for entry in DEFAULT_PATH.split(b":")]
    return next((path for path in paths if can_run(path, place.caller)), paths[0])
