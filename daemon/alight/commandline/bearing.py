"""What a command's own words mean for those behind it."""

from __future__ import annotations

from alight.commandline.effects import Effect, SetVariable
from alight.commandline.state import State
from alight.commandline.tree import Block, Command, Node, Not, Pipeline, Test
from alight.commandline.words import Assignment, Home, Literal, Parameter, Piece, Unknown, Word, unknown, word

_TESTS = frozenset(b"[ test false grep egrep rg which type hash whence expr cmp diff contains string pgrep".split())


def is_test(node: Node) -> bool:
    """Whether failing is as ordinary as succeeding."""
    if isinstance(node, Test | Not):
        return True
    if isinstance(node, Command) and node.words:
        names = [typed.text for typed in node.words[:2]]
        return names[0] in _TESTS or names in ([b"command", b"-v"], [b"set", b"-q"], [b"command", b"-q"])
    if isinstance(node, Block):
        return is_test(node.part)
    return isinstance(node, Pipeline) and is_test(node.parts[-1])


def may_be_builtin(first: Word) -> bool:
    """Whether a command word that is not known may turn out to be something that changes the shell."""
    return first.text is None and not any(isinstance(piece, Literal) and b"/" in piece.text for piece in first.pieces)


def is_directory(first: Word) -> bool:
    """Whether a word typed alone may be meant as a directory to go to."""
    if first.text is None:
        return isinstance(first.pieces[0], Home)
    return b"/" in first.text or first.text in (b"..", b"...")


def left(before: State, after: State) -> State:
    """The state behind a block: what was local to it is what it was before, which is not looked up."""
    added = after.effects[len(before.effects) :]
    names = {effect.name for effect in added if isinstance(effect, SetVariable) and effect.local}
    return after.after(*(SetVariable(name, unknown("parameter"), None) for name in sorted(names)))


def assigned(given: Assignment, state: State, *, lasting: bool) -> SetVariable:
    """What an assignment does: to the shell, or ``lasting`` no longer than the command behind it."""
    value = given.value
    if given.append:
        value = word([Parameter(given.name, "quoted"), *value.pieces])
    name = given.name
    if state.shell == "zsh" and name == "path":
        name, value = "PATH", unknown("array")
    return SetVariable(name, value, None if lasting else True)


def seeing(typed: Word, assigned: tuple[SetVariable, ...]) -> Word:
    """The word of a fish command that already sees the assignments in front of it."""
    given = {effect.name: effect.value for effect in assigned}
    pieces: list[Piece] = []
    for piece in typed.pieces:
        value = given.get(piece.name) if isinstance(piece, Parameter) else None
        if value is None:
            pieces.append(piece)
        elif value.text is None:
            pieces.append(Unknown("parameter", b"$"))
        else:
            pieces.append(Literal(value.text, quoted=True))
    return word(pieces, typed.span)


def defaults(node: Command) -> list[Effect]:
    """Variables that ``${NAME:=value}`` sets in passing."""
    return [
        SetVariable(piece.name, unknown("parameter"), None)
        for typed in (*node.words, *(given.value for given in node.assignments))
        for piece in typed.pieces
        if isinstance(piece, Parameter) and piece.operator.endswith("=")
    ]
