"""Which events in a watched folder matter, and how soon."""

from __future__ import annotations

import pytest

from alight.watch.names import Interest, Sight, Weight, holds_packages, weigh, weigh_in


@pytest.mark.parametrize(
    "name",
    [
        ".venv",
        "venv",
        "env",
        ".conda",
        ".direnv",
        ".pixi",
        ".python-envs",
        "pyproject.toml",
        "uv.lock",
        "poetry.lock",
        "Pipfile",
        "Pipfile.lock",
        "pylock.dev.toml",
        "poetry.toml",
        "pdm.toml",
        ".pdm-python",
        "environment.yml",
        "environment.yaml",
        "pixi.toml",
        ".python-version",
        ".python-versions",
        ".tool-versions",
        ".mise.local.toml",
        "requirements-dev.txt",
        "setup.cfg",
        "hatch.toml",
        "bin",
        "lib",
    ],
)
@pytest.mark.parametrize("how", ["appeared", "written", "vanished"])
def test_names_of_the_watch_list_are_told_at_once(name: str, how: str) -> None:
    """Every name of the project's and the environment's watch list counts, however it changed."""
    sight = Sight(name.encode(), appeared=how == "appeared", written=how == "written")
    assert weigh(sight, packages=False) is Weight.NOW


@pytest.mark.parametrize("name", [b"main.py", b"pyproject.toml~", b".pyproject.toml.swp", b"venv.txt", b"\xff"])
def test_other_files_of_a_project_are_no_news(name: bytes) -> None:
    """A project's ordinary files, and an editor's beside a manifest, change no answer."""
    assert weigh(Sight(name, appeared=True), packages=False) is None
    assert weigh(Sight(name, written=True), packages=False) is None


def test_any_folder_may_be_an_environment() -> None:
    """A directory of any name counts; its makers go on after it appeared, and not after it vanished."""
    assert weigh(Sight(b"my env", appeared=True, directory=True), packages=False) is Weight.SETTLE
    assert weigh(Sight(b"my env", directory=True), packages=False) is Weight.NOW


def test_pyvenv_cfg_is_followed_by_the_rest_of_the_environment() -> None:
    """Makers write pyvenv.cfg before the interpreter's link, so there is more to see a little later."""
    assert weigh(Sight(b"pyvenv.cfg", appeared=True), packages=False) is Weight.SETTLE
    assert weigh(Sight(b"pyvenv.cfg", written=True), packages=False) is Weight.SETTLE
    assert weigh(Sight(b"pyvenv.cfg"), packages=False) is Weight.NOW


def test_uv_closing_its_lock_ends_a_transaction() -> None:
    """The `.lock` of uv is a sign only when it is closed after writing, not when it appears."""
    assert weigh(Sight(b".lock", written=True), packages=False) is Weight.FLUSH
    assert weigh(Sight(b".lock", appeared=True), packages=False) is None


def test_packages_are_told_when_they_are_quiet() -> None:
    """In site-packages only what installers keep their records in counts, and never at once."""
    for name in (b"pip-24.0.dist-info", b"a.egg-info", b"b.egg-link", b"_editable.pth", b"~ip"):
        assert weigh(Sight(name, appeared=True, directory=True), packages=True) is Weight.LATER
        assert weigh(Sight(name), packages=True) is Weight.LATER
    for name in (b"pip", b"__pycache__", b"six.py", b"pyvenv.cfg", b"bin"):
        assert weigh(Sight(name, appeared=True, directory=True), packages=True) is None


def test_package_folders_are_known_by_their_name() -> None:
    """Debian's dist-packages are packages, too; a folder whose name merely ends so is not."""
    assert holds_packages(b"/e/lib/python3.12/site-packages")
    assert holds_packages(b"/usr/lib/python3/dist-packages")
    assert not holds_packages(b"/e/my-site-packages")
    assert not holds_packages(b"/")


@pytest.mark.parametrize("name", [b"python", b"python3", b"python3.12", b"python3.12-config"])
def test_an_interpreter_that_goes_is_told_at_once(name: bytes) -> None:
    """In a folder for programs interpreters count, and the scripts that packages bring along do not."""
    assert weigh_in(b"/p/.venv/bin", Sight(name)) is Weight.NOW
    assert weigh_in(b"/p/.venv/bin", Sight(name, appeared=True)) is Weight.SETTLE
    assert weigh_in(b"/p/.venv/bin", Sight(b"pytest", appeared=True)) is None
    assert weigh_in(b"/p/.venv", Sight(name)) is None
    assert weigh_in(b"/usr/bin", Sight(name), Interest(frozenset({b"python3.11"}), only=True)) is None
