"""What ``sudo`` leaves of the caller's variables (landing rules 1.13)."""

from __future__ import annotations

import re
from collections.abc import Mapping

from alight.files.disk import Disk
from alight.landing.place import Place, Unknowable

SUDOERS = b"/etc/sudoers"
SECURE_PATH = b"/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
"""Debian's and Red Hat's default; macOS has none."""

_KEPT = frozenset({"TERM", "LANG", "LANGUAGE", "DISPLAY", "COLORTERM", "XAUTHORITY", "PATH"})
_SECURE = re.compile(rb"""^[ \t]*Defaults[ \t]+secure_path[ \t]*=[ \t]*"?([^"\n]*?)"?[ \t]*$""", re.MULTILINE)


def become(place: Place, name: bytes, options: frozenset[str]) -> None:
    """Change to another user as ``sudo`` does where nobody changed its settings; raises Unknowable for a login."""
    if options & {"i", "s", "login", "shell"}:
        raise Unknowable("other-user")
    disk, platform = place.caller.disk, place.caller.platform
    before: Mapping[str, bytes] = dict(place.variables)
    keeps = "E" in options
    user = name.decode("utf-8", "replace")
    home = _home(name, disk, platform)
    if home is None:
        raise Unknowable("other-user")
    if not keeps:
        place.variables = {key: value for key, value in before.items() if key in _KEPT or key.startswith("LC_")}
        place.lost &= {"PATH"}
    secure = _secure_path(disk, platform)
    if secure is not None:
        place.assign("PATH", secure, exported=True)
    if not keeps or "H" in options or platform == "darwin":
        place.variables["HOME"] = home
    place.variables |= {"USER": name, "LOGNAME": name}
    place.variables["SUDO_USER"] = before.get("USER", b"")
    place.user = user
    place.as_program()
    place.doubts.append("sudo's settings are taken to be the usual ones")


def _secure_path(disk: Disk, platform: str) -> bytes | None:
    if platform == "darwin":
        return None
    content = disk.read(SUDOERS)
    if content is None:
        return SECURE_PATH
    found = _SECURE.search(content)
    return found[1] if found is not None else None


def _home(name: bytes, disk: Disk, platform: str) -> bytes | None:
    if platform == "darwin":
        return b"/var/root" if name == b"root" else b"/Users/" + name
    for line in (disk.read(b"/etc/passwd", 1024 * 1024) or b"").splitlines():
        fields = line.split(b":")
        if len(fields) == 7 and (fields[0] == name or name == b"#" + fields[2]):
            return fields[5]
    return b"/root" if name == b"root" else None
