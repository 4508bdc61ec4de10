"""What builtins, and the functions of environment managers, do to the shell they run in."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from alight.commandline import fishset
from alight.commandline.effects import (
    Cd,
    CondaActivate,
    CondaDeactivate,
    Deactivate,
    Effect,
    Opaque,
    Popd,
    Pushd,
    Pyenv,
    Rehash,
    SetVariable,
    Source,
    Unset,
    Workon,
)
from alight.commandline.words import Parameter, Word, assignment, unknown, unsplit, word

_IDENTIFIER = re.compile(rb"[A-Za-z_][A-Za-z0-9_]*")
_STACKED = re.compile(rb"[-+][0-9]+")
_FLAGS = re.compile(rb"[-+][A-Za-z]+")
_CONDA = frozenset({b"conda", b"mamba", b"micromamba"})
_RESHAPING = frozenset(b"aAiulnTLRZEFU")
"""Attributes of a variable that change the value it is given."""

Judge = Callable[[Sequence[Word], str], "tuple[Effect, ...] | None"]


def effects(words: Sequence[Word], shell: str) -> tuple[Effect, ...] | None:
    """What the command does to its shell, or None when it is not known here, an ordinary command."""
    name = words[0].text
    if name is None:
        return None
    judge = (_FISH if shell == "fish" else _POSIX).get(name) or _COMMON.get(name)
    return None if judge is None else judge(words[1:], shell)


def _cd(arguments: Sequence[Word], shell: str) -> tuple[Effect, ...]:
    rest = list(arguments)
    flags = b""
    while rest and rest[0].text is not None and re.fullmatch(rb"-[LPeqs@]+", rest[0].text):
        flags += rest[0].text
        del rest[0]
    if rest and rest[0].text == b"--":
        del rest[0]
    if len(rest) > 1 or (rest and rest[0].text is not None and _STACKED.fullmatch(rest[0].text)):
        return (Opaque("directory"),)
    if rest and shell == "sh" and not rest[0].single:
        return (Opaque("directory"),)
    return (Cd(rest[0] if rest else None, physical=flags.rfind(b"P") > flags.rfind(b"L")),)


def _pushd(arguments: Sequence[Word], _shell: str) -> tuple[Effect, ...]:
    if len(arguments) > 1 or (arguments and arguments[0].head.startswith((b"-", b"+"))):
        return (Opaque("directory"),)
    return (Pushd(arguments[0] if arguments else None),)


def _popd(arguments: Sequence[Word], _shell: str) -> tuple[Effect, ...]:
    return (Opaque("directory"),) if arguments else (Popd(),)


def _declare(name: bytes) -> Judge:
    def judge(arguments: Sequence[Word], shell: str) -> tuple[Effect, ...]:
        if name == b"local" and shell != "zsh":
            return ()
        exported: bool | None = True if name == b"export" else None
        reshaped = name in (b"integer", b"float")
        found: list[Effect] = []
        for typed in arguments:
            if typed.text is not None and _FLAGS.fullmatch(typed.text):
                letters = typed.text[1:]
                if b"f" in letters or b"F" in letters or b"p" in letters:
                    return ()
                if name == b"export" and b"n" in letters:
                    exported = False
                elif b"x" in letters:
                    exported = typed.text.startswith(b"-")
                reshaped = reshaped or (name != b"export" and bool(_RESHAPING & set(letters)))
                continue
            if typed.text == b"--":
                continue
            found.extend(_declared(typed, exported, shell, reshaped=reshaped))
        return tuple(found)

    return judge


def _declared(typed: Word, exported: bool | None, shell: str, *, reshaped: bool) -> tuple[Effect, ...]:
    given = assignment(typed, quoted=True)
    if given is None:
        given = assignment(typed, quoted=False)
    if given is not None and not (given.append and shell != "bash"):
        value = unsplit(given.value)
        if given.append:
            value = word([Parameter(given.name, "quoted"), *value.pieces])
        if reshaped:
            value = unknown("array")
        return (SetVariable(given.name, value, exported),)
    if typed.text is not None and _IDENTIFIER.fullmatch(typed.text):
        return () if exported is None else (SetVariable(typed.text.decode("ascii"), None, exported),)
    return (Opaque("assignment"),)


def _unset(arguments: Sequence[Word], _shell: str) -> tuple[Effect, ...]:
    found: list[Effect] = []
    for typed in arguments:
        if typed.text in (b"-v", b"--"):
            continue
        if typed.text is None or not _IDENTIFIER.fullmatch(typed.text):
            return (Opaque("function" if typed.head.startswith(b"-") else "assignment"),)
        found.append(Unset(typed.text.decode("ascii")))
    return tuple(found)


def _source(arguments: Sequence[Word], _shell: str) -> tuple[Effect, ...]:
    rest = list(arguments)
    if rest and rest[0].text == b"--":
        del rest[0]
    return (Source(rest[0], tuple(rest[1:])),) if rest else (Opaque("eval"),)


def _hash(arguments: Sequence[Word], _shell: str) -> tuple[Effect, ...]:
    texts = [typed.text for typed in arguments]
    if texts and all(text in (b"-r", b"-f", b"-rf") for text in texts):
        return (Rehash(),)
    if any(text is None or b"=" in text or text.startswith((b"-p", b"-d", b"-r")) for text in texts):
        return (Opaque("hash"),)
    return ()


def _rehash(_arguments: Sequence[Word], _shell: str) -> tuple[Effect, ...]:
    return (Rehash(),)


def _reads(default: str) -> Judge:
    """Commands that assign what nobody knows to the variables they name."""

    def judge(arguments: Sequence[Word], _shell: str) -> tuple[Effect, ...]:
        names = [typed.text.decode("ascii") for typed in arguments if typed.text and _IDENTIFIER.fullmatch(typed.text)]
        if any(typed.text is None and not typed.quoted for typed in arguments):
            return (Opaque("assignment"),)
        return tuple(SetVariable(name, unknown("input"), None) for name in names or [default])

    return judge


def _printf(arguments: Sequence[Word], _shell: str) -> tuple[Effect, ...] | None:
    if not arguments or not arguments[0].head.startswith(b"-v"):
        return None
    name = arguments[0].text[2:] if arguments[0].text and arguments[0].text != b"-v" else None
    if name is None and len(arguments) > 1:
        name = arguments[1].text
    if name is None or not _IDENTIFIER.fullmatch(name):
        return (Opaque("assignment"),)
    return (SetVariable(name.decode("ascii"), unknown("input"), None),)


def _let(arguments: Sequence[Word], _shell: str) -> tuple[Effect, ...]:
    names = {name for typed in arguments for name in _IDENTIFIER.findall(typed.plain or b"")}
    if any(typed.plain is None for typed in arguments):
        return (Opaque("assignment"),)
    return tuple(SetVariable(name.decode("ascii"), unknown("arithmetic"), None) for name in sorted(names))


def _trap(arguments: Sequence[Word], _shell: str) -> tuple[Effect, ...]:
    harmless = not arguments or arguments[0].text in (b"-", b"-p", b"-l", b"--help")
    return () if harmless else (Opaque("trap"),)


def _opaque_function(_arguments: Sequence[Word], _shell: str) -> tuple[Effect, ...]:
    return (Opaque("function"),)


def _opaque_directory(_arguments: Sequence[Word], _shell: str) -> tuple[Effect, ...]:
    return (Opaque("directory"),)


def _opaque_tool(_arguments: Sequence[Word], _shell: str) -> tuple[Effect, ...]:
    return (Opaque("tool"),)


def _some(verbs: frozenset[bytes]) -> Judge:
    """A tool of which some verbs change the shell in ways of their own."""

    def judge(arguments: Sequence[Word], _shell: str) -> tuple[Effect, ...] | None:
        if arguments and arguments[0].text is None:
            return (Opaque("tool"),)
        return (Opaque("tool"),) if arguments and arguments[0].text in verbs else None

    return judge


def _deactivate(_arguments: Sequence[Word], _shell: str) -> tuple[Effect, ...]:
    return (Deactivate(),)


def _conda(name: bytes) -> Judge:
    def judge(arguments: Sequence[Word], _shell: str) -> tuple[Effect, ...] | None:
        if not arguments or arguments[0].text not in (b"activate", b"deactivate", b"reactivate"):
            return None
        if arguments[0].text == b"deactivate":
            return (CondaDeactivate(name),)
        if arguments[0].text == b"reactivate":
            return (Opaque("tool"),)
        rest = list(arguments[1:])
        stack = False
        while rest and rest[0].text in (b"--stack", b"--no-stack", b"-n", b"--name", b"-p", b"--prefix", b"--"):
            stack = stack or rest[0].text == b"--stack"
            del rest[0]
        if len(rest) > 1 or any(typed.head.startswith(b"-") for typed in rest):
            return (Opaque("tool"),)
        return (CondaActivate(rest[0] if rest else None, name, stack),)

    return judge


def _pyenv(arguments: Sequence[Word], _shell: str) -> tuple[Effect, ...] | None:
    verb = arguments[0].text if arguments else b""
    rest = tuple(arguments[1:])
    if verb is None:
        return (Opaque("tool"),)
    if verb == b"deactivate":
        return (Pyenv("activate", ()),)
    scopes = {b"shell": "shell", b"local": "local", b"global": "global", b"activate": "activate"}
    if verb not in scopes:
        return None
    if not rest:
        return (Opaque("tool"),) if verb == b"activate" else ()
    if [typed.text for typed in rest] == [b"--unset"]:
        rest = ()
    elif any(typed.head.startswith(b"-") for typed in rest):
        return (Opaque("tool"),)
    return (Pyenv(scopes[verb], rest),)  # type: ignore[arg-type]


def _workon(arguments: Sequence[Word], _shell: str) -> tuple[Effect, ...]:
    if not arguments:
        return ()
    if len(arguments) > 1 or arguments[0].head.startswith(b"-"):
        return (Opaque("tool"),)
    return (Workon(arguments[0]),)


_COMMON: dict[bytes, Judge] = {
    b"cd": _cd, b"pushd": _pushd, b"popd": _popd, b"source": _source, b".": _source, b"trap": _trap,
    b"alias": _opaque_function, b"unalias": _opaque_function, b"deactivate": _deactivate, b"workon": _workon,
    b"pyenv": _pyenv, b"mise": _some(frozenset({b"use", b"shell", b"sh", b"set", b"unset", b"deactivate", b"u"})),
    b"rtx": _some(frozenset({b"use", b"shell"})), b"vf": _some(frozenset({b"activate", b"deactivate", b"new", b"tmp"})),
    b"asdf": _some(frozenset({b"shell", b"local", b"global", b"set"})),
    **{name: _conda(name) for name in _CONDA},
    **dict.fromkeys((b"mkvirtualenv", b"mktmpenv", b"mkproject", b"cpvirtualenv"), _opaque_tool),
    **dict.fromkeys((b"z", b"zi", b"j", b"ji", b"jc", b"jo", b"autojump", b"fasd_cd"), _opaque_directory),
}  # fmt: skip
_POSIX: dict[bytes, Judge] = {
    b"chdir": _cd, b"unset": _unset, b"hash": _hash, b"rehash": _rehash, b"let": _let, b"printf": _printf,
    b"read": _reads("REPLY"), b"mapfile": _reads("MAPFILE"), b"readarray": _reads("MAPFILE"),
    b"getopts": _reads("OPTARG"), b"vared": _reads("REPLY"), b"wait": _reads("REPLY"),
    **{
        name: _declare(name)
        for name in (b"export", b"declare", b"typeset", b"local", b"readonly", b"integer", b"float")
    },
    **dict.fromkeys((b"enable", b"disable", b"emulate", b"autoload", b"unfunction", b"unhash"), _opaque_function),
}  # fmt: skip
_FISH: dict[bytes, Judge] = {
    b"set": fishset.effects, b"read": _reads("fish_pid"), b"functions": fishset.functions,
    b"fish_add_path": _opaque_tool, b"prevd": _opaque_directory, b"nextd": _opaque_directory,
    b"cdh": _opaque_directory, b"export": fishset.export, b"abbr": lambda _arguments, _shell: (),
}  # fmt: skip
