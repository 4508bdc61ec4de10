"""What the real virtualenvwrapper makes, lists and links, sourced in a real bash, is what is read of it."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from alight.files.disk import Disk
from alight.files.documents import Documents
from alight.resolver import resolve
from alight.systems import SYSTEMS
from alight.systems.base import Facts
from alight.systems.wrapper import Wrapper, project_of
from support.playfield import Clock, write
from support.tools import clean_environment, tool

SCRIPT = """
source "$VIRTUALENVWRAPPER_SCRIPT" >/dev/null 2>&1
mkproject --no-seed api >/dev/null 2>&1 && deactivate
mkvirtualenv --no-seed web >/dev/null 2>&1
setvirtualenvproject "$VIRTUAL_ENV" "$PROJECT_HOME/web app" >/dev/null && deactivate
mkvirtualenv --no-seed loose >/dev/null 2>&1 && deactivate
lsvirtualenv -b
for name in api web; do workon $name && echo "$VIRTUAL_ENV" && cdproject && pwd && deactivate; done
"""


@pytest.fixture(autouse=True)
def registered(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """These tests ask this system first, whatever the usual order is."""
    systems = (Wrapper(), *(system for system in SYSTEMS if not isinstance(system, Wrapper)))
    monkeypatch.setattr("alight.resolver.SYSTEMS", systems)
    return iter(())


@pytest.mark.parametrize("pool", [None, "chosen/envs", "~/tilde"])
def test_virtualenvwrapper(tmp_path: Path, pool: str | None) -> None:
    """By default, with $WORKON_HOME, and with a tilde in it: the pool, the projects, and a name in a .venv file."""
    home = tmp_path / "home"
    (home / "projects" / "web app").mkdir(parents=True)
    directory = home / ".virtualenvs" if pool is None else home / pool.removeprefix("~/")
    script = tool("virtualenvwrapper", "virtualenvwrapper").with_name("virtualenvwrapper.sh")
    variables = {
        "PROJECT_HOME": str(home / "projects"),
        "VIRTUALENVWRAPPER_SCRIPT": str(script),
        "VIRTUALENVWRAPPER_PYTHON": str(script.with_name("python")),
        "VIRTUALENVWRAPPER_VIRTUALENV": str(script.with_name("virtualenv")),
    }
    if pool is not None:
        variables["WORKON_HOME"] = str(directory)
    done = subprocess.run(
        ["bash", "--norc", "--noprofile", "-c", SCRIPT], cwd=home, env=clean_environment(home, **variables),
        capture_output=True, text=True, timeout=60, check=True,
    )  # fmt: skip
    *names, api, api_project, web, web_project = done.stdout.split("\n")[:-1]
    names = [name for name in names if name]
    overrides = {} if pool is None else {"WORKON_HOME": (pool if pool[0] == "~" else str(directory)).encode()}
    disk = Disk(os.getuid(), Clock())
    facts = Facts(disk, overrides, os.fsencode(home), b"/", Documents(disk))

    listed = [os.fsdecode(prefix) for prefix in Wrapper().list(facts)]
    assert (
        listed
        == [str(directory / name) for name in sorted(names)]
        == [str(directory / name) for name in ("api", "loose", "web")]
    )
    for prefix, project in ((api, api_project), (web, web_project)):
        assert project_of(os.fsencode(prefix), facts) == os.fsencode(project)
        described = Wrapper().describe(os.fsencode(prefix), facts)
        assert described is not None
        assert described.system == "virtualenvwrapper"
    assert Wrapper().describe(os.fsencode(directory / "loose"), facts) is None

    write(home / "elsewhere" / ".venv", "web\n")
    answer = resolve(os.fsencode(home / "elsewhere"), overrides, Disk(os.getuid(), Clock()), os.fsencode(home))
    assert answer.environment is not None
    assert (answer.rule, os.fsdecode(answer.environment.prefix)) == ("venv-pointer-file", web)
    assert (answer.environment.system, answer.linked) == ("virtualenvwrapper", False)
