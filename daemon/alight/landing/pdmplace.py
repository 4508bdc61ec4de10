"""Which Python PDM takes: a saved one, the active environment's, the project's, or one it makes (rules 1.10)."""

from __future__ import annotations

import base64
import os
from collections.abc import Iterator
from dataclasses import replace

from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.version import InvalidVersion

from alight.digest import md5
from alight.files.disk import join
from alight.landing import program, schemes
from alight.landing.base import Context, Python
from alight.landing.pdmproject import Project, configured, truth
from alight.landing.python import inspect
from alight.landing.standing import NAMES, Standing, base_reason, is_conda, python_of, stop, unknown, version_of
from alight.model import Reason
from alight.systems import pdmsettings
from alight.text import display_path

_IN_PROJECT = (b".venv", b"venv", b"env")


def chosen(project: Project, context: Context, *, ignore_saved: bool = False) -> Standing:
    """The environment PDM works in, which it makes where nothing fits; raises ``Ending``."""
    settings = pdmsettings.read_settings(project.root, context.facts(project.root))
    use_venv = settings.use_venv
    saved = None if ignore_saved or truth("PDM_IGNORE_SAVED_PYTHON", context) else _saved(project, context)
    if saved is not None:
        return _environment(saved[0], saved[1], project, use_venv, context)
    if project.is_global or not use_venv:
        return _interpreted(project, use_venv, context)
    active = _active(project, context)
    if active is not None:
        return _environment(*active, project, use_venv, context)
    found = _candidates(project, settings, context)
    if found is not None:
        because = f"{display_path(found.prefix)} is the project's own"
        return _environment(found, because, project, use_venv, context)
    if context.disk.exists(join(project.root, b"__pypackages__")):
        return _interpreted(project, use_venv, context)
    return _made(project, settings, context)


def _fits(python: Python, project: Project, context: Context) -> bool:
    """Whether it is what the project asks for; raises ``Ending`` when its version is not known well enough."""
    if not project.requirement:
        return True
    version = version_of(python, context)
    try:
        allowed = SpecifierSet(project.requirement)
        ends = (version,) if version.count(".") > 1 else (version + ".0", version + ".999")
        answers = {allowed.contains(end, prereleases=True) for end in ends}
    except (InvalidSpecifier, InvalidVersion):
        raise unknown("unknown-settings", "requires-python or a Python's version cannot be read") from None
    if len(answers) > 1:
        raise unknown("unknown-settings", f"it is not known whether Python {version} will do")
    return answers.pop()


def _saved(project: Project, context: Context) -> tuple[Python, str] | None:
    """The interpreter of ``$PDM_PYTHON`` or of ``.pdm-python``, and what says so; None when PDM drops it."""
    text, because = context.variable("PDM_PYTHON"), "PDM_PYTHON is set"
    if text is None:
        path = join(project.root, b".pdm-python")
        because = f"{display_path(path)} names it"
        if context.disk.exists(path):
            text = (context.disk.read(path) or b"").strip()
        else:
            old = join(project.root, b".pdm.toml")
            because = f"{display_path(old)} names it"
            known = context.documents.table(old, "python", mention=b"path").get("path")
            text = os.fsencode(known) if isinstance(known, str) else None
    if not text:
        return None
    python = _started(context.path(text), context)
    return None if python is None or not _fits(python, project, context) else (python, because)


def _started(executable: bytes, context: Context) -> Python | None:
    """The Python that runs when this file does."""
    found = program.find(executable, context) if context.disk.exists(executable) else None
    if found is None or found.python is None or found.problem is not None:
        return None
    return inspect(found.python, context.inside(context.directory, **found.variables))


def _active(project: Project, context: Context) -> tuple[Python, str] | None:
    variables = context.variables
    name = "VIRTUAL_ENV" if "VIRTUAL_ENV" in variables else "CONDA_PREFIX"
    active = variables.get(name, b"")
    if not active or truth("PDM_IGNORE_ACTIVE_VENV", context) or variables.get("CONDA_DEFAULT_ENV") == b"base":
        return None
    executable = join(context.path(active), b"bin/python")
    python = inspect(executable, context) if context.disk.exists(executable) else None
    if python is None or not _fits(python, project, context):
        return None
    return python, f"{name} is {display_path(active)}, which PDM takes before the project's own"


def _candidates(project: Project, settings: pdmsettings.Settings, context: Context) -> Python | None:
    """The first of the project's own environments that will do; raises ``Ending`` when PDM's order is not known."""
    found = next((python for python in _in_project(project, context)), None)
    if found is not None and _usable(found, project, context):
        return found
    pooled = [python for python in _pooled(project, settings, context) if _usable(python, project, context)]
    if len(pooled) > 1:
        raise unknown("unknown-settings", f"PDM has {len(pooled)} environments for this project")
    return pooled[0] if pooled else None


def _usable(python: Python, project: Project, context: Context) -> bool:
    active = context.variables.get("VIRTUAL_ENV", context.variables.get("CONDA_PREFIX", b""))
    if active and truth("PDM_IGNORE_ACTIVE_VENV", context):
        inside = join(context.path(active).rstrip(b"/"), b"")
        if python.executable.startswith(inside):
            return False
    return _fits(python, project, context)


def _in_project(project: Project, context: Context) -> Iterator[Python]:
    for name in _IN_PROJECT:
        prefix = join(project.root, name)
        if context.disk.exists(join(prefix, b"bin/python")):
            python = python_of(prefix, context)
            if python is None:
                raise unknown("unknown-settings", f"the Python of {display_path(prefix)} is not known")
            yield python
            return


def _pooled(project: Project, settings: pdmsettings.Settings, context: Context) -> Iterator[Python]:
    beginning = _beginning(project.root)
    if context.disk.names(settings.location) is None:
        raise unknown("unknown-settings", f"{display_path(settings.location)} is too large to list")
    for name in context.disk.folders(settings.location):
        prefix = join(settings.location, name)
        if name.startswith(beginning) and context.disk.exists(join(prefix, b"bin/python")):
            python = python_of(prefix, context)
            if python is not None:
                yield python


def _beginning(root: bytes) -> bytes:
    digest = md5(root).digest()
    return root.rpartition(b"/")[2] + b"-" + base64.urlsafe_b64encode(digest)[:8] + b"-"


def _environment(python: Python, because: str, project: Project, use_venv: bool, context: Context) -> Standing:
    """What PDM installs into with this interpreter: its environment, its base's packages, or ``__pypackages__``."""
    if project.is_global:
        return _global(python, because, context)
    active = "VIRTUAL_ENV" in because or "CONDA_PREFIX" in because
    # Whatever an active variable points around is an environment to PDM.
    surrounds = any(
        value and python.executable.startswith(join(context.path(value).rstrip(b"/"), b""))
        for value in (context.variables.get("VIRTUAL_ENV"), context.variables.get("CONDA_PREFIX"))
    )
    if use_venv and (python.kind != "base" or surrounds):
        reason: Reason = "active-over-project" if active else "project-environment"
        return Standing(python.prefix, (because,), reason, python)
    return _local(python, because, project, context)


def _local(python: Python, because: str, project: Project, context: Context) -> Standing:
    """PEP 582."""
    name = python.library.removeprefix(b"python")
    if not python.minor or python.library.startswith(b"pypy"):
        raise unknown("unknown-settings", "the version of the Python is not known")
    prefix = join(project.root, b"__pypackages__/" + name)
    because = f"{because}; it is in no environment, so __pypackages__ is used"
    return Standing(prefix, (because,), python=python, packages=join(prefix, b"lib"),
                    creates=not context.disk.is_directory(prefix))  # fmt: skip


def _global(python: Python, because: str, context: Context) -> Standing:
    conda = context.variables.get("CONDA_PREFIX", b"").rstrip(b"/")
    if context.variable("CONDA_DEFAULT_ENV") == b"base" and python.executable.startswith(join(conda, b"")):
        raise stop("bad-options", "PDM refuses conda's base for the global project")
    user_site = configured(("global_project", "user_site"), context.directory, context, private=True)
    if python.kind == "base" and pdmsettings.truth(user_site or False):
        landing = schemes.land(python, context, user=True)
        return Standing(landing.prefix, (because, "global_project.user_site is on"), "user-site", python,
                        packages=landing.purelib)  # fmt: skip
    return Standing(python.prefix, (because, "the global project is that Python itself, marked or not"),
                    base_reason(python, context), python)  # fmt: skip


def _interpreted(project: Project, use_venv: bool, context: Context) -> Standing:
    python = _first(project, context)
    if python is None:
        raise unknown("unknown-settings", "it is not known which Python PDM takes")
    because = f"{display_path(python.executable)} is the first Python that PDM finds"
    return _environment(python, because, project, use_venv, context)


def _made(project: Project, settings: pdmsettings.Settings, context: Context) -> Standing:
    python = _first(project, context)
    library = b"" if python is None else python.library
    if python is None and not _is_elsewhere(project, context):
        raise unknown("unknown-settings", "the first Python does not fit, and PDM looks for others, or fetches one")
    if settings.in_project:
        because = "no environment of the project fits, so .venv is made"
        return Standing(join(project.root, b".venv"), (because,), creates=True, library=library,
                        sure=python is not None)  # fmt: skip
    if python is None:
        raise unknown("unknown-settings", "it is not known which Python PDM takes for a new environment")
    name = _beginning(project.root) + python.library.removeprefix(b"python")
    because = "no environment of the project fits, so one is made in PDM's pool"
    return Standing(join(settings.location, name), (because,), creates=True, library=library)


def _first(project: Project, context: Context) -> Python | None:
    """The first interpreter that PDM tries, where that one will do; None when it looks further, or elsewhere."""
    if _is_elsewhere(project, context):
        return None
    plain = replace(context, hashed={})
    pyenv = context.facts().override_path("PYENV_ROOT") or join(context.home, b".pyenv")
    words = [join(pyenv, b"shims/python3"), join(pyenv, b"shims/python")]
    found = next((word for word in words if context.disk.exists(word)), None)
    if found is None:
        found = next((word for name in NAMES if (word := program.on_path(name, plain)) is not None), None)
    python = None if found is None else _started(found, plain)
    if python is None:
        return None
    return python if _fits(python, project, context) else None


def _is_elsewhere(project: Project, context: Context) -> bool:
    """Whether something else than PATH says which Python is tried first."""
    named = context.variable("PDM_PYTHON_VERSION") is not None
    if named or context.disk.exists(join(project.root, b".python-version")):
        return True
    return any(configured(("python", key), project.root, context) is not None for key in ("use_pyenv", "providers"))


def scripts_of(standing: Standing) -> bytes:
    """Where the environment's programs are."""
    return join(standing.prefix, b"bin")


def variables_of(standing: Standing, project: Project, context: Context) -> dict[str, bytes]:
    """What ``pdm run`` sets for what it starts, PATH included."""
    python = standing.python
    path = [scripts_of(standing), context.variables.get("PATH", b"")]
    found = {"PDM_PROJECT_ROOT": project.root, "PDM_RUN_CWD": context.directory}
    if python is not None:
        path.append(python.executable.rpartition(b"/")[0])
    if standing.packages is None and (standing.creates or (python is not None and python.kind != "base")):
        found["CONDA_PREFIX" if is_conda(standing.prefix, context) else "VIRTUAL_ENV"] = standing.prefix
    return {**found, "PATH": b":".join(path)}
