"""Substitutions whose output is known without running them: ``$(which pip)`` and its like."""

from __future__ import annotations

import re
from dataclasses import replace

from alight.commandline.words import Literal, Piece, Unknown, Word, word
from alight.landing import program
from alight.landing.base import Context

_ASKED = re.compile(rb"(?:\$\([ \t]*|`)(?:which|command -v|type -P|whence -p)[ \t]+([A-Za-z0-9][\w.-]*)[ \t]*(?:\)|`)")
_NAME = re.compile(rb"[A-Za-z][\w.-]*")


def resolved(typed: Word, context: Context) -> Word:
    """The word with the files that its substitutions name, where they only ask for a command's place."""
    if typed.doubt != "substitution":
        return typed
    return word([_piece(piece, context) for piece in typed.pieces], typed.span)


def mentioned(typed: Word) -> list[bytes]:
    """The names in a word's substitutions."""
    return [name for piece in typed.pieces if isinstance(piece, Unknown) for name in _NAME.findall(piece.source)]


def _piece(piece: Piece, context: Context) -> Piece:
    asked = _ASKED.fullmatch(piece.source) if isinstance(piece, Unknown) and piece.kind == "substitution" else None
    if asked is None or asked[1] in context.functions or asked[1] in context.aliases or asked[1] in context.hashed:
        return piece
    search = context.shell_variables.get("PATH")
    if search is None:
        return piece
    # The caller's shell looks, whatever the wrappers in front of the command change.
    outer = replace(context, variables={**context.variables, "PATH": search}, user=None)
    found = program.on_path(asked[1], outer)
    return piece if found is None or re.search(rb"[\s*?\[\\]", found) else Literal(found, quoted=True)
