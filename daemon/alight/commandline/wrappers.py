"""What stands in front of a command and only changes how it runs: stripped from the left, and recorded."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from alight.commandline import programs
from alight.commandline.effects import ClearEnvironment, Effect, Wrapper
from alight.commandline.options import Syntax, parse
from alight.commandline.started import Started, leading_assignments
from alight.commandline.tree import Unreadable
from alight.commandline.words import Literal, Unknown, Word, word

_COMMAND = Syntax("pvV")
_COMMAND_FISH = Syntax("asqv", "", "", frozenset(), {"all": "a", "search": "s", "query": "q"})
_EXEC = Syntax("cl", "a")
_KEYWORDS = frozenset(b"{ ( ! [[ (( if for while until case select function begin switch not repeat foreach".split())
WRAPPERS_LIMIT = 32


def strip(words: Sequence[Word], shell: str, *, external: bool = False) -> list[Started]:
    """The commands that ``words`` start, usually one; raises Unreadable for words that are syntax."""
    started = Started(tuple(words), external=external)
    while started.words:
        found = _step(started, shell)
        if found is None:
            break
        if isinstance(found, list):
            return found
        started = found
        if len(started.wrappers) > WRAPPERS_LIMIT:
            raise Unreadable("nested too deeply")
    return [started]


def _step(started: Started, shell: str) -> Started | list[Started] | None:
    first = started.words[0]
    if first.text is None:
        return _equals(started, first) if shell == "zsh" else None
    name = first.text
    if not started.external and not (started.direct and started.is_program):
        own = _own(started, name, shell)
        if own is not None:
            return own
    if started.builtin:
        return None
    program = name.rpartition(b"/")[2].decode("utf-8", "replace")
    if program == "env":
        return programs.env(started)
    if program == "find":
        return programs.find(started, lambda words: strip(words, shell, external=True))
    if program == "parallel":
        return programs.parallel(started)
    if program in programs.PROGRAMS:
        return programs.program(started, program)
    return None


def _own(started: Started, name: bytes, shell: str) -> Started | None:
    """What the shell itself understands."""
    quoted = started.words[0].quoted
    rest = started.words[1:]
    at_front = all(wrapper.kind in {"time", "nocorrect"} for wrapper in started.wrappers)
    if name == b"time" and not quoted and at_front and shell != "sh":
        return _time(started, rest)
    if name == b"coproc" and not quoted and shell in {"bash", "zsh"}:
        _refuse_keyword(rest)
        return replace(started, words=rest, wrappers=(*started.wrappers, Wrapper("coproc")), detached=True)
    if shell == "zsh":
        own = _zsh(started, name)
        if own is not None:
            return own
    if name == b"command":
        return _command(started, shell)
    if name == b"builtin" and shell != "sh":
        if rest and rest[0].text == b"--":
            rest = rest[1:]
        return replace(started, words=rest, wrappers=(*started.wrappers, Wrapper("builtin")), builtin=True)
    if name == b"exec":
        parsed = parse(rest, Syntax() if shell == "fish" else _EXEC)
        if parsed is None or not parsed.rest:
            return replace(started, words=()) if parsed is not None else None
        effects: tuple[Effect, ...] = (ClearEnvironment(),) if "c" in parsed.flags else ()
        wrapper = Wrapper("exec", effects, parsed.flags, argv0=parsed.values.get("a"))
        return replace(started, words=parsed.rest, wrappers=(*started.wrappers, wrapper), external=True, replaces=True)
    return None


def _time(started: Started, rest: tuple[Word, ...]) -> Started:
    options: frozenset[str] = frozenset()
    while rest and rest[0].text in (b"-p", b"--"):
        options = frozenset({"p"}) if rest[0].text == b"-p" else options
        rest = rest[1:]
    _refuse_keyword(rest)
    wrappers = (*started.wrappers, Wrapper("time", options=options))
    effects, rest = leading_assignments(rest, quoted=False)
    if effects:
        wrappers = (*wrappers, Wrapper("assignments", effects))
    return replace(started, words=rest, wrappers=wrappers)


def _refuse_keyword(rest: tuple[Word, ...]) -> None:
    if rest and not rest[0].quoted and rest[0].text in _KEYWORDS:
        raise Unreadable("a construct that the grammar took for a command")
    if len(rest) > 1 and not rest[1].quoted and rest[1].text == b"{":
        raise Unreadable("a construct that the grammar took for a command")


def _zsh(started: Started, name: bytes) -> Started | None:
    rest = started.words[1:]
    if name == b"noglob":
        again = any(wrapper.kind == "noglob" for wrapper in started.wrappers)
        words = rest if again else tuple(_without_patterns(typed) for typed in rest)
        return replace(started, words=words, wrappers=(*started.wrappers, Wrapper("noglob")))
    if name == b"nocorrect":
        return replace(started, words=rest, wrappers=(*started.wrappers, Wrapper("nocorrect")))
    if name == b"-":
        return replace(started, words=rest, wrappers=(*started.wrappers, Wrapper("login")))
    if name == b"repeat" and rest:
        _refuse_keyword(rest[1:])
        wrappers = (*started.wrappers, Wrapper("repeat"))
        return replace(started, words=rest[1:], wrappers=wrappers, conditional=True)
    return None


def _equals(started: Started, first: Word) -> Started | None:
    """Zsh's ``=pip``: the program of that name, whatever functions there are."""
    mark, *others = first.pieces
    if not (isinstance(mark, Unknown) and mark.kind == "tilde" and mark.source == b"=" and len(others) == 1):
        return None
    name = others[0]
    if not isinstance(name, Literal) or b"/" in name.text:
        return None
    words = (Word((Literal(name.text, quoted=True),), first.span, name.text), *started.words[1:])
    wrappers = (*started.wrappers, Wrapper("equals"))
    return replace(started, words=words, wrappers=wrappers, direct=True, is_program=True)


def _without_patterns(typed: Word) -> Word:
    pieces = [
        Literal(piece.source) if isinstance(piece, Unknown) and piece.kind == "glob" else piece
        for piece in typed.pieces
    ]
    return word(pieces, typed.span)


def _command(started: Started, shell: str) -> Started | None:
    parsed = parse(started.words[1:], _COMMAND_FISH if shell == "fish" else _COMMAND)
    if parsed is None:
        return None
    if parsed.has("vVsqa"):
        return replace(started, words=())
    wrappers = (*started.wrappers, Wrapper("command", options=parsed.flags))
    is_program = shell in {"zsh", "fish"}
    return replace(started, words=parsed.rest, wrappers=wrappers, direct=True, is_program=is_program)
