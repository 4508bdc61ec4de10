"""Poetry: what it adds, removes and installs, and where (landing rules 1.8)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import msgspec

from alight.files.disk import join
from alight.landing import schemes
from alight.landing.arguments import Arguments, read, spellings
from alight.landing.base import Context, Prediction, Program, Python, Words
from alight.landing.poetryplace import chosen, project_of
from alight.landing.standing import (
    Ending,
    asked,
    base_reason,
    check,
    ended,
    is_plain,
    lands,
    made,
    nothing,
    own_python,
    start_of,
    stop,
    unknown,
)
from alight.model import InstallAction, Landing
from alight.text import display_path

TOOL = "poetry"
GLOBAL = {
    **spellings(
        "--help/-h", "--quiet/-q", "--version/-V", "--ansi", "--no-ansi", "--no-interaction/-n", "--no-plugins",
        "--no-cache", "--project/-P", "--directory/-C",
    ),
    **dict.fromkeys(("-v", "-vv", "-vvv", "--verbose"), "verbose"),
}  # fmt: skip
GLOBAL_VALUED = frozenset({"project", "directory"})
_GROUPS = spellings("--without", "--with", "--only")
_INSTALL = {
    **_GROUPS,
    **spellings(
        "--sync", "--no-root", "--no-directory", "--dry-run", "--extras/-E", "--all-extras", "--all-groups",
        "--only-root", "--compile",
    ),
}  # fmt: skip
_OPTIONS: Mapping[str, Mapping[str, str]] = {
    "add": spellings(
        "--group/-G", "--dev/-D", "--editable/-e", "--extras/-E", "--optional", "--python", "--platform", "--markers",
        "--source", "--allow-prereleases", "--dry-run", "--lock",
    ),
    "remove": spellings("--group/-G", "--dev/-D", "--dry-run", "--lock"),
    "install": _INSTALL,
    "sync": _INSTALL,
    "update": {**_GROUPS, **spellings("--sync", "--dry-run", "--lock")},
    "lock": spellings("--regenerate"),
}  # fmt: skip
_VALUED = frozenset({
    "group", "extras", "optional", "python", "platform", "markers", "source", "with", "without", "only", "project",
    "directory",
})  # fmt: skip
ACTIONS: Mapping[str, InstallAction] = {
    "add": "install", "remove": "uninstall", "install": "install", "sync": "sync", "update": "install", "lock": "other",
}  # fmt: skip
_PREPARING = frozenset({"show", "build"})
"""Further commands that make the environment, whatever they do then."""


@dataclass(frozen=True, slots=True)
class Line:
    """A command line of Poetry's: the options before and behind the command, and what stands behind it."""

    command: str
    arguments: Arguments
    directory: bytes
    """Where it looks for the project."""


class Poetry:
    """The rules of Poetry."""

    name = TOOL
    words = frozenset({TOOL})

    def predict(self, argv: Words, program: Program | None, context: Context) -> Prediction | None:
        """Where it would write; None for what only shows."""
        start = start_of(TOOL, "other", argv)
        try:
            line = _line(argv, context)
            if line is None:
                return None
            action = ACTIONS.get(line.command.removeprefix("self "), "other")
            if line.arguments.has("sync") and action == "install":
                action = "sync"
            start = replace(start, action=action)
            own, around = asked(program, context)
            start = replace(start, because=own.because)
            return _predicted(start, line, own, around)
        except Ending as ending:
            return ended(start, ending)


def working(arguments: Arguments, context: Context) -> bytes:
    """Where Poetry looks for its project: ``--project`` from ``--directory``, which it enters."""
    directory = context.path(arguments.options["directory"]) if arguments.has("directory") else context.directory
    project = arguments.options.get("project")
    where = directory if project is None else context.inside(directory).path(project)
    for path in (directory, where):
        if not context.disk.is_directory(path):
            raise stop("no-project", f"there is no directory {display_path(path)}")
    return context.disk.realpath(where)


def _line(argv: Words, context: Context) -> Line | None:
    """What is asked; None for what is of no interest; raises ``Ending`` when it cannot be read."""
    before = read(argv[1:], GLOBAL, GLOBAL_VALUED, abbreviated=False, limit=1)
    if before.doubtful:
        raise unknown("unknown-word", "a word of the command is not known")
    if before.error or not before.operands or before.has("help", "version"):
        return None
    command, rest = before.operands[0].decode("utf-8", "replace"), before.rest
    if command == "self" and rest and rest[0] is not None:
        inner = rest[0].decode("utf-8", "replace")
        command, rest = f"self {inner}", rest[1:]
    if command in _PREPARING:
        arguments = read((), {}, frozenset())
    elif command.removeprefix("self ") in _OPTIONS:
        table = {**GLOBAL, **_OPTIONS[command.removeprefix("self ")]}
        arguments = read(rest, table, _VALUED, abbreviated=False)
    elif command == "env" and rest[:1] == (b"use",):
        raise unknown("unknown-settings", "which Python `poetry env use` finds is not known")
    else:
        return None
    arguments.options = {**before.options, **arguments.options}
    if arguments.has("help", "version"):
        return None
    check(arguments, TOOL)
    return Line(command, arguments, working(arguments, context))


def _predicted(start: Prediction, line: Line, own: Program, context: Context) -> Prediction | None:
    arguments = line.arguments
    if line.command.startswith("self "):
        return _own(start, line, own, context)
    if line.command in {"add", "remove"} and not arguments.operands:
        raise stop("bad-options", "nothing is named")
    standing = chosen(project_of(line.directory, context), own, context)
    if line.command in _PREPARING:
        return made(start, standing, context, f"`poetry {line.command}` makes the environment first")
    spared = _spared(line)
    if spared:
        found = made(start, standing, context, spared)
        if found is None:
            raise nothing(spared)
        return found
    _check(line)
    found = lands(start, standing, context)
    if found.reason == "not-writable" and standing.reason == "system-python" and standing.python is not None:
        found = _fallen(start, standing.python, standing.because, context)
    if line.command in {"add", "remove"}:
        plain = not set(arguments.options) - {"quiet", "verbose", "no-interaction", "ansi", "no-ansi"}
        wanted = tuple(arguments.operands)
        return replace(found, requirements=wanted, plain=plain and is_plain(arguments.operands))
    return found


def _spared(line: Line) -> str:
    """Why the environment's packages are left alone; "" when they are not."""
    if line.command == "lock":
        return "poetry lock writes the lock file only"
    for option in ("dry-run", "lock"):
        if line.arguments.has(option):
            return f"--{option} installs nothing"
    return ""


def _check(line: Line) -> None:
    """Combinations that Poetry refuses."""
    has = line.arguments.has
    if line.command not in {"install", "sync"}:
        return
    if has("extras") and has("all-extras"):
        raise stop("bad-options", "--extras and --all-extras exclude each other")
    if has("only-root") and has("no-root", "with", "without", "only", "all-groups"):
        raise stop("bad-options", "--only-root excludes the options that choose groups")
    if has("all-groups") and has("with", "without", "only"):
        raise stop("bad-options", "--all-groups excludes the options that choose groups")


def _own(start: Prediction, line: Line, own: Program, context: Context) -> Prediction:
    """``poetry self``: the environment that Poetry itself runs from."""
    spared = _spared(replace(line, command=line.command.removeprefix("self ")))
    if spared:
        raise nothing(spared)
    if line.command in {"self add", "self remove"} and not line.arguments.operands:
        raise stop("bad-options", "nothing is named")
    python = own_python(own, context)
    landing = schemes.land(python, context)
    because = (*start.because, "poetry self works on the Python that runs Poetry")
    if landing.purelib is None or not schemes.can_write(landing.purelib, context):
        if python.kind != "venv" and schemes.user_site_enabled(python, context, own.flags):
            return _fallen(start, python, (because[-1],), context)
        raise stop("not-writable", f"{display_path(landing.prefix)} cannot be written")
    if python.kind != "venv":
        return replace(start, outcome="lands", reason=base_reason(python, context), landing=landing, because=because)
    tool = msgspec.structs.replace(landing, scheme="tool", kind="tool", name=TOOL)
    return replace(start, outcome="lands", reason="isolated-tool", landing=tool, because=because)


def _fallen(start: Prediction, python: Python, because: tuple[str, ...], context: Context) -> Prediction:
    """Where it may not write to a base Python, Poetry takes the same directories below the user's base."""
    landing, base = schemes.land(python, context), schemes.user_base(context, python)
    if landing.purelib is None or not schemes.can_write(base, context):
        raise stop("not-writable", f"{display_path(landing.prefix)} cannot be written")
    inside = landing.purelib[landing.purelib.rindex(b"/lib/") + 1 :]
    user = Landing(python.executable, base, "user", join(base, inside), "user", display_path(base))
    because = (*start.because, *because, f"{display_path(landing.purelib)} cannot be written: the user's own instead")
    return replace(start, outcome="lands", reason="user-site", landing=user, because=because)
