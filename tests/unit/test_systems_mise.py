"""The environment a mise.toml names, and the Pythons that mise's and asdf's files ask for."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from alight.files.documents import Documents
from alight.interpreters import Selection
from alight.model import Resolution
from alight.systems import SYSTEMS
from alight.systems.base import Facts
from alight.systems.mise import FILES, Mise, selection, tool_versions
from alight.systems.pins import chosen
from support.playfield import Playfield, link, write


@pytest.fixture(autouse=True)
def registered(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """These tests ask mise first, whatever the usual order is."""
    systems = (Mise(), *(system for system in SYSTEMS if not isinstance(system, Mise)))
    monkeypatch.setattr("alight.resolver.SYSTEMS", systems)
    return iter(())


@pytest.fixture
def project(field: Playfield) -> Path:
    directory = field.home / "p"
    directory.mkdir()
    return directory


def facts_of(field: Playfield, overrides: dict[str, bytes] | None = None) -> Facts:
    disk = field.disk()
    return Facts(disk, overrides or {}, os.fsencode(field.home), os.fsencode(field.home / "p"), Documents(disk))


def prefix(answer: Resolution) -> str | None:
    return None if answer.environment is None else os.fsdecode(answer.environment.prefix)


@pytest.mark.parametrize(
    "text",
    [
        '[env]\n_.python.venv = "env/one"\n',
        '[env]\n_.python.venv = { path = "env/one", create = true }\n',
        '[env._.python.venv]\npath = "./env//one/"\n',
        '[[env]]\nX = "1"\n[[env]]\n_.python.venv = "env/one"\n',
        '[[env]]\n_.python.venv = "elsewhere"\n[[env]]\n_.python.venv = "env/one"\n',
        '[env]\n_.python.venv = "{home}/p/env/one"\n',
        '[env]\n_.python.venv = "~/p/env/one"\n',
    ],
)
def test_the_environment_a_file_names(field: Playfield, project: Path, text: str) -> None:
    """A text or a table, in one table of variables or the last of several; relative to the level, or with a tilde."""
    env = field.venv(project / "env" / "one")
    field.venv(project / ".venv")
    write(project / "mise.toml", text.replace("{home}", str(field.home)))
    answer = field.resolve(project)
    assert (answer.rule, answer.confidence, answer.condition) == ("mise-venv", "certain", "found")
    assert prefix(answer) == str(env)
    assert answer.evidence[0] == os.fsencode(project / "mise.toml")
    assert [alternative.rule for alternative in answer.alternatives] == ["venv-directory"]


@pytest.mark.parametrize("number", range(len(FILES) - 1))
def test_which_file_wins(field: Playfield, project: Path, number: int) -> None:
    """Each file wins over the next of mise's own order, and its path is relative to the project."""
    for offset, name in enumerate(("high", "low")):
        folder, file = FILES[number + offset]
        own = os.fsdecode(file).replace("*", "a.toml")
        write(project / os.fsdecode(folder) / own, f'[env]\n_.python.venv = "{name}"\n')
        field.venv(project / name)
    assert prefix(field.resolve(project)) == str(project / "high")


def test_fragments(field: Playfield, project: Path) -> None:
    """Of the fragments the last by name wins, hidden ones do not count."""
    for name in ("a", "b", ".c"):
        write(project / ".mise" / "conf.d" / f"{name}.toml", f'[env]\n_.python.venv = "{name}"\n')
        field.venv(project / name)
    assert prefix(field.resolve(project)) == str(project / "b")


@pytest.mark.parametrize("path", ["{{ config_root }}/env", "$HOME/env", "x{% if %}", "{# #}env"])
def test_templates_are_unknown(field: Playfield, project: Path, path: str) -> None:
    """A path that mise computes is not guessed: the trail says so and the other rules answer."""
    env = field.venv(project / ".venv")
    write(project / "mise.toml", f"[env]\n_.python.venv = '{path}'\n")
    answer = field.resolve(project, trail=True)
    assert prefix(answer) == str(env)
    assert [step.outcome for step in answer.trail if step.rule == "mise-venv"] == ["skipped"]


@pytest.mark.parametrize(
    "text",
    [
        "[env]\n_.python.venv = 3\n",
        "[env]\n_.python = ['venv']\n",
        "env = 'venv'\n",
        "[[env]]\n_ = 'venv'\n",
        "[env]\n_.python.venv = { path = ['x'] }\n",
        '[env]\n_.python.venv = ""\n',
        '[env]\n_.python.venv = "a\\u0000b"\n',
        '[env]\n_.python.venv = "a\\nb"\n',
        "[env\n_.python.venv = 'x'\n",
        "[tools]\npython = '3.12' # no venv\n",
    ],
)
def test_what_names_no_environment(field: Playfield, project: Path, text: str) -> None:
    """Other types, empty and unusable values, and a broken file claim nothing."""
    write(project / "mise.toml", text)
    assert field.resolve(project).condition == "none"


@pytest.mark.parametrize("creates", [True, False])
def test_an_environment_that_is_not_there(field: Playfield, project: Path, creates: bool) -> None:
    """Missing, with the command that makes it: mise itself only if the file says `create`."""
    write(
        project / "mise.toml",
        f'[env]\n_.python.venv = {{ path = "my env", create = {"true" if creates else "false"} }}\n',
    )
    answer = field.resolve(project)
    assert (answer.condition, answer.rule) == ("missing", "mise-venv")
    assert answer.would_create is not None
    assert answer.would_create.prefix == os.fsencode(project / "my env")
    by_hand = f"python -m venv '{project}/my env'"
    assert answer.would_create.command == ("mise exec -- python --version" if creates else by_hand)


def test_a_lost_environment_is_broken(field: Playfield, project: Path) -> None:
    """A link to nothing where mise.toml points is an answer, not a reason to look on."""
    link(project / "env", "/nowhere")
    field.venv(field.home / ".venv")
    write(project / "mise.toml", '[env]\n_.python.venv = "env"\n')
    assert field.resolve(project).condition == "broken"


def selected(field: Playfield, overrides: dict[str, bytes] | None = None) -> Selection | None:
    return selection(facts_of(field, overrides), (os.fsencode(field.home / "p"), os.fsencode(field.home)))


@pytest.fixture
def installed(field: Playfield) -> None:
    """A few Pythons, as mise and asdf lay them out."""
    for version in ("3.9.1", "3.9.10", "3.12.4"):
        field.base(version, field.home / ".local/share/mise/installs/python" / version)
    link(field.home / ".local/share/mise/installs/python/latest", "./3.12.4")
    field.base("3.8.2", field.home / ".asdf/installs/python/3.8.2")


@pytest.mark.usefixtures("installed")
@pytest.mark.parametrize(
    ("text", "names", "missing"),
    [
        ("python = '3.12.4'", ("3.12.4",), ()),
        ("python = '3.9'", ("3.9.10",), ()),
        ("python = 'latest'", ("3.12.4",), ()),
        ("python = ['3.8.2', {version = '3.9.1'}]", ("3.8.2", "3.9.1"), ()),
        ("python = {version = '3.12', virtualenv = '.venv'}", ("3.12.4",), ()),
        ("'core:python' = '3.9.1'", ("3.9.1",), ()),
        ("python = '3.1'", (), ("3.1",)),
        ("python = 'system'", ("system",), ()),
        ("python = '../3.9.1'", (), ("../3.9.1",)),
    ],
)
def test_tools(field: Playfield, project: Path, text: str, names: tuple[str, ...], missing: tuple[str, ...]) -> None:
    """The tools table asks in several forms; an exact name first, else the newest that begins with it."""
    write(project / "mise.toml", f"[tools]\n{text}\n")
    found = selected(field)
    assert found is not None
    assert (found.names, found.missing, found.tool) == (names, missing, "mise")
    assert len(found.interpreters) == len([name for name in names if name != "system"])


@pytest.mark.parametrize("text", ["python = 3.12", "python = '{{ x }}'", "python = []", "node = '20'", "python = ''"])
def test_tools_that_ask_for_nothing(field: Playfield, project: Path, text: str) -> None:
    """Numbers, templates and other tools select nothing."""
    write(project / "mise.toml", f"[tools]\n{text}\n")
    assert selected(field) is None


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"python 3.12.4 3.11.9 system\n", ("3.12.4", "3.11.9", "system")),
        (b"# python 3.1\nnodejs 20\npython: 3.9.1 # comment\n", ("3.9.1",)),
        (b"python\n", ()),
        (b"python 3.8\npython 3.9\n", ("3.9",)),
        (b"pythonx 3\n\xff\xfe\n", ()),
        (b"python {{ env.X }}\n", ()),
    ],
)
def test_tool_versions(content: bytes, words: tuple[str, ...]) -> None:
    """The last python line without its comment; a template is unknown."""
    assert tool_versions(content) == words


@pytest.mark.usefixtures("installed")
def test_which_level_and_file_asks(field: Playfield, project: Path) -> None:
    """The nearest level, mise.toml before .tool-versions on it; asdf's variable before both."""
    assert selected(field) is None
    write(field.home / ".tool-versions", "python 3.12.4\n")
    outer = selected(field)
    write(project / ".tool-versions", "python 3.8.2\n")
    inner = selected(field)
    write(project / "mise.toml", "[tools]\npython = '3.9.1'\n")
    own = selected(field)
    variable = selected(field, {"ASDF_PYTHON_VERSION": b"3.9.10"})
    found = [one.names for one in (outer, inner, own, variable) if one is not None]
    assert found == [("3.12.4",), ("3.8.2",), ("3.9.1",), ("3.9.10",)]
    pinned = chosen(facts_of(field), (os.fsencode(project),))
    assert pinned == own


@pytest.mark.usefixtures("installed")
def test_a_path_of_the_users(field: Playfield, project: Path) -> None:
    """`path:` leads to a Python anywhere; the whole of it is looked at, and nothing is run."""
    base = field.base("3.10.1", field.home / "built")
    write(project / ".tool-versions", f"python path:{base}\n")
    found = selected(field)
    assert found is not None
    assert found.interpreter is not None
    assert found.interpreter.prefix == os.fsencode(base)
