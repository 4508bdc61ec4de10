"""conda, mamba and micromamba: what they install, remove and make (landing rules 1.7)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from alight.files.disk import join
from alight.landing import schemes
from alight.landing.arguments import Arguments, read, spellings
from alight.landing.base import Context, Prediction, Program, Words
from alight.landing.condaplace import Target, Tool, default, is_base, is_frozen, landing_of, named, tool_of
from alight.landing.standing import Ending, asked, check, ended, is_conda, nothing, start_of, stop, unknown
from alight.model import InstallAction, Reason
from alight.systems import conda as condas
from alight.systems.base import normalise
from alight.text import display_path

WORDS = frozenset({"conda", "mamba", "micromamba"})
TARGET = spellings("--name/-n", "--prefix/-p")
_SHARED = {
    **TARGET,
    **spellings(
        "--help/-h", "--yes/-y", "--dry-run/-d", "--json", "--quiet/-q", "--verbose/-v", "--console", "--offline",
        "--download-only", "--channel/-c", "--override-channels", "--use-local", "--repodata-fn", "--experimental",
        "--solver", "--no-pin", "--copy", "--no-shortcuts", "--shortcuts-only", "--show-channel-urls", "--insecure/-k",
        "--use-index-cache/-C", "--override-frozen", "--root-prefix/-r", "--no-rc", "--rc-file", "--no-env",
        "--channel-priority", "--strict-channel-priority", "--no-channel-priority", "--platform", "--subdir",
        "--log-level", "--retry-clean-cache", "--ssl-verify", "--environment-specifier",
    ),
}  # fmt: skip
_INSTALL = {
    **_SHARED,
    **spellings(
        "--file/-f", "--force-reinstall", "--freeze-installed", "--update-deps", "--satisfied-skip-solve/-S",
        "--update-all", "--all/-a", "--update-specs", "--clobber", "--revision", "--mkdir", "--dev", "--no-deps",
        "--only-deps", "--pyc", "--no-pyc", "--relocate-prefix", "--category", "--safety-checks",
    ),
    "--no-update-deps": "freeze-installed", "--no-update-dependencies": "freeze-installed",
}  # fmt: skip
_OPTIONS: Mapping[str, Mapping[str, str]] = {
    "install": _INSTALL,
    "update": _INSTALL,
    "create": {**_INSTALL, **spellings("--clone", "--no-default-packages")},
    "remove": {**_SHARED, **spellings("--all/-a", "--force", "--force-remove", "--features", "--keep-env",
                                      "--no-prune-deps", "--no-pin", "--dev")},
    "env create": {**_SHARED, **spellings("--file/-f", "--no-default-packages", "--force")},
    "env update": {**_SHARED, **spellings("--file/-f", "--prune")},
}  # fmt: skip
VALUED = frozenset({
    "name", "prefix", "console", "channel", "repodata-fn", "experimental", "solver", "root-prefix", "rc-file",
    "channel-priority", "platform", "subdir", "log-level", "file", "revision", "clone", "relocate-prefix", "category",
    "safety-checks", "features", "ssl-verify", "environment-specifier",
})  # fmt: skip
ACTIONS: Mapping[str, InstallAction] = {
    "install": "install", "update": "sync", "remove": "uninstall", "create": "create", "env create": "create",
    "env update": "sync",
}  # fmt: skip
_ALIASES = {"upgrade": "update", "uninstall": "remove"}
_FILES = (b"environment.yml", b"environment.yaml")
_YAML = (b".yml", b".yaml")


@dataclass(frozen=True, slots=True)
class Line:
    """A command (``env`` with its own) and its options."""

    command: str
    arguments: Arguments


class Conda:
    """The rules of conda and of those that take its place."""

    name = "conda"
    words = WORDS

    def predict(self, argv: Words, program: Program | None, context: Context) -> Prediction | None:
        """Where it would write; None for what only shows."""
        word = (argv[0] or b"conda").rpartition(b"/")[2].decode("utf-8", "replace")
        start = start_of(word, "other", argv)
        try:
            line = _line(argv)
            if line is None:
                return None
            start = replace(start, action=ACTIONS[line.command])
            own, around = asked(program, context)
            start = replace(start, because=own.because)
            root = line.arguments.options.get("root-prefix")
            if root is not None:
                around = around.inside(around.directory, MAMBA_ROOT_PREFIX=root)
            return _predicted(start, line, tool_of(word, own, around), around)
        except Ending as ending:
            return ended(start, ending)


def target_of(arguments: Arguments, tool: Tool, context: Context, *, removing: bool = False) -> Target:
    """``-p``, ``-n``, else what is active; raises ``Ending``."""
    if arguments.has("prefix") and arguments.has("name"):
        raise stop("bad-options", "--name and --prefix exclude each other")
    prefix, name = arguments.options.get("prefix"), arguments.options.get("name")
    if prefix is not None:
        return Target(normalise(context.path(prefix)), "--prefix names it")
    if name is not None:
        return Target(named(name, tool, context), f"--name {display_path(name)}")
    return default(tool, context, removing=removing)


def _line(argv: Words) -> Line | None:
    before = read(argv[1:], _SHARED, VALUED, limit=1)
    if before.doubtful:
        raise unknown("unknown-word", "a word of the command is not known")
    if before.error or not before.operands or before.has("help"):
        return None
    command, rest = before.operands[0].decode("utf-8", "replace"), before.rest
    command = _ALIASES.get(command, command)
    if command == "env" and rest and rest[0] is not None:
        command, rest = "env " + rest[0].decode("utf-8", "replace"), rest[1:]
    if command not in _OPTIONS:
        return None
    arguments = read(rest, _OPTIONS[command], VALUED)
    arguments.options = {**before.options, **arguments.options}
    if arguments.has("help"):
        return None
    check(arguments, "conda")
    return Line(command, arguments)


def _predicted(start: Prediction, line: Line, tool: Tool, context: Context) -> Prediction:
    for option in ("dry-run", "download-only"):
        if line.arguments.has(option):
            raise nothing(f"--{option} installs nothing")
    if line.command.startswith("env "):
        return _from_file(start, line, tool, context)
    if line.command == "create":
        return _created(start, line, tool, context)
    manifest = line.arguments.options.get("file", b"")
    if tool.is_mamba and manifest.endswith(_YAML):
        return _from_file(start, line, tool, context)
    if line.command != "update" and not line.arguments.operands and not line.arguments.has("file", "all", "revision"):
        raise stop("bad-options", "nothing is named")
    target = target_of(line.arguments, tool, context, removing=line.command == "remove")
    return _changed(start, line, target, tool, context)


def _changed(start: Prediction, line: Line, target: Target, tool: Tool, context: Context) -> Prediction:
    prefix = target.prefix
    if not is_conda(prefix, context):
        raise stop("no-environment", f"{display_path(prefix)} is no environment of conda's")
    if is_frozen(prefix, context) and not line.arguments.has("override-frozen"):
        raise stop("frozen-environment", f"{display_path(join(prefix, b'conda-meta/frozen'))} is there")
    if not schemes.can_write(prefix, context):
        raise stop("not-writable", f"{display_path(prefix)} cannot be written")
    reason: Reason = "explicit-environment" if target.is_named else "active-environment"
    if is_base(prefix, tool, context):
        reason = "conda-base"
    plain = not set(line.arguments.options) - {"yes", "quiet", "verbose", "name", "prefix"}
    return replace(
        start, outcome="lands", reason=reason, landing=landing_of(prefix, tool, context),
        because=(*start.because, target.because), requirements=tuple(line.arguments.operands), plain=plain,
    )  # fmt: skip


def _created(start: Prediction, line: Line, tool: Tool, context: Context) -> Prediction:
    """``create``: a new prefix; mamba takes the name from a file, too."""
    arguments = line.arguments
    if tool.is_mamba and arguments.options.get("file", b"").endswith(_YAML):
        return _from_file(start, line, tool, context)
    return _made(start, _new_target(arguments, tool, context), tool, context)


def _new_target(arguments: Arguments, tool: Tool, context: Context) -> Target:
    prefix, name = arguments.options.get("prefix"), arguments.options.get("name")
    if (prefix is None) == (name is None):
        raise stop("bad-options", "a new environment needs --name or --prefix")
    if prefix is not None:
        return Target(normalise(context.path(prefix)), "--prefix names it")
    assert name is not None
    if name in {b"base", b"root"}:
        raise stop("bad-options", "the base environment cannot be made")
    return Target(named(name, tool, context, making=True), f"--name {display_path(name)}")


def _made(start: Prediction, target: Target, tool: Tool, context: Context) -> Prediction:
    prefix = target.prefix
    if not schemes.can_write(prefix, context):
        raise stop("not-writable", f"{display_path(prefix)} cannot be written")
    return replace(
        start, outcome="lands", reason="creates-environment", because=(*start.because, target.because),
        landing=landing_of(prefix, tool, context, creates=True), creates=True, plain=False,
    )  # fmt: skip


def _from_file(start: Prediction, line: Line, tool: Tool, context: Context) -> Prediction:
    """What an ``environment.yml`` says, where the command names no prefix itself."""
    arguments = line.arguments
    manifest = _manifest(arguments, context)
    name, prefix = condas.wanted(manifest, tool.facts)
    text = context.disk.read(manifest) or b""
    because = [f"{display_path(manifest)} is installed"]
    if b"pip:" in text.replace(b" ", b""):
        because.append("its pip section is installed by that environment's own pip")
    start = replace(start, because=(*start.because, *because))
    making = line.command in {"env create", "create"}
    if arguments.has("prefix") or arguments.has("name"):
        target = _new_target(arguments, tool, context)
    elif prefix and not tool.is_mamba:
        target = Target(normalise(context.path(prefix)), "the file names a prefix")
    elif name:
        target = Target(named(name, tool, context, making=True), f"the file names {display_path(name)}")
    elif making:
        raise stop("bad-options", "neither the command nor the file names an environment")
    else:
        target = default(tool, context)
    if is_conda(target.prefix, context):
        if making and not tool.is_mamba and not arguments.has("yes", "force"):
            raise stop("bad-options", f"{display_path(target.prefix)} is there already")
        if not making:
            return replace(_changed(start, line, target, tool, context), plain=False, requirements=())
    elif not making and tool.is_mamba:
        raise stop("no-environment", f"{display_path(target.prefix)} is no environment")
    return _made(start, target, tool, context)


def _manifest(arguments: Arguments, context: Context) -> bytes:
    said = arguments.options.get("file")
    if said is not None and said.startswith((b"http:", b"https:")):
        raise unknown("unknown-settings", "the file is fetched from elsewhere")
    for name in (said,) if said is not None else _FILES:
        path = context.path(name)
        if context.disk.is_file(path):
            return path
    raise stop("no-project", "there is no environment.yml")
