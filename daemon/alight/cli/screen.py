"""The live view of ``alight watch``: the environments around a folder and what happens to them."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import termios
import time
import tty
from collections import deque
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, NoReturn

from rich.console import Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from alight.cli.feed import Feed
from alight.cli.render import clean, shown
from alight.cli.render import console as terminal
from alight.cli.session import Session, ask
from alight.errors import AlightError
from alight.wire.requests import AnswerReply, EnvironmentsReply, GetAnswer, GetEnvironments

if TYPE_CHECKING:
    from types import FrameType

    from alight.cli.following import Following
    from alight.model import Answer, Environment, Event

EVENTS_LIMIT = 200
NEARBY_LIMIT = 12
PAGES_LIMIT = 3000
KEYS = frozenset(b"qQ")
STATES = {"trusted": "green", "untrusted": "yellow", "denied": "yellow", "broken": "red", "missing": "yellow"}
KINDS = {"deleted": "red", "broken": "red", "created": "green", "recreated": "green", "healed": "green"}


class View:
    """What is shown: the answer for ``directory``, environments near it, events."""

    def __init__(self, session: Session, directory: bytes) -> None:
        self._session = session
        self._directory = directory
        self._answer: Answer | None = None
        self._nearby: Sequence[Environment] = ()
        self._events: deque[Event] = deque(maxlen=EVENTS_LIMIT)
        self._said = ""

    def take(self, item: tuple[Event, ...] | str) -> None:
        """Events, or a sentence about the daemon."""
        if isinstance(item, str):
            self._said = item
        elif item:
            self._events += item
            self._said = ""

    def refresh(self) -> None:
        """Ask the daemon how things are now; what it does not say stays as it was."""
        with contextlib.suppress(AlightError):
            service, variables = self._session.deciding(), self._session.variables
            self._answer = ask(service, GetAnswer(self._directory, variables), AnswerReply)[1].answer
            found: list[Environment] = []
            for _ in range(PAGES_LIMIT):
                after = found[-1].prefix if found else b""
                request = GetEnvironments(self._directory, variables, after)
                _, page = ask(service, request, EnvironmentsReply)
                found += page.environments
                if not page.more:
                    break
            self._nearby = sorted(found, key=self._distance)[:NEARBY_LIMIT]

    def drawn(self, width: int, height: int) -> RenderableType:
        """Everything, cut to the window."""
        head = Text.assemble(("alight watch ", "bold"), shown(self._directory))
        environments = self._environments(max(1, min(NEARBY_LIMIT, height // 2 - 4)), width)
        room = max(1, height - environments.row_count - 7)
        foot = (
            Text("q ends", "dim")
            if not self._said
            else Text.assemble((clean(self._said), "yellow"), ("  q ends", "dim"))
        )
        parts: list[RenderableType] = [
            head,
            self._belongs(),
            Text(),
            environments,
            Text(),
            self._happened(room, width),
            foot,
        ]
        return Group(*(_fitted(part) for part in parts))

    def _belongs(self) -> Text:
        answer = self._answer
        if answer is None:
            return Text("asking the daemon …", "dim")
        found = answer.resolution
        text = Text(answer.state, STATES.get(answer.state, ""))
        if found.environment is not None:
            text.append(
                f"  {clean(found.environment.name)}  Python {clean(found.environment.python_version) or '?'}", ""
            )
        elif found.would_create is not None:
            text.append(f"  {clean(found.would_create.command)} would make it", "")
        if found.project is not None:
            text.append(f"  project {shown(found.project.root)}", "dim")
        return text

    def _environments(self, limit: int, width: int) -> Table:
        table = Table(
            "", "name", "python", "made by", "where", box=None, pad_edge=False, header_style="dim", expand=False
        )
        own = self._own()
        environ = self._session.environ
        active = {environ.get(b"VIRTUAL_ENV", b""), environ.get(b"CONDA_PREFIX", b"")} - {b""}
        for one in self._nearby[:limit]:
            mark = "active" if one.prefix in active else "here" if one.prefix == own else ""
            style = "red" if one.broken else "bold" if one.prefix == own else ""
            where = _ending(_home(one.prefix, environ), width // 4)
            cells = (mark, clean(one.name), clean(one.python_version), clean(one.system), where)
            table.add_row(*(Text(cell, no_wrap=True, overflow="ellipsis") for cell in cells), style=style)
        return table

    def _happened(self, room: int, width: int) -> Table:
        table = Table("time", "event", "where", "what", box=None, pad_edge=False, header_style="dim")
        environ = self._session.environ
        for event in list(self._events)[-room:]:
            moment = time.strftime("%H:%M:%S", time.localtime(event.time_ns // 1_000_000_000))
            where = _ending(_home(event.root, environ), width // 4)
            style = KINDS.get(event.kind.rpartition("-")[2], "")
            cells = (Text(moment, "dim"), Text(event.kind, style), Text(where), Text(clean(event.message)))
            for cell in cells:
                cell.no_wrap, cell.overflow = True, "ellipsis"
            table.add_row(*cells)
        return table

    def _own(self) -> bytes:
        environment = self._answer.resolution.environment if self._answer is not None else None
        return environment.prefix if environment is not None else b""

    def _distance(self, one: Environment) -> tuple[int, int, bytes]:
        """The directory's own first, then by how much of the way they share."""
        root = self._answer.resolution.root if self._answer is not None else b""
        ours, its = (root or self._directory).split(b"/"), one.prefix.split(b"/")
        shared = next(
            (number for number, (a, b) in enumerate(zip(ours, its, strict=False)) if a != b), min(len(ours), len(its))
        )
        return int(one.prefix != self._own()), -shared, one.prefix


def show(session: Session, directory: bytes, following: Following) -> int:
    """Until q, Ctrl-C, or the end of the terminal; it is left as it was found."""
    view = View(session, directory)
    console = terminal()
    stdin = sys.stdin.fileno() if sys.stdin is not None and sys.stdin.isatty() else None
    with Feed(following) as feed, _signals(feed) as suspended:
        while True:
            with _keys(stdin), Live(console=console, screen=True, auto_refresh=False) as live:
                view.refresh()
                while not suspended:
                    live.update(view.drawn(*console.size), refresh=True)
                    feed.wait(stdin=stdin)
                    items = list(feed.take())
                    for item in items:
                        view.take(item)
                    if any(items):
                        view.refresh()
                    if stdin is not None and _pressed(stdin):
                        return 0
            suspended.clear()
            os.kill(os.getpid(), signal.SIGSTOP)


def _pressed(stdin: int) -> bool:
    """Whether one of ``KEYS`` is among what was typed; the end of a terminal counts."""
    os.set_blocking(stdin, False)
    try:
        typed = os.read(stdin, 1024)
    except BlockingIOError:
        return False
    finally:
        os.set_blocking(stdin, True)
    return not typed or bool(KEYS.intersection(typed))


@contextlib.contextmanager
def _keys(stdin: int | None) -> Iterator[None]:
    """Keys arrive one by one and are not shown."""
    if stdin is None:
        yield
        return
    former = termios.tcgetattr(stdin)
    try:
        tty.setcbreak(stdin, termios.TCSADRAIN)
        yield
    finally:
        termios.tcsetattr(stdin, termios.TCSADRAIN, former)


@contextlib.contextmanager
def _signals(feed: Feed) -> Iterator[list[bool]]:
    """A resized window is drawn anew, a suspended program leaves the screen first, and so does an ended one."""
    suspended: list[bool] = []

    def suspend(_number: int, _frame: FrameType | None) -> None:
        suspended.append(True)
        feed.wake()

    def leave(number: int, _frame: FrameType | None) -> NoReturn:
        raise SystemExit(128 + number)

    handlers: dict[int, Any] = {
        signal.SIGWINCH: lambda _number, _frame: feed.wake(),
        signal.SIGTSTP: suspend,
        signal.SIGTERM: leave,
        signal.SIGHUP: leave,
    }
    former = {number: signal.signal(number, handler) for number, handler in handlers.items()}
    try:
        yield suspended
    finally:
        for number, handler in former.items():
            signal.signal(number, handler)


def _home(path: bytes, environ: Any) -> str:
    home = environ.get(b"HOME", b"").rstrip(b"/")
    inside = home and path.startswith(home + b"/")
    return "~" + shown(path[len(home) :]) if inside else shown(path)


def _ending(path: str, width: int) -> str:
    """What tells paths apart is at their end."""
    return path if len(path) <= width else "…" + path[1 - width :]


def _fitted(part: RenderableType) -> RenderableType:
    if isinstance(part, Text):
        part.no_wrap, part.overflow = True, "ellipsis"
    return part
