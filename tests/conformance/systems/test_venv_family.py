"""What is read of a real environment equals what its own interpreter says; only the test runs it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from alight.clock import SystemClock
from alight.files.disk import Disk
from alight.files.moment import Moment
from alight.model import Environment, Resolution
from alight.resolver import resolve
from support.playfield import Clock
from support.pythons import Python, pythons

QUESTION = """
import json, platform, sys, sysconfig
print(json.dumps({
    "prefix": sys.prefix, "base": sys.base_prefix, "version": platform.python_version(),
    "purelib": sysconfig.get_paths()["purelib"],
}))
"""

MAKERS = ("venv", "venv-copies", "virtualenv", "uv", "uv-relocatable")
# virtualenv stopped making environments for 3.6 and 3.7 with its 20.22 and 20.27.
PAIRS = [
    (maker, python)
    for maker in MAKERS
    for python in pythons()
    if maker != "virtualenv" or not python.version.startswith(("3.6.", "3.7."))
]


def ask(environment: Environment) -> dict[str, str]:
    """The environment's own word."""
    command = [os.fsdecode(environment.interpreter), "-I", "-c", QUESTION]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=True)
    answer: dict[str, str] = json.loads(done.stdout)
    return answer


def look(project: Path, home: Path, overrides: dict[str, bytes] | None = None) -> Resolution:
    disk = Disk(os.getuid(), Clock())
    return resolve(os.fsencode(project), overrides or {}, disk, os.fsencode(home))


def tool(name: str) -> str:
    """A tool of the test environment, or of PATH."""
    path = shutil.which(name, path=f"{Path(sys.executable).parent}:{os.environ['PATH']}")
    assert path is not None, f"{name} belongs to the test environment"
    return path


UV = (tool("uv"), "venv", "-q", "--offline", "--no-config")


def make(maker: str, python: Python, prefix: Path) -> None:
    """An environment without packages, as its maker makes it by default."""
    command = {
        "venv": [str(python.executable), "-m", "venv", "--without-pip", str(prefix)],
        "venv-copies": [str(python.executable), "-m", "venv", "--without-pip", "--copies", str(prefix)],
        "virtualenv": [tool("virtualenv"), "-q", "--no-seed", "-p", str(python.executable), str(prefix)],
        "uv": [*UV, "-p", str(python.executable), str(prefix)],
        "uv-relocatable": [*UV, "--relocatable", "-p", str(python.executable), str(prefix)],
    }[maker]  # fmt: skip
    subprocess.run(command, check=True, capture_output=True, timeout=60)


@pytest.mark.parametrize(("maker", "python"), PAIRS, ids=str)
def test_what_is_read_is_what_it_says(tmp_path: Path, maker: str, python: Python) -> None:
    """Prefix, kind, system, version, base and site-packages, for every Python here and every maker."""
    project = tmp_path / "my app"
    project.mkdir()
    make(maker, python, project / ".venv")
    answer = look(project, tmp_path)
    environment = answer.environment
    assert environment is not None
    said = ask(environment)
    assert os.fsdecode(environment.prefix) == said["prefix"] == str(project / ".venv")
    assert (environment.kind, environment.system) == ("venv", maker.partition("-")[0])
    assert environment.python_version == said["version"] == python.version
    assert environment.base is not None
    assert os.fsdecode(environment.base) == said["base"]
    assert [os.fsdecode(path) for path in environment.site_packages] == [said["purelib"]]
    assert environment.name == "my app"
    assert environment.health == answer.findings == ()
    assert (answer.condition, answer.rule) == ("found", "venv-directory")


@pytest.mark.parametrize("maker", ["venv", "virtualenv", "uv", "uv-relocatable"])
def test_moved_environments(tmp_path: Path, maker: str) -> None:
    """A moved environment of every maker is found out, a relocatable one may move."""
    make(maker, pythons()[-1], tmp_path / "old" / ".venv")
    os.rename(tmp_path / "old", tmp_path / "new")
    environment = look(tmp_path / "new", tmp_path).environment
    assert environment is not None
    expected = [] if maker == "uv-relocatable" else ["moved"]
    assert [finding.code for finding in environment.health] == expected
    assert ask(environment)["prefix"] == str(tmp_path / "new" / ".venv")


@pytest.mark.parametrize("maker", ["venv", "virtualenv", "uv"])
@pytest.mark.parametrize("prompt", ["web app", "it's", 'say "hi"', "caf\u00e9"])
def test_prompts(tmp_path: Path, maker: str, prompt: str) -> None:
    """A chosen prompt is the name, however its maker quotes it."""
    commands = {
        "venv": [str(pythons()[-1].executable), "-m", "venv", "--without-pip"],
        "virtualenv": [tool("virtualenv"), "-q", "--no-seed"],
        "uv": [*UV, "-p", str(pythons()[-1].executable)],
    }
    prefix = tmp_path / "p" / ".venv"
    subprocess.run([*commands[maker], "--prompt", prompt, str(prefix)], check=True, capture_output=True, timeout=60)
    environment = look(tmp_path / "p", tmp_path).environment
    assert environment is not None
    assert environment.name == prompt


def test_a_uv_workspace(tmp_path: Path) -> None:
    """From a member, uv and alight name the same environment, before it exists and after."""
    root, member = tmp_path / "w", tmp_path / "w" / "packages" / "one"
    member.mkdir(parents=True)
    table = '[project]\nname = "{}"\nversion = "0"\nrequires-python = ">=3.8"\n'
    (root / "pyproject.toml").write_text(table.format("root") + '[tool.uv.workspace]\nmembers = ["packages/*"]\n')
    (member / "pyproject.toml").write_text(table.format("one"))
    before = look(member, tmp_path)
    assert (before.condition, before.root) == ("missing", os.fsencode(root))
    assert before.would_create is not None
    command = [tool("uv"), "sync", "-q", "--offline", "--no-config", "-p", str(pythons()[-1].executable)]
    subprocess.run(command, cwd=member, check=True, capture_output=True, timeout=60)
    after = look(member, tmp_path)
    assert after.environment is not None
    assert after.environment.prefix == before.would_create.prefix
    assert (after.rule, after.condition, after.environment.system) == ("uv-project", "found", "uv")


def test_a_real_environment_just_made_is_asked_again(tmp_path: Path) -> None:
    """Right after its making, an answer is not kept: the clock's grain could hide the next change."""
    make("uv", pythons()[-1], tmp_path / "p" / ".venv")
    disk = Disk(os.getuid(), SystemClock())
    resolve(os.fsencode(tmp_path / "p"), {}, disk, os.fsencode(tmp_path))
    assert not Moment(SystemClock()).holds(disk.fingerprint())
