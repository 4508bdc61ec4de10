"""uv's command line, as its parser (clap) reads it: no abbreviations, most options at most once."""

from __future__ import annotations

from dataclasses import dataclass

from alight.landing.base import Words


def names(text: str) -> frozenset[str]:
    """A set of names, written as one text."""
    return frozenset(text.split())


GROUPS = frozenset({"pip", "tool", "python", "cache", "self", "auth", "workspace"})
"""Words behind which the command proper stands."""

_TABLE = frozenset({"pip install", "pip sync", "pip uninstall", "pip compile"})

_VALUES = names(
    "allow-insecure-host annotation-style bounds branch build-constraint build-constraints bump cache-dir cert "
    "client-cert color config config-file config-setting config-setting-package config-settings "
    "config-settings-package constraint constraints custom-compile-command default-index directory env-file "
    "exclude exclude-newer exclude-newer-package excludes extra extra-index-url find-links fork-strategy from "
    "group index index-strategy index-url keyring-provider link-mode marker max-recursion-depth no-binary-package "
    "no-build-isolation-package no-build-package no-editable-package no-emit-package no-extra no-group "
    "no-install-package no-sources-package only-binary only-group only-install-package optional output-file "
    "output-format override overrides package pip-args prefix prerelease prerelease-package preview-feature "
    "preview-features project prompt python python-executable python-fetch python-platform python-preference "
    "python-version refresh-package reinstall-package requirement requirements resolution rev script tag target "
    "torch-backend trusted-host unsafe-package upgrade-group upgrade-package with with-editable "
    "with-executables-from with-requirements"
)
_FLAGS = names(
    "active all all-extras all-groups all-packages allow-empty-requirements allow-existing allow-python-downloads "
    "binary break-system-packages build build-isolation check clear compile compile-bytecode deps dev "
    "disable-pip-version-check dry-run editable exact force force-reinstall frozen gui-script help inexact "
    "isolated lfs locked managed-python module native-tls no-active no-all-extras no-allow-empty-requirements "
    "no-binary no-break-system-packages no-build no-build-isolation no-cache no-cache-dir no-check no-clear "
    "no-color no-compile no-compile-bytecode no-config no-default-groups no-deps no-dev no-editable no-env-file "
    "no-exact no-index no-install-local no-install-project no-install-workspace no-installer-metadata no-lfs "
    "no-managed-python no-native-tls no-offline no-pip no-preview no-progress no-project no-python-downloads "
    "no-refresh no-reinstall no-relocatable no-require-build-hashes no-require-hashes no-seed no-setuptools "
    "no-sources no-strict no-sync no-system no-system-certs no-upgrade no-verify-hashes no-wheel no-workspace "
    "no_workspace offline only-dev only-install-local only-install-project only-install-workspace pre preview "
    "quiet raw raw-sources refresh reinstall relocatable require-build-hashes require-hashes script seed short "
    "show-resolution show-settings sources strict system system-certs system-site-packages upgrade user verbose "
    "verify-hashes version workspace yes"
)
_SHORTS = {
    "C": "config-setting", "P": "upgrade-package", "U": "upgrade", "V": "version", "b": "build-constraints",
    "c": "constraints", "e": "editable", "f": "find-links", "h": "help", "i": "index-url", "m": "marker",
    "n": "no-cache", "p": "python", "q": "quiet", "r": "requirements", "t": "target", "v": "verbose", "w": "with",
}  # fmt: skip
_ALIASES = {
    "requirement": "requirements", "constraint": "constraints", "override": "overrides",
    "no_workspace": "no-workspace", "force-reinstall": "reinstall", "compile": "compile-bytecode",
    "no-cache-dir": "no-cache", "preview-feature": "preview-features", "no-exact": "inexact",
}  # fmt: skip
REPEATED = frozenset({"quiet", "verbose", "help", "version"})
_ONCE = frozenset({"python", "target", "prefix", "directory", "project", "config-file", "cache-dir", "script", "from"})
_EXTERNAL = frozenset({"run", "tool run", "uvx"})
"""Commands whose first word that is no option starts somebody else's command."""

_COMMANDS = {"virtualenv": "venv", "v": "venv"}
_HIDDEN = {"uvx": "tool run"}


@dataclass(frozen=True, slots=True)
class Line:
    """What was said: the command with its group, the options by their long names, and the other words.

    ``invalid`` is why uv would refuse to read it, ``strange`` an option that no known version has; "" for neither.
    ``opaque`` is True when a word is not known, and so may be anything.
    """

    command: str
    options: tuple[tuple[str, bytes | None], ...] = ()
    words: tuple[bytes | None, ...] = ()
    invalid: str = ""
    strange: str = ""
    opaque: bool = False

    def has(self, name: str) -> bool:
        """Whether the option is there."""
        return any(known == name for known, _ in self.options)

    def value(self, name: str) -> bytes | None:
        """What the last such option says."""
        return next((value for known, value in reversed(self.options) if known == name), None)

    def values(self, name: str) -> tuple[bytes, ...]:
        """What all such options say, in order."""
        return tuple(value for known, value in self.options if known == name and value is not None)

    def switch(self, name: str) -> bool | None:
        """``--name`` or ``--no-name``, whichever is last; None for neither."""
        for known, _ in reversed(self.options):
            if known in {name, "no-" + name}:
                return known == name
        return None


def parse(argv: Words, name: str = "uv") -> Line:
    """Read the words behind the tool's own; ``name`` is ``uv`` or ``uvx``."""
    reader = _Reader(argv[1:], "tool run" if name == "uvx" else "")
    reader.read()
    return Line(
        reader.command, tuple(reader.options), tuple(reader.words), reader.invalid, reader.strange, reader.opaque
    )


class _Reader:
    def __init__(self, words: Words, command: str) -> None:
        self.pending = list(words)
        self.command = command
        self.grouped = False
        self.options: list[tuple[str, bytes | None]] = []
        self.words: list[bytes | None] = []
        self.invalid = self.strange = ""
        self.opaque = False

    def read(self) -> None:
        """Go through the words once."""
        while self.pending and not (self.invalid or self.strange or self.opaque):
            word = self.pending.pop(0)
            if word is None:
                self.opaque = True
            elif word == b"--" and self.command and not self.grouped:
                self.words += self.pending
                self.pending = []
            elif word.startswith(b"--") and len(word) > 2:
                self._long(word[2:])
            elif word.startswith(b"-") and len(word) > 1:
                self._cluster(word[1:].decode("utf-8", "surrogateescape"))
            else:
                self._plain(word)

    def _plain(self, word: bytes) -> None:
        if self.command and not self.grouped:
            self.words.append(word)
            if self.command in _EXTERNAL:
                self.words += self.pending
                self.pending = []
            return
        text = word.decode("utf-8", "replace")
        self.command = f"{self.command} {text}".strip() if self.grouped else _COMMANDS.get(text, text)
        self.command = _HIDDEN.get(self.command.removeprefix("tool "), self.command)
        self.grouped = not self.grouped and text in GROUPS

    def _takes_value(self, name: str) -> bool | None:
        """Whether the option has a value; None for an option that is not known."""
        table = self.command in _TABLE
        if name == "editable":
            return table
        if name == "no-binary":
            return table
        if name == "script":
            return self.command != "run"
        if name in _VALUES:
            return True
        return False if name in _FLAGS else None

    def _long(self, text: bytes) -> None:
        raw, separator, value = text.partition(b"=")
        name = raw.decode("utf-8", "replace")
        name = _ALIASES.get(name, name)
        takes = self._takes_value(name)
        if takes is None:
            self.strange = f"--{name}"
        elif not takes:
            if separator:
                self.invalid = f"--{name} takes no value"
            self._add(name, None)
        elif separator:
            self._add(name, value)
        else:
            self._value(name, f"--{name}")

    def _cluster(self, text: str) -> None:
        while text and not self.strange:
            letter, text = text[0], text[1:]
            name = self._short(letter)
            if name is None:
                self.strange = f"-{letter}"
            elif not self._takes_value(name):
                self._add(name, None)
            elif text:
                self._add(name, text.removeprefix("=").encode("utf-8", "surrogateescape"))
                return
            else:
                self._value(name, f"-{letter}")

    def _short(self, letter: str) -> str | None:
        if self.command == "run" and letter in "ms":
            return {"m": "module", "s": "script"}[letter]
        if self.command == "venv" and letter == "c":
            return "clear"
        return _SHORTS.get(letter)

    def _value(self, name: str, shown: str) -> None:
        if not self.pending:
            self.invalid = f"{shown} needs a value"
            return
        value = self.pending.pop(0)
        if value is None:
            self.opaque = True
        elif value.startswith(b"-") and value != b"-":
            self.invalid = f"{shown} needs a value"
        else:
            self._add(name, value)

    def _add(self, name: str, value: bytes | None) -> None:
        once = value is None or name in _ONCE
        if value == b"" and once:
            self.invalid = f"--{name} needs a value"
        if value is None:
            # The two halves of a switch undo each other, so that only a repetition without the other is an error.
            other = name.removeprefix("no-") if name.startswith("no-") else "no-" + name
            self.options = [pair for pair in self.options if pair != (other, None)]
        if once and name not in REPEATED and any(known == name for known, _ in self.options):
            self.invalid = f"--{name} is given twice"
        self.options.append((name, value))
