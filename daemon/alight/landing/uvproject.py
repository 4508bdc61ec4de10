"""uv's project commands and ``uv venv``: the project's environment, whatever is active (landing rules 1.6)."""

from __future__ import annotations

from alight.files.disk import join
from alight.landing import schemes
from alight.landing.base import Context, Prediction, Program, Words
from alight.landing.uvenvironment import Chosen, chosen, creation, fresh, is_behind
from alight.landing.uvoptions import Line, parse
from alight.landing.uvpip import is_plain, requirements
from alight.landing.uvsettings import (
    Refusal,
    Surroundings,
    boolean,
    octets,
    prediction,
    stop,
    surroundings,
    unknown,
)
from alight.model import Certainty, InstallAction, Landing, Reason

TOOL = "uv"
ACTIONS: dict[str, InstallAction] = {
    "add": "install", "remove": "uninstall", "sync": "sync", "run": "sync", "version": "sync", "lock": "other",
    "venv": "create",
}  # fmt: skip
_METADATA = (b"# /// script\n", b"# /// script\r\n")


class UvProject:
    """The rules of uv's project commands."""

    name = TOOL
    words = frozenset({"uv"})

    def predict(self, argv: Words, program: Program | None, context: Context) -> Prediction | None:
        """Where it would write; None for what only shows."""
        line = parse(argv)
        action = ACTIONS.get(line.command)
        if action is None or (line.command == "version" and not (line.words or line.has("bump"))):
            return None
        try:
            if line.has("help") and not line.opaque:
                return prediction(TOOL, action, argv, "nothing", "no-landing", "it shows its help")
            around = surroundings(line, program, context)
            if line.command == "venv":
                return _venv(argv, line, around)
            return _project(action, argv, line, around)
        except Refusal as refusal:
            return prediction(TOOL, action, argv, refusal.outcome, refusal.reason, refusal.because)


def _project(action: InstallAction, argv: Words, line: Line, around: Surroundings) -> Prediction | None:
    spared = _spared(line, around)
    if spared is not None:
        reason: Reason = "isolated-tool" if spared.endswith("cache") else "no-landing"
        if reason == "no-landing" and line.command != "run" and not line.has("script"):
            chosen(around, needed=False)
        return prediction(TOOL, action, argv, "nothing", reason, spared)
    if line.command in {"add", "remove"}:
        _check(line)
    environment = chosen(around, needed=True)
    _check_lock(line, around, environment)
    if line.command == "add" and not environment.is_project and not (line.has("dev") or line.has("group")):
        raise stop("no-project", "pyproject.toml has no [project] table")
    return _lands(action, argv, line, around, environment)


def _check(line: Line) -> None:
    if line.command == "add" and not line.words and not line.has("requirements"):
        raise stop("bad-options", "nothing is named")
    if line.command == "remove" and not line.words:
        raise stop("bad-options", "nothing is named")


def _spared(line: Line, around: Surroundings) -> str | None:
    """Why the project's environment is left alone; None when it is not."""
    command = line.command
    if command == "lock":
        return "uv lock writes the lock file only"
    for option in ("dry-run", "check"):
        if line.has(option) and command in {"sync", "version"}:
            return f"--{option} changes nothing"
    script = line.has("script") and command in {"add", "remove"}
    if script:
        return "only the script's own text is changed"
    if command == "sync" and line.has("script"):
        active = around.context.variable("VIRTUAL_ENV")
        if line.switch("active") and active:
            raise unknown("explicit-environment", "a script's packages go to the active environment")
        return "a script's environment lies in uv's cache"
    if command == "run":
        return _unsynced(line, around)
    unsynced = line.has("no-sync") or bool(boolean("UV_NO_SYNC", around.context))
    if command in {"add", "remove", "version"} and _is_frozen(line, around):
        if unsynced:
            raise stop("bad-options", "to be frozen and not to sync exclude each other")
        return "frozen: the environment is left as it is"
    if command in {"add", "remove", "version"} and unsynced:
        return "the environment is not synced"
    return None


def _is_frozen(line: Line, around: Surroundings) -> bool:
    if line.has("frozen") and line.has("locked"):
        raise stop("bad-options", "--frozen and --locked exclude each other")
    variables = bool(boolean("UV_FROZEN", around.context)), bool(boolean("UV_LOCKED", around.context))
    if all(variables) and not (line.has("frozen") or line.has("locked")):
        raise stop("bad-options", "UV_FROZEN and UV_LOCKED exclude each other")
    return line.has("frozen") or (variables[0] and not line.has("locked"))


def _check_lock(line: Line, around: Surroundings, environment: Chosen) -> None:
    """A lock file that must not be written has to be there."""
    frozen = _is_frozen(line, around)
    locked = line.has("locked") or (bool(boolean("UV_LOCKED", around.context)) and not frozen)
    unsynced = line.command == "run" and (line.has("no-sync") or boolean("UV_NO_SYNC", around.context))
    missing = not around.context.disk.exists(join(environment.root or b"", b"uv.lock"))
    if (frozen or locked) and not unsynced and missing:
        raise stop("bad-options", "the lock file may not be written, and there is none")


def _unsynced(line: Line, around: Surroundings) -> str | None:
    if is_script(line, around):
        return "a script's environment lies in uv's cache"
    if line.has("isolated") or boolean("UV_ISOLATED", around.context):
        return "--isolated works in uv's cache"
    if line.has("no-project") or boolean("UV_NO_PROJECT", around.context):
        return "no project is looked for"
    if chosen(around, needed=False, run=True).root is None:
        return "there is no project"
    if line.has("no-sync") or boolean("UV_NO_SYNC", around.context):
        environment = chosen(around, needed=True)
        return None if environment.creates else "the environment is not synced"
    return None


def is_script(line: Line, around: Surroundings) -> bool:
    """Whether ``uv run`` is given a script with inline metadata, or one that nobody can read."""
    word = line.words[0] if line.words else None
    if word is None or line.has("module"):
        return False
    if word.startswith((b"http://", b"https://")) or word == b"-":
        return True
    path = around.context.path(word)
    if not (line.has("script") or word.lower().endswith((b".py", b".pyw"))) or not around.context.disk.is_file(path):
        return False
    content = around.context.disk.read(path) or b""
    return any(content.startswith(mark) or b"\n" + mark in content for mark in _METADATA)


def _lands(
    action: InstallAction, argv: Words, line: Line, around: Surroundings, environment: Chosen
) -> Prediction | None:
    certainty: Certainty = "sure" if environment.sure else "likely"
    if environment.python is not None and not environment.creates:
        landing = schemes.land(environment.python, around.context)
        if line.command == "run" and not is_behind(environment, landing, around.context):
            return None
    else:
        landing = fresh(environment.prefix, environment.library)
    reason: Reason = "creates-environment" if environment.creates else environment.reason
    return Prediction(TOOL, action, octets(argv), "lands", reason, landing, environment.because, certainty,
                      environment.creates, requirements=requirements(line), plain=is_plain(line))  # fmt: skip


def _venv(argv: Words, line: Line, around: Surroundings) -> Prediction:
    """``uv venv``: the path, else the project's environment at its very root, else ``./.venv``."""
    context = around.context
    if len(line.words) > 1:
        raise stop("bad-options", "several paths are given")
    word = line.words[0] if line.words else None
    no_project = line.has("no-project") or bool(boolean("UV_NO_PROJECT", context))
    wanted = creation(around, project=not no_project)
    if word is not None:
        prefix, because = context.path(word), "the command names it"
    elif wanted.root is not None and wanted.root == around.project:
        prefix, because = wanted.prefix, wanted.because[-1]
    else:
        prefix, because = join(context.directory, b".venv"), "uv venv makes .venv where it is run"
    _check_place(prefix, line, around)
    certainty: Certainty = "sure" if wanted.sure else "likely"
    landing: Landing = fresh(prefix, wanted.library)
    return Prediction(TOOL, "create", octets(argv), "lands", "creates-environment", landing, (because,), certainty,
                      True, plain=not line.options)  # fmt: skip


def _check_place(prefix: bytes, line: Line, around: Surroundings) -> None:
    """What stands there may be replaced only when that is said; without a word uv asks, or fails where it cannot."""
    disk = around.context.disk
    clear = line.has("clear") or bool(boolean("UV_VENV_CLEAR", around.context))
    if not disk.exists(prefix) or (disk.names(prefix) == frozenset() and disk.is_directory(prefix)):
        return
    if not disk.is_directory(prefix):
        raise stop("bad-options", f"{_shown(prefix)} is a file")
    if disk.is_file(join(prefix, b"pyvenv.cfg")):
        if not clear and not line.has("allow-existing"):
            raise unknown("creates-environment", f"uv asks what to do with {_shown(prefix)}")
    elif line.has("force") and clear:
        return
    elif not line.has("allow-existing"):
        raise stop("bad-options", f"{_shown(prefix)} is there and no environment")


def _shown(path: bytes) -> str:
    return path.decode("utf-8", "backslashreplace")
