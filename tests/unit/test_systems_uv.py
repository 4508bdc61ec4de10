"""uv beyond a project's own .venv: central environments, tools and scripts, and the Python it is asked for."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from alight.files.documents import Documents
from alight.interpreters import parse
from alight.model import Interpreter
from alight.systems.base import Facts
from alight.systems.pins import chosen
from alight.systems.uv import Uv, selection
from support.playfield import Playfield, link, write

CENTRAL = "web-cp3.12.4-1e34106ca298589a"
WORKSPACE = '[project]\nname = "web"\n[tool.uv.workspace]\nmembers = ["packages/*"]\n'


def facts_of(field: Playfield, overrides: dict[str, bytes] | None = None) -> Facts:
    disk = field.disk()
    return Facts(disk, overrides or {}, os.fsencode(field.home), os.fsencode(field.home / "p"), Documents(disk))


@pytest.fixture
def project(field: Playfield) -> Path:
    """A locked workspace with one member."""
    root = field.home / "p"
    write(root / "pyproject.toml", WORKSPACE)
    write(root / "uv.lock")
    write(root / "packages" / "one" / "pyproject.toml", '[project]\nname = "one"\n')
    return root


def cached(field: Playfield, name: str) -> Path:
    return field.venv(field.home / ".cache/uv/environments-v2" / name, lines="uv = 0.13.9\n")


@pytest.mark.parametrize("where", ["", "packages/one"])
@pytest.mark.parametrize("form", ["link", "file"])
def test_central_environments(field: Playfield, project: Path, where: str, form: str) -> None:
    """.venv leads into uv's cache as a link, or as a file where links cannot be made: from the root and a member."""
    env = cached(field, CENTRAL)
    if form == "link":
        link(project / ".venv", str(env))
    else:
        write(project / ".venv", str(env))
    answer = field.resolve(project / where)
    assert (answer.condition, answer.root) == ("found", os.fsencode(project))
    assert answer.environment is not None
    assert os.path.samefile(answer.environment.prefix, env)
    assert answer.environment.system == "uv"


@pytest.mark.parametrize("where", ["", "packages/one"])
def test_a_cleaned_cache(field: Playfield, project: Path, where: str) -> None:
    """After `uv cache clean` the .venv link leads nowhere: broken, and said so."""
    link(project / ".venv", str(field.home / ".cache/uv/environments-v2" / CENTRAL))
    answer = field.resolve(project / where)
    assert answer.condition == "broken"
    assert answer.environment is not None
    assert answer.environment.prefix == os.fsencode(project / ".venv")


def test_a_members_file_that_leads_nowhere(field: Playfield, project: Path) -> None:
    """A workspace's .venv file without an environment behind it is no environment: uv would make one."""
    write(project / ".venv", "/nowhere")
    assert field.resolve(project / "packages" / "one").condition == "missing"


@pytest.mark.parametrize("chosen_by", ["default", "variables"])
def test_tools_and_scripts(field: Playfield, chosen_by: str) -> None:
    """Tools', scripts' and central environments are listed by what they are, where the shell's variables say."""
    data, cache = ".local/share", ".cache/uv"
    overrides: dict[str, bytes] = {}
    if chosen_by == "variables":
        data, cache = "data", "cache"
        overrides = {
            "XDG_DATA_HOME": os.fsencode(field.home / data),
            "UV_CACHE_DIR": os.fsencode(field.home / cache),
        }
    names = (
        f"{data}/uv/tools/ruff",
        f"{cache}/environments-v2/{CENTRAL}",
        f"{cache}/environments-v2/job-6bf7b1f9a4c0d2e8",
    )
    prefixes = [os.fsencode(field.venv(field.home / name)) for name in names]
    facts = facts_of(field, overrides)
    assert sorted(Uv().list(facts)) == sorted(prefixes)
    described = [Uv().describe(prefix, facts) for prefix in prefixes]
    assert [one.system for one in described if one is not None] == ["uv-tool", "uv", "uv-script"]
    assert Uv().describe(os.fsencode(field.venv(field.home / "p" / ".venv")), facts) is None
    assert Uv().describe(os.fsencode(field.home / data / "uv/tools/absent"), facts) is None


@pytest.mark.parametrize("name", ["web", "job"])
def test_they_belong_to_no_directory(field: Playfield, name: str) -> None:
    """A tool called as a project is not the project's environment."""
    field.venv(field.home / ".local/share/uv/tools" / name)
    write(field.home / name / "pyproject.toml", f'[project]\nname = "{name}"\n')
    answer = field.resolve(field.home / name)
    assert (answer.condition, answer.alternatives) == ("none", ())


def interpreter(version: str, name: str = "python3") -> Interpreter:
    return Interpreter(b"/x/bin/" + name.encode(), b"/x", version, "uv")


@pytest.mark.parametrize(
    ("word", "version", "name", "allowed"),
    [
        ("3.12", "3.12.4", "python3.12", True),
        ("3.1", "3.12.4", "python3.12", False),
        ("312", "3.12.4", "python3.12", True),
        ("python3.12", "3.12.4", "python3.12", True),
        ("cpython@3.12", "3.12.4", "python3.12", True),
        ("cp312", "3.12.4", "python3.12", True),
        ("cpython", "3.12.4", "python3.12", True),
        ("cpython-3.12.4-linux-x86_64-gnu", "3.12.4", "python3.12", True),
        (">=3.11,<3.13", "3.12.4", "python3.12", True),
        (">=3.13", "3.12.4", "python3.12", False),
        ("~=3.12.0", "3.12.4", "python3.12", True),
        ("3.13t", "3.13.1", "python3.13t", True),
        ("3.13+freethreaded", "3.13.1", "python3.13t", True),
        ("3.13", "3.13.1", "python3.13t", False),
        ("pypy3.10", "3.10.14", "pypy3.10", True),
        ("3.10", "3.10.14", "pypy3.10", False),
        ("pypy", "3.10.14", "python3.10", False),
        ("3.14.0rc1", "3.14.0rc1", "python3.14", True),
    ],
)
def test_requests(word: str, version: str, name: str, allowed: bool) -> None:
    """Each form of uv's request against one Python."""
    request = parse(word.encode())
    assert request is not None
    assert request.allows(interpreter(version, name)) is allowed


@pytest.mark.parametrize(
    "word",
    [b"", b"web", b"python", b"my-env", b"3.x", b"==", b">=x", b"3.12 3.11", b"\xff3.12", b"3" * 200, b"../3.12"],
)
def test_what_is_no_request(word: bytes) -> None:
    """Names, half specifiers and anything too long ask for nothing."""
    assert parse(word) is None


@pytest.fixture
def managed(field: Playfield) -> None:
    """Some Pythons of uv's own, and a newer one of pyenv's."""
    for version in ("3.11.7", "3.12.4"):
        field.base(version, field.home / f".local/share/uv/python/cpython-{version}-linux-x86_64-gnu")
    field.base("3.12.9")


@pytest.mark.usefixtures("managed")
@pytest.mark.parametrize(
    ("files", "where", "version"),
    [
        ({".python-version": "3.12\n3.11\n"}, "", "3.12.4"),
        ({".python-version": "# x\n\n  3.11  \n"}, "", "3.11.7"),
        ({".python-version": "web\n3.11\n"}, "", "3.11.7"),
        ({".python-versions": "3.11\n"}, "", "3.11.7"),
        ({".python-version": "3.12\n", ".python-versions": "3.11\n"}, "", "3.12.4"),
        ({".python-version": "3.12\n", "packages/one/.python-version": "3.11\n"}, "packages/one", "3.11.7"),
        ({".python-version": ">=3.11,<3.12\n"}, "packages/one", "3.11.7"),
    ],
)
def test_what_uv_is_asked_for(field: Playfield, project: Path, files: dict[str, str], where: str, version: str) -> None:
    """The first request of the nearest file up to the workspace's root; uv's own Pythons before newer others."""
    for name, text in files.items():
        write(project / name, text)
    levels = [os.fsencode(project / where), os.fsencode(project)] if where else [os.fsencode(project)]
    found = selection(facts_of(field), levels)
    assert found is not None
    assert found.interpreter is not None
    assert (found.interpreter.python_version, found.interpreter.origin, found.fallback) == (version, "uv", False)


@pytest.mark.usefixtures("managed")
def test_outside_and_beyond(field: Playfield, project: Path) -> None:
    """A file above the workspace's root is not uv's, the user's own default is the last word, an unknown is missing."""
    facts = facts_of(field)
    write(field.home / ".python-version", "3.12\n")
    assert selection(facts, [os.fsencode(project)]) is None
    write(field.home / ".config/uv/.python-version", "3.11\n")
    default = selection(facts_of(field), [os.fsencode(project)])
    assert default is not None
    assert (default.words, default.fallback) == (("3.11",), True)
    write(project / ".python-version", "3.9\n")
    lacking = selection(facts_of(field), [os.fsencode(project)])
    assert lacking is not None
    assert (lacking.missing, lacking.interpreter) == (("3.9",), None)
    write(project / ".python-version", "web\n")
    assert selection(facts_of(field), [os.fsencode(project)]) is None


@pytest.mark.usefixtures("managed")
def test_who_reads_the_file(field: Playfield, project: Path) -> None:
    """In a uv project uv's word counts, elsewhere pyenv's, and the shell's variable before both."""
    write(project / ".python-version", "3.12\n3.11\n")
    root = os.fsencode(project)
    found = [
        chosen(facts_of(field), [root], root),
        chosen(facts_of(field), [root]),
        chosen(facts_of(field, {"PYENV_VERSION": b"3.11"}), [root], root),
    ]
    assert [(one.tool, one.interpreter.python_version) for one in found if one is not None and one.interpreter] == [
        ("uv", "3.12.4"),
        ("pyenv", "3.12.9"),
        ("pyenv", "3.11.7"),
    ]
