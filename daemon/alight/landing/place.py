"""A shell's state while a line is folded over it: directory, variables, what it remembers of commands."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import replace

from alight.commandline.words import Word, expand
from alight.files.disk import join
from alight.landing.base import Context
from alight.model import Reason
from alight.wire.facts import is_landing


class Unknowable(Exception):
    """What follows on the line cannot be known."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason)
        self.reason: Reason = reason


class _Known(Mapping[str, "bytes | None"]):
    """What words are expanded with at this moment, looked up and not copied: a line may hold many assignments."""

    def __init__(self, place: Place) -> None:
        self._place = place

    def __getitem__(self, name: str) -> bytes | None:
        place = self._place
        if name in place.lost:
            raise KeyError(name)
        return place.variables[name] if name in place.variables else place.own[name]

    def __contains__(self, name: object) -> bool:
        place = self._place
        return name not in place.lost and (name in place.variables or name in place.own)

    def __iter__(self) -> Iterator[str]:
        place = self._place
        return iter({**place.own, **place.variables}.keys() - place.lost)

    def __len__(self) -> int:
        return sum(1 for _ in self)


class Place:
    """One shell, changed from left to right. ``lost`` are exported variables whose values nobody knows."""

    def __init__(self, caller: Context) -> None:
        self.caller = caller
        self.directory = caller.directory
        self.variables = dict(caller.variables)
        self.own: dict[str, bytes | None] = dict(caller.shell_variables)
        self.lost: set[str] = set()
        self.hashed = dict(caller.hashed)
        self.functions = caller.functions
        self.aliases = caller.aliases
        self.user = caller.user
        self.doubts = list(caller.doubts)
        self.argv0 = caller.argv0
        self.stack: list[bytes] = []
        self.former = caller.variables.get("OLDPWD")

    @property
    def home(self) -> bytes:
        """What ``~`` stands for."""
        return self.variables.get("HOME") or self.caller.home

    def known(self) -> Mapping[str, bytes | None]:
        """What words are expanded with."""
        found = {**self.own, **self.variables}
        return {name: value for name, value in found.items() if name not in self.lost}

    @property
    def now(self) -> Mapping[str, bytes | None]:
        """The same, without a copy of it."""
        return _Known(self)

    def text(self, typed: Word, known: Mapping[str, bytes | None] | None = None) -> bytes:
        """The word's value; raises Unknowable."""
        found = expand(typed, self.now if known is None else known, self.home)
        if found is None:
            raise Unknowable("unknown-word")
        return found

    def assign(self, name: str, value: bytes | None, exported: bool | None) -> None:
        """``NAME=value``; None for a value that is not known. ``exported`` None leaves it as it was."""
        if exported is None:
            exported = name in self.variables or name in self.lost
        self.forget(name)
        if value is None:
            self.own.pop(name, None)
            if exported:
                self.lost.add(name)
        elif exported:
            self.variables[name] = value
        else:
            self.own[name] = value

    def mark(self, name: str, *, exported: bool) -> None:
        """``export NAME`` and its opposite: the value stays."""
        if not exported:
            if name in self.variables:
                self.own[name] = self.variables.pop(name)
            self.lost.discard(name)
        elif name not in self.variables and name not in self.lost:
            if name not in self.own:
                self.lost.add(name)
            else:
                value = self.own[name]
                if value is not None:
                    self.variables[name] = value

    def forget(self, name: str) -> None:
        """``unset NAME``; a new PATH makes the shell forget where commands are."""
        self.variables.pop(name, None)
        self.lost.discard(name)
        self.own[name] = None
        if name == "PATH":
            self.hashed = {}

    def clear(self) -> None:
        """``env -i``."""
        self.variables, self.lost, self.hashed = {}, set(), {}

    def enter(self, directory: bytes, *, physical: bool = False) -> None:
        """``cd``: where it is has to be there."""
        path = directory if directory.startswith(b"/") else join(self.directory, directory)
        path = self.caller.disk.realpath(path) if physical else os.path.normpath(path)
        path = path[1:] if path.startswith(b"//") else path
        if not self.caller.disk.is_directory(path):
            raise Unknowable("opaque-line")
        self.former, self.directory = self.directory, path
        self.variables["OLDPWD"], self.variables["PWD"] = self.former, path

    def prepend(self, directory: bytes) -> None:
        """Put one directory first on PATH."""
        if "PATH" in self.lost:
            raise Unknowable("unknown-word")
        path = self.variables.get("PATH", b"")
        self.variables["PATH"] = directory + b":" + path if path else directory
        self.hashed = {}

    def remove(self, directory: bytes) -> bool:
        """Take a directory's first entry out of PATH; False when it has none."""
        entries = self.variables.get("PATH", b"").split(b":")
        if directory not in entries:
            return False
        entries.remove(directory)
        self.variables["PATH"] = b":".join(entries)
        self.hashed = {}
        return True

    def as_program(self) -> None:
        """From here on a program starts programs: no functions, no aliases, nothing remembered."""
        self.functions, self.aliases, self.hashed = frozenset(), {}, {}

    def context(self, words: Mapping[str, bytes | None], *, conditional: bool) -> Context:
        """What one command gets; raises Unknowable when a variable that decides is lost."""
        if any(is_landing(name) for name in self.lost):
            raise Unknowable("unknown-word")
        return replace(
            self.caller,
            directory=self.directory,
            variables=self.variables,
            home=self.home,
            hashed=self.hashed,
            functions=self.functions,
            aliases=self.aliases,
            user=self.user,
            conditional=conditional or self.caller.conditional,
            shell_variables=words,
            doubts=tuple(dict.fromkeys(self.doubts)),
            argv0=self.argv0,
        )
