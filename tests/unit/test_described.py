"""Environments as they are remembered, and the looks that tell when to read them again."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from alight.files.glance import Glance
from alight.files.sharing import Sharing
from alight.model import Environment, Finding
from alight.systems.described import Described
from support.playfield import Playfield, link, write

PLAIN = Environment(
    b"/pool/web", "venv", "uv", "web", "3.12.4", b"/pool/web/bin/python", b"/usr", (b"/pool/web/lib/site-packages",)
)
ODD = {
    "elsewhere": msgspec.structs.replace(PLAIN, interpreter=b"/usr/bin/python3", site_packages=(b"/usr/lib/x",)),
    "named-alike": msgspec.structs.replace(PLAIN, interpreter=b"/pool/web-2/bin/python"),
    "slashes": msgspec.structs.replace(PLAIN, interpreter=b"/pool/web//bin/python"),
    "itself": msgspec.structs.replace(PLAIN, interpreter=b"/pool/web", site_packages=(b"/pool/web/",)),
    "root": msgspec.structs.replace(PLAIN, prefix=b"/", interpreter=b"/bin/python", site_packages=(b"//lib",)),
    "nothing": msgspec.structs.replace(PLAIN, python_version="", base=None, site_packages=()),
    "ill": msgspec.structs.replace(PLAIN, health=(Finding("moved", "error", "it was moved", (b"/pool/old",)),)),
}


@pytest.mark.parametrize("environment", [PLAIN, *ODD.values()], ids=["plain", *ODD])
def test_a_remembered_environment_is_what_it_was(field: Playfield, environment: Environment) -> None:
    """Wherever its paths lie, what is remembered without the prefix gives them back, also after it was written down."""
    described = Described.of(environment, field.disk(), Sharing(), settled=True)
    again = msgspec.msgpack.decode(msgspec.msgpack.encode(described), type=Described)
    assert again == described
    assert again.environment(environment.prefix) == environment


def test_environments_made_alike_share(field: Playfield) -> None:
    """Of environments that differ in prefix and name, all the rest is there once, also when it is recalled."""
    sharing, fresh = Sharing(), Sharing()
    other = msgspec.structs.replace(
        PLAIN,
        prefix=b"/pool/api",
        name="api",
        interpreter=b"/pool/api/bin/python",
        site_packages=(b"/pool/api/lib/site-packages",),
    )
    one, two = (Described.of(environment, field.disk(), sharing, settled=True) for environment in (PLAIN, other))
    assert one.shape is two.shape
    decoded = msgspec.msgpack.decode(msgspec.msgpack.encode([one, two]), type=list[Described])
    assert decoded[0].shape is not decoded[1].shape
    assert decoded[0].shared(fresh).shape is decoded[1].shared(fresh).shape


CHANGES: dict[str, Callable[[Path], object]] = {
    "appears": lambda root: write(root / "absent"),
    "goes": lambda root: (root / "file").unlink(),
    "touched": lambda root: os.utime(root / "file", ns=(1, 1)),
    "replaced": lambda root: os.replace(root / "other", root / "file"),
    "target": lambda root: os.utime(root / "aim", ns=(1, 1)),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_glance_sees_each_change(field: Playfield, change: str) -> None:
    """One number for all looks changes with each of them, below a root as with whole paths."""
    root = field.home / "r"
    for name in ("file", "other", "aim"):
        write(root / name, name)
    link(root / "link", "aim")
    paths = [os.fsencode(root / name) for name in ("file", "absent", "link")]
    whole = Glance.of(paths, field.disk())
    below = Glance.of(paths, field.disk(), os.fsencode(root))
    assert below.tails == (b"/file", b"/absent", b"/link")
    assert below.paths(os.fsencode(root)) == whole.paths() == tuple(paths)
    assert whole.holds()
    assert below.holds(os.fsencode(root))
    CHANGES[change](root)
    assert not whole.same()
    assert not below.same(os.fsencode(root))
