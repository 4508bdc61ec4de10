"""What a Python is called when it is spoken of to a person."""

from __future__ import annotations

from alight.files.disk import Disk
from alight.landing.base import Context, Python
from alight.systems import condaroots, pyvenv
from alight.text import display_path

_VENDORS = {
    "debian": "Debian Python", "system": "system Python", "local": "Python", "homebrew": "Homebrew Python",
    "pyenv": "pyenv", "uv": "uv's Python", "mise": "mise's Python", "asdf": "asdf's Python", "hatch": "Hatch's Python",
    "poetry": "Poetry's Python", "pdm": "PDM's Python", "python.org": "python.org Python",
    "commandlinetools": "Apple's Python", "xcode": "Apple's Python", "": "Python",
}  # fmt: skip
_GENERIC = frozenset({b".venv", b"venv", b"env", b".env"})


def display_name(python: Python, context: Context) -> str:
    """A vendor and a version ("Debian Python 3.11", "pyenv 3.12.1"), or an environment's own name."""
    if python.kind == "venv":
        return environment_name(python.prefix, context.disk)
    if python.kind == "conda":
        name = condaroots.name_of(python.prefix, context.facts())
        return f"conda {display_path(python.prefix) if name.startswith('/') else pyvenv.clean(name)}"
    version = python.minor
    if python.origin == "pyenv":
        version = display_path(python.prefix.rpartition(b"/")[2]) or version
    return f"{_VENDORS.get(python.origin, 'Python')} {version}".rstrip()


def environment_name(prefix: bytes, disk: Disk) -> str:
    """The prompt its ``pyvenv.cfg`` gives, else its directory's name; a usual name says nothing, the project's does."""
    settings = pyvenv.read_settings(prefix, disk) or {}
    prompt = pyvenv.clean(pyvenv.unquote(settings.get("prompt", b"")))
    if prompt and prompt != ".":
        return prompt
    parent, _, name = prefix.rpartition(b"/")
    return display_path(parent.rpartition(b"/")[2] or name) if name in _GENERIC else display_path(name)
