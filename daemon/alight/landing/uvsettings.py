"""What uv is told beside its options: where it works, its variables and its configuration files (landing rules 1.5)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from alight.files.disk import join
from alight.files.documents import DOCUMENT_LIMIT
from alight.landing import python
from alight.landing.base import Context, Prediction, Program, Words
from alight.landing.uvoptions import Line, names
from alight.landing.uvrelease import version
from alight.model import Certainty, InstallAction, Reason
from alight.systems import uv as projects
from alight.systems.base import normalise

LEVELS_LIMIT = 64
TRUE = frozenset({"y", "yes", "t", "true", "on", "1"})
FALSE = frozenset({"n", "no", "f", "false", "off", "0"})
_KEYS = names(
    "add-bounds allow-insecure-host audit build-backend build-constraint-dependencies cache-dir cache-keys "
    "check-url compile-bytecode concurrent-builds concurrent-downloads concurrent-installs config-settings "
    "config-settings-package conflicts constraint-dependencies default-groups dependency-groups "
    "dependency-metadata dev-dependencies environments exclude-dependencies exclude-newer exclude-newer-package "
    "extra-build-dependencies extra-build-variables extra-index-url find-links fork-strategy http-proxy "
    "https-proxy index index-strategy index-url keyring-provider link-mode managed native-tls no-binary "
    "no-binary-package no-build no-build-isolation no-build-isolation-package no-build-package no-cache no-index "
    "no-proxy no-sources no-sources-package offline override-dependencies package pip prerelease "
    "prerelease-package preview preview-features publish-url pypy-install-mirror python-downloads "
    "python-downloads-json-url python-install-mirror python-preference reinstall reinstall-package "
    "required-environments required-version resolution sources system-certs torch-backend trusted-host "
    "trusted-publishing upgrade upgrade-package workspace"
)
"""Keys of ``uv.toml`` and ``[tool.uv]``; one that uv does not know makes it refuse the file."""

_PIP = {"python": str, "system": bool, "break-system-packages": bool, "target": str, "prefix": str}
CLASHING = frozenset({"system", "break-system-packages"})
"""Options whose variables, whatever their value, are taken for the option itself."""

_SWITCHES = names(
    "DEV FROZEN ISOLATED LOCKED MANAGED_PYTHON NATIVE_TLS NO_CONFIG NO_DEV NO_EDITABLE NO_ENV_FILE "
    "NO_INSTALLER_METADATA NO_INSTALL_LOCAL NO_INSTALL_PROJECT NO_INSTALL_WORKSPACE NO_MANAGED_PYTHON NO_PROGRESS "
    "NO_SYNC NO_SYSTEM_CONFIG OFFLINE PREVIEW SHOW_RESOLUTION SYSTEM_CERTS VENV_CLEAR VENV_RELOCATABLE VENV_SEED"
)
"""Variables, without their ``UV_``, that every command reads as switches."""

_PATHS = ("UV_PROJECT", "UV_WORKING_DIR", "UV_CONFIG_FILE")


class Refusal(Exception):
    """uv stops, or it cannot be known what it does: carries what a prediction says about that."""

    def __init__(self, outcome: str, reason: Reason, because: str) -> None:
        super().__init__(because)
        self.outcome = outcome
        self.reason: Reason = reason
        self.because = because


def stop(reason: Reason, because: str) -> Refusal:
    """Uv will refuse by itself."""
    return Refusal("stops", reason, because)


def unknown(reason: Reason, because: str) -> Refusal:
    """Nothing is said."""
    return Refusal("unknown", reason, because)


@dataclass(frozen=True, slots=True)
class Setting:
    """A value and what gave it."""

    value: Any
    source: str


@dataclass(frozen=True, slots=True)
class Surroundings:
    """Where one uv command works: ``context`` is in the directory it changes to first, without links in its path.

    ``project`` is where it begins to look for a project. ``settings`` are those of ``[tool.uv.pip]`` and, under their
    own names, the few others that matter. ``parent`` is the interpreter that runs ``python -m uv``.
    """

    context: Context
    line: Line
    project: bytes
    settings: Mapping[str, Setting]
    version: tuple[int, ...] | None
    parent: bytes | None
    explicit_project: bool = False

    def switch(self, option: str, variable: str) -> Setting | None:
        """An option that is on or off: the command line's, else the variable's, else the files'."""
        said = self.line.switch(option)
        if said is False and option in CLASHING and variable in self.context.variables:
            raise stop("bad-options", f"--no-{option} and {variable} exclude each other")
        if said is not None:
            return Setting(said, f"--{option}" if said else f"--no-{option}")
        value = boolean(variable, self.context) if variable else None
        if value is not None:
            return Setting(value, variable)
        return self.settings.get(option)

    def value(self, option: str, variable: str = "") -> Setting | None:
        """An option with a value, in the same order; the value in octets."""
        said = self.line.value(option)
        if said is not None:
            return Setting(said, f"--{option}")
        value = self.context.variable(variable) if variable else None
        if value is not None:
            return Setting(value, variable)
        return self.settings.get(option)


def boolean(name: str, context: Context) -> bool | None:
    """A variable that uv reads as a switch; set to anything else, even to nothing, it refuses to start."""
    value = context.variables.get(name)
    if value is None:
        return None
    text = value.decode("utf-8", "replace").lower()
    if text not in TRUE | FALSE:
        raise stop("bad-options", f"{name} is neither true nor false")
    return text in TRUE


def surroundings(line: Line, program: Program | None, context: Context) -> Surroundings:
    """Everything that holds for any command; raises ``Refusal``."""
    if line.opaque:
        raise unknown("unknown-word", "a word of the command is not known")
    if line.invalid:
        raise stop("bad-options", line.invalid)
    if line.strange:
        raise unknown("bad-options", f"uv {line.strange} is not known")
    if program is None:
        raise stop("no-such-command", "there is no uv on PATH")
    for name in _PATHS:
        if context.variables.get(name) == b"":
            raise stop("bad-options", f"{name} is set to nothing")
    for name in _SWITCHES:
        boolean(f"UV_{name}", context)
    disabled = boolean("UV_NO_CONFIG", context) or line.has("no-config")
    disabled = disabled or (line.has("isolated") and line.command.startswith("pip "))
    moved = line.value("directory") or context.variable("UV_WORKING_DIR")
    directory = context.disk.realpath(context.path(moved) if moved else context.directory)
    if not context.disk.is_directory(directory):
        raise stop("bad-options", "the directory of --directory does not exist")
    inside = replace(context, directory=directory)
    project, explicit = _project(line, inside)
    settings = {} if disabled and not _chosen(line, inside) else _settings(line, project, inside)
    return Surroundings(inside, line, project, settings, version(program, context), _parent(program, context), explicit)


def _parent(program: Program, context: Context) -> bytes | None:
    """The Python of ``python -m uv``, which tells the real uv about itself; uv is no script of a Python's otherwise."""
    if program.python is None:
        return None
    started = python.inspect(program.python, context)
    if started is not None and not python.has_module(started, "uv", context):
        raise stop("no-such-module", f"{_shown(program.python)} has no uv")
    return program.python


def _project(line: Line, context: Context) -> tuple[bytes, bool]:
    """Where the search for a project begins, and whether somebody said so."""
    chosen = line.value("project") or context.variable("UV_PROJECT")
    if chosen is not None:
        path = absolute(chosen, context)
        if path.endswith(b"/pyproject.toml") and context.disk.is_file(path):
            path = path.rpartition(b"/")[0] or b"/"
        if not context.disk.is_directory(path):
            raise stop("no-project", "the directory of --project does not exist")
        return path, True
    if line.command == "run" and line.words and line.words[0] is not None and not line.has("module"):
        script = line.words[0]
        path = absolute(script, context)
        named = line.has("script") or line.has("gui-script")
        if named or (context.disk.is_file(path) and script.lower().endswith((b".py", b".pyc", b".pyw"))):
            return path.rpartition(b"/")[0] or b"/", False
    return context.directory, False


def absolute(text: bytes, context: Context) -> bytes:
    """A path made absolute and without ``..``, by its text alone as uv does it."""
    parts: list[bytes] = []
    for part in normalise(context.path(text)).split(b"/")[1:]:
        if part == b"..":
            parts = parts[:-1]
        elif part:
            parts.append(part)
    return b"/" + b"/".join(parts)


def ancestors(path: bytes) -> Iterator[bytes]:
    """The directory and those above it."""
    for _ in range(LEVELS_LIMIT * 4):
        yield path
        if path == b"/":
            return
        path = path.rpartition(b"/")[0] or b"/"


def _settings(line: Line, project: bytes, context: Context) -> dict[str, Setting]:
    """The files' word, the project's before the user's before the system's; ``--config-file`` stands for all."""
    chosen = _chosen(line, context)
    if chosen is not None:
        path = context.path(chosen)
        if not context.disk.is_file(path):
            raise stop("bad-options", "the file of --config-file does not exist")
        return _flat(_table(path, context), path)
    local = {} if line.command.startswith("tool ") or line.command == "uvx" else _local(project, context)
    found = dict(local)
    for path in (join(context.facts().config_home(), b"uv/uv.toml"), _system(context)):
        if path and context.disk.is_file(path):
            for name, setting in _flat(_table(path, context), path).items():
                found.setdefault(name, setting)
    return found


def _chosen(line: Line, context: Context) -> bytes | None:
    return line.value("config-file") or context.variable("UV_CONFIG_FILE")


def _local(project: bytes, context: Context) -> dict[str, Setting]:
    """The nearest ``uv.toml``, or ``pyproject.toml`` with ``[tool.uv]``, from the workspace's root upward."""
    start = workspace(project, context)
    for level in ancestors(start or project):
        path = join(level, b"uv.toml")
        if context.disk.has(level, b"uv.toml") and context.disk.is_file(path):
            return _flat(_table(path, context), path)
        path = join(level, b"pyproject.toml")
        if context.disk.has(level, b"pyproject.toml") and context.disk.is_file(path):
            whole = context.documents.table(path, "tool", mention=b"uv")
            table = whole.get("uv")
            if isinstance(table, dict):
                if not _KEYS.issuperset(table):
                    # A key it does not know makes uv skip the file with a warning; a newer one may know it.
                    if "pip" in table:
                        raise unknown("unknown-settings", f"{_shown(path)} has keys that are not known")
                    continue
                return _flat(table, path)
    return {}


def workspace(project: bytes, context: Context) -> bytes | None:
    """The root of the workspace around the directory; None without one (landing rules 1.6)."""
    level = next((one for one in ancestors(project) if _manifest(one, context)), None)
    if level is None:
        return None
    table = context.documents.table(join(level, b"pyproject.toml"))
    own = context.documents.table(join(level, b"pyproject.toml"), "tool", "uv")
    if own.get("managed") is False or ("project" not in table and "workspace" not in own):
        return None
    return root_above(level, context)


def root_above(level: bytes, context: Context) -> bytes:
    """The workspace that the level belongs to: only the next ``pyproject.toml`` above can be its root."""
    path = join(level, b"pyproject.toml")
    if "workspace" in context.documents.table(path, "tool", "uv", mention=b"workspace") or level == b"/":
        return level
    above = next((one for one in ancestors(level.rpartition(b"/")[0] or b"/") if _manifest(one, context)), None)
    if above is None:
        return level
    return above if projects.workspace_root(level, context.facts()) == above else level


def _manifest(level: bytes, context: Context) -> bool:
    return context.disk.has(level, b"pyproject.toml") and context.disk.is_file(join(level, b"pyproject.toml"))


def _system(context: Context) -> bytes:
    if boolean("UV_NO_SYSTEM_CONFIG", context):
        return b""
    for directory in (context.variable("XDG_CONFIG_DIRS") or b"/etc/xdg").split(b":"):
        if not directory:
            break
        path = join(context.path(directory), b"uv/uv.toml")
        if context.disk.is_file(path):
            return path
    return b"/etc/uv/uv.toml"


def _table(path: bytes, context: Context) -> Mapping[str, Any]:
    table = context.documents.table(path)
    if not table and (context.disk.read(path, DOCUMENT_LIMIT) is None or b"=" in (context.disk.read(path) or b"")):
        raise stop("unknown-settings", f"{_shown(path)} cannot be read")
    if not _KEYS.issuperset(table):
        raise unknown("unknown-settings", f"{_shown(path)} has keys that are not known")
    return table


def _flat(table: Mapping[str, Any], path: bytes) -> dict[str, Setting]:
    found: dict[str, Setting] = {}
    pip = table.get("pip")
    for name, kind in _PIP.items():
        value = pip.get(name) if isinstance(pip, dict) else None
        if value is None:
            continue
        if not isinstance(value, kind):
            raise unknown("unknown-settings", f"{name} in {_shown(path)} is of the wrong type")
        setting = value.encode("utf-8", "surrogateescape") if isinstance(value, str) else value
        found[name] = Setting(setting, f"{name} in {_shown(path)}")
    for name in ("python-preference", "python-downloads", "cache-dir"):
        if isinstance(table.get(name), str):
            found[name] = Setting(table[name].encode(), f"{name} in {_shown(path)}")
    features = table.get("preview-features")
    if table.get("preview") is True or (isinstance(features, list) and "centralized-project-envs" in features):
        found["preview"] = Setting(True, f"preview in {_shown(path)}")
    return found


def _shown(path: bytes) -> str:
    return path.decode("utf-8", "backslashreplace")


def prediction(
    tool: str, action: InstallAction, argv: Words, outcome: str, reason: Reason, *because: str,
    certainty: Certainty = "sure",
) -> Prediction:  # fmt: skip
    """A prediction without a landing."""
    return Prediction(tool, action, octets(argv), outcome, reason, None, because, certainty)


def octets(argv: Words) -> tuple[bytes, ...]:
    """The words as they were typed, as far as they are known."""
    return tuple(word if word is not None else b"?" for word in argv)
