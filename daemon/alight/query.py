"""One ZMTP 3.0 exchange with the daemon, on the standard library alone.

A script for bash and fish (``shell/PROTOCOL.md`` 6) and a function for the command. It is started at every
``cd``, so it imports built-in modules only, not even ``__future__``, and leaves without tearing the
interpreter down. What starts a daemon is in ``lifecycle/detach.py`` and is loaded only for ``spawn``.

The framing is rfc.zeromq.org 23/ZMTP: DEALER, NULL mechanism, no identity.
"""

import _socket
import posix
import sys
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

PROTOCOL = b"1"
DEADLINE_SECONDS = 0.05
MAX_FRAMES = 96
MAX_FRAME = 16 * 1024
MAX_MESSAGE = 64 * 1024

GREETING = b"\xff" + b"\0" * 8 + b"\x7f\x03\x00NULL" + b"\0" * 48
READY = b"\x04\x1c\x05READY\x0bSocket-Type\0\0\0\x06DEALER"
MORE, LONG, COMMAND = 1, 2, 4

SERVED, FAILED, USAGE, ABSENT, EXPIRED, INCOMPATIBLE = range(6)
"""Exit codes of ``shell/PROTOCOL.md`` 6."""

# verb -> number of fields on the command line, and which of them is the directory
VERBS = {"ask": (9, 2), "note": (5, 2), "guard": (3, 2), "always": (4, 2), "ping": (1, 0)}

# The same names in the same order as ``wire.facts.FACTS``; a test compares them.
VARIABLES = (
    b"PATH VIRTUAL_ENV VIRTUAL_ENV_PROMPT VIRTUAL_ENV_DISABLE_PROMPT CONDA_PREFIX CONDA_DEFAULT_ENV CONDA_SHLVL "
    b"CONDA_PREFIX_1 CONDA_PREFIX_2 CONDA_CHANGEPS1 PYTHONHOME PKG_CONFIG_PATH PYENV_VIRTUAL_ENV PYENV_ACTIVATE_SHELL "
    b"POETRY_ACTIVE PIPENV_ACTIVE HATCH_ENV_ACTIVE PIXI_IN_SHELL DIRENV_DIR DIRENV_DIFF __MISE_DIFF TERM_PROGRAM "
    b"CONDA_EXE _CONDA_ROOT MAMBA_EXE MAMBA_ROOT_PREFIX CONDA_ENVS_DIRS CONDA_ENVS_PATH CONDARC WORKON_HOME "
    b"VIRTUALFISH_HOME PIPENV_PIPFILE PIPENV_VENV_IN_PROJECT PIPENV_CUSTOM_VENV_NAME PIPENV_PYTHON PIPENV_MAX_DEPTH "
    b"POETRY_VIRTUALENVS_PATH POETRY_VIRTUALENVS_IN_PROJECT POETRY_CACHE_DIR POETRY_CONFIG_DIR PDM_PYTHON "
    b"PDM_IGNORE_SAVED_PYTHON PDM_USE_VENV PDM_VENV_IN_PROJECT PDM_CONFIG_FILE HATCH_DATA_DIR HATCH_CONFIG HATCH_ENV "
    b"HATCH_ENV_TYPE_VIRTUAL_PATH UV_PROJECT_ENVIRONMENT UV_PYTHON_INSTALL_DIR UV_CACHE_DIR PYENV_ROOT PYENV_VERSION "
    b"PIXI_HOME MISE_DATA_DIR ASDF_DATA_DIR ASDF_PYTHON_VERSION XDG_DATA_HOME XDG_CACHE_HOME XDG_CONFIG_HOME HOME"
).split()
# Those of ``wire.facts`` for lines to check; a test compares them, too.
LANDING_PREFIXES = tuple(
    b"PIP_ UV_ CONDA_ _CONDA_ MAMBA_ POETRY_ PIPENV_ PDM_ HATCH_ PYENV_ PIXI_ PIPX_ FLIT_ ASDF_ MISE_ DIRENV_ "
    b"VIRTUALENV_ XDG_ DEB_ RPM_ HOMEBREW_ CUDA_ PYTHON VIRTUAL_ENV".split()
)
LANDING_NAMES = (
    b"CONDARC WORKON_HOME VIRTUALFISH_HOME DIST_EXTRA_CONFIG __PYVENV_LAUNCHER__ __MISE_DIFF _OLD_VIRTUAL_PATH HOME "
    b"PATH PWD OLDPWD CDPATH USER LOGNAME CI SUDO_USER TERM_PROGRAM BASH_ENV ENV ZDOTDIR LD_LIBRARY_PATH ALIGHT_GUARD"
).split()
SECRETS = b"PASSWORD TOKEN HTTP_BASIC SECRET CREDENTIAL _INDEX PROXY _CERT".split()
LANDING_LIMIT = 60
VALUE_LIMIT = 8 * 1024
PATH_LIMIT = 16_000


class ExchangeError(Exception):
    """No usable reply. The subclasses are the exit codes 3, 4 and 5."""

    code = ABSENT


class Absent(ExchangeError):
    """Nobody is there: no socket, refused, end of file, or a directory that is not ours."""


class Expired(ExchangeError):
    """The deadline passed before the last octet."""

    code = EXPIRED


class Incompatible(ExchangeError):
    """The peer speaks something else."""

    code = INCOMPATIBLE


class _Connection:
    """A stream whose every step ends at one deadline."""

    def __init__(self, deadline: float) -> None:
        self._deadline = deadline
        self._received = bytearray()
        self._socket = _socket.socket(_socket.AF_UNIX, _socket.SOCK_STREAM)

    def close(self) -> None:
        self._socket.close()

    def _arm(self) -> None:
        remaining = self._deadline - time.monotonic()
        if remaining <= 0:
            raise Expired("the deadline passed")
        self._socket.settimeout(remaining)

    def connect(self, path: bytes) -> None:
        """Connect; a full backlog (EAGAIN) is a daemon that does not accept: retried until the deadline."""
        while True:
            self._arm()
            try:
                self._socket.connect(path)
            except BlockingIOError:
                time.sleep(0.002)
            else:
                return

    def send(self, data: bytes) -> None:
        self._arm()
        self._socket.sendall(data)

    def read(self, size: int) -> bytes:
        while len(self._received) < size:
            self._arm()
            piece = self._socket.recv(65536)
            if not piece:
                raise Absent("end of file")
            self._received += piece
        taken = bytes(self._received[:size])
        del self._received[:size]
        return taken

    def read_frame(self, limit: int) -> tuple[int, bytes]:
        """(flags, body); the LONG bit is checked here and means nothing to the caller."""
        flags, size = self.read(2)
        if flags & ~(MORE | LONG | COMMAND) or (flags & COMMAND and flags & MORE):
            raise Incompatible("reserved flag bits are set")
        if flags & LONG:
            size = int.from_bytes(bytes([size]) + self.read(7), "big")
        if size > limit:
            raise Incompatible("a frame is longer than any peer may send")
        return flags, self.read(size)

    def shake_hands(self) -> None:
        """Greeting and READY both ways; libzmq drops a message sent before its own READY was read."""
        try:  # noqa: SIM105 - contextlib costs more than the exchange
            self.send(GREETING + READY)
        except BrokenPipeError:
            # It left already; what it said before tells who it was.
            pass
        signature = self.read(10)
        if signature[0] != 0xFF or not signature[9] & 1:
            raise Incompatible("the peer does not speak ZMTP")
        rest = self.read(54)
        if rest[0] < 3 or rest[2:22] != GREETING[12:32]:
            raise Incompatible("the peer does not speak ZMTP 3 with the NULL mechanism")
        while True:
            flags, body = self.read_frame(MAX_FRAME)
            name = body[1 : 1 + body[0]] if body else b""
            if not flags & COMMAND or name == b"ERROR":
                raise Incompatible("the handshake was refused")
            if name == b"READY":
                return

    def read_message(self, frame_limit: int, limit: int) -> list[bytes]:
        frames: list[bytes] = []
        while True:
            flags, body = self.read_frame(frame_limit)
            if flags & COMMAND:
                continue
            frames.append(body)
            limit -= len(body)
            if limit < 0 or len(frames) > MAX_FRAMES:
                raise Incompatible("a message is larger than any peer may send")
            if not flags & MORE:
                return frames


def encode(frames: "Sequence[bytes]") -> bytes:
    """The octets of one message on the wire."""
    parts: list[bytes] = []
    for index, frame in enumerate(frames):
        flags = MORE if index < len(frames) - 1 else 0
        size = len(frame)
        parts.append(bytes((flags, size)) if size < 256 else bytes((flags | LONG,)) + size.to_bytes(8, "big"))
        parts.append(frame)
    return b"".join(parts)


def exchange(
    socket_path: bytes,
    frames: "Sequence[bytes]",
    deadline_seconds: float,
    *,
    limit: int = MAX_MESSAGE,
    accept: "Callable[[list[bytes]], bool] | None" = None,
) -> list[bytes]:
    """Send one message and return the first reply that ``accept`` takes; others are dropped.

    ``deadline_seconds`` bounds everything from connect to the last octet. ``limit`` is the largest reply in octets;
    above the shells' 64 KiB it bounds a single frame as well. Raises Absent, Expired or Incompatible.
    """
    connection = _Connection(time.monotonic() + deadline_seconds)
    try:
        _check_directory(socket_path)
        connection.connect(socket_path)
        connection.shake_hands()
        connection.send(encode(frames))
        while True:
            reply = connection.read_message(MAX_FRAME if limit <= MAX_MESSAGE else limit, limit)
            if accept is None or accept(reply):
                return reply
    except TimeoutError as error:
        raise Expired("the deadline passed") from error
    except OSError as error:
        raise Absent(str(error)) from error
    finally:
        connection.close()


def _check_directory(socket_path: bytes) -> None:
    directory = socket_path.rpartition(b"/")[0] or b"."
    facts = posix.lstat(directory)
    if facts.st_mode & 0o170000 != 0o040000 or facts.st_uid != posix.geteuid():
        raise Absent("the socket's directory is not a directory of ours")


def identifier() -> bytes:
    """A request id that no other connection guesses: 64 random bits."""
    return posix.urandom(8).hex().encode()


def ping(socket_path: bytes, deadline_seconds: float) -> bool:
    """True when a daemon of this protocol answers in time."""
    own = identifier()
    try:
        reply = exchange(
            socket_path,
            [PROTOCOL, b"ping", own, b""],
            deadline_seconds,
            accept=lambda frames: len(frames) > 6 and frames[2] == own,
        )
    except ExchangeError:
        return False
    return reply[6] == b"pong"


def variables(environ: "dict[bytes, bytes]") -> list[bytes]:
    """``NAME=value`` frames of PROTOCOL.md 4."""
    found: list[bytes] = []
    for name in VARIABLES:
        value = environ.get(name)
        if value is not None and len(value) <= (PATH_LIMIT if name == b"PATH" else VALUE_LIMIT):
            found.append(name + b"=" + value)
    return found


def guarded(environ: "dict[bytes, bytes]") -> list[bytes]:
    """The frames of ``guard`` (PROTOCOL.md 7) behind the directory; raises Incompatible when they are too many."""
    line, words = environ.get(b"ALIGHT_LINE", b""), environ.get(b"ALIGHT_WORDS", b"")
    found: list[bytes] = []
    for name in sorted(environ):
        size = len(environ[name])
        if _is_landing(name, line) and size <= (PATH_LIMIT if name == b"PATH" else VALUE_LIMIT):
            found.append(name + b"=" + environ[name])
    if len(found) > LANDING_LIMIT:
        raise Incompatible("more variables than a message holds")
    return [environ.get(b"ALIGHT_BEFORE", b""), line, *found, *(words.split(b"\x1f") if words else ())]


def _is_landing(name: bytes, line: bytes) -> bool:
    """Whether it may change where ``line`` lands; one of which the line names the beginning counts as named."""
    if name and (b"$" + name in line or b"${" + name in line):
        return True
    is_one = name in LANDING_NAMES or name.startswith(LANDING_PREFIXES)
    return is_one and not any(part in name for part in SECRETS)


def ask(socket_path: bytes, verb: str, fields: "list[bytes]", deadline_seconds: float) -> tuple[int, bytes]:
    """(exit code, what to print) of one shell request."""
    own = identifier()
    frames = [PROTOCOL, verb.encode(), own, *fields]
    directory = fields[VERBS[verb][1]]

    def is_mine(reply: list[bytes]) -> bool:
        if len(reply) < 7 or reply[0] != PROTOCOL:
            raise Incompatible("the reply is not of this protocol")
        return reply[2] == own and (reply[5] == directory or reply[6] == b"failure")

    try:
        if verb == "guard":
            frames += guarded(posix.environ)
        elif verb in ("ask", "note"):
            frames += variables(posix.environ)
        reply = exchange(socket_path, frames, deadline_seconds, accept=is_mine)
    except ExchangeError as error:
        return error.code, b""
    shown = [reply[1], *reply[3:]]
    text = b"\x1f".join([field.replace(b"\x1f", b"?").replace(b"\0", b"?") for field in shown])
    return (FAILED if reply[6] == b"failure" else SERVED), text + b"\x1fend"


def deadline(environ: "dict[bytes, bytes]") -> float:
    """Seconds an exchange may take: ``$ALIGHT_DEADLINE`` between 0.01 and 5, else 50 ms."""
    try:
        seconds = float(environ.get(b"ALIGHT_DEADLINE", b""))
    except ValueError:
        return DEADLINE_SECONDS
    return seconds if 0.01 <= seconds <= 5 else DEADLINE_SECONDS


def _octets(word: str) -> bytes:
    return word.encode(sys.getfilesystemencoding(), sys.getfilesystemencodeerrors())


def main(words: "list[str]") -> int:
    """The script; returns its exit code."""
    if len(words) == 3 and words[0] == "spawn":
        # Loaded by its place: the package is not importable under -I, and most calls never need it.
        sys.path.append((__file__.rpartition("/")[0] or ".") + "/lifecycle")
        return int(__import__("detach").spawn(_octets(words[1]), _octets(words[2]), ping))
    if len(words) < 2 or words[1] not in VERBS:
        return USAGE
    fields = [_octets(word) for word in words[2:]]
    if words[1] == "ping" and not fields:
        fields = [b""]
    if len(fields) != VERBS[words[1]][0]:
        return USAGE
    code, text = ask(_octets(words[0]), words[1], fields, deadline(posix.environ))
    try:
        while text:
            text = text[posix.write(1, text) :]
    except OSError:
        # Nobody reads it, or it has no room: the exit code still tells.
        return code
    return code


if __name__ == "__main__":
    import _signal  # type: ignore[import-not-found]  # built in; ``signal`` would load enum and half of the library

    # Ctrl-C ends this process as it ends any small tool: without a traceback.
    _signal.signal(_signal.SIGINT, _signal.SIG_DFL)
    posix._exit(main(sys.argv[1:]))  # noqa: SLF001 - the documented way to leave without tearing down
