"""What holds for every test: a home of its own, a time limit, and nothing left behind."""

from __future__ import annotations

import contextlib
import faulthandler
import os
import select
import shutil
import signal
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType
from typing import TypeVar

import pytest

from support.processes import processes_with

LIMIT = 60
"""Seconds any set-up, test or tear-down may take; ``@pytest.mark.limit(seconds)`` gives another number."""

_Found = TypeVar("_Found", list[int], dict[int, str])

_CACHE = Path(__file__).parent / ".cache"
# fmt: off
_FOREIGN = (
    "ALIGHT_", "BASH_ENV", "CONDA_", "DIRENV_", "ENV", "HATCH_", "MISE_", "PDM_", "PIP_REQUIRE_VIRTUALENV",
    "PIPENV_", "PIXI_", "POETRY_", "PYENV_VERSION", "PYTHONHOME", "PYTHONPATH", "TERM_PROGRAM", "UV_PROJECT",
    "UV_PYTHON", "VIRTUAL_ENV", "WORKON_HOME", "XDG_", "ZDOTDIR",
)
# fmt: on
"""Beginnings of the variables that no test inherits."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """``--slow`` adds the tests that run on demand only."""
    parser.addoption("--slow", action="store_true", help="run the tests marked slow, too")


def pytest_configure(config: pytest.Config) -> None:
    """The one marker that needs this file to mean something."""
    config.addinivalue_line("markers", f"limit(seconds): may take this long instead of {LIMIT} s")
    # Whoever starts the tests in the background may have these ignored, and every shell would inherit that.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGQUIT, signal.SIG_DFL)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Without ``--slow``, slow tests are not part of the run."""
    if config.getoption("--slow"):
        return
    slow = [item for item in items if item.get_closest_marker("slow")]
    items[:] = [item for item in items if item not in slow]
    config.hook.pytest_deselected(items=slow)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_setup(item: pytest.Item) -> Iterator[None]:
    """The limit, for fixtures."""
    with _limited(item):
        return (yield)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Iterator[None]:
    """The limit, for the test."""
    with _limited(item):
        return (yield)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(item: pytest.Item) -> Iterator[None]:
    """The limit, for clean-up."""
    with _limited(item):
        return (yield)


@contextlib.contextmanager
def _limited(item: pytest.Item) -> Iterator[None]:
    """Fail after the limit; where Python code never gets to run, end the process a little later, with its stacks."""
    marker = item.get_closest_marker("limit")
    seconds = marker.args[0] if marker else LIMIT

    def expire(_number: int, _frame: FrameType | None) -> None:
        pytest.fail(f"took longer than {seconds} s", pytrace=True)

    former = signal.signal(signal.SIGALRM, expire)
    signal.alarm(seconds)
    faulthandler.dump_traceback_later(seconds + 10, exit=True, file=2)
    try:
        yield
    finally:
        faulthandler.cancel_dump_traceback_later()
        signal.alarm(0)
        signal.signal(signal.SIGALRM, former)


@pytest.fixture(autouse=True)
def _nothing_left() -> Iterator[None]:
    """Threads, child processes, working directory, environment and signals are after a test what they were before."""
    threads, children = set(threading.enumerate()), _children()
    directory, environ, signals = os.getcwd(), _environ(), _signals()
    yield
    left = [thread.name for thread in threading.enumerate() if thread not in threads]
    assert not left, f"threads left running: {left}"
    running = _lasting(lambda: {pid: name for pid, name in _children().items() if pid not in children})
    assert not running, f"child processes left: {running}"
    assert os.getcwd() == directory, "the working directory changed"
    assert _environ() == environ, "the environment changed"
    assert _signals() == signals, "what signals do changed"


@pytest.fixture(autouse=True)
def runtime_directory(_nothing_left: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """ALIGHT_RUNTIME_DIR of this test: a short path (sockets allow 107 octets), not there yet, gone afterwards.

    Processes that still carry it in their environment when the test ends are ended, and the test fails.
    """
    parent = Path(tempfile.mkdtemp(prefix="al-", dir="/tmp"))
    directory = parent / "run"
    monkeypatch.setenv("ALIGHT_RUNTIME_DIR", str(directory))
    yield directory
    left = _lasting(lambda: processes_with(f"ALIGHT_RUNTIME_DIR={directory}"))
    for pid in left:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    shutil.rmtree(parent, ignore_errors=True)
    assert not left, f"processes left behind: {left}"


@pytest.fixture(autouse=True)
def home(runtime_directory: Path, monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """HOME of this test: empty, and no variable of the developer's own tools points anywhere else."""
    for name in list(os.environ):
        if name.startswith(_FOREIGN) and name != "ALIGHT_RUNTIME_DIR":
            monkeypatch.delenv(name)
    directory = tmp_path_factory.mktemp("home")
    monkeypatch.setenv("HOME", str(directory))
    monkeypatch.setenv("PIP_CACHE_DIR", str(_CACHE / "pip"))
    monkeypatch.setenv("UV_CACHE_DIR", str(_CACHE / "uv"))
    monkeypatch.setenv("UV_SYSTEM_CERTS", "1")  # pip reads the system's certificates, too
    return directory


def _lasting(look: Callable[[], _Found]) -> _Found:
    """What is still there after processes that were told to end had two seconds for it."""
    limit = time.monotonic() + 2
    while (found := look()) and time.monotonic() < limit:
        select.poll().poll(20)
    return found


def _signals() -> dict[int, object]:
    """What the signals do that programs change; a SIGPIPE left at its default ends a worker without a word."""
    return {
        number: signal.getsignal(number) for number in (signal.SIGPIPE, signal.SIGINT, signal.SIGTERM, signal.SIGCHLD)
    }


def _environ() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name != "PYTEST_CURRENT_TEST"}


def _children() -> dict[int, str]:
    """Direct child processes, zombies included, by pid."""
    if not os.path.isdir("/proc/self"):
        return {}
    own, found = str(os.getpid()), {}
    for pid in filter(str.isdigit, os.listdir("/proc")):
        with contextlib.suppress(OSError), open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as file:
            name, _, fields = file.read().partition("(")[2].rpartition(")")
            if fields.split()[1] == own:
                found[int(pid)] = name
    return found
