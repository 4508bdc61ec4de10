"""Where base Pythons are put, by whom (discovery rules 1.3-1.6, 1.9, 1.12)."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass

from alight.files.disk import join

FRAMEWORKS = b"/Library/Frameworks/Python.framework/Versions"
"""python.org's installers."""

APPLE_FRAMEWORK = b"Library/Frameworks/Python3.framework/Versions"
"""Apple's own Python below a developer directory; ``/usr/bin/python3`` is only a stub that starts it."""

DEVELOPER: tuple[tuple[bytes, str], ...] = (
    (b"/Library/Developer/CommandLineTools", "commandlinetools"),
    (b"/Applications/Xcode.app/Contents/Developer", "xcode"),
)
DEVELOPER_LINK = b"/var/db/xcode_select_link"
"""What ``xcode-select`` switches."""

HOMEBREW = (b"/opt/homebrew", b"/usr/local", b"/home/linuxbrew/.linuxbrew")


@dataclass(frozen=True, slots=True)
class Pool:
    """A directory whose children are whole Pythons, and the tool that puts them there."""

    directory: bytes
    origin: str


def pools(overrides: Mapping[str, bytes], home: bytes, platform: str = sys.platform) -> tuple[Pool, ...]:
    """Where version managers, project tools and vendors install; none of the directories needs to exist."""
    data = absolute(overrides, "XDG_DATA_HOME") or join(home, b".local/share")
    own = join(home, b"Library/Application Support") if platform == "darwin" else data
    mise = absolute(overrides, "MISE_DATA_DIR") or join(data, b"mise")
    asdf = absolute(overrides, "ASDF_DATA_DIR") or join(home, b".asdf")
    hatch = absolute(overrides, "HATCH_DATA_DIR") or join(own, b"hatch")
    found = [
        Pool(join(pyenv_root(overrides, home), b"versions"), "pyenv"),
        Pool(absolute(overrides, "UV_PYTHON_INSTALL_DIR") or join(data, b"uv/python"), "uv"),
        Pool(join(mise, b"installs/python"), "mise"),
        Pool(join(asdf, b"installs/python"), "asdf"),
        Pool(join(hatch, b"pythons"), "hatch"),
        Pool(join(hatch, b"env/virtual/.pythons"), "hatch"),
        Pool(join(own, b"pypoetry/python"), "poetry"),
        Pool(join(own, b"pdm/python"), "pdm"),
    ]
    if platform == "darwin":
        found.append(Pool(FRAMEWORKS, "python.org"))
        found += [Pool(join(developer, APPLE_FRAMEWORK), origin) for developer, origin in DEVELOPER]
    return tuple(found)


def pyenv_root(overrides: Mapping[str, bytes], home: bytes) -> bytes:
    """``$PYENV_ROOT`` or ``~/.pyenv``."""
    return absolute(overrides, "PYENV_ROOT") or join(home, b".pyenv")


def absolute(overrides: Mapping[str, bytes], name: str) -> bytes | None:
    """A variable's path without a slash at its end; None unless it is absolute."""
    value = overrides.get(name)
    return value.rstrip(b"/") or b"/" if value and value.startswith(b"/") else None
