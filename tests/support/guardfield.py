"""A home for the question at Enter: a trusted project, another environment, a base Python of straw, one tiny wheel.

Nothing leaves the machine and nothing reaches a Python of the machine's: pip knows the folder ``wheels`` and no index,
and the first ``pip`` on PATH, which lands in a base Python, is a stand-in that only shows its words.
"""

from __future__ import annotations

import compileall
import fcntl
import os
import select
import shutil
import time
import zipfile
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from pathlib import Path

from virtualenv.seed.wheels.embed import get_embed_wheel

from conformance.landing.states import make_wheel
from support.playfield import write
from support.shells import ShellSession
from support.until import until
from support.world import PATH, World, base_python

MODES = ("emacs", "vi")
"""How keys are bound in a shell; Enter has to be the guard's in each."""

QUESTION = "[c]ancel"
"""What the last line of a question ends in."""

WORDS = "pip install tiny"
"""The line of most tests."""

UP = "\x1b[A"
"""The key."""

MORE = "more>"
"""The prompt for the rest of a command, in zsh and bash."""

_CACHE = Path(__file__).resolve().parents[1] / ".cache" / "guardfield"
_SCRIPT = "#!{python}\nimport sys\nfrom pip._internal.cli.main import main\nsys.exit(main())\n"
_seconds: dict[int, int] = {}
"""By process, the second in which a fish last read the file of its history; it does so once a second."""

_VI = {"zsh": "bindkey -v", "bash": "set -o vi", "fish": "fish_vi_key_bindings"}


class GuardField:
    """The folders, the shells in them, and what was installed where."""

    def __init__(self, world: World) -> None:
        self.world, self.home = world, world.home
        self.machine = _machine(world.home / "machine")
        self.wheels = world.directory("wheels")
        make_wheel(self.wheels, "tiny", "1.0")
        self.app = world.project("code/app", environment=None)
        self.environment = _with_pip(world.venv(self.app / ".venv"))
        self.other = _with_pip(world.venv(world.directory("tools") / "other"))
        self.elsewhere = world.directory("elsewhere")
        world.directory("code/app/src")

    @property
    def instead(self) -> str:
        """What lands in the project's environment, as the question spells it."""
        return f"{self.environment}/bin/python -m {WORDS}"

    @property
    def stand_in(self) -> str:
        """What the base Python's pip shows when it is run."""
        return f"{self.machine}/bin/{WORDS}"

    def allow(self) -> GuardField:
        """The user trusts the project's environment."""
        self.world.alight("allow", str(self.app))
        return self

    def shell(
        self, kind: str, cwd: Path | None = None, mode: str = "emacs", *, env: Mapping[str, str] | None = None,
        after: Sequence[str] = (), daemon: bool = True,
    ) -> ShellSession:  # fmt: skip
        """A shell whose ``pip`` is the base Python's unless an environment is on; it starts in the project."""
        variables = {
            "PATH": f"{self.machine}/bin:{PATH}", "PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(self.wheels),
            "PIP_DISABLE_PIP_VERSION_CHECK": "1", "PIP_ROOT_USER_ACTION": "ignore", **(env or {}),
        }  # fmt: skip
        keys = [*([_VI[kind]] if mode == "vi" else []), *([] if kind == "fish" else [f"PS2='{MORE} '"])]
        made = self.world.shell(kind, cwd or self.app, variables, after=[*keys, *after], daemon=daemon)
        _seconds[made.pid] = int(time.time())
        return made

    def installed(self) -> set[str]:
        """The environments that have ``tiny`` now: of ``project``, ``other``; it is taken out of them again."""
        found = set()
        for name, prefix in (("project", self.environment), ("other", self.other)):
            for path in prefix.glob("lib/python3*/site-packages/tiny*"):
                found.add(name)
                shutil.rmtree(path) if path.is_dir() else path.unlink()
        return found


def ask(shell: ShellSession, *lines: str) -> str:
    """Type lines on an empty screen, the last of which brings the question; the screen without its blanks.

    ``lines`` before the last belong to the same command: the shell wants more after each.
    """
    shell.run("clear")
    for number, line in enumerate(lines[:-1], 1):
        shell.send_keys(line + "\r")
        wait_more(shell, line, number)
    shell.send_keys(lines[-1] + "\r")
    return wait_question(shell)


def recall(shell: ShellSession, line: str, back: int) -> str:
    """Bring back what was typed ``back`` commands ago, press Enter; as ``ask``."""
    shell.run("clear")
    shell.send_keys(UP * (back + 1))
    awaited(shell, lambda screen: squeezed(line) in squeezed(screen))
    shell.send_keys("\r")
    return wait_question(shell)


def wait_question(shell: ShellSession, times: int = 1) -> str:
    """Wait until the screen shows so many questions; the screen without its blanks, since long lines are wrapped."""
    awaited(shell, lambda screen: squeezed(screen).count(QUESTION) >= times)
    return squeezed(shell.screen())


def wait_more(shell: ShellSession, line: str, number: int) -> None:
    """Wait until the shell has taken a line of an unfinished command, the screen's first or a later one."""
    if shell.kind == "fish":  # it draws no second prompt
        shell.wait_screen(line)
    else:
        awaited(shell, lambda screen: screen.count(MORE) >= number)


def awaited(shell: ShellSession, condition: Callable[[str], bool]) -> str:
    """Wait until the screen is as it should be; a failure shows what it is."""
    limit = time.monotonic() + 15
    while not condition(screen := shell.refresh()):
        assert time.monotonic() < limit, f"not within 15 s; the screen of {shell.kind}:\n{screen}"
        select.poll().poll(5)
    return screen


def unasked(shell: ShellSession, line: str) -> str:
    """Type a line on an empty screen and wait for the next prompt; the screen."""
    shell.run("clear")
    shell.run(line)
    return shell.screen()


def squeezed(text: str) -> str:
    """The text without blanks and line ends."""
    return "".join(text.split())


def new_second(shell: ShellSession) -> None:
    """Wait until fish takes what is added to its history for new: it looks once a second.

    fish asks ``time``, whose clock lags some milliseconds behind the one that is asked here.
    """
    until("a new second has come", lambda: int(time.time() - 0.05) > _seconds[shell.pid])


def press(shell: ShellSession, key: str) -> str:
    """Answer, wait for the prompt; what the line displayed behind the question."""
    if shell.kind == "fish":
        new_second(shell)
    shell.send_keys(key)
    shown = shell.wait_prompt().rpartition(QUESTION)[2]
    _seconds[shell.pid] = int(time.time())
    return shown


def finish(shell: ShellSession, key: str, rest: str) -> str:
    """Answer, and end the command that is still unfinished then; what was displayed behind the question."""
    shell.send_keys(key)
    if rest:
        awaited(shell, lambda screen: MORE in screen.rpartition(QUESTION)[2])
        shell.send_keys(rest + "\r")
    return shell.wait_prompt().rpartition(QUESTION)[2]


def history(shell: ShellSession) -> str:
    """The newest entry of the history."""
    shown = shell.run("history --max 1 | cat" if shell.kind == "fish" else "fc -ln -1 | cat")
    return shown.replace("\r", "").replace("\x1b[K", "").strip()


def _machine(prefix: Path) -> Path:
    """A base Python of straw: what alight reads of one is there, what is run is ``echo`` under another name."""
    write(prefix / "lib/python3.11/os.py")
    write(prefix / "lib/python3.11/site-packages/pip/__init__.py", '__version__ = "23.2.1"\n')
    write(prefix / "lib/python3.11/site-packages/pip/__main__.py")
    python = prefix / "bin/python3.11"
    python.parent.mkdir()
    shutil.copy(shutil.which("echo", path=PATH) or "/bin/echo", python)
    for name in ("pip", "pip3"):
        # Of its own accord fish asks a pip on PATH for its completions.
        write(prefix.parent / f".config/fish/completions/{name}.fish")
        write(prefix / "bin" / name, f"#!{python}\n").chmod(0o755)
    return prefix


def _with_pip(prefix: Path) -> Path:
    """The environment with a real pip, by links to files that all tests share."""
    [site] = prefix.glob("lib/python3*/site-packages")
    for path in _unpacked_pip().iterdir():
        (site / path.name).symlink_to(path)
    write(prefix / "bin/pip", _SCRIPT.format(python=prefix / "bin/python")).chmod(0o755)
    return prefix


@cache
def _unpacked_pip() -> Path:
    """The wheel of pip that fits the interpreter of environments, unpacked and compiled once, in ``tests/.cache``."""
    version = os.path.basename(base_python()).removeprefix("python")
    wheel = get_embed_wheel("pip", version).path
    folder = _CACHE / f"{wheel.stem}-{version}"
    _CACHE.mkdir(parents=True, exist_ok=True)
    with open(_CACHE / "lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not folder.exists():
            made = folder.with_suffix(".making")
            shutil.rmtree(made, ignore_errors=True)
            with zipfile.ZipFile(wheel) as archive:
                archive.extractall(made)
            compileall.compile_dir(made, quiet=2)
            made.rename(folder)
    return folder
