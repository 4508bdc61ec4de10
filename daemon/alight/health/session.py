"""The shell around an environment, judged by the variables that a command sent.

What is switched on never decides which environment belongs to a folder; here it is compared with it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from alight.files.disk import Disk, join
from alight.health import cuda
from alight.health.packages import Installed
from alight.model import Environment, Finding, Resolution

GUESSES = frozenset({"child-prefix"})
"""Rules whose candidates are no more than a guess."""

_LIBRARY = re.compile(rb"/(?:site|dist)-packages/?\Z")
_STACK_KNOWN = 2
"""Numbers of CONDA_PREFIX_N that are sent."""

Variables = Mapping[str, bytes]


def dual(resolution: Resolution) -> Iterator[Finding]:
    """A venv and a conda environment that both belong to this project."""
    chosen = resolution.environment
    if chosen is None or chosen.kind == "pep582" or resolution.rule == "inside-environment":
        return
    for other in resolution.alternatives:
        environment = other.environment
        if environment.broken or {chosen.kind, environment.kind} != {"venv", "conda"} or _is_guess(other.rule):
            continue
        unlike = _minor(chosen) and _minor(environment) and _minor(chosen) != _minor(environment)
        pythons = f" ({_minor(chosen)} and {_minor(environment)})" if unlike else ""
        owner = resolution.project.system if resolution.project is not None else None
        called_for = f", the project's files call for {owner}" if owner else ""
        message = (
            f"the project has a {_kind(chosen)} and a {_kind(environment)}{pythons}: what one installs the other does "
            f"not see; alight uses {_shown(chosen.prefix)}{called_for}; remove the one you do not want"
        )
        yield Finding("dual-environment", "warning", message, (chosen.prefix, environment.prefix))
        return


def around(resolution: Resolution, variables: Variables, present: Installed, disk: Disk) -> Iterator[Finding]:
    """Everything about the shell that a person at its prompt should know."""
    yield from _stack(variables)
    yield from _active(resolution, variables, disk)
    yield from _python(resolution, variables)
    if resolution.environment is not None:
        yield from cuda.shadowed(resolution.environment, present, variables, disk)


def _active(resolution: Resolution, variables: Variables, disk: Disk) -> Iterator[Finding]:
    venv, conda = _path(variables, "VIRTUAL_ENV"), _path(variables, "CONDA_PREFIX")
    own = resolution.environment
    base = bool(conda) and _is_base(conda, variables, disk)
    active = venv or (b"" if base else conda)
    if own is not None and active and not _same(active, own.prefix, disk):
        message = (
            f"{_shown(active)} is switched on, the folder's own is {_shown(own.prefix)}; "
            f"{'`deactivate`' if venv else '`conda deactivate`'} leaves it"
        )
        yield Finding("other-active", "warning", message, (active, own.prefix))
    if venv and conda and not base and not _same(venv, conda, disk):
        message = (
            f"{_shown(venv)} is on inside the conda environment {_shown(conda)}: conda's programs and libraries stay "
            "reachable beneath it; `conda deactivate` first, then switch on the venv"
        )
        yield Finding("inside-conda", "warning", message, (venv, conda))
    if base and not (own is not None and _same(conda, own.prefix, disk)):
        message = (
            f"conda's base {_shown(conda)} lies beneath: what the environment does not have is taken from there; "
            "`conda config --set auto_activate_base false` keeps it off in new shells"
        )
        yield Finding("conda-base-active", "info", message, (conda,))


def _stack(variables: Variables) -> Iterator[Finding]:
    level, prefix = variables.get("CONDA_SHLVL", b""), _path(variables, "CONDA_PREFIX")
    if not level:
        return
    number = int(level) if level.isdigit() and len(level) < 4 else -1
    wrong = ""
    if number < 0:
        wrong = f"CONDA_SHLVL is {_shown(level)!r}"
    elif number > 0 and not prefix:
        wrong = f"CONDA_SHLVL is {number} but CONDA_PREFIX is not set"
    elif number == 0 and prefix:
        wrong = "CONDA_SHLVL is 0 but CONDA_PREFIX is set"
    else:
        below = [one for one in range(1, min(number - 1, _STACK_KNOWN) + 1) if not variables.get(f"CONDA_PREFIX_{one}")]
        if below:
            wrong = f"CONDA_SHLVL is {number} but CONDA_PREFIX_{below[0]} is not set"
    if wrong:
        message = f"{wrong}: `conda deactivate` cannot find its way back; open a new shell, or `unset CONDA_SHLVL`"
        yield Finding("conda-stack-broken", "warning", message, (prefix,) if prefix else ())


def _python(resolution: Resolution, variables: Variables) -> Iterator[Finding]:
    home = variables.get("PYTHONHOME", b"")
    if home:
        message = (
            f"PYTHONHOME is {_shown(home)}: every Python takes its standard library from there, and environments do "
            "not start; `unset PYTHONHOME`"
        )
        yield Finding("python-variables", "warning", message, (home,))
    root, own = resolution.root, resolution.environment
    entries = dict.fromkeys(entry for entry in variables.get("PYTHONPATH", b"").split(b":") if entry)
    # A project's own folders on PYTHONPATH are how many run their code uninstalled.
    outside = [entry for entry in entries if entry.startswith(b"/") and not (root and _below(entry, root))]
    if own is not None:
        outside = [entry for entry in outside if not _below(entry, own.prefix)]
    if outside:
        libraries = [entry for entry in outside if _LIBRARY.search(entry)]
        first = (libraries or outside)[0]
        message = f"PYTHONPATH puts {_shown(first)} before every environment's packages; `unset PYTHONPATH`"
        yield Finding("python-variables", "warning" if libraries else "info", message, tuple(outside[:4]))


def _is_base(prefix: bytes, variables: Variables, disk: Disk) -> bool:
    program = variables.get("CONDA_EXE", b"")
    return (
        variables.get("CONDA_DEFAULT_ENV") == b"base"
        or prefix in {variables.get("_CONDA_ROOT"), variables.get("MAMBA_ROOT_PREFIX")}
        or (program.startswith(b"/") and program.rpartition(b"/")[0].rpartition(b"/")[0] == prefix)
        or disk.is_directory(join(prefix, b"condabin"))
    )


def _is_guess(rule: str) -> bool:
    return rule in GUESSES or "guess" in rule or "same-name" in rule


def _path(variables: Variables, name: str) -> bytes:
    value = variables.get(name, b"")
    return value.rstrip(b"/") or b"/" if value.startswith(b"/") else b""


def _same(one: bytes, other: bytes, disk: Disk) -> bool:
    return one == other or disk.realpath(one) == disk.realpath(other)


def _below(path: bytes, directory: bytes) -> bool:
    return path == directory or path.startswith(join(directory, b""))


def _minor(environment: Environment) -> str:
    return ".".join(environment.python_version.split(".")[:2])


def _kind(environment: Environment) -> str:
    return "conda environment" if environment.kind == "conda" else "venv"


def _shown(path: bytes) -> str:
    return path.decode("utf-8", "backslashreplace")
