"""What stands at a venv's prefix (PEP 405), whoever made it: stdlib venv, virtualenv, uv (discovery rules 1.1)."""

from __future__ import annotations

import re

from alight.files.disk import Disk, join
from alight.interpreters import LIBRARY, base_version, libraries, minor_of
from alight.systems.base import Prefix

CONFIG = b"pyvenv.cfg"
NAME_LIMIT = 64
"""Characters of a name that is shown in a prompt."""

_VERSION = re.compile(rb"(\d+\.\d+(?:\.\d+)?(?:(?:a|b|rc)\d+)?)")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069]")


def read_settings(prefix: bytes, disk: Disk) -> dict[str, bytes] | None:
    """The keys of ``pyvenv.cfg``, lower-cased; None when it is unreadable or has no ``home``."""
    content = disk.read(join(prefix, CONFIG))
    if content is None or b"\0" in content:
        return None
    settings: dict[str, bytes] = {}
    for line in content.removeprefix(b"\xef\xbb\xbf").splitlines():
        key, separator, value = line.partition(b"=")
        if separator:
            settings[key.strip().lower().decode("ascii", "replace")] = value.strip()
    return settings if "home" in settings else None


def describe(prefix: bytes, disk: Disk) -> Prefix:
    """Everything that can be read of the environment at ``prefix``, which may be broken or absent."""
    settings = read_settings(prefix, disk)
    known = settings or {}
    home = _home(known)
    interpreter, real = _interpreter(prefix, disk)
    base = _base(known, home, disk)
    recorded = _recorded(known)
    library = _library(prefix, real, base, recorded, disk)
    own = base_version(base, library, disk) if base is not None and library else ""
    own = own or minor_of(library)
    names, site_packages = _site_packages(prefix, library, disk)
    version = own
    if own.count(".") < 2 and recorded.startswith(own):
        version = recorded
    if not version and names:
        version = minor_of(names[0])
    return Prefix(
        path=prefix,
        kind="venv",
        system="uv" if "uv" in known else "virtualenv" if "virtualenv" in known else "venv",
        prompt=clean(unquote(known.get("prompt", b""))),
        python_version=version,
        base_version=own,
        interpreter=interpreter,
        base=base,
        home=home,
        site_packages=site_packages,
        libraries=tuple(name.decode("ascii") for name in names),
        settings=settings,
    )


def clean(text: str) -> str:
    """Text fit for a prompt: no control or direction-changing characters, at most 64 characters."""
    return _CONTROL.sub("", text).strip()[:NAME_LIMIT]


def unquote(value: bytes) -> str:
    """A prompt as its author typed it: stdlib venv writes a Python literal, virtualenv double quotes, uv neither."""
    text = value.decode("utf-8", "replace")
    if len(text) < 2 or text[0] != text[-1] or text[0] not in "'\"":
        return text
    return re.sub(r"\\(['\"\\])", r"\1", text[1:-1])


def _home(settings: dict[str, bytes]) -> bytes | None:
    home = settings.get("home", b"")
    return home.rstrip(b"/") or b"/" if home.startswith(b"/") else None


def _interpreter(prefix: bytes, disk: Disk) -> tuple[bytes, bytes | None]:
    """(the path to start, what it really is); the second is None when it is absent or leads nowhere."""
    binaries = join(prefix, b"bin")
    for name in (b"python", b"python3"):
        path = join(binaries, name)
        if disk.lstat(path) is not None:
            return path, disk.realpath(path) if disk.exists(path) else None
    return join(binaries, b"python"), None


def _base(settings: dict[str, bytes], home: bytes | None, disk: Disk) -> bytes | None:
    recorded = settings.get("base-prefix", b"")
    if not recorded.startswith(b"/"):
        if home is None:
            return None
        # With a merged /usr, /bin is a second name of /usr/bin, and CPython finds its library below /usr.
        recorded = b"/usr" if home == b"/bin" else home.rpartition(b"/")[0] or b"/"
    return recorded if disk.is_directory(recorded) else None


def _library(prefix: bytes, real: bytes | None, base: bytes | None, recorded: str, disk: Disk) -> bytes:
    """The name of the base's standard library, from the link's end, else from what was recorded, else the newest."""
    if real is not None and not real.startswith(join(disk.realpath(prefix), b"")):
        name = real.rpartition(b"/")[2]
        if LIBRARY.match(name):
            return name
    if base is None:
        return b""
    present = libraries(base, disk)
    minor = ".".join(recorded.split(".")[:2])
    for name in present:
        if minor and minor_of(name) == minor:
            return name
    return present[0] if present else b""


def _recorded(settings: dict[str, bytes]) -> str:
    for key in ("version", "version_info"):
        match = _VERSION.match(settings.get(key, b""))
        if match:
            return match.group(1).decode()
    return ""


def _site_packages(prefix: bytes, library: bytes, disk: Disk) -> tuple[list[bytes], tuple[bytes, ...]]:
    """(library names that have site-packages, their paths): those of the base's X.Y, or what is there instead."""
    found: list[tuple[bytes, bytes]] = []
    seen: set[tuple[int, int]] = set()
    for directory in (b"lib", b"lib64"):
        facts = disk.stat(join(prefix, directory))
        if facts is None or (facts.st_dev, facts.st_ino) in seen:
            continue
        seen.add((facts.st_dev, facts.st_ino))
        parent = join(prefix, directory)
        for name in sorted(disk.names(parent) or ()):
            path = join(parent, name + b"/site-packages")
            if LIBRARY.match(name) and disk.is_directory(path):
                found.append((name, path))
    exact = [pair for pair in found if pair[0] == library] or [
        pair for pair in found if minor_of(pair[0]) == minor_of(library)
    ]
    chosen = exact or found
    return [name for name, _ in chosen], tuple(path for _, path in chosen)
