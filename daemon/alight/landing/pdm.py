"""PDM: what it adds, removes and syncs, and where (landing rules 1.10)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import msgspec

from alight.files.disk import join
from alight.landing import schemes
from alight.landing.arguments import Arguments, read, spellings
from alight.landing.base import Context, Prediction, Program, Words
from alight.landing.pdmplace import chosen
from alight.landing.pdmproject import Project, is_initialised, project_of, workspace_root
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
from alight.model import InstallAction
from alight.text import display_path

TOOL = "pdm"
BEFORE = spellings(
    "--help/-h", "--version/-V", "--config/-c", "--verbose/-v", "--quiet/-q", "--no-cache", "--ignore-python/-I",
    "--pep582", "--non-interactive/-n",
)  # fmt: skip
BASE = spellings("--help/-h", "--verbose/-v", "--quiet/-q", "--global/-g", "--project/-p")
_LOCKFILE = spellings("--lockfile/-L", "--skip/-k", "--venv")
_FROZEN = {**spellings("--frozen-lockfile"), "--no-lock": "frozen-lockfile"}
_INSTALL = spellings("--no-editable", "--no-self", "--fail-fast/-x", "--no-isolation")
_GROUPS = {
    **spellings("--group/-G", "--without", "--no-default", "--dev/-d", "--prod"),
    "--with": "group",
    "--production": "prod",
}
_SAVE = {
    **spellings("--save-compatible", "--save-safe-compatible", "--save-wildcard", "--save-exact", "--save-minimum",
                "--update-reuse", "--update-eager", "--update-all", "--update-reuse-installed", "--unconstrained/-u",
                "--override", "--stable", "--pre"),
    "--prerelease": "pre",
}  # fmt: skip
_OPTIONS: Mapping[str, Mapping[str, str]] = {
    "add": {
        **BASE, **_LOCKFILE, **_FROZEN, **_INSTALL, **_SAVE,
        **spellings("--editable/-e", "--dry-run", "--dev/-d", "--group/-G", "--no-sync"),
    },
    "remove": {
        **BASE, **_LOCKFILE, **_FROZEN, **_INSTALL,
        **spellings("--override", "--dry-run", "--dev/-d", "--group/-G", "--no-sync"),
    },
    "install": {**BASE, **_LOCKFILE, **_FROZEN, **_INSTALL, **_GROUPS,
                **spellings("--override", "--dry-run", "--check", "--plugins")},
    "sync": {**BASE, **_LOCKFILE, **_INSTALL, **_GROUPS,
             **spellings("--dry-run", "--clean", "--only-keep", "--reinstall/-r"), "--clean-unselected": "only-keep"},
    "update": {**BASE, **_LOCKFILE, **_FROZEN, **_INSTALL, **_GROUPS, **_SAVE,
               **spellings("--top/-t", "--dry-run", "--no-sync"), "--outdated": "dry-run"},
    "self add": spellings("--help/-h", "--verbose/-v", "--quiet/-q", "--pip-args"),
    "self remove": spellings("--help/-h", "--verbose/-v", "--quiet/-q", "--pip-args", "--yes/-y"),
    "self update": spellings("--help/-h", "--verbose/-v", "--quiet/-q", "--pip-args", "--head", "--pre",
                             "--no-frozen-deps"),
}  # fmt: skip
VALUED = frozenset({
    "config", "project", "lockfile", "skip", "venv", "group", "without", "override", "editable", "pip-args",
})  # fmt: skip
ACTIONS: Mapping[str, InstallAction] = {
    "add": "install", "remove": "uninstall", "install": "install", "sync": "sync", "update": "install",
    "self add": "install", "self remove": "uninstall", "self update": "install", "lock": "other",
}  # fmt: skip
_PREPARING = frozenset({"lock", "list", "outdated"})
"""Commands that want an environment, whatever they do in it."""

_ROOT_ONLY = frozenset({"install", "lock", "sync"})


@dataclass(frozen=True, slots=True)
class Line:
    """A command with its options, those before it and those the project adds included."""

    command: str
    arguments: Arguments
    project: Project


class Pdm:
    """The rules of PDM."""

    name = TOOL
    words = frozenset({TOOL})

    def predict(self, argv: Words, program: Program | None, context: Context) -> Prediction | None:
        """Where it would write; None for what only shows."""
        start = start_of(TOOL, "other", argv)
        try:
            line = _line(argv, context)
            if line is None:
                return None
            start = replace(start, action=ACTIONS.get(line.command, "other"))
            own, around = asked(program, context)
            start = replace(start, because=own.because)
            return _predicted(start, line, own, around)
        except Ending as ending:
            return ended(start, ending)


def with_config(before: Arguments, context: Context) -> Context:
    """The context with the configuration file that ``--config`` names."""
    chosen = before.options.get("config")
    return context if chosen is None else context.inside(context.directory, PDM_CONFIG_FILE=chosen)


def found_project(arguments: Arguments, context: Context) -> Project:
    """What ``-p``, ``-g`` and ``$PDM_PROJECT`` say."""
    directory = arguments.options.get("project") or context.variable("PDM_PROJECT")
    return project_of(directory, context, is_global=arguments.has("global"))


def _line(argv: Words, context: Context) -> Line | None:
    before = read(argv[1:], BEFORE, VALUED, limit=1)
    if before.doubtful:
        raise unknown("unknown-word", "a word of the command is not known")
    if before.error or not before.operands or before.has("help", "version", "pep582"):
        return None
    command, rest = before.operands[0].decode("utf-8", "replace"), before.rest
    if command in {"self", "plugin"} and rest and rest[0] is not None:
        command, rest = "self " + rest[0].decode("utf-8", "replace"), rest[1:]
    if command not in _OPTIONS and command not in _PREPARING:
        return None
    context = with_config(before, context)
    if command in _PREPARING:
        arguments = read(rest, BASE, VALUED)
        if arguments.has("help"):
            return None
        # Options of these that are not known here change nothing about where.
        arguments = arguments if not arguments.error else _scanned(rest)
    else:
        arguments = read(rest, _OPTIONS[command], VALUED)
    arguments.options = {**before.options, **arguments.options}
    if arguments.has("help"):
        return None
    check(arguments, TOOL)
    if command.startswith("self "):
        return Line(command, arguments, Project(b"", False, ""))
    project = found_project(arguments, context)
    injected = _injected(command, project, context)
    if injected and command in _OPTIONS:
        arguments = read((*injected, *rest), _OPTIONS[command], VALUED)
        arguments.options = {**before.options, **arguments.options}
        check(arguments, TOOL)
    if arguments.has("venv"):
        raise unknown("unknown-settings", "--venv chooses an environment by its name")
    return Line(command, arguments, project)


def _scanned(rest: Words) -> Arguments:
    found = Arguments()
    for at, word in enumerate(rest):
        if word in {b"-g", b"--global"}:
            found.options["global"] = b""
        elif word in {b"-p", b"--project"}:
            found.options["project"] = (rest[at + 1] if at + 1 < len(rest) else b"") or b""
        elif word in {b"-h", b"--help"}:
            found.options["help"] = b""
    return found


def _injected(command: str, project: Project, context: Context) -> Words:
    """What ``[tool.pdm.options]`` adds behind the command."""
    if project.is_global:
        return ()
    table = context.documents.table(join(project.root, b"pyproject.toml"), "tool", "pdm", "options", mention=b"options")
    words = table.get(command)
    if not isinstance(words, list):
        return ()
    return tuple(word.encode("utf-8", "replace") if isinstance(word, str) else None for word in words)


def _predicted(start: Prediction, line: Line, own: Program, context: Context) -> Prediction | None:
    arguments, project = line.arguments, line.project
    context = with_config(arguments, context)
    if line.command.startswith("self "):
        return _own(start, line, own, context)
    _refused(line, context)
    root = workspace_root(project, context)
    if root != project.root:
        if line.command in _ROOT_ONLY:
            raise stop("bad-options", f"{display_path(root)} is the root of the workspace, and only it is installed")
        project = project_of(root, context, is_global=False)
    if arguments.has("plugins"):
        raise nothing("--plugins goes to PDM's cache")
    standing = chosen(project, context, ignore_saved=arguments.has("ignore-python"))
    spared = _spared(line)
    if spared:
        found = made(start, standing, context, spared)
        if found is None and line.command in {"list", "outdated"}:
            return None
        if found is None:
            raise nothing(spared)
        return found
    found = lands(start, standing, context)
    if line.command in {"add", "remove"}:
        operands = arguments.operands
        plain = not set(arguments.options) - {"quiet", "verbose", "non-interactive", "no-cache"}
        return replace(found, requirements=tuple(operands), plain=plain and is_plain(operands))
    return found


def _refused(line: Line, context: Context) -> None:
    arguments, project = line.arguments, line.project
    if line.command == "remove" and not arguments.operands:
        raise stop("bad-options", "nothing is named")
    if line.command != "list" and not is_initialised(project, context):
        raise stop("no-project", f"{display_path(project.root)} has no pyproject.toml with a [project] table")
    if line.command == "sync" and not arguments.has("lockfile") and context.variable("PDM_LOCKFILE") is None:
        root = workspace_root(project, context)
        if not any(context.disk.exists(join(root, name)) for name in (b"pdm.lock", b"pylock.toml")):
            raise stop("no-project", "there is no lock file")
    if arguments.has("editable") and arguments.has("no-editable"):
        raise stop("bad-options", "--editable and --no-editable exclude each other")


def _spared(line: Line) -> str:
    """Why the environment's packages are left alone; "" when they are not."""
    if line.command in _PREPARING:
        return f"pdm {line.command} installs nothing"
    if line.arguments.has("no-sync"):
        return "--no-sync leaves the environment as it is"
    return "--dry-run installs nothing" if line.arguments.has("dry-run") else ""


def _own(start: Prediction, line: Line, own: Program, context: Context) -> Prediction:
    """``pdm self``: the environment that PDM itself runs from."""
    if line.command != "self update" and not line.arguments.operands:
        raise stop("bad-options", "nothing is named")
    if line.arguments.has("pip-args"):
        raise unknown("unknown-settings", "--pip-args may send it elsewhere")
    python = own_python(own, context)
    if python.kind == "base":
        raise unknown("unknown-settings", "PDM asks pip, which has rules of its own for a base Python")
    landing = schemes.land(python, context)
    because = (*start.because, "pdm self works on the Python that runs PDM")
    if python.kind != "venv":
        return replace(start, outcome="lands", reason=base_reason(python, context), landing=landing, because=because)
    tool = msgspec.structs.replace(landing, scheme="tool", kind="tool", name=TOOL)
    return replace(start, outcome="lands", reason="isolated-tool", landing=tool, because=because)
