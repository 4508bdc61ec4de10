"""``uv tool`` and ``uvx``: an environment for each tool, of no project's (landing rules 1.6)."""

from __future__ import annotations

import re

from alight.files.disk import join
from alight.landing import python
from alight.landing.base import Context, Prediction, Program, Words
from alight.landing.uvdiscovery import executable_of, find, may_fetch
from alight.landing.uvenvironment import preference_of
from alight.landing.uvoptions import parse
from alight.landing.uvsettings import Refusal, Surroundings, octets, prediction, stop, surroundings
from alight.landing.uvwish import wish
from alight.model import Certainty, InstallAction, Landing

ACTIONS: dict[str, InstallAction] = {
    "tool install": "install", "tool uninstall": "uninstall", "tool upgrade": "install", "tool run": "other",
}  # fmt: skip
_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?(?=\Z|[\[@<>=!~; ])")


class UvTool:
    """The rules of ``uv tool`` and of ``uvx``, its short name for ``uv tool run``."""

    name = "uv tool"
    words = frozenset({"uv", "uvx"})

    def predict(self, argv: Words, program: Program | None, context: Context) -> Prediction | None:
        """Where it would write; None for what only shows."""
        called = (argv[0] or b"uv").rpartition(b"/")[2].decode("utf-8", "replace")
        line = parse(argv, called)
        action = ACTIONS.get(line.command)
        if action is None:
            return None
        tool = "uvx" if called == "uvx" else self.name
        if not line.opaque and (line.has("help") or (line.has("version") and not line.words)):
            return prediction(tool, action, argv, "nothing", "no-landing", "it shows its help")
        if line.command == "tool run":
            return prediction(tool, action, argv, "nothing", "isolated-tool", "it runs out of uv's cache")
        try:
            around = surroundings(line, program, context)
            word = line.value("from") or (line.words[0] if line.words else None)
            if word is None:
                if line.command == "tool upgrade" and line.has("all"):
                    word = b""
                else:
                    raise stop("bad-options", "no tool is named")
            return _predict(tool, action, argv, word, around)
        except Refusal as refusal:
            return prediction(tool, action, argv, refusal.outcome, refusal.reason, refusal.because)


def inside(argv: Words) -> Words:
    """The command that ``uvx`` or ``uv tool run`` starts; empty when there is none.

    Its program lies in uv's cache: what installs into its own Python leaves no trace that lasts.
    """
    called = (argv[0] or b"uv").rpartition(b"/")[2].decode("utf-8", "replace")
    line = parse(argv, called)
    return line.words if line.command == "tool run" else ()


def _predict(tool: str, action: InstallAction, argv: Words, word: bytes, around: Surroundings) -> Prediction:
    context = around.context
    chosen = context.variable("UV_TOOL_DIR")
    pool = context.path(chosen) if chosen else join(context.facts().data_home(), b"uv/tools")
    because = f"UV_TOOL_DIR is {_shown(pool)}" if chosen else f"uv keeps its tools in {_shown(pool)}"
    match = _NAME.match(word.decode("utf-8", "replace"))
    if match is None or b"/" in word or (match.end() < len(word) and b"://" in word):
        landing = Landing(None, pool, "tool", None, "tool", "a tool of uv's", False)
        return Prediction(tool, action, octets(argv), "lands", "isolated-tool", landing, (because,), "likely",
                          requirements=(word,) if word else ())  # fmt: skip
    name = re.sub(r"[-_.]+", "-", match.group()).lower()
    prefix = join(pool, name.encode())
    executable = executable_of(prefix, context)
    present = context.disk.exists(executable)
    if not present and action == "uninstall":
        raise stop("no-environment", f"uv has no tool {name}")
    found = python.inspect(executable, context) if present else None
    if not present and action == "install" and "python" in {name for name, _ in around.line.options}:
        preference = preference_of(around)
        wanted = wish(around.value("python", "UV_PYTHON"), context)
        if find(wanted, "system", around, preference) is None and not may_fetch(around, preference):
            raise stop("no-environment", f"uv finds no Python for {wanted.source}")
    purelib = join(prefix, b"lib/" + found.library + b"/site-packages") if found is not None else None
    certainty: Certainty = "likely" if found is not None and around.line.has("python") else "sure"
    landing = Landing(executable, prefix, "tool", purelib, "tool", name, present)
    return Prediction(tool, action, octets(argv), "lands", "isolated-tool", landing, (because,), certainty,
                      not present, requirements=(word,))  # fmt: skip


def _shown(path: bytes) -> str:
    return path.decode("utf-8", "backslashreplace")
