"""Pipenv: what it installs, removes and cleans, and where (landing rules 1.9)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from alight.files.disk import join
from alight.landing import pip, program
from alight.landing.arguments import Arguments, read, spellings
from alight.landing.base import Context, Prediction, Program, Words
from alight.landing.pipcommand import End
from alight.landing.pipenvplace import Project, chosen, is_active, project_of, truth
from alight.landing.standing import (
    Ending,
    Standing,
    asked,
    check,
    ended,
    is_plain,
    lands,
    made,
    nothing,
    start_of,
    stop,
    unknown,
)
from alight.model import InstallAction
from alight.text import display_path

TOOL = "pipenv"
_COMMON = spellings("--help/-h", "--pypi-mirror", "--verbose/-v", "--quiet/-q", "--clear", "--python")
_SITE = spellings("--site-packages", "--no-site-packages")
BEFORE = {
    **_COMMON,
    **_SITE,
    **spellings("--version", "--where", "--venv", "--py", "--envs", "--rm", "--bare", "--man", "--support"),
}
_SYNC = {
    **_COMMON,
    **spellings("--pre", "--extra-pip-args", "--resolver", "--dev/-d", "--categories", "--extras", "--all"),
}
_INSTALL = {
    **_SYNC,
    **spellings("--config-settings", "--index/-i", "--requirements/-r", "--ignore-pipfile", "--editable/-e",
                "--skip-lock", "--system"),
    **_SITE,
}  # fmt: skip
_OPTIONS: Mapping[str, Mapping[str, str]] = {
    "install": {**_INSTALL, **spellings("--deploy")},
    "upgrade": {**_INSTALL, **spellings("--lock-only")},
    "update": {**_INSTALL, **spellings("--lock-only", "--bare", "--outdated", "--dry-run")},
    "sync": {**_SYNC, **_SITE, **spellings("--system", "--bare", "--clean")},
    "uninstall": {
        **_COMMON,
        **spellings("--pre", "--extra-pip-args", "--resolver", "--categories", "--extras", "--dev/-d", "--editable/-e",
                    "--skip-lock", "--all-dev", "--all"),
    },
    "clean": spellings("--help/-h", "--bare", "--dry-run", "--verbose/-v", "--python"),
    "lock": {
        **_COMMON,
        **spellings("--pre", "--extra-pip-args", "--resolver", "--dev/-d", "--dev-only", "--categories", "--backend"),
    },
}  # fmt: skip
VALUED = frozenset({
    "pypi-mirror", "python", "extra-pip-args", "resolver", "categories", "extras", "config-settings", "index",
    "requirements", "editable", "backend",
})  # fmt: skip
ACTIONS: Mapping[str, InstallAction] = {
    "install": "install", "uninstall": "uninstall", "sync": "sync", "update": "sync", "clean": "sync",
    "lock": "other", "upgrade": "other",
}  # fmt: skip
_PREPARING = frozenset({"shell", "activate", "check", "open"})
_MOVING = ("PIP_TARGET", "PIP_PREFIX", "PIP_ROOT", "PIP_PYTHON", "PIP_REQUIRE_VIRTUALENV", "PIP_DRY_RUN")
"""Variables that the pip which Pipenv starts listens to, too."""

_LOCKS = (b"Pipfile.lock", b"pylock.toml")


@dataclass(frozen=True, slots=True)
class Line:
    """A command and its options, those before it included."""

    command: str
    arguments: Arguments

    def python(self, context: Context) -> bytes:
        """What ``--python`` or the variable that stands for it says; b"" for neither."""
        return self.arguments.options.get("python") or context.variable("PIPENV_PYTHON") or b""

    def system(self, context: Context) -> bool:
        """``--system`` or its variable."""
        return self.arguments.has("system") or bool(truth("SYSTEM", context))


class Pipenv:
    """The rules of Pipenv."""

    name = TOOL
    words = frozenset({TOOL})

    def predict(self, argv: Words, program: Program | None, context: Context) -> Prediction | None:
        """Where it would write; None for what only shows."""
        start = start_of(TOOL, "other", argv)
        try:
            line = _line(argv)
            if line is None:
                return None
            start = replace(start, action=ACTIONS.get(line.command, "other"))
            own, around = asked(program, context)
            start = replace(start, because=own.because)
            return _predicted(start, line, own, around)
        except Ending as ending:
            return ended(start, ending)


def _line(argv: Words) -> Line | None:
    before = read(argv[1:], BEFORE, VALUED, limit=1)
    if before.doubtful:
        raise unknown("unknown-word", "a word of the command is not known")
    showing = before.has("help", "version", "where", "venv", "py", "envs", "rm", "man", "support")
    if before.error or showing:
        return None
    if not before.operands:
        return Line("", before) if before.has("python", "site-packages") else None
    command = before.operands[0].decode("utf-8", "replace")
    if command in _PREPARING:
        return Line(command, before)
    if command not in _OPTIONS:
        return None
    arguments = read(before.rest, _OPTIONS[command], VALUED)
    arguments.options = {**before.options, **arguments.options}
    if arguments.has("help"):
        return None
    check(arguments, TOOL)
    return Line(command, arguments)


def _predicted(start: Prediction, line: Line, own: Program, context: Context) -> Prediction | None:
    project = project_of(context)
    _refused(line, project, context)
    if line.system(context) and line.command in {"install", "sync", "update", "uninstall"}:
        return _system(start, line, project, context)
    if line.command == "uninstall":
        return _removed(start, line, project, own, context)
    standing = chosen(project, own, line.python(context), context)
    if not line.command:
        return made(start, standing, context, "pipenv --python makes the environment")
    if line.command in _PREPARING:
        return made(start, standing, context, f"`pipenv {line.command}` makes the environment first")
    spared = _spared(line)
    if spared:
        found = made(start, standing, context, spared)
        if found is None:
            raise nothing(spared)
        return found
    return _named(_piped(start, standing, context), line)


def _spared(line: Line) -> str:
    """Why the environment's packages are left alone; "" when they are not."""
    if line.command in {"lock", "upgrade"}:
        return f"pipenv {line.command} writes the lock file only"
    for option in ("dry-run", "outdated"):
        if line.arguments.has(option):
            return f"--{option} installs nothing"
    return ""


def _refused(line: Line, project: Project, context: Context) -> None:
    arguments, disk = line.arguments, context.disk
    if arguments.has("verbose") and arguments.has("quiet"):
        raise stop("bad-options", "--verbose and --quiet exclude each other")
    python = arguments.options.get("python", b"")
    if python.startswith(b"/") and not disk.is_file(python):
        raise stop("bad-options", f"there is no {display_path(python)}")
    locked = any(disk.exists(join(project.root, name)) for name in _LOCKS)
    if line.command == "sync" and not locked:
        raise stop("no-project", "there is no Pipfile.lock")
    if line.command == "install" and arguments.has("deploy") and not project.is_there:
        raise stop("no-project", "there is no Pipfile")
    if line.command == "sync" and arguments.has("clean") and line.system(context):
        raise stop("bad-options", "--clean and --system exclude each other")
    if line.command == "uninstall" and not arguments.operands and not arguments.has("editable", "all", "all-dev"):
        raise stop("bad-options", "nothing is named")


def _piped(start: Prediction, standing: Standing, context: Context) -> Prediction:
    """Pipenv's own pip in the environment's Python: nobody's configuration files count, most variables do."""
    moving = [name for name in _MOVING if context.variable(name) is not None]
    if moving:
        raise unknown("unknown-settings", f"{moving[0]} reaches the pip that Pipenv starts")
    return lands(start, standing, context)


def _named(found: Prediction, line: Line) -> Prediction:
    if line.command not in {"install", "uninstall"}:
        return found
    operands = line.arguments.operands
    plain = not set(line.arguments.options) - {"quiet", "verbose", "clear"}
    return replace(found, requirements=tuple(operands), plain=plain and is_plain(operands))


def _removed(start: Prediction, line: Line, project: Project, own: Program, context: Context) -> Prediction:
    standing = chosen(project, own, b"", context)
    if standing.creates:
        raise nothing(f"{display_path(standing.prefix)} is not there, and pipenv uninstall does not make it")
    return _named(_piped(start, standing, context), line)


def _system(start: Prediction, line: Line, project: Project, context: Context) -> Prediction:
    """``--system``: the ``python3`` on PATH, by pip's rules."""
    arguments = line.arguments
    locked = any(context.disk.exists(join(project.root, name)) for name in _LOCKS[:1])
    if line.command == "uninstall":
        raise unknown("unknown-settings", "PIPENV_SYSTEM is set")
    if line.command == "update":
        raise unknown("unknown-settings", "pipenv update --system locks and syncs in several environments")
    if not locked and line.command == "install" and not arguments.has("skip-lock") and not is_active(context):
        raise stop("bad-options", "--system needs a Pipfile.lock")
    if line.python(context):
        raise unknown("unknown-settings", "it is not known which Python --python finds")
    found = program.find(b"python3", replace(context, hashed={})) or program.find(
        b"python", replace(context, hashed={})
    )
    if found is None:
        raise stop("interpreter-missing", "there is no Python on PATH")
    python, seen = pip.interpreter(found, context)
    if isinstance(python, End):
        raise Ending(python.outcome, python.reason, "the Python on PATH is not known")
    breaking = truth("BREAK_SYSTEM_PACKAGES", context) or context.variable("PIP_BREAK_SYSTEM_PACKAGES")
    variables = {"PIP_CONFIG_FILE": b"/dev/null", **({"PIP_BREAK_SYSTEM_PACKAGES": b"1"} if breaking else {})}
    because = (*start.because, f"--system takes {display_path(python.executable)}, the first Python on PATH")
    said = pip.run((b"install", b"-r", b"x"), python, seen.inside(seen.directory, **variables))
    if said is None or said.reason == "no-such-module":
        raise unknown("unknown-settings", "that Python has no pip whose rules could be asked")
    requirements = tuple(arguments.operands)
    return replace(
        said, tool=TOOL, action=start.action, argv=start.argv, because=(*because, *said.because),
        requirements=requirements, plain=False,
    )  # fmt: skip
