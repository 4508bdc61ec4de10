"""Where a base Python keeps packages: the default scheme of sysconfig, as its vendor left it (landing rules 1.1)."""

from __future__ import annotations

from dataclasses import dataclass

from alight.files.disk import Disk, join
from alight.model import Interpreter


@dataclass(frozen=True, slots=True)
class Scheme:
    """A scheme's name and the two directories an installer writes to."""

    name: str
    purelib: bytes
    scripts: bytes


def default_scheme(interpreter: Interpreter, disk: Disk) -> Scheme:
    """What the interpreter installs into when it is told nothing; nothing is asked to exist.

    Debian's and Red Hat's own Pythons write below ``/usr/local``; Homebrew's keeps packages outside its Cellar, so
    that they survive an upgrade, and Apple's in a folder of the machine's; all others beside their standard library.
    """
    library = interpreter.executable.rpartition(b"/")[2]
    prefix = interpreter.prefix
    packages = b"lib/" + library + b"/site-packages"
    if interpreter.origin == "debian":
        local = join(prefix, b"local")
        return Scheme("posix_local", join(local, b"lib/" + library + b"/dist-packages"), join(local, b"bin"))
    if interpreter.origin == "homebrew":
        brew = prefix.partition(b"/opt/python@")[0]
        name = "osx_framework_library" if b".framework/" in prefix else "posix_prefix"
        return Scheme(name, join(brew, packages), join(brew, b"bin"))
    if interpreter.origin in {"commandlinetools", "xcode"}:
        shared = b"/Library/Python/" + library.removeprefix(b"python") + b"/site-packages"
        return Scheme("osx_framework_library", shared, b"/usr/local/bin")
    if prefix == b"/usr" and disk.exists(b"/etc/redhat-release"):
        return Scheme("posix_prefix", join(b"/usr/local", packages), b"/usr/local/bin")
    return Scheme("posix_prefix", join(prefix, packages), join(prefix, b"bin"))
