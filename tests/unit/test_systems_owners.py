"""uv projects and workspaces, and the levels that other tools own."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from support.playfield import Playfield, write

WORKSPACE = '[project]\nname = "root"\n[tool.uv.workspace]\nmembers = ["packages/*"]\nexclude = ["packages/old"]\n'


def test_uv_uses_its_dot_venv(field: Playfield) -> None:
    """A level with uv.lock answers its .venv by uv's own rule."""
    env = field.venv(field.home / "p" / ".venv", lines="uv = 0.13.9")
    write(field.home / "p" / "pyproject.toml", "[project]\n")
    write(field.home / "p" / "uv.lock")
    answer = field.resolve(field.home / "p")
    assert (answer.rule, answer.confidence, answer.condition) == ("uv-project", "high", "found")
    assert answer.environment is not None
    assert (answer.environment.prefix, answer.environment.system) == (os.fsencode(env), "uv")
    assert answer.project is not None
    assert (answer.project.markers, answer.project.system) == (("pyproject.toml", "uv.lock"), "uv")


@pytest.mark.parametrize("value", [b"env/here", b"/absolute/env"])
def test_uv_project_environment(field: Playfield, value: bytes) -> None:
    """$UV_PROJECT_ENVIRONMENT is relative to the workspace root, and what else stands there is only an alternative."""
    root = field.home / "p"
    write(root / "uv.lock")
    field.venv(root / ".venv")
    expected = value if value.startswith(b"/") else os.fsencode(root) + b"/" + value
    answer = field.resolve(root, {"UV_PROJECT_ENVIRONMENT": value})
    assert answer.condition == "missing"
    assert answer.would_create is not None
    assert (answer.would_create.command, answer.would_create.prefix) == ("uv sync", expected)
    assert [alternative.rule for alternative in answer.alternatives] == ["venv-directory"]


def test_a_workspace_member_defers_to_its_root(field: Playfield) -> None:
    """A member never has an environment of its own: the root's answers, and the root is the project."""
    root = field.home / "w"
    write(root / "pyproject.toml", WORKSPACE)
    write(root / "uv.lock")
    env = field.venv(root / ".venv")
    member = root / "packages" / "one"
    write(member / "pyproject.toml", '[project]\nname = "one"\n')
    field.venv(member / ".venv")
    (member / "src").mkdir()
    for directory in (member, member / "src"):
        answer = field.resolve(directory)
        assert (answer.rule, answer.root) == ("uv-project", os.fsencode(root))
        assert answer.environment is not None
        assert answer.environment.prefix == os.fsencode(env)


@pytest.mark.parametrize("relative", ["packages/old", "other", "packages/one/nested"])
def test_what_is_no_member_keeps_its_own(field: Playfield, relative: str) -> None:
    """Excluded, unlisted and deeper directories are projects of their own."""
    root = field.home / "w"
    write(root / "pyproject.toml", WORKSPACE)
    field.venv(root / ".venv")
    write(root / relative / "pyproject.toml", "[project]\n")
    env = field.venv(root / relative / ".venv")
    answer = field.resolve(root / relative)
    assert answer.environment is not None
    assert answer.environment.prefix == os.fsencode(env)


@pytest.mark.parametrize(
    ("pattern", "relative", "member"),
    [
        ("packages/*", "packages/a", True),
        ("packages/*", "packages/a/b", False),
        ("**", "a/b/c", True),
        ("libs/**/py", "libs/py", True),
        ("libs/**/py", "libs/x/y/py", True),
        ("./apps/web", "apps/web", True),
        ("app[s]/w?b", "apps/web", True),
        ("/".join(["**", "a"] * 30), "/".join("a" * 29), False),
        ("(" * 50, "x", False),
    ],
)
def test_member_patterns(field: Playfield, pattern: str, relative: str, member: bool) -> None:
    """Globs match part by part, in time that no pattern can stretch."""
    root = field.home / "w"
    write(root / "pyproject.toml", f'[tool.uv.workspace]\nmembers = ["{pattern}"]\n')
    write(root / "uv.lock")
    write(root / relative / "pyproject.toml", "[project]\n")
    answer = field.resolve(root / relative)
    # Either way the walk arrives at the root; only a member gets there by deferring to it.
    assert answer.condition == "missing"
    trail = field.resolve(root / relative, trail=True).trail
    rules = [step.rule for step in trail if step.rule != "mise-venv"]
    assert (rules[0] == "uv-project") is member


def test_not_managed_by_uv(field: Playfield) -> None:
    """``managed = false`` takes a project out of uv's hands."""
    write(field.home / "p" / "pyproject.toml", "[tool.uv]\nmanaged = false\n")
    write(field.home / "p" / "uv.lock")
    assert field.resolve(field.home / "p").condition == "none"


@pytest.mark.parametrize(
    ("file", "text", "rule", "command", "creates"),
    [
        ("uv.lock", "", "uv-project", "uv sync", ".venv"),
        ("poetry.lock", "", "poetry-project", "poetry install", None),
        ("Pipfile", "", "pipenv-project", "pipenv install", "pool"),
        ("pdm.lock", "", "pdm-project", "pdm install", ".venv"),
        ("pixi.toml", "", "pixi-project", "pixi install", ".pixi/envs/default"),
        ("pyproject.toml", "[tool.pixi.project]\nname='x'\n", "pixi-project", "pixi install", ".pixi/envs/default"),
        ("pyproject.toml", "[tool.hatch.envs.default]\npython='3'\n", "hatch-project", "hatch env create", "pool"),
        ("environment.yml", "name: a\n", "conda-yml", "conda env create -f environment.yml", None),
    ],
)
def test_an_owned_level_without_environment(
    field: Playfield, file: str, text: str, rule: str, command: str, creates: str | None
) -> None:
    """A level that a tool owns answers missing and what would create it; the parent's is an alternative."""
    outer = field.venv(field.home / "outer" / ".venv")
    project = field.home / "outer" / "p"
    write(project / file, text)
    answer = field.resolve(project)
    assert (answer.condition, answer.environment, answer.rule) == ("missing", None, rule)
    assert answer.would_create is not None
    assert answer.would_create.command == command
    if creates == "pool":
        assert answer.would_create.prefix.startswith(os.fsencode(field.home / ".local/share/"))
    else:
        assert answer.would_create.prefix == (os.fsencode(project / creates) if creates else b"")
    assert [alternative.environment.prefix for alternative in answer.alternatives] == [os.fsencode(outer)]
    assert answer.project is not None
    assert answer.project.system == {"conda-yml": "conda"}.get(rule, rule.removesuffix("-project"))


@pytest.mark.parametrize(("file", "system"), [("poetry.lock", "poetry"), ("Pipfile", "pipenv"), ("pdm.lock", "pdm")])
def test_an_owned_level_with_its_local_environment(field: Playfield, file: str, system: str) -> None:
    """A .venv in a level that a tool owns is that tool's."""
    field.venv(field.home / "p" / ".venv")
    write(field.home / "p" / file)
    answer = field.resolve(field.home / "p")
    assert answer.environment is not None
    assert (answer.rule, answer.environment.system) == (f"{system}-project", system)


def test_two_lock_files(field: Playfield) -> None:
    """Two tools' lock files are a finding; the newer one names the owner of the environment they share."""
    project = field.home / "p"
    field.venv(project / ".venv")
    os.utime(write(project / "uv.lock"), (1_000, 1_000))
    os.utime(write(project / "poetry.lock"), (2_000, 2_000))
    answer = field.resolve(project)
    assert [finding.code for finding in answer.findings] == ["two-lock-files"]
    assert answer.rule == "poetry-project"
    os.utime(project / "uv.lock", (3_000, 3_000))
    assert field.resolve(project).rule == "uv-project"


@pytest.mark.parametrize(
    "text", ["x = " + "[" * 20_000, "x = " + "9" * 5_000, "\xff", "tool = 3\nuv workspace envs", "[tool]\nuv = 'x'\n"]
)
def test_hostile_manifests(field: Playfield, text: str) -> None:
    """A manifest that is not TOML, or not of the expected shape, says nothing and breaks nothing."""
    write(field.home / "p" / "pyproject.toml", text.encode("latin-1") + b"\n# uv workspace envs requires-python\n")
    assert field.resolve(field.home / "p").condition == "none"


def test_nothing_is_claimed_without_an_owner(field: Playfield, tmp_path: Path) -> None:
    """The build backend hatchling does not make a hatch project."""
    write(field.home / "p" / "pyproject.toml", "[tool.hatch.version]\npath = 'x'\n")
    assert field.resolve(field.home / "p").condition == "none"
