"""Where the real uv keeps a project's environment, and which Python it takes, is what is read of it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from alight.files.disk import Disk
from alight.files.documents import Documents
from alight.model import Resolution
from alight.resolver import resolve
from alight.systems.base import Facts
from alight.systems.uv import Uv, selection
from support.playfield import Clock, Playfield, link, write
from support.pythons import pythons
from support.tools import clean_environment

PROJECT = '[project]\nname = "{}"\nversion = "0"\nrequires-python = ">=3.8"\n'
CENTRAL = ("--preview-features", "centralized-project-envs")


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A home with a workspace of two packages in it."""
    root = tmp_path / "home" / "my work"
    write(root / "pyproject.toml", PROJECT.format("root") + '[tool.uv.workspace]\nmembers = ["packages/*"]\n')
    write(root / "packages" / "one" / "pyproject.toml", PROJECT.format("one"))
    (root / "packages" / "one" / "src").mkdir()
    write(tmp_path / "home" / "single" / "pyproject.toml", PROJECT.format("single"))
    (tmp_path / "home" / "single" / "docs").mkdir()
    return tmp_path / "home"


def uv(home: Path, directory: Path, *words: str, **variables: str) -> str:
    """What uv prints, without network and with a cache of its own."""
    program = shutil.which("uv", path=f"{Path(sys.executable).parent}:{os.environ['PATH']}")
    assert program is not None, "uv belongs to the test environment"
    settings = {"UV_CACHE_DIR": str(home / "cache"), "UV_OFFLINE": "1", "UV_PYTHON_DOWNLOADS": "never", **variables}
    environment = clean_environment(home, **settings)
    done = subprocess.run(
        [program, *words], cwd=directory, env=environment, capture_output=True, text=True, timeout=60, check=True
    )
    return done.stdout.strip()


def look(home: Path, directory: Path, **variables: str) -> Resolution:
    overrides = {name: value.encode() for name, value in variables.items()}
    return resolve(os.fsencode(directory), overrides, Disk(os.getuid(), Clock()), os.fsencode(home))


@pytest.mark.parametrize(
    ("place", "chosen"),
    [
        ("single", None),
        ("single/docs", None),
        ("single", "env/relative"),
        ("single/docs", "env/relative"),
        ("single", "{home}/elsewhere/absolute"),
        ("my work", None),
        ("my work/packages/one", None),
        ("my work/packages/one/src", None),
        ("my work/packages/one", "relative"),
        ("my work/packages/one/src", "{home}/absolute"),
    ],
)
def test_project_environments(home: Path, place: str, chosen: str | None) -> None:
    """Before it exists, and after: by default, with $UV_PROJECT_ENVIRONMENT relative or absolute, from a member."""
    directory = home / place
    variables = {} if chosen is None else {"UV_PROJECT_ENVIRONMENT": chosen.replace("{home}", str(home))}
    # Without a lock file a single project is anybody's; a workspace is uv's.
    if place.startswith("single"):
        uv(home, directory, "lock", "-q", "-p", str(pythons()[-1].executable))
    before = look(home, directory, **variables)
    assert before.condition == "missing"
    assert before.would_create is not None
    uv(home, directory, "sync", "-q", "-p", str(pythons()[-1].executable), **variables)
    said = uv(home, directory, "run", "--no-sync", "python", "-c", "import sys; print(sys.prefix)", **variables)
    after = look(home, directory, **variables)
    assert after.environment is not None
    assert os.fsdecode(after.environment.prefix) == said == os.fsdecode(before.would_create.prefix)
    assert (after.condition, after.rule, after.environment.system) == ("found", "uv-project", "uv")
    assert after.environment.python_version == pythons()[-1].version


@pytest.mark.parametrize("form", ["link", "file"])
@pytest.mark.parametrize("place", ["single", "single/docs", "my work", "my work/packages/one"])
def test_central_environments(home: Path, place: str, form: str) -> None:
    """With the preview feature .venv is a link into the cache, or a file as uv writes where links cannot be made."""
    directory = home / place
    uv(home, directory, "sync", "-q", *CENTRAL, "-p", str(pythons()[-1].executable))
    said = uv(home, directory, "run", *CENTRAL, "--no-sync", "python", "-c", "import sys; print(sys.prefix)")
    pointer = home / place.partition("/")[0] / ".venv"
    assert os.readlink(pointer) == said
    if form == "file":
        pointer.unlink()
        write(pointer, said)
    answer = look(home, directory, UV_CACHE_DIR=str(home / "cache"))
    assert (answer.condition, os.fsdecode(answer.root)) == ("found", str(pointer.parent))
    assert answer.environment is not None
    assert os.path.samefile(answer.environment.prefix, said)
    assert os.fsdecode(answer.environment.prefix) == (said if form == "file" else str(pointer))
    assert answer.environment.system == "uv"
    disk = Disk(os.getuid(), Clock())
    facts = Facts(disk, {"UV_CACHE_DIR": os.fsencode(home / "cache")}, os.fsencode(home), b"/", Documents(disk))
    assert list(Uv().list(facts)) == [os.fsencode(said)]


def managed(home: Path) -> tuple[list[str], bool]:
    """(versions laid out as uv's own, oldest first; whether they are real), by folders that link to real Pythons.

    A machine whose only Python is the distribution's has none to link to: there the layout alone is read.
    """
    real: dict[str, Path] = {}
    for python in pythons():
        prefix = Path(os.path.realpath(python.executable)).parents[1]
        if prefix != Path("/usr") and python.version.split(".")[1] in {"10", "11", "12"}:
            real[python.version] = prefix
    for version in real or ("3.10.13", "3.12.1"):
        place = home / ".local/share/uv/python" / f"cpython-{version}-linux-x86_64-gnu"
        if not real:
            Playfield(home).base(version, place)
        for name in ("bin", "lib", "include") if real else ():
            link(place / name, str(real[version] / name))
    return list(real) or ["3.10.13", "3.12.1"], bool(real)


@pytest.mark.parametrize("form", ["minor", "exact", "second request", "name first", "member", "versions", "specifier"])
def test_version_files(home: Path, form: str) -> None:
    """The Python that uv finds is the one read: first request, nearest file of the workspace, names ignored."""
    versions, real = managed(home)
    oldest, newest = versions[0], versions[-1]
    minor = ".".join(oldest.split(".")[:2])
    root, member = home / "my work", home / "my work" / "packages" / "one"
    text = {
        "minor": f"{minor}\n",
        "exact": f"{oldest}\n",
        "second request": f"# ours\n\n{minor}\n{newest}\n",
        "name first": f"my-virtualenv\n{minor}\n",
        "member": f"{minor}\n",
        "versions": f"{minor}\n",
        "specifier": f">={minor},<={oldest}\n",
    }[form]
    if form == "member":
        write(root / ".python-version", f"{newest}\n")
    name = ".python-versions" if form == "versions" else ".python-version"
    write((member if form == "member" else root) / name, text)
    disk = Playfield(home).disk()
    facts = Facts(disk, {}, os.fsencode(home), os.fsencode(member), Documents(disk))
    found = selection(facts, (os.fsencode(member), os.fsencode(member.parent), os.fsencode(root)))
    assert found is not None
    assert found.interpreter is not None
    assert (found.interpreter.origin, found.interpreter.python_version) == ("uv", oldest)
    if real:
        said = uv(home, member, "python", "find")
        assert os.path.samefile(os.fsdecode(found.interpreter.executable), said)
