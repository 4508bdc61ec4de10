"""One row, for real: set up, predict, run, look what changed on the disk. Rows come and results go as lines of JSON.

This is a process of its own with one thread, so that it may fork a namespace for every row.
"""

from __future__ import annotations

import contextlib
import functools
import http.server
import io
import json
import os
import re
import select
import signal
import subprocess
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Mapping
from pathlib import Path

from conformance.landing import namespace, states
from conformance.landing.table import Row

LIMIT_SECONDS = 180
_MARK = re.compile(r".*\.(dist-info|egg-info|egg-link|egg|pth)$")
_NOT_LANDINGS = re.compile(
    r"(/tmp|/var/(tmp|cache)|/proc|/dev|/srv|/root/\.cache)/"
    r"|/home/(ada|bob)/\.cache/(uv|pip|pdm|pypoetry/(cache|artifacts)|hatch|virtualenv)/"
)
_INDEX = "$INDEX"


def serve() -> None:
    """Serve rows until the end of input."""
    sys.stdout = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    # Loaded once, before the first fork: what the command would otherwise load for every row.
    from alight import app  # noqa: F401
    from alight.cli import check, group, main, shapes  # noqa: F401
    from alight.server import check_handlers  # noqa: F401

    layers = states.layers()
    print("ready", flush=True)
    for line in sys.stdin:
        print(json.dumps(result(json.loads(line), layers)), flush=True)


def result(row: Mapping[str, object], layers: Mapping[str, Path]) -> dict[str, object]:
    """What was predicted for a row and what happened; ``error`` when it did not get that far."""
    scratch = tempfile.mkdtemp(prefix="alight-row-")
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(reading)
        _outer(row, layers, Path(scratch), writing)
    os.close(writing)
    try:
        text = _read(reading, LIMIT_SECONDS)
    finally:
        os.close(reading)
        # The first process of its namespace takes all others with it.
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        _removed(scratch)
    return json.loads(text) if text else {"error": f"nothing came within {LIMIT_SECONDS} s"}


def interactive(row: Row) -> int:
    """An interactive bash in a row's state, in a world that is gone with it."""
    layers = states.layers()
    scratch = tempfile.mkdtemp(prefix="alight-row-")
    pid = os.fork()
    if pid == 0:
        try:
            namespace.isolate()
            inner = os.fork()
            if inner == 0:
                disk = namespace.make_disk(Path(scratch), layers)
                namespace.enter(disk)
                _, environ, directory, user = _prepared(row.packed())
                os.chdir(directory)
                _become(user)
                os.execve("/bin/bash", ["bash", "--norc", "--noprofile"], {**environ, "PS1": "(alight) \\w $ "})
            os.waitpid(inner, 0)
        finally:
            os._exit(0)
    os.waitpid(pid, 0)
    _removed(scratch)
    return 0


def _removed(scratch: str) -> None:
    limit = time.monotonic() + 5
    while os.path.exists(scratch) and time.monotonic() < limit:
        with contextlib.suppress(OSError):
            os.rmdir(scratch)
            return
        select.poll().poll(5)


def _read(descriptor: int, seconds: float) -> str:
    parts = []
    limit = time.monotonic() + seconds
    while True:
        ready, _, _ = select.select([descriptor], [], [], max(0.0, limit - time.monotonic()))
        if not ready:
            return ""
        part = os.read(descriptor, 1 << 16)
        if not part:
            return b"".join(parts).decode()
        parts.append(part)


def _outer(row: Mapping[str, object], layers: Mapping[str, Path], scratch: Path, writing: int) -> None:
    """Leave the machine; the child is the first process of the row's own world, and ends with this one."""
    try:
        namespace.isolate()
        namespace.die_with_parent()
        pid = os.fork()
        if pid == 0:
            namespace.die_with_parent()
            _inner(row, layers, scratch, writing)
        os.close(writing)
        os.waitpid(pid, 0)
    finally:
        os._exit(0)


def _inner(row: Mapping[str, object], layers: Mapping[str, Path], scratch: Path, writing: int) -> None:
    found: dict[str, object]
    try:
        disk = namespace.make_disk(scratch, layers)
        view = os.open(scratch, os.O_RDONLY | os.O_DIRECTORY)
        namespace.enter(disk)
        found = _lived(row, disk, view)
    except Exception:
        found = {"error": traceback.format_exc()}
    with os.fdopen(writing, "w") as out:
        json.dump(found, out)
    os._exit(0)


def _lived(row: Mapping[str, object], disk: namespace.Disk, view: int) -> dict[str, object]:
    known, environ, directory, user = _prepared(row)
    line = _expanded(str(row["line"]), {name: known[name] for name in known if name not in ("HOME", "PATH")})
    marks = _Marks(disk, view)
    before = marks.look()
    predicted = _as_user(user, lambda: _predict(line, str(row["shell"]), directory, environ))
    found: dict[str, object] = {"predicted": predicted, "directory": directory, "line": line,
                                "environ": {"VIRTUAL_ENV": environ.get("VIRTUAL_ENV", "")}}  # fmt: skip
    if row["lands"] is not None:
        found["meant"] = [os.path.realpath(_expanded(place, known)) for place in row["lands"] if place != "-"]
    if row["executed"]:
        done = _run(line, str(row["shell"]), directory, environ, user)
        found |= {"code": done.returncode, "output": done.stdout.decode("utf-8", "replace")[-6000:]}
        found |= marks.changes(before)
    for install in predicted.get("installs", ()):
        if install["landing"] is not None:
            for name in ("prefix", "purelib"):
                install["landing"][name] = install["landing"][name] and os.path.realpath(install["landing"][name])
    return found


def _prepared(row: Mapping[str, object]) -> tuple[dict[str, str], dict[str, str], str, int]:
    """The state, made: the names of the land, the variables exported, the directory, the user."""
    is_bob = row["user"] == "bob"
    home = "/home/bob" if is_bob else "/home/ada"
    known = {**states.names(), "HOME": home}
    os.umask(0o022)
    os.makedirs("/var/cache/uv", exist_ok=True)
    os.chmod("/var/cache/uv", 0o777)
    if any(_INDEX in str(row[part]) for part in ("line", "setup", "env")):
        _serve()
    _set_up(str(row["setup"]), {**states.variables(home), **known}, home, ordinary=is_bob)
    environ = _environ(row["env"], known, home)
    return known, environ, _expanded(str(row["cwd"]), known), states.BOB if is_bob else 0


def _environ(own: Mapping[str, str], known: Mapping[str, str], home: str) -> dict[str, str]:
    environ = states.variables(home)
    for name, value in own.items():
        if value == "-":
            environ.pop(name, None)
        else:
            environ[name] = _expanded(value, known)
    return environ


def _expanded(text: str, known: Mapping[str, str]) -> str:
    def value(found: re.Match[str]) -> str:
        return known.get(found[1] or found[2], found[0])

    return re.sub(r"\$(?:\{(\w+)\}|(\w+))", value, text)


def _set_up(script: str, environ: Mapping[str, str], home: str, *, ordinary: bool) -> None:
    if script:
        done = subprocess.run(
            ["/bin/bash", "-euc", script], env=environ, cwd=home, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=LIMIT_SECONDS, check=False,
        )  # fmt: skip
        if done.returncode:
            raise RuntimeError(f"the state's setup failed: {done.stdout.decode('utf-8', 'replace')}")
    if ordinary:
        # Tools and Pythons lie in the home of whoever runs the tests; a look is all that the second user needs.
        for folder in (*Path(states.names().get("PYENV_ROOT", "/")).parents, *Path(__file__).parents):
            folder.chmod(folder.stat().st_mode | 0o011)
        for folder, directories, files in os.walk(home):
            for name in (".", *directories, *files):
                os.lchown(os.path.join(folder, name), states.BOB, states.BOB)


def _serve() -> None:
    """The index, for as long as the row lives."""
    handler = functools.partial(_Quiet, directory="/srv/index")
    server = http.server.ThreadingHTTPServer(("127.0.0.1", states.PORT), handler)
    if os.fork() == 0:
        namespace.die_with_parent()
        server.serve_forever()
    server.server_close()


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_arguments: object) -> None:
        """Nobody reads it."""


def _as_user(user: int, work: Callable[[], dict[str, object]]) -> dict[str, object]:
    """The result of ``work`` in a process of that user."""
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        found: dict[str, object] = {}
        try:
            os.close(reading)
            _become(user)
            found = work()
        except BaseException:
            found = {"error": traceback.format_exc()}
        finally:
            with os.fdopen(writing, "w") as out:
                json.dump(found, out)
            os._exit(0)
    os.close(writing)
    text = _read(reading, LIMIT_SECONDS)
    os.close(reading)
    os.waitpid(pid, 0)
    return json.loads(text)


def _become(user: int) -> None:
    if user:
        os.setgroups([])
        os.setresgid(user, user, user)
        os.setresuid(user, user, user)


def _predict(line: str, shell: str, directory: str, environ: Mapping[str, str]) -> dict[str, object]:
    """What ``alight check --json`` prints for it, by the command's own code."""
    from alight.cli.main import run
    from alight.cli.session import _Here, of_process, process_places, process_settings

    os.chdir(directory)
    os.environ.clear()
    os.environ.update(environ, PWD=directory, ALIGHT_RUNTIME_DIR="/tmp/alight-none")
    session = of_process()._replace(
        environ=dict(os.environb), reading=_Here, places=process_places, settings=process_settings
    )
    printed, complained = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(complained):
        code = run(["check", "--json", "--shell", shell, "--", line], session)
    if code not in (0, 1):
        return {"error": f"alight check ended with {code}: {complained.getvalue()}"}
    return {**json.loads(printed.getvalue()), "code": code}


_SHELLS = {
    "bash": ["bash", "--norc", "--noprofile", "-c"],
    "zsh": ["zsh", "-f", "-c"],
    "fish": ["fish", "--no-config", "-c"],
}


def _run(
    line: str, shell: str, directory: str, environ: Mapping[str, str], user: int
) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [*_SHELLS[shell], line], cwd=directory, env={**environ, "PWD": directory}, stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=LIMIT_SECONDS - 20, check=False,
        preexec_fn=functools.partial(_become, user) if user else None,
    )  # fmt: skip


class _Marks:
    """What says that something was installed or removed, as the overlays show it."""

    def __init__(self, disk: namespace.Disk, view: int) -> None:
        self._disk = disk
        self._view = view

    def look(self) -> dict[str, tuple[int, int, bool]]:
        """Every mark and every ``pyvenv.cfg`` written so far: identity, time, and whether it was taken away."""
        found = {}
        for place, upper in self._disk.uppers.items():
            base = f"/proc/self/fd/{self._view}/{upper.name}"
            for path, stat in namespace.Disk(self._disk.merged, {place: Path(base)}).written(place):
                if (_MARK.match(path) or path.endswith("/pyvenv.cfg")) and not _NOT_LANDINGS.match(path):
                    found[path] = (stat.st_ino, stat.st_mtime_ns, namespace.is_whiteout(stat))
        return found

    def changes(self, before: Mapping[str, tuple[int, int, bool]]) -> dict[str, object]:
        """``added`` and ``removed``: directories whose marks came or went; ``created``: new environments."""
        after = self.look()
        changed = {path for path in after.keys() | before.keys() if after.get(path) != before.get(path)}
        gone = {path for path in changed if path not in after or after[path][2]}
        marks = {path for path in changed if not path.endswith("/pyvenv.cfg")}
        created = {os.path.dirname(path) for path in changed - gone if path.endswith("/pyvenv.cfg")}
        return {
            "added": sorted({os.path.realpath(os.path.dirname(path)) for path in marks - gone}),
            "removed": sorted({os.path.realpath(os.path.dirname(path)) for path in marks & gone}),
            "created": sorted(map(os.path.realpath, created)),
            "marks": sorted(marks)[:60],
        }


if __name__ == "__main__":
    serve()
