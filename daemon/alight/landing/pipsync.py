"""pip-sync: its own interpreter's environment becomes what the requirements say (landing rules 1.11)."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from alight.files.disk import join
from alight.landing import pip, program
from alight.landing.arguments import Arguments, read, spellings
from alight.landing.base import Context, Prediction, Program, Python, Words
from alight.landing.pipcommand import End
from alight.model import Reason
from alight.text import display_path

_KNOWN = spellings(
    "--help/-h", "--version", "--ask/-a", "--dry-run/-n", "--force", "--find-links/-f", "--index-url/-i",
    "--extra-index-url", "--trusted-host", "--no-index", "--python-executable", "--verbose/-v", "--quiet/-q", "--user",
    "--cert", "--client-cert", "--pip-args", "--config", "--no-config",
)  # fmt: skip
_VALUED = frozenset(
    {
        "find-links", "index-url", "extra-index-url", "trusted-host", "python-executable", "cert", "client-cert",
        "pip-args", "config",
    }
)  # fmt: skip
_REQUIREMENTS = b"requirements.txt"


class PipSync:
    """pip-sync, also as ``python -m piptools sync``."""

    @property
    def name(self) -> str:
        """The tool."""
        return "pip-sync"

    @property
    def words(self) -> frozenset[str]:
        """Its names."""
        return frozenset({"pip-sync", "piptools"})

    def predict(self, argv: Words, program: Program | None, context: Context) -> Prediction | None:
        """What it would add and take away."""
        words = argv[1:]
        if argv[0] is not None and argv[0].rpartition(b"/")[2] == b"piptools":
            if not words or words[0] != b"sync":
                return None
            words = words[1:]
        typed = tuple(word for word in argv if word is not None)
        start = Prediction("pip-sync", "sync", typed, "stops", "no-such-command", plain=False)
        if program is None:
            return start
        arguments = read(words, _KNOWN, _VALUED, abbreviated=False)
        if arguments.doubtful:
            return replace(start, outcome="unknown", reason="unknown-word", because=program.because)
        if arguments.has("help", "version"):
            return None
        found = _predicted(start, arguments, program, context)
        return replace(found, argv=typed, because=(*program.because, *found.because))


def _predicted(start: Prediction, arguments: Arguments, own: Program, context: Context) -> Prediction:
    if arguments.error:
        return _stop(start, "bad-options", arguments.error)
    configured = _configured(arguments, context)
    if configured is None:
        return replace(
            start, outcome="unknown", reason="unknown-settings", because=("its configuration cannot be read",)
        )
    sources = tuple(arguments.operands) or (_REQUIREMENTS,)
    refused = _sources(start, arguments, configured, sources, context)
    if refused is not None:
        return refused
    python, because = _python(arguments, configured, own, context)
    if isinstance(python, End):
        return replace(start, outcome=python.outcome, reason=python.reason, because=(*because, *python.because))
    if _switch("dry-run", arguments, configured):
        return replace(start, outcome="nothing", reason="no-landing", because=("--dry-run changes nothing",))
    flags = _flags(arguments, configured)
    if flags is None:
        return replace(start, outcome="unknown", reason="unknown-settings", because=("--pip-args cannot be split",))
    found = pip.run((b"install", b"-r", sources[0], *flags), python, pip.child(own, context))
    if found is None:
        return replace(start, outcome="unknown", reason="unknown-settings", because=("--pip-args",))
    return replace(
        found, tool="pip-sync", action="sync", because=(*because, *found.because),
        certainty="likely" if _switch("ask", arguments, configured) else found.certainty,
        requirements=tuple(word for source in sources for word in (b"-r", source)),
        plain=not arguments.options,
    )  # fmt: skip


def _sources(
    start: Prediction, arguments: Arguments, configured: Mapping[str, Any], sources: tuple[bytes, ...], context: Context
) -> Prediction | None:
    if (
        not arguments.operands
        and not context.conditional
        and not context.disk.exists(join(context.directory, sources[0]))
    ):
        return replace(_stop(start, "no-project", "there is no requirements.txt here"), certainty="likely")
    if any(source.endswith(b".in") for source in sources) and not _switch("force", arguments, configured):
        return _stop(start, "bad-options", "it refuses .in files without --force")
    return None


def _python(
    arguments: Arguments, configured: Mapping[str, Any], own: Program, context: Context
) -> tuple[Python | End, tuple[str, ...]]:
    named = arguments.options.get("python-executable")
    because = "--python-executable names the Python"
    if named is None and isinstance(configured.get("python_executable"), str):
        named = configured["python_executable"].encode()
        because = "python_executable is configured"
    if not named:
        return pip.interpreter(own, context)[0], ("it works on the environment it is installed in",)
    target = program.find(named, context)
    if target is None:
        return End("stops", "interpreter-missing", (f"there is no {display_path(named)}",)), (because,)
    return pip.interpreter(target, context)[0], (because,)


def _flags(arguments: Arguments, configured: Mapping[str, Any]) -> tuple[bytes, ...] | None:
    text = arguments.options.get("pip-args")
    if text is None:
        more = configured.get("pip_args", "")
        text = more.encode() if isinstance(more, str) else b""
    try:
        parts = shlex.split(text.decode("utf-8", "surrogateescape"))
    except ValueError:
        return None
    user = (b"--user",) if _switch("user", arguments, configured) else ()
    return (*user, *(part.encode("utf-8", "surrogateescape") for part in parts))


def _switch(name: str, arguments: Arguments, configured: Mapping[str, Any]) -> bool:
    key = {"user": "user_only"}.get(name, name.replace("-", "_"))
    return arguments.has(name) or configured.get(key) is True or configured.get(name.replace("-", "_")) is True


def _configured(arguments: Arguments, context: Context) -> Mapping[str, Any] | None:
    """The tool's table, its ``sync`` part over it; empty without one, None when it cannot be read."""
    if arguments.has("no-config"):
        return {}
    path = _config_file(arguments, context)
    if path is None:
        return {}
    table = dict(context.documents.table(path, "tool", "pip-tools", mention=b"pip-tools"))
    part = table.pop("sync", {})
    if not isinstance(part, dict):
        return None
    table.pop("compile", None)
    return {key.lstrip("-").replace("-", "_").lower(): value for key, value in {**table, **part}.items()}


def _config_file(arguments: Arguments, context: Context) -> bytes | None:
    named = arguments.options.get("config")
    if named is not None:
        return context.path(named)
    for source in arguments.operands or [b"."]:
        path = context.disk.realpath(context.path(source))
        folder = path if context.disk.is_directory(path) else path.rpartition(b"/")[0]
        for name in (b".pip-tools.toml", b"pyproject.toml"):
            if context.disk.is_file(join(folder, name)):
                return join(folder, name)
    return None


def _stop(start: Prediction, reason: Reason, because: str) -> Prediction:
    return replace(start, outcome="stops", reason=reason, because=(because,))
