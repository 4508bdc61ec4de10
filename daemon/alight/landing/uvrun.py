"""What ``uv run`` starts, and where: the project's environment comes first on PATH, then the caller's own (rules 1.12).

An environment of uv's has no pip of its own, so that ``uv run pip`` walks on along PATH.
"""

from __future__ import annotations

from dataclasses import replace

from alight.files.disk import join
from alight.landing.base import Context, Prediction, Program, Run, Words
from alight.landing.upcoming import after_creation
from alight.landing.uvdiscovery import find
from alight.landing.uvenvironment import chosen, preference_of, request
from alight.landing.uvoptions import Line, parse
from alight.landing.uvproject import UvProject, is_script
from alight.landing.uvsettings import Refusal, Surroundings, boolean, prediction, stop, surroundings
from alight.landing.uvtool import UvTool
from alight.landing.uvwish import wish
from alight.model import Reason

RUNNER = "uv run"
OUTSIDERS = frozenset({b"poetry", b"pdm", b"pipenv", b"hatch", b"pixi", b"conda", b"mamba", b"micromamba", b"uv"})
"""Tools that write into environments which are not the one they run from."""

SHELLS = frozenset({b"sh", b"bash", b"zsh", b"fish", b"env", b"flit", b"tox", b"nox", b"xargs", b"sudo"})
"""Programs that may start or be an installer themselves."""

_LAYERS = ("with", "with-editable", "with-requirements")
_HEARD = (b"PATH", b"PIP", b"UV_", b"PYTHON", b"VIRTUAL_ENV", b"CONDA", b"POETRY_", b"PDM_", b"HATCH_", b"PYENV_")


class UvRun:
    """``uv run``, ``uv tool run`` and ``uvx``."""

    words = frozenset({"uv", "uvx"})

    def run(self, argv: Words, program: Program | None, context: Context) -> Run | Reason | None:
        """The command behind it with the variables it will get."""
        called = (argv[0] or b"uv").rpartition(b"/")[2].decode("utf-8", "replace")
        line = parse(argv, called)
        if line.opaque or line.invalid or line.strange or line.has("help") or not line.words:
            return None
        if line.command == "tool run":
            return _outside(argv, line, program, context)
        if line.command != "run":
            return None
        before = UvProject().predict(argv, program, context)
        if before is not None and before.outcome == "unknown":
            return before.reason if may_install(line.words) else _ended(None)
        if before is not None and before.outcome == "stops":
            return _ended(before)
        try:
            return _started(argv, line, before, surroundings(line, program, context))
        except Refusal as refusal:
            if refusal.outcome == "unknown":
                return refusal.reason
            return _ended(prediction(RUNNER, "other", argv, "stops", refusal.reason, refusal.because))


def _ended(prediction: Prediction | None) -> Run:
    return Run(None, None, prediction=prediction, runner=RUNNER)


def _outside(argv: Words, line: Line, program: Program | None, context: Context) -> Run | Reason:
    """A tool out of uv's cache: what it installs into its own Python does not last."""
    if line.words[0] in OUTSIDERS:
        return "unknown-program"
    return _ended(UvTool().predict(argv, program, context))


def _started(argv: Words, line: Line, before: Prediction | None, around: Surroundings) -> Run | Reason:
    context, word = around.context, line.words[0]
    said = before if before is not None and before.outcome == "lands" else None
    if word is None:
        return "unknown-word"
    if word == b"-" or is_script(line, around) or _is_file(line, word, around):
        return "opaque-line" if word.endswith(b"setup.py") else _ended(said)
    installs = may_install((b"python", b"-m", *line.words) if line.has("module") else line.words)
    if not installs:
        return _ended(said)
    isolated = line.has("isolated") or bool(boolean("UV_ISOLATED", context))
    if isolated or any(line.has(layer) for layer in _LAYERS) or _reads(line, around):
        return "unknown-settings"
    inner, because, executable = _inside(line, around)
    if said is not None and said.creates and said.landing is not None:
        inner, executable = after_creation(replace(said, argv=()), inner), join(said.landing.prefix, b"bin/python")
    front = (executable, b"-m") if line.has("module") else ()
    return Run(len(argv) - len(line.words), inner, (because,), said, RUNNER, front)


def may_install(words: Words) -> bool:
    """Whether a command is one that writes packages, or a Python that is told to run one."""
    word = words[0] if words else None
    if word is None:
        return True
    name = word.rpartition(b"/")[2]
    if name.startswith((b"python", b"pypy")):
        rest = words[1:]
        return any(one is None or one.startswith(b"-m") or one.endswith((b"setup.py", b"/pip")) for one in rest)
    return name.startswith((b"pip", b"uv", b"easy_install")) or name in OUTSIDERS or name in SHELLS


def _is_file(line: Line, word: bytes, around: Surroundings) -> bool:
    disk, path = around.context.disk, around.context.path(word)
    if line.has("script") or line.has("gui-script"):
        return True
    if word.lower().endswith((b".py", b".pyc", b".pyw")) and disk.is_file(path):
        return True
    return disk.is_directory(path) and disk.is_file(join(path, b"__main__.py"))


def _reads(line: Line, around: Surroundings) -> bool:
    """Whether an ``--env-file`` sets what installers listen to."""
    context = around.context
    if line.has("no-env-file") or boolean("UV_NO_ENV_FILE", context):
        return False
    files = line.values("env-file") or tuple((context.variable("UV_ENV_FILE") or b"").split())
    missing = next((path for path in files if not context.disk.exists(context.path(path))), None)
    if missing is not None:
        raise stop("bad-options", f"{_shown(missing)} does not exist")
    texts = [context.disk.read(context.path(path)) for path in files]
    return any(text is None or any(name in text for name in _HEARD) for text in texts)


def _inside(line: Line, around: Surroundings) -> tuple[Context, str, bytes]:
    """(what the inner command gets, why, the Python of ``-m``); the shell's own functions do not reach it."""
    context = around.context
    no_project = line.has("no-project") or bool(boolean("UV_NO_PROJECT", context))
    environment = None if no_project else chosen(around, needed=False, run=True)
    if environment is not None and environment.root is not None:
        environment = chosen(around, needed=True)
        found = environment.python
        prefix = environment.prefix
        is_venv = environment.creates or (found is not None and found.kind == "venv")
        because = f"uv run puts {_shown(prefix)} first on PATH"
    else:
        said = around.value("python", "UV_PYTHON")
        wanted = wish(said, context) if line.has("python") or context.variable("UV_PYTHON") else None
        taken = find(wanted or request(around, None, None), "any", around, preference_of(around))
        if taken is None:
            raise Refusal("unknown", "unknown-settings", "uv would have to fetch a Python")
        found = taken.python
        prefix = taken.python.prefix
        is_venv = taken.python.kind == "venv"
        because = f"uv run takes {_shown(taken.python.executable)}: {taken.because[-1]}"
        if taken.python.origin == "debian" and not is_venv:
            prefix = b"/usr/local"
    path = b":".join(filter(None, (join(prefix, b"bin"), context.variables.get("PATH", b""))))
    variables = {"PATH": path, **({"VIRTUAL_ENV": prefix} if is_venv else {})}
    executable = join(prefix, b"bin/python") if found is None else found.executable
    return context.inside(context.directory, **variables), because, executable


def _shown(path: bytes) -> str:
    return path.decode("utf-8", "backslashreplace")
