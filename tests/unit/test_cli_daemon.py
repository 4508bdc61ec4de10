"""``alight daemon``, ``alight config``, and the command with a real daemon."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from alight.cli.logs import added_lines, last_lines
from alight.cli.main import run
from alight.cli.session import Session
from alight.paths import Places
from alight.settings import load
from alight.wire.requests import StatusReply
from support.commandline import CannedService, alight, answering, session

Capture = pytest.CaptureFixture[str]
DEADLINE_SECONDS = 20.0


class Home:
    """A user of our own: HOME, runtime directory, and the command in processes of its own."""

    def __init__(self, home: Path, runtime: Path) -> None:
        self.home = home
        self.runtime = runtime
        self.environ = {
            "HOME": str(home),
            "PATH": "/usr/bin:/bin",
            "PYTHONPATH": os.pathsep.join(path for path in sys.path if path),
            "ALIGHT_RUNTIME_DIR": str(runtime),
        }

    def alight(self, *words: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "alight", *words],
            env=self.environ,
            cwd=cwd or self.home,
            capture_output=True,
            text=True,
            errors="surrogateescape",
            check=False,
            timeout=60,
        )


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    """A user without a daemon; one that is started after all is stopped at the end."""
    runtime = Path(tempfile.mkdtemp(prefix="alight-", dir="/tmp"))
    user = Home(tmp_path, runtime)
    yield user
    runtime.chmod(0o700)
    user.alight("daemon", "stop")
    shutil.rmtree(runtime)


@pytest.fixture
def served(home: Home) -> Iterator[Home]:
    """The same user with a daemon that runs in the foreground of a process of ours."""
    with subprocess.Popen(
        [sys.executable, "-m", "alight", "daemon", "run"], env=home.environ, stderr=subprocess.PIPE
    ) as process:
        deadline = time.monotonic() + DEADLINE_SECONDS
        while home.alight("daemon", "status").returncode != 0:
            assert process.poll() is None
            assert time.monotonic() < deadline
        yield home
        process.terminate()
        process.wait(DEADLINE_SECONDS)


@pytest.fixture
def project(home: Home) -> Path:
    """A project of that user with an environment."""
    folder = home.home / "app"
    folder.mkdir()
    (folder / "pyproject.toml").touch()
    command = [sys.executable, "-m", "venv", "--without-pip", folder / ".venv"]
    subprocess.run(command, check=True, timeout=60)
    return folder


def with_places(folder: Path) -> Session:
    """A session whose files are below ``folder``."""
    places = Places(folder / "run", folder / "config", folder / "data", folder / "state")
    base = session(None)
    return Session(
        base.environ, base.reading, base.deciding, base.running, lambda: places, lambda: load(places.config_file, {})
    )


def test_status_of_the_daemon(capsys: Capture) -> None:
    """``daemon status`` shows the daemon that answers, in words and as the documented JSON."""
    service = CannedService({"status": StatusReply(12, ("slow disk",), 3.0, 4, 2)})
    assert alight("daemon", "status", service=service) == 0
    assert "running, pid 12" in capsys.readouterr().out
    assert alight("daemon", "status", "--json", service=service) == 0
    assert list(json.loads(capsys.readouterr().out)) == ["pid", "version", "epoch", "generation", "degraded"]


def test_an_absent_daemon_is_3(capsys: Capture) -> None:
    """``daemon status`` exits 3 when nobody answers, and prints null as JSON."""
    assert alight("daemon", "status", "--json") == 3
    captured = capsys.readouterr()
    assert (captured.out, captured.err) == ("null\n", "alight: no daemon answers\n  alight daemon start\n")


@pytest.mark.parametrize("words", [["daemon"], *(["daemon", v, "--help"] for v in ("run", "start", "stop", "logs"))])
def test_daemon_help(words: list[str], capsys: Capture) -> None:
    """``daemon`` alone shows its help, as do its verbs with ``--help``."""
    assert alight(*words) == 0
    assert capsys.readouterr().out.startswith("Usage: alight daemon")


def test_config_names_value_and_source(tmp_path: Path, capsys: Capture) -> None:
    """``config`` shows each setting, its value and who set it; ``--path`` the file alone."""
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / "config.toml").write_text('[log]\nlevel = "debug"\n')
    assert run(["config"], with_places(tmp_path)) == 0
    rows = [row.split("\t") for row in capsys.readouterr().out.splitlines()]
    assert ["log.level", '"debug"', "file", "ALIGHT_LOG_LEVEL"] in rows
    assert ["prompt.segment", "true", "default", "ALIGHT_PROMPT_SEGMENT"] in rows
    assert run(["config", "--json"], with_places(tmp_path)) == 0
    shape = json.loads(capsys.readouterr().out)
    assert list(shape) == ["path", "settings"]
    assert {"key": "log.level", "value": "debug", "source": "file", "variable": "ALIGHT_LOG_LEVEL"} in shape["settings"]
    assert run(["config", "--path"], with_places(tmp_path)) == 0
    assert capsys.readouterr().out == f"{tmp_path}/config/config.toml\n"


def test_a_wrong_config_is_2(tmp_path: Path, capsys: Capture) -> None:
    """A config.toml that cannot be used exits 2 and names the line."""
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / "config.toml").write_text('[log]\nlevel = "loud"\n')
    assert run(["config"], with_places(tmp_path)) == 2
    assert "line 2" in capsys.readouterr().err


def test_logs_shows_the_end(tmp_path: Path, capsys: Capture) -> None:
    """``daemon logs -n`` prints the last lines, cleaned; without a log it says so and exits 1."""
    assert run(["daemon", "logs"], with_places(tmp_path)) == 1
    assert "there is no log yet" in capsys.readouterr().err
    (tmp_path / "state").mkdir()
    (tmp_path / "state" / "daemon.log").write_bytes(b"one\ntwo\x1b[31m\nthree\n")
    assert run(["daemon", "logs", "-n", "2"], with_places(tmp_path)) == 0
    assert capsys.readouterr().out == "two\\x1b[31m\nthree\n"


@pytest.mark.parametrize("count", [0, 1, 2, 5000])
def test_last_lines_are_exact(count: int, tmp_path: Path) -> None:
    """However long the log, exactly the last lines come back, the unfinished one included."""
    lines = [b"%d " % number + b"x" * 40 for number in range(4000)] + [b"unfinished"]
    file = tmp_path / "log"
    file.write_bytes(b"\n".join(lines))
    found, position = last_lines(file, count)
    assert found == (lines[-count:] if count else [])
    assert position == file.stat().st_size


def test_following_survives_rotation(tmp_path: Path) -> None:
    """Lines that are added appear, also after the log was rotated away."""
    file = tmp_path / "log"
    file.write_bytes(b"old\n")
    lines = added_lines(file, 4)
    with file.open("ab") as stream:
        stream.write(b"added\nhalf")
    assert next(lines) == b"added"
    rotated = threading.Timer(0.05, lambda: (file.rename(tmp_path / "log.1"), file.write_bytes(b"fresh\n")))
    rotated.start()
    assert next(lines) == b"fresh"
    rotated.join()


def test_the_whole_way(served: Home, project: Path) -> None:
    """Untrusted, allowed, executed, exported, denied: each step with its exit code, against a real daemon."""
    assert json.loads(served.alight("env", "--json", str(project)).stdout)["state"] == "untrusted"
    assert served.alight("exec", str(project), "--", "true").returncode == 4
    assert served.alight("export", str(project)).returncode == 4
    assert served.alight("allow", str(project / ".venv" / "..")).returncode == 0
    prefix = served.alight("exec", "--", "python", "-c", "import sys; print(sys.prefix); sys.exit(9)", cwd=project)
    assert (prefix.stdout, prefix.returncode) == (f"{project}/.venv\n", 9)
    lines = served.alight("export", str(project)).stdout
    script = lines + 'command -v python; printf "%s\\n" "$VIRTUAL_ENV"'
    shell = subprocess.run(["/bin/sh", "-c", script], capture_output=True, text=True, check=True, timeout=30)
    assert shell.stdout == f"{project}/.venv/bin/python\n{project}/.venv\n"
    assert served.alight("deny", str(project)).returncode == 0
    assert served.alight("exec", str(project), "--", "true").returncode == 4
    listed = json.loads(served.alight("trust", "--list", "--json").stdout)["decisions"]
    assert "deny" in {one["decision"] for one in listed}
    assert served.alight("trust", "--revoke", str(project)).returncode == 0
    assert json.loads(served.alight("env", "--json", str(project)).stdout)["state"] == "untrusted"
    status = json.loads(served.alight("status", "--json", cwd=project).stdout)
    assert status["daemon"]["pid"] > 0
    assert served.alight("allow", str(served.home)).returncode == 1
    assert served.alight("daemon", "stop").stdout == "stopped\n"
    assert served.alight("daemon", "status").returncode == 3


def test_hostile_folders_go_the_whole_way(served: Home, project: Path) -> None:
    """A folder whose name has a newline, an escape and an octet that is not UTF-8 is asked about and answered."""
    hostile = os.fsencode(served.home) + b"/a \xff\x1b[31m\n$(x)'"
    os.rename(project, hostile)
    shape = json.loads(served.alight("env", "--json", os.fsdecode(hostile)).stdout)
    assert os.fsencode(shape["directory"]) == hostile
    assert os.fsencode(shape["environment"]["prefix"]) == hostile + b"/.venv"
    shown = served.alight("why", os.fsdecode(hostile)).stdout
    assert "\x1b" not in shown
    assert r"\xff\x1b[31m\n$(x)'" in shown


def test_without_a_daemon_reading_goes_on(home: Home, project: Path) -> None:
    """Where no daemon can start, reading verbs answer themselves and say so; deciding ones exit 3."""
    home.runtime.chmod(0o755)
    answered = home.alight("env", "--json", str(project))
    assert (answered.returncode, json.loads(answered.stdout)["state"]) == (0, "untrusted")
    assert "open to other users" in answered.stderr
    assert "answered without it" in answered.stderr
    assert answered.stderr.count("\n") == 1
    assert json.loads(home.alight("status", "--json", cwd=project).stdout)["daemon"] is None
    assert home.alight("exec", str(project), "--", "true").returncode == 4
    for words in (["allow", str(project)], ["trust", "--list"], ["daemon", "start"]):
        refused = home.alight(*words)
        assert (refused.returncode, "chmod 700" in refused.stderr) == (3, True)


def test_a_session_asks_the_service_it_has() -> None:
    """One canned daemon serves reading and deciding alike: nothing else is consulted."""
    service = answering("trusted")
    assert alight("allow", "/", service=service) == 0
    assert alight("env", "/", service=service) == 0
    assert [message.VERB for message in service.asked] == ["decide", "answer"]
