"""Start a daemon that outlives the shell, at most one at a time. Standard library alone.

Loaded by ``query.py spawn`` from outside the package, so it imports nothing of alight; ``ping`` is handed in.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import stat
import sys
import time
from collections.abc import Callable, Iterator, Mapping

SERVED, ABSENT = 0, 3
"""Exit codes of ``shell/PROTOCOL.md`` 6."""

DEADLINE_SECONDS = 5.0
PING_SECONDS = 0.25
FAILURES, FAILURE_WINDOW_SECONDS, PAUSE_SECONDS = 3, 60.0, 600.0
"""This many failed starts within the window stop all spawning for the pause (reliability fault 8)."""

START_LOG = b"start.log"
_KEPT = frozenset((b"HOME", b"USER", b"LOGNAME", b"LANG", b"TMPDIR", b"PATH"))
_KEPT_PREFIXES = (b"LC_", b"XDG_", b"ALIGHT_")

Ping = Callable[[bytes, float], bool]


class Refused(Exception):
    """The runtime directory or the user is not one a daemon may serve."""


def spawn(runtime: bytes, python: bytes, ping: Ping, environ: Mapping[bytes, bytes] = os.environb) -> int:
    """0 when a daemon serves ``runtime`` within five seconds (or did already), 3 when none could be started.

    ``python`` is the interpreter that has alight installed. The reason of a refusal is printed to stderr.
    """
    try:
        directory = open_runtime(runtime)
    except Refused as error:
        sys.stderr.write(f"alight: {error}\n")
        return ABSENT
    deadline = time.monotonic() + DEADLINE_SECONDS
    socket_path = runtime + b"/alight.sock"
    try:
        if ping(socket_path, PING_SECONDS):
            return SERVED
        with _spawn_lock(directory) as won:
            # A daemon that holds its lock but is silent is starting, stopped or healing: another would only exit.
            if not won or is_held(directory):
                return SERVED if _wait(socket_path, ping, deadline) else ABSENT
            if ping(socket_path, PING_SECONDS):
                return SERVED
            failures = Failures(directory)
            if failures.is_paused(boot_clock()):
                sys.stderr.write("alight: the daemon failed to start three times; next try in ten minutes\n")
                return ABSENT
            child = _launch(directory, runtime, python, environ)
            if _wait(socket_path, ping, deadline, lambda: not _is_alive(child) and not is_held(directory)):
                failures.forget()
                return SERVED
            failures.record(boot_clock())
            return ABSENT
    finally:
        os.close(directory)


def open_runtime(runtime: bytes) -> int:
    """Make and open the runtime directory; the rules of ``paths.secure``. Raises Refused with the fix."""
    if os.getuid() != os.geteuid() or os.getgid() != os.getegid():
        raise Refused("real and effective ids differ")
    if os.geteuid() == 0 and b"SUDO_UID" in os.environb:
        raise Refused("this is a sudo session")
    shown = os.fsdecode(runtime)
    try:
        os.makedirs(os.path.dirname(runtime) or b".", mode=0o700, exist_ok=True)
        with contextlib.suppress(FileExistsError):
            os.mkdir(runtime, 0o700)
        descriptor = os.open(runtime, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError as error:
        raise Refused(f"{shown} is not a directory of ours ({error.strerror}); look at it: ls -ld {shown}") from error
    facts = os.fstat(descriptor)
    complaint = ""
    if facts.st_uid != os.geteuid():
        complaint = f"{shown} belongs to uid {facts.st_uid}; set ALIGHT_RUNTIME_DIR to a directory of your own"
    elif stat.S_IMODE(facts.st_mode) & 0o077:
        complaint = f"{shown} is open to other users: chmod 700 {shown}"
    if complaint:
        os.close(descriptor)
        raise Refused(complaint)
    return descriptor


def is_held(directory: int) -> bool:
    """True while a daemon holds its lifetime lock. The look takes a shared lock for an instant."""
    try:
        descriptor = os.open(b"lock", os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=directory)
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError as error:
        return error.errno == errno.EWOULDBLOCK
    finally:
        os.close(descriptor)
    return False


def kept(environ: Mapping[bytes, bytes], runtime: bytes) -> dict[bytes, bytes]:
    """What of a shell's environment a daemon may see; it serves ``runtime`` whatever its own variables say."""
    chosen = {name: value for name, value in environ.items() if name in _KEPT or name.startswith(_KEPT_PREFIXES)}
    chosen[b"ALIGHT_RUNTIME_DIR"] = runtime
    return chosen


def boot_clock() -> float:
    """Seconds that go on during suspend and never step; comparable between processes of one boot."""
    return time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))


class Failures:
    """The last failed starts, as one number of seconds a line in ``<runtime>/failures``."""

    NAME = b"failures"

    def __init__(self, directory: int) -> None:
        self._directory = directory

    def is_paused(self, now: float) -> bool:
        """True when the last three failures lie within one minute, and the last within ten."""
        moments = self._read(now)[-FAILURES:]
        return (
            len(moments) == FAILURES
            and moments[-1] - moments[0] <= FAILURE_WINDOW_SECONDS
            and now - moments[-1] < PAUSE_SECONDS
        )

    def record(self, now: float) -> None:
        """One more start failed; a full disk loses the note, not the shell."""
        lines = "".join(f"{moment:.3f}\n" for moment in [*self._read(now), now][-FAILURES:])
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC
        with contextlib.suppress(OSError):
            descriptor = os.open(self.NAME, flags, 0o600, dir_fd=self._directory)
            try:
                os.write(descriptor, lines.encode())
            finally:
                os.close(descriptor)

    def forget(self) -> None:
        """A start succeeded, or a person asked for one."""
        with contextlib.suppress(FileNotFoundError):
            os.unlink(self.NAME, dir_fd=self._directory)

    def _read(self, now: float) -> list[float]:
        try:
            descriptor = os.open(self.NAME, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=self._directory)
        except OSError:
            return []
        try:
            words = os.read(descriptor, 1024).split()
        finally:
            os.close(descriptor)
        moments: list[float] = []
        for word in words:
            with contextlib.suppress(ValueError):
                moments.append(float(word))
        # Numbers from before a reboot may lie ahead of this boot's clock.
        return [moment for moment in moments if 0 <= moment <= now]


def _wait(socket_path: bytes, ping: Ping, deadline: float, is_lost: Callable[[], bool] = lambda: False) -> bool:
    pause = 0.01
    while time.monotonic() < deadline:
        # Asked before the ping: a daemon that took over between the two is then still found.
        lost = is_lost()
        if ping(socket_path, PING_SECONDS):
            return True
        if lost:
            return False
        time.sleep(pause)
        pause = min(pause * 1.5, 0.1)
    return False


@contextlib.contextmanager
def _spawn_lock(directory: int) -> Iterator[bool]:
    flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
    descriptor = os.open(b"spawn.lock", flags, 0o600, dir_fd=directory)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        else:
            yield True
    finally:
        os.close(descriptor)


def _is_alive(process: int) -> bool:
    if process <= 0:
        return False
    try:
        os.kill(process, 0)
        with open(f"/proc/{process}/stat", "rb") as facts:
            # A container's first process may be slow to reap what ended.
            return facts.read().rpartition(b")")[2].split()[0] != b"Z"
    except ProcessLookupError:
        return False
    except OSError:
        return True


def _launch(directory: int, runtime: bytes, python: bytes, environ: Mapping[bytes, bytes]) -> int:
    """Double fork; returns the daemon's process id. The middle process leads the new session and ends at once."""
    reading, writing = os.pipe()
    middle = os.fork()
    if middle == 0:
        try:
            os.setsid()
            child = os.fork()
            if child:
                os.write(writing, str(child).encode())
            else:
                _become(directory, runtime, python, environ)
        finally:
            os._exit(0)
    os.close(writing)
    try:
        os.waitpid(middle, 0)
        return int(os.read(reading, 32) or b"0")
    finally:
        os.close(reading)


def _become(directory: int, runtime: bytes, python: bytes, environ: Mapping[bytes, bytes]) -> None:
    os.umask(0o077)
    # What a broken installation or an abort inside libzmq prints is kept for ``daemon start``.
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW
    log = os.open(START_LOG, flags, 0o600, dir_fd=directory)
    nothing = os.open(b"/dev/null", os.O_RDONLY)
    os.dup2(nothing, 0)
    os.dup2(log, 1)
    os.dup2(log, 2)
    os.closerange(3, _descriptor_limit())
    os.chdir(b"/")
    try:
        os.execve(python, [python, b"-m", b"alight", b"daemon", b"run"], kept(environ, runtime))  # noqa: S606
    except OSError as error:
        os.write(2, f"alight: {os.fsdecode(python)}: {error.strerror}\n".encode(errors="replace"))
        os._exit(127)


def _descriptor_limit() -> int:
    limit = os.sysconf("SC_OPEN_MAX")
    # Without close_range(2) a huge limit would cost seconds; nobody's shell holds more than this.
    return limit if sys.platform == "linux" or limit in range(65536) else 65536
