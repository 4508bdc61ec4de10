"""What happened, as sentences: events made of two looks at one project, and the latest of them."""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Callable, Iterator
from typing import NamedTuple

from alight import projects
from alight.clock import Clock
from alight.files.disk import Disk
from alight.model import Answer, Environment, Event, EventKind
from alight.server.looks import Look, look
from alight.text import display, display_path

EVENTS_LIMIT = 1024
LOOKS_LIMIT = 4096
REPLY_LIMIT = 256
"""Events of one reply; whoever is further behind asks again."""

SETTLING_SECONDS = 0.5
"""How long something is broken before that is told: what is being made or removed is broken for a moment."""

NAMES_SHOWN = 4
_RACY_NS = 20_000_000

LOCKS = frozenset(name for name, _ in projects.LOCKS)
SETTINGS = projects.PINS | {b"poetry.toml", b"pdm.toml", b".pdm-python", b"hatch.toml", b"uv.toml", b".python-envs"}
"""Files of a project that choose its Python or the place of its environment."""


class Change(NamedTuple):
    """One event without its number and its time."""

    kind: EventKind
    prefix: bytes | None
    message: str


def difference(former: Look, latter: Look) -> tuple[Change, ...]:
    """What happened between two looks, the environment first."""
    return (*_environment(former, latter), *_trust(former, latter), *_project(former, latter))


class Events:
    """The looks at every project that was asked about, and the events they made. Used on the loop's thread only.

    ``later`` has a callable called so many seconds later; ``told`` is called when there are new events.
    """

    def __init__(
        self, clock: Clock, later: Callable[[float, Callable[[], None]], None] | None, told: Callable[[], None]
    ) -> None:
        self.last = 0
        self._clock = clock
        self._later = later
        self._told = told
        self._ring: deque[Event] = deque(maxlen=EVENTS_LIMIT)
        self._looks: OrderedDict[bytes, Look] = OrderedDict()
        self._unsettled: dict[bytes, float] = {}

    def after(self, sequence: int) -> tuple[Event, ...]:
        """The events that followed this one, the oldest first; those that were too many are gone."""
        if sequence >= self.last:
            return ()
        return tuple(event for event in self._ring if event.sequence > sequence)[:REPLY_LIMIT]

    def answer(self, root: bytes) -> Answer | None:
        """The answer of the look that the next one is compared with."""
        known = self._looks.get(root)
        return known.answer if known is not None else None

    def begin(self, root: bytes, answer: Answer, disk: Disk) -> None:
        """Take this look at ``root`` for the next one to be compared with; nothing happened."""
        self._keep(root, look(answer, disk))

    def observe(self, root: bytes, answer: Answer, disk: Disk, again: Callable[[], None]) -> bool:
        """Compare with the look before and tell what happened; ``again`` looks once more. True when there was news."""
        former = self._looks.get(root)
        if former is None:
            self.begin(root, answer, disk)
            return False
        latter = look(answer, disk, former)
        if latter.broken and not former.broken and not self._is_settled(root, again):
            return False
        self._unsettled.pop(root, None)
        self._keep(root, latter)
        changes = difference(former, latter)
        where = latter.answer.resolution.root or former.answer.resolution.root or root
        for change in changes:
            self.last += 1
            self._ring.append(
                Event(self.last, self._clock.wall_ns(), change.kind, where, change.prefix, change.message)
            )
        if changes:
            self._told()
        return bool(changes)

    def _is_settled(self, root: bytes, again: Callable[[], None]) -> bool:
        if self._later is None:
            return True
        now = self._clock.monotonic()
        since = self._unsettled.get(root)
        if since is None:
            if len(self._unsettled) >= LOOKS_LIMIT:
                return True
            self._unsettled[root] = now
            self._later(SETTLING_SECONDS, again)
            return False
        return now - since >= SETTLING_SECONDS

    def _keep(self, root: bytes, seen: Look) -> None:
        self._looks[root] = seen
        self._looks.move_to_end(root)
        while len(self._looks) > LOOKS_LIMIT:
            oldest, _ = self._looks.popitem(last=False)
            self._unsettled.pop(oldest, None)


def _environment(former: Look, latter: Look) -> Iterator[Change]:
    old, new = former.environment, latter.environment
    if old is None or new is None or old.prefix != new.prefix:
        yield from _came_and_went(former, latter)
    elif former.identity != latter.identity:
        yield Change("environment-recreated", new.prefix, f"{_named(new)} was made anew{_flaw(new)}")
    else:
        yield from _changed(former, latter, old, new)


def _came_and_went(former: Look, latter: Look) -> Iterator[Change]:
    old, new = former.environment, latter.environment
    if old is not None and not latter.former_stands:
        yield Change("environment-deleted", old.prefix, f"{_called(old)} at {display_path(old.prefix)} is gone")
    if new is None:
        if old is not None and latter.former_stands:
            message = f"{display_path(old.prefix)} is still there, but no longer this project's environment"
            yield Change("environment-changed", None, message)
        elif old is None:
            yield from _interpreter(former, latter)
    elif latter.born_ns > former.time_ns - _RACY_NS:
        yield Change("environment-created", new.prefix, f"{_named(new)} was made{_flaw(new)}")
    else:
        message = f"{_named(new)} is this project's environment now{_flaw(new)}"
        yield Change("environment-changed", new.prefix, message)


def _changed(former: Look, latter: Look, old: Environment, new: Environment) -> Iterator[Change]:
    """The same environment, another state."""
    if new.broken and not old.broken:
        yield Change("environment-broken", new.prefix, f"{_named(new)} is broken{_flaw(new)}")
    elif old.broken and not new.broken:
        yield Change("environment-healed", new.prefix, f"{_named(new)} works again")
    elif (old.python_version, old.base) != (new.python_version, new.base) or former.interpreter != latter.interpreter:
        was = f", was {old.python_version}" if old.python_version not in {"", new.python_version} else ""
        python = f"Python {new.python_version}" if new.python_version else "another Python"
        message = f"{_called(new)} runs on {python}{was}" if was else f"the Python of {_named(new)} was replaced"
        yield Change("interpreter-changed", new.prefix, message)
    if former.packages != latter.packages:
        yield Change("packages-changed", new.prefix, f"packages of {_called(new)} changed{_listed(latter.recent)}")


def _interpreter(former: Look, latter: Look) -> Iterator[Change]:
    """Without an environment: the Python that a version file asks for."""
    old, new = former.answer.resolution.interpreter, latter.answer.resolution.interpreter
    if old == new and former.interpreter == latter.interpreter:
        return
    if new is None:
        message = "no Python that is installed is asked for here any more"
    else:
        message = f"Python {new.python_version} at {display_path(new.executable)} is the one for this place now"
    yield Change("interpreter-changed", None, message)


def _trust(former: Look, latter: Look) -> Iterator[Change]:
    decided = {"denied", "untrusted", "trusted"}
    old, new = former.environment, latter.environment
    if old is None or new is None or old.prefix != new.prefix:
        return
    states = former.answer.state, latter.answer.state
    if states[0] != states[1] and decided.issuperset(states):
        message = {
            "trusted": f"{_named(new)} is trusted now",
            "untrusted": f"{_named(new)} is not trusted any more; alight allow switches it on",
            "denied": f"{_named(new)} is denied now",
        }[states[1]]
        yield Change("trust-changed", new.prefix, message)


def _project(former: Look, latter: Look) -> Iterator[Change]:
    roots = former.answer.resolution.root, latter.answer.resolution.root
    if roots[0] != roots[1] and all(roots):
        return
    old, new = dict(former.files), dict(latter.files)
    environment = latter.environment
    for name in sorted(old.keys() | new.keys()):
        if old.get(name) == new.get(name):
            continue
        what = "appeared" if name not in old else "is gone" if name not in new else "changed"
        kind: EventKind = "manifest-changed"
        if name in LOCKS or name.startswith(b"pylock"):
            kind = "lock-changed"
        elif name in SETTINGS:
            kind = "settings-changed"
        yield Change(kind, environment.prefix if environment else None, f"{display_path(name)} {what}")


def _called(environment: Environment) -> str:
    return display(environment.name)


def _named(environment: Environment) -> str:
    python = f" (Python {environment.python_version})" if environment.python_version else ""
    return f"{_called(environment)}{python} at {display_path(environment.prefix)}"


def _flaw(environment: Environment) -> str:
    flaw = next((finding.message for finding in environment.health if finding.severity == "error"), "")
    return f": {display(flaw, 160)}" if flaw else ""


def _listed(names: tuple[str, ...]) -> str:
    if not names:
        return ""
    more = f" and {len(names) - NAMES_SHOWN} more" if len(names) > NAMES_SHOWN else ""
    return f": {', '.join(names[:NAMES_SHOWN])}{more}"
