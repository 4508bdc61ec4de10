"""What grows, and how: for each curve the home in which a question is asked, at one of its points."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from alight.client import Client
from alight.paths import Places
from alight.wire.requests import EnvironmentsReply, GetEnvironments
from bench.asking import asked, ping, question
from bench.playground import Tree
from support.landscape import POOLED, Landscape, write
from support.zmtp import connected

RING = 80
"""Folders that are asked about in turn: more than a zsh remembers answers for, so that it asks each time."""
IN_PROJECTS = ("uv", "venv", "pixi")
"""Kinds of environments that are known only once their project was visited."""
ROOT, MARK = 8, 20
"""Positions in a reply with a plan."""
VARIABLES, PONG_PID = 12, 7
"""Positions of the first variable in a question, and of the daemon's process in an answer to a ping."""
REST_S, REST_DEADLINE_S = 1.5, 90.0
"""A daemon that used no hundredth of a second for so long is at rest; how long that is waited for."""


@dataclass(frozen=True)
class Ground:
    """A home ready to be asked about: the folders asked about, and projects to be visited before."""

    ring: Sequence[Path]
    visited: Sequence[Path] = ()


@dataclass(frozen=True)
class Curve:
    """Something of which there can be little or much: ``points`` are how much, ``build`` makes a home for one."""

    name: str
    axis: str
    points: tuple[int, ...]
    build: Callable[[Tree, int, int], Ground]
    listens: bool = False
    """Whether a point is a number of open shells, in the smallest home."""


class Sparse(Landscape):
    """Environments with nothing installed: a third of the files, since there are to be ten thousand."""

    def choose_distributions(self) -> list[tuple[str, str]]:
        """None."""
        return []


def ring(tree: Tree, depth: int = 1) -> list[Path]:
    """Folders so many levels below the first project."""
    above = tree.projects[0].joinpath(*(f"d{level:02d}" for level in range(1, depth)))
    folders = [above / f"r{number:02d}" for number in range(RING)]
    for folder in folders:
        folder.mkdir(parents=True)
    return folders


def _deep(tree: Tree, depth: int, _seed: int) -> Ground:
    return Ground(ring(tree, depth))


def _pools(tree: Tree, count: int, seed: int) -> Ground:
    Sparse(tree.home, seed).grow(count, POOLED)
    return Ground(ring(tree))


def _projects(tree: Tree, count: int, seed: int) -> Ground:
    land = Sparse(tree.home, seed).grow(count, IN_PROJECTS)
    return Ground(ring(tree), land.projects)


def _shells(tree: Tree, _count: int, _seed: int) -> Ground:
    return Ground(ring(tree))


def _packages(tree: Tree, count: int, _seed: int) -> Ground:
    [site] = tree.projects[0].glob(".venv/lib/python3*/site-packages")
    for number in range(count):
        name = f"package_{number:04d}"
        info = site / f"{name}-1.0.dist-info"
        write(site / name / "__init__.py", "")
        write(info / "METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        write(info / "RECORD", f"{name}/__init__.py,,\n")
    return Ground(ring(tree))


CURVES = (
    Curve("depth", "levels below the project", (1, 5, 20, 50), _deep),
    Curve("pools", "environments in pools", (0, 100, 1000, 10000), _pools),
    Curve("projects", "environments in projects", (0, 100, 1000, 10000), _projects),
    Curve("shells", "open shells", (1, 50, 200), _shells, listens=True),
    Curve("packages", "distributions in site-packages", (10, 100, 1000), _packages),
)


def settle(ground: Ground, runtime: Path, environment: Mapping[str, str]) -> None:
    """Let the daemon learn all there is: every project visited, every environment listed, and then rest.

    Raises NoAnswer.
    """
    for project in ground.visited:
        asked(runtime, question(project, environment))
    home = Path(environment["HOME"])
    places = Places(runtime, home / ".config/alight", home / ".local/share/alight", home / ".local/state/alight")
    variables = tuple(question(home, environment)[VARIABLES:])
    client, after, more = Client(places, 30.0), b"", True
    while more:
        _, page = client.request(GetEnvironments(b"/", variables, after))
        assert isinstance(page, EnvironmentsReply)
        after, more = page.environments[-1].prefix if page.environments else after, page.more
    _rest(int(asked(runtime, ping(), b"pong")[1][PONG_PID]))


def _rest(pid: int) -> None:
    """Wait until the daemon has read what it reads on the side: until it uses no processor any more."""
    stat, give_up = Path(f"/proc/{pid}/stat"), time.monotonic() + REST_DEADLINE_S
    used, since = "", time.monotonic()
    while time.monotonic() < min(since + REST_S, give_up):
        time.sleep(0.05)
        now = " ".join(stat.read_text().rpartition(")")[2].split()[11:13]) if stat.exists() else ""
        if now != used:
            used, since = now, time.monotonic()


@contextlib.contextmanager
def listening(count: int, ground: Ground, runtime: Path, environment: Mapping[str, str]) -> Iterator[None]:
    """So many connections that wait for news, as a zsh at its prompt does. Raises NoAnswer."""
    _, plan = asked(runtime, question(ground.ring[0], environment))
    with contextlib.ExitStack() as stack:
        for number in range(count):
            connection = stack.enter_context(connected(os.fsencode(runtime / "alight.sock")))
            connection.send([b"1", b"listen", b"%d" % number, plan[5], plan[ROOT], plan[MARK]])
        yield
