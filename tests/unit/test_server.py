"""The loop and its parts: socket, marks, heartbeat, self-check, hand-over, end."""

from __future__ import annotations

import logging
import os
import socket
import stat
import sys
import threading
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytest

from alight import query
from alight.clock import SystemClock
from alight.files.moment import Moment
from alight.paths import Places
from alight.server import news as news_module
from alight.server.boundary import contained
from alight.server.handlers_base import Peer
from alight.server.inbox import Inbox
from alight.server.loop import REPLIES_TOGETHER, TURN_SECONDS, Loop
from alight.server.news import News
from alight.server.selfcheck import SelfCheck
from alight.server.timers import Timers
from alight.wire.messages import News as NewsMessage
from support.echo import echo_in_thread, places_in
from support.until import until
from support.zmtp import connected


@dataclass
class FakeClock:
    """Time that passes when a test says so."""

    now: float = 100.0

    def monotonic(self) -> float:
        return self.now

    def wall_ns(self) -> int:
        return int(self.now * 1e9)


class Pushes:
    """Where News pushes to; ``gone`` names the peers that left."""

    def __init__(self) -> None:
        self.sent: list[tuple[bytes, bytes, str]] = []
        self.gone: set[bytes] = set()

    def __call__(self, routing_id: bytes, message: NewsMessage) -> bool:
        if routing_id in self.gone:
            return False
        self.sent.append((routing_id, message.root, message.mark))
        return True


@pytest.fixture
def places(runtime_directory: Path) -> Places:
    """A runtime directory as the daemon has it."""
    runtime_directory.mkdir(mode=0o700)
    return places_in(runtime_directory)


@pytest.fixture
def pushes() -> Pushes:
    """Where the marks are pushed to."""
    return Pushes()


@pytest.fixture
def news(places: Places, pushes: Pushes) -> News:
    """Marks that push to ``pushes``."""
    opened = News(places, SystemClock())
    opened.open(pushes)
    return opened


def read(path: bytes) -> str:
    """The one line of a generation file."""
    with open(path) as file:
        return file.read().rstrip("\n")


# --- the socket -----------------------------------------------------------------------------------


def test_the_socket_is_ours_alone(runtime_directory: Path) -> None:
    """Socket and heartbeat have mode 0600 whatever the umask, and both are gone after the end."""
    former = os.umask(0)
    try:
        with echo_in_thread(runtime_directory) as echo:
            for file in (echo.places.socket, echo.places.alive, echo.places.generation, echo.places.lock):
                assert stat.S_IMODE(os.lstat(file).st_mode) == 0o600, file
            pid, seconds = echo.places.alive.read_text().split()
            assert int(pid) == os.getpid()
            assert int(seconds) > 1_600_000_000
    finally:
        os.umask(former)
    assert not echo.places.socket.exists()
    assert not echo.places.alive.exists()


def test_the_peer_is_named_by_the_kernel(runtime_directory: Path) -> None:
    """A handler sees uid and process id of whoever asks."""
    with echo_in_thread(runtime_directory) as echo:
        assert query.ping(os.fsencode(echo.places.socket), 5)
        peer = echo.handler.peers[-1]
    assert (peer.uid, peer.pid) == (os.getuid(), os.getpid())


def test_a_removed_socket_is_bound_again(runtime_directory: Path) -> None:
    """After its file is removed the daemon listens anew, and connections that were open live on."""
    with echo_in_thread(runtime_directory) as echo:
        path = os.fsencode(echo.places.socket)
        with connected(path) as kept:
            os.unlink(path)
            assert not query.ping(path, 1)
            until("the socket is back", lambda: query.ping(path, 1), 8)
            assert kept.ask([b"1", b"ping", b"i", b""])[6] == b"pong"


def test_half_open_peers_disturb_nobody(runtime_directory: Path) -> None:
    """Silent, half-greeted and non-ZMTP connections do not keep others from being served."""
    with echo_in_thread(runtime_directory) as echo:
        path = os.fsencode(echo.places.socket)
        peers = [socket.socket(socket.AF_UNIX) for _ in range(60)]
        try:
            for index, peer in enumerate(peers):
                peer.connect(path)
                peer.send([b"\xff", b"GET / HTTP/1.1\r\n\r\n", query.GREETING][index % 3])
            for _ in range(20):
                assert query.ping(path, 5)
        finally:
            for peer in peers:
                peer.close()


def test_a_peer_that_never_reads_is_given_up(runtime_directory: Path) -> None:
    """Replies to a peer that does not read are dropped when its queue is full; others are served."""
    with echo_in_thread(runtime_directory) as echo:
        path = os.fsencode(echo.places.socket)
        with connected(path) as deaf:
            deaf._stream._socket.settimeout(1)
            one = query.encode([b"1", b"ping", b"i", b"x" * 16000])
            for _ in range(400):
                try:
                    deaf._stream._socket.sendall(one)
                except TimeoutError:
                    break
            for _ in range(20):
                assert query.ping(path, 5)


# --- the loop -------------------------------------------------------------------------------------


def test_other_threads_hand_in_work(runtime_directory: Path) -> None:
    """``call_soon_threadsafe`` runs a callable on the loop's thread, in order, and survives one that fails."""
    with echo_in_thread(runtime_directory) as echo:
        ran: list[tuple[int, int]] = []

        def fail() -> None:
            raise ZeroDivisionError

        def note(number: int) -> None:
            ran.append((number, threading.get_ident()))

        echo.loop.call_soon_threadsafe(fail)
        for number in range(500):
            echo.loop.call_soon_threadsafe(partial(note, number))
        until("all of it ran", lambda: len(ran) == 500)
        assert [number for number, _ in ran] == list(range(500))
        assert {thread for _, thread in ran} != {threading.get_ident()}
        assert query.ping(os.fsencode(echo.places.socket), 5)


class Waiting:
    """A router with so many messages waiting, and a dispatcher that takes ``seconds`` of the clock for each."""

    def __init__(self, clock: FakeClock, count: int, seconds: float) -> None:
        self.messages = [(Peer(b"shell"), [b"%d" % number]) for number in range(count)]
        self.served: list[tuple[bytes, Moment]] = []
        self._clock = clock
        self._seconds = seconds

    def receive(self, limit: int) -> list[tuple[Peer, list[bytes]]]:
        taken, self.messages = self.messages[:limit], self.messages[limit:]
        return taken

    def dispatch(self, frames: list[bytes], _peer: Peer, moment: Moment) -> None:
        self.served.append((frames[0], moment))
        self._clock.now += self._seconds


@pytest.mark.parametrize(("seconds", "turns"), [(0.0, 1), (TURN_SECONDS / 4, 2), (2 * TURN_SECONDS, 5)])
def test_a_turn_is_bounded(places: Places, news: News, seconds: float, turns: int) -> None:
    """What came at once is answered in one moment as long as a turn has time for it, one message at least, in order."""
    clock = FakeClock()
    loop = Loop(places, os.getuid(), news, clock, logging.getLogger("test"))
    waiting = Waiting(clock, 5, seconds)
    for _ in range(turns):
        assert len(waiting.served) < 5
        loop._serve(waiting, waiting)  # type: ignore[arg-type]
    loop.close()
    assert [name for name, _ in waiting.served] == [b"%d" % number for number in range(5)]
    assert len({id(moment) for _, moment in waiting.served}) == turns


class Traffic:
    """A router and a dispatcher: ``many`` messages wait, each gets a reply, and news come while one is dispatched."""

    def __init__(self, many: int, news_at: int = -1) -> None:
        self.many, self.news_at = many, news_at
        self.sent: list[bytes] = []
        self.unsent_at: list[int] = []
        self.loop: Loop | None = None

    def receive(self, _limit: int) -> list[tuple[Peer, list[bytes]]]:
        return [(Peer(b"gone" if number == 1 else b"shell"), [b"%d" % number]) for number in range(self.many)]

    def dispatch(self, frames: list[bytes], _peer: Peer, _moment: Moment) -> list[bytes]:
        number = int(frames[0])
        self.unsent_at.append(number - len(self.sent))
        if number == self.news_at and self.loop is not None:
            self.loop._push(b"shell", NewsMessage(b"/p", "mark"))
        return frames

    def news_frames(self, _message: object) -> list[bytes]:
        return [b"news"]

    def send(self, routing_id: bytes, frames: list[bytes]) -> bool:
        self.sent += frames
        return routing_id != b"gone"

    def close(self) -> None:
        """Nothing is open."""


def test_replies_leave_together(places: Places, news: News, pushes: Pushes) -> None:
    """In order and a bounded number at once, the last ones with the end of the turn; who is gone hears no news."""
    loop = Loop(places, os.getuid(), news, FakeClock(), logging.getLogger("test"))
    traffic = Traffic(2 * REPLIES_TOGETHER + 3)
    news.follow(b"gone", b"/p", news.mark_of(b"/p"))
    loop._serve(traffic, traffic)  # type: ignore[arg-type]
    loop.close()
    assert traffic.sent == [b"%d" % number for number in range(traffic.many)]
    assert max(traffic.unsent_at) == REPLIES_TOGETHER - 1
    news.bump(b"/p")
    assert not pushes.sent


def test_news_do_not_overtake_replies(places: Places, news: News) -> None:
    """A shell passes over what comes before the reply it waits for: the replies that are ready leave first."""
    loop = Loop(places, os.getuid(), news, FakeClock(), logging.getLogger("test"))
    traffic = Traffic(5, news_at=3)
    traffic.loop = loop
    loop._router = loop._dispatcher = traffic  # type: ignore[assignment]
    loop._serve(traffic, traffic)  # type: ignore[arg-type]
    loop.close()
    assert traffic.sent == [b"0", b"1", b"2", b"news", b"3", b"4"]


def test_the_inbox_is_bounded_a_turn() -> None:
    """What is left after the limit keeps the descriptor readable, and a closed inbox swallows late calls."""
    inbox = Inbox()
    ran: list[int] = []
    for number in range(5):
        inbox.put(partial(ran.append, number))
    for callback in inbox.take(3):
        callback()
    assert ran == [0, 1, 2]
    assert inbox._reader.recv(1)
    for callback in inbox.take(3):
        callback()
    assert ran == [0, 1, 2, 3, 4]
    inbox.close()
    inbox.put(lambda: None)


def test_timers_do_not_burst() -> None:
    """After an hour of suspend each timer runs once, then again after its interval."""
    clock = FakeClock()
    timers = Timers(clock)
    assert timers.wait() is None
    ran: list[str] = []
    timers.every(10, lambda: ran.append("slow"))
    timers.every(2, lambda: ran.append("quick"))
    assert timers.wait() == 2
    clock.now += 3600
    for callback in timers.take_due():
        callback()
    assert sorted(ran) == ["quick", "slow"]
    assert list(timers.take_due()) == []
    assert timers.wait() == 2


def test_one_waking_serves_several_timers() -> None:
    """What repeats comes along when it would be due a little later, and stays together; what is due once waits."""
    clock, ran = FakeClock(), list[str]()
    timers, began = Timers(clock), clock.now
    timers.every(2, lambda: ran.append("first"))
    clock.now += 0.15
    timers.every(2, lambda: ran.append("second"))
    timers.after(1.9, lambda: ran.append("once"))
    wakings = []
    for _ in range(3):
        clock.now += timers.wait() or 0
        for callback in timers.take_due():
            callback()
        wakings.append((round(clock.now - began, 2), tuple(ran)))
        ran.clear()
    assert wakings == [(2.0, ("first", "second")), (2.05, ("once",)), (4.0, ("first", "second"))]


def test_the_boundary_logs_and_goes_on(caplog: pytest.LogCaptureFixture) -> None:
    """An unexpected exception becomes a traceback in the log and the given value."""
    assert contained(logging.getLogger("boundary"), "this", lambda: 1 // 0, 7) == 7
    assert "ZeroDivisionError" in caplog.text


# --- marks ----------------------------------------------------------------------------------------


def test_a_mark_changes_with_news_only(news: News) -> None:
    """Asking for a mark leaves it and its file as they are; a bump changes that project's and no other's."""
    mark, other = news.prepare(b"/a"), news.prepare(b"/b")
    assert mark != other
    assert read(news.file_of(b"/a")) == mark == news.prepare(b"/a") == news.mark_of(b"/a")
    news.bump(b"/a")
    assert read(news.file_of(b"/a")) == news.mark_of(b"/a") != mark
    assert read(news.file_of(b"/b")) == other
    news.bump(b"")
    assert read(news.file_of(b"")) == news.mark_of(b"")
    assert read(news.file_of(b"/b")) == other
    news.bump_all()
    assert read(news.file_of(b"/b")) == news.mark_of(b"/b") != other


def test_the_stamp_counts(news: News) -> None:
    """Generations only grow; the epoch stays."""
    before = news.stamp
    news.bump(b"/a")
    assert (news.stamp.epoch, news.stamp.generation) == (before.epoch, before.generation + 1)


def test_preparing_moves_the_time_not_the_content(news: News) -> None:
    """The file's time is that of the reading: a witness changed later is newer, and an early look can be stated."""
    path = news.file_of(b"/a")
    mark = news.prepare(b"/a")
    os.utime(path, ns=(1, 1))
    news.prepare(b"/a")
    assert os.stat(path).st_mtime_ns > 10**18
    news.touch(b"/a", 123_456_789)
    assert os.stat(path).st_mtime_ns == 123_456_789
    os.unlink(path)
    assert news.prepare(b"/a") == mark == read(path)


def test_the_time_of_a_file_is_looked_at_once(news: News, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is known until this process writes the file, or the folder of all of them changes, as by a removal."""
    looks: list[object] = []
    stat = os.stat
    monkeypatch.setattr(os, "stat", lambda path: looks.append(path) or stat(path))

    def written(moment: Moment) -> tuple[int, bool]:
        before = looks.count(path)
        return news.written_ns(b"/a", moment), looks.count(path) > before

    def moment() -> Moment:
        now = Moment(SystemClock())
        now.began_ns += 3600 * 10**9  # nothing changed a moment ago
        return now

    path = news.file_of(b"/a")
    news.prepare(b"/a")
    for time_ns in (1, 2):
        news.touch(b"/a", time_ns)
        assert [written(moment()) for _ in range(2)] == [(time_ns, True), (time_ns, False)]
    news.bump(b"/a")
    assert written(moment())[0] > 2
    os.unlink(path)
    assert written(moment()) == (0, True)
    news.prepare(b"/a")
    assert written(moment())[0] > 0
    assert [written(Moment(SystemClock()))[1] for _ in range(2)] == [False, False]
    news.bump(b"/a")
    assert [written(Moment(SystemClock()))[1] for _ in range(2)] == [True, True], "the folder changed a moment ago"


def test_another_daemon_has_news_for_everyone(places: Places, news: News, pushes: Pushes) -> None:
    """A new daemon cannot know what was missed: it changes every mark that it finds, and clears foreign files."""
    mark, general = news.prepare(b"/a"), news.mark_of(b"")
    (places.projects / "leftover.new").touch()
    later = News(places, FakeClock())
    later.open(pushes)
    assert read(later.file_of(b"/a")) == later.mark_of(b"/a") != mark
    assert later.mark_of(b"") != general
    assert [entry.name for entry in places.projects.iterdir()] == [os.path.basename(later.file_of(b"/a")).decode()]


def test_the_number_of_files_is_bounded(news: News, places: Places, monkeypatch: pytest.MonkeyPatch) -> None:
    """The least recently used project files are removed."""
    monkeypatch.setattr(news_module, "PROJECT_LIMIT", 3)
    for root in (b"/a", b"/b", b"/c", b"/a", b"/d"):
        news.prepare(root)
    assert len(list(places.projects.iterdir())) == news.projects == 3
    assert os.path.exists(news.file_of(b"/a"))
    assert not os.path.exists(news.file_of(b"/b"))


def test_listeners_hear_what_concerns_them(news: News, pushes: Pushes) -> None:
    """News go to those who listen to that root, once a change; who is behind hears at once; who left is forgotten."""
    mark = news.prepare(b"/a")
    news.listen(b"1", b"/a", mark)
    news.listen(b"2", b"/b", "an old one")
    assert pushes.sent == [(b"2", b"/b", news.mark_of(b"/b"))]
    pushes.sent.clear()
    news.bump(b"/a")
    assert pushes.sent == [(b"1", b"/a", news.mark_of(b"/a"))]
    pushes.sent.clear()
    pushes.gone.add(b"1")
    news.bump_all()
    pushes.gone.clear()
    news.bump_all()
    assert [routing_id for routing_id, _, _ in pushes.sent] == [b"2", b"2"]


def test_news_reach_an_open_connection(runtime_directory: Path) -> None:
    """A shell that asked and keeps its connection receives the next mark with an empty id; ``listen`` likewise."""
    with echo_in_thread(runtime_directory) as echo:
        path = os.fsencode(echo.places.socket)
        with connected(path) as asked, connected(path) as listening:
            plan = asked.ask([b"1", b"ask", b"i", b"zsh", b"1", b"/p", b"on", b"", b"", b"", b"0", b"1"])
            assert plan[6] == b"plan"
            told = listening.ask([b"1", b"listen", b"l", b"/p", b"/p", b"old"])
            assert (told[2], told[6], told[7]) == (b"", b"news", b"/p")
            echo.loop.call_soon_threadsafe(lambda: echo.news.bump(b"/p"))
            first, second = asked.receive(), listening.receive()
    assert first[6:] == second[6:] != told[6:]
    assert first[6:8] == [b"news", b"/p"]
    assert first[8].decode() == read(echo.news.file_of(b"/p"))


# --- the self-check -------------------------------------------------------------------------------


def test_the_self_check_sees_what_was_taken_away(places: Places) -> None:
    """A directory opened to others or replaced, a replaced lock, or too much memory: each is a reason to leave."""
    places.lock.touch()
    uid = os.getuid()
    # Whatever the tests before have left in this process.
    check = SelfCheck(places, uid, memory_limit=sys.maxsize)
    assert check.complaint() == ""
    assert "memory" in SelfCheck(places, uid, memory_limit=1).complaint()
    places.runtime.chmod(0o755)
    assert "open to other users" in check.complaint()
    places.runtime.chmod(0o700)
    assert "open to other users" in SelfCheck(places, uid + 1).complaint()
    places.lock.rename(places.lock.with_name("former"))
    assert "gone" in check.complaint()
    places.lock.touch()
    assert "lock was replaced" in check.complaint()
    places.runtime.rename(places.runtime.with_name("moved"))
    assert "gone" in check.complaint()
    places.runtime.mkdir(mode=0o700)
    places.lock.touch()
    assert "directory was replaced" in check.complaint()
