"""The values alight speaks of: frozen, typed, and the same on the wire, in memory and in JSON.

A path is ``bytes``: octets need not be UTF-8. Text that a person reads is ``str``. None of them can be part of a cycle,
and thousands are kept: the collector leaves them alone.
"""

from __future__ import annotations

from typing import Literal

import msgspec

Kind = Literal["venv", "conda", "pep582"]
Confidence = Literal["certain", "high", "medium", "low", "guess"]
Severity = Literal["error", "warning", "info"]
Condition = Literal["none", "missing", "broken", "found"]
State = Literal["none", "missing", "broken", "denied", "untrusted", "trusted"]
PromptState = Literal["mismatch", "broken", "untrusted", "active", "inactive", "none"]
Owner = Literal["", "alight", "user", "inherited", "direnv", "mise", "vscode", "pyenv"]
Switch = Literal["on", "off", "paused"]
Action = Literal["keep", "enter", "leave", "adopt", "clean"]
Act = Literal["run", "say", "ask", "stop"]
GuardMode = Literal["ask", "warn", "block", "off"]
Outcome = Literal["hit", "miss", "skipped"]
Code = Literal[
    # health: about one environment
    "interpreter-missing",  # bin/python is absent
    "interpreter-dangling",  # bin/python is a link to nothing
    "base-missing",  # the directory named by `home` is gone
    "config-unreadable",  # pyvenv.cfg is no regular file, too large, or has no `home`
    "site-packages-missing",  # half-made: no lib/pythonX.Y/site-packages
    "python-changed",  # base is another X.Y than the site-packages directory
    "moved",  # made under another path; its scripts point there
    "not-owned",  # belongs to another user, or is writable by others
    "unsafe-path",  # the path cannot stand in PATH or holds control octets
    "history-missing",  # half-made: conda-meta without history
    "python-patched",  # the base interpreter is another X.Y.Z than when the environment was made
    "homebrew-cellar",  # goes through Homebrew's Cellar: the next upgrade breaks it
    "duplicate-metadata",  # two dist-infos of one distribution
    "half-installed",  # pip's stash, or a dist-info without RECORD
    "pip-over-conda",  # pip's files over a conda package's
    "pip-in-conda",  # packages that conda did not install
    "system-site-packages",  # the base interpreter's packages show through
    # findings: about the place
    "requires-python",  # the environment's Python is outside requires-python
    "pinned-python",  # .python-version names another Python
    "pointer-invalid",  # a .venv file or .python-envs line leads nowhere
    "ambiguous",  # several candidates of the same rank
    "two-lock-files",  # several tools claim the project
    "dual-environment",  # a venv and a conda environment for one project
    "pin-unknown",  # a pin names a Python or an environment that is not installed
    "settings-unreadable",  # a tool's configuration file cannot be used
    "activation-ignored",  # the manifest asks for scripts or variables that alight does not run
    "lock-stale",  # the lock file does not belong to this manifest
    "lock-mismatch",  # another version is installed than the lock file says
    "lock-missing",  # locked and not installed
    "lock-extra",  # installed and not locked, where the tool would remove it
    # findings: about the shell
    "inside-conda",  # a venv is on inside an active conda environment
    "conda-base-active",  # conda's base lies beneath
    "conda-stack-broken",  # CONDA_SHLVL without the CONDA_PREFIX variables that belong to it
    "other-active",  # another environment than the project's is on
    "cuda-shadowed",  # LD_LIBRARY_PATH puts a system CUDA before the environment's own
    "cuda-home",  # CUDA_HOME names another CUDA than the environment's own
    "python-variables",  # PYTHONHOME or PYTHONPATH reaches into the environment
]

EventKind = Literal[
    "environment-created",
    "environment-deleted",
    "environment-recreated",  # another one at the same path
    "environment-changed",  # the project has another one now, and both are there
    "environment-broken",
    "environment-healed",
    "interpreter-changed",  # its Python, or without an environment the one that a version file asks for
    "packages-changed",
    "lock-changed",
    "manifest-changed",  # a file that says what the project needs
    "settings-changed",  # a file of the project's that chooses a Python or the place of the environment
    "trust-changed",
]
Verdict = Literal["none", "refused", "unknown", "global", "wrong-env", "mixed", "ok"]
LandingKind = Literal["venv", "conda", "pep582", "base", "user", "directory", "tool"]
Scheme = Literal["venv", "conda", "base", "posix_local", "user", "target", "prefix", "root", "project", "tool"]
Certainty = Literal["sure", "likely", "unknown"]
InstallAction = Literal["install", "uninstall", "sync", "create", "other"]
Reason = Literal[
    # it lands where it should, or nowhere
    "project-environment",  # the environment that belongs to the directory
    "active-environment",  # no project has an opinion, and this one is on
    "explicit-directory",  # --target, --prefix, --root
    "creates-environment",  # the tool will make the environment first
    "isolated-tool",  # pipx, uv tool: an environment of the tool's own
    "no-landing",  # downloads, locks, shows or only pretends
    "explicit-environment",  # named by an option or a variable
    # a base Python
    "system-python",  # the distribution's or the platform's
    "homebrew-python",
    "pyenv-global",  # a version of pyenv's that is no environment
    "managed-python",  # uv's, mise's, asdf's or another tool's
    "conda-base",
    "user-site",  # ~/.local, or what PYTHONUSERBASE names
    # another environment than the project's
    "other-project",  # another project's environment
    "stale-virtual-env",  # VIRTUAL_ENV still names another one
    "active-over-project",  # this tool takes the active environment before the project's
    "uv-pip-elsewhere",  # `uv pip` chooses by its own rules
    "moved-environment",  # its scripts point to where it was
    "copied-environment",  # its scripts point to the original
    # falls through
    "active-without-pip",  # the active environment has no pip: the next one on PATH is taken
    "runner-without-pip",  # `uv run pip`: the runner's environment has none
    "pyenv-lacks-version",  # .python-version names what pyenv does not have
    "stale-hash",  # the shell remembers another file than PATH gives
    # right prefix, another package manager's
    "pip-in-conda",
    # the tool stops by itself
    "externally-managed",  # PEP 668
    "require-virtualenv",
    "no-such-command",
    "no-such-module",
    "interpreter-missing",  # the script's first line names a Python that is gone
    "not-writable",
    "bad-options",  # options that exclude each other or do not exist
    "no-project",  # the tool needs a project and finds none
    "no-environment",  # the tool needs an environment and finds none
    "frozen-environment",  # conda-meta/frozen
    # cannot be known
    "unknown-word",  # a word that only the shell can expand
    "opaque-line",  # eval, a sourced script, a line too long or too deep
    "unknown-program",  # not one whose rules are known
    "unknown-settings",  # a configuration that cannot be read, or a version whose rules differ
    "other-user",  # sudo: rules of another user
]
"""Why an install lands where it does; each is one sentence in the README."""


class Finding(msgspec.Struct, frozen=True, gc=False):
    """One fact a person should know, with the paths that show it."""

    code: Code
    severity: Severity
    message: str
    evidence: tuple[bytes, ...] = ()


class Environment(msgspec.Struct, frozen=True, gc=False):
    """A prefix with its own site-packages.

    ``python_version`` is the base interpreter's where it can be read, else the one recorded at creation, else "".
    """

    prefix: bytes
    kind: Kind
    system: str
    name: str
    python_version: str
    interpreter: bytes
    base: bytes | None
    site_packages: tuple[bytes, ...]
    health: tuple[Finding, ...] = ()

    @property
    def broken(self) -> bool:
        """True when a finding says that the environment cannot be used."""
        return any(finding.severity == "error" for finding in self.health)


class Interpreter(msgspec.Struct, frozen=True, gc=False):
    """A base Python that is not an environment."""

    executable: bytes
    prefix: bytes
    python_version: str
    origin: str
    externally_managed: bool = False


class Project(msgspec.Struct, frozen=True, gc=False):
    """A directory with a marker; ``system`` is the tool its files name, or None."""

    root: bytes
    markers: tuple[str, ...]
    system: str | None = None


class WouldCreate(msgspec.Struct, frozen=True, gc=False):
    """What makes the missing environment, and where it would be."""

    command: str
    prefix: bytes


class Alternative(msgspec.Struct, frozen=True, gc=False):
    """Another environment that could have been the answer, and the rule that found it."""

    rule: str
    environment: Environment


class Step(msgspec.Struct, frozen=True, gc=False):
    """One rule looked at on one level, for ``alight why``."""

    rule: str
    outcome: Outcome
    paths: tuple[bytes, ...]
    reason: str


class Resolution(msgspec.Struct, frozen=True, gc=False):
    """What belongs to a directory, before trust: a pure function of (directory, disk, override variables).

    ``linked`` says that the environment lies in a pool of the user's and itself names this project: its path carries
    the project's hash, or a file in it says so. A name in a project's file is no link.
    """

    directory: bytes
    project: Project | None
    environment: Environment | None
    interpreter: Interpreter | None
    condition: Condition
    would_create: WouldCreate | None
    rule: str
    confidence: Confidence
    evidence: tuple[bytes, ...] = ()
    linked: bool = False
    alternatives: tuple[Alternative, ...] = ()
    findings: tuple[Finding, ...] = ()
    trail: tuple[Step, ...] = ()

    @property
    def root(self) -> bytes:
        """The project's root; without a project, the directory that holds the environment; else b""."""
        if self.project is not None:
            return self.project.root
        if self.environment is not None:
            return self.environment.prefix.rpartition(b"/")[0] or b"/"
        return b""


class Answer(msgspec.Struct, frozen=True, gc=False):
    """A resolution together with the user's decision about it; ``stamp`` is the file that holds the decision."""

    resolution: Resolution
    state: State
    reason: str = ""
    stamp: bytes = b""


class Landing(msgspec.Struct, frozen=True, gc=False):
    """Where a command would write packages; ``purelib`` is the directory that gets the dist-info.

    ``interpreter`` is None where none is involved or it is not known; ``exists`` is False when the tool makes it first.
    """

    interpreter: bytes | None
    prefix: bytes
    scheme: Scheme
    purelib: bytes | None
    kind: LandingKind
    name: str
    exists: bool = True


class Expected(msgspec.Struct, frozen=True, gc=False):
    """The environment a command should use: the project's, or without one the active environment."""

    prefix: bytes
    exists: bool


class Install(msgspec.Struct, frozen=True, gc=False):
    """One installer command on a line and what is to be said about it.

    ``because`` are the facts that decided, in order. ``instead`` are the words that land in the expected environment,
    and ``span`` the octets of the typed line that they replace; both None when there is nothing to offer.
    """

    tool: str
    action: InstallAction
    argv: tuple[bytes, ...]
    directory: bytes
    landing: Landing | None
    expected: Expected | None
    verdict: Verdict
    confidence: Certainty
    reason: Reason
    because: tuple[str, ...]
    message: str
    instead: tuple[bytes, ...] | None = None
    span: tuple[int, int] | None = None


class Event(msgspec.Struct, frozen=True, gc=False):
    """Something that happened to what belongs to ``root``, which is a directory without a marker where there is none.

    ``sequence`` counts one daemon's events; ``time_ns`` is the wall clock's.
    """

    sequence: int
    time_ns: int
    kind: EventKind
    root: bytes
    prefix: bytes | None
    message: str


class Stamp(msgspec.Struct, frozen=True, gc=False):
    """The daemon's logical clock: ``epoch`` names one daemon process, ``generation`` counts what it learned."""

    epoch: str
    generation: int
