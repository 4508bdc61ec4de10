"""The source of a shell's function, as the shell itself prints it, down to the command it consists of."""

from __future__ import annotations

from alight.commandline import fish, posix
from alight.commandline.fishwords import Words
from alight.commandline.grammar import Line
from alight.commandline.reading import LINE_LIMIT
from alight.commandline.tree import Budget, Command, Function, Unreadable

_BLANKS = b" \t"


def only_command(name: bytes, source: bytes, shell: str) -> tuple[bytes, Command] | None:
    """The body of the function ``name`` and the one command that is all of it; None for any other function.

    ``source`` is what ``functions NAME`` of fish, ``declare -f NAME`` of bash and ``$functions[NAME]`` of zsh give, the
    last of which is the body. Spans of the command's words are octets of the body.
    """
    if len(source) > LINE_LIMIT:
        return None
    budget = Budget()
    try:
        if shell == "fish":
            body = _body_of_fish(name, source, budget)
            node = fish.parse(body, budget, 0, typed=True)
        elif shell in ("bash", "zsh"):
            body = source if shell == "zsh" else _body_of_bash(name, source, budget)
            node = posix.parse(body, shell, budget, 0, typed=True)
        else:
            return None
    except Unreadable:
        return None
    return (body, node) if isinstance(node, Command) else None


def _body_of_bash(name: bytes, source: bytes, budget: Budget) -> bytes:
    line = Line(source, "bash", budget, typed=True)
    found = [branch for branch in line.parse().children if branch.type != "\n"]
    if len(found) != 1 or found[0].type != "function_definition":
        raise Unreadable("not one function")
    named, *_, block = found[0].children
    if line.source(named) != name or block.type != "compound_statement" or block.children[0].type != "{":
        raise Unreadable("a function of another shape")
    return source[block.start_byte + 1 : block.end_byte - 1]


def _body_of_fish(name: bytes, source: bytes, budget: Budget) -> bytes:
    text = source.rstrip()
    while text.startswith(b"#"):
        text = text.partition(b"\n")[2].lstrip()
    node = fish.parse(text, budget, 0, typed=True)
    if not isinstance(node, Function) or node.name != name or not text.endswith(b"end"):
        raise Unreadable("not one function")
    words = Words(text, budget, _no_substitution, typed=True)
    at = 0
    while text[at : at + 1] not in (b"\n", b";"):
        before = at
        _, at = words.read(at)
        while text[at : at + 1] and text[at : at + 1] in _BLANKS:
            at += 1
        if at == before:
            raise Unreadable("a header that is not known")
    return text[at:-3]


def _no_substitution(_start: int) -> int:
    raise Unreadable("a substitution in a header")
