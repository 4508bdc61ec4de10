"""``alight doctor``: what it says about the answer, the shell and alight itself, and how it ends."""

from __future__ import annotations

import json
import os
import socket
from pathlib import Path

import msgspec
import pytest

from alight import __version__
from alight.cli.advice import creation
from alight.cli.main import run
from alight.model import Finding, Interpreter, Project, Resolution, Stamp, WouldCreate
from alight.paths import Places
from alight.wire.requests import AnswerReply, GetAnswer, GetStatus, StatusReply
from support.commandline import HOSTILE, CannedService, answer, session

Capture = pytest.CaptureFixture[str]
HOOKED = {b"ALIGHT_STATE": b"active"}
WARNING = Finding("lock-mismatch", "warning", "beta 1.0 (locked 2.0)", (b"/code/app/uv.lock",))
INFO = Finding("lock-extra", "info", "stranger", ())


ENV = b"/code/app/.venv"


def found_with(*findings: Finding, state: str = "trusted") -> AnswerReply:
    given = answer(state)  # type: ignore[arg-type]
    resolution = msgspec.structs.replace(given.resolution, findings=findings)
    return AnswerReply(msgspec.structs.replace(given, resolution=resolution))


def service(reply: AnswerReply, *degraded: str, epoch: str = "e1") -> CannedService:
    status = StatusReply(7, degraded, uptime_seconds=7200)
    return CannedService({"answer": reply, "status": status}, stamp=Stamp(epoch, 1))


def doctor(
    canned: CannedService, *words: str, environ: dict[bytes, bytes] | None = None, runtime: Path = Path("/nowhere")
) -> int:
    made = session(canned, HOOKED if environ is None else environ)
    places = Places(runtime, Path("/c"), Path("/d"), Path("/s"))
    return run(["doctor", *words], made._replace(places=lambda: places))


def codes(capsys: Capture) -> list[tuple[str, str]]:
    return [(one["code"], one["severity"]) for one in json.loads(capsys.readouterr().out)["findings"]]


def test_nothing_is_wrong(capsys: Capture) -> None:
    """Without findings there is one line, and the exit code is 0."""
    assert doctor(service(found_with()), "/") == 0
    assert capsys.readouterr().out == "nothing is wrong\n"


def test_what_it_asks() -> None:
    """The answer is asked for with an audit, in the caller's directory."""
    canned = service(found_with())
    doctor(canned, "/usr")
    assert canned.asked == [GetAnswer(b"/usr", ()), GetStatus(b"/usr")]


def test_findings_worst_first(capsys: Capture) -> None:
    """A warning ends with 1; each finding is a line, its evidence indented beneath."""
    assert doctor(service(found_with(INFO, WARNING)), "/") == 1
    assert capsys.readouterr().out.splitlines() == [
        "warning beta 1.0 (locked 2.0)",
        "        /code/app/uv.lock",
        "info    stranger",
    ]


def test_information_is_no_trouble(capsys: Capture) -> None:
    """What is only worth knowing is printed, and nothing is wrong."""
    assert doctor(service(found_with(INFO)), "/") == 0
    assert capsys.readouterr().out.splitlines()[-1] == "nothing is wrong"


def test_json(capsys: Capture) -> None:
    """One document: directory, findings, daemon, and the answer as ``env --json`` has it."""
    assert doctor(service(found_with(WARNING)), "--json", "/") == 1
    said = json.loads(capsys.readouterr().out)
    assert set(said) == {"directory", "findings", "daemon", "answer"}
    assert said["daemon"]["pid"] == 7
    assert said["answer"]["state"] == "trusted"
    assert said["findings"][0] == {
        "code": "lock-mismatch", "severity": "warning", "message": "beta 1.0 (locked 2.0)",
        "evidence": ["/code/app/uv.lock"],
    }  # fmt: skip


@pytest.mark.parametrize(
    ("state", "code"),
    [
        ("none", "environment-absent"),
        ("missing", "environment-absent"),
        ("untrusted", "untrusted"),
        ("denied", "denied"),
    ],
)
def test_the_state_of_the_place(state: str, code: str, capsys: Capture) -> None:
    """What is not there or not allowed is told with the next step, and is no fault."""
    assert doctor(service(found_with(state=state)), "--json", "/") == 0
    assert codes(capsys) == [(code, "info")]


@pytest.mark.parametrize(
    ("environ", "words", "expected"),
    [
        ({}, [], ("hook-missing", "info")),
        ({}, ["--shell-owner", "alight", "--shell-switch", "on"], None),
        ({b"ALIGHT_DISABLE": b"1", **HOOKED}, [], ("hook-disabled", "warning")),
        (HOOKED, ["--shell-guard", "no"], ("guard-missing", "info")),
        (HOOKED, ["--shell-switch", "off"], ("switched-off", "info")),
        (HOOKED, ["--shell-switch", "on", "--shell-declined", "/code/app"], ("declined", "info")),
        (HOOKED, ["--shell-switch", "on", "--shell-declined", "-"], None),
        (HOOKED, ["--shell-owner", "direnv"], ("other-activator", "info")),
        ({b"PYENV_VIRTUALENV_INIT": b"1", **HOOKED}, [], ("other-activator", "info")),
        ({b"PYENV_VIRTUAL_ENV": ENV, b"VIRTUAL_ENV": ENV, **HOOKED}, [], ("other-activator", "info")),
        ({b"DIRENV_DIR": b"-/x", b"DIRENV_DIFF": b"nonsense", **HOOKED}, [], None),
    ],
)
def test_the_shell(
    environ: dict[bytes, bytes], words: list[str], expected: tuple[str, str] | None, capsys: Capture
) -> None:
    """The hook's part, its switch, and who else switches environments on."""
    doctor(service(found_with()), "--json", "/", *words, environ=environ)
    assert codes(capsys) == ([expected] if expected else [])


def test_a_degraded_daemon(capsys: Capture) -> None:
    """Why events may be missing, and since when at most."""
    assert doctor(service(found_with(), "watching: too few inotify watches"), "/") == 1
    assert "too few inotify watches (for at most 2 hours" in capsys.readouterr().out


def test_another_version(monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> None:
    """A daemon of another version asks to be restarted."""
    monkeypatch.setattr("alight.cli.checkup.__version__", __version__ + ".post1")
    assert doctor(service(found_with()), "--json", "/") == 1
    assert codes(capsys) == [("daemon-version", "warning")]


def test_no_daemon(runtime_directory: Path, capsys: Capture) -> None:
    """Without a daemon the answer stands, and that is the first thing said; an orphaned socket, too."""
    assert doctor(service(found_with(), epoch=""), "--json", "/", runtime=runtime_directory) == 1
    assert codes(capsys) == [("daemon-unreachable", "error")]
    with socket.socket(socket.AF_UNIX) as orphan:
        orphan.bind(str(runtime_directory / "alight.sock"))
    assert doctor(service(found_with(), epoch=""), "--json", "/", runtime=runtime_directory) == 1
    assert codes(capsys) == [("daemon-unreachable", "error"), ("runtime-stale", "warning")]


def test_a_runtime_directory_open_to_others(runtime_directory: Path, capsys: Capture) -> None:
    """An unsafe runtime directory is why there is no daemon; the fix is named."""
    runtime_directory.mkdir()
    runtime_directory.chmod(0o755)
    assert doctor(service(found_with(), epoch=""), "/", runtime=runtime_directory) == 1
    assert f"chmod 700 {runtime_directory}" in capsys.readouterr().out


def test_hostile_names(capsys: Capture) -> None:
    """Nothing from disk reaches the terminal raw."""
    hostile = Finding("moved", "warning", os.fsdecode(HOSTILE), (HOSTILE,))
    doctor(service(found_with(hostile)), "/")
    assert not {character for character in capsys.readouterr().out if character != "\n" and not character.isprintable()}


def test_usage(capsys: Capture) -> None:
    """What is no directory is a usage error."""
    assert doctor(service(found_with()), "/no/such/place") == 2
    assert "does not exist" in capsys.readouterr().err


PYTHON39 = Interpreter(b"/opt/my py/bin/python3.9", b"/opt/my py", "3.9.1", "pyenv")


VENV, PIP = "python3 -m venv .venv", ".venv/bin/python -m pip install"


@pytest.mark.parametrize(
    ("markers", "system", "interpreter", "command", "reason"),
    [
        (("uv.lock",), "uv", None, "uv sync", "the project's files call for uv"),
        (("pyproject.toml",), "poetry", None, "poetry install", "the project's files call for poetry"),
        (("environment.yaml",), "conda", None, "conda env create -f environment.yaml",
         "the project's files call for conda"),
        (("requirements-dev.txt", "requirements.txt"), None, None, f"{VENV} && {PIP} -r requirements.txt",
         "requirements.txt lists what it needs, and no file names a tool"),
        (("requirements-dev.txt",), None, None, f"{VENV} && {PIP} -r requirements-dev.txt",
         "requirements-dev.txt lists what it needs, and no file names a tool"),
        (("pyproject.toml", "requirements-dev.txt"), None, None, f"{VENV} && {PIP} -e .",
         "pyproject.toml is here, and no file names a tool"),
        (("setup.py",), None, PYTHON39, f"'/opt/my py/bin/python3.9' -m venv .venv && {PIP} -e .",
         "setup.py is here, and no file names a tool"),
        (("pylock.toml",), None, None, VENV, "pylock.toml is then installed by the tool that wrote it"),
        ((".git",), None, None, VENV, "no file names a tool"),
    ],
)  # fmt: skip
def test_what_makes_an_environment(
    markers: tuple[str, ...], system: str | None, interpreter: Interpreter | None, command: str, reason: str
) -> None:
    """The tool that the files name, else what every Python has, with the Python that a pin asks for."""
    found = Resolution(b"/p", Project(b"/p", markers, system), None, interpreter, "none", None, "none", "certain")
    assert creation(found) == f"{command} makes one: {reason}"
    below = msgspec.structs.replace(found, directory=b"/p/src")
    assert creation(below) == f"{command} makes one, in /p: {reason}"


def test_the_tools_own_word_comes_first() -> None:
    """Where a tool owns the level, its own command is the advice; without a project, one for here."""
    found = Resolution(b"/p", None, None, None, "none", None, "none", "certain")
    assert creation(found) == "python3 -m venv .venv makes one here"
    assert creation(msgspec.structs.replace(found, would_create=WouldCreate("uv sync", b"/p/.venv"))) == "uv sync"
