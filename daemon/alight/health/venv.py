"""The checks of discovery rules 3.1 on one venv, and what its Python means for the project around it."""

from __future__ import annotations

import re
from collections.abc import Iterator

from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.version import InvalidVersion

from alight.files.disk import Disk, join
from alight.interpreters import minor_of
from alight.model import Finding
from alight.systems.base import Prefix

FRESH_NS = 60_000_000_000
"""Age up to which an environment without site-packages is still being made."""

SPECIFIER_LIMIT = 256
"""Characters of a requires-python that are worth parsing."""

_SCRIPT = re.compile(rb"^[ \t]*(?:export )?VIRTUAL_ENV=(['\"]?)(/[^\r\n]*?)\1[ \t]*\r?$", re.MULTILINE)
_CELLAR = re.compile(rb"(?P<brew>/.*)/Cellar/(?P<formula>[^/]+)/[^/]+")
_MICRO = re.compile(rb"\d+\.\d+\.\d+")
_HOPS = 8
_UNSAFE = re.compile(rb"[:\x00-\x08\x0b-\x1f\x7f]")


def examine(prefix: Prefix, disk: Disk) -> tuple[Finding, ...]:
    """Everything wrong with the environment, errors first."""
    found = [
        *_unsafe(prefix),
        *_config(prefix, disk),
        *_interpreter(prefix, disk),
        *_libraries(prefix, disk),
        *_moved(prefix, disk),
        *_owned(prefix, disk),
        *_brewed(prefix, disk),
        *_patched(prefix),
        *_seen_through(prefix),
    ]
    return tuple(sorted(found, key=lambda finding: finding.severity != "error"))


def outside_requirement(version: str, requirement: str, evidence: bytes) -> tuple[Finding, ...]:
    """A finding when ``version`` contradicts a requires-python; an unreadable requirement says nothing."""
    if not version or not requirement or len(requirement) > SPECIFIER_LIMIT:
        return ()
    # Of 3.12 alone it is not known which 3.12 it is: only what rules out both ends is a contradiction.
    candidates = (version,) if version.count(".") > 1 else (version + ".0", version + ".999")
    try:
        allowed = SpecifierSet(requirement)
        if any(allowed.contains(candidate, prereleases=True) for candidate in candidates):
            return ()
    except (InvalidSpecifier, InvalidVersion):
        return ()
    message = f"Python {version} is outside requires-python {requirement}"
    return (Finding("requires-python", "warning", message, (evidence,)),)


def outside_pin(version: str, pin: str, evidence: bytes) -> tuple[Finding, ...]:
    """A finding when ``version`` is another than the one a ``.python-version`` names; ``3.12`` allows any 3.12."""
    known, wanted = version.split("."), pin.split(".")
    length = min(len(known), len(wanted))
    if not version or known[:length] == wanted[:length]:
        return ()
    return (Finding("pinned-python", "warning", f"Python {version} is not the pinned {pin}", (evidence,)),)


def _unsafe(prefix: Prefix) -> Iterator[Finding]:
    if _UNSAFE.search(prefix.path):
        message = "the path holds a colon or control characters, so it cannot stand in PATH"
        yield Finding("unsafe-path", "error", message, (prefix.path,))


def _config(prefix: Prefix, disk: Disk) -> Iterator[Finding]:
    config = join(prefix.path, b"pyvenv.cfg")
    if prefix.settings is None and disk.exists(prefix.path):
        message = "pyvenv.cfg is absent" if disk.lstat(config) is None else "pyvenv.cfg cannot be used"
        yield Finding("config-unreadable", "error", message, (config,))


def _interpreter(prefix: Prefix, disk: Disk) -> Iterator[Finding]:
    path = prefix.interpreter
    if disk.lstat(path) is None:
        if disk.lstat(prefix.path) is not None and not disk.exists(prefix.path):
            target = disk.readlink(prefix.path) or b"nothing"
            message = f"{_shown(prefix.path)} is a link to {_shown(target)}, which is gone"
            yield Finding("interpreter-dangling", "error", message, (prefix.path,))
        else:
            yield Finding("interpreter-missing", "error", f"{_shown(path)} is absent", (path,))
    elif not disk.exists(path):
        target = disk.readlink(path) or b"nothing"
        message = f"{_shown(path)} is a link to {_shown(target)}, which is gone"
        yield Finding("interpreter-dangling", "error", message, (path, target))
    elif not disk.is_file(path):
        yield Finding("interpreter-missing", "error", f"{_shown(path)} is no file", (path,))
    elif prefix.home is not None and not disk.is_directory(prefix.home):
        message = f"{_shown(prefix.home)}, the base Python's directory, is gone"
        yield Finding("base-missing", "warning", message, (prefix.home,))


def _libraries(prefix: Prefix, disk: Disk) -> Iterator[Finding]:
    library = join(prefix.path, b"lib")
    if prefix.settings is None or not disk.exists(prefix.path):
        return
    if not prefix.site_packages:
        config = disk.stat(join(prefix.path, b"pyvenv.cfg"))
        fresh = config is not None and abs(disk.now_ns - config.st_mtime_ns) < FRESH_NS
        if fresh:
            disk.provisional()
        message = "site-packages is not there yet" if fresh else "there is no site-packages"
        yield Finding("site-packages-missing", "info" if fresh else "error", message, (library,))
        return
    minors = {minor_of(name.encode()) for name in prefix.libraries}
    base = ".".join(prefix.base_version.split(".")[:2])
    if base and base not in minors:
        message = f"made for Python {', '.join(sorted(minors))}, but its base is now Python {base}"
        yield Finding("python-changed", "error", message, prefix.site_packages)


def _moved(prefix: Prefix, disk: Disk) -> Iterator[Finding]:
    settings = prefix.settings
    # A line break in the path cuts the recorded line short.
    if settings is None or settings.get("relocatable", b"").lower() == b"true" or re.search(rb"[\r\n]", prefix.path):
        return
    command = settings.get("command", b"")
    if command:
        if command.endswith(b" " + prefix.path):
            return
        start = command.rfind(b" /")
        birth, evidence = (command[start + 1 :] if start >= 0 else b""), join(prefix.path, b"pyvenv.cfg")
    else:
        evidence = join(prefix.path, b"bin/activate")
        match = _SCRIPT.search(disk.read(evidence) or b"")
        birth = match.group(2) if match else b""
    if not birth or birth == prefix.path or _same(birth, prefix.path, disk):
        return
    message = f"made as {_shown(birth)}; the scripts in bin still point there"
    yield Finding("moved", "warning", message, (evidence,))


def _same(birth: bytes, path: bytes, disk: Disk) -> bool:
    """True when both lead to one directory: a symlinked home or a bind mount is not a move."""
    old, new = disk.stat(birth), disk.stat(path)
    return old is not None and new is not None and (old.st_dev, old.st_ino) == (new.st_dev, new.st_ino)


def _brewed(prefix: Prefix, disk: Disk) -> Iterator[Finding]:
    for path, place in ((prefix.interpreter, _first_outside(prefix, disk)), (None, prefix.home)):
        match = _CELLAR.match(place or b"")
        if match is None:
            continue
        stable = join(join(match["brew"], b"opt/" + match["formula"]), b"bin/python")
        minor = match["formula"].partition(b"@")[2] if b"@" in match["formula"] else b"3"
        message = (
            f"it goes through {_shown(match[0])}, which `brew upgrade` and `brew cleanup` remove: make it again with "
            f"`{_shown(stable + minor)} -m venv --clear {_shown(prefix.path)}`"
        )
        yield Finding("homebrew-cellar", "warning", message, (path or join(prefix.path, b"pyvenv.cfg"), match[0]))
        return


def _first_outside(prefix: Prefix, disk: Disk) -> bytes | None:
    """Where the interpreter's links leave the environment, as written: Homebrew's ``opt`` is itself a link."""
    path = prefix.interpreter
    for _ in range(_HOPS):
        target = disk.readlink(path)
        if target is None or target.startswith(b"/"):
            return target
        path = join(path.rpartition(b"/")[0], target)
    return None


def _patched(prefix: Prefix) -> Iterator[Finding]:
    settings = prefix.settings or {}
    recorded = _MICRO.match(settings.get("version", b"") or settings.get("version_info", b""))
    if recorded is None or _MICRO.match(prefix.base_version.encode()) is None:
        return
    made_with = recorded[0].decode()
    same_minor = made_with.split(".")[:2] == prefix.base_version.split(".")[:2]
    if same_minor and made_with.split(".") != prefix.base_version.split(".")[:3]:
        message = f"made with Python {made_with}, its base is now {prefix.base_version}; compiled packages still fit"
        yield Finding("python-patched", "info", message, (join(prefix.path, b"pyvenv.cfg"),))


def _seen_through(prefix: Prefix) -> Iterator[Finding]:
    if (prefix.settings or {}).get("include-system-site-packages", b"").lower() == b"true":
        message = "made with --system-site-packages: what it does not have comes from the base Python"
        yield Finding("system-site-packages", "info", message, (join(prefix.path, b"pyvenv.cfg"),))


def _owned(prefix: Prefix, disk: Disk) -> Iterator[Finding]:
    for path in (prefix.path, join(prefix.path, b"pyvenv.cfg"), join(prefix.path, b"bin"), prefix.interpreter):
        facts = disk.stat(path)
        if facts is None:
            continue
        if facts.st_uid not in {disk.uid, 0}:
            yield Finding("not-owned", "warning", f"{_shown(path)} belongs to uid {facts.st_uid}", (path,))
            return
        if facts.st_mode & 0o002:
            yield Finding("not-owned", "warning", f"{_shown(path)} is writable by everybody", (path,))
            return


def _shown(path: bytes) -> str:
    return path.decode("utf-8", "backslashreplace")
