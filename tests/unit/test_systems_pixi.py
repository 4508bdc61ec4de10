"""pixi's workspaces and their environments, on the layout that pixi leaves (the program is in no registry)."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from alight.files.documents import Documents
from alight.systems.base import MISSING, TOOL, Claim, Facts
from alight.systems.pixi import Pixi, name_of, project_variables
from support.condashape import conda_prefix, pixi_environment, pixi_manifest
from support.playfield import Playfield, link, write

PYPROJECT = '[project]\nname = "named"\nversion = "2.0"\n\n[tool.pixi.workspace]\nplatforms = ["linux-64"]\n'


@pytest.fixture
def project(field: Playfield) -> Path:
    directory = field.home / "p"
    directory.mkdir()
    return directory


def facts(field: Playfield, **overrides: object) -> Facts:
    disk = field.disk()
    values = {name: os.fsencode(str(value)) for name, value in overrides.items()}
    return Facts(disk, values, os.fsencode(field.home), os.fsencode(field.home), Documents(disk))


def claim(field: Playfield, level: Path, **overrides: object) -> Claim:
    answer = Pixi().claim(os.fsencode(level), facts(field, **overrides))
    assert answer is not None
    return answer


@pytest.mark.parametrize("manifest", ["pixi.toml", "pyproject.toml", "mojoproject.toml"])
def test_each_manifest(field: Playfield, project: Path, manifest: str) -> None:
    """The default environment below .pixi/envs is the workspace's, whichever file describes it."""
    text = PYPROJECT if manifest == "pyproject.toml" else '[workspace]\nname = "named"\n'
    write(project / manifest, text)
    env = pixi_environment(project, manifest=manifest)
    answer = claim(field, project)
    assert (answer.rule, answer.rank, answer.confidence, answer.owner) == ("pixi-project", TOOL, "high", "pixi")
    assert (answer.prefix, answer.linked) == (os.fsencode(env), False)
    environment = field.resolve(project).environment
    assert environment is not None
    assert (environment.kind, environment.system, environment.name) == ("conda", "pixi", "named")
    assert environment.python_version == "3.12.4"


def test_the_first_manifest_counts(field: Playfield, project: Path) -> None:
    """pixi.toml comes before pyproject.toml, whatever that says."""
    write(project / "pyproject.toml", PYPROJECT)
    pixi_manifest(project, name="first")
    env = pixi_environment(project)
    assert name_of(os.fsencode(env), facts(field)) == "first"


def test_a_pyproject_without_pixi(field: Playfield, project: Path) -> None:
    """A manifest that says nothing of pixi is none of its own, though the word is in it."""
    write(project / "pyproject.toml", '[project]\nname = "pixi"\n')
    assert Pixi().claim(os.fsencode(project), facts(field)) is None


def test_missing(field: Playfield, project: Path) -> None:
    """Without its environment a workspace says what makes it, after everything that exists."""
    pixi_manifest(project)
    answer = claim(field, project)
    assert (answer.rank, answer.prefix) == (MISSING, None)
    assert answer.would_create is not None
    assert answer.would_create.command == "pixi install"
    assert answer.would_create.prefix == os.fsencode(project / ".pixi" / "envs" / "default")
    assert field.resolve(project).condition == "missing"


def test_others_are_alternatives(field: Playfield, project: Path) -> None:
    """Further environments stand behind the default one, and behind its absence."""
    pixi_manifest(project, environments=("test", "alpha"))
    others = [os.fsencode(pixi_environment(project, name)) for name in ("alpha", "test")]
    answer = claim(field, project)
    assert (answer.rank, answer.prefix, [other.prefix for other in answer.others]) == (MISSING, None, others)
    resolution = field.resolve(project)
    assert (resolution.condition, len(resolution.alternatives)) == ("missing", 2)
    env = pixi_environment(project)
    answer = claim(field, project)
    assert (answer.prefix, [other.prefix for other in answer.others]) == (os.fsencode(env), others)
    assert [other.environment.name for other in field.resolve(project).alternatives] == ["p:alpha", "p:test"]


def test_the_lock_dates_the_claim(field: Playfield, project: Path) -> None:
    """The lock file, where it is, is the first evidence: its age decides between two tools."""
    pixi_environment(project)
    write(project / "pixi.lock", "version: 6\n")
    assert claim(field, project).evidence[0] == os.fsencode(project / "pixi.lock")


def test_a_member_defers(field: Playfield, project: Path) -> None:
    """A manifest with a package alone belongs to the workspace above, whose environment it shares."""
    member = project / "packages" / "one"
    write(member / "pixi.toml", '[package]\nname = "one"\n')
    pixi_manifest(project)
    answer = claim(field, member)
    assert (answer.rank, answer.prefix, answer.root) == (TOOL, None, os.fsencode(project))
    env = pixi_environment(project)
    answer = claim(field, member)
    assert (answer.prefix, answer.root) == (os.fsencode(env), os.fsencode(project))


def test_a_member_of_nothing(field: Playfield, project: Path) -> None:
    """Without a workspace above, a package has no environment."""
    write(project / "pixi.toml", '[package]\nname = "one"\n')
    write(field.home / "pixi.toml", '[workspace]\nname = "home"\n')
    assert Pixi().claim(os.fsencode(project), facts(field)) is None


def test_a_nested_workspace(field: Playfield, project: Path) -> None:
    """The nearest workspace counts, even without an environment of its own."""
    inner = project / "inner"
    inner.mkdir()
    pixi_environment(project)
    pixi_manifest(inner)
    answer = field.resolve(inner)
    assert (answer.condition, answer.root) == ("missing", os.fsencode(inner))


@pytest.mark.parametrize("cache", [".cache/rattler/cache/envs", ".cache/pixi/envs", "chosen"])
def test_detached(field: Playfield, project: Path, cache: str) -> None:
    """A detached environment is found through the link, lies in the user's cache, and names this manifest: linked."""
    env = pixi_environment(project, detached=field.home / cache)
    if cache == "chosen":
        write(field.home / ".pixi" / "config.toml", f'detached-environments = "{field.home / cache}"\n')
    answer = claim(field, project)
    assert (answer.prefix, answer.linked) == (os.fsencode(env), True)
    resolution = field.resolve(project)
    assert resolution.linked
    assert resolution.environment is not None
    assert resolution.environment.name == "p"


@pytest.mark.parametrize("fault", ["other manifest", "relative", "no back-link", "chosen by the project"])
def test_detached_and_not_linked(field: Playfield, project: Path, fault: str) -> None:
    """Where it does not name this manifest, or the project itself chose the place, nothing links it."""
    place = field.home / ("elsewhere" if fault == "chosen by the project" else ".cache/rattler/cache/envs")
    manifest = {"other manifest": "/else/pixi.toml", "relative": "pixi.toml"}.get(fault)
    env = pixi_environment(project, detached=place, manifest_path=manifest)
    if fault == "no back-link":
        write(env / "conda-meta" / "pixi", "[]")
    if fault == "chosen by the project":
        write(project / ".pixi" / "config.toml", f'detached-environments = "{place}"\n')
    answer = claim(field, project)
    assert (answer.prefix, answer.linked) == (os.fsencode(env), False)


@pytest.mark.parametrize("where", ["project", "PIXI_HOME", ".pixi", ".config", "XDG"])
def test_detached_without_a_link(field: Playfield, project: Path, where: str) -> None:
    """Where .pixi/envs is no link, the configuration says where to look, and the back-link whose it is."""
    place = field.home / "detached"
    env = pixi_environment(project, detached=place)
    (project / ".pixi" / "envs").unlink()
    other = field.home / "q" / "p"
    other.mkdir(parents=True)
    pixi_environment(other, detached=place)
    files = {
        "project": project / ".pixi" / "config.toml", "PIXI_HOME": field.home / "px" / "config.toml",
        ".pixi": field.home / ".pixi" / "config.toml", ".config": field.home / ".config" / "pixi" / "config.toml",
        "XDG": field.home / "xdg" / "pixi" / "config.toml",
    }  # fmt: skip
    write(files[where], f'detached-environments = "{place}"\n')
    overrides = {"PIXI_HOME": {"PIXI_HOME": field.home / "px"}, "XDG": {"XDG_CONFIG_HOME": field.home / "xdg"}}
    answer = claim(field, project, **overrides.get(where, {}))
    assert (answer.prefix, answer.linked) == (os.fsencode(env), where != "project")
    assert claim(field, project).prefix == (os.fsencode(env) if not overrides.get(where) else None)


def test_detached_by_true(field: Playfield, project: Path) -> None:
    """``true`` means the user's cache; the project's own word comes before the user's."""
    env = pixi_environment(project, detached=field.home / ".cache" / "rattler" / "cache" / "envs")
    (project / ".pixi" / "envs").unlink()
    assert claim(field, project).prefix is None
    write(field.home / ".pixi" / "config.toml", "detached-environments = true\n")
    assert claim(field, project).prefix == os.fsencode(env)
    write(project / ".pixi" / "config.toml", "detached-environments = false\n")
    assert claim(field, project).prefix is None


@pytest.mark.parametrize("value", ['"relative"', "7", "[]", '"a\\u0000b"'])
def test_odd_configuration(field: Playfield, project: Path, value: str) -> None:
    """A setting of another shape says nothing."""
    write(field.home / ".pixi" / "config.toml", f"detached-environments = {value}\n")
    env = pixi_environment(project)
    assert claim(field, project).prefix == os.fsencode(env)


def test_a_link_to_anywhere(field: Playfield, project: Path) -> None:
    """A shipped link to somebody's environments is followed for showing, and never linked."""
    pixi_manifest(project)
    victim = conda_prefix(field.home / "victim" / "default")
    link(project / ".pixi" / "envs", str(victim.parent))
    answer = claim(field, project)
    assert (answer.prefix, answer.linked) == (os.fsencode(victim), False)


@pytest.mark.parametrize(
    "activation",
    ['[activation]\nscripts = ["x.sh"]\n', '[activation.env]\nA = "1"\n', '[target.linux-64.activation.env]\nA = "1"\n',
     '[feature.dev.activation]\nscripts = ["x.sh"]\n'],
)  # fmt: skip
def test_activation_of_the_manifest(field: Playfield, project: Path, activation: str) -> None:
    """Scripts and variables of the manifest are not used, and that is said."""
    pixi_manifest(project, activation=activation)
    pixi_environment(project)
    assert [(finding.code, finding.severity) for finding in field.resolve(project).findings] == [
        ("activation-ignored", "info")
    ]


@pytest.mark.parametrize(
    "activation", ["[activation]\n", "[target]\n", 'target = "x"\n', "[feature.dev]\n", "[activation.env]\n"]
)
def test_no_activation_of_the_manifest(field: Playfield, project: Path, activation: str) -> None:
    """An empty table asks for nothing."""
    text = "[workspace]\n" + activation if activation.startswith("[") else activation + "[workspace]\n"
    write(project / "pixi.toml", text)
    pixi_environment(project)
    assert field.resolve(project).findings == ()


def test_the_variables(field: Playfield, project: Path) -> None:
    """The variables pixi sets follow from the manifest and the environment."""
    features = '[feature.cuda]\nplatforms = ["linux-64"]\n[environments]\ngpu = ["cuda"]\n'
    pixi_manifest(project, platforms=("linux-64", "osx-arm64"), activation=features)
    root, default, gpu = os.fsencode(project), pixi_environment(project), pixi_environment(project, "gpu")
    variables = project_variables(os.fsencode(default), root, facts(field))
    assert variables == {
        "PIXI_PROJECT_ROOT": os.path.realpath(root), "PIXI_PROJECT_NAME": b"p", "PIXI_PROJECT_VERSION": b"0.1.0",
        "PIXI_PROJECT_MANIFEST": os.path.realpath(root) + b"/pixi.toml", "PIXI_ENVIRONMENT_NAME": b"default",
        "PIXI_ENVIRONMENT_PLATFORMS": b"linux-64,osx-arm64", "PIXI_PROMPT": b"(p) ", "PIXI_IN_SHELL": b"1",
        "CONDA_DEFAULT_ENV": b"p",
    }  # fmt: skip
    variables = project_variables(os.fsencode(gpu), root, facts(field))
    assert (variables["PIXI_ENVIRONMENT_NAME"], variables["PIXI_ENVIRONMENT_PLATFORMS"]) == (b"gpu", b"linux-64")
    assert (variables["PIXI_PROMPT"], variables["CONDA_DEFAULT_ENV"]) == (b"(p:gpu) ", b"p:gpu")


def test_the_variables_of_a_sparse_manifest(field: Playfield, project: Path) -> None:
    """Without a name the directory's is taken, without a version pixi's own words; a pyproject's own table counts."""
    pixi_manifest(project, name=None, version=None, platforms=())
    env = os.fsencode(pixi_environment(project))
    variables = project_variables(env, os.fsencode(project), facts(field))
    assert (variables["PIXI_PROJECT_NAME"], variables["PIXI_PROJECT_VERSION"]) == (b"p", b"NO_VERSION_SPECIFIED")
    (project / "pixi.toml").unlink()
    assert project_variables(env, os.fsencode(project), facts(field)) == {}
    write(project / "pyproject.toml", PYPROJECT)
    variables = project_variables(env, os.fsencode(project), facts(field))
    assert (variables["PIXI_PROJECT_NAME"], variables["PIXI_PROJECT_VERSION"]) == (b"named", b"2.0")


def test_the_names(field: Playfield, project: Path) -> None:
    """The project's name, with the environment's unless it is the default one; a global tool is called by its own."""
    known = facts(field)
    detached = pixi_environment(project, "test", detached=field.home / ".cache" / "pixi" / "envs")
    assert name_of(os.fsencode(detached), known) == "p:test"
    tool = field.home / ".pixi" / "envs" / "ruff"
    conda_prefix(tool)
    write(tool / "conda-meta" / "pixi", json.dumps({"manifest_path": "/g.toml", "environment_name": "ruff"}))
    assert name_of(os.fsencode(tool), known) == "ruff"


def test_the_list(field: Playfield, project: Path) -> None:
    """Detached environments and global tools are listed; those in projects are met there."""
    cache = field.home / ".cache" / "rattler" / "cache" / "envs"
    detached = [pixi_environment(project, name, detached=cache) for name in ("default", "test")]
    tool = conda_prefix(field.home / ".pixi" / "envs" / "ruff")
    (cache / "unrelated").mkdir()
    assert list(Pixi().list(facts(field))) == [os.fsencode(path) for path in (*detached, tool)]
    pools = Pixi().pools(facts(field, PIXI_HOME="/px"))
    assert {os.fsencode(cache), b"/px/envs"} <= set(pools)


@pytest.mark.parametrize(
    "content",
    [b"", b"\xff", b"[1]", b'{"manifest_path": 3, "environment_name": "x"}', b"[" * 50_000, b"x" * 300_000,
     b'{"manifest_path": "\\u0000", "environment_name": "x"}', b'{"manifest_path": "\\ud800", "environment_name": "x"}',
     b'{"manifest_path": "/x", "environment_name": ["x"]}'],
)  # fmt: skip
def test_hostile_back_links(field: Playfield, project: Path, content: bytes) -> None:
    """Whatever stands in the back-link, the prefix is pixi's, and it is linked to nothing."""
    env = pixi_environment(project, detached=field.home / ".cache" / "pixi" / "envs")
    write(env / "conda-meta" / "pixi", content)
    answer = claim(field, project)
    assert (answer.prefix, answer.linked) == (os.fsencode(env), False)
    environment = field.resolve(project).environment
    assert environment is not None
    assert environment.system == "pixi"


@pytest.mark.parametrize(
    "content", [b"", b"\xff", b"workspace = 3\n", b"[workspace]\nname = []\nplatforms = 3\n", b"a" * 300_000]
)
def test_hostile_manifests(field: Playfield, project: Path, content: bytes) -> None:
    """A manifest that cannot be read, or of another shape, raises nothing and is still pixi's."""
    write(project / "pixi.toml", content)
    env = pixi_environment(project)
    assert claim(field, project).prefix == os.fsencode(env)
    assert project_variables(os.fsencode(env), os.fsencode(project), facts(field))["PIXI_PROJECT_NAME"] == b"p"


def test_hostile_names_in_a_manifest(field: Playfield, project: Path) -> None:
    """Names are shown without control characters; half a character is no value."""
    write(project / "pixi.toml", '[workspace]\nname = "a\\u001b[31m\\u202eb"\n')
    pixi_environment(project)
    environment = field.resolve(project).environment
    assert environment is not None
    assert environment.name == "a[31mb"
