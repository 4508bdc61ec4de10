"""Which command makes an environment anew with a Python that the project allows."""

from __future__ import annotations

import shlex
from collections.abc import Mapping

import msgspec
from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.version import InvalidVersion

from alight import projects
from alight.files.disk import Disk
from alight.files.documents import Documents
from alight.interpreters import list_interpreters, release
from alight.model import Environment, Finding, Interpreter, Resolution
from alight.systems.base import Facts

COMMANDS = {
    "uv": "uv sync --python {minor}",
    "poetry": "poetry env use {executable} && poetry install",
    "pipenv": "pipenv --python {executable} install",
    "pdm": "pdm use -f {executable} && pdm install",
    "conda": "conda install python={minor}",
    "pixi": "pixi add python={minor}",
}
"""How the tool that owns the environment gives it another Python; {executable} is a path for a shell."""

ANOTHER = ("requires-python", "pinned-python")


def with_remedies(resolution: Resolution, variables: Mapping[str, bytes], disk: Disk) -> tuple[Finding, ...]:
    """The resolution's findings; those about a wrong Python say what makes the environment with a right one."""
    environment = resolution.environment
    wrong = [finding for finding in resolution.findings if finding.code in ANOTHER]
    if environment is None or not wrong:
        return resolution.findings
    chosen = _fitting(resolution, wrong, variables, disk)
    remedy = "no Python that fits is installed"
    if chosen is not None:
        remedy = f"`{_command(environment, resolution, chosen)}` makes it anew"
    return tuple(
        msgspec.structs.replace(finding, message=f"{finding.message}; {remedy}") if finding in wrong else finding
        for finding in resolution.findings
    )


def _fitting(
    resolution: Resolution, wrong: list[Finding], variables: Mapping[str, bytes], disk: Disk
) -> Interpreter | None:
    """The newest Python here that satisfies the requirement and the pin."""
    home = variables.get("HOME", b"/")
    facts = Facts(disk, variables, home, resolution.directory, Documents(disk))
    requirement, _ = projects.requires_python(resolution.root, facts)
    pins = [
        projects.pin(path.rpartition(b"/")[0], facts)
        for finding in wrong
        if finding.code == "pinned-python"
        for path in finding.evidence
    ]
    wanted = [pin.version for pin in pins if pin is not None]
    fitting = [
        one
        for one in list_interpreters(disk, variables, home)
        if _allows(requirement, one.python_version)
        and all(one.python_version == pin or one.python_version.startswith(pin + ".") for pin in wanted)
    ]
    return max(fitting, key=lambda one: release(one.python_version), default=None)


def _allows(requirement: str, version: str) -> bool:
    try:
        return SpecifierSet(requirement).contains(version, prereleases=True)
    except (InvalidSpecifier, InvalidVersion):
        return False


def _command(environment: Environment, resolution: Resolution, chosen: Interpreter) -> str:
    owner = environment.system
    if resolution.project is not None and resolution.project.system in COMMANDS:
        owner = resolution.project.system
    executable = shlex.quote(chosen.executable.decode("utf-8", "backslashreplace"))
    minor = ".".join(chosen.python_version.split(".")[:2])
    if environment.kind == "conda" and owner not in {"conda", "pixi"}:
        owner = "conda"
    if owner in COMMANDS:
        return COMMANDS[owner].format(executable=executable, minor=minor)
    prefix = shlex.quote(environment.prefix.decode("utf-8", "backslashreplace"))
    return f"{executable} -m venv --clear {prefix}"
