"""The values alight speaks of: frozen, typed, and the same on the wire, in memory and in JSON.

A path is ``bytes``: octets need not be UTF-8. Text that a person reads is ``str``.
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


class Finding(msgspec.Struct, frozen=True):
    """One fact a person should know, with the paths that show it."""

    code: Code
    severity: Severity
    message: str
    evidence: tuple[bytes, ...] = ()


class Environment(msgspec.Struct, frozen=True):
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


class Interpreter(msgspec.Struct, frozen=True):
    """A base Python that is not an environment."""

    executable: bytes
    prefix: bytes
    python_version: str
    origin: str
    externally_managed: bool = False


class Project(msgspec.Struct, frozen=True):
    """A directory with a marker; ``system`` is the tool its files name, or None."""

    root: bytes
    markers: tuple[str, ...]
    system: str | None = None


class WouldCreate(msgspec.Struct, frozen=True):
    """What makes the missing environment, and where it would be."""

    command: str
    prefix: bytes


class Alternative(msgspec.Struct, frozen=True):
    """Another environment that could have been the answer, and the rule that found it."""

    rule: str
    environment: Environment


class Step(msgspec.Struct, frozen=True):
    """One rule looked at on one level, for ``alight why``."""

    rule: str
    outcome: Outcome
    paths: tuple[bytes, ...]
    reason: str


class Resolution(msgspec.Struct, frozen=True):
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


class Answer(msgspec.Struct, frozen=True):
    """A resolution together with the user's decision about it; ``stamp`` is the file that holds the decision."""

    resolution: Resolution
    state: State
    reason: str = ""
    stamp: bytes = b""


class Stamp(msgspec.Struct, frozen=True):
    """The daemon's logical clock: ``epoch`` names one daemon process, ``generation`` counts what it learned."""

    epoch: str
    generation: int
