"""Which command makes the environment that a project does not have: read from its files, without a taste of its own."""

from __future__ import annotations

import shlex

from alight.cli.render import text_of
from alight.model import Resolution

TOOLS = {
    "uv": "uv sync",
    "poetry": "poetry install",
    "pdm": "pdm install",
    "pipenv": "pipenv install",
    "hatch": "hatch env create",
    "pixi": "pixi install",
    "conda": "conda env create -f environment.yml",
}
"""What each tool makes its environment with."""

_PACKAGED = ("pyproject.toml", "setup.py", "setup.cfg")


def creation(found: Resolution) -> str:
    """The command that makes an environment here, and the files that call for it.

    The tool that the files name; where they name none, what every Python has: uv is never suggested to a project
    that does not use it.
    """
    if found.would_create is not None:
        return found.would_create.command
    project = found.project
    if project is None:
        return f"{_plain(found)} makes one here"
    where = "" if project.root == found.directory else f", in {text_of(project.root)}"
    if project.system in TOOLS:
        manifest = next((name for name in project.markers if name in ("environment.yml", "environment.yaml")), "")
        command = TOOLS[project.system]
        if project.system == "conda" and manifest:
            command = f"conda env create -f {manifest}"
        return f"{command} makes one{where}: the project's files call for {project.system}"
    install, reason = _contents(project.markers)
    command = f"{_plain(found)} && .venv/bin/python -m pip install {install}" if install else _plain(found)
    return f"{command} makes one{where}: {reason}"


def _plain(found: Resolution) -> str:
    if found.interpreter is None:
        return "python3 -m venv .venv"
    return f"{shlex.quote(text_of(found.interpreter.executable))} -m venv .venv"


def _contents(markers: tuple[str, ...]) -> tuple[str, str]:
    """(what pip would be given, why)."""
    requirements = [name for name in markers if name.startswith("requirements") and name.endswith(".txt")]
    packaged = [name for name in _PACKAGED if name in markers]
    if "requirements.txt" in requirements or (requirements and not packaged):
        chosen = "requirements.txt" if "requirements.txt" in requirements else requirements[0]
        return f"-r {shlex.quote(chosen)}", f"{chosen} lists what it needs, and no file names a tool"
    if packaged:
        return "-e .", f"{packaged[0]} is here, and no file names a tool"
    locks = [name for name in markers if name.startswith("pylock.")]
    if locks:
        return "", f"{locks[0]} is then installed by the tool that wrote it"
    return "", "no file names a tool"
