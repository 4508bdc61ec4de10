"""Programs that start other programs: env, sudo, xargs and their like."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from typing import TypeAlias

from alight.commandline.effects import Cd, ClearEnvironment, Effect, Unset, Wrapper
from alight.commandline.options import Parsed, Syntax, parse
from alight.commandline.started import Started, leading_assignments
from alight.commandline.words import Literal, Piece, Unknown, Word, literal, unknown, word

Strip: TypeAlias = Callable[[tuple[Word, ...]], list[Started]]
"""Reads words that a program starts as a command of their own."""

_SUDO = Syntax(
    "ABbEeHiKklNnPSsVv",
    "CDghpRrtTUu",
    "",
    frozenset({"user", "group", "chdir", "host", "prompt", "chroot", "role", "type", "other-user", "close-from",
               "command-timeout"}),
    {"user": "u", "login": "i", "shell": "s", "set-home": "H", "preserve-env": "E", "non-interactive": "n",
     "chdir": "D", "edit": "e", "list": "l", "validate": "v", "version": "V", "group": "g"},
)  # fmt: skip
PROGRAMS: dict[str, tuple[Syntax, int]] = {
    "nohup": (Syntax(), 0),
    "nice": (Syntax("", "n", "", frozenset({"adjustment"})), 0),
    "ionice": (Syntax("t", "cnpPu", "", frozenset({"class", "classdata", "pid", "pgid", "uid"}),
                      {"pid": "p", "pgid": "P", "uid": "u"}), 0),
    "timeout": (Syntax("vfp", "ks", "", frozenset({"kill-after", "signal"})), 1),
    "stdbuf": (Syntax("", "ioe", "", frozenset({"input", "output", "error"})), 0),
    "setsid": (Syntax("cfw"), 0),
    "chronic": (Syntax("ev"), 0),
    "time": (Syntax("apqvl", "fo", "", frozenset({"format", "output"})), 0),
    "sudo": (_SUDO, 0),
    "doas": (Syntax("Lns", "Cau"), 0),
    "xargs": (Syntax("0optrx", "aEdILnPs", "eil",
                     frozenset({"arg-file", "delimiter", "max-lines", "max-args", "max-procs", "max-chars",
                                "process-slot-var"}), {"replace": "i"}), 0),
}  # fmt: skip
"""Programs that start a command: their options, and how many operands come before the command."""

_NO_COMMAND = {"ionice": "pPu", "sudo": "elvVK"}
"""Options with which no command is started."""

_ENV = Syntax("i0v", "uCSP", "", frozenset({"unset", "chdir", "split-string"}),
              {"unset": "u", "chdir": "C", "split-string": "S", "ignore-environment": "i"})  # fmt: skip
_NICENESS = re.compile(rb"-[0-9]+")
_SPLITTABLE = re.compile(rb"[^\\'\"$#]*")


def program(started: Started, name: str) -> Started | list[Started] | None:
    """One of ``PROGRAMS``; None when it cannot be known where its options end."""
    syntax, operands = PROGRAMS[name]
    rest = started.words[1:]
    if name == "nice" and rest and rest[0].text is not None and _NICENESS.fullmatch(rest[0].text):
        rest = rest[1:]
    parsed = parse(rest, syntax)
    if parsed is None or any(not typed.single for typed in parsed.rest[:operands]):
        return None
    if parsed.has(_NO_COMMAND.get(name, "")) or {"help", "version"} & parsed.flags:
        return replace(started, words=())
    rest = parsed.rest[operands:]
    effects: tuple[Effect, ...] = ()
    if name == "sudo":
        if "D" in parsed.values:
            effects = (Cd(parsed.values["D"], physical=True),)
        assigned, rest = leading_assignments(rest, quoted=True)
        effects += assigned
    if name == "xargs":
        rest = _fed(rest, parsed)
    options = parsed.flags | frozenset(parsed.values)
    wrapper = Wrapper(name, effects, options, user=parsed.values.get("u"))
    return replace(started, words=rest, wrappers=(*started.wrappers, wrapper), external=True)


def _fed(rest: tuple[Word, ...], parsed: Parsed) -> tuple[Word, ...]:
    """The words of a command that xargs completes: at their end, or wherever the mark stands."""
    if not rest:
        return ()
    mark = parsed.values.get("I", parsed.values.get("i"))
    if mark is None and "i" not in parsed.flags:
        return (*rest, unknown("input"))
    text = (mark.text if mark is not None else b"") or b"{}"
    return tuple(_replaced(typed, text) for typed in rest)


def _replaced(typed: Word, mark: bytes) -> Word:
    """The word, unknown where ``mark`` stands in it."""
    if typed.text is None or mark not in typed.text:
        return typed
    before, _, after = typed.text.partition(mark)
    pieces: list[Piece] = [Literal(before)] if before else []
    pieces.append(Unknown("input", mark + after))
    return word(pieces, typed.span)


def env(started: Started) -> Started | None:
    """``env``: its options take effect one by one, then its assignments; None when they are not known."""
    rest = started.words[1:]
    effects: list[Effect] = []
    while True:
        while rest and rest[0].text == b"-":
            effects.append(ClearEnvironment())
            rest = rest[1:]
        ordered = _one_by_one(rest)
        if ordered is None:
            return None
        found, split, rest = ordered
        effects.extend(found)
        if split is None:
            break
        rest = (*split, *rest)
    assigned, rest = leading_assignments(rest, quoted=True)
    if rest and rest[0].text is None and b"=" not in rest[0].head and not rest[0].single:
        return None
    wrapper = Wrapper("env", (*effects, *assigned))
    return replace(started, words=rest, wrappers=(*started.wrappers, wrapper), external=True)


def _one_by_one(
    rest: tuple[Word, ...],
) -> tuple[list[Effect], tuple[Word, ...] | None, tuple[Word, ...]] | None:
    """The effects of env's options in their order, what ``-S`` splits into, and the words behind."""
    effects: list[Effect] = []
    while rest and rest[0].head.startswith(b"-") and rest[0].text != b"-":
        if rest[0].text == b"--":
            return effects, None, rest[1:]
        takes = 2 if rest[0].text in (b"-u", b"-C", b"-S", b"-P", b"--unset", b"--chdir", b"--split-string") else 1
        if rest[0].text is not None and re.fullmatch(rb"-[i0v]+[uCSP]", rest[0].text):
            takes = 2
        parsed = parse(rest[:takes], _ENV)
        if parsed is None or parsed.rest:
            return None
        rest = rest[takes:]
        if "i" in parsed.flags:
            effects.append(ClearEnvironment())
        if {"help", "version", "P"} & (parsed.flags | parsed.values.keys()):
            return None
        if "u" in parsed.values:
            name = parsed.values["u"].text
            if name is None:
                return None
            effects.append(Unset(name.decode("utf-8", "replace")))
        if "C" in parsed.values:
            effects.append(Cd(parsed.values["C"], physical=True))
        if "S" in parsed.values:
            text = parsed.values["S"].text
            if text is None or not _SPLITTABLE.fullmatch(text):
                return None
            return effects, tuple(literal(part, quoted=True) for part in text.split()), rest
    if rest and rest[0].text is None and not rest[0].head and not rest[0].single:
        return None
    return effects, None, rest


def find(started: Started, strip: Strip) -> list[Started] | None:
    """``find -exec``: every command it starts, or None when there is none."""
    found: list[Started] = []
    words = started.words
    at = 1
    while at < len(words):
        option = words[at].text
        at += 1
        if option not in (b"-exec", b"-execdir", b"-ok", b"-okdir"):
            continue
        end = at
        while end < len(words) and words[end].text not in (b";", b"+"):
            end += 1
        inner = tuple(_replaced(typed, b"{}") for typed in words[at:end])
        at = end + 1
        # Commands of -execdir start in the directory of each file.
        effects: tuple[Effect, ...] = (Cd(unknown("input")),) if option.endswith(b"dir") else ()
        for command in strip(inner):
            wrappers = (*started.wrappers, Wrapper("find", effects), *command.wrappers)
            found.append(replace(command, wrappers=wrappers, conditional=True))
    return found or None


def parallel(started: Started) -> Started | None:
    """``parallel command ::: arguments`` without options; None for all else."""
    rest = started.words[1:]
    if not rest or rest[0].text is None or rest[0].text.startswith((b"-", b":")):
        return None
    end = next((at for at, typed in enumerate(rest) if typed.text in (b":::", b"::::", b":::+", b"::::+")), len(rest))
    inner = [_replaced(typed, b"{}") for typed in rest[:end]]
    if all(typed.doubt != "input" for typed in inner):
        inner.append(unknown("input"))
    wrappers = (*started.wrappers, Wrapper("parallel"))
    return replace(started, words=tuple(inner), wrappers=wrappers, external=True)
