"""What a project's tool finds or makes at a prefix, and the prediction that follows from it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from alight.files.disk import join
from alight.landing import pip, schemes
from alight.landing.arguments import Arguments
from alight.landing.base import Context, Prediction, Program, Python, Words
from alight.landing.names import environment_name
from alight.landing.pipcommand import End
from alight.landing.python import inspect, release_of
from alight.model import InstallAction, Landing, LandingKind, Reason, Scheme
from alight.systems import condaroots, prefixes
from alight.text import display_path

NAMES = (b"python", b"python3")
"""What an environment's interpreter is called."""

_ORIGINS: dict[str, Reason] = {
    "debian": "system-python", "system": "system-python", "local": "system-python", "python.org": "system-python",
    "commandlinetools": "system-python", "xcode": "system-python", "": "system-python",
    "homebrew": "homebrew-python", "pyenv": "pyenv-global",
}  # fmt: skip
_LOCAL = (b"-", b".", b"/", b"git+", b"http:", b"https:", b"file:")


class Ending(Exception):
    """The tool stops, does nothing, or it cannot be known what it does; carries what a prediction says about that."""

    def __init__(self, outcome: str, reason: Reason, because: str) -> None:
        super().__init__(because)
        self.outcome = outcome
        self.reason: Reason = reason
        self.because = because


def stop(reason: Reason, because: str) -> Ending:
    """The tool will refuse or fail by itself."""
    return Ending("stops", reason, because)


def unknown(reason: Reason, because: str) -> Ending:
    """Nothing can be said."""
    return Ending("unknown", reason, because)


def nothing(because: str) -> Ending:
    """No environment is written to."""
    return Ending("nothing", "no-landing", because)


@dataclass(frozen=True, slots=True)
class Standing:
    """An environment that a tool chose.

    ``python`` is what stands there now. ``creates`` says that it is made, or made again, first, ``library`` with which
    ``pythonX.Y`` (b"" when nobody knows). ``sure`` is False where a step on the way is an assumption. ``packages`` are
    the directory that gets them, where that is not the interpreter's own (PEP 582).
    """

    prefix: bytes
    because: tuple[str, ...]
    reason: Reason = "project-environment"
    python: Python | None = None
    creates: bool = False
    library: bytes = b""
    sure: bool = True
    packages: bytes | None = None


def python_of(prefix: bytes, context: Context) -> Python | None:
    """The interpreter that stands at a prefix; None when there is none that starts."""
    for name in NAMES:
        executable = join(prefix, b"bin/" + name)
        if context.disk.exists(executable):
            return inspect(executable, context)
    return None


def version_of(python: Python, context: Context) -> str:
    """The release of a Python; X.Y alone where only that can be read."""
    return release_of(python, context) or python.minor


def base_reason(python: Python, context: Context) -> Reason:
    """Which kind of Python that is no environment this is; "explicit-environment" for one that is."""
    if python.kind == "conda":
        return "conda-base" if condaroots.is_root(python.prefix, context.facts()) else "explicit-environment"
    return "explicit-environment" if python.kind == "venv" else _ORIGINS.get(python.origin, "managed-python")


def landing_of(standing: Standing, context: Context) -> Landing:
    """Where packages go."""
    prefix, python = standing.prefix, standing.python
    if standing.packages is not None:
        interpreter = None if python is None else python.executable
        exists = context.disk.is_directory(prefix)
        return Landing(interpreter, prefix, "project", standing.packages, "pep582", display_path(prefix), exists)
    if python is not None and not standing.creates:
        return schemes.land(python, context)
    return fresh(prefix, standing.library, context)


def fresh(prefix: bytes, library: bytes, context: Context, kind: LandingKind = "venv") -> Landing:
    """The landing in an environment that is made first."""
    purelib = join(prefix, b"lib/" + library + b"/site-packages") if library else None
    scheme: Scheme = "conda" if kind == "conda" else "venv"
    name = environment_name(prefix, context.disk)
    return Landing(join(prefix, b"bin/python"), prefix, scheme, purelib, kind, name, exists=False)


def reason_of(standing: Standing, context: Context) -> Reason:
    """Why there, as a verdict needs it."""
    if standing.creates:
        return "creates-environment"
    if standing.python is None or standing.python.kind == "venv" or standing.packages is not None:
        return standing.reason
    reason = base_reason(standing.python, context)
    return standing.reason if reason == "explicit-environment" else reason


def lands(start: Prediction, standing: Standing, context: Context) -> Prediction:
    """The prediction that it lands in ``standing``, or that nobody may write there."""
    landing = landing_of(standing, context)
    because = (*start.because, *standing.because)
    place = landing.purelib or landing.prefix
    if not schemes.can_write(place, context):
        return replace(
            start,
            outcome="stops",
            reason="not-writable",
            because=(*because, f"{display_path(place)} cannot be written"),
        )
    return replace(
        start, outcome="lands", reason=reason_of(standing, context), landing=landing, because=because,
        certainty="sure" if standing.sure else "likely", creates=standing.creates,
    )  # fmt: skip


def made(start: Prediction, standing: Standing, context: Context, because: str) -> Prediction | None:
    """What a command that installs nothing leaves behind: the environment, where it is made first."""
    if not standing.creates:
        return None
    found = lands(replace(start, action="create"), standing, context)
    return replace(found, because=(*found.because, because))


def ended(start: Prediction, ending: Ending) -> Prediction:
    """The prediction of one that ends before it writes."""
    return replace(start, outcome=ending.outcome, reason=ending.reason, because=(*start.because, ending.because))


def start_of(tool: str, action: InstallAction, argv: Words) -> Prediction:
    """A prediction to be filled in."""
    typed = tuple(word for word in argv if word is not None)
    return Prediction(tool, action, typed, "unknown", "unknown-word", plain=False)


def asked(program: Program | None, context: Context) -> tuple[Program, Context]:
    """The program and what it sees; raises ``Ending`` when it will not start."""
    if program is None:
        raise stop("no-such-command", "there is no such command on PATH")
    if program.problem is not None:
        raise stop(program.problem, program.because[-1] if program.because else "it does not start")
    return program, pip.child(program, context)


def own_python(program: Program, context: Context) -> Python:
    """The interpreter that runs the tool; raises ``Ending``."""
    found, _ = pip.interpreter(program, context)
    if isinstance(found, End):
        raise Ending(found.outcome, found.reason, found.because[-1] if found.because else "its Python is not known")
    return found


def check(arguments: Arguments, tool: str) -> None:
    """Raise ``Ending`` for a command line that cannot be read to its end."""
    if arguments.doubtful:
        raise unknown("unknown-word", "a word of the command is not known")
    if arguments.error:
        raise unknown("unknown-settings", f"{arguments.error} by the {tool} whose rules are known")


def is_plain(operands: list[bytes]) -> bool:
    """Whether these are names and versions that any installer understands."""
    return bool(operands) and not any(word.startswith(_LOCAL) or b"/" in word or b"@" in word for word in operands)


def activated(
    prefix: bytes, context: Context, variables: Mapping[str, bytes] | None = None, *, conda: bool = False
) -> Context:
    """The context of a command that a runner starts in an environment: nothing of the shell's own reaches it."""
    path = b":".join(filter(None, (join(prefix, b"bin"), context.variables.get("PATH", b""))))
    named = {} if conda else {"VIRTUAL_ENV": prefix}
    inner = context.inside(context.directory, **{**named, **(variables or {}), "PATH": path})
    kept = {name: value for name, value in inner.variables.items() if name != "PYTHONHOME"}
    return replace(inner, variables=kept, hashed={}, functions=frozenset(), aliases={})


def is_conda(prefix: bytes, context: Context) -> bool:
    """Whether conda or one of its kin made the prefix."""
    return prefixes.stands(prefix, context.disk)
