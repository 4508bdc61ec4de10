"""A whole daemon around a handler that knows next to nothing, for tests of transport and life cycle.

``python -m alight`` cannot be pointed at it, so ``echo_python`` writes an "interpreter" that runs it instead.
"""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from alight.clock import SystemClock
from alight.errors import BadNews
from alight.files.moment import Moment
from alight.lifecycle import limits
from alight.lifecycle.lock import Lock
from alight.lifecycle.service import Part, Service
from alight.log import close_log, open_log
from alight.paths import Places
from alight.server.handlers_base import Peer
from alight.server.loop import Loop
from alight.server.news import News
from alight.wire.messages import Ask, Done, Message, Ping, Plan, Pong
from alight.wire.requests import DecisionsReply, GetEnvironments, GetStatus, StatusReply, Stop, TrustList


def places_in(runtime: Path) -> Places:
    """Places that all lie in one short directory."""
    return Places(runtime=runtime, config=runtime / "config", data=runtime / "data", state=runtime / "state")


class EchoHandler:
    """Answers Ping, GetStatus and Stop; an Ask is planned as "keep"; everything else is a bug on purpose."""

    def __init__(self, loop: Loop, news: News) -> None:
        self._loop = loop
        self._news = news
        self.peers: list[Peer] = []

    def handle(self, request: Message, peer: Peer, moment: Moment) -> Message:
        """One reply a request."""
        self.peers.append(peer)
        if isinstance(request, Ping):
            return Pong(os.getpid())
        if isinstance(request, GetStatus):
            return StatusReply(os.getpid(), projects=self._news.projects)
        if isinstance(request, Stop):
            self._loop.stop("asked to")
            return Done()
        if isinstance(request, Ask):
            mark = self._news.prepare(request.directory)
            generation = self._news.file_of(request.directory)
            return Plan(
                action="keep",
                root=request.directory,
                prefix=b"",
                owner="",
                stamp=b"",
                state="none",
                name="",
                kind="",
                python_version="",
                prompt="",
                segment=False,
                notice="",
                generation=generation,
                mark=mark,
                witness_1=b"",
                witness_2=b"",
                witness_3=b"",
                witness_4=b"",
            )
        if isinstance(request, GetEnvironments):
            raise BadNews("nothing here", "look elsewhere")
        if isinstance(request, TrustList):
            return DecisionsReply((), "\udcff cannot be encoded")
        raise ZeroDivisionError("a bug in a handler")


@dataclass
class Echo:
    """A loop in this process, served by a thread of its own."""

    places: Places
    loop: Loop
    news: News
    handler: EchoHandler


@contextmanager
def echo_in_thread(runtime: Path) -> Iterator[Echo]:
    """Serve ``runtime`` from a thread until the block ends."""
    places = places_in(runtime)
    lock = Lock.take(places, os.getuid())
    log = open_log(places.log, "debug")
    news = News(places, SystemClock())
    # What this process holds is the work of all the tests before.
    loop = Loop(places, os.getuid(), news, SystemClock(), log, memory_limit=sys.maxsize)
    handler = EchoHandler(loop, news)
    opened = threading.Event()

    def serve() -> None:
        loop.open()
        opened.set()
        loop.run(handler)
        loop.close()

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        assert opened.wait(5), "the loop did not open"
        yield Echo(places, loop, news, handler)
    finally:
        loop.stop("the test ended")
        thread.join(5)
        lock.release()
        close_log(log)
        assert not thread.is_alive()


def echo_python(directory: Path, environ: Mapping[str, str] | None = None) -> Path:
    """An executable to give ``query.py spawn`` as PYTHON: it ignores its words and runs this module."""
    source = Path(__file__).resolve().parents[2]
    script = directory / "echo-python"
    extra = "".join(f"export {name}='{value}'\n" for name, value in (environ or {}).items())
    sources = f"{source / 'daemon'}:{source / 'tests'}"
    script.write_text(f"#!/bin/sh\n{extra}PYTHONPATH='{sources}' exec '{sys.executable}' -m support.echo\n")
    script.chmod(0o700)
    return script


def main() -> None:
    """The parts in the order that ``lifecycle`` promises: limits, lock, news and socket, loop."""
    places = places_in(Path(os.environ["ALIGHT_RUNTIME_DIR"]))
    limits.apply()
    lock = Lock.take(places, os.getuid())
    log = open_log(places.log, "debug")
    news = News(places, SystemClock())
    loop = Loop(places, os.getuid(), news, SystemClock(), log)
    parts = [
        Part("lock", lambda: None, lock.release),
        Part("log", lambda: None, lambda: close_log(log)),
        Part("loop", loop.open, loop.close),
    ]
    with Service(parts):
        log.info("serving")
        log.info("leaving: %s", loop.run(EchoHandler(loop, news)))


if __name__ == "__main__":
    main()
