"""``poetry run``, ``pipenv run``, ``pdm run``, ``hatch run``, ``conda run``, ``pixi run`` (landing rules 1.12).

Each puts an environment's ``bin`` first on PATH. Where that has no pip, ``pip`` walks on along PATH.
"""

from __future__ import annotations

from dataclasses import replace

from alight.files.disk import join
from alight.landing import hatch, pdm, pipenv, poetry
from alight.landing.arguments import read, spellings
from alight.landing.base import Context, Program, Run, Runner, Words
from alight.landing.condarunners import CondaRun, PixiRun
from alight.landing.pdmplace import chosen as pdm_environment
from alight.landing.pdmplace import variables_of as pdm_variables
from alight.landing.pdmproject import project_of as pdm_project
from alight.landing.pdmproject import workspace_root
from alight.landing.pipenvplace import chosen as pipenv_environment
from alight.landing.pipenvplace import project_of as pipenv_project
from alight.landing.pipenvplace import truth
from alight.landing.poetryplace import chosen as poetry_environment
from alight.landing.poetryplace import project_of as poetry_project
from alight.landing.standing import Ending, Standing, activated, asked, start_of
from alight.landing.started import started, stopped
from alight.model import Reason

_ASSIGNED = b"="
_TAKING = frozenset({b"-C", b"-P", b"--directory", b"--project", b"-p", b"-k", b"--skip", b"-L"})
"""The runners' own options that take the next word."""


class PoetryRun:
    """``poetry run``: Poetry makes the environment where there is none, and has a pip for ``pip`` in any case."""

    words = frozenset({"poetry"})

    def run(self, argv: Words, program: Program | None, context: Context) -> Run | Reason | None:
        """What is started."""
        before = read(argv[1:], poetry.GLOBAL, poetry.GLOBAL_VALUED, abbreviated=False, limit=1)
        if before.doubtful or before.error or before.operands != [b"run"] or before.has("help", "version"):
            return None
        # Poetry's own options may stand between `run` and the command, too.
        behind = read(before.rest, poetry.GLOBAL, poetry.GLOBAL_VALUED, abbreviated=False, limit=1)
        if behind.doubtful or behind.error:
            return "unknown-word"
        if behind.has("help", "version"):
            return None
        start = _start(argv, before.rest)
        before.options = {**before.options, **behind.options}
        first = argv[start] if start < len(argv) else None
        if first is None:
            return None
        try:
            own, around = asked(program, context)
            project = poetry_project(poetry.working(before, around), around)
            standing = poetry_environment(project, own, around)
            if _is_script(first, project.root, around):
                return "opaque-line"
            where = before.options.get("directory")
            inside = around if where is None else replace(around, directory=around.disk.realpath(around.path(where)))
            if standing.reason == "system-python":
                return started(argv, start, standing, _base(standing, inside), "poetry run", context)
            lacks = not standing.creates and not inside.disk.exists(join(standing.prefix, b"bin/pip"))
            if first == b"pip" and lacks:
                # Poetry then starts the pip that it carries with the environment's Python.
                return "unknown-settings"
            return started(argv, start, standing, activated(standing.prefix, inside), "poetry run", context)
        except Ending as ending:
            return stopped(start_of("poetry", "other", argv), ending, "poetry run")


class PipenvRun:
    """``pipenv run``: with the variables of ``.env``."""

    words = frozenset({"pipenv"})

    def run(self, argv: Words, program: Program | None, context: Context) -> Run | Reason | None:
        """What is started."""
        before = read(argv[1:], pipenv.BEFORE, pipenv.VALUED, limit=1)
        if before.doubtful or before.error or before.operands != [b"run"] or before.has("help", "version"):
            return None
        behind = read(before.rest, spellings("--help/-h", "--system"), frozenset(), limit=1)
        if behind.doubtful or behind.error:
            return "unknown-word"
        start = _start(argv, before.rest)
        first = argv[start] if start < len(argv) else None
        if behind.has("help") or first is None:
            return None
        if _ASSIGNED in first:
            return "unknown-settings"
        try:
            own, around = asked(program, context)
            project = pipenv_project(around)
            scripts = around.documents.table(project.pipfile, "scripts", mention=b"scripts")
            if first.decode("utf-8", "replace") in scripts:
                return "opaque-line"
            more = {"PIPENV_ACTIVE": b"1", "PIPENV_PROJECT_DIR": project.root}
            if behind.has("system") or truth("SYSTEM", around):
                return Run(start, around.inside(around.directory, **more), ("pipenv run --system",), None, "pipenv run")
            wanted = before.options.get("python") or around.variable("PIPENV_PYTHON") or b""
            standing = pipenv_environment(project, own, wanted, around)
            inside = activated(standing.prefix, around, more)
            return started(argv, start, standing, inside, "pipenv run", context)
        except Ending as ending:
            return stopped(start_of("pipenv", "other", argv), ending, "pipenv run")


class PdmRun:
    """``pdm run``: an environment of PDM's has no pip of its own."""

    words = frozenset({"pdm"})

    def run(self, argv: Words, program: Program | None, context: Context) -> Run | Reason | None:
        """What is started."""
        before = read(argv[1:], pdm.BEFORE, pdm.VALUED, limit=1)
        if before.doubtful or before.error or before.operands != [b"run"] or before.has("help", "version"):
            return None
        options = {
            **pdm.BASE,
            **spellings("--skip/-k", "--venv", "--list/-l", "--json/-j", "--site-packages/-s", "--recreate", "--env",
                        "--env-file", "--working-dir"),
        }  # fmt: skip
        behind = read(before.rest, options, frozenset({*pdm.VALUED, "env", "env-file", "working-dir"}), limit=1)
        if behind.doubtful or behind.error:
            return "unknown-word"
        start = _start(argv, before.rest)
        first = argv[start] if start < len(argv) else None
        if behind.has("help", "list", "json") or first is None:
            return None
        if behind.has("venv", "env", "env-file", "working-dir") or first.endswith(b".py"):
            return "unknown-settings"
        before.options = {**before.options, **behind.options}
        try:
            _, around = asked(program, context)
            around = pdm.with_config(before, around)
            project = pdm.found_project(before, around)
            table = around.documents.table(join(project.root, b"pyproject.toml"), "tool", "pdm", "scripts")
            if first.decode("utf-8", "replace") in table or "_" in table:
                return "opaque-line"
            root = workspace_root(project, around)
            project = project if root == project.root else pdm_project(root, around, is_global=False)
            standing = pdm_environment(project, around, ignore_saved=before.has("ignore-python"))
            inside = replace(
                around.inside(around.directory, **pdm_variables(standing, project, around)),
                hashed={}, functions=frozenset(), aliases={},
            )  # fmt: skip
            if first.startswith(b"python"):
                return _python_of_pdm(argv, start, standing, inside, context)
            return started(argv, start, standing, inside, "pdm run", context, seeded=False)
        except Ending as ending:
            return stopped(start_of("pdm", "other", argv), ending, "pdm run")


class HatchRun:
    """``hatch run``, ``hatch env run``: the environment is in front of the command (``test:pytest``), or chosen."""

    words = frozenset({"hatch"})

    def run(self, argv: Words, program: Program | None, context: Context) -> Run | Reason | None:
        """What is started."""
        try:
            before = hatch.before_command(argv)
            if before is None or before.operands != [b"run"]:
                is_env_run = before is not None and before.operands == [b"env"] and before.rest[:1] == (b"run",)
                return "unknown-settings" if is_env_run else None
            start = _start(argv, before.rest)
            first = argv[start] if start < len(argv) else None
            if first is None or first in {b"-h", b"--help"}:
                return None if start >= len(argv) or first is not None else "unknown-word"
            if first.startswith((b"+", b"-")) or first.endswith(b".py"):
                return "unknown-settings"
            own, around = asked(program, context)
            around = hatch.configured(before, around)
            name, separator, command = first.rpartition(b":")
            chosen = name.decode("utf-8", "replace") or hatch.SYSTEM
            found = hatch.environment(chosen if separator else hatch.chosen_name(before, around), own, around)
            if any(word is None or b"{" in word for word in argv[start:]) or hatch.is_scripted(command, around):
                return "opaque-line"
            inside = replace(around.inside(around.directory, HATCH_ENV_ACTIVE=found.name.encode()), hashed={})
            if found.standing is not None:
                inside = activated(found.standing.prefix, inside)
            # The word that names the environment is not the word that is started.
            front = (command,) if separator else ()
            start += len(front)
            if found.standing is None:
                return Run(start, inside, (f"{found.name} is no environment of its own",), None, "hatch run", front)
            return started(argv, start, found.standing, inside, "hatch run", context, seeded=found.has_pip, front=front)
        except Ending as ending:
            return stopped(start_of("hatch", "other", argv), ending, "hatch run")


def _start(argv: Words, rest: Words) -> int:
    """Where the command begins: behind the runner's options."""
    at = len(argv) - len(rest)
    while at < len(argv):
        word = argv[at]
        if word is None or not word.startswith(b"-") or word == b"-":
            return at
        if word == b"--":
            return at + 1
        at += 2 if word in _TAKING else 1
    return at


def _is_script(command: bytes, root: bytes, context: Context) -> bool:
    """Whether Poetry would start an entry point of the project's instead of a program."""
    name, path = command.decode("utf-8", "replace"), join(root, b"pyproject.toml")
    return any(
        name in context.documents.table(path, *keys, mention=b"scripts")
        for keys in (("tool", "poetry", "scripts"), ("project", "scripts"))
    )


def _base(standing: Standing, context: Context) -> Context:
    """Poetry's base Python is looked at first, and nothing is switched on."""
    inside = activated(standing.prefix, context)
    kept = {name: value for name, value in inside.variables.items() if name != "VIRTUAL_ENV"}
    former = context.variables.get("VIRTUAL_ENV")
    return replace(inside, variables=kept if former is None else {**kept, "VIRTUAL_ENV": former})


def _python_of_pdm(argv: Words, start: int, standing: Standing, inside: Context, context: Context) -> Run | Reason:
    """``pdm run python``: that of the project, also where its ``bin`` has none (PEP 582)."""
    if standing.packages is not None or (standing.python is None and not standing.creates):
        return "unknown-settings"
    return started(argv, start, standing, inside, "pdm run", context, seeded=False)


RUNNERS: tuple[Runner, ...] = (PoetryRun(), PipenvRun(), PdmRun(), HatchRun(), CondaRun(), PixiRun())
