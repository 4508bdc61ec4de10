"""``conda run``, ``mamba run``, ``micromamba run`` and ``pixi run`` (landing rules 1.12)."""

from __future__ import annotations

import os
from dataclasses import replace

from alight.files.disk import join
from alight.landing import conda, pixi
from alight.landing.arguments import read, spellings
from alight.landing.base import Context, Program, Run, Words
from alight.landing.condaplace import tool_of
from alight.landing.standing import Ending, activated, asked, is_conda, start_of, stop
from alight.landing.started import HEARD, started, stopped
from alight.model import Reason
from alight.systems import condaroots, pixiworkspace
from alight.systems.pixi import DEFAULT
from alight.systems.pixiworkspace import Workspace
from alight.text import display_path

FILES_LIMIT = 32
_OPTIONS = {
    **conda.TARGET,
    **spellings("--help/-h", "--verbose/-v", "--dev", "--debug-wrapper-scripts", "--cwd", "--no-capture-output",
                "--live-stream", "--root-prefix/-r", "--attach/-a", "--detach/-d", "--env/-e", "--clean-env"),
}  # fmt: skip
_VALUED = frozenset({"name", "prefix", "cwd", "root-prefix", "attach", "env"})


class CondaRun:
    """``conda run`` and its kin: the whole activation of a prefix, its scripts included."""

    words = conda.WORDS

    def run(self, argv: Words, program: Program | None, context: Context) -> Run | Reason | None:
        """What is started."""
        word = (argv[0] or b"conda").rpartition(b"/")[2].decode("utf-8", "replace")
        before = read(argv[1:], _OPTIONS, _VALUED, limit=1)
        if before.doubtful or before.error or before.operands != [b"run"] or before.has("help"):
            return None
        behind = read(before.rest, _OPTIONS, _VALUED, limit=1)
        if behind.doubtful or behind.error:
            return "unknown-word"
        if behind.has("help") or not behind.operands:
            return None
        if behind.has("env", "clean-env", "detach", "dev"):
            return "unknown-settings"
        start = len(argv) - len(behind.rest) - 1
        try:
            own, around = asked(program, context)
            behind.options = {**before.options, **behind.options}
            root = behind.options.get("root-prefix")
            around = around if root is None else around.inside(around.directory, MAMBA_ROOT_PREFIX=root)
            tool = tool_of(word, own, around)
            target = conda.target_of(behind, tool, around)
            if not is_conda(target.prefix, around):
                raise stop("no-environment", f"{display_path(target.prefix)} is no environment of conda's")
            if is_heard(target.prefix, around):
                return "unknown-settings"
            moved = behind.options.get("cwd")
            inner = around if moved is None else replace(around, directory=around.path(moved))
            name = os.fsencode(condaroots.name_of(target.prefix, tool.facts))
            more = {"CONDA_PREFIX": target.prefix, "CONDA_DEFAULT_ENV": name}
            inside = activated(target.prefix, inner, more, conda=True)
            because = (f"{word} run puts {display_path(target.prefix)} first on PATH", target.because)
            return Run(start, inside, because, None, f"{word} run")
        except Ending as ending:
            return stopped(start_of(word, "other", argv), ending, f"{word} run")


class PixiRun:
    """``pixi run``: a task of the workspace's, or a program in one of its environments."""

    words = frozenset({"pixi"})

    def run(self, argv: Words, program: Program | None, context: Context) -> Run | Reason | None:
        """What is started."""
        known = {name: long for name, long in _PIXI.items() if name != "-p"}
        before = read(argv[1:], known, pixi.VALUED, limit=1, abbreviated=False)
        if before.doubtful or before.error or before.operands not in ([b"run"], [b"r"]) or before.has("help"):
            return None
        behind = read(before.rest, known, pixi.VALUED, limit=1, abbreviated=False)
        if behind.doubtful or behind.error:
            return "unknown-word"
        if behind.has("help") or not behind.operands:
            return None
        first = behind.operands[0]
        start = len(argv) - len(behind.rest) - 1
        try:
            _, around = asked(program, context)
            behind.options = {**before.options, **behind.options}
            workspace = pixi.workspace_of(behind, around)
            name = behind.options.get("environment") or around.variable("PIXI_ENVIRONMENT_NAME")
            if not behind.has("executable") and first.decode("utf-8", "replace") in _tasks(workspace):
                return "opaque-line"
            if behind.has("clean-env") or any(pixiworkspace.ignored(workspace)):
                return "unknown-settings"
            standing = pixi.standing_of(workspace, name or DEFAULT, around)
            if is_heard(standing.prefix, around):
                return "unknown-settings"
            more = {"CONDA_PREFIX": standing.prefix, "PIXI_IN_SHELL": b"1"}
            inside = activated(standing.prefix, around, more, conda=True)
            return started(argv, start, standing, inside, "pixi run", context)
        except Ending as ending:
            return stopped(start_of("pixi", "other", argv), ending, "pixi run")


_PIXI = {
    **spellings("--help/-h", "--verbose/-v", "--quiet/-q", "--manifest-path/-m", "--workspace/-w", "--environment/-e",
                "--frozen", "--locked", "--as-is", "--no-install", "--clean-env", "--skip-deps", "--executable/-x",
                "--force-activate", "--no-completions", "--dry-run/-n", "--revalidate", "--templated", "--color"),
}  # fmt: skip


def is_heard(prefix: bytes, context: Context) -> bool:
    """Whether activating the prefix sets what installers listen to."""
    disk = context.disk
    folder = join(prefix, b"etc/conda/activate.d")
    names = disk.names(folder)
    if names is None or len(names) > FILES_LIMIT:
        return True
    files = [join(folder, name) for name in names if name.endswith(b".sh")]
    texts = [disk.read(path) for path in files]
    if any(text is None or any(name in text for name in HEARD) for text in texts):
        return True
    state = disk.read(join(prefix, b"conda-meta/state")) or b""
    return any(name.strip() in state for name in HEARD)


def _tasks(workspace: Workspace) -> set[str]:
    """The names of tasks, of whatever feature or platform."""
    tables = [workspace.table]
    for key in ("feature", "target"):
        below = workspace.table.get(key)
        tables += [table for table in below.values() if isinstance(table, dict)] if isinstance(below, dict) else []
    return {name for table in tables if isinstance(tasks := table.get("tasks"), dict) for name in tasks}
