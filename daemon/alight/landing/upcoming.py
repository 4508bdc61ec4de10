"""What a command leaves behind for those after it on the line: directories, environments, or nobody knows what."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from alight.commandline.simple import Simple
from alight.files.disk import join
from alight.files.documents import Documents
from alight.landing.base import Context, Prediction, Words
from alight.landing.fold import fold
from alight.landing.planned import Entry, Planned, directory, file, link
from alight.landing.venv import makes_pip

_CHANGES = frozenset(
    b"mv cp ln rmdir rsync tar unzip git hg svn make just task nox tox cookiecutter copier direnv patch dd install "
    b"chmod chown mount umount touch tee".split()
)
"""Commands that put files where rules look."""

_WRITES = frozenset(b"echo printf cat sed jq envsubst".split())
"""Commands that write what they are redirected to."""

_SETTINGS: dict[bytes, frozenset[bytes]] = {
    b"uv": frozenset({b"init", b"python", b"self", b"version"}),
    b"poetry": frozenset({b"init", b"new", b"config", b"env", b"self"}),
    b"pdm": frozenset({b"init", b"new", b"config", b"use", b"venv", b"import"}),
    b"hatch": frozenset({b"new", b"config", b"env"}),
    b"pip": frozenset({b"config"}),
    b"pip3": frozenset({b"config"}),
    b"conda": frozenset({b"config", b"init"}),
    b"pyenv": frozenset({b"install", b"uninstall", b"virtualenv", b"rehash", b"virtualenv-delete"}),
    b"pixi": frozenset({b"init", b"config", b"workspace", b"project"}),
}
LEVELS_LIMIT = 64
"""Directories above one another in a path that a command makes."""

MISSING_LIMIT = 8
"""How many of them may have to be made."""

OPERANDS_LIMIT = 32
"""Directories that one command may make or remove."""

_BUNDLED = ((b"3.6", b"18.1"), (b"3.7", b"22.0"))
_BUNDLED_SINCE = b"23.0"
"""The oldest pip that new environments of each Python get: what came later makes no difference inside of one."""

_MATTERING = _CHANGES | _WRITES | _SETTINGS.keys() | {b"mkdir", b"rm"}
"""Commands of which something may be left on the disk that rules look at."""

_HARMLESS_GIT = frozenset(
    {b"status", b"log", b"diff", b"add", b"commit", b"push", b"fetch", b"show", b"branch", b"tag"}
)


def afterwards(simple: Simple, current: Context, answered: Sequence[tuple[Context, Prediction]]) -> Context | None:
    """The caller with the disk for the commands behind this one; None when nobody knows what it leaves."""
    if not answered:
        if not may_matter(simple):
            return current
        folded = fold(simple, current)
        if isinstance(folded, str):
            return current
        argv = simple.argv(folded.shell_variables, shell_home(folded))
        changed = _after_command(argv, simple.redirected, folded) if argv else folded
        return None if changed is None else _with_disk(current, changed)
    for context, prediction in answered:
        if prediction.tool == "ensurepip" and prediction.outcome == "lands":
            return None
        current = _with_disk(current, after_creation(prediction, context))
    return current


def may_matter(simple: Simple) -> bool:
    """Whether a command that is no installer may leave something on the disk that rules look at."""
    return simple.name is None or simple.name.rpartition(b"/")[2] in _MATTERING


def _with_disk(current: Context, changed: Context) -> Context:
    return replace(current, disk=changed.disk, documents=changed.documents, pending=changed.pending)


def shell_home(context: Context) -> bytes:
    """What ``~`` stands for in the words of a command."""
    return context.shell_variables.get("HOME") or context.home


def _after_command(argv: Words, redirected: bool, context: Context) -> Context | None:
    """The context with the disk as the command leaves it; None when that cannot be known."""
    word = (argv[0] or b"").rpartition(b"/")[2]
    if word in (b"mkdir", b"rm"):
        return _directories(word, argv, context)
    if word == b"git" and next((one for one in argv[1:] if one is None or one[:1] != b"-"), None) in _HARMLESS_GIT:
        return context
    verbs = _SETTINGS.get(word)
    if word in _CHANGES or (redirected and word in _WRITES):
        return None
    if verbs is not None and any(one is None or one in verbs for one in argv[1:3]):
        return None
    return context


def after_creation(prediction: Prediction, context: Context) -> Context:
    """The context in which the environment that a command makes stands, or is pending."""
    landing = prediction.landing
    makes = prediction.creates or prediction.action == "create"
    if prediction.outcome != "lands" or not makes or landing is None or landing.kind == "tool":
        return context
    above = _parents(landing.prefix, context)
    if above is None:
        return replace(context, pending=(*context.pending, landing.prefix))
    if landing.kind != "venv":
        marks = {b"conda-meta": directory(), b"conda-meta/history": file(b"")}
        return _pending(landing.prefix, above, marks, context)
    if landing.exists and not {b"--clear", b"-c"} & set(prediction.argv):
        return context
    if landing.purelib is None:
        return _pending(landing.prefix, above, {b"pyvenv.cfg": file(b"")}, context)
    prefix, library = landing.prefix, landing.purelib.rpartition(b"/")[0].rpartition(b"/")[2]
    system = b"true" if b"--system-site-packages" in prediction.argv else b"false"
    interpreter = join(prefix, b"bin/python")
    entries = above
    entries |= {join(prefix, part): directory() for part in (b"bin", b"lib", b"lib/" + library)}
    # What stood there before is gone, unless it was no environment.
    entries[prefix] = directory(emptied=context.disk.exists(join(prefix, b"pyvenv.cfg")))
    entries[landing.purelib] = directory()
    entries[join(prefix, b"pyvenv.cfg")] = file(b"include-system-site-packages = " + system + b"\n")
    entries[join(prefix, b"bin/" + library)] = file(b"\x7fELF", executable=True)
    entries |= {join(prefix, b"bin/" + name): link(library) for name in (b"python", b"python3")}
    script = b'deactivate () {\n}\nVIRTUAL_ENV="%s"\nPATH="$VIRTUAL_ENV/bin:$PATH"\n' % prefix
    fish = b'function deactivate\nend\nset -gx VIRTUAL_ENV "%s"\nset -gx PATH "$VIRTUAL_ENV/bin" $PATH\n' % prefix
    entries |= {join(prefix, b"bin/activate"): file(script), join(prefix, b"bin/activate.fish"): file(fish)}
    if makes_pip(prediction.tool, prediction.argv):
        start = b"#!" + interpreter + b"\n"
        minor = library.removeprefix(b"python")
        for name in (b"pip", b"pip3", b"pip" + minor):
            entries[join(prefix, b"bin/" + name)] = file(start, executable=True)
        package = join(landing.purelib, b"pip")
        entries[package] = directory()
        version = next((one for newest, one in _BUNDLED if minor == newest), _BUNDLED_SINCE)
        entries[join(package, b"__init__.py")] = file(b'__version__ = "' + version + b'"\n')
        entries[join(package, b"__main__.py")] = file(b"")
    return _planned(entries, context)


def is_pending(argv: Words, context: Context) -> bool:
    """Whether what the words start, or where it writes, depends on an environment that is made but not known yet."""
    if not context.pending:
        return False
    named = [context.path(word.partition(b"=")[2] if word[:2] == b"--" else word) for word in argv if word]
    named += context.variables.get("PATH", b"").split(b":")
    named += [context.variables.get(name, b"") for name in ("VIRTUAL_ENV", "CONDA_PREFIX", "UV_PYTHON")]
    below = tuple(join(prefix, b"") for prefix in context.pending)
    return any(join(path, b"").startswith(below) for path in named)


def _pending(prefix: bytes, above: dict[bytes, Entry | None], marks: dict[bytes, Entry], context: Context) -> Context:
    entries = {**above, prefix: directory()}
    entries |= {join(prefix, name): made for name, made in marks.items()}
    return replace(_planned(entries, context), pending=(*context.pending, prefix))


def _directories(word: bytes, argv: Words, context: Context) -> Context | None:
    operands = [one for one in argv[1:] if one is None or one[:1] != b"-"]
    if len(operands) > OPERANDS_LIMIT:
        return None
    entries: dict[bytes, Entry | None] = {}
    for operand in operands:
        if operand is None or not operand or b"\0" in operand:
            return None
        path = context.path(operand).rstrip(b"/") or b"/"
        if word == b"rm":
            entries[path] = None
        elif path.count(b"/") > LEVELS_LIMIT:
            return None
        elif not context.disk.exists(path):
            above = _parents(path, context)
            if above is None:
                return None
            entries |= {**above, path: directory()}
    missing = {path: entry for path, entry in entries.items() if entry is None or not context.disk.exists(path)}
    return _planned(missing, context)


def _parents(path: bytes, context: Context) -> dict[bytes, Entry | None] | None:
    """The directories above a path that are not there yet; None when they are too many."""
    found: dict[bytes, Entry | None] = {}
    level = path.rpartition(b"/")[0]
    if path.count(b"/") > LEVELS_LIMIT:
        return None
    while level and not context.disk.is_directory(level):
        if len(found) == MISSING_LIMIT:
            return None
        found[level] = directory()
        level = level.rpartition(b"/")[0]
    return dict(reversed(found.items()))


def _planned(entries: dict[bytes, Entry | None], context: Context) -> Context:
    kept = {
        path: entry
        for path, entry in entries.items()
        if entry is None or not (entry == directory() and context.disk.is_directory(path))
    }
    if not kept:
        return context
    disk = context.disk.with_entries(kept) if isinstance(context.disk, Planned) else Planned(context.disk, kept)
    return replace(context, disk=disk, documents=Documents(disk))
