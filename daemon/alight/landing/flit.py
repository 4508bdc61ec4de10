"""flit install: into the Python that runs flit unless another is named (landing rules 1.11)."""

from __future__ import annotations

from dataclasses import replace

from alight.files.disk import join
from alight.landing import pip, program, schemes
from alight.landing.arguments import Arguments, read, spellings
from alight.landing.base import Context, Prediction, Program, Python, Words
from alight.landing.pipcommand import End
from alight.landing.searchpath import NO_FLAGS
from alight.model import Reason
from alight.text import display_path

_BEFORE = spellings("--help/-h", "--ini-file/-f", "--version/-V", "--repository", "--debug", "--logo")
_OPTIONS = spellings(
    "--help/-h", "--symlink/-s", "--pth-file", "--user", "--env", "--python", "--deps", "--only-deps", "--extras"
)
_DEPS = frozenset({b"all", b"production", b"develop", b"none"})


class Flit:
    """The rules of flit."""

    @property
    def name(self) -> str:
        """The tool."""
        return "flit"

    @property
    def words(self) -> frozenset[str]:
        """Its names."""
        return frozenset({"flit"})

    def predict(self, argv: Words, program: Program | None, context: Context) -> Prediction | None:
        """Where the project would be installed; None for the other commands."""
        typed = tuple(word for word in argv if word is not None)
        before = read(argv[1:], _BEFORE, frozenset({"ini-file", "repository"}), limit=1)
        start = Prediction("flit", "install", typed, "unknown", "unknown-word", plain=False)
        if before.has("help", "version", "logo"):
            return None
        if not before.doubtful and not before.error and before.operands != [b"install"]:
            return None
        if program is None:
            return replace(start, outcome="stops", reason="no-such-command")
        arguments = read(before.rest, _OPTIONS, frozenset({"python", "deps", "extras"}))
        if before.doubtful or arguments.doubtful:
            return start
        if arguments.has("help"):
            return None
        found = _predicted(start, before, arguments, program, context)
        return replace(found, argv=typed, because=(*program.because, *found.because), plain=False, requirements=())


def _predicted(
    start: Prediction, before: Arguments, arguments: Arguments, own: Program, context: Context
) -> Prediction:
    error = before.error or arguments.error or ("it takes no operands" if arguments.operands else "")
    if error or arguments.options.get("deps", b"all") not in _DEPS:
        return _end(start, "stops", "bad-options", error or "no such --deps")
    manifest = context.path(before.options.get("ini-file", b"pyproject.toml"))
    if not context.disk.is_file(manifest):
        return _end(start, "stops", "no-project", f"there is no {display_path(manifest)}")
    root = context.user == "root" or (context.user is None and context.disk.uid == 0)
    if root and not context.variable("FLIT_ROOT_INSTALL"):
        return _end(start, "stops", "other-user", "flit does not install as root without FLIT_ROOT_INSTALL")
    python, because = _python(arguments, own, context)
    if isinstance(python, End):
        return replace(start, outcome=python.outcome, reason=python.reason, because=(*because, *python.because))
    given = [name for name in arguments.options if name in {"user", "env"}]
    user = given[-1] == "user" if given else _auto(python, context)
    if not arguments.has("symlink", "pth-file"):
        folder = manifest.rpartition(b"/")[0]
        found = pip.run((b"install", folder, *((b"--user",) if user else ())), python, pip.child(own, context))
        if found is None:
            return start
        return replace(found, tool="flit", action="install", because=(*because, *found.because))
    landing = schemes.land(python, context, user=user)
    if landing.purelib is not None and not schemes.can_write(landing.purelib, context):
        return _end(start, "stops", "not-writable", f"{display_path(landing.purelib)} is not writable")
    reason: Reason = "user-site" if user else "active-environment"
    more = "it writes the files itself, whatever PEP 668 says"
    return replace(start, outcome="lands", reason=reason, landing=landing, because=(*because, more))


def _python(arguments: Arguments, own: Program, context: Context) -> tuple[Python | End, tuple[str, ...]]:
    named = arguments.options.get("python") or None
    because = "--python names the Python"
    if named is None:
        named = context.variable("FLIT_INSTALL_PYTHON")
        because = "FLIT_INSTALL_PYTHON is set"
    if named is None:
        return pip.interpreter(own, context)[0], ("it installs into the Python that runs it",)
    path = context.path(named)
    if context.disk.is_directory(path) and context.disk.exists(join(path, b"bin/python")):
        named = join(path, b"bin/python")
    found = program.find(named, context)
    if found is None:
        return End("stops", "interpreter-missing", (f"there is no {display_path(named)}",)), (because,)
    return pip.interpreter(found, context)[0], (because,)


def _auto(python: Python, context: Context) -> bool:
    if not schemes.user_site_enabled(python, context, NO_FLAGS):
        return False
    return not schemes.is_writable(python, context)


def _end(start: Prediction, outcome: str, reason: Reason, because: str) -> Prediction:
    return replace(start, outcome=outcome, reason=reason, because=(because,))
