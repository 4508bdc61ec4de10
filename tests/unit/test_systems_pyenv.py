"""pyenv's versions, its virtualenvs and the grammar of ``.python-version``."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from alight.files.documents import Documents
from alight.interpreters import Selection
from alight.systems import SYSTEMS
from alight.systems.base import Facts
from alight.systems.pins import chosen
from alight.systems.pyenv import Pyenv, selection, words_of
from support.playfield import Playfield, link, write


@pytest.fixture(autouse=True)
def registered(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """These tests ask pyenv first, whatever the usual order is."""
    systems = (Pyenv(), *(system for system in SYSTEMS if not isinstance(system, Pyenv)))
    monkeypatch.setattr("alight.resolver.SYSTEMS", systems)
    return iter(())


@pytest.fixture
def project(field: Playfield) -> Path:
    """A project's directory; a few Pythons and one virtualenv, as pyenv-virtualenv lays it out."""
    for version in ("3.8.9", "3.8.10", "3.12.1", "3.13.0rc1", "3.13.0t"):
        field.base(version.removesuffix("t").removesuffix("rc1"), field.home / ".pyenv/versions" / version)
    virtualenv(field, "web")
    directory = field.home / "p"
    directory.mkdir()
    return directory


def virtualenv(field: Playfield, name: str, base: str = "3.12.1") -> Path:
    """An environment below its base, and pyenv-virtualenv's short name for it."""
    versions = field.home / ".pyenv" / "versions"
    link(versions / name, str(field.venv(versions / base / "envs" / name, base)))
    return versions / name


def facts_of(field: Playfield, overrides: dict[str, bytes] | None = None) -> Facts:
    disk = field.disk()
    return Facts(disk, overrides or {}, os.fsencode(field.home), os.fsencode(field.home / "p"), Documents(disk))


def selected(field: Playfield, overrides: dict[str, bytes] | None = None) -> Selection:
    levels = (os.fsencode(field.home / "p"), os.fsencode(field.home))
    return selection(facts_of(field, overrides), levels)


@pytest.mark.parametrize("word", ["web", "3.12.1/envs/web", "  web 3.8.9\r\n", "#x\n\nweb\n3.12\n", "python-web"])
def test_a_named_virtualenv(field: Playfield, project: Path, word: str) -> None:
    """A virtualenv that .python-version names first is a mere name: medium, unlinked, spelled as written."""
    write(project / ".python-version", word)
    answer = field.resolve(project)
    assert (answer.rule, answer.confidence, answer.condition) == ("pyenv-virtualenv", "medium", "found")
    assert not answer.linked
    spelled = "3.12.1/envs/web" if "/" in word else "web"
    assert answer.environment is not None
    assert answer.environment.prefix == os.fsencode(field.home / ".pyenv/versions" / spelled)
    assert (answer.environment.system, answer.environment.kind, answer.environment.name) == ("pyenv", "venv", "web")
    assert answer.evidence[0] == os.fsencode(project / ".python-version")


@pytest.mark.parametrize("word", ["3.12\n", "system\n", "3.12.1\nweb\n", "", "# web\n"])
def test_a_plain_version_is_no_environment(field: Playfield, project: Path, word: str) -> None:
    """A version, `system`, a virtualenv that is not first, and an empty file claim nothing."""
    write(project / ".python-version", word)
    answer = field.resolve(project)
    assert answer.environment is None
    assert answer.findings == ()


def test_an_environment_of_the_project_comes_first(field: Playfield, project: Path) -> None:
    """A .venv beside the .python-version wins; the named one is an alternative."""
    field.venv(project / ".venv")
    write(project / ".python-version", "web\n")
    answer = field.resolve(project)
    assert answer.rule == "venv-directory"
    assert [alternative.rule for alternative in answer.alternatives] == ["pyenv-virtualenv"]


@pytest.mark.parametrize("word", ["nope\n", "../../p\n", "web/../../../p\n", "..\n", "/etc\n", "miniconda3-4.7\n"])
def test_a_name_for_which_nothing_is_installed(field: Playfield, project: Path, word: str) -> None:
    """An unknown name and one that leads out of `versions` are said, and nothing is claimed."""
    write(project / ".python-version", word)
    answer = field.resolve(project)
    assert answer.environment is None
    assert [finding.code for finding in answer.findings] == ["pin-unknown"]
    assert word.strip() in answer.findings[0].message


def test_several_virtualenvs(field: Playfield, project: Path) -> None:
    """Two different virtualenvs are ambiguous, as pyenv-virtualenv refuses them; two names of one are not."""
    virtualenv(field, "api")
    write(project / ".python-version", "web\napi\n")
    answer = field.resolve(project)
    assert answer.environment is None
    assert [finding.code for finding in answer.findings] == ["ambiguous"]
    assert len(answer.alternatives) == 2
    write(project / ".python-version", "web\n3.12.1/envs/web\n")
    assert field.resolve(project).rule == "pyenv-virtualenv"


def test_the_shells_choice_speaks_for_the_file(field: Playfield, project: Path) -> None:
    """$PYENV_VERSION replaces what a .python-version says, and does not make an answer where there is none."""
    write(project / ".python-version", "3.8\n")
    (field.home / "q").mkdir()
    answer = field.resolve(project, {"PYENV_VERSION": b"web:3.8"})
    assert answer.environment is not None
    assert answer.environment.prefix == os.fsencode(field.home / ".pyenv/versions/web")
    assert field.resolve(field.home / "q", {"PYENV_VERSION": b"web"}).environment is None
    write(project / ".python-version", "web\n")
    assert field.resolve(project, {"PYENV_VERSION": b"3.8"}).environment is None


def test_an_environment_beside_conda(field: Playfield, project: Path) -> None:
    """What lies in a conda installation's envs is an environment, the installation itself is a plain version."""
    versions = field.home / ".pyenv" / "versions"
    write(versions / "miniconda3-4.7/conda-meta/history")
    write(versions / "miniconda3-4.7/envs/ml/conda-meta/history")
    write(project / ".python-version", "miniconda3-4.7/envs/ml\n")
    prefix = os.fsencode(versions / "miniconda3-4.7/envs/ml")
    assert selected(field).environments == (prefix,)
    write(project / ".python-version", "miniconda3-4.7\n")
    assert (selected(field).environments, selected(field).names) == ((), ("miniconda3-4.7",))


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", ()),
        (b"3.12", (b"3.12",)),
        (b"3.12 3.11\n\t3.10 # newest\n", (b"3.12", b"3.10")),
        (b"3.12\r\n\r\n3.11\r", (b"3.12", b"3.11")),
        (b"\r3.12\n", (b"3.12",)),
        (b"#3.12\n #3.11\n3.10#x\n", (b"3.10#x",)),
        (b"3.12:3.11::\n", (b"3.12", b"3.11")),
        (b"\xff\xfe\0\n", (b"\xff\xfe",)),
        (b"x" * 1030, (b"x" * 1024, b"x" * 6)),
    ],
)
def test_words(content: bytes, words: tuple[bytes, ...]) -> None:
    """Each line gives its first word; comments, blank lines and carriage returns do not."""
    assert words_of(content) == words


@pytest.mark.parametrize(
    ("word", "name"),
    [
        ("3.8", "3.8.10"),
        ("python-3.8", "3.8.10"),
        ("3", "3.12.1"),
        ("3.13", None),
        ("3.13.0rc1", "3.13.0rc1"),
        ("3.13t", "3.13.0t"),
        ("3.1", None),
        ("we", None),
        ("*", None),
    ],
)
def test_prefixes(field: Playfield, project: Path, word: str, name: str | None) -> None:
    """A prefix takes the newest final release that begins with it and a dot; `t` asks for the free-threaded."""
    write(project / ".python-version", word)
    assert selected(field).names == (() if name is None else (name,))
    assert selected(field).missing == ((word,) if name is None else ())


def test_which_file_counts(field: Playfield, project: Path) -> None:
    """The variable, then the nearest file even if it is empty, then the user's own default, then `system`."""
    assert selected(field).names == ("system",)
    write(field.home / ".pyenv/version", "3.8.9\n")
    assert (selected(field).names, selected(field).fallback) == (("3.8.9",), True)
    write(field.home / ".python-version", "3.12\n")
    assert (selected(field).names, selected(field).fallback) == (("3.12.1",), False)
    write(project / ".python-version", "")
    assert selected(field).names == ("system",)
    assert selected(field, {"PYENV_VERSION": b"3.8.10"}).names == ("3.8.10",)


def test_what_pyenv_lacks_may_be_anothers(field: Playfield, project: Path) -> None:
    """A version that uv manages answers a .python-version that pyenv cannot; an unknown one is a finding."""
    field.base("3.14.1", field.home / ".local/share/uv/python/cpython-3.14.1-linux-x86_64-gnu")
    write(project / ".python-version", "3.14\n")
    found = chosen(facts_of(field), (os.fsencode(project),))
    assert found is not None
    assert found.interpreter is not None
    assert (found.interpreter.origin, found.interpreter.python_version, found.missing) == ("uv", "3.14.1", ())
    write(project / ".python-version", "2.6\n")
    lacking = chosen(facts_of(field), (os.fsencode(project),))
    assert lacking is not None
    finding = lacking.finding()
    assert finding is not None
    assert (finding.code, finding.evidence) == ("pin-unknown", (os.fsencode(project / ".python-version"),))


def test_listing(field: Playfield, project: Path) -> None:
    """Each virtualenv once, by its short name where it has one; bases are no environments, pools need not exist."""
    versions = field.home / ".pyenv" / "versions"
    field.venv(versions / "3.12.1/envs/unnamed", "3.12.1")
    link(versions / "again", "web")
    facts = facts_of(field)
    found = [os.fsdecode(prefix) for prefix in Pyenv().list(facts)]
    assert found == [str(versions / "again"), str(versions / "3.12.1/envs/unnamed")]
    assert Pyenv().pools(facts) == (os.fsencode(versions), os.fsencode(versions / "3.12.1/envs"))
    nowhere = facts_of(field, {"PYENV_ROOT": b"/nowhere"})
    assert (list(Pyenv().list(nowhere)), Pyenv().pools(nowhere)) == ([], (b"/nowhere/versions",))


def test_whose_a_linked_environment_is(field: Playfield, project: Path) -> None:
    """A .venv that is a link to one of pyenv's is pyenv's; a venv elsewhere is not, wherever its base is."""
    link(project / ".venv", str(field.home / ".pyenv/versions/web"))
    environment = field.resolve(project).environment
    assert environment is not None
    assert environment.system == "pyenv"
    own = field.venv(field.home / "q" / ".venv", "3.12.1")
    assert Pyenv().describe(os.fsencode(own), facts_of(field)) is None
