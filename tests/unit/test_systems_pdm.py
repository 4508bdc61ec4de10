"""How PDM's claims are made, and what a hostile project cannot make of them."""

from __future__ import annotations

import base64
import hashlib
import os
from pathlib import Path

import pytest

from alight.files.documents import Documents
from alight.model import Resolution
from alight.systems.base import Facts
from alight.systems.pdm import Pdm
from support.playfield import Playfield, link, write

MANIFEST = '[project]\nname = "p"\nrequires-python = "{}"\n'


@pytest.fixture
def project(field: Playfield) -> Path:
    write(field.home / "p" / "pyproject.toml", MANIFEST.format(">=3.8"))
    return field.home / "p"


def facts(field: Playfield, platform: str = "linux", **overrides: str) -> Facts:
    disk = field.disk()
    chosen = {name: os.fsencode(value) for name, value in overrides.items()}
    home = os.fsencode(field.home)
    return Facts(disk, chosen, home, home, Documents(disk), platform=platform)


def pooled(project: Path, ident: str = "3.11") -> str:
    digest = hashlib.md5(os.fsencode(project), usedforsecurity=False).digest()
    return f"{project.name}-{base64.urlsafe_b64encode(digest).decode()[:8]}-{ident}"


def seen(answer: Resolution) -> tuple[str, str | None]:
    environment = answer.environment
    return answer.rule, None if environment is None else os.fsdecode(environment.prefix)


def test_the_worked_example() -> None:
    """The hash is the one of the rule book's example."""
    assert pooled(Path("/home/ana/work/My_Demo.App")) == "My_Demo.App-bMyUkWVQ-3.11"


def test_a_saved_interpreter_in_a_clone_is_shown_and_not_linked(field: Playfield, project: Path) -> None:
    """A .pdm-python is certain about what it names, and no reason to trust it."""
    prefix = field.venv(field.home / "elsewhere")
    write(project / ".pdm-python", f"{prefix}/bin/python\n")
    answer = field.resolve(project)
    assert seen(answer) == ("pdm-python", str(prefix))
    assert (answer.confidence, answer.linked, answer.condition) == ("certain", False, "found")
    assert answer.evidence == (os.fsencode(project / ".pdm-python"), os.fsencode(prefix / "pyvenv.cfg"))
    assert answer.environment is not None
    assert answer.environment.system == "pdm"


@pytest.mark.parametrize(
    "content", ["", "\n", "/nowhere/bin/python", "bin\0ary", "/" * 5000, "/dev/zero", "x" * 70_000]
)
def test_a_saved_interpreter_that_is_none(field: Playfield, project: Path, content: str) -> None:
    """What leads to no regular file is dropped, with a finding when something was named."""
    prefix = field.venv(project / ".venv")
    write(project / ".pdm-python", content)
    answer = field.resolve(project)
    assert seen(answer) == ("pdm-project", str(prefix))
    named = content.strip() and len(content) < 65_536
    assert [finding.code for finding in answer.findings] == (["pointer-invalid"] if named else [])


def test_a_fifo_and_a_directory_are_no_saved_interpreter(field: Playfield, project: Path) -> None:
    """Only regular files are read, so that nothing waits."""
    os.mkfifo(project / ".pdm-python")
    (project / "pdm.toml").mkdir()
    answer = field.resolve(project)
    assert (answer.condition, answer.rule) == ("missing", "pdm-project")


@pytest.mark.parametrize(("requirement", "rule"), [(">=3.12", "venv-directory"), (">=3.11", "pdm-project"),
                                                   ("nonsense", "pdm-python"), ("", "pdm-python")])  # fmt: skip
def test_requires_python(field: Playfield, project: Path, requirement: str, rule: str) -> None:
    """A Python that certainly contradicts requires-python is passed over; an unreadable requirement says nothing."""
    field.venv(project / ".venv", "3.11.7")
    old = field.venv(field.home / "old", "3.10.2")
    write(project / ".pdm-python", f"{old}/bin/python")
    write(project / "pyproject.toml", MANIFEST.format(requirement))
    assert field.resolve(project).rule == rule


@pytest.mark.parametrize("names", [(".venv", "venv", "env"), ("venv", "env"), ("env",)])
def test_in_project_order(field: Playfield, project: Path, names: tuple[str, ...]) -> None:
    """.venv before venv before env, the others are alternatives of the venv family."""
    write(project / "pdm.lock")
    for name in names:
        field.venv(project / name)
    assert seen(field.resolve(project)) == ("pdm-project", str(project / names[0]))


def test_one_without_an_interpreter_is_passed_over(field: Playfield, project: Path) -> None:
    """PDM uses what has a bin/python; a ruin is an answer only where there is nothing better."""
    write(project / "pdm.lock")
    field.venv(project / ".venv")
    (project / ".venv" / "bin" / "python").unlink()
    assert (field.resolve(project).condition, field.resolve(project).rule) == ("broken", "venv-directory")
    prefix = field.venv(project / "venv")
    assert seen(field.resolve(project)) == ("pdm-project", str(prefix))


def test_a_pool_environment_is_linked_by_its_hash(field: Playfield, project: Path) -> None:
    """The pool's environment carries the hash of this path; those of other projects do not count."""
    write(project / "pdm.lock")
    pool = field.home / ".local/share/pdm/venvs"
    prefix = field.venv(pool / pooled(project))
    field.venv(pool / pooled(field.home / "q" / "p"))
    second = field.venv(pool / pooled(project, "dev"))
    answer = field.resolve(project)
    assert seen(answer) == ("pdm-project", str(prefix))
    assert answer.linked
    assert [os.fsdecode(other.environment.prefix) for other in answer.alternatives] == [str(second)]


def test_a_pool_too_large_to_list(field: Playfield, project: Path) -> None:
    """Among thousands of environments this project's is asked for by its name."""
    write(project / "pdm.lock")
    pool = field.home / ".local/share/pdm/venvs"
    prefix = field.venv(pool / pooled(project))
    for number in range(1100):
        (pool / f"other-{number:08}-3.11").mkdir()
    assert seen(field.resolve(project)) == ("pdm-project", str(prefix))


def test_a_pool_chosen_by_the_project_links_nothing(field: Playfield, project: Path) -> None:
    """A repository that brings its own pool, with the right hash in it, is shown and not linked."""
    prefix = field.venv(project / "pool" / pooled(project))
    write(project / "pdm.toml", f'[venv]\nlocation = "{project}/pool"\n')
    answer = field.resolve(project)
    assert seen(answer) == ("pdm-project", str(prefix))
    assert not answer.linked
    (project / "pdm.toml").write_text("")
    write(field.home / ".config/pdm/config.toml", f'[venv]\nlocation = "{project}/pool"\n')
    answer = field.resolve(project)
    assert seen(answer) == ("pdm-project", str(prefix))
    assert not answer.linked


def test_a_saved_interpreter_in_the_pool_is_linked_by_the_pool(field: Playfield, project: Path) -> None:
    """What PDM itself writes after making a pool environment keeps that environment's own link."""
    prefix = field.venv(field.home / ".local/share/pdm/venvs" / pooled(project))
    write(project / ".pdm-python", f"{prefix}/bin/python")
    assert field.resolve(project).linked
    other = field.venv(field.home / ".local/share/pdm/venvs" / pooled(field.home / "q"))
    write(project / ".pdm-python", f"{other}/bin/python")
    assert not field.resolve(project).linked


@pytest.mark.parametrize("table", ["", "[tool.pdm.build]\na = 1\n", "[tool.pdm.version]\na = 1\n", "[tool]\npdm = 1\n"])
def test_a_build_backend_is_no_claim(field: Playfield, project: Path, table: str) -> None:
    """A bare manifest or settings of PDM's build backend leave the level to others."""
    field.venv(project / ".venv")
    write(project / "pyproject.toml", MANIFEST.format("") + table)
    assert field.resolve(project).rule == "venv-directory"


def test_a_table_yields_to_another_s_lock_file(field: Playfield, project: Path) -> None:
    """[tool.pdm] claims a level by itself, but not against another tool's lock file."""
    write(project / "pyproject.toml", MANIFEST.format("") + "[tool.pdm]\ndistribution = false\n")
    answer = field.resolve(project)
    assert (answer.rule, answer.condition) == ("pdm-project", "missing")
    assert answer.would_create is not None
    assert (answer.would_create.command, answer.would_create.prefix) == ("pdm install", os.fsencode(project / ".venv"))
    write(project / "uv.lock")
    assert field.resolve(project).rule == "uv-project"


@pytest.mark.parametrize("value", ['"false"', "false", "0", '"No"', '""'])
def test_falsehoods(field: Playfield, project: Path, value: str) -> None:
    """PDM's booleans may be words; where the pool's environment will be called cannot be known."""
    write(project / "pdm.toml", f"[venv]\nin_project = {value}\n")
    answer = field.resolve(project)
    assert answer.would_create is not None
    assert answer.would_create.prefix == b""
    answer = field.resolve(project, {"PDM_VENV_IN_PROJECT": b"1"})
    assert answer.would_create is not None
    assert answer.would_create.prefix == os.fsencode(project / ".venv")


@pytest.mark.parametrize("text", ["venv = 1", "venv = []", "[venv]\nlocation = 1", "[[venv]]\nlocation = 1",
                                  '[venv]\nlocation = "\\u0000"', "[python]\nuse_venv = []", "python = 3"])  # fmt: skip
@pytest.mark.parametrize("name", ["pdm.toml", ".pdm.toml", "../.config/pdm/config.toml", "../own.toml"])
def test_wrong_types_never_raise(field: Playfield, project: Path, name: str, text: str) -> None:
    """A setting of the wrong type is no setting, wherever it stands; a use_venv that is empty says no."""
    write(project / "pdm.lock")
    write(project / name, text)
    overrides = {"PDM_CONFIG_FILE": b"../own.toml"} if "own" in name else {}
    assert field.resolve(project, overrides).rule in {"pdm-project", "pdm-pep582"}


@pytest.mark.parametrize("saved", [True, False])
def test_pep_582_is_named_as_such(field: Playfield, project: Path, saved: bool) -> None:
    """Without an environment of its own the project's __pypackages__ is the prefix, for the saved Python's X.Y."""
    base = field.base("3.11.7")
    for minor in ("3.9", "3.11", "3.12", "x"):
        (project / "__pypackages__" / minor / "lib").mkdir(parents=True)
    write(project / "pdm.lock")
    if saved:
        write(project / ".pdm-python", f"{base}/bin/python3")
    answer = field.resolve(project)
    minor = "3.11" if saved else "3.12"
    prefix = project / "__pypackages__" / minor
    assert seen(answer) == ("pdm-pep582", str(prefix))
    environment = answer.environment
    assert environment is not None
    assert (environment.kind, environment.system, environment.python_version) == ("pep582", "pdm", minor)
    assert environment.site_packages == (os.fsencode(prefix / "lib"),)
    assert environment.interpreter == os.fsencode(base / "bin" / "python3" if saved else prefix / "bin" / "python")
    assert environment.base == (os.fsencode(base) if saved else None)
    assert environment.name == "p"
    assert not answer.linked


def test_pep_582_that_is_not_there_yet(field: Playfield, project: Path) -> None:
    """Told to use no environment, PDM ignores a .venv that stands; alight does not offer it either."""
    write(project / "pdm.lock")
    field.venv(project / ".venv")
    answer = field.resolve(project, {"PDM_USE_VENV": b"0"})
    assert (answer.rule, answer.condition) == ("pdm-pep582", "missing")
    assert answer.would_create is not None
    assert answer.would_create.prefix == b""
    assert [alternative.rule for alternative in answer.alternatives] == ["venv-directory"]


def test_macos_and_xdg(field: Playfield) -> None:
    """Python's platformdirs keeps settings and data in one place on macOS, unless XDG variables say otherwise."""
    mac = os.fsencode(field.home) + b"/Library/Application Support/pdm/venvs"
    assert Pdm().pools(facts(field, "darwin")) == (mac,)
    assert Pdm().pools(facts(field, "darwin", XDG_DATA_HOME="/d")) == (b"/d/pdm/venvs",)
    assert Pdm().pools(facts(field)) == (os.fsencode(field.home) + b"/.local/share/pdm/venvs",)
    write(field.home / "Library/Application Support/pdm/config.toml", '[venv]\nlocation = "~/there"\n')
    assert Pdm().pools(facts(field, "darwin")) == (os.fsencode(field.home / "there"),)


def test_listed_and_described(field: Playfield, project: Path) -> None:
    """The pool's venvs are PDM's, conda environments in it are conda's, and anything else describes itself."""
    pool = field.home / ".local/share/pdm/venvs"
    venv = field.venv(pool / pooled(project))
    (pool / pooled(project, "conda") / "conda-meta").mkdir(parents=True)
    (pool / "nothing").mkdir()
    known = facts(field)
    listed = [Path(os.fsdecode(prefix)).name for prefix in Pdm().list(known)]
    assert listed == [pooled(project), pooled(project, "conda")]
    described = Pdm().describe(os.fsencode(venv), known)
    assert described is not None
    assert (described.system, described.kind) == ("pdm", "venv")
    assert Pdm().describe(os.fsencode(pool / pooled(project, "conda")), known) is None
    assert Pdm().describe(os.fsencode(field.venv(project / ".venv")), known) is None


def test_a_hostile_workspace_pattern_costs_nothing(field: Playfield, project: Path) -> None:
    """Patterns are matched in linear time, and a member that is none is its own root."""
    member = project / "/".join("a" * 30)
    patterns = ["**/" * 300 + "b", "*" * 1000, "../*", "/", ""] + ["x"] * 300
    write(project / "pyproject.toml", f"[tool.pdm.workspace]\nmembers = {patterns}\n")
    write(member / "pyproject.toml", MANIFEST.format(""))
    write(member / "pdm.lock")
    assert field.resolve(member).root == os.fsencode(member)


def test_an_interpreter_behind_a_link(field: Playfield, project: Path) -> None:
    """The environment is where the saved path lies, not where its link leads."""
    prefix = field.venv(field.home / "real")
    link(field.home / "alias", str(prefix))
    write(project / ".pdm-python", str(field.home / "alias" / "bin" / "python"))
    assert seen(field.resolve(project)) == ("pdm-python", str(field.home / "alias"))


def test_the_trail_names_every_rule(field: Playfield, project: Path) -> None:
    """``alight why`` says why the saved Python was not taken and what was."""
    prefix = field.venv(project / ".venv")
    write(project / "pdm.lock")
    write(project / ".pdm-python", f"{prefix}/bin/python")
    steps = field.resolve(project, {"PDM_IGNORE_SAVED_PYTHON": b"1"}, trail=True).trail
    told = [(step.rule, step.outcome) for step in steps if step.rule.startswith("pdm")]
    assert told == [("pdm-python", "skipped"), ("pdm-project", "hit")]
