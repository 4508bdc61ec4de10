"""Which environment and which Python mise puts into a shell is what is read of its files.

mise is asked where it is installed (on PATH, or by npm below ``tests/.cache/mise``); where it is not, its recorded
answers (2026.9.15) stand for it. Its Pythons are only laid out, since it runs none of them to answer.
"""

from __future__ import annotations

import json
import os
import shlex
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from alight.files.disk import Disk
from alight.files.documents import Documents
from alight.resolver import resolve
from alight.systems import SYSTEMS
from alight.systems.base import Facts
from alight.systems.mise import Mise, selection
from support.playfield import Clock, Playfield, link, write
from support.tools import clean_environment

_NPM = Path(__file__).parents[2] / ".cache/mise/node_modules/@jdxcode/mise/bin/mise"


@pytest.fixture(autouse=True)
def registered(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """These tests ask mise first, whatever the usual order is."""
    systems = (Mise(), *(system for system in SYSTEMS if not isinstance(system, Mise)))
    monkeypatch.setattr("alight.resolver.SYSTEMS", systems)
    return iter(())


def ask(home: Path, directory: Path, *words: str) -> str | None:
    """What mise prints, without network, told to trust its files; None where there is no mise."""
    program = shutil.which("mise") or (str(_NPM) if _NPM.exists() else None)
    if program is None:
        return None
    environment = clean_environment(home, MISE_OFFLINE="1", MISE_TRUSTED_CONFIG_PATHS=str(home))
    done = subprocess.run(
        [program, *words], cwd=directory, env=environment, capture_output=True, text=True, timeout=30, check=True
    )
    return done.stdout


FILES = (
    ({"mise.toml": '[env]\n_.python.venv = "one"\n'}, "one"),
    ({"mise.toml": '[env]\n_.python.venv = { path = "./one", create = true }\n'}, "one"),
    ({".mise.toml": "[env._.python.venv]\npath = '../p/one'\n"}, "one"),
    ({"mise.toml": '[env]\n_.python.venv = "one"\n', "mise.local.toml": '[env]\n_.python.venv = "two"\n'}, "two"),
    ({"mise.toml": '[env]\n_.python.venv = "one"\n', ".mise.toml": '[env]\n_.python.venv = "two"\n'}, "two"),
    ({"mise.toml": '[env]\n_.python.venv = "one"\n', ".config/mise.toml": '[env]\n_.python.venv = "two"\n'}, "one"),
    ({".config/mise/config.toml": '[env]\n_.python.venv = "one"\n'}, "one"),
    ({".mise/config.toml": '[env]\n_.python.venv = "one"\n', "mise/config.toml": ""}, "one"),
    (
        {
            ".mise/conf.d/a.toml": '[env]\n_.python.venv = "one"\n',
            ".mise/conf.d/b.toml": '[env]\n_.python.venv = "two"\n',
        },
        "two",
    ),
    ({"mise.toml": '[[env]]\n_.python.venv = "one"\n[[env]]\n_.python.venv = "two"\n'}, "two"),
    ({"mise.toml": '[env]\n_.python.venv = "~/p/one"\n'}, "one"),
    ({"mise.toml": '[tools]\nnode = "20"\n'}, None),
)


@pytest.mark.parametrize(("files", "expected"), FILES)
def test_environments(tmp_path: Path, files: dict[str, str], expected: str | None) -> None:
    """The files of a level in mise's own order, from the level and from below it."""
    field = Playfield(tmp_path / "home")
    project = field.home / "p"
    for name in ("one", "two"):
        field.venv(project / name)
    for name, text in files.items():
        write(project / name, text)
    (project / "src").mkdir()
    for directory in (project, project / "src"):
        answer = field.resolve(directory)
        found = answer.environment if answer.rule == "mise-venv" else None
        assert (found is None) == (expected is None)
        said = ask(field.home, directory, "env", "-s", "bash")
        exported = [shlex.split(line) for line in (said or "").splitlines() if line.startswith("export VIRTUAL_ENV=")]
        prefixes = [words[1].removeprefix("VIRTUAL_ENV=") for words in exported]
        if expected is None:
            assert not prefixes
            continue
        assert found is not None
        assert os.path.samefile(found.prefix, project / expected)
        if said is not None:
            assert len(prefixes) == 1
            assert os.path.samefile(found.prefix, prefixes[0])


TOOLS = (
    ({"mise.toml": '[tools]\npython = "3.12"\n'}, "3.12.9"),
    ({"mise.toml": '[tools]\npython = "3"\n'}, "3.13.0"),
    ({"mise.toml": '[tools]\npython = "3.12.4"\n'}, "3.12.4"),
    ({"mise.toml": '[tools]\npython = ["3.9", "3.12.4"]\n'}, "3.9.10"),
    ({"mise.toml": '[tools]\npython = { version = "3.9.2" }\n'}, "3.9.2"),
    ({"mise.toml": '[tools]\n"core:python" = "3.9"\n'}, "3.9.10"),
    ({".tool-versions": "nodejs 20\npython 3.12 # ours\n"}, "3.12.9"),
    ({".tool-versions": "python 3.9\n", "mise.toml": '[tools]\npython = "3.12.4"\n'}, "3.12.4"),
    ({"mise.toml": '[tools]\npython = "3.1"\n'}, None),
    ({".tool-versions": "python 3.9.9\n"}, None),
)


@pytest.mark.parametrize(("files", "expected"), TOOLS)
def test_tools(tmp_path: Path, files: dict[str, str], expected: str | None) -> None:
    """The first Python that a level's files ask for, by mise's own choice among what is installed."""
    field = Playfield(tmp_path / "home")
    installs = field.home / ".local/share/mise/installs/python"
    for version in ("3.9.2", "3.9.10", "3.12.4", "3.12.9", "3.13.0"):
        field.base(version, installs / version)
    link(installs / "3.12", "./3.12.4")
    for name, text in files.items():
        write(field.home / "p" / name, text)
    disk = Disk(os.getuid(), Clock())
    facts = Facts(disk, {}, os.fsencode(field.home), os.fsencode(field.home / "p"), Documents(disk))
    found = selection(facts, (os.fsencode(field.home / "p"), os.fsencode(field.home)))
    assert found is not None
    assert (found.names[0] if found.names else None) == expected
    assert bool(found.missing) == (expected is None)
    said = ask(field.home, field.home / "p", "ls", "--json", "--current", "python")
    if said is not None:
        asked = [entry for entry in json.loads(said) if entry["installed"]]
        assert (asked[0]["version"] if asked else None) == expected


@pytest.mark.parametrize("creates", [True, False])
def test_what_makes_a_missing_one(tmp_path: Path, creates: bool) -> None:
    """The command that is named for a missing environment makes it, at the place that is named."""
    field = Playfield(tmp_path / "home")
    project = field.home / "p"
    value = f'{{ path = "my env", create = {"true" if creates else "false"} }}'
    write(project / "mise.toml", f"[env]\n_.python.venv = {value}\n")
    answer = resolve(os.fsencode(project), {}, field.disk(), os.fsencode(field.home))
    assert (answer.condition, answer.rule) == ("missing", "mise-venv")
    assert answer.would_create is not None
    tool, *words = shlex.split(answer.would_create.command)
    if tool == "mise":
        made = ask(field.home, project, *words) is not None
    else:
        command = [shutil.which("python3") or tool, *words, "--without-pip"]
        subprocess.run(command, cwd=project, env=clean_environment(field.home), check=True, timeout=60)
        made = True
    assert (project / "my env" / "pyvenv.cfg").exists() == made
    assert answer.would_create.prefix == os.fsencode(project / "my env")
