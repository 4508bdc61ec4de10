"""The loop: one thread owns every socket; others hand it callables.

A plain ``zmq.Poller``: asyncio would triple the round trip (reliability finding 16). Work per turn is bounded, so
that no peer keeps timers, hand-overs or the end waiting.
"""

from __future__ import annotations

import logging
import os
import signal
import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

import zmq

from alight.clock import Clock
from alight.files.moment import Moment
from alight.paths import Places
from alight.server.alive import Heartbeat
from alight.server.boundary import contained
from alight.server.dispatch import Dispatcher
from alight.server.handlers_base import Handler, Peer
from alight.server.inbox import Inbox
from alight.server.news import News
from alight.server.selfcheck import MEMORY_LIMIT, SelfCheck
from alight.server.socket import Router
from alight.server.timers import Timers
from alight.wire.limits import HEARTBEAT_SECONDS
from alight.wire.messages import News as NewsMessage

MESSAGES_PER_TURN = 256
CALLS_PER_TURN = 64

REPLIES_TOGETHER = 16
"""Replies that leave together: to wake libzmq's thread for each costs those behind it more than they wait."""

TURN_SECONDS = 0.05
"""How long one turn may answer: timers and the heartbeat must not wait for whoever asks a lot."""

SELF_CHECK_SECONDS = 2.0
"""Shorter than the five seconds a spawning shell waits: it then finds a removed socket healed."""


class Loop:
    """Serves one runtime directory from ``open`` to ``close``. The caller holds the lifetime lock."""

    def __init__(
        self,
        places: Places,
        uid: int,
        news: News,
        clock: Clock,
        log: logging.Logger,
        memory_limit: int = MEMORY_LIMIT,
    ) -> None:
        self._places = places
        self._memory_limit = memory_limit
        self._uid = uid
        self._news = news
        self._clock = clock
        self._log = log
        self._inbox = Inbox()
        self._timers = Timers(clock)
        self._heartbeat = Heartbeat(places, clock)
        self._router: Router | None = None
        self._dispatcher: Dispatcher | None = None
        self._waiting: deque[tuple[Peer, list[bytes]]] = deque()
        self._given: list[tuple[Peer, list[bytes]]] = []
        self._reason: str | None = None

    # --- callable from every thread ---

    def call_soon_threadsafe(self, callback: Callable[[], None]) -> None:
        """Have ``callback`` called on the loop's thread."""
        self._inbox.put(callback)

    def stop(self, reason: str) -> None:
        """End after the current turn; ``reason`` goes to the log."""
        self._reason = self._reason or reason
        self._inbox.wake()

    # --- the loop's own thread ---

    def every(self, seconds: float, callback: Callable[[], None]) -> None:
        """Have ``callback`` called again and again, first in ``seconds``."""
        self._timers.every(seconds, callback)

    def later(self, seconds: float, callback: Callable[[], None]) -> None:
        """Have ``callback`` called once, in ``seconds``."""
        self._timers.after(seconds, callback)

    def open(self) -> None:
        """Bind the socket and write the first heartbeat: from here on clients connect and wait for ``run``."""
        os.makedirs(self._places.projects, mode=0o700, exist_ok=True)
        self._router = Router(os.fsencode(self._places.socket), self._uid)
        self._news.open(self._push)
        self._router.bind()
        check = SelfCheck(self._places, self._uid, self._memory_limit)
        self._timers.every(HEARTBEAT_SECONDS, self._heartbeat.beat)
        self._timers.every(SELF_CHECK_SECONDS, lambda: self._check(check))
        self._heartbeat.beat()

    def run(self, handler: Handler) -> str:
        """Serve until ``stop`` or, on the main thread, SIGTERM or SIGINT; returns the reason."""
        router = self._opened()
        self._dispatcher = dispatcher = Dispatcher(handler, self._news, self._log, router.send)
        poller = zmq.Poller()
        poller.register(router.socket, zmq.POLLIN)
        poller.register(self._inbox.fileno(), zmq.POLLIN)
        with self._signals():
            while self._reason is None:
                ready = dict(poller.poll(self._pause_ms()))
                if self._waiting or router.socket in ready:
                    self._serve(router, dispatcher)
                if self._inbox.fileno() in ready:
                    for callback in self._inbox.take(CALLS_PER_TURN):
                        contained(self._log, "a handed-in call", callback, None)
                for callback in self._timers.take_due():
                    contained(self._log, "a timer", callback, None)
        return self._reason

    def _pause_ms(self) -> int | None:
        wait = self._timers.wait()
        return 0 if self._waiting else None if wait is None else int(wait * 1000) + 1

    def close(self) -> None:
        """Remove socket and heartbeat, let given replies leave, free everything."""
        self._heartbeat.stop()
        if self._router is not None:
            self._router.close()
            self._router = None
        self._inbox.close()

    def _serve(self, router: Router, dispatcher: Dispatcher) -> None:
        # All of them first: the one moment that answers them begins when the last one is here.
        self._waiting.extend(router.receive(MESSAGES_PER_TURN - len(self._waiting)))
        moment, end = Moment(self._clock), self._clock.monotonic() + TURN_SECONDS
        while self._waiting:
            peer, frames = self._waiting.popleft()
            reply = dispatcher.dispatch(frames, peer, moment)
            if reply is not None:
                self._given.append((peer, reply))
            if len(self._given) >= REPLIES_TOGETHER:
                self._send_given(router)
            if self._clock.monotonic() >= end:
                break
        self._send_given(router)

    def _send_given(self, router: Router) -> None:
        given, self._given = self._given, []
        for peer, reply in given:
            if not router.send(peer.routing_id, reply):
                self._news.forget(peer.routing_id)

    def _push(self, routing_id: bytes, message: NewsMessage) -> bool:
        if self._router is None or self._dispatcher is None:
            return False
        # A shell passes over what comes before the reply it waits for.
        self._send_given(self._router)
        return self._router.send(routing_id, self._dispatcher.news_frames(message))

    def _check(self, check: SelfCheck) -> None:
        complaint = check.complaint()
        if complaint:
            self.stop(complaint)
        elif not self._opened().is_in_place():
            self._log.warning("the socket was removed; listening again")
            self._opened().rebind()

    def _opened(self) -> Router:
        if self._router is None:
            raise RuntimeError("the loop is not open")
        return self._router

    @contextmanager
    def _signals(self) -> Iterator[None]:
        """SIGTERM and SIGINT stop, SIGHUP (the terminal that started us closed) does nothing."""

        def leave(number: int, _frame: FrameType | None) -> None:
            self.stop(signal.Signals(number).name)

        if threading.current_thread() is not threading.main_thread():
            yield
            return
        former = {number: signal.signal(number, leave) for number in (signal.SIGTERM, signal.SIGINT)}
        former[signal.SIGHUP] = signal.signal(signal.SIGHUP, signal.SIG_IGN)
        descriptor = signal.set_wakeup_fd(self._inbox.wake_descriptor(), warn_on_full_buffer=False)
        try:
            yield
        finally:
            signal.set_wakeup_fd(descriptor)
            for number, action in former.items():
                signal.signal(number, action)
