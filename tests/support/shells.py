"""Real interactive shells on a pty, driven the way a person would: type, press Enter, wait for the prompt.

Three marks, escape sequences that no terminal shows, delimit what happens. They carry a number of their own per
session, so that nothing a command prints is taken for one:

    ``C``  the shell starts to execute the line (bash: PS0, zsh: preexec, fish: fish_preexec)
    ``A``  everything that runs before a prompt has run (the last element of the shell's prompt hooks)
    ``B``  the prompt is drawn, the shell reads keys

Between ``C`` and ``A`` lies the output of the command, then what the hooks under test said. Nothing here sleeps:
every wait reads the pty until a condition holds or its deadline is over, and then shows the screen.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
import select
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import termios
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

import pyte

KINDS = ("zsh", "bash", "fish")

HOSTILE_NAMES: Mapping[str, bytes] = {
    "plain": b"plain",
    "spaces": b" two  spaces ",
    "quotes": b'it\'s "quoted"',
    "substitution": b"$(touch hurt) `touch hurt` ${HOME}",
    "newline": b"two\nlines\n",
    "dash": b"-n",
    "glob": b"*?[a-z]{x,y}~!;&|<>",
    "backslash": b"back\\slash\\",
    "percent": b"%1v %F{red} \\w",
    "utf8": "Ünïcødé 环境 🐍".encode(),
    "latin1": b"caf\xe9 \xff",
    "controls": b"tab\tesc\x1b[31m bell\x07",
}
"""Names of directories that break careless quoting, by what they hold."""

_COLUMNS, _ROWS = 160, 50
_TERMINAL = {"LANG": "C.UTF-8", "TERM": "xterm-256color"}
_DEADLINE = 15.0

# What fish 3 writes of its own: before a command runs, and (to find out whether the output ended a line) after it.
_FISH_MODE = re.compile(rb"\x1b\[\?2004[hl]\Z")
_FISH_BEFORE = re.compile(rb"(?:\x1b\[\?2004[hl]|\x1b\[30m|\x1b\(B|\x1b\[m)*")
_FISH_AFTER = re.compile(rb"(?:\x1b\[2m)?\xe2\x8f\x8e(?:\x1b\(B\x1b\[m)? +\r\xe2\x8f\x8e \r(?:\x1b\[K)?")

# A session leader has to claim its terminal itself: in a process of its own, since fork() beside threads is unsafe.
_CLAIM = """
import fcntl, os, sys, termios
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
os.chdir(os.fsencode(sys.argv[1]))
os.execv(sys.argv[2], sys.argv[3:])
"""


class ShellFailed(AssertionError):
    """A shell is missing, ended or did not do what was awaited before the deadline; the text shows its screen."""


class _Terminal(pyte.Screen):
    """A terminal that answers what programs ask it (fish 4 waits for the device attributes)."""

    def __init__(self, answer: Callable[[bytes], None]) -> None:
        super().__init__(_COLUMNS, _ROWS)
        self._answer = answer

    def write_process_input(self, data: str) -> None:
        self._answer(data.encode())


def executable(kind: str) -> str:
    """The absolute path of a shell; a missing one is a failure, never a skipped test."""
    found = shutil.which(kind)
    if found is None:
        raise ShellFailed(f"{kind} is not installed; tests/run installs it or says how")
    return found


def quote(kind: str, word: bytes) -> str:
    """One word for the line editor of a shell, in ASCII, standing for exactly these octets."""
    if kind == "fish":
        return "".join(chr(octet) if _is_plain(octet) else f"\\X{octet:02x}" for octet in word) or "''"
    return "$'" + "".join(chr(octet) if _is_plain(octet) else f"\\{octet:03o}" for octet in word) + "'"


class ShellSession:
    """One interactive shell with a HOME of its own.

    ``rc_lines`` are lines of the user's start-up file, ``hook`` is the line that switches the hook under test on; it
    comes after them. The start-up file lives outside ``home``: zsh finds it through ZDOTDIR (which has its former value
    again when ``rc_lines`` run), bash through --rcfile; fish runs it after ``config.fish``. ``env`` is the whole
    environment apart from HOME, and TERM and LANG where it is silent about them. ``arguments`` follow the shell's
    name on its command line.

    ``startup`` is what was displayed before the first prompt.
    """

    def __init__(
        self,
        kind: str,
        home: str | os.PathLike[str],
        env: Mapping[str, str] | None = None,
        cwd: bytes | str | os.PathLike[str] | None = None,
        rc_lines: Sequence[str] = (),
        *,
        hook: str | None = None,
        arguments: Sequence[str] = (),
        deadline: float = _DEADLINE,
    ) -> None:
        self.kind = kind
        self.home = Path(home)
        self._deadline = deadline
        # Digits only: in letters drawn by lot there is a `uv` now and then, and a line with one is news to the hooks.
        number = f"{uuid.uuid4().int % 10**16:016}"
        self._scratch = Path(tempfile.gettempdir()) / f"alight-pty-{number}"
        self._scratch.mkdir(mode=0o700)
        self._nonce = f"{os.getpid()}.{number}"
        self._raw = bytearray()
        self._line_end = 0
        self._shown = 0
        self._prompt = ""
        self._screen = _Terminal(self._write)
        self._stream = pyte.ByteStream(self._screen)
        self._closed = False
        program = executable(kind)
        given = {**os.environ, **_TERMINAL} if env is None else {**_TERMINAL, **env}
        environ = {**given, "HOME": str(home)}
        environ.pop("PWD", None)
        environ.pop("OLDPWD", None)
        command = [program, *self._start_up(environ, [*rc_lines, *([hook] if hook else [])]), *arguments]
        self._master, self.pid = -1, 0
        self._process = self._spawn(command, environ, os.fsdecode(cwd if cwd is not None else home))
        self.pid = self._process.pid
        try:
            self.startup = self._until_prompt(0, deadline).decode("utf-8", "replace")
        except BaseException:
            self.kill()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def run(self, command: str, deadline: float | None = None) -> str:
        """Type one command, press Enter, wait for the next prompt; what was displayed in between, line ends as LF.

        An empty command is a bare Enter. What hooks print before the prompt follows the command's own output.
        """
        return self.run_bytes(command, deadline).decode("utf-8", "surrogateescape")

    def run_bytes(self, command: str, deadline: float | None = None) -> bytes:
        """``run`` for output that is not text."""
        start = len(self._raw)
        self._write(command.encode("utf-8", "surrogateescape") + b"\r")
        return self._until_prompt(start, deadline if deadline is not None else self._deadline)

    def cd(self, directory: bytes | str | os.PathLike[str]) -> str:
        """Change directory, whatever its name; what was displayed."""
        return self.run(f"cd -- {quote(self.kind, os.fsencode(directory))}")

    def prompt(self) -> str:
        """The last line of the last prompt, as displayed, up to the cursor."""
        return self._prompt

    def screen(self) -> str:
        """What a person sees now, without empty lines at the end."""
        self._show(len(self._raw))
        return "\n".join(line.rstrip() for line in self._screen.display).rstrip()

    def env(self) -> dict[bytes, bytes]:
        """The environment a program started from this shell gets."""
        target = self._scratch / "env"
        self.run(f"{shutil.which('env')} -0 > {target}")
        entries = target.read_bytes().split(b"\0")[:-1]
        return {name: value for name, _, value in (entry.partition(b"=") for entry in entries)}

    def variable(self, name: str) -> bytes | None:
        """The value of a shell variable, exported or not; None when it is not set. Changes ``$?`` and ``$_``."""
        target = self._scratch / "variable"
        if self.kind == "fish":
            self.run(f"begin; set -q {name}; and printf 's%s' \"${name}\"; end > {target}")
        else:
            self.run(f'{{ [ -n "${{{name}+x}}" ] && printf \'s%s\' "${name}"; }} > {target}')
        found = target.read_bytes()
        return found[1:] if found else None

    def pwd(self) -> bytes:
        """The directory the shell believes to be in."""
        return self.variable("PWD") or b""

    def send_keys(self, keys: bytes | str) -> None:
        """Keys as they are, without Enter; nothing is awaited."""
        self._write(keys.encode() if isinstance(keys, str) else keys)

    def wait_prompt(self, deadline: float | None = None) -> str:
        """Wait for a prompt after ``send_keys``; what was displayed since the last one."""
        seconds = deadline if deadline is not None else self._deadline
        return self._until_prompt(self._line_end, seconds).decode("utf-8", "surrogateescape")

    def wait_screen(self, text: str, deadline: float | None = None) -> str:
        """Wait until the screen shows a text; the screen."""
        self._until(lambda: text in self.screen(), deadline or self._deadline, f"{text!r} on the screen")
        return self.screen()

    def refresh(self) -> str:
        """Take in whatever the shell has written by now, without waiting; the screen."""
        while self._read(0.0):
            pass
        return self.screen()

    def exit(self, command: str = "exit") -> int:
        """Type a command that ends the shell; its exit code."""
        self._write(command.encode() + b"\r")
        limit = time.monotonic() + self._deadline
        while self._process.poll() is None:
            if time.monotonic() > limit:
                raise ShellFailed(self._report(f"the end of the shell after {command!r}"))
            self._read(0.02)
        code = self._process.returncode
        self.close()
        return code

    def close(self) -> None:
        """Close the terminal's window: the shell gets SIGHUP and has to leave."""
        if self._closed:
            return
        self._closed = True
        os.close(self._master)
        try:
            self._process.wait(self._deadline)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
            raise ShellFailed(f"{self.kind} did not leave when its terminal was closed") from None
        finally:
            shutil.rmtree(self._scratch)

    def kill(self) -> None:
        """End the shell at once; for clean-up after a failure."""
        if self._closed:
            return
        with contextlib.suppress(ProcessLookupError):
            self._process.send_signal(signal.SIGKILL)
        self.close()

    def _spawn(self, command: list[str], environ: dict[str, str], cwd: str) -> subprocess.Popen[bytes]:
        self._master, slave = os.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", _ROWS, _COLUMNS, 0, 0))
        os.set_blocking(self._master, False)
        try:
            return subprocess.Popen(
                [sys.executable, "-I", "-S", "-c", _CLAIM, cwd, command[0], *command],
                stdin=slave,
                stdout=slave,
                stderr=slave,
                env=environ,
                start_new_session=True,
            )
        finally:
            os.close(slave)

    def _start_up(self, environ: dict[str, str], lines: list[str]) -> list[str]:
        """Write the start-up file; the arguments that make the shell read it."""
        text = _START_UP[self.kind].replace("@LINES@", "\n".join(lines))
        for mark in "ABC":
            text = text.replace(f"@{mark}@", f"\\e]133;{mark};{self._nonce}\\a")
        if self.kind == "zsh":
            own = environ.get("ZDOTDIR")
            environ["ZDOTDIR"] = str(self._scratch)
            restore = "unset ZDOTDIR" if own is None else f"ZDOTDIR={quote('zsh', own.encode())}"
            (self._scratch / ".zshrc").write_text(text.replace("@ZDOTDIR@", restore))
            return ["-i"]
        if self.kind == "fish":  # a first start without this folder reads every manual page in the background
            data = Path(environ.get("XDG_DATA_HOME") or self.home / ".local/share")
            (data / "fish/generated_completions").mkdir(parents=True, exist_ok=True)
        target = self._scratch / f"rc.{self.kind}"
        target.write_text(text)
        return ["--rcfile", str(target), "-i"] if self.kind == "bash" else ["-i", "-C", f"source {target}"]

    def _mark(self, name: str) -> bytes:
        return f"\x1b]133;{name};{self._nonce}\a".encode()

    def _until_prompt(self, start: int, seconds: float) -> bytes:
        before, drawn = self._mark("A"), self._mark("B")

        def is_drawn() -> bool:
            ready = self._raw.find(before, start)
            return ready >= 0 and self._raw.find(drawn, ready) >= 0

        self._until(is_drawn, seconds, "the next prompt")
        ready = self._raw.index(before, start)
        self._line_end = self._raw.index(drawn, ready) + len(drawn)
        self._show(self._line_end)
        cursor = self._screen.cursor
        self._prompt = self._screen.display[cursor.y][: cursor.x]
        return self._displayed(bytes(self._raw[start:ready]), first=self._raw.index(drawn) > start)

    def _displayed(self, written: bytes, *, first: bool) -> bytes:
        """The output alone, without the echo of the line: that ends at ``C`` or, if nothing was executed, at its LF."""
        _, executed, output = written.partition(self._mark("C"))
        if not executed:
            output = written if first else written.partition(b"\n")[2]
        if self.kind == "fish":
            output = _FISH_AFTER.sub(b"", _FISH_BEFORE.sub(b"", output, count=1), count=1)
            output = _FISH_MODE.sub(b"", output)
        return output.replace(b"\r\n", b"\n")

    def _show(self, end: int) -> None:
        """Let the terminal take in what was written up to ``end``."""
        if end > self._shown:
            self._stream.feed(bytes(self._raw[self._shown : end]))
            self._shown = end

    def _until(self, condition: Callable[[], bool], seconds: float, awaited: str) -> None:
        limit = time.monotonic() + seconds
        while not condition():
            left = limit - time.monotonic()
            if left <= 0:
                raise ShellFailed(self._report(f"{awaited} within {seconds:g} s"))
            if not self._read(left) and self._process.poll() is not None:
                raise ShellFailed(self._report(f"{awaited}, but the shell ended with {self._process.returncode}"))

    def _read(self, seconds: float) -> bool:
        poll = select.poll()  # select() knows descriptors below 1024 only
        poll.register(self._master, select.POLLIN)
        if not poll.poll(min(seconds, 0.2) * 1000):
            return False
        try:
            octets = os.read(self._master, 65536)
        except OSError:  # EIO: every process with this terminal is gone
            return False
        self._raw += octets
        return bool(octets)

    def _write(self, octets: bytes) -> None:
        limit = time.monotonic() + self._deadline
        while octets:
            poll = select.poll()
            poll.register(self._master, select.POLLOUT)
            if any(event & select.POLLOUT for _, event in poll.poll(200)):
                octets = octets[os.write(self._master, octets) :]
            elif time.monotonic() > limit:
                raise ShellFailed(self._report("the shell to read its keys"))
            self._read(0.0)

    def _report(self, awaited: str) -> str:
        tail = bytes(self._raw[-400:])
        return f"{self.kind}: waited for {awaited}; its screen:\n{self.screen()}\nlast octets: {tail!r}"


def _is_plain(octet: int) -> bool:
    return octet < 0x80 and (chr(octet).isalnum() or chr(octet) in "/._-")


_START_UP: Mapping[str, str] = {
    "zsh": """\
unsetopt prompt_sp
PS1='%# '
HISTFILE=
@ZDOTDIR@
@LINES@
_pty_before() { print -n '@A@' }
_pty_execute() { print -n '@C@' }
precmd_functions+=(_pty_before)
preexec_functions+=(_pty_execute)
PS1=$PS1$'%{@B@%}'
""",
    "bash": """\
bind 'set enable-bracketed-paste off'
unset PROMPT_COMMAND
PS1='\\$ '
HISTFILE=
@LINES@
_pty_before() { printf '@A@'; }
if ((BASH_VERSINFO[0] * 100 + BASH_VERSINFO[1] >= 501)); then
    PROMPT_COMMAND+=(_pty_before)
else
    PROMPT_COMMAND="${PROMPT_COMMAND:+$PROMPT_COMMAND; }_pty_before"
fi
PS0=$PS0'@C@'
PS1=$PS1'\\[@B@\\]'
""",
    "fish": """\
set -g fish_greeting
set -g fish_handle_reflow 0
function fish_title
end
function fish_prompt
    printf '> '
end
@LINES@
function _pty_before --on-event fish_prompt
    printf '@A@'
end
function _pty_execute --on-event fish_preexec
    printf '@C@'
end
functions -c fish_prompt _pty_prompt
function fish_prompt
    _pty_prompt
    printf '@B@'
end
""",
}
