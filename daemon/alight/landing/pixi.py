"""pixi: a workspace's environments, whatever is active (landing rules 1.7)."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace

from alight.files.disk import join
from alight.landing.arguments import Arguments, read, spellings
from alight.landing.base import Context, Prediction, Program, Words
from alight.landing.standing import (
    Ending,
    Standing,
    asked,
    check,
    ended,
    is_conda,
    nothing,
    python_of,
    start_of,
    stop,
    unknown,
)
from alight.model import InstallAction, Landing
from alight.systems import pixi as pixis
from alight.systems import pixiworkspace
from alight.systems.pixiworkspace import Workspace
from alight.systems.prefixes import python as python_at
from alight.systems.pyvenv import clean
from alight.text import display_path

TOOL = "pixi"
LEVELS_LIMIT = 64
_COMMON = spellings(
    "--help/-h", "--verbose/-v", "--quiet/-q", "--color", "--no-progress", "--manifest-path/-m", "--workspace/-w",
    "--no-install", "--frozen", "--locked", "--no-lockfile-update", "--revalidate", "--environment/-e", "--feature/-f",
    "--platform/-p", "--pypi", "--editable", "--host", "--build", "--all/-a", "--concurrent-downloads",
    "--concurrent-solves", "--dry-run/-n", "--json", "--auth-file", "--pypi-keyring-provider", "--skip",
    "--skip-with-deps", "--only", "--git/-g", "--branch", "--tag", "--rev", "--subdir/-s", "--index", "--as-is",
    "--clean-env", "--executable/-x", "--force-activate", "--no-completions", "--skip-deps", "--change-ps1",
)  # fmt: skip
VALUED = frozenset({
    "color", "manifest-path", "workspace", "environment", "feature", "platform", "concurrent-downloads",
    "concurrent-solves", "auth-file", "pypi-keyring-provider", "skip", "skip-with-deps", "only", "git", "branch", "tag",
    "rev", "subdir", "index", "change-ps1",
})  # fmt: skip
ACTIONS: Mapping[str, InstallAction] = {
    "add": "install", "install": "install", "i": "install", "remove": "uninstall", "rm": "uninstall",
    "update": "sync", "upgrade": "sync", "reinstall": "sync", "lock": "other", "shell": "sync",
}  # fmt: skip
_GLOBAL: Mapping[str, InstallAction] = {
    "install": "install", "i": "install", "add": "install", "uninstall": "uninstall", "remove": "uninstall",
    "update": "sync", "sync": "sync",
}  # fmt: skip


class Pixi:
    """The rules of pixi."""

    name = TOOL
    words = frozenset({TOOL})

    def predict(self, argv: Words, program: Program | None, context: Context) -> Prediction | None:
        """Where it would write; None for what only shows."""
        start = start_of(TOOL, "other", argv)
        try:
            before = read(argv[1:], _COMMON, VALUED, limit=1, abbreviated=False)
            if before.doubtful:
                raise unknown("unknown-word", "a word of the command is not known")
            if before.error or not before.operands or before.has("help"):
                return None
            command, rest = before.operands[0].decode("utf-8", "replace"), before.rest
            if command in {"global", "g"}:
                return _global(start, rest, program, context)
            if command not in ACTIONS:
                return None
            arguments = read(rest, _COMMON, VALUED, abbreviated=False)
            arguments.options = {**before.options, **arguments.options}
            if arguments.has("help"):
                return None
            check(arguments, TOOL)
            start = replace(start, action=ACTIONS[command])
            own, around = asked(program, context)
            return _predicted(replace(start, because=own.because), command, arguments, around)
        except Ending as ending:
            return ended(start, ending)


def workspace_of(arguments: Arguments, context: Context) -> Workspace:
    """The workspace of ``--manifest-path``, the nearest upward, or that of the shell; raises ``Ending``."""
    facts = context.facts()
    if arguments.has("workspace"):
        raise unknown("unknown-settings", "--workspace names one that pixi has registered")
    said = arguments.options.get("manifest-path")
    if said is not None:
        path = context.path(said)
        root = path if context.disk.is_directory(path) else path.rpartition(b"/")[0] or b"/"
        found = pixiworkspace.at(root, facts)
        if found is None:
            raise stop("no-project", f"{display_path(path)} is no manifest of pixi's")
        return found
    level = context.real_directory
    for _ in range(LEVELS_LIMIT):
        found = pixiworkspace.at(level, facts) if pixiworkspace.is_mentioned(level, facts) else None
        if found is not None:
            return found
        if level == b"/":
            break
        level = level.rpartition(b"/")[0] or b"/"
    manifest = context.variable("PIXI_PROJECT_MANIFEST")
    found = None if manifest is None else pixiworkspace.at(manifest.rpartition(b"/")[0] or b"/", facts)
    if found is None:
        raise stop("no-project", "there is no manifest of pixi's here or above")
    return found


def standing_of(workspace: Workspace, name: bytes, context: Context) -> Standing:
    """One of the workspace's environments; raises ``Ending`` for one that it does not define."""
    facts = context.facts(workspace.root)
    defined = workspace.table.get("environments")
    if name != pixis.DEFAULT and not (isinstance(defined, dict) and os.fsdecode(name) in defined):
        raise stop("no-environment", f"the workspace defines no environment {display_path(name)}")
    directory = pixis.environments_directory(workspace, facts)
    prefix = join(directory, name)
    because = (f"{display_path(workspace.manifest)} is the workspace",)
    if is_conda(prefix, context):
        return Standing(prefix, because, python=python_of(prefix, context))
    if _is_detached(workspace, context):
        raise unknown("unknown-settings", "detached-environments is set, and the environment is not there yet")
    return Standing(prefix, (*because, "it is made first"), creates=True)


def landing_of(standing: Standing, context: Context) -> Landing:
    """Where conda packages go: the prefix, and its site-packages where it has a Python."""
    prefix, facts = standing.prefix, context.facts()
    _, libraries = python_at(prefix, context.disk)
    purelib = join(prefix, b"lib/" + libraries[0] + b"/site-packages") if libraries else None
    name = clean(pixis.name_of(prefix, facts))
    return Landing(join(prefix, b"bin/python"), prefix, "conda", purelib, "conda", name, not standing.creates)


def _predicted(start: Prediction, command: str, arguments: Arguments, context: Context) -> Prediction:
    workspace = workspace_of(arguments, context)
    if command == "lock" or arguments.has("no-install", "dry-run"):
        raise nothing("only the manifest and the lock file are written")
    if command in {"add", "remove", "rm"} and not arguments.operands:
        raise stop("bad-options", "nothing is named")
    if command in {"add", "remove", "rm"} and arguments.has("feature", "platform"):
        raise unknown("unknown-settings", "which environments have that feature or platform is not known")
    if arguments.has("all") and command in {"install", "i"}:
        raise unknown("unknown-settings", "--all is every environment of the workspace")
    name = arguments.options.get("environment") or (
        context.variable("PIXI_ENVIRONMENT_NAME") if command == "shell" else None
    )
    standing = standing_of(workspace, name or pixis.DEFAULT, context)
    landing = landing_of(standing, context)
    operands = arguments.operands if command in {"add", "remove", "rm"} else []
    return replace(
        start, outcome="lands", reason="creates-environment" if standing.creates else "project-environment",
        landing=landing, because=(*start.because, *standing.because), creates=standing.creates,
        requirements=tuple(operands), plain=bool(operands) and not set(arguments.options) - {"pypi", "quiet"},
    )  # fmt: skip


def _global(start: Prediction, rest: Words, program: Program | None, context: Context) -> Prediction | None:
    """``pixi global``: every tool has an environment of its own."""
    word = rest[0] if rest else None
    action = None if word is None else _GLOBAL.get(word.decode("utf-8", "replace"))
    if action is None:
        return None
    start = replace(start, action=action)
    asked(program, context)
    arguments = read(rest[1:], {**_COMMON, **spellings("--expose", "--with", "--channel/-c", "--force-reinstall")},
                     VALUED | {"expose", "with", "channel"}, abbreviated=False)  # fmt: skip
    check(arguments, TOOL)
    if arguments.has("help"):
        return None
    named = arguments.options.get("environment")
    names = [named] if named is not None else [_bare(word) for word in arguments.operands]
    if len(names) != 1:
        raise unknown("unknown-settings", "pixi global works on several environments")
    prefix = join(pixis.home_of(context.facts()), b"envs/" + names[0])
    exists = is_conda(prefix, context)
    landing = Landing(None, prefix, "tool", None, "tool", display_path(names[0]), exists)
    because = ("pixi global keeps every tool in an environment of its own",)
    return replace(start, outcome="lands", reason="isolated-tool", landing=landing, because=because, creates=not exists)


def _bare(word: bytes) -> bytes:
    for at, letter in enumerate(word):
        if letter in b" =<>!~[@":
            return word[:at]
    return word


def _is_detached(workspace: Workspace, context: Context) -> bool:
    """Whether a configuration file speaks of environments elsewhere."""
    facts = context.facts()
    places = (
        join(workspace.root, b".pixi/config.toml"), join(pixis.home_of(facts), b"config.toml"),
        join(facts.config_home(), b"pixi/config.toml"), b"/etc/pixi/config.toml",
    )  # fmt: skip
    return any(context.documents.table(path, mention=b"detached").get("detached-environments") for path in places)
