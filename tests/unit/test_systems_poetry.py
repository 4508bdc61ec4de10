"""Each way in which Poetry claims a level, by Poetry's own precedence."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from alight.files.documents import Documents
from alight.model import Resolution
from alight.systems.base import Facts
from alight.systems.poetry import Poetry, base_name
from alight.systems.poetryconstraint import allows, caret_specifier
from support.playfield import Playfield, link, write

PROJECT = '[project]\nname = "My_Demo.App"\nversion = "0"\nrequires-python = ">=3.9"\n'


@pytest.fixture
def project(field: Playfield) -> Path:
    directory = field.home / "p"
    write(directory / "pyproject.toml", PROJECT)
    write(directory / "poetry.lock")
    return directory


def pool(field: Playfield) -> Path:
    return field.home / ".cache" / "pypoetry" / "virtualenvs"


def hashed(directory: Path, minor: str = "3.11", name: str = "My_Demo.App") -> str:
    return base_name(name, os.fsencode(directory.resolve())).decode() + f"-py{minor}"


def prefix(answer: Resolution) -> str | None:
    return None if answer.environment is None else os.fsdecode(answer.environment.prefix)


def facts(field: Playfield, overrides: dict[str, bytes] | None = None, platform: str = "linux") -> Facts:
    disk = field.disk()
    return Facts(disk, overrides or {}, os.fsencode(field.home), b"/", Documents(disk), platform=platform)


def test_the_name() -> None:
    """The worked example of the rule book: canonical name, eight characters of the path's hash."""
    assert base_name("My_Demo.App", b"/home/ana/work/My_Demo.App") == b"my-demo-app-LJzAUMVV"
    assert base_name("x" * 60, b"/p").startswith(b"x" * 42 + b"-")


def test_the_hashed_environment(field: Playfield, project: Path) -> None:
    """A name with this project's hash in the user's pool is the answer, linked, and called Poetry's."""
    env = field.venv(pool(field) / hashed(project))
    field.venv(pool(field) / "my-demo-app-AAAAAAAA-py3.11")
    answer = field.resolve(project)
    assert (answer.rule, answer.confidence, answer.condition, answer.linked) == (
        "poetry-project",
        "high",
        "found",
        True,
    )
    assert prefix(answer) == str(env)
    assert answer.environment is not None
    assert answer.environment.system == "poetry"
    assert [os.path.basename(path) for path in answer.evidence] == [b"poetry.lock", b"pyproject.toml", b"pyvenv.cfg"]


def test_a_linked_project_path(field: Playfield, project: Path) -> None:
    """The hash is of the physical path, by whatever link the shell came."""
    env = field.venv(pool(field) / hashed(project))
    link(field.home / "other", str(project))
    assert prefix(field.resolve(field.home / "other")) == str(env)


@pytest.mark.parametrize(
    ("manifest", "name"),
    [
        ('[project]\nname = "one"\n[tool.poetry]\nname = "two"\n', "one"),
        ('[tool.poetry]\nname = "two"\n', "two"),
        ("[tool.poetry]\npackage-mode = false\n", "non-package-mode"),
        ('[project]\nname = ""\n[tool.poetry]\n', "non-package-mode"),
    ],
)
def test_the_project_name(field: Playfield, project: Path, manifest: str, name: str) -> None:
    """[project] before [tool.poetry] before the literal non-package-mode."""
    write(project / "pyproject.toml", manifest)
    env = field.venv(pool(field) / hashed(project, name=name))
    assert prefix(field.resolve(project)) == str(env)


@pytest.mark.parametrize("manifest", ["", "[project]\nname = 3\n", "[tool]\npoetry = 1\n", "= broken", "[project]\n"])
def test_a_manifest_poetry_refuses(field: Playfield, project: Path, manifest: str) -> None:
    """Without a usable name there is no hash to look for; the lock file still owns the level."""
    write(project / "pyproject.toml", manifest)
    field.venv(pool(field) / hashed(project, name="non-package-mode"))
    answer = field.resolve(project)
    assert (answer.condition, answer.rule) == ("missing", "poetry-project")


@pytest.mark.parametrize(
    ("variable", "local", "user", "expected"),
    [
        (None, None, None, ".venv"),
        (None, None, "true", ".venv"),
        (None, None, "false", "pool"),
        (None, "true", "false", ".venv"),
        (None, "false", "true", "pool"),
        (b"false", "true", "true", "pool"),
        (b"true", "false", "false", ".venv"),
        (b"1", "false", None, ".venv"),
        (b"", "true", None, "pool"),
        (None, '"false"', None, ".venv"),
    ],
)
def test_in_project(
    field: Playfield, project: Path, variable: bytes | None, local: str | None, user: str | None, expected: str
) -> None:
    """Variable before poetry.toml before config.toml; unset, a .venv that stands there is used."""
    wanted = {".venv": field.venv(project / ".venv"), "pool": field.venv(pool(field) / hashed(project))}
    if local:
        write(project / "poetry.toml", f"[virtualenvs]\nin-project = {local}\n")
    if user:
        write(field.home / ".config/pypoetry/config.toml", f"virtualenvs.in-project = {user}\n")
    answer = field.resolve(project, {} if variable is None else {"POETRY_VIRTUALENVS_IN_PROJECT": variable})
    assert prefix(answer) == str(wanted[expected])
    assert answer.linked is (expected == "pool")
    if expected == "pool":
        assert [alternative.rule for alternative in answer.alternatives] == ["venv-directory"]


def test_in_project_without_a_dot_venv(field: Playfield, project: Path) -> None:
    """Poetry goes on using its hashed environment until there is a .venv, and would make a .venv where it has none."""
    overrides = {"POETRY_VIRTUALENVS_IN_PROJECT": b"true"}
    answer = field.resolve(project, overrides)
    assert answer.would_create is not None
    assert (answer.would_create.command, answer.would_create.prefix) == (
        "poetry install",
        os.fsencode(project / ".venv"),
    )
    env = field.venv(pool(field) / hashed(project))
    assert prefix(field.resolve(project, overrides)) == str(env)


def test_an_ignored_dot_venv(field: Playfield, project: Path) -> None:
    """With in-project = false and nothing in the pool, the .venv is an alternative to what Poetry would make."""
    env = field.venv(project / ".venv")
    answer = field.resolve(project, {"POETRY_VIRTUALENVS_IN_PROJECT": b"false"})
    assert (answer.condition, answer.rule) == ("missing", "poetry-project")
    assert answer.would_create is not None
    assert answer.would_create.prefix == b""
    assert [alternative.environment.prefix for alternative in answer.alternatives] == [os.fsencode(env)]


def test_an_empty_dot_venv(field: Playfield, project: Path) -> None:
    """An empty .venv directory is where Poetry would make one, whatever the pool holds."""
    (project / ".venv").mkdir()
    field.venv(pool(field) / hashed(project))
    answer = field.resolve(project)
    assert answer.condition == "missing"
    assert answer.would_create is not None
    assert answer.would_create.prefix == os.fsencode(project / ".venv")


@pytest.mark.parametrize(
    ("variables", "local", "user", "where", "linked"),
    [
        ({"POETRY_VIRTUALENVS_PATH": b"~/envs"}, 'virtualenvs.path = "/l"', 'virtualenvs.path = "/u"', "envs", True),
        ({}, 'virtualenvs.path = "~/local"', 'virtualenvs.path = "/u"', "local", False),
        ({}, "", 'virtualenvs.path = "~/user"', "user", True),
        ({"POETRY_CACHE_DIR": b"~/c"}, 'cache-dir = "/l"', "", "c/virtualenvs", True),
        ({}, 'cache-dir = "~/lc"', "", "lc/virtualenvs", False),
        ({}, "", 'cache-dir = "~/uc"', "uc/virtualenvs", True),
        ({}, "", 'cache-dir = "~/uc"\nvirtualenvs.path = "{cache-dir}/x"', "uc/x", True),
        ({"POETRY_VIRTUALENVS_PATH": b"{cache-dir}/y"}, "", 'cache-dir = "~/uc"', "uc/y", True),
        ({"XDG_CACHE_HOME": b"/home-of/x"}, "", 'cache-dir = "~/uc"', "uc/virtualenvs", True),
        ({}, 'virtualenvs.path = "below"', "", "p/below", False),
    ],
)
def test_the_pool(
    field: Playfield, project: Path, variables: dict[str, bytes], local: str, user: str, where: str, linked: bool
) -> None:
    """Key by key the variable, poetry.toml, config.toml; an environment is no link in a pool the project chose."""
    write(project / "poetry.toml", local)
    write(field.home / ".config/pypoetry/config.toml", user)
    env = field.venv(field.home / where / hashed(project))
    answer = field.resolve(project, variables)
    assert (prefix(answer), answer.linked) == (str(env), linked)


def test_config_dir_and_xdg(field: Playfield, project: Path) -> None:
    """$POETRY_CONFIG_DIR names the folder of config.toml, $XDG_CONFIG_HOME and $XDG_CACHE_HOME move both."""
    env = field.venv(field.home / "e" / hashed(project))
    write(field.home / "conf/config.toml", f'virtualenvs.path = "{field.home}/e"')
    assert prefix(field.resolve(project, {"POETRY_CONFIG_DIR": os.fsencode(field.home / "conf")})) == str(env)
    write(field.home / "xdg/pypoetry/config.toml", f'virtualenvs.path = "{field.home}/e"')
    assert prefix(field.resolve(project, {"XDG_CONFIG_HOME": os.fsencode(field.home / "xdg")})) == str(env)
    cached = field.venv(field.home / "xc/pypoetry/virtualenvs" / hashed(project))
    assert prefix(field.resolve(project, {"XDG_CACHE_HOME": os.fsencode(field.home / "xc")})) == str(cached)


def test_pools_on_macos(field: Playfield) -> None:
    """On macOS the cache is below ~/Library/Caches, and the XDG folder counts where a newer Poetry has made it."""
    home = os.fsencode(field.home)
    overrides = {"XDG_CACHE_HOME": home + b"/xc"}
    assert Poetry().pools(facts(field, platform="darwin")) == (home + b"/Library/Caches/pypoetry/virtualenvs",)
    assert Poetry().pools(facts(field, overrides, "darwin")) == (home + b"/Library/Caches/pypoetry/virtualenvs",)
    (field.home / "xc" / "pypoetry").mkdir(parents=True)
    assert Poetry().pools(facts(field, overrides, "darwin")) == (home + b"/xc/pypoetry/virtualenvs",)
    write(field.home / "Library/Application Support/pypoetry/config.toml", 'cache-dir = "/c"')
    assert Poetry().pools(facts(field, platform="darwin")) == (b"/c/virtualenvs",)


@pytest.mark.parametrize("path", ["~other/x", "a\\u0000b", "relative", "/" + "x" * 5000])
def test_unusable_pools(field: Playfield, path: str) -> None:
    """A path of another user's, with a NUL, relative or endless in the user's file is no pool."""
    write(field.home / ".config/pypoetry/config.toml", f'virtualenvs.path = "{path}"')
    assert Poetry().pools(facts(field)) == ()


def test_envs_toml_decides(field: Playfield, project: Path) -> None:
    """Of several versions, envs.toml names the one; the others are alternatives and nothing is ambiguous."""
    environments = {minor: field.venv(pool(field) / hashed(project, minor)) for minor in ("3.9", "3.11", "3.12")}
    section = hashed(project).removesuffix("-py3.11")
    write(pool(field) / "envs.toml", f'[{section}]\nminor = "3.11"\npatch = "3.11.7"\n')
    answer = field.resolve(project)
    assert (prefix(answer), answer.confidence, answer.findings) == (str(environments["3.11"]), "high", ())
    assert os.fsencode(pool(field) / "envs.toml") in answer.evidence
    assert {alternative.environment.prefix for alternative in answer.alternatives} == {
        os.fsencode(environments[minor]) for minor in ("3.9", "3.12")
    }


@pytest.mark.parametrize("text", ["", "[x]\n", "[{}]\nminor = 3\n", '[{}]\nminor = "3.8"\n', "{} = 1\n", "[{}\n"])
def test_several_versions_without_a_choice(field: Playfield, project: Path, text: str) -> None:
    """Otherwise the newest that requires-python allows is a guess, and says that it is."""
    for minor, made in (("3.7", 9_000), ("3.12", 5_000), ("3.11", 4_000)):
        os.utime(field.venv(pool(field) / hashed(project, minor)) / "pyvenv.cfg", (made, made))
    write(pool(field) / "envs.toml", text.replace("{}", hashed(project).removesuffix("-py3.11")))
    answer = field.resolve(project)
    assert (prefix(answer), answer.confidence) == (str(pool(field) / hashed(project, "3.12")), "guess")
    assert "ambiguous" in [finding.code for finding in answer.findings]
    assert len(answer.alternatives) == 2


def test_the_only_version_is_outside_requires_python(field: Playfield, project: Path) -> None:
    """A single environment is used, less surely when its Python is not allowed."""
    write(project / "pyproject.toml", '[tool.poetry]\nname = "d"\n[tool.poetry.dependencies]\npython = "^3.12"\n')
    field.venv(pool(field) / hashed(project, name="d"))
    assert field.resolve(project).confidence == "medium"


def test_a_pool_too_large_to_list(field: Playfield, project: Path) -> None:
    """Among very many environments this project's are asked for by name."""
    for number in range(1_100):
        (pool(field) / f"other-{number:08d}-py3.11").mkdir(parents=True)
    env = field.venv(pool(field) / hashed(project))
    assert prefix(field.resolve(project)) == str(env)
    name = "x/../../../../../sibling/y"
    write(project / "pyproject.toml", f"[tool.poetry]\nname = '{name}'\nversion = '1'\n")
    (pool(field) / "x").mkdir()
    planted = field.venv(pool(field) / os.fsdecode(base_name(name, os.fsencode(project)) + b"-py3.11"))
    assert planted.exists()
    assert prefix(field.resolve(project)) is None


@pytest.mark.parametrize(
    ("files", "condition"),
    [
        ({"pyproject.toml": "[tool.poetry]\nname = 'x'\n"}, "none"),
        ({"pyproject.toml": PROJECT + '[build-system]\nbuild-backend = "poetry.core.masonry.api"\n'}, "none"),
        ({"pyproject.toml": PROJECT + "# poetry\n"}, "none"),
        ({"poetry.toml": "", "pyproject.toml": PROJECT}, "missing"),
        ({"poetry.toml": ""}, "none"),
        ({"poetry.lock": ""}, "missing"),
        ({"poetry.lock": "", "poetry.toml": "[virtualenvs]\ncreate = false\n"}, "none"),
        ({"poetry.toml": "", "pyproject.toml": PROJECT, "uv.lock": ""}, "uv"),
    ],
)
def test_what_stops_the_walk(field: Playfield, files: dict[str, str], condition: str) -> None:
    """A lock file or poetry.toml owns the level; a table or a backend without an environment does not."""
    for name, text in files.items():
        write(field.home / "p" / name, text)
    answer = field.resolve(field.home / "p")
    assert answer.condition == ("missing" if condition == "uv" else condition)
    if condition == "uv":
        assert answer.rule == "uv-project"


@pytest.mark.parametrize(
    "manifest",
    [
        '[tool.poetry]\nname = "My_Demo.App"\n',
        PROJECT + '[build-system]\nbuild-backend = "poetry.core.masonry.api"\n',
    ],
)
def test_a_weak_sign_with_its_hashed_environment(field: Playfield, manifest: str) -> None:
    """An environment with the project's hash speaks for Poetry where the manifest alone would not."""
    project = field.home / "p"
    write(project / "pyproject.toml", manifest)
    env = field.venv(pool(field) / hashed(project))
    assert prefix(field.resolve(project)) == str(env)


def test_a_dot_venv_beside_a_mere_backend(field: Playfield) -> None:
    """A build backend does not make somebody's .venv Poetry's; the table does, unless another tool locks here."""
    project = field.home / "p"
    field.venv(project / ".venv", lines="uv = 0.9\n")
    write(project / "pyproject.toml", PROJECT + '[build-system]\nbuild-backend = "poetry.core.masonry.api"\n')
    assert field.resolve(project).rule == "venv-directory"
    write(project / "pyproject.toml", PROJECT + "[tool.poetry]\npackages = []\n")
    assert field.resolve(project).rule == "poetry-project"
    write(project / "uv.lock")
    assert field.resolve(project).rule == "uv-project"


def test_active_environments_say_nothing(field: Playfield, project: Path) -> None:
    """VIRTUAL_ENV and conda's variables never influence what belongs here."""
    env, other = field.venv(pool(field) / hashed(project)), os.fsencode(field.venv(field.home / "other"))
    answer = field.resolve(project, {"VIRTUAL_ENV": other, "CONDA_PREFIX": other, "CONDA_DEFAULT_ENV": b"x"})
    assert prefix(answer) == str(env)


@pytest.mark.parametrize("text", ["virtualenvs = 3", "virtualenvs.path = 3", "cache-dir = []", "[virtualenvs]\n"])
def test_settings_of_wrong_types(field: Playfield, project: Path, text: str) -> None:
    """A value of another type counts as none."""
    write(field.home / ".config/pypoetry/config.toml", text)
    write(project / "poetry.toml", text)
    env = field.venv(pool(field) / hashed(project))
    assert prefix(field.resolve(project)) == str(env)


@pytest.mark.parametrize("content", ["not toml", "x" * 300_000, None])
def test_unreadable_settings(field: Playfield, project: Path, content: str | None) -> None:
    """Settings that cannot be read are a finding, once, and count as none; a FIFO is not opened."""
    if content is None:
        os.mkfifo(project / "poetry.toml")
    else:
        write(project / "poetry.toml", content)
    env = field.venv(pool(field) / hashed(project))
    answer = field.resolve(project)
    assert prefix(answer) == str(env)
    assert [finding.code for finding in answer.findings] == ["settings-unreadable"]


def test_listing_and_describing(field: Playfield, project: Path) -> None:
    """The pool's environments of Poetry's shape are listed and called its own, others are neither."""
    env = os.fsencode(field.venv(pool(field) / hashed(project)))
    other = os.fsencode(field.venv(pool(field) / "my-frontend"))
    away = os.fsencode(field.venv(field.home / "w" / hashed(project)))
    (pool(field) / "empty-AAAAAAAA-py3.11").mkdir()
    seen = facts(field)
    assert list(Poetry().list(seen)) == [env]
    described = Poetry().describe(env, seen)
    assert described is not None
    assert (described.system, described.kind) == ("poetry", "venv")
    assert Poetry().describe(other, seen) is Poetry().describe(away, seen) is None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("^3.9", ">=3.9,<4"),
        ("^3", ">=3,<4"),
        ("^3.9.1", ">=3.9.1,<4"),
        ("^0.2.3", ">=0.2.3,<0.3"),
        ("^0.0.3", ">=0.0.3,<0.0.4"),
        ("^0.0", ">=0.0,<0.1"),
        ("^0", ">=0,<1"),
        ("~3.9", ">=3.9,<3.10"),
        ("~3.9.2", ">=3.9.2,<3.10"),
        ("~3", ">=3,<4"),
        ("~=3.9", "~=3.9"),
        ("3.9", "==3.9"),
        ("=3.9", "==3.9"),
        ("v3.9", "==3.9"),
        ("3.*", "==3.*"),
        ("3.9.*", "==3.9.*"),
        ("!=3.9.*", "!=3.9.*"),
        (">=3.8.*", ">=3.8"),
        ("<>3.9", "!=3.9"),
        (">=3.8,<4", ">=3.8,<4"),
        (">=3.8 <4.0", ">=3.8,<4.0"),
        (">= 3.8, < 4.0,", ">=3.8,<4.0"),
        ("^3.8,!=3.9.7", ">=3.8,<4,!=3.9.7"),
        ("*", ""),
        ("", ""),
        ("^2.7 || ^3.6", ""),
        ("python", ""),
        ("^", ""),
        (">=3.8 <", ""),
        ("^" + "9" * 300, ""),
        ("===x", ""),
    ],
)
def test_caret_specifier(text: str, expected: str) -> None:
    """Carets, tildes, bare versions and blanks become a PEP 440 specifier; what cannot be said says nothing."""
    assert caret_specifier(text) == expected


@pytest.mark.parametrize(
    ("constraint", "minor", "allowed"),
    [
        ("^3.9", "3.11", True),
        ("^3.9", "3.8", False),
        ("~2.7 || ^3.6", "2.7", True),
        ("~2.7 || ^3.6", "3.5", False),
        (">=3.11.4", "3.11", True),
        (">=3.11.4,<3.11.9", "3.11", True),
        ("<3.11", "3.11", False),
        ("3.11.4", "3.11", True),
        ("nonsense", "3.1", True),
        ("x" * 5_000, "3.1", True),
    ],
)
def test_what_a_constraint_allows(constraint: str, minor: str, allowed: bool) -> None:
    """An X.Y is allowed when some X.Y.Z is, by any alternative of a union."""
    assert allows(constraint, minor) is allowed
