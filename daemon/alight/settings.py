"""What a person can set, and where each value came from: flag > environment > config.toml > default."""

from __future__ import annotations

import os
import re
import stat
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from alight.errors import SettingsError

FILE_LIMIT = 64 * 1024
Value = str | bool
Source = Literal["flag", "environment", "file", "default"]


@dataclass(frozen=True)
class Option:
    """One setting: its key in config.toml, its variable, what is allowed, and the default."""

    key: str
    variable: str
    default: Value
    choices: tuple[str, ...] = ()

    @property
    def allowed(self) -> str:
        """What may stand there, in words."""
        return f"one of {', '.join(self.choices)}" if self.choices else "true or false"


@dataclass(frozen=True)
class Setting:
    """A value and who set it."""

    option: Option
    value: Value
    source: Source


OPTIONS = (
    Option("guard.mode", "ALIGHT_GUARD", "ask", ("ask", "warn", "block", "off")),
    Option("prompt.segment", "ALIGHT_PROMPT_SEGMENT", default=True),
    Option("log.level", "ALIGHT_LOG_LEVEL", "info", ("debug", "info", "warning", "error")),
    Option("watch.enabled", "ALIGHT_WATCH", default=True),
    Option("virtualenvwrapper_hooks", "ALIGHT_VIRTUALENVWRAPPER_HOOKS", default=False),
)
_TRUE, _FALSE = ("1", "true", "yes", "on"), ("0", "false", "no", "off")


@dataclass(frozen=True)
class Settings:
    """Every setting with its source."""

    guard_mode: Setting
    prompt_segment: Setting
    log_level: Setting
    watch_enabled: Setting
    virtualenvwrapper_hooks: Setting

    def all(self) -> tuple[Setting, ...]:
        """In the order of ``OPTIONS``."""
        return (
            self.guard_mode,
            self.prompt_segment,
            self.log_level,
            self.watch_enabled,
            self.virtualenvwrapper_hooks,
        )


def load(file: Path, environ: Mapping[str, str], flags: Mapping[str, str] | None = None) -> Settings:
    """Read the settings; ``flags`` maps keys such as ``guard.mode`` to what the command line said.

    A missing file is an empty one. Raises SettingsError with file, line, key and what is allowed.
    """
    written = _read(file)
    return Settings(*(_choose(option, written, environ, flags or {}) for option in OPTIONS))


def _choose(
    option: Option,
    written: Mapping[str, Value],
    environ: Mapping[str, str],
    flags: Mapping[str, str],
) -> Setting:
    if option.key in flags:
        return Setting(option, _parse(option, flags[option.key], f"--{option.key}"), "flag")
    if environ.get(option.variable):
        return Setting(option, _parse(option, environ[option.variable], option.variable), "environment")
    if option.key in written:
        return Setting(option, written[option.key], "file")
    return Setting(option, option.default, "default")


def _parse(option: Option, word: str, where: str) -> Value:
    if option.choices:
        if word in option.choices:
            return word
    elif word.lower() in _TRUE + _FALSE:
        return word.lower() in _TRUE
    raise SettingsError(f"{where} is {word!r}", f"it is {option.allowed}")


def _read(file: Path) -> dict[str, Value]:
    text = _text(file)
    try:
        tables = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"{file}: {error}", "correct that line, or remove the file") from error
    options = {option.key: option for option in OPTIONS}
    found: dict[str, Value] = {}
    for key, value in _flatten(tables):
        where = f"{file}, line {_line(text, key)}: {key}"
        option = options.get(key)
        if option is None:
            raise SettingsError(f"{where} is not a setting", f"the settings are {', '.join(options)}")
        fits = value in option.choices if option.choices else isinstance(value, bool)
        if not fits or not isinstance(value, str | bool):
            raise SettingsError(f"{where} is {value!r}", f"it is {option.allowed}")
        found[key] = value
    return found


def _text(file: Path) -> str:
    try:
        # O_NONBLOCK: a FIFO in its place must not hold the daemon.
        descriptor = os.open(file, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except (FileNotFoundError, NotADirectoryError):
        return ""
    except OSError as error:
        raise SettingsError(f"{file} cannot be read ({error.strerror})", f"ls -l {file}") from error
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise SettingsError(f"{file} is not a regular file", "replace it by one, or remove it")
        octets = os.read(descriptor, FILE_LIMIT + 1)
    finally:
        os.close(descriptor)
    if len(octets) > FILE_LIMIT:
        raise SettingsError(f"{file} is larger than {FILE_LIMIT} octets", "remove what does not belong there")
    try:
        return octets.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = octets.count(b"\n", 0, error.start) + 1
        raise SettingsError(f"{file}, line {line}: not UTF-8", "save the file as UTF-8") from error


def _flatten(table: Mapping[str, object], prefix: str = "") -> list[tuple[str, object]]:
    flat: list[tuple[str, object]] = []
    for name, value in table.items():
        if isinstance(value, dict) and value:
            flat.extend(_flatten(value, f"{prefix}{name}."))
        else:
            flat.append((prefix + name, value))
    return flat


def _line(text: str, key: str) -> int:
    """The line that names ``key``: tomllib keeps no positions, so its last part is looked for in its table."""
    table, _, name = key.rpartition(".")
    current = ""
    for number, line in enumerate(text.splitlines(), 1):
        header = re.match(r"\s*\[\s*([^\]]+?)\s*\]", line)
        if header:
            current = header[1]
            if current == key:
                return number
        assigned = re.match(r"\s*([\w.\"'-]+)\s*=", line)
        if assigned:
            word = re.sub(r"[\"']", "", assigned[1])
            if f"{current}.{word}".lstrip(".") == key or (current == table and word == name):
                return number
    return 1
