"""A pip command line together with everything that is configured, up to where the command itself takes over.

pip reads its command line twice: once for the options before the command, where ``--python`` may hand everything to
another interpreter, and once more for the command with all options (landing rules 1.4 A and B).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace

from alight.files.disk import join
from alight.landing import program
from alight.landing.base import Context, Python, Words
from alight.landing.pipconfig import Defaults, defaults, settings
from alight.landing.pipoptions import (
    NEWEST,
    OLDEST,
    Doubtful,
    Option,
    Parsed,
    Refused,
    Release,
    Value,
    encode,
    options,
    read,
)
from alight.landing.python import inspect
from alight.landing.searchpath import pip_release
from alight.model import Certainty, Reason
from alight.text import display, display_path

LANDING = frozenset({"install", "uninstall"})
IDLE = frozenset({"download", "wheel", "lock"})
"""Commands that land nowhere, but stop where an environment is required."""

LATE_RELEASE = (23, 2)
"""The first release that refuses ``--python`` behind the command; before, it has no effect there."""

_SILENT = frozenset(
    {
        "help",
        "list",
        "freeze",
        "show",
        "check",
        "config",
        "search",
        "cache",
        "index",
        "inspect",
        "hash",
        "completion",
        "debug",
    }
)
_REQUIRES = re.compile(rb"^PYTHON_REQUIRES = \((\d+), (\d+)\)", re.MULTILINE)
_INSIDE = "_PIP_RUNNING_IN_SUBPROCESS"


@dataclass(frozen=True, slots=True)
class End:
    """pip gets no further, or nobody can say how."""

    outcome: str
    reason: Reason
    because: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Command:
    """A command that is about to run. ``typed`` are the options on the line; ``operands`` the other words."""

    name: str
    python: Python
    release: Release
    values: Mapping[str, Value]
    sources: Mapping[str, str]
    typed: tuple[tuple[Option, str | None], ...]
    operands: tuple[bytes, ...]
    because: tuple[str, ...]
    context: Context
    certainty: Certainty = "sure"

    def flag(self, target: str) -> bool:
        """Whether a switch is on."""
        return bool(self.values.get(target, False))

    def path(self, target: str) -> bytes | None:
        """The text of an option, None when it was not given; an empty one was given."""
        value = self.values.get(target)
        return encode(value) if isinstance(value, str) else None

    def why(self, *targets: str) -> tuple[str, ...]:
        """Who set these options, where it was not the command line."""
        typed = {option.target for option, _ in self.typed}
        return tuple(self.sources[target] for target in targets if target in self.sources and target not in typed)


def command(words: Words, python: Python, context: Context, around: Context) -> Command | End | None:
    """What pip is asked to do by the words behind its name; None when it only shows something.

    ``context`` is as the interpreter's own options make it, ``around`` without them: what another interpreter sees.
    """
    found = pip_release(python, context)
    if found is None:
        return End("stops", "no-such-module", (f"{display_path(python.prefix)} has no pip",))
    package, release = found
    if release is None or release < OLDEST:
        return End("unknown", "unknown-settings", (f"the rules of the pip in {display_path(package)} are not known",))
    general = _general(words, python, release, context)
    if not isinstance(general, tuple):
        return general
    preset, parsed = general
    because: tuple[str, ...] = ()
    chosen = parsed.values.get("python")
    if isinstance(chosen, str) and _INSIDE not in context.variables:
        typed = any(option.target == "python" for option, _ in parsed.given)
        because = ("--python names another interpreter" if typed else preset.sources["python"],)
        other = _other(encode(chosen), package, context)
        if isinstance(other, End):
            return replace(other, because=(*because, *other.because))
        python, context = other, replace(around, variables={**around.variables, _INSIDE: b"1"})
        general = _general(words, python, release, context)
        if not isinstance(general, tuple):
            return general
        preset, parsed = general
    if parsed.values.get("version") or not parsed.operands:
        return None
    return _specific(words, parsed.operands[0], python, release, because, context)


def _general(words: Words, python: Python, release: Release, context: Context) -> tuple[Defaults, Parsed] | End | None:
    known = options("global", release)
    preset = _defaults(python, "global", known, context, isolated=False)
    if isinstance(preset, End):
        return preset
    parsed = read(words, known, preset.values, mixed=False)
    ended = _ended(parsed, release)
    return ended if ended is not None else None if parsed.help else (preset, parsed)


def _specific(
    words: Words, position: int, python: Python, release: Release, because: tuple[str, ...], context: Context
) -> Command | End | None:
    word = words[position]
    if word is None:
        return End("unknown", "unknown-word", because)
    name = word.decode("ascii", "replace")
    if name in _SILENT:
        return None
    if name not in LANDING | IDLE or (name == "lock" and release < (25, 1)):
        shown = f"pip has no command {display(name)}"
        return (
            End("stops", "bad-options", (*because, shown)) if release <= NEWEST else End("unknown", "unknown-program")
        )
    # pip takes the first word of that text away, which may be an option's value before the command.
    first = words.index(word)
    rest = (*words[:first], *words[first + 1 :])
    known = options(name, release)
    # Only the full spelling counts, wherever it stands.
    preset = _defaults(python, name, known, context, isolated=b"--isolated" in rest)
    if isinstance(preset, End):
        return preset
    parsed = read(rest, known, preset.values, mixed=True)
    ended = _ended(parsed, release)
    if ended is not None or parsed.help:
        return ended
    if parsed.values.get("python") and _INSIDE not in context.variables and release >= LATE_RELEASE:
        return End("stops", "bad-options", (*because, "--python must stand before the command"))
    operands = []
    for index in parsed.operands:
        operand = rest[index]
        if operand is None:
            return End("unknown", "unknown-word", because)
        operands.append(operand)
    return Command(
        name, python, release, parsed.values, preset.sources, parsed.given, tuple(operands), because, context,
        "sure" if release <= NEWEST else "likely",
    )  # fmt: skip


def _defaults(
    python: Python, section: str, known: Mapping[str, Option], context: Context, *, isolated: bool
) -> Defaults | End:
    try:
        preset = defaults(settings(python.prefix, context, isolated=isolated), section, known)
    except Refused as refusal:
        return End("stops", "bad-options", (str(refusal),))
    except Doubtful as reason:
        return End("unknown", "unknown-settings", (str(reason),))
    if preset.error:
        return End("stops", "bad-options", (preset.error,))
    if preset.doubt:
        return End("unknown", "unknown-settings", (preset.doubt,))
    return preset


def _ended(parsed: Parsed, release: Release) -> End | None:
    if parsed.error:
        known = release <= NEWEST
        return End(
            "stops" if known else "unknown", "bad-options" if known else "unknown-settings", (display(parsed.error),)
        )
    if parsed.doubt is not None:
        return End(
            "unknown",
            "unknown-settings" if parsed.doubt else "unknown-word",
            (display(parsed.doubt),) if parsed.doubt else (),
        )
    return None


def _other(chosen: bytes, package: bytes, context: Context) -> Python | End:
    path = context.path(chosen)
    shown = display_path(chosen)
    if context.disk.is_directory(path):
        path = join(path, b"bin/python")
        if not context.disk.exists(path):
            return End("stops", "interpreter-missing", (f"{shown} has no bin/python",))
    elif not context.disk.exists(path):
        return End("stops", "interpreter-missing", (f"there is no {shown}",))
    elif b"/" not in chosen:
        # pip finds the file here and starts the one on PATH.
        found = program.find(chosen, context)
        if found is None or found.python is None:
            return End("unknown", "unknown-program", (f"{shown} is looked for on PATH",))
        path = found.python
    if not context.disk.is_executable(path):
        return End("stops", "interpreter-missing", (f"{shown} cannot be run",))
    other = inspect(path, context)
    if other is None:
        return End("unknown", "unknown-program", (f"{shown} is no Python that is known",))
    needs = _REQUIRES.search(context.disk.read(join(package, b"__pip-runner__.py")) or b"")
    if needs and other.minor and _minor(other.minor) < (int(needs[1]), int(needs[2])):
        return End("stops", "bad-options", (f"this pip does not run in Python {other.minor}",))
    return other


def _minor(text: str) -> tuple[int, int]:
    major, _, minor = text.partition(".")
    return (int(major), int(minor)) if major.isdigit() and minor.isdigit() else (0, 0)
