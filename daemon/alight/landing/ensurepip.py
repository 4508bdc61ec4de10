"""``python -m ensurepip``: the pip that comes with a Python, into that Python (landing rules 1.14)."""

from __future__ import annotations

import re
from dataclasses import replace

from alight.files.disk import join
from alight.landing import pip
from alight.landing.arguments import read, spellings
from alight.landing.base import Context, Prediction, Program, Python, Words
from alight.landing.pipcommand import Command, End
from alight.landing.pipoptions import Release, Value, decode
from alight.landing.searchpath import pip_release
from alight.model import Landing
from alight.text import display_path

_KNOWN = spellings(
    "--help/-h", "--version", "--verbose/-v", "--upgrade/-U", "--user", "--root", "--altinstall", "--default-pip"
)
_WHEEL = re.compile(rb"pip-(\d+)\.(\d+)\S*\.whl\Z")
_DEBIAN_WHEELS = b"/usr/share/python-wheels"


class EnsurePip:
    """The rules of ensurepip."""

    @property
    def name(self) -> str:
        """The tool."""
        return "ensurepip"

    @property
    def words(self) -> frozenset[str]:
        """Its module."""
        return frozenset({"ensurepip"})

    def predict(self, argv: Words, program: Program | None, context: Context) -> Prediction | None:
        """Where pip would be put."""
        typed = tuple(word for word in argv if word is not None)
        start = Prediction("ensurepip", "install", typed, "unknown", "unknown-word", plain=False)
        arguments = read(argv[1:], _KNOWN, frozenset({"root"}))
        if arguments.has("help", "version"):
            return None
        if arguments.doubtful:
            return start
        if program is None:
            return replace(start, outcome="stops", reason="no-such-command")
        python, seen = pip.interpreter(program, context)
        if isinstance(python, End):
            found: Landing | End = python
        elif arguments.error or arguments.operands:
            found = End("stops", "bad-options", (arguments.error or "it takes no operands",))
        else:
            values: dict[str, Value] = {"user": True} if arguments.has("user") else {}
            if "root" in arguments.options:
                values["root"] = decode(arguments.options["root"])
            found = _install(python, values, seen, upgrade=arguments.has("upgrade"))
        if isinstance(found, End):
            because = (*program.because, *found.because)
            return replace(start, outcome=found.outcome, reason=found.reason, because=because)
        return replace(start, outcome="lands", reason="active-environment", landing=found, because=program.because)


def _install(python: Python, values: dict[str, Value], context: Context, *, upgrade: bool) -> Landing | End:
    if python.kind == "base" and python.origin == "debian":
        return End("stops", "externally-managed", ("Debian has turned ensurepip off for its own Python",))
    release = _bundled(python, context)
    if release is None:
        return End("unknown", "unknown-settings", ("the pip that comes with this Python is not found",))
    present = pip_release(python, context)
    if present is not None:
        package, installed = present
        if not upgrade or (installed is not None and installed >= release):
            return End("nothing", "no-landing", (f"{display_path(package)} is there already",))
    # It runs its pip without configuration files and variables.
    variables = {name: value for name, value in context.variables.items() if not name.startswith("PIP_")}
    alone = replace(context, variables=variables)
    return pip.install(Command("install", python, release, values, {}, (), (b"pip",), (), alone), alone)


def _bundled(python: Python, context: Context) -> Release | None:
    bundled = join(python.base, b"lib/" + python.library + b"/ensurepip/_bundled")
    for directory in (bundled, _DEBIAN_WHEELS):
        for name in context.disk.names(directory) or ():
            found = _WHEEL.match(name)
            if found is not None:
                return int(found[1][:4]), int(found[2][:4])
    return None
