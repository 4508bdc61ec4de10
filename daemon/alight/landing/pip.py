"""pip: install, uninstall and what only looks like them (landing rules 1.4)."""

from __future__ import annotations

import re
from dataclasses import replace

import msgspec

from alight.files.disk import join
from alight.landing import schemes
from alight.landing.base import Context, Prediction, Program, Python, Words
from alight.landing.pipcommand import IDLE, Command, End, command
from alight.landing.pipremoval import removal
from alight.landing.python import inspect
from alight.landing.searchpath import NO_FLAGS
from alight.model import InstallAction, Landing, Reason
from alight.text import display_path

MARKER_RELEASE = (23, 0)
"""The first release that obeys PEP 668."""

FALLBACK_RELEASE = (20, 0)
"""The first release that takes the user's site-packages where the others are not writable."""

PREFIX_RELEASE = (26, 3)
"""The first release whose ``--prefix`` has the usual layout under Debian's Python."""

SYSCONFIG_RELEASE = (21, 3)
"""The first release that asks ``sysconfig`` where that is what Python does."""

ENABLED_RELEASE = (25, 3)
"""The first release that refuses ``--user`` where the user's site-packages are disabled; before, they are used."""

_SYSCONFIG_MINOR = 10
"""The first Python 3 minor for which pip asks ``sysconfig``; before, distutils' configuration files count."""

_WORDS = re.compile(r"pip(?:-?\d+(?:\.\d+)*t?)?\Z")
_DISTUTILS_INSTALL = re.compile(rb"^\[install\]", re.MULTILINE)
_RESTRICTIONS = ("platforms", "python_version", "implementation", "abis")
_HIDDEN = frozenset({"PYTHONPATH", "PYTHONHOME", "PYTHONNOUSERSITE", "PYTHONSAFEPATH"})
_WHAT = ("requirements", "editables", "scripts", "groups")
_ORIGINS: dict[str, Reason] = {"debian": "system-python", "homebrew": "homebrew-python", "pyenv": "pyenv-global"}


def is_pip(word: str) -> bool:
    """Whether a command's name is one of pip's: ``pip``, ``pip3``, ``pip3.12``, ``pip-3.12``, ``pip3.13t``."""
    return _WORDS.match(word) is not None


class Pip:
    """pip in all its spellings."""

    @property
    def name(self) -> str:
        """The tool."""
        return "pip"

    @property
    def words(self) -> frozenset[str]:
        """The spellings of Pythons that exist; ``is_pip`` knows all."""
        minors = {f"{dash}3.{minor}" for minor in range(6, 20) for dash in ("", "-")}
        free = {f"3.{minor}t" for minor in range(13, 20)}
        return frozenset(f"pip{suffix}" for suffix in {"", "2", "2.7", "3", "-3", *minors, *free})

    def predict(self, argv: Words, program: Program | None, context: Context) -> Prediction | None:
        """What a pip command would do."""
        words = tuple(word for word in argv if word is not None)
        action: InstallAction = "uninstall" if b"uninstall" in words else "install"
        if program is None:
            return Prediction("pip", action, words, "stops", "no-such-command")
        python, seen = interpreter(program, context)
        if isinstance(python, End):
            because = (*program.because, *python.because)
            return Prediction("pip", action, words, python.outcome, python.reason, because=because)
        found = run(argv[1:], python, seen, child(program, context))
        if found is None:
            return None
        return replace(found, argv=words, because=(*program.because, *found.because))


def interpreter(program: Program, context: Context) -> tuple[Python | End, Context]:
    """The Python that runs a program, and the context it sees: its shim's variables, its own options' effects."""
    around = context.inside(context.directory, **program.variables)
    if program.problem is not None:
        return End("stops", program.problem), around
    if program.python is None:
        return End("unknown", "unknown-program"), around
    if not context.disk.exists(program.python):
        return End("stops", "interpreter-missing", (f"there is no {display_path(program.python)}",)), around
    python = inspect(program.python, around)
    if python is None:
        return End("unknown", "unknown-program"), around
    variables = dict(around.variables)
    if program.flags & {"E", "I"}:
        # PYTHONUSERBASE counts all the same: site and sysconfig ask the environment for it.
        variables = {name: value for name, value in variables.items() if name not in _HIDDEN}
    if program.flags & {"s", "I"}:
        variables["PYTHONNOUSERSITE"] = b"1"
    return python, replace(around, variables=variables)


def child(program: Program, context: Context) -> Context:
    """What a process sees that a program starts: the shim's variables, but nothing of its interpreter's options."""
    return context.inside(context.directory, **program.variables)


def run(words: Words, python: Python, context: Context, around: Context | None = None) -> Prediction | None:
    """What pip in ``python`` would do when given these words behind its name; None when it is of no interest.

    ``around`` is the context without the effects of the interpreter's options, where it had any.
    """
    typed = tuple(word for word in words if word is not None)
    found = command(words, python, context, around or context)
    if found is None:
        return None
    action: InstallAction = "uninstall" if b"uninstall" in typed else "install" if b"install" in typed else "other"
    if isinstance(found, End):
        return Prediction("pip", action, typed, found.outcome, found.reason, because=found.because)
    action = "other" if found.name in IDLE else "uninstall" if found.name == "uninstall" else "install"
    ended = _required(found)
    if ended is None and found.name in IDLE:
        ended = End("nothing", "no-landing", (f"pip {found.name} installs nothing",))
    landing: Landing | End = ended or (removal if action == "uninstall" else install)(found, found.context)
    requirements, plain = _requirements(found)
    prediction = Prediction(
        "pip", action, typed, "lands", "active-environment", certainty=found.certainty,
        requirements=requirements, plain=plain,
    )  # fmt: skip
    if isinstance(landing, End):
        because = (*found.because, *landing.because)
        return replace(prediction, outcome=landing.outcome, reason=landing.reason, because=because)
    because = (*found.because, *found.why("target", "prefix", "root", "user", "break_system"))
    return replace(prediction, landing=landing, reason=_reason(landing, found), because=because)


def _required(found: Command) -> End | None:
    if found.flag("require_venv") and found.python.kind != "venv":
        return End("stops", "require-virtualenv", (*found.why("require_venv"), "no virtual environment is used"))
    return None


def install(found: Command, context: Context) -> Landing | End:
    """Where ``pip install`` puts what it is given, or why it does not."""
    target, prefix, root = found.path("target"), found.path("prefix"), found.path("root")
    if found.flag("user") and target is not None:
        return End("stops", "bad-options", ("--user and --target exclude each other", *found.why("user", "target")))
    reported = found.flag("dry_run") and bool(found.path("report"))
    if not reported and target is None and prefix is None and root is None:
        marked = _marked(found)
        if marked is not None:
            return marked
    if b"" in (target, prefix, root):
        return End("unknown", "unknown-settings", ("an empty path",))
    refused = _restricted(found, target)
    if refused is not None:
        return refused
    user = _user(found, target, prefix, root, context)
    if isinstance(user, End):
        return user
    if any(operand.startswith(b"-") for operand in found.operands):
        return End("stops", "bad-options", ("an operand is no requirement",))
    if not found.operands and not any(found.values.get(name) for name in _WHAT):
        return End("stops", "bad-options", ("nothing to install is named",))
    if target is not None and prefix is not None:
        return End("stops", "bad-options", ("--target and --prefix exclude each other", *found.why("target", "prefix")))
    if found.flag("dry_run"):
        return End("nothing", "no-landing", ("--dry-run installs nothing",))
    landing = _landing(found, context, target=target, prefix=prefix, root=root, user=user)
    if isinstance(landing, Landing) and landing.purelib is not None:
        if (
            target is not None
            and context.disk.exists(landing.purelib)
            and not context.disk.is_directory(landing.purelib)
        ):
            return End("stops", "bad-options", (f"{display_path(landing.purelib)} is no directory",))
        if not schemes.can_write(landing.purelib, context):
            return End("stops", "not-writable", (f"{display_path(landing.purelib)} is not writable",))
    return landing


def _marked(found: Command) -> End | None:
    if found.python.managed and found.release >= MARKER_RELEASE and not found.flag("break_system"):
        return End("stops", "externally-managed", ("EXTERNALLY-MANAGED stands in its standard library (PEP 668)",))
    return None


def _restricted(found: Command, target: bytes | None) -> End | None:
    if not any(found.values.get(name) for name in _RESTRICTIONS):
        return None
    if not found.flag("no_deps") and found.values.get("only_binary") != ":all:":
        return End("stops", "bad-options", ("another platform needs --only-binary=:all: or --no-deps",))
    if target is None and not found.flag("dry_run"):
        return End("stops", "bad-options", ("another platform needs --target",))
    return None


def _user(
    found: Command, target: bytes | None, prefix: bytes | None, root: bytes | None, context: Context
) -> bool | End:
    python = found.python
    wanted = found.values.get("user")
    if wanted is False:
        return False
    enabled = schemes.user_site_enabled(python, context, NO_FLAGS)
    if wanted:
        if prefix is not None:
            return End("stops", "bad-options", ("--user and --prefix exclude each other", *found.why("user", "prefix")))
        if _no_global(found, context):
            because = "this environment does not see the user's site-packages, so --user is refused"
            return End("stops", "bad-options", (*found.why("user"), because))
        if not enabled and python.system_site and found.release >= ENABLED_RELEASE:
            return End("stops", "bad-options", (*found.why("user"), "the user's site-packages are disabled"))
        return True
    if target is not None or prefix is not None or not enabled:
        return False
    free = schemes.is_writable(python, context) if root is None else _writable_root(found, root, context)
    if not free and found.release < FALLBACK_RELEASE:
        return End("unknown", "unknown-settings", ("this pip has no fallback to the user's site-packages",))
    return not free


def _no_global(found: Command, context: Context) -> bool:
    if found.python.kind != "venv" or found.python.system_site:
        return False
    # Before, pip knew only the environments of virtualenv before 20, which have no pyvenv.cfg.
    return found.release >= FALLBACK_RELEASE or not context.disk.is_file(join(found.python.prefix, b"pyvenv.cfg"))


def _writable_root(found: Command, root: bytes, context: Context) -> bool:
    if not root.startswith(b"/") and not context.disk.is_directory(context.path(root.partition(b"/")[0])):
        # pip climbs a relative path to its end, which is nowhere.
        return False
    purelib = schemes.land(found.python, context, root=context.path(root)).purelib
    return purelib is not None and schemes.can_write(purelib, context)


def _landing(
    found: Command, context: Context, *, target: bytes | None, prefix: bytes | None, root: bytes | None, user: bool
) -> Landing | End:
    python = found.python
    if target is not None and root is not None:
        return End("unknown", "unknown-settings", ("--target together with --root",))
    if target is None and _configured_scheme(found, context):
        return End("unknown", "unknown-settings", ("a configuration file of distutils has an [install] section",))
    base = None if root is None else context.path(root)
    if prefix is None:
        where = None if target is None else context.path(target)
        return schemes.land(python, context, user=user, target=where, root=base)
    if base is not None and not prefix.startswith(b"/"):
        # Under a root, a relative prefix is relative to it.
        prefix, base = join(base, prefix), None
    return _prefixed(found, prefix, base, context)


def _prefixed(found: Command, prefix: bytes, root: bytes | None, context: Context) -> Landing | End:
    python = found.python
    if python.kind != "base" or python.origin != "debian":
        return schemes.land(python, context, prefix=prefix, root=root)
    if _minor(python) < _SYSCONFIG_MINOR or (
        found.release < SYSCONFIG_RELEASE and "DEB_PYTHON_INSTALL_LAYOUT" in context.variables
    ):
        return End("unknown", "unknown-settings", ("--prefix under an old Python of Debian's",))
    layout = context.variable("DEB_PYTHON_INSTALL_LAYOUT")
    local = SYSCONFIG_RELEASE <= found.release < PREFIX_RELEASE and layout not in {b"deb", b"deb_system"}
    landing = schemes.land(python, context, prefix=prefix, root=root, local=local)
    if layout in {b"deb", b"deb_system"} and landing.purelib is not None:
        above = landing.purelib.removesuffix(b"lib/" + python.library + b"/site-packages")
        landing = msgspec.structs.replace(landing, purelib=above + b"lib/python3/dist-packages")
    return landing


def _configured_scheme(found: Command, context: Context) -> bool:
    if _minor(found.python) >= _SYSCONFIG_MINOR and found.release >= SYSCONFIG_RELEASE:
        return False
    library = join(found.python.base, b"lib/" + found.python.library)
    files = [join(library, b"distutils/distutils.cfg"), join(context.directory, b"setup.cfg")]
    if not found.flag("isolated"):
        files.append(join(context.home, b".pydistutils.cfg"))
    return any(_DISTUTILS_INSTALL.search(context.disk.read(path) or b"") for path in files)


def _minor(python: Python) -> int:
    major, _, minor = python.minor.partition(".")
    return int(minor) if major == "3" and minor.isdigit() else 0


def _requirements(found: Command) -> tuple[tuple[bytes, ...], bool]:
    words: list[bytes] = []
    plain = True
    for option, value in found.typed:
        if option.target in {"requirements", "editables"} and value is not None:
            words += [b"-r" if option.target == "requirements" else b"-e", value.encode("utf-8", "surrogateescape")]
        else:
            plain = False
    return (*words, *found.operands), plain


def _reason(landing: Landing, found: Command) -> Reason:
    if landing.kind == "directory":
        return "explicit-directory"
    if landing.kind == "user":
        return "user-site"
    if found.path("python") is not None:
        return "explicit-environment"
    if landing.kind == "base":
        return _ORIGINS.get(found.python.origin, "managed-python")
    return "active-environment"
