"""An environment as it is remembered: by its prefix, and what it has in common with others only once."""

from __future__ import annotations

import msgspec

from alight.files.disk import Disk, join
from alight.files.glance import Glance, seen
from alight.files.sharing import Sharing
from alight.model import Environment, Finding, Kind

HALF_MADE = frozenset({"site-packages-missing", "history-missing"})
"""What an environment is judged by while it is being made; nothing else needs to change when it no longer is."""


class Shape(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """What environments that were made alike have in common; paths in them do without the prefix and its slash."""

    kind: Kind
    system: str
    python_version: str
    interpreter: bytes
    base: bytes | None
    site_packages: tuple[bytes, ...]
    health: tuple[Finding, ...]


class Described(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """An environment without its prefix, and when to read it again.

    ``seen`` is the number of the looks at it, None where they do not tell; ``place`` one for what stands at the
    prefix, None for nothing.
    """

    name: str
    shape: Shape
    seen: int | None
    place: int | None

    @staticmethod
    def of(environment: Environment, disk: Disk, sharing: Sharing, *, settled: bool) -> Described:
        """The environment as ``disk`` saw it; not ``settled``: what it was read from may still change unseen."""
        prefix = environment.prefix
        shape = Shape(
            environment.kind,
            environment.system,
            environment.python_version,
            _tail(environment.interpreter, prefix),
            environment.base,
            tuple(_tail(path, prefix) for path in environment.site_packages),
            environment.health,
        )
        glance = Glance.of(_telling(prefix, shape), disk)
        is_half_made = any(finding.code in HALF_MADE for finding in environment.health)
        tells = settled and not is_half_made and not glance.racy
        return Described(environment.name, sharing.of(shape), glance.seen if tells else None, place(prefix, disk))

    def environment(self, prefix: bytes) -> Environment:
        """The environment."""
        shape = self.shape
        return Environment(
            prefix,
            shape.kind,
            shape.system,
            self.name,
            shape.python_version,
            _path(shape.interpreter, prefix),
            shape.base,
            tuple(_path(tail, prefix) for tail in shape.site_packages),
            shape.health,
        )

    def holds(self, prefix: bytes) -> bool:
        """True when the environment looks as it did; four ``stat``."""
        return self.seen is not None and self.seen == seen(_telling(prefix, self.shape))

    def shared(self, sharing: Sharing) -> Described:
        """The same, of shared parts."""
        return Described(self.name, sharing.of(self.shape), self.seen, self.place)


def place(prefix: bytes, disk: Disk) -> int | None:
    """A number for what stands at the prefix: the same for two paths to one directory; None for nothing."""
    look = disk.stat(prefix)
    return None if look is None else hash((look.st_dev, look.st_ino))


def _telling(prefix: bytes, shape: Shape) -> tuple[bytes, ...]:
    """Whose changes show that the rest changed (discovery rules 3)."""
    config = b"conda-meta" if shape.kind == "conda" else b"pyvenv.cfg"
    inside = (shape.interpreter, *shape.site_packages[:1])
    return (prefix, join(prefix, config), *(_path(tail, prefix) for tail in inside))


def _tail(path: bytes, prefix: bytes) -> bytes:
    """Without the prefix where it lies below; what does not is absolute."""
    tail = path.removeprefix(prefix + b"/")
    return path if tail.startswith(b"/") else tail or path


def _path(tail: bytes, prefix: bytes) -> bytes:
    return tail if tail.startswith(b"/") else prefix + b"/" + tail
