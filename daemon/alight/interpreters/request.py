"""What a word in a version file asks for, in the forms that uv, PDM and pyenv write (uv: ``PythonRequest``)."""

from __future__ import annotations

import re
from dataclasses import dataclass

from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.version import InvalidVersion, Version

from alight.model import Interpreter

LENGTH_LIMIT = 128
"""Octets of a word; a longer one asks for nothing."""

_NAMES = {"cp": "cpython", "pp": "pypy", "gp": "graalpy", "python": "", "": ""}
_WORD = re.compile(
    r"(?P<name>cpython|pypy|graalpy|pyodide|python|cp|pp|gp|)(?:[@-](?=\d))?"
    r"(?:(?P<compact>[23]\d{1,2})|(?P<version>\d+(?:\.\d+){0,2}(?:(?:a|b|rc)\d+)?))?"
    r"(?P<free>t|\+freethreaded)?(?P<key>-(?:linux|macos|darwin|windows|any)[\w-]*)?\Z"
)
_SPECIFIER = re.compile(r"(?:python)?(?P<clauses>[<>=!~].*)\Z")


@dataclass(frozen=True, slots=True)
class Request:
    """A Python somebody asks for; empty fields allow everything, ``implementation`` "" means CPython."""

    version: str = ""
    specifiers: SpecifierSet | None = None
    implementation: str = ""
    free_threaded: bool = False

    def allows(self, interpreter: Interpreter) -> bool:
        """True when this Python may be given; ``3.1`` is not ``3.10``, and a pre-release has to be asked for."""
        known = interpreter.python_version
        executable = interpreter.executable.rpartition(b"/")[2]
        other = next((name for name in ("pypy", "graalpy", "pyodide") if executable.startswith(name.encode())), "")
        if other != (self.implementation if self.implementation != "cpython" else ""):
            return False
        if executable.endswith(b"t") != self.free_threaded:
            return False
        if self.specifiers is not None:
            try:
                return self.specifiers.contains(known, prereleases=True)
            except InvalidVersion:
                return False
        return not self.version or known == self.version or known.startswith(self.version + ".")


def parse(word: bytes) -> Request | None:
    """The request in a word; None for a name that is no version."""
    if not word or len(word) > LENGTH_LIMIT or not word.isascii():
        return None
    text = word.decode("ascii").lower()
    specifier = _SPECIFIER.match(text)
    if specifier:
        try:
            return Request(specifiers=SpecifierSet(specifier["clauses"]))
        except InvalidSpecifier:
            return None
    match = _WORD.match(text)
    if not match or text in {"python", "cp", "pp", "gp"} or not (match["name"] or match["version"] or match["compact"]):
        return None
    version = match["version"] or ""
    if match["compact"]:
        version = f"{match['compact'][0]}.{match['compact'][1:]}"
    name = match["name"]
    return Request(version, None, _NAMES.get(name, name), bool(match["free"]))


def newest(found: tuple[Interpreter, ...], origin: str = "") -> Interpreter | None:
    """The newest of them, final releases first; those of ``origin`` before all others."""
    return max(found, key=lambda one: (one.origin == origin, *_age(one)), default=None)


def _age(interpreter: Interpreter) -> tuple[bool, Version]:
    try:
        version = Version(interpreter.python_version)
    except InvalidVersion:
        version = Version("0")
    return not version.is_prerelease, version
