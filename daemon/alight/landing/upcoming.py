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
_BUNDLED = ((b"3.6", b"18.1"), (b"3.7", b"22.0"))
_BUNDLED_SINCE = b"23.0"
"""The oldest pip that new environments of each Python get: what came later makes no difference inside of one."""

_HARMLESS_GIT = frozenset(
    {b"status", b"log", b"diff", b"add", b"commit", b"push", b"fetch", b"show", b"branch", b"tag"}
)


def afterwards(simple: Simple, current: Context, answered: Sequence[tuple[Context, Prediction]]) -> Context | None:
    """The caller with the disk for the commands behind this one; None when nobody knows what it leaves."""
    if not answered:
        folded = fold(simple, current)
        if isinstance(folded, str):
            return current
        argv = simple.argv(folded.shell_variables, shell_home(folded))
        changed = _after_command(argv, simple.redirected, folded) if argv else folded
        return None if changed is None else _with_disk(current, changed)
    for context, prediction in answered:
        if prediction.tool == "ensurepip" and prediction.outcome == "lands":
            return None
        changed = after_creation(prediction, context)
        if changed is None:
            return None
        current = _with_disk(current, changed)
    return current


def _with_disk(current: Context, changed: Context) -> Context:
    return replace(current, disk=changed.disk, documents=changed.documents)


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


def after_creation(prediction: Prediction, context: Context) -> Context | None:
    """The context in which the environment that was just made stands; None when not enough of it is known."""
    landing = prediction.landing
    if prediction.outcome != "lands" or prediction.action != "create" or landing is None:
        return context
    if landing.exists and not {b"--clear", b"-c"} & set(prediction.argv):
        return context
    if landing.kind != "venv" or landing.purelib is None:
        return None
    prefix, library = landing.prefix, landing.purelib.rpartition(b"/")[0].rpartition(b"/")[2]
    system = b"true" if b"--system-site-packages" in prediction.argv else b"false"
    interpreter = join(prefix, b"bin/python")
    entries = _parents(prefix)
    entries |= {join(prefix, part): directory() for part in (b"", b"bin", b"lib", b"lib/" + library)}
    entries[prefix] = entries.pop(join(prefix, b""))
    entries[landing.purelib] = directory()
    entries[join(prefix, b"pyvenv.cfg")] = file(b"include-system-site-packages = " + system + b"\n")
    entries[join(prefix, b"bin/" + library)] = file(b"\x7fELF", executable=True)
    entries |= {join(prefix, b"bin/" + name): link(library) for name in (b"python", b"python3")}
    script = b'deactivate () {\n}\nVIRTUAL_ENV="%s"\nPATH="$VIRTUAL_ENV/bin:$PATH"\n' % prefix
    fish = b'function deactivate\nend\nset -gx VIRTUAL_ENV "%s"\nset -gx PATH "$VIRTUAL_ENV/bin" $PATH\n' % prefix
    entries |= {join(prefix, b"bin/activate"): file(script), join(prefix, b"bin/activate.fish"): file(fish)}
    if makes_pip(prediction.argv if prediction.tool != "uv" else (b"uv", *prediction.argv[1:])):
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


def _directories(word: bytes, argv: Words, context: Context) -> Context | None:
    operands = [one for one in argv[1:] if one is None or one[:1] != b"-"]
    entries: dict[bytes, Entry | None] = {}
    for operand in operands:
        if operand is None or not operand or b"\0" in operand:
            return None
        path = context.path(operand).rstrip(b"/") or b"/"
        if word == b"rm":
            entries[path] = None
        elif not context.disk.exists(path):
            entries |= {**_parents(path), path: directory()}
    missing = {path: entry for path, entry in entries.items() if entry is None or not context.disk.exists(path)}
    return _planned(missing, context)


def _parents(path: bytes) -> dict[bytes, Entry | None]:
    found: dict[bytes, Entry | None] = {}
    level = path.rpartition(b"/")[0]
    while level:
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
    disk = Planned(context.disk, kept)
    return replace(context, disk=disk, documents=Documents(disk))
