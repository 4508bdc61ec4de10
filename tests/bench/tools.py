"""The tools compared, one generator each: get it, prepare its projects, say its rc lines, put everything away.

A tool is taken as its manual says and as it ships: no message, prompt segment or check of it is switched off, except
that mise is kept off the network. Each project's configuration is approved beforehand, as a person does once.
"""

from __future__ import annotations

import contextlib
import importlib.util
import os
import runpy
import shlex
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from bench.peers import CLONES, autoswitch, pyenv_virtualenv
from bench.places import CHECKOUT, Place, Ready, Tool, ToolMissing, run

MISE_PACKAGE = "mise@2026.9.15"
DIRENV_CONFIGURATION = "export VIRTUAL_ENV=$PWD/.venv\nPATH_add .venv/bin\n"
MISE_CONFIGURATION = '[env]\n_.python.venv = ".venv"\n'
MISE_OFFLINE = {"MISE_OFFLINE": "1", "MISE_AUTO_INSTALL": "0", "MISE_HIDE_UPDATE_WARNING": "1"}
LAUNCHER = """#!{python}
import sys

sys.path.insert(0, {source!r})
from alight.cli.main import main

sys.exit(main())
"""
DAEMON_DEADLINE_S = 20.0
PARTS = ("alight", "guard")
"""The files of alight's hook, in the order they are read."""


@contextlib.contextmanager
def bare(_place: Place) -> Iterator[Ready]:
    """The shell alone: what is taken off the others. A second one, ``control``, shows what differences mean nothing."""
    yield Ready("-", {"zsh": "", "bash": "", "fish": ""})


@contextlib.contextmanager
def direnv(place: Place) -> Iterator[Ready]:
    """The smallest ``.envrc`` with which direnv does the job: two lines, no ``layout``."""
    command = shutil.which("direnv")
    if command is None:
        raise ToolMissing("missing: no direnv on PATH (apt-get install direnv)")
    for project in place.tree.projects:
        (project / ".envrc").write_text(DIRENV_CONFIGURATION)
        run([command, "allow", str(project)], place.tree.environment)
    hooks = {shell: f'eval "$({command} hook {shell})"' for shell in ("zsh", "bash")}
    yield Ready(
        run([command, "version"], place.tree.environment),
        {**hooks, "fish": f"{command} hook fish | source"},
    )


@contextlib.contextmanager
def mise(place: Place) -> Iterator[Ready]:
    """The ``_.python.venv`` of mise; its command from ``--mise``, from PATH, or fetched with npm."""
    command = place.mise or shutil.which("mise") or _fetched_mise()
    environment = {**place.tree.environment, **MISE_OFFLINE}
    for project in place.tree.projects:
        (project / "mise.toml").write_text(MISE_CONFIGURATION)
        run([command, "trust", str(project / "mise.toml")], environment)
    hooks = {shell: f'eval "$({command} activate {shell})"' for shell in ("zsh", "bash")}
    yield Ready(
        run([command, "--version"], environment),
        {**hooks, "fish": f"{command} activate fish | source"},
        MISE_OFFLINE,
    )


@contextlib.contextmanager
def alight(place: Place, parts: Sequence[str] = PARTS) -> Iterator[Ready]:
    """The checkout around this file: its daemon a child of the benchmark, ``parts`` of its hooks as installed."""
    hooks = {shell: [CHECKOUT / "shell" / f"{part}.{shell}" for part in parts] for shell in ("zsh", "bash", "fish")}
    if not all(file.exists() for files in hooks.values() for file in files):
        raise ToolMissing("missing: the checkout lacks hooks in shell/")
    lacking = [name for name in ("zmq", "msgspec", "watchdog") if importlib.util.find_spec(name) is None]
    if lacking:
        raise ToolMissing(f"missing: {sys.executable} has no {', '.join(lacking)}")
    runtime = place.scratch / "r"
    runtime.mkdir(mode=0o700)
    launcher = place.scratch / "bin" / "alight"
    launcher.parent.mkdir()
    # Like an installed console script: the hooks read the interpreter from its first line.
    launcher.write_text(LAUNCHER.format(python=sys.executable, source=str(CHECKOUT / "daemon")))
    launcher.chmod(0o755)
    client = _client(place.scratch)
    added = {
        "ALIGHT_RUNTIME_DIR": str(runtime),
        # However loaded the machine is, a slow answer counts as slow: no shell gives up asking for a while.
        "ALIGHT_DEADLINE": "5",
        "PATH": f"{launcher.parent}:{place.tree.environment['PATH']}",
    }
    environment = {**place.tree.environment, **added}
    with _daemon(launcher, environment, runtime, place.scratch / "daemon.log"):
        for project in place.tree.projects:
            run([str(launcher), "allow", str(project)], environment)
        version = run([str(launcher), "--version"], environment).removeprefix("alight ")
        yield Ready(
            f"{version} ({'Python' if client.suffix == '.py' else 'compiled'} client)",
            {shell: _installed(shell, files, client, launcher, place.scratch) for shell, files in hooks.items()},
            added,
        )


TOOLS = (
    Tool("bare", bare, activates=False),
    Tool("control", bare, activates=False),
    Tool("alight", alight),
    Tool("direnv", direnv),
    Tool("mise", mise),
    Tool("pyenv-virtualenv", pyenv_virtualenv),
    Tool("zsh-autoswitch-virtualenv", autoswitch),
)
SUBJECT, FLOOR = "alight", ("bare", "control")
"""Whom it is about, and what is no tool: everything else in ``TOOLS`` is a peer."""


def _installed(shell: str, files: Sequence[Path], client: Path, launcher: Path, scratch: Path) -> str:
    """The hook in one file as the installer writes it (compiled by zsh), and the line for a start-up file."""
    programs = {
        "__alight_python": os.path.realpath(getattr(sys, "_base_executable", sys.executable)),
        "__alight_client": client,
        "__alight_command": launcher,
        "__alight_daemon_python": sys.executable,
    }
    assign = "set -g {} {}" if shell == "fish" else "{}={}"
    lines = [assign.format(name, shlex.quote(str(value))) for name, value in programs.items()]
    hook = scratch / f"alight.{shell}"
    hook.write_bytes(b"\n".join([*(line.encode() for line in lines), *(file.read_bytes() for file in files)]))
    zsh = shutil.which("zsh")
    if shell == "zsh" and zsh is not None:
        run([zsh, "-fc", 'zcompile -R -- "$1.zwc" "$1"', "zsh", str(hook)], dict(os.environ))
    return f"source {shlex.quote(str(hook))}"


def _client(scratch: Path) -> Path:
    """The compiled client with the one in Python beside it, as a wheel has them; without a compiler the latter."""
    folder = scratch / "client"
    folder.mkdir()
    python = Path(shutil.copy(CHECKOUT / "daemon" / "alight" / "query.py", folder))
    program, source = folder / "alight-query", CHECKOUT / "shell" / "query" / "alight-query.c"
    made = runpy.run_path(str(CHECKOUT / "hatch_build.py"))["compiled"](str(source), str(program))
    return program if made else python


@contextlib.contextmanager
def _daemon(launcher: Path, environment: Mapping[str, str], runtime: Path, log: Path) -> Iterator[None]:
    with log.open("wb") as output:
        process = subprocess.Popen(
            [launcher, "daemon", "run"], env=environment, stdin=subprocess.DEVNULL, stdout=output, stderr=output
        )
    try:
        give_up = time.monotonic() + DAEMON_DEADLINE_S
        while not ((runtime / "alight.sock").exists() and (runtime / "alive").exists()):
            if process.poll() is not None or time.monotonic() > give_up:
                raise ToolMissing(f"missing: its daemon did not start: {log.read_text(errors='replace')[-300:]!r}")
            time.sleep(0.02)
        yield
    finally:
        process.terminate()
        try:
            process.wait(5)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        # A hook may have started another, had ours ended early.
        subprocess.run([launcher, "daemon", "stop"], env=environment, capture_output=True, check=False)


def _fetched_mise() -> str:
    """The version named above from npm, fetched once."""
    folder = CLONES / MISE_PACKAGE
    command = folder / "node_modules" / ".bin" / "mise"
    if command.exists():
        return str(command)
    npm = shutil.which("npm")
    if npm is None:
        raise ToolMissing("missing: no mise on PATH and no npm to fetch it with")
    folder.mkdir(parents=True, exist_ok=True)
    words = [npm, "install", "--prefix", str(folder), "--no-audit", "--no-fund", "--no-save", MISE_PACKAGE]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    if done.returncode != 0 or not command.exists():
        raise ToolMissing(f"missing: npm install {MISE_PACKAGE} failed: {done.stderr.strip()[-200:]!r}")
    return str(command)
