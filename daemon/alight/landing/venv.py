"""``python -m venv`` and ``virtualenv``: environments that are made (landing rules 1.14, 1.15)."""

from __future__ import annotations

from dataclasses import dataclass, replace

from alight.files.disk import join
from alight.landing import program as programs
from alight.landing.arguments import Arguments, read, spellings
from alight.landing.base import Context, Prediction, Program, Python, Words
from alight.landing.python import inspect
from alight.model import Landing
from alight.text import display_path

_VENV = spellings(
    "--help/-h", "--system-site-packages", "--symlinks", "--copies", "--clear", "--upgrade", "--without-pip",
    "--prompt", "--upgrade-deps", "--without-scm-ignore-files",
)  # fmt: skip
_VENV_VALUED = frozenset({"prompt"})
_VIRTUALENV = spellings(
    "--help/-h", "--version", "--with-traceback", "--verbose/-v", "--quiet/-q", "--read-only-app-data", "--app-data",
    "--reset-app-data", "--upgrade-embed-wheels", "--discovery", "--python/-p", "--try-first-with", "--creator",
    "--seeder", "--no-seed", "--without-pip", "--activators", "--clear", "--no-vcs-ignore", "--system-site-packages",
    "--symlinks", "--copies", "--always-copy", "--no-download", "--never-download", "--download",
    "--extra-search-dir", "--pip", "--setuptools", "--wheel", "--no-pip", "--no-setuptools", "--no-wheel",
    "--no-periodic-update", "--symlink-app-data", "--prompt",
)  # fmt: skip
_VIRTUALENV_VALUED = frozenset({
    "app-data", "discovery", "python", "try-first-with", "creator", "seeder", "activators", "extra-search-dir", "pip",
    "setuptools", "wheel", "prompt",
})  # fmt: skip


@dataclass(frozen=True, slots=True)
class Venv:
    """The rules of the standard library's venv and of virtualenv."""

    name: str = "venv"
    words: frozenset[str] = frozenset({"venv", "virtualenv"})

    def predict(self, argv: Words, program: Program | None, context: Context) -> Prediction | None:
        """The environment that is made."""
        tool = (argv[0] or b"").rpartition(b"/")[2].decode("ascii", "replace")
        typed = tuple(word for word in argv if word is not None)
        start = Prediction(tool, "create", typed, "unknown", "unknown-word", plain=False)
        own = tool == "venv"
        found = read(argv[1:], _VENV if own else _VIRTUALENV, _VENV_VALUED if own else _VIRTUALENV_VALUED)
        if found.has("help", "version", "upgrade-embed-wheels", "upgrade"):
            return None
        if found.doubtful:
            return start
        if found.error or not found.operands or (not own and len(found.operands) > 1):
            return replace(start, outcome="stops", reason="bad-options")
        if program is None:
            return replace(start, outcome="stops", reason="no-such-command")
        prefix = context.path(found.operands[0]).rstrip(b"/")
        python = _base(program, found, context)
        landing = _landing(prefix, python, context)
        because = (f"{tool} makes {display_path(prefix)}",)
        return replace(
            start,
            outcome="lands",
            reason="creates-environment",
            landing=landing,
            because=because,
            creates=True,
            certainty="sure" if python is not None else "likely",
        )


def makes_pip(tool: str, argv: Words) -> bool:
    """Whether an environment that a tool makes by these words gets a pip."""
    if tool in ("uv", "pdm"):
        return b"--seed" in argv or b"--with-pip" in argv
    return not {b"--without-pip", b"--no-pip", b"--no-seed"} & set(argv)


def _base(program: Program, found: Arguments, context: Context) -> Python | None:
    chosen = found.options.get("python") or context.variable("VIRTUALENV_PYTHON")
    if chosen is not None:
        path = programs.locate(chosen, context) if b"/" in chosen or chosen.startswith((b"python", b"pypy")) else None
        started = programs.find(path, context) if path is not None else None
        return inspect(started.python, context) if started is not None and started.python is not None else None
    return inspect(program.python, context) if program.python is not None else None


def _landing(prefix: bytes, python: Python | None, context: Context) -> Landing:
    purelib = None if python is None else join(prefix, b"lib/" + python.library + b"/site-packages")
    exists = context.disk.exists(join(prefix, b"pyvenv.cfg"))
    name = display_path(prefix.rpartition(b"/")[2])
    return Landing(join(prefix, b"bin/python"), prefix, "venv", purelib, "venv", name, exists)
