"""What pyenv and pyenv-virtualenv say about a directory is what is read of it.

Where pyenv is installed it is asked; where it is not, its recorded answers (2.6.30) stand for it. The bases are only
laid out as pyenv's, since pyenv itself looks at their folders and runs none of them.
"""

from __future__ import annotations

import os
import pwd
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from alight.files.disk import Disk
from alight.files.documents import Documents
from alight.interpreters import Selection
from alight.systems import SYSTEMS
from alight.systems.base import Facts
from alight.systems.pyenv import Pyenv, selection
from support.playfield import Clock, Playfield, link, write
from support.pythons import pythons
from support.tools import clean_environment

VERSIONS = ("2.7.18", "3.8.9", "3.8.10", "3.9.1", "3.10.13", "3.12.1", "3.13.0t", "3.14.0rc1", "3.15-dev")
OTHERS = ("pypy3.10-7.3.9", "pypy3.10-7.3.17", "miniconda3-4.7.12", "miniconda3-22.1.1", "web", "my.env", "p-1", "p-2")

# (content of .python-version, `pyenv version-name`, whether a word is not installed)
CASES = (
    ("", "system", False),
    ("\n \n", "system", False),
    ("# only a comment\n", "system", False),
    ("3.8.9", "3.8.9", False),
    ("3.8.9\r\n", "3.8.9", False),
    ("3.8\n", "3.8.10", False),
    ("3\n", "3.12.1", False),
    ("2\n", "2.7.18", False),
    ("3.1\n", "", True),
    ("python-3.8\n", "3.8.10", False),
    ("python-3.8.9\n", "3.8.9", False),
    ("python-system\n", "", True),
    ("system\n", "system", False),
    ("system\n3.8\n", "system:3.8.10", False),
    ("3.10 3.9 # two\n3.8\n", "3.10.13:3.8.10", False),
    ("  \t3.10\n\n#x\n3.9", "3.10.13:3.9.1", False),
    ("3.10:3.9\n", "3.10.13:3.9.1", False),
    ("nope\n3.8\n", "3.8.10", True),
    ("3.13\n", "", True),
    ("3.13t\n", "3.13.0t", False),
    ("3.14\n", "", True),
    ("3.14.0rc1\n", "3.14.0rc1", False),
    ("3.15\n", "", True),
    ("3.15-dev\n", "3.15-dev", False),
    ("pypy3.10\n", "pypy3.10-7.3.17", False),
    ("miniconda3\n", "miniconda3-22.1.1", False),
    ("web\n", "web", False),
    ("we\n", "", True),
    ("my\n", "my.env", False),
    ("p\n", "p-2", False),
    ("..\n3.8\n", "3.8.10", False),
    ("../../p\n", "system", False),
    ("3.8.9/../3.9.1\n", "3.8.9/../3.9.1", False),
    ("../versions/3.9.1\n", "../versions/3.9.1", False),
    ("3.8.9/../../..\n3.10\n", "3.10.13", False),
    ("/etc\n", "system", False),
    ("3.8.9/bin\n", "3.8.9/bin", False),
    ("\r3.8\n", "3.8.10", False),
    ("3.8#x\n", "", True),
)


def program() -> str | None:
    """The real pyenv, in PATH or where its installer puts it; the user's real home is not the tests'."""
    usual = Path(pwd.getpwuid(os.getuid()).pw_dir) / ".pyenv" / "bin" / "pyenv"
    return str(usual) if usual.exists() else shutil.which("pyenv")


def has_plugin() -> bool:
    """True when `pyenv virtualenv` is there."""
    pyenv = program()
    return pyenv is not None and (Path(pyenv).resolve().parents[1] / "plugins" / "pyenv-virtualenv").is_dir()


def ask(root: Path, directory: Path, *words: str, **variables: str) -> tuple[str, bool]:
    """(what pyenv answers, whether it finds fault); pyenv reads the user's own plugins, but no other variable."""
    pyenv = program()
    assert pyenv is not None
    environment = clean_environment(root.parent, PYENV_ROOT=str(root), **variables)
    environment["PATH"] = f"{Path(pyenv).parent}:/usr/bin:/bin"
    done = subprocess.run(
        [pyenv, *words], cwd=directory, env=environment, capture_output=True, text=True, timeout=30, check=False
    )
    return done.stdout.strip("\n"), done.returncode != 0


@pytest.fixture
def field(tmp_path: Path) -> Playfield:
    """A home with pyenv's layout, and a project in it."""
    field = Playfield(tmp_path / "home")
    for version in VERSIONS:
        number = re.sub(r"(?:t|rc1|-dev)\Z", "", version)
        field.base(number if number.count(".") > 1 else f"{number}.0", field.home / ".pyenv/versions" / version)
    for name in OTHERS:
        (field.home / ".pyenv/versions" / name / "bin").mkdir(parents=True)
    (field.home / "p").mkdir()
    return field


def read(field: Playfield, *levels: Path, **variables: str) -> Selection:
    disk = Disk(os.getuid(), Clock())
    overrides = {name: value.encode() for name, value in variables.items()}
    facts = Facts(disk, overrides, os.fsencode(field.home), os.fsencode(levels[0]), Documents(disk))
    return selection(facts, tuple(os.fsencode(level) for level in levels))


@pytest.mark.parametrize(("content", "answer", "fault"), CASES)
def test_the_grammar(field: Playfield, content: str, answer: str, fault: bool) -> None:
    """Each form of .python-version: the names that pyenv gives, and whether it finds that something is missing."""
    write(field.home / "p" / ".python-version", content)
    found = read(field, field.home / "p", field.home)
    assert (":".join(found.names), bool(found.missing)) == (answer, fault)
    if program() is not None:
        assert ask(field.home / ".pyenv", field.home / "p", "version-name") == (answer, fault)


@pytest.mark.parametrize(
    ("files", "variables", "answer"),
    [
        ({}, {}, "system"),
        ({".pyenv/version": "3.8\n"}, {}, "3.8.10"),
        ({".pyenv/version": "3.8\n", ".python-version": "3.9\n"}, {}, "3.9.1"),
        ({".python-version": "3.9\n", "p/.python-version": "3.10\n"}, {}, "3.10.13"),
        ({".python-version": "3.9\n", "p/.python-version": "\n"}, {}, "system"),
        ({".python-version": "3.9\n", "p/.python-version/x": ""}, {}, "3.9.1"),
        ({"p/.python-version": "3.10\n"}, {"PYENV_VERSION": "3.8:web"}, "3.8.10:web"),
    ],
)
def test_which_word_counts(field: Playfield, files: dict[str, str], variables: dict[str, str], answer: str) -> None:
    """The shell's variable, then the nearest file even if it is empty, then the user's own default, then `system`."""
    for name, text in files.items():
        write(field.home / name, text)
    found = read(field, field.home / "p", field.home, **variables)
    assert ":".join(found.names) == answer
    if program() is not None:
        assert ask(field.home / ".pyenv", field.home / "p", "version-name", **variables) == (answer, False)


@pytest.mark.parametrize("word", ["web", "{base}/envs/web", "python-web", "  web  {base}\n{base}\n"])
def test_virtualenvs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, word: str) -> None:
    """A named virtualenv is the answer, spelled as `pyenv prefix` does and the one that pyenv-virtualenv activates.

    The plugin makes it where it is installed; elsewhere it is laid out by hand as the plugin does.
    """
    monkeypatch.setattr("alight.resolver.SYSTEMS", (Pyenv(), *(one for one in SYSTEMS if not isinstance(one, Pyenv))))
    python = pythons()[-1]
    field, root, base = Playfield(tmp_path / "home"), tmp_path / "home" / ".pyenv", python.version
    real = Path(os.path.realpath(python.executable)).parents[1]
    for name in ("bin", "lib", "include"):
        link(root / "versions" / base / name, str(real / name))
    env = root / "versions" / base / "envs" / "web"
    if has_plugin():
        pyenv = program()
        assert pyenv is not None
        link(root / "plugins", str(Path(pyenv).resolve().parents[1] / "plugins"))
        ask(root, tmp_path, "virtualenv", "--without-pip", base, "web")
    else:
        subprocess.run([python.executable, "-m", "venv", "--without-pip", env], check=True, timeout=60)
        link(root / "versions" / "web", str(env))
    assert (env / "pyvenv.cfg").is_file()
    (field.home / "p").mkdir()
    write(field.home / "p" / ".python-version", word.replace("{base}", base))
    answer = field.resolve(field.home / "p")
    assert (answer.rule, answer.condition) == ("pyenv-virtualenv", "found")
    assert answer.environment is not None
    assert (answer.environment.system, answer.environment.python_version) == ("pyenv", base)
    if program() is not None:
        said, _ = ask(root, field.home / "p", "prefix")
        assert os.fsdecode(answer.environment.prefix) == said.split(":")[0]
    if has_plugin():
        lines, fault = ask(root, field.home / "p", "sh-activate", "--quiet", PYENV_VIRTUALENV_INIT="1")
        active = re.search(r'^export VIRTUAL_ENV="(.*)";$', lines, re.MULTILINE)
        assert active is not None and not fault
        assert os.path.samefile(active.group(1), answer.environment.prefix)
        listed, _ = ask(root, tmp_path, "virtualenvs", "--bare", "--skip-aliases")
        disk = field.disk()
        facts = Facts(disk, {}, os.fsencode(field.home), b"/", Documents(disk))
        names = [os.path.realpath(prefix) for prefix in Pyenv().list(facts)]
        assert names == [os.fsencode(os.path.realpath(root / "versions" / name)) for name in listed.split()]
