"""pip's settings outside the command line: configuration files and ``PIP_*`` variables (landing rules 1.4 B).

A section beats a file: what any file says for the command holds over what any file says for all commands. Within a
section the later file holds, and a variable holds over both.
"""

from __future__ import annotations

import configparser
import stat
from collections.abc import Mapping
from dataclasses import dataclass

from alight.files.disk import READ_LIMIT, join
from alight.landing.base import Context
from alight.landing.pipoptions import Doubtful, Option, Refused, Value, configured, decode
from alight.text import display_path

ENVIRONMENT = ":env:"
"""The name of the section that the variables make up."""

_UNCONFIGURABLE = frozenset({"version", "help"})


@dataclass(frozen=True, slots=True)
class Setting:
    """One configured value: its text and, in words, who says so."""

    text: str
    source: str


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything configured, by section and then by option's name without dashes, in the order pip applies it."""

    sections: Mapping[str, Mapping[str, Setting]]

    def of(self, command: str) -> tuple[tuple[str, str, Setting], ...]:
        """What counts for a command, the weakest first: section, name, setting. Empty values count as absent."""
        return tuple(
            (section, name, setting)
            for section in dict.fromkeys(("global", command, ENVIRONMENT))
            for name, setting in self.sections.get(section, {}).items()
            if setting.text
        )


@dataclass(frozen=True, slots=True)
class Defaults:
    """What holds before the command line is read, by target, and for each who says so.

    ``error`` and ``doubt`` are as in ``pipoptions.Parsed``.
    """

    values: Mapping[str, Value]
    sources: Mapping[str, str]
    error: str = ""
    doubt: str = ""


def settings(prefix: bytes, context: Context, *, isolated: bool) -> Settings:
    """What files and variables say to a pip with this ``sys.prefix``; raises Refused or Doubtful for a bad file."""
    sections: dict[str, dict[str, Setting]] = {}
    for path in _files(prefix, context, isolated=isolated):
        _load(path, context, sections)
    if not isolated:
        for variable, octets in context.variables.items():
            if variable.startswith("PIP_") and variable[4:].lower() not in _UNCONFIGURABLE:
                setting = Setting(decode(octets), f"{variable} is set")
                sections.setdefault(ENVIRONMENT, {})[_normalised(variable[4:])] = setting
    return Settings(sections)


def defaults(found: Settings, command: str, known: Mapping[str, Option]) -> Defaults:
    """The values that the settings give a command's options."""
    values: dict[str, Value] = {}
    sources: dict[str, str] = {}
    last: dict[str, tuple[str, Value]] = {}
    for section, name, setting in found.of(command):
        option = known.get("--" + name)
        if option is None:
            continue
        try:
            value = configured(option, setting.text)
        except Refused as refusal:
            return Defaults(values, sources, error=f"{refusal} ({setting.source})")
        except Doubtful as reason:
            return Defaults(values, sources, doubt=f"{reason} ({setting.source})")
        if value is None:
            continue
        earlier = last.get(option.target)
        if section == ENVIRONMENT and earlier is not None and earlier[0] == section and earlier[1] != value:
            # Two variables set the same thing, and which of them pip sees last depends on their order in its memory.
            return Defaults(values, sources, doubt=f"{setting.source}, and another variable contradicts it")
        last[option.target] = section, value
        values[option.target] = value
        sources[option.target] = setting.source
    return Defaults(values, sources)


def _files(prefix: bytes, context: Context, *, isolated: bool) -> tuple[bytes, ...]:
    named = context.variable("PIP_CONFIG_FILE")
    if named == b"/dev/null":
        return ()
    files = list(_global(prefix, context))
    if not isolated and not (named is not None and context.disk.exists(context.path(named))):
        files += [join(context.home, b".pip/pip.conf"), join(_user(context), b"pip/pip.conf")]
    files.append(join(prefix, b"pip.conf"))
    if named is not None:
        files.append(context.path(named))
    # A file that is named twice stays where it was first.
    return tuple(dict.fromkeys(files))


def _global(prefix: bytes, context: Context) -> tuple[bytes, ...]:
    if context.platform == "darwin":
        brew = (b"/opt/homebrew/share/pip/pip.conf",) if prefix.startswith(b"/opt/homebrew") else ()
        return (*brew, b"/Library/Application Support/pip/pip.conf")
    named = context.variables.get("XDG_CONFIG_DIRS", b"")
    folders = [part for part in named.split(b":") if part.strip()] or [b"/etc/xdg"]
    return (*(join(_absolute(folder, "XDG_CONFIG_DIRS"), b"pip/pip.conf") for folder in folders), b"/etc/pip.conf")


def _user(context: Context) -> bytes:
    if context.platform == "darwin":
        support = join(context.home, b"Library/Application Support")
        return support if context.disk.is_directory(join(support, b"pip")) else join(context.home, b".config")
    named = context.variables.get("XDG_CONFIG_HOME", b"")
    return _absolute(named, "XDG_CONFIG_HOME") if named.strip() else join(context.home, b".config")


def _absolute(path: bytes, variable: str) -> bytes:
    # Releases of pip differ in what they make of others.
    if not path.startswith(b"/"):
        raise Doubtful(f"{variable} holds a relative path")
    return path


class _Parser(configparser.RawConfigParser):
    def optionxform(self, optionstr: str) -> str:
        return _normalised(optionstr)


def _load(path: bytes, context: Context, sections: dict[str, dict[str, Setting]]) -> None:
    facts = context.disk.stat(path)
    if facts is None or stat.S_ISDIR(facts.st_mode):
        return
    shown = display_path(path)
    content = context.disk.read(path)
    if content is None:
        if stat.S_ISREG(facts.st_mode) and facts.st_size <= READ_LIMIT:
            return  # Without permission: pip passes over it as well.
        raise Doubtful(f"{shown} cannot be read")
    parser = _Parser()
    try:
        parser.read_string(content.decode("utf-8"))
        for section in parser.sections():
            for name, text in parser.items(section):
                setting = Setting(text or "", f"{shown} says {name} in [{section}]")
                sections.setdefault(section, {})[_normalised(name)] = setting
    except (UnicodeDecodeError, configparser.DuplicateSectionError, configparser.DuplicateOptionError) as error:
        # What pip makes of them depends on its Python's locale and age.
        raise Doubtful(f"{shown} cannot be read") from error
    except configparser.Error as error:
        raise Refused(f"{shown} is no configuration file") from error


def _normalised(name: str) -> str:
    return name.lower().replace("_", "-").removeprefix("--")
