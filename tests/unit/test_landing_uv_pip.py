"""uv's command line, its settings and its search for an environment, without running it."""

from __future__ import annotations

import os

import pytest

from alight.landing import program
from alight.landing.uvoptions import parse
from alight.landing.uvpip import UvPip
from alight.landing.uvrelease import version
from support.playfield import Playfield, write
from support.uvland import ELF, Land, where


@pytest.fixture
def land(field: Playfield) -> Land:
    return Land(field)


@pytest.mark.parametrize(
    ("line", "command", "options", "words"),
    [
        ("uv pip install x", "pip install", [], ["x"]),
        ("uv -q pip --offline install x -U", "pip install", ["quiet", "offline", "upgrade"], ["x"]),
        ("uv pip install -Up3.12 x", "pip install", ["upgrade", "python"], ["x"]),
        ("uv pip install -p=3.12 -- -x", "pip install", ["python"], ["-x"]),
        ("uv run --with a pip install -p b", "run", ["with"], ["pip", "install", "-p", "b"]),
        ("uv run -m pip install", "run", ["module"], ["pip", "install"]),
        ("uv add -m x y", "add", ["marker"], ["y"]),
        ("uv tool install -e x", "tool install", ["editable"], ["x"]),
        ("uv pip install -e x", "pip install", ["editable"], []),
        ("uv v -c", "venv", ["clear"], []),
    ],
)
def test_command_lines(line: str, command: str, options: list[str], words: list[str]) -> None:
    """Groups, options before and behind the command, clusters, values in all forms, and what runs something else."""
    found = parse(tuple(word.encode() for word in line.split()))
    assert (found.command, [name for name, _ in found.options]) == (command, options)
    assert [word.decode() for word in found.words if word is not None] == words
    assert not (found.invalid or found.strange or found.opaque)


@pytest.mark.parametrize(
    "line", ["-t a -t b", "--system --system", "--target=", "-p", "--target --system", "--dry-run=1", "-U -U"]
)
def test_refused_command_lines(line: str) -> None:
    """Most options may be given once, and a value may not look like an option."""
    assert parse(tuple(f"uv pip install x {line}".encode().split())).invalid


def test_switches_undo_each_other() -> None:
    """Of --system and --no-system the last one holds, and one of each is no repetition."""
    found = parse(tuple(b"uv pip install --no-system --system --no-system x".split()))
    assert (found.switch("system"), found.invalid) == (False, "")


@pytest.mark.parametrize(("word", "reason"), [(None, "unknown-word"), (b"--no-such", "bad-options")])
def test_what_is_not_known_is_unknown(land: Land, word: bytes | None, reason: str) -> None:
    """A word of the shell's or an option of another release: nothing is said."""
    context = land.context()
    found = UvPip().predict((b"uv", b"pip", b"install", word, b"x"), program.find(b"uv", context), context)
    assert found is not None
    assert (found.outcome, found.reason) == ("unknown", reason)


@pytest.mark.parametrize("line", ["uv pip list", "uv pip show x", "uv cache clean", "uv"])
def test_nothing_of_interest(land: Land, line: str) -> None:
    """Commands that only show are not predicted."""
    context = land.context()
    assert UvPip().predict(tuple(line.encode().split()), program.find(b"uv", context), context) is None


def test_the_order_of_environments(land: Land) -> None:
    """VIRTUAL_ENV, a child of conda's, the nearest .venv, and what is first on PATH: one after the other."""
    active, project, first = land.venv("a"), land.venv("p/.venv"), land.venv("first")
    kid = land.base("3.12.1", land.home / "conda/envs/kid")
    (kid / "conda-meta").mkdir()
    conda = {"CONDA_PREFIX": kid, "CONDA_DEFAULT_ENV": "kid"}
    path = f"{land.uv.parent}:{first}/bin"
    sub = land.folder("p/sub")
    assert where(land.asked("uv pip install x", sub, VIRTUAL_ENV=active, PATH=path, **conda)) == str(active)
    assert where(land.asked("uv pip install x", sub, PATH=path, **conda)) == str(kid)
    assert where(land.asked("uv pip install x", sub, PATH=path)) == str(project)
    assert where(land.asked("uv pip install x", PATH=path)) == str(first)
    assert where(land.asked("uv pip install x")) == "no-environment"


def test_dead_variables_are_passed_over(land: Land) -> None:
    """VIRTUAL_ENV that is gone or no environment does not stop uv; one whose Python is gone does."""
    project, broken = land.venv("p/.venv"), land.venv("broken")
    (broken / "bin" / "python").unlink()
    directory = project.parent
    for value in (land.home / "none", land.folder("plain"), land.base()):
        assert where(land.asked("uv pip install x", directory, VIRTUAL_ENV=value)) == str(project)
    assert where(land.asked("uv pip install x", directory, VIRTUAL_ENV=broken)) == "interpreter-missing"


def test_the_walk_has_no_boundary(land: Land) -> None:
    """An environment in the home directory catches everything below, and a hollow .venv ends the walk."""
    stray = land.venv(".venv")
    assert where(land.asked("uv pip install x", land.folder("p/deep"))) == str(stray)
    land.folder("p/.venv")
    assert where(land.asked("uv pip install x", land.folder("p/deep"))) == "no-environment"


@pytest.mark.parametrize(
    ("release", "expected"),
    [("0.13.9", "env"), ("0.12.5", "outer"), ("0.13.0", "unknown-settings"), (None, "unknown-settings")],
)
def test_a_file_called_venv(field: Playfield, release: str | None, expected: str) -> None:
    """Releases differ about a .venv file; one that is not known is not guessed at."""
    land = Land(field, release)
    land.venv("env")
    outer = land.venv(".venv")
    write(land.folder("p") / ".venv", "../env\n")
    names = {"env": str(land.home / "env"), "outer": str(outer)}
    assert os.path.normpath(where(land.asked("uv pip install x", land.home / "p"))) == names.get(expected, expected)


@pytest.mark.parametrize(
    ("name", "variables", "expected"),
    [
        ("kid", {"CONDA_DEFAULT_ENV": "kid"}, "kid"),
        ("kid", {}, "kid"),
        ("kid", {"CONDA_DEFAULT_ENV": "base"}, "no-environment"),
        ("base", {"CONDA_DEFAULT_ENV": "base"}, "base"),
        ("kid", {"CONDA_DEFAULT_ENV": "kid", "_CONDA_ROOT": "kid"}, "no-environment"),
    ],
)
def test_conda_children(land: Land, name: str, variables: dict[str, str], expected: str) -> None:
    """A child is told by its name in CONDA_DEFAULT_ENV, and the base by _CONDA_ROOT."""
    prefix = land.base("3.12.1", land.home / name)
    (prefix / "conda-meta").mkdir()
    if "_CONDA_ROOT" in variables:
        variables = {**variables, "_CONDA_ROOT": str(prefix)}
    found = land.asked("uv pip install x", CONDA_PREFIX=prefix, **variables)
    assert where(found) == (str(prefix) if expected == name else expected)


def test_older_releases_and_environments_called_base(field: Playfield) -> None:
    """Before 0.12 an environment called base was the base by its name alone."""
    land = Land(field, "0.11.0")
    prefix = land.base("3.12.1", land.home / "base")
    (prefix / "conda-meta").mkdir()
    found = land.asked("uv pip install x", CONDA_PREFIX=prefix, CONDA_DEFAULT_ENV="base")
    assert (found.outcome, found.reason) == ("unknown", "unknown-settings")


def test_versions_filter_and_paths_decide(land: Land) -> None:
    """A version passes over environments that do not fit, a path is taken as it is, a name is looked for on PATH."""
    active, project = land.venv("a", "3.12.1"), land.venv("p/.venv")
    directory = project.parent
    asked = {option: os.path.normpath(where(land.asked(f"uv pip install {option} x", directory, VIRTUAL_ENV=active)))
             for option in ("-p 3.12", "-p 3.11", "-p '>=3.12'", "-p 3.10", "-p ../a", "-p none")}  # fmt: skip
    assert list(asked.values()) == [str(active), str(project), str(active), "no-environment", str(active),
                                    "no-environment"]  # fmt: skip
    assert where(land.asked("uv pip install x", directory, UV_PYTHON=active)) == str(active)


def test_system(land: Land) -> None:
    """--system passes over environments, and the marker of PEP 668 stops it unless that is overruled."""
    active, base = land.venv("a"), land.base()
    variables = {"VIRTUAL_ENV": active, "PATH": f"{land.uv.parent}:{active}/bin:{base}/bin"}
    assert where(land.asked("uv pip install --system x", **variables)) == str(base)
    assert land.asked("uv pip install x", UV_SYSTEM_PYTHON="true", **variables).reason == "pyenv-global"
    write(base / "lib/python3.11/EXTERNALLY-MANAGED")
    assert where(land.asked("uv pip install --system x", **variables)) == "externally-managed"
    assert where(land.asked("uv pip install --system --break-system-packages x", **variables)) == str(base)
    assert where(land.asked("uv pip install --system --target t x", **variables)) == str(land.home / "empty/t")
    assert land.asked("uv pip install x", VIRTUAL_ENV=active, UV_SYSTEM_PYTHON="").reason == "bad-options"
    assert land.asked("uv pip install --no-system x", VIRTUAL_ENV=active, UV_SYSTEM_PYTHON="1").reason == "bad-options"


def test_settings_in_files(land: Land) -> None:
    """The project's file comes before the user's, uv.toml hides the table beside it, and --no-config all of them."""
    active, one, two = land.venv("a"), land.venv("one"), land.venv("two")
    user = write(land.home / ".config/uv/uv.toml", f'[pip]\npython = "{one}"\n')
    project = land.folder("p")
    assert where(land.asked("uv pip install x", project, VIRTUAL_ENV=active)) == str(one)
    write(project / "pyproject.toml", f'[tool.uv.pip]\npython = "{two}"\n')
    assert where(land.asked("uv pip install x", project, VIRTUAL_ENV=active)) == str(two)
    write(project / "uv.toml", "offline = true\n")
    assert where(land.asked("uv pip install x", project, VIRTUAL_ENV=active)) == str(one)
    assert where(land.asked("uv --no-config pip install x", project, VIRTUAL_ENV=active)) == str(active)
    assert where(land.asked("uv pip install x", project, VIRTUAL_ENV=active, UV_NO_CONFIG="1")) == str(active)
    chosen = write(land.home / "mine.toml", f'[pip]\npython = "{two}"\n')
    assert where(land.asked(f"uv --config-file {chosen} pip install x", project)) == str(two)
    user.write_text("[pip]\nno-such-key = 1\n[strange]\n")
    assert land.asked("uv pip install x", project, VIRTUAL_ENV=active).outcome == "unknown"
    user.write_text("= 1")
    assert land.asked("uv pip install x", project, VIRTUAL_ENV=active).outcome == "stops"


def test_a_target_wins_over_a_prefix(land: Land) -> None:
    """A target of the configuration wins even over --prefix; both belong to the directory of the command."""
    active = land.venv("a")
    write(land.folder("p") / "uv.toml", '[pip]\ntarget = "t"\n')
    found = land.asked("uv pip install --prefix q x", land.folder("p/sub"), VIRTUAL_ENV=active)
    assert (where(found), found.reason) == (str(land.home / "p/sub/t"), "explicit-directory")


@pytest.mark.parametrize(
    "line",
    ["uv pip install", "uv pip install --user x", "uv pip install -r none.txt", "uv pip install -t a --prefix b x"],
)
def test_refused_before_it_looks(land: Land, line: str) -> None:
    """What uv refuses by its options alone."""
    found = land.asked(line, VIRTUAL_ENV=land.venv("a"))
    assert (found.outcome, found.reason) == ("stops", "bad-options")


def test_a_directory_first(land: Land) -> None:
    """--directory moves the search for .venv, --project does not."""
    project = land.venv("p/.venv")
    assert where(land.asked(f"uv --directory {project.parent} pip install x")) == str(project)
    assert where(land.asked("uv pip install x", UV_WORKING_DIR=project.parent)) == str(project)
    assert where(land.asked(f"uv --project {project.parent} pip install x")) == "no-environment"


def test_dry_runs_write_nothing(land: Land) -> None:
    """--dry-run has no landing; what would stop it stops it all the same."""
    assert land.asked("uv pip install --dry-run x", VIRTUAL_ENV=land.venv("a")).outcome == "nothing"
    assert land.asked("uv pip install --dry-run x").outcome == "stops"


def test_requirements_are_kept(land: Land) -> None:
    """The words that another command can repeat, and whether anything else is said."""
    write(land.folder("empty") / "r.txt")
    found = land.asked("uv pip install x -r r.txt -e .", VIRTUAL_ENV=land.venv("a"))
    assert (found.requirements, found.plain) == ((b"x", b"-r", b"r.txt", b"-e", b"."), True)
    assert not land.asked("uv pip install -U x", VIRTUAL_ENV=land.home / "a").plain


@pytest.mark.parametrize(
    ("place", "expected"),
    [("opt/Cellar/uv/0.9.2/bin/uv", (0, 9, 2)), ("mise/installs/uv/0.8.1/uv-x/uv", (0, 8, 1)), ("own/bin/uv", None)],
)
def test_the_release_by_its_place(land: Land, place: str, expected: tuple[int, ...] | None) -> None:
    """Homebrew and mise say the release in the path; a lone file says nothing."""
    executable = write(land.home / place, ELF)
    executable.chmod(0o755)
    context = land.context()
    found = program.find(os.fsencode(executable), context)
    assert found is not None
    assert version(found, context) == expected


def test_the_release_by_the_installers_receipt(land: Land) -> None:
    """The standalone installer leaves the release in a file of the user's."""
    executable = write(land.home / ".local/bin/uv", ELF)
    executable.chmod(0o755)
    write(land.home / ".config/uv/uv-receipt.json", f'{{"install_prefix":"{land.home}/.local","version":"0.10.4"}}')
    context = land.context()
    found = program.find(os.fsencode(executable), context)
    assert found is not None
    assert version(found, context) == (0, 10, 4)
