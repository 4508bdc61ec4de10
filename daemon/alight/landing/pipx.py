"""pipx: every application in an environment of its own (landing rules 1.11)."""

from __future__ import annotations

import re
from dataclasses import replace

from alight.files.disk import join
from alight.landing.arguments import Arguments, read, spellings
from alight.landing.base import Context, Prediction, Program, Words
from alight.landing.pip import interpreter
from alight.landing.pipcommand import End
from alight.model import InstallAction, Landing, Reason
from alight.text import display_path

_ACTIONS: dict[str, InstallAction] = {
    "install": "install", "inject": "install", "upgrade": "install", "reinstall": "install", "uninstall": "uninstall",
    "uninject": "uninstall", "runpip": "install", "install-all": "install", "upgrade-all": "install",
    "reinstall-all": "install", "uninstall-all": "uninstall", "upgrade-shared": "install", "run": "other",
}  # fmt: skip
_EXISTING = frozenset({"inject", "uninject", "upgrade", "reinstall", "uninstall", "runpip"})
_SHARED = spellings("--help/-h", "--quiet/-q", "--verbose/-v", "--global", "--skip-maintenance", "--version")
_KNOWN = _SHARED | spellings(
    "--include-deps", "--include-resources-from", "--include-apps", "--force/-f", "--upgrade/-U", "--upgrade-strategy",
    "--suffix", "--with-suffix", "--python", "--fetch-python", "--fetch-missing-python", "--preinstall", "--app",
    "--lock", "--system-site-packages", "--index-url/-i", "--editable/-e", "--pip-args", "--cooldown", "--backend",
    "--output", "--requirement/-r", "--leave-deps", "--include-injected", "--install", "--skip",
)  # fmt: skip
_VALUED = frozenset(
    {
        "include-resources-from", "upgrade-strategy", "suffix", "python", "fetch-python", "preinstall", "app", "lock",
        "index-url", "pip-args", "cooldown", "backend", "output", "requirement", "skip",
    }
)  # fmt: skip
_NAME = re.compile(rb"([A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?)\s*(?:$|[\[<>=!~;])")
_PACKED = (b".whl", b".gz", b".zip", b".py")
_RUNS = re.compile(rb"[-_.]+")


class Pipx:
    """The rules of pipx."""

    @property
    def name(self) -> str:
        """The tool."""
        return "pipx"

    @property
    def words(self) -> frozenset[str]:
        """Its names."""
        return frozenset({"pipx"})

    def predict(self, argv: Words, program: Program | None, context: Context) -> Prediction | None:
        """The environment it would make or change; None for what only shows."""
        typed = tuple(word for word in argv if word is not None)
        before = read(argv[1:], _SHARED, frozenset(), limit=1)
        if before.has("help", "version"):
            return None
        command = before.operands[0].decode("ascii", "replace") if before.operands else ""
        start = Prediction("pipx", _ACTIONS.get(command, "other"), typed, "unknown", "unknown-word", plain=False)
        if before.doubtful:
            return start
        if command not in _ACTIONS:
            return None
        if program is None:
            return replace(start, outcome="stops", reason="no-such-command")
        # What comes behind the environment's name belongs to pip, or to the application.
        arguments = read(before.rest, _KNOWN, _VALUED, limit=1 if command in {"run", "runpip"} else None)
        found = _predicted(start, command, before, arguments, program, context)
        return None if found is None else replace(found, because=(*program.because, *found.because))


def _predicted(
    start: Prediction, command: str, before: Arguments, arguments: Arguments, own: Program, context: Context
) -> Prediction | None:
    if command == "run":
        return _end(start, "nothing", "no-landing", "pipx run uses an environment that is thrown away")
    if arguments.has("help"):
        return None
    if arguments.doubtful:
        return start
    if arguments.error:
        return _end(start, "unknown", "unknown-settings", arguments.error)
    everyone = before.has("global") or arguments.has("global")
    home, because = _home(context, everyone=everyone)
    if command.endswith("-all") or command == "upgrade-shared":
        return _lands(start, home, None, because, context)
    if not arguments.operands:
        return _end(start, "stops", "bad-options", "nothing is named")
    prefixes_of = [_venv(home, operand, arguments) for operand in _named(command, arguments)]
    prefix = prefixes_of[0]
    if prefix is None:
        return _lands(start, join(home, b"venvs"), None, because, context)
    exists = context.disk.is_directory(prefix)
    if command in _EXISTING and not exists and not context.conditional and not arguments.has("install"):
        return _end(start, "stops", "no-environment", f"there is no {display_path(prefix)}")
    if command == "runpip":
        return _runpip(start, arguments, prefix, because, context)
    if exists:
        library = _library(prefix, context)
        if command == "install" and not arguments.has("force", "upgrade"):
            return _end(start, "nothing", "no-landing", f"{display_path(prefix)} is there already")
    else:
        library = _default(arguments, own, context)
    return replace(_lands(start, prefix, library, because, context), creates=not exists)


def _named(command: str, arguments: Arguments) -> list[bytes]:
    return arguments.operands if command in {"install", "upgrade", "uninstall"} else arguments.operands[:1]


def _runpip(
    start: Prediction, arguments: Arguments, prefix: bytes, because: tuple[str, ...], context: Context
) -> Prediction | None:
    words = arguments.rest
    if not words or words[0] not in {b"install", b"uninstall"}:
        return None
    action: InstallAction = "install" if words[0] == b"install" else "uninstall"
    start = replace(start, action=action)
    if any(word is None or (word.startswith(b"-") and word not in {b"-U", b"-q", b"-y"}) for word in words[1:]):
        return replace(start, reason="unknown-settings", because=("options of the pip in there",))
    return _lands(start, prefix, _library(prefix, context), because, context)


def _home(context: Context, *, everyone: bool) -> tuple[bytes, tuple[str, ...]]:
    variable = "PIPX_GLOBAL_HOME" if everyone else "PIPX_HOME"
    named = context.variable(variable)
    if named is not None:
        expanded = context.home + named[1:] if named == b"~" or named.startswith(b"~/") else named
        return context.path(expanded), (f"{variable} is set",)
    if everyone:
        return b"/opt/pipx", ("--global",)
    former = join(context.home, b".local/pipx")
    if context.disk.exists(former):
        return former, ("~/.local/pipx is there",)
    if context.platform == "darwin":
        return join(context.home, b"Library/Application Support/pipx"), ()
    return join(context.facts().data_home(), b"pipx"), ()


def _venv(home: bytes, operand: bytes, arguments: Arguments) -> bytes | None:
    """The environment for what was typed; None where only its source tells the name."""
    found = _NAME.match(operand)
    if found is None or b"/" in operand or operand.endswith(_PACKED):
        return None
    # The suffix is normalised with the name.
    return join(home, b"venvs/" + _RUNS.sub(b"-", found[1] + arguments.options.get("suffix", b"")).lower())


def _default(arguments: Arguments, own: Program, context: Context) -> bytes | None:
    """``pythonX.Y`` of a new environment, where pipx takes the Python that runs it."""
    if arguments.has("python", "fetch-python", "fetch-missing-python") or any(
        context.variable(name) for name in ("PIPX_DEFAULT_PYTHON", "PIPX_FETCH_PYTHON", "PIPX_FETCH_MISSING_PYTHON")
    ):
        return None
    python, _ = interpreter(own, context)
    return None if isinstance(python, End) else python.library


def _library(prefix: bytes, context: Context) -> bytes | None:
    names = [name for name in context.disk.folders(join(prefix, b"lib")) if name.startswith(b"python")]
    return names[0] if len(names) == 1 else None


def _lands(
    start: Prediction, prefix: bytes, library: bytes | None, because: tuple[str, ...], context: Context
) -> Prediction:
    purelib = None if library is None else join(prefix, b"lib/" + library + b"/site-packages")
    exists = context.disk.is_directory(prefix)
    name = display_path(prefix.rpartition(b"/")[2])
    landing = Landing(join(prefix, b"bin/python"), prefix, "tool", purelib, "tool", name, exists)
    return replace(start, outcome="lands", reason="isolated-tool", landing=landing, because=because)


def _end(start: Prediction, outcome: str, reason: Reason, because: str) -> Prediction:
    return replace(start, outcome=outcome, reason=reason, because=(because,))
