"""Each way in which the venv family claims a level."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from alight.model import Resolution
from support.playfield import Playfield, link, write


@pytest.fixture
def project(field: Playfield) -> Path:
    directory = field.home / "p"
    directory.mkdir()
    return directory


def seen(answer: Resolution) -> tuple[str, str, str | None]:
    environment = answer.environment
    return answer.rule, answer.confidence, None if environment is None else os.fsdecode(environment.prefix)


@pytest.mark.parametrize("form", ["absolute", "relative", "crlf", "second line", "bom"])
def test_a_pointer_file_with_a_path(field: Playfield, project: Path, form: str) -> None:
    """The first line of a .venv file is a path, absolute or relative to the level, and beats local prefixes."""
    env = field.venv(field.home / "envs" / "one")
    field.venv(project / "venv")
    text = {
        "absolute": f"{env}\n",
        "relative": "../envs/one",
        "crlf": f"{env}\r\n",
        "second line": f"{env}\nsecond\n",
        "bom": f"\ufeff{env}\n",
    }[form]
    write(project / ".venv", text)
    answer = field.resolve(project)
    assert answer.rule == "venv-pointer-file"
    assert answer.confidence == "certain"
    assert answer.condition == "found"
    assert answer.environment is not None
    assert os.path.samefile(answer.environment.prefix, env)
    assert [alternative.rule for alternative in answer.alternatives] == ["local-prefix"]


@pytest.mark.parametrize("pool", ["WORKON_HOME", ".virtualenvs", ".local/share/virtualenvs"])
def test_a_pointer_file_with_a_bare_name(field: Playfield, project: Path, pool: str) -> None:
    """A name without a slash is looked for in $WORKON_HOME, ~/.virtualenvs and pipenv's directory."""
    directory = field.home / ("chosen" if pool == "WORKON_HOME" else pool)
    env = field.venv(directory / "web")
    write(project / ".venv", "web\n")
    overrides = {"WORKON_HOME": os.fsencode(directory)} if pool == "WORKON_HOME" else {}
    assert seen(field.resolve(project, overrides)) == ("venv-pointer-file", "certain", str(env))


def test_a_redirect_to_a_neighbour(field: Playfield, project: Path) -> None:
    """A bare name is first an environment beside the file, as virtualenv 21 writes it (PEP 832), then one of a pool."""
    field.venv(field.home / ".virtualenvs/tools")
    write(project / ".venv", "tools\n")
    assert seen(field.resolve(project))[2] == str(field.home / ".virtualenvs/tools")
    beside = field.venv(project / "tools")
    answer = field.resolve(project)
    assert seen(answer) == ("venv-pointer-file", "certain", str(beside))
    assert answer.findings == ()


@pytest.mark.parametrize("content", ["", "\n", "nowhere\n", "..", "bin\0ary/x", "x" * 70_000])
def test_a_pointer_file_that_names_nothing(field: Playfield, project: Path, content: str) -> None:
    """An empty, binary, oversized or unknown content is a finding, and the walk goes on."""
    field.venv(field.home / "p" / "venv")
    write(project / ".venv", content)
    answer = field.resolve(project)
    assert answer.rule == "local-prefix"
    assert [finding.code for finding in answer.findings] == ["pointer-invalid"]


def test_a_pointer_file_to_a_lost_environment(field: Playfield, project: Path) -> None:
    """A path to where nothing is any more is a broken answer: falling through to a parent would only confuse."""
    field.venv(field.home / ".venv")
    write(project / ".venv", "/gone/env\n")
    answer = field.resolve(project)
    assert (answer.condition, seen(answer)[2]) == ("broken", "/gone/env")
    assert [finding.code for finding in answer.findings] == ["pointer-invalid"]


def test_python_envs_takes_the_last_usable_line(field: Playfield, project: Path) -> None:
    """.python-envs lists environments; the last that exists is the default, unless a .venv is there."""
    first, second = field.venv(project / "first"), field.venv(field.home / "second")
    write(project / ".python-envs", f"first\n{second}\nabsent\nbinary\0/x\n")
    answer = field.resolve(project)
    assert seen(answer) == ("python-envs", "high", str(second))
    assert [alternative.environment.prefix for alternative in answer.alternatives] == [os.fsencode(first)]
    field.venv(project / ".venv")
    assert seen(field.resolve(project)) == ("venv-directory", "high", str(project / ".venv"))


def test_python_envs_without_a_usable_line(field: Playfield, project: Path) -> None:
    """A list that leads nowhere is a finding and claims nothing."""
    write(project / ".python-envs", "absent\n")
    answer = field.resolve(project)
    assert answer.condition == "none"
    assert [finding.code for finding in answer.findings] == ["pointer-invalid"]


@pytest.mark.parametrize("name", ["venv", "env", ".virtualenv", ".direnv/python-3.11"])
def test_local_prefixes(field: Playfield, project: Path, name: str) -> None:
    """The other usual names answer with medium confidence and take the project's name."""
    env = field.venv(project / name)
    answer = field.resolve(project)
    assert seen(answer) == ("local-prefix", "medium", str(env))
    assert answer.environment is not None
    assert answer.environment.name == "p"


def test_a_usual_name_without_pyvenv_cfg_is_no_environment(field: Playfield, project: Path) -> None:
    """A folder that is merely called env, and a broken link of that name, claim nothing."""
    write(project / "env" / "bin" / "start")
    link(project / "venv", "/gone")
    assert field.resolve(project).condition == "none"


def test_several_local_prefixes(field: Playfield, project: Path) -> None:
    """A venv before an env, direnv's newest Python before older ones; the rest are alternatives."""
    for name in (".direnv/python-3.9", ".direnv/python-3.11", "env"):
        field.venv(project / name)
    answer = field.resolve(project)
    assert seen(answer)[2] == str(project / "env")
    others = [os.fsdecode(alternative.environment.prefix) for alternative in answer.alternatives]
    assert others == [str(project / ".direnv/python-3.11"), str(project / ".direnv/python-3.9")]
    assert [finding.code for finding in answer.findings] == ["ambiguous"]


def test_the_only_child_with_a_pyvenv_cfg(field: Playfield, project: Path) -> None:
    """A single environment under any name answers with low confidence, also for subfolders."""
    env = field.venv(project / "my-env")
    (project / "src").mkdir()
    assert seen(field.resolve(project)) == ("child-prefix", "low", str(env))
    assert seen(field.resolve(project / "src"))[2] == str(env)


def test_several_children_choose_nothing(field: Playfield, project: Path) -> None:
    """Two environments under any name are alternatives of an undecided answer."""
    field.venv(project / "one")
    field.venv(project / "two")
    answer = field.resolve(project)
    assert (answer.condition, answer.environment) == ("none", None)
    assert len(answer.alternatives) == 2
    assert [finding.code for finding in answer.findings] == ["ambiguous"]


def test_children_beyond_a_project_do_not_count(field: Playfield, project: Path) -> None:
    """An environment lying beside a project, in the folder of all projects, is not the project's."""
    field.venv(field.home / "code" / "tools")
    write(field.home / "code" / "app" / "pyproject.toml")
    assert field.resolve(field.home / "code" / "app").condition == "none"
    assert field.resolve(field.home / "code").rule == "child-prefix"


def test_children_in_a_place_open_to_all_do_not_count(field: Playfield, project: Path) -> None:
    """In a directory like /tmp, no child is anybody's project environment."""
    field.venv(project / "any")
    project.chmod(0o1777)
    assert field.resolve(project).condition == "none"


@pytest.mark.parametrize(
    ("line", "name"),
    [
        ("prompt = 'web app'", "web app"),
        ('prompt = "web"', "web"),
        ("prompt = web", "web"),
        (r"prompt = 'it\'s'", "it's"),
        ("prompt = '\x1b]0;evil\x07name'", "]0;evilname"),
        ("prompt = .venv", "p"),
        ("prompt = " + "x" * 100, "x" * 64),
        ("", "p"),
    ],
)
def test_the_name(field: Playfield, project: Path, line: str, name: str) -> None:
    """The prompt of pyvenv.cfg, unquoted and harmless; a generic or absent one gives the project's directory name."""
    field.venv(project / ".venv", lines=line + "\n")
    environment = field.resolve(project).environment
    assert environment is not None
    assert environment.name == name


@pytest.mark.parametrize(
    ("lines", "system"), [("uv = 0.13.9", "uv"), ("virtualenv = 21.15.8", "virtualenv"), ("", "venv")]
)
def test_who_made_it(field: Playfield, project: Path, lines: str, system: str) -> None:
    """The creator's own key in pyvenv.cfg tells the system."""
    field.venv(project / ".venv", lines=lines)
    environment = field.resolve(project).environment
    assert environment is not None
    assert environment.system == system


def test_the_version_is_the_bases(field: Playfield, project: Path) -> None:
    """After an upgrade within X.Y, the base's number counts, not the recorded one."""
    field.venv(project / ".venv")
    field.base("3.11.9", field.home / ".pyenv" / "versions" / "3.11.7")
    environment = field.resolve(project).environment
    assert environment is not None
    assert environment.python_version == "3.11.9"
