"""The composition root: builds everything once. The only module that may import every layer."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable
from dataclasses import replace
from importlib import import_module
from threading import Thread
from typing import cast

from alight import log
from alight.clock import Clock, SystemClock
from alight.errors import AlreadyServing
from alight.index import Index
from alight.lifecycle import limits
from alight.lifecycle.identity import require_ordinary_user
from alight.lifecycle.lock import Lock
from alight.lifecycle.service import Part, Service
from alight.model import GuardMode
from alight.paths import Places
from alight.server.gap import Gap
from alight.server.handlers import Handlers
from alight.server.handlers_base import Surface, Watcher
from alight.server.keeping import Keeping
from alight.server.loop import Loop
from alight.server.news import News
from alight.server.reading import PERIOD_SECONDS, Reading
from alight.settings import Settings
from alight.store import Store
from alight.trust.answers import Answers
from alight.trust.judge import Judge
from alight.trust.maker import Makers
from alight.trust.records import Records

LINKS_BUDGET_NS = 1_000_000
"""What one question may spend on reading environments in pools; the loop's idle moments do the rest."""


def run_daemon(places: Places, settings: Settings, *, foreground: bool) -> int:
    """Serve until asked to stop; returns the exit code. Raises UnsafeDirectory and Unreachable before serving."""
    uid = os.getuid()
    require_ordinary_user(uid, os.geteuid(), os.environ)
    logger = log.open_log(places.log, str(settings.log_level.value))
    if foreground:
        logger.addHandler(logging.StreamHandler())
    limits.apply()
    try:
        lock = Lock.take(places, uid)
    except AlreadyServing as error:
        logger.info("%s", error)
        return 0
    try:
        _serve(places, settings, uid, logger)
    finally:
        lock.release()
        log.close_log(logger)
    return 0


def local_handler(places: Places, settings: Settings) -> Handlers:
    """The daemon's handlers for one question asked without it; decisions are not for them to write."""
    clock, uid = SystemClock(), os.getuid()
    surface = _surface(settings, None, None, lambda _reason: None)
    return _handlers(places, surface, uid, clock, Index(clock, uid, _home()))


def _serve(places: Places, settings: Settings, uid: int, logger: logging.Logger) -> None:
    # Imported here: commands that answer in process do not watch, and watchdog takes 60 ms.
    from alight.server.covering import Covering
    from alight.server.hearing import Hearing
    from alight.watch.observer import Watch

    clock = SystemClock()
    news = News(places, clock)
    loop = Loop(places, uid, news, clock, logger)

    def deliver(roots: frozenset[bytes]) -> None:
        loop.call_soon_threadsafe(lambda: hearing.take(roots))

    index = Index(clock, uid, _home(), links_budget_ns=LINKS_BUDGET_NS)
    store = Store(places.index, uid, logger)
    store.recall(index.recall)
    watch = Watch(deliver, clock) if settings.watch_enabled.value else None
    covering = Covering(watch, index, clock, loop.later) if watch is not None else None
    surface = replace(_surface(settings, news, covering, loop.stop), later=loop.later)
    handlers = _handlers(places, surface, uid, clock, index)
    # The first question begins the reading of the pools: nobody should wait for what the next one finds done.
    index.resolve(_home(), {"HOME": _home()})
    hearing = Hearing(handlers, index.forget, covering, clock, loop.call_soon_threadsafe)
    reading = Reading(index, hearing, loop.call_soon_threadsafe)
    gap = Gap(clock, PERIOD_SECONDS, hearing.everything if watch is None else watch.look_again)
    keeping = Keeping(index, store, clock, loop.call_soon_threadsafe)
    loop.every(PERIOD_SECONDS, gap.tick)
    loop.every(PERIOD_SECONDS, reading.tick)
    loop.every(PERIOD_SECONDS, keeping.tick)
    loop.call_soon_threadsafe(reading.tick)
    # In a thread of its own, so that neither the first question at Enter nor anybody else waits for these modules.
    rules = Thread(target=import_module, args=("alight.server.guard_handlers",), name="rules")
    # The index is written when the socket is gone already: nobody asks a daemon that only waits for the disk.
    kept = Part("index", lambda: None, keeping.close)
    parts = [kept, Part("server", loop.open, loop.close), Part("rules", rules.start, rules.join)]
    if watch is not None:
        parts.append(Part("watch", watch.start, watch.stop))
    with Service(parts):
        logger.info("serving %s, pid %d", places.runtime, os.getpid())
        reason = loop.run(handlers)
        logger.info("leaving: %s", reason)


def _surface(settings: Settings, news: News | None, watch: Watcher | None, stop: Callable[[str], None]) -> Surface:
    segment, wrapper = bool(settings.prompt_segment.value), bool(settings.virtualenvwrapper_hooks.value)
    guard = settings.guard_mode
    mode = None if guard.source in ("default", "environment") else cast("GuardMode", guard.value)
    return Surface(news, watch, stop, segment=segment, wrapper=wrapper, guard=mode)


def _home() -> bytes:
    return os.fsencode(os.path.expanduser("~"))


def _handlers(places: Places, surface: Surface, uid: int, clock: Clock, index: Index) -> Handlers:
    judge = Judge(Records(places.trust, uid, clock), uid)
    return Handlers(Answers(index, judge, uid, clock), Makers(clock), surface, clock)
