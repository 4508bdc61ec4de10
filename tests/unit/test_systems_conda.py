"""conda's prefixes, roots and names, on the layout that conda leaves (the programs are in no registry)."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import pytest

from alight.files.documents import Documents
from alight.model import Resolution
from alight.systems import condarc as settings
from alight.systems import condaroots
from alight.systems.base import CONVENTION, INSIDE, LOCAL, MISSING, NAMED, Claim, Facts
from alight.systems.conda import Conda, name_of, root_of, wanted
from support.condashape import conda_prefix, conda_root, condarc, environments_txt, micromamba_root, pixi_environment
from support.playfield import Playfield, link, write


@pytest.fixture(autouse=True)
def _of_this_home_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(condaroots, "SHARED", ())
    monkeypatch.setattr(settings, "SYSTEM", ())


@pytest.fixture
def project(field: Playfield) -> Path:
    directory = field.home / "p"
    directory.mkdir()
    return directory


@pytest.fixture
def root(field: Playfield) -> Path:
    return conda_root(field.home / "miniconda3", environments=("web", "p"))


def facts(field: Playfield, directory: Path | None = None, **overrides: object) -> Facts:
    disk = field.disk()
    values = {name: os.fsencode(str(value)) for name, value in overrides.items()}
    return Facts(disk, values, os.fsencode(field.home), os.fsencode(directory or field.home), Documents(disk))


def claim(field: Playfield, level: Path, **overrides: object) -> Claim | None:
    return Conda().claim(os.fsencode(level), facts(field, level, **overrides))


def seen(answer: Claim | None) -> tuple[str, int, str, str | None]:
    assert answer is not None
    return answer.rule, answer.rank, answer.confidence, None if answer.prefix is None else os.fsdecode(answer.prefix)


def listed(field: Playfield, **overrides: object) -> list[str]:
    return [os.fsdecode(prefix) for prefix in Conda().list(facts(field, **overrides))]


def prefix_of(answer: Resolution) -> str | None:
    return None if answer.environment is None else os.fsdecode(answer.environment.prefix)


@pytest.mark.parametrize(
    ("name", "rank", "confidence"),
    [
        (".venv", CONVENTION, "high"), (".conda", LOCAL, "medium"), ("env", LOCAL, "medium"),
        ("venv", LOCAL, "medium"), ("envs/default", LOCAL, "medium"),
    ],
)  # fmt: skip
def test_a_prefix_in_the_project(field: Playfield, project: Path, name: str, rank: int, confidence: str) -> None:
    """A conda prefix with a usual name belongs to the project; .venv is the one convention, the others are habits."""
    env = conda_prefix(project / name)
    assert seen(claim(field, project)) == ("conda-local", rank, confidence, str(env))
    answer = field.resolve(project)
    assert answer.environment is not None
    assert (prefix_of(answer), answer.environment.kind, answer.environment.system) == (str(env), "conda", "conda")
    assert not answer.linked


def test_several_prefixes_in_the_project(field: Playfield, project: Path, root: Path) -> None:
    """The better rank is first, the others and the named one stand behind it."""
    for name in (".venv", ".conda", "env"):
        conda_prefix(project / name)
    write(project / "environment.yml", "name: web\n")
    answer = claim(field, project)
    assert answer is not None
    assert answer.prefix == os.fsencode(project / ".venv")
    assert [other.prefix for other in answer.others] == [
        os.fsencode(path) for path in (project / ".conda", project / "env", root / "envs" / "web")
    ]


def test_a_venv_and_a_named_environment(field: Playfield, project: Path, root: Path) -> None:
    """Beside a venv, conda's own claim is made all the same, and becomes an alternative."""
    field.venv(project / ".venv")
    write(project / "environment.yml", "name: web\n")
    answer = field.resolve(project)
    assert prefix_of(answer) == str(project / ".venv")
    assert [(other.rule, other.environment.prefix) for other in answer.alternatives] == [
        ("conda-yml", os.fsencode(root / "envs" / "web"))
    ]


def test_a_plain_directory_is_no_prefix(field: Playfield, project: Path) -> None:
    """A directory called env without conda-meta, and a venv, are not conda's."""
    (project / "env").mkdir()
    field.venv(project / ".venv")
    assert claim(field, project) is None


def test_inside_a_prefix(field: Playfield, project: Path) -> None:
    """A directory below a conda prefix belongs to that prefix."""
    env = conda_prefix(project / ".conda")
    assert seen(claim(field, env)) == ("inside-environment", INSIDE, "certain", str(env))
    assert prefix_of(field.resolve(env / "lib" / "python3.12")) == str(env)


@pytest.mark.parametrize("file", ["environment.yml", "environment.yaml"])
def test_a_name_in_the_roots_directory(field: Playfield, project: Path, root: Path, file: str) -> None:
    """The name in environment.yml is looked for in the root's envs: a name only, so medium and not linked."""
    write(project / file, "name: web\ndependencies:\n  - python\n")
    answer = claim(field, project)
    assert seen(answer) == ("conda-yml", NAMED, "medium", str(root / "envs" / "web"))
    assert answer is not None
    assert (answer.owner, answer.linked, answer.evidence[0]) == ("conda", False, os.fsencode(project / file))


@pytest.mark.parametrize("where", ["CONDA_ENVS_DIRS", "CONDA_ENVS_PATH", ".condarc", "~/.conda/envs", "second root"])
def test_a_name_in_every_directory(field: Playfield, project: Path, root: Path, where: str) -> None:
    """All envs_dirs are searched: variables, settings, the user's own directory, and other roots'."""
    other = field.home / "other"
    pool = {"~/.conda/envs": field.home / ".conda" / "envs", "second root": field.home / "miniforge3" / "envs"}
    env = conda_prefix(pool.get(where, other) / "deep")
    if where == "second root":
        conda_root(field.home / "miniforge3")
    if where == ".condarc":
        condarc(field.home, envs_dirs=["/nowhere", "~/other"])
    write(project / "environment.yml", "name: deep\n")
    overrides = {where: f"/nowhere:{other}"} if where.startswith("CONDA") else {}
    assert seen(claim(field, project, **overrides))[3] == str(env)
    assert root.exists()


def test_the_order_of_the_directories(field: Playfield, project: Path, root: Path) -> None:
    """What is set comes before the root's own envs, and a directory without conda-meta is no environment."""
    set_up = field.home / "set"
    (set_up / "web").mkdir(parents=True)
    condarc(field.home, envs_dirs=[str(set_up)])
    write(project / "environment.yml", "name: web\n")
    assert seen(claim(field, project))[3] == str(root / "envs" / "web")
    env = conda_prefix(set_up / "web")
    assert seen(claim(field, project))[3] == str(env)


@pytest.mark.parametrize("mode", [0o644, 0o444])
def test_a_root_that_is_not_writable(field: Playfield, root: Path, mode: int) -> None:
    """The user's own directory comes first when the root's history cannot be written."""
    (root / "conda-meta" / "history").chmod(mode)
    known = facts(field)
    known.disk.uid = os.getuid() or 1000
    if os.getuid() == 0:
        field.owners[os.fsencode(root / "conda-meta" / "history")] = 1000
    own, shared = field.home / ".conda" / "envs", root / "envs"
    expected = [shared, own] if mode == 0o644 else [own, shared]
    assert list(condaroots.envs_dirs(known))[:2] == [os.fsencode(path) for path in expected]


@pytest.mark.parametrize("there", [True, False])
def test_a_prefix_in_the_file(field: Playfield, project: Path, root: Path, there: bool) -> None:
    """A prefix: counts before the name, but only where an environment stands."""
    elsewhere = field.home / "elsewhere"
    if there:
        conda_prefix(elsewhere)
    write(project / "environment.yml", f"name: web\nprefix: {elsewhere}\n")
    assert seen(claim(field, project))[3] == str(elsewhere if there else root / "envs" / "web")


def test_the_name_base(field: Playfield, project: Path, root: Path) -> None:
    """``base`` is the root itself."""
    write(project / "environment.yml", "name: base\n")
    assert seen(claim(field, project))[3] == str(root)


@pytest.mark.parametrize(
    ("overrides", "command"),
    [
        ({}, "conda env create -f environment.yml"),
        ({"CONDA_EXE": "/x/bin/conda", "MAMBA_EXE": "/x/bin/mamba"}, "conda env create -f environment.yml"),
        ({"MAMBA_EXE": "/x/bin/mamba"}, "mamba env create -f environment.yml"),
        ({"MAMBA_EXE": "/x/micromamba"}, "micromamba create -f environment.yml"),
    ],
)
def test_a_missing_environment(
    field: Playfield, project: Path, root: Path, overrides: dict[str, str], command: str
) -> None:
    """Without the environment the answer is how to make it, by the tool the shell has, and where it would be."""
    write(project / "environment.yml", "name: new\n")
    answer = claim(field, project, **overrides)
    assert seen(answer) == ("conda-yml", MISSING, "medium", None)
    assert answer is not None
    assert answer.would_create is not None
    assert answer.would_create.command == command
    assert answer.would_create.prefix == os.fsencode(root / "envs" / "new")


def test_missing_with_the_other_ending(field: Playfield, project: Path) -> None:
    """The command names the file that is there; without any conda, where it would be is not known."""
    write(project / "environment.yaml", "name: surely-not-there\n")
    answer = claim(field, project)
    assert answer is not None
    assert answer.would_create is not None
    assert answer.would_create.command == "conda env create -f environment.yaml"


def test_missing_without_a_name(field: Playfield, project: Path) -> None:
    """A file that names nothing would be created in the project."""
    write(project / "environment.yml", "dependencies: [python]\n")
    answer = claim(field, project)
    assert answer is not None
    assert answer.would_create is not None
    assert answer.would_create.command == "conda env create -f environment.yml -p .conda"
    assert answer.would_create.prefix == os.fsencode(project / ".conda")


def test_a_lock_alone(field: Playfield, project: Path) -> None:
    """conda-lock.yml names the tool, too."""
    write(project / "conda-lock.yml", "version: 1\n")
    answer = claim(field, project)
    assert seen(answer) == ("conda-lock", MISSING, "medium", None)


@pytest.mark.parametrize(
    ("text", "name", "prefix"),
    [
        ("name: web", "web", ""),
        ("name:   'web'   # the site", "web", ""),
        ('name: "web"\nprefix: "/a b/c"\n', "web", "/a b/c"),
        ("channels: [x]\nname: web # x\nprefix: ~\n", "web", ""),
        ('{"name": "web"}', "web", ""),
        ("name: !!str web\n", "web", ""),
        ("name: &x web\n", "web", ""),
        ("name: >-\n  web\n", "web", ""),
        ("\tname: web", "", ""),
        ("dependencies:\n  - name: web\n", "", ""),
        ("name: ../../etc\n", "", ""),
        ("name: ..\n", "", ""),
        ("name: a:b\n", "", ""),
        ("name: [web]\n", "", ""),
        ("name: 3\n", "3", ""),
        ('name: "\\ud800"\n', "", ""),
        ("name: !!python/object/apply:os.system ['x']\n", "", ""),
        ("name: " + "x" * 300, "", ""),
        ("name:\n", "", ""),
        ("- name\n", "", ""),
        ("", "", ""),
        ("name: {{ name }}\n", "", ""),
        ("\ufeffname: web\n", "web", ""),
    ],
)
def test_what_a_file_asks_for(field: Playfield, project: Path, text: str, name: str, prefix: str) -> None:
    """Name and prefix of plain files are read without a parser, of others with one; nonsense is nothing."""
    path = write(project / "environment.yml", text.encode("utf-8", "surrogatepass"))
    assert wanted(os.fsencode(path), facts(field)) == (name.encode(), prefix.encode())


def test_a_same_named_environment_is_a_guess(field: Playfield, project: Path, root: Path) -> None:
    """An environment called like the project is shown where conda is set up, and never chosen."""
    write(project / "pyproject.toml", "[project]\nname = 'p'\n")
    overrides = {"CONDA_EXE": os.fsencode(root / "bin" / "conda")}
    assert field.resolve(project).alternatives == ()
    answer = field.resolve(project, overrides)
    assert answer.environment is None
    assert [(other.rule, other.environment.prefix) for other in answer.alternatives] == [
        ("same-name", os.fsencode(root / "envs" / "p"))
    ]


def test_no_guess_without_a_marker(field: Playfield, project: Path, root: Path) -> None:
    """A directory that is no project is not compared with names."""
    assert field.resolve(project, {"CONDA_EXE": os.fsencode(root / "bin" / "conda")}).alternatives == ()


def test_the_list(field: Playfield, root: Path) -> None:
    """Roots, their environments, those of every envs_dirs and of environments.txt; nothing that is no prefix."""
    condarc(field.home, envs_dirs=["~/pool"])
    pooled, far = conda_prefix(field.home / "pool" / "a"), conda_prefix(field.home / "far" / "b")
    (root / "envs" / "empty").mkdir()
    environments_txt(field.home, far, far, "/gone", "relative", field.home / "pool" / "a")
    expected = {root, root / "envs" / "web", root / "envs" / "p", pooled, far}
    found = listed(field)
    assert sorted(found) == sorted(str(path) for path in expected)


def test_a_list_of_environments_that_is_empty(field: Playfield, root: Path) -> None:
    """environments.txt only adds: cut off in the middle of being rewritten, it takes nothing away."""
    environments_txt(field.home, root)
    before = listed(field)
    write(field.home / ".conda" / "environments.txt", b"")
    assert listed(field) == before
    write(field.home / ".conda" / "environments.txt", b"\0\xff\n/\n" * 100)
    assert listed(field) == before


def test_a_root_known_by_its_environments(field: Playfield, project: Path) -> None:
    """A root anywhere is found through the registered environments in its envs, or through the shell's variables."""
    root = conda_root(field.home / "strange" / "place", environments=("web",))
    write(project / "environment.yml", "name: web\n")
    assert seen(claim(field, project))[3] is None
    for variable in ("CONDA_EXE", "MAMBA_EXE"):
        assert seen(claim(field, project, **{variable: root / "bin" / "conda"}))[3] == str(root / "envs" / "web")
    for variable in ("_CONDA_ROOT", "MAMBA_ROOT_PREFIX"):
        assert seen(claim(field, project, **{variable: root}))[3] == str(root / "envs" / "web")
    environments_txt(field.home, root / "envs" / "web")
    assert seen(claim(field, project))[3] == str(root / "envs" / "web")


@pytest.mark.parametrize("place", ["miniforge3", ".local/share/mamba", ".pyenv/versions/miniconda3-24.1"])
def test_roots_in_usual_places(field: Playfield, project: Path, place: str) -> None:
    """Installations are found where installers put them."""
    root = conda_root(field.home / place, environments=("web",))
    write(project / "environment.yml", "name: web\n")
    assert seen(claim(field, project))[3] == str(root / "envs" / "web")


def test_a_micromamba_root(field: Playfield, project: Path) -> None:
    """Micromamba's root has packages and environments, but is no prefix itself."""
    root = micromamba_root(field.home / "micromamba", environments=("web",))
    write(project / "environment.yml", "name: web\n")
    assert seen(claim(field, project))[3] == str(root / "envs" / "web")
    assert listed(field) == [str(root / "envs" / "web")]
    assert root_of(os.fsencode(root / "envs" / "web"), facts(field)) == os.fsencode(root)


def test_whose_prefix_it_is(field: Playfield, root: Path, project: Path) -> None:
    """A prefix belongs to the root around it, else to the shell's conda, else to the one that made it."""
    made = conda_root(field.home / "maker")
    far = conda_prefix(
        project / "far", history=f"# cmd: {made}/lib/python3.12/site-packages/conda/__main__.py create -p {project}\n"
    )
    alone = conda_prefix(project / "alone")
    known = facts(field)
    encoded = os.fsencode
    assert root_of(encoded(root), known) == encoded(root)
    assert root_of(encoded(root / "envs" / "web"), known) == encoded(root)
    assert root_of(encoded(far), known) == encoded(made)
    assert root_of(encoded(far), facts(field, CONDA_EXE=root / "condabin" / "conda")) == encoded(root)
    assert root_of(encoded(alone), known) is None
    assert root_of(b"/nowhere", known) is None


def test_the_names(field: Playfield, root: Path, project: Path) -> None:
    """The name is what conda itself exports: base, the part below envs, else the path."""
    far, known = conda_prefix(project / "far"), facts(field)
    assert name_of(os.fsencode(root), known) == "base"
    assert name_of(os.fsencode(root / "envs" / "web"), known) == "web"
    assert name_of(os.fsencode(far), known) == str(far)
    other = conda_root(field.home / "other")
    shell = facts(field, CONDA_EXE=other / "bin" / "conda")
    assert (name_of(os.fsencode(other), shell), name_of(os.fsencode(root), shell)) == ("base", str(root))


def test_the_description(field: Playfield, root: Path) -> None:
    """Version, interpreter, libraries and the name shown come from the files alone."""
    described = Conda().describe(os.fsencode(root / "envs" / "web"), facts(field))
    assert described is not None
    prefix = os.fsencode(root / "envs" / "web")
    assert (described.kind, described.system, described.prompt) == ("conda", "conda", "web")
    assert (described.python_version, described.base_version) == ("3.12.4", "3.12.4")
    assert described.interpreter == prefix + b"/bin/python"
    assert described.site_packages == (prefix + b"/lib/python3.12/site-packages",)
    assert described.libraries == ("python3.12",)
    assert (described.base, described.home, described.settings) == (None, None, None)


@pytest.mark.parametrize(
    ("record", "library", "version"),
    [
        ("python-3.13.1-h9a34b6e_5_cp313t.json", "python3.13t", "3.13.1"),
        ("python-3.14.0rc2-h1_0_cp314.json", "python3.14", "3.14.0rc2"),
        ("pypy3.9-7.3.15-h9557127_1.json", "pypy3.9", "3.9"),
        ("python-dateutil-2.9.0-pyhd8ed1ab_0.json", None, ""),
        ("python_abi-3.12-5_cp312.json", None, ""),
    ],
)
def test_the_version_of_a_record(
    field: Playfield, project: Path, record: str, library: str | None, version: str
) -> None:
    """Only the record of Python itself dates it: not those of packages whose names begin alike."""
    env = conda_prefix(project / "env", None)
    write(env / "conda-meta" / record, "{}")
    if library is not None:
        (env / "lib" / library / "site-packages").mkdir(parents=True)
    described = Conda().describe(os.fsencode(env), facts(field))
    assert described is not None
    assert (described.python_version, described.libraries) == (version, () if library is None else (library,))


def test_a_large_prefix(field: Playfield, project: Path) -> None:
    """A conda-meta that is too large to list does not hide the version: the headers tell."""
    env = conda_prefix(project / "env", "3.11.9")
    for number in range(1100):
        write(env / "conda-meta" / f"package-{number}-1.0-py311_0.json", "{}")
    described = Conda().describe(os.fsencode(env), facts(field))
    assert described is not None
    assert (described.python_version, described.libraries) == ("3.11.9", ("python3.11",))


def test_others_prefixes(field: Playfield, project: Path) -> None:
    """A venv and a plain directory are not described, pixi's are pixi's."""
    field.venv(project / ".venv")
    known = facts(field)
    assert Conda().describe(os.fsencode(project / ".venv"), known) is None
    assert Conda().describe(os.fsencode(project), known) is None
    env = pixi_environment(project)
    assert field.resolve(env).environment is not None
    environments_txt(field.home, env)
    assert listed(field) == []


def test_links_are_followed_but_kept(field: Playfield, project: Path, root: Path) -> None:
    """A linked prefix is answered by its name in the project."""
    link(project / ".conda", str(root / "envs" / "web"))
    assert seen(claim(field, project))[3] == str(project / ".conda")


def test_the_pools(field: Playfield, root: Path) -> None:
    """What is watched: every envs_dirs, there or not, and the directory of environments.txt."""
    condarc(field.home, envs_dirs=["/nowhere"])
    pools = Conda().pools(facts(field))
    wished = (b"/nowhere", os.fsencode(root / "envs"), os.fsencode(field.home / ".conda"))
    assert set(wished) <= set(pools)


@pytest.mark.parametrize("ruin", ["file", "link", "fifo", "directory"])
def test_hostile_manifests(field: Playfield, project: Path, ruin: str) -> None:
    """What is no regular file is not opened, and claims nothing."""
    path = project / "environment.yml"
    makers: Mapping[str, object] = {
        "file": lambda: write(path, b"\xff\xfe\0name: x"),
        "link": lambda: path.symlink_to(path),
        "fifo": lambda: os.mkfifo(path),
        "directory": path.mkdir,
    }
    makers[ruin]()  # type: ignore[operator]
    answer = claim(field, project)
    assert answer is None or answer.prefix is None
