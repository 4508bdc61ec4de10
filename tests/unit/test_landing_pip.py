"""pip's landing: options, guards and schemes, over environments of which only the layout is real."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest

from alight.landing import program
from alight.landing.base import Context
from alight.landing.pip import Pip, is_pip
from support.callers import caller
from support.installers import ask, ends, lands, with_pip
from support.playfield import Playfield, write


@pytest.fixture
def field(tmp_path: Path) -> Playfield:
    home = tmp_path / "home"
    home.mkdir()
    return Playfield(home)


@pytest.fixture
def env(field: Playfield) -> Path:
    field.base()
    return with_pip(field, field.venv(field.home / "env"))


OWN = "env/lib/python3.11/site-packages"


def test_every_spelling_of_pip_is_pip() -> None:
    """pip, pip3, pip3.12, pip-3.12 and pip3.13t are pip; pipx, pip-sync and pip.py are not."""
    assert all(is_pip(word) for word in ("pip", "pip3", "pip2.7", "pip3.12", "pip-3.12", "pip3.13t", "pip-3"))
    assert not any(is_pip(word) for word in ("pipx", "pip-sync", "pip.py", "pipenv", "pip3."))
    assert all(is_pip(word) for word in Pip().words)


@pytest.mark.parametrize(
    ("words", "where"),
    [
        ("install tiny", OWN),
        ("install --target t tiny", "t"),
        ("install -tt tiny", "t"),
        ("install -Ut t tiny", "t"),
        ("install -qqUI tiny", OWN),
        ("install --targ t tiny", "t"),
        ("install -t a -t b tiny", "b"),
        ("install tiny -t after", "after"),
        ("install --prefix p tiny", "p/lib/python3.11/site-packages"),
        ("-v --timeout 5 install tiny", OWN),
        ("--log install install tiny", OWN),
        ("install -V tiny", OWN),
        ("install --no-user tiny", OWN),
        ("install --root r --prefix p tiny", "r/p/lib/python3.11/site-packages"),
    ],
)
def test_options_say_where(field: Playfield, env: Path, words: str, where: str) -> None:
    """Long options may be abbreviated, short ones clustered, and the last value holds."""
    assert lands(Pip(), field, f"{env}/bin/pip {words}") == where


@pytest.mark.parametrize(
    "words",
    [
        "install --pref p tiny", "install --bogus tiny", "install -t", "inst tiny", "install", "install --user tiny",
        "install -t t --user tiny", "install -p tiny", "install --python other tiny", "install --upgrade=1 tiny",
        "install --platform any tiny", "install --timeout soon tiny", "install -- tiny -t", "install -C foo tiny",
        "install -t t --prefix p tiny", "install --upgrade-strategy odd tiny", "--python 3.11 install tiny",
    ],
)  # fmt: skip
def test_what_pip_refuses(field: Playfield, env: Path, words: str) -> None:
    """Unknown, ambiguous, incomplete and contradicting options end pip before it writes."""
    assert ends(Pip(), field, f"{env}/bin/pip {words}")[0] == "stops"


@pytest.mark.parametrize(
    "words", ["list", "freeze", "install -h", "install tiny --help", "--version", "", "help install"]
)
def test_what_only_shows_is_of_no_interest(field: Playfield, env: Path, words: str) -> None:
    """Help, versions and commands that show are no installs."""
    assert ask(Pip(), field, f"{env}/bin/pip {words}".strip()) is None


@pytest.mark.parametrize("words", ["download tiny", "wheel tiny -w w", "install --dry-run tiny"])
def test_what_lands_nowhere(field: Playfield, env: Path, words: str) -> None:
    """Downloads, wheels and dry runs write no packages."""
    assert ends(Pip(), field, f"{env}/bin/pip {words}") == ("nothing", "no-landing")


def test_a_variable_sets_what_the_line_does_not(field: Playfield, env: Path) -> None:
    """PIP_TARGET holds unless the line names another, is not empty, and --isolated is not there."""
    pip = f"{env}/bin/pip"
    assert lands(Pip(), field, f"{pip} install tiny", PIP_TARGET="t") == "t"
    assert lands(Pip(), field, f"{pip} install -t u tiny", PIP_TARGET="t") == "u"
    assert lands(Pip(), field, f"{pip} install tiny", PIP_TARGET="") == OWN
    assert lands(Pip(), field, f"{pip} --isolated install tiny", PIP_TARGET="t") == OWN
    assert lands(Pip(), field, f"{pip} install --isolated tiny", PIP_TARGET="t") == OWN
    assert lands(Pip(), field, f"{pip} install --isol tiny", PIP_TARGET="t") == "t"
    assert lands(Pip(), field, f"{pip} install tiny", PIP_ISOLATED="1", PIP_TARGET="t") == "t"


def test_no_user_as_a_variable_turns_user_on(field: Playfield, env: Path) -> None:
    """PIP_NO_USER=1 means the opposite, and in an environment without the user's site that is an error."""
    pip = f"{env}/bin/pip"
    assert ends(Pip(), field, f"{pip} install tiny", PIP_NO_USER="1") == ("stops", "bad-options")
    assert lands(Pip(), field, f"{pip} install tiny", PIP_USER="0") == OWN
    assert lands(Pip(), field, f"{pip} install --no-user tiny", PIP_USER="1") == OWN
    write(env / "pyvenv.cfg", (env / "pyvenv.cfg").read_text().replace("false", "true"))
    user = ".local/lib/python3.11/site-packages"
    assert lands(Pip(), field, f"{pip} install tiny", PIP_NO_USER="1") == user
    assert lands(Pip(), field, f"{pip} install --user tiny", PYTHONUSERBASE=str(field.home / "u")) == f"u{user[6:]}"


def test_user_without_user_site_depends_on_the_release(field: Playfield, env: Path) -> None:
    """Since 25.3 pip refuses --user where the user's site-packages are disabled; before, it uses them."""
    write(env / "pyvenv.cfg", (env / "pyvenv.cfg").read_text().replace("false", "true"))
    line = f"{env}/bin/pip install --user tiny"
    assert lands(Pip(), field, line, PYTHONNOUSERSITE="1") == ".local/lib/python3.11/site-packages"
    with_pip(field, env, "25.3")
    assert ends(Pip(), field, line, PYTHONNOUSERSITE="1") == ("stops", "bad-options")


def test_python_hands_over(field: Playfield, env: Path) -> None:
    """--python and PIP_PYTHON lead to another interpreter, which needs no pip; its version and a missing one do not."""
    with_pip(field, field.venv(field.home / "other"))
    where = "other/lib/python3.11/site-packages"
    assert lands(Pip(), field, f"{env}/bin/pip --python other install tiny") == where
    assert lands(Pip(), field, f"{env}/bin/pip --python {field.home}/other/bin/python install tiny") == where
    assert lands(Pip(), field, f"{env}/bin/pip install tiny", PIP_PYTHON="other") == where
    assert ends(Pip(), field, f"{env}/bin/pip install tiny", PIP_PYTHON="gone") == ("stops", "interpreter-missing")
    found = ask(Pip(), field, f"{env}/bin/pip install tiny", PIP_PYTHON="other")
    assert found is not None
    assert "PIP_PYTHON is set" in found.because


def test_an_abbreviated_python_is_ambiguous_the_second_time(field: Playfield, env: Path) -> None:
    """Behind the command --pyth could be --python-version, too."""
    with_pip(field, field.venv(field.home / "other"))
    assert ends(Pip(), field, f"{env}/bin/pip --pyth other install tiny")[0] == "stops"


def test_a_required_environment(field: Playfield, env: Path) -> None:
    """require-virtualenv stops a base Python's pip whatever it does, and no environment's."""
    base = with_pip(field, field.base("3.11.7"))
    for words in ("install tiny", "install -t t tiny", "download tiny", "uninstall tiny", "wheel tiny"):
        assert ends(Pip(), field, f"{base}/bin/pip {words}", PIP_REQUIRE_VIRTUALENV="1") == (
            "stops",
            "require-virtualenv",
        )
    assert lands(Pip(), field, f"{env}/bin/pip install tiny", PIP_REQUIRE_VIRTUALENV="1") == OWN


def test_the_marker_guards_a_base(field: Playfield) -> None:
    """PEP 668 stops installs and removals; a directory, a report and a wish get past it; old pips do not know it."""
    base = with_pip(field, field.base("3.11.7"))
    write(base / "lib" / "python3.11" / "EXTERNALLY-MANAGED")
    pip = f"{base}/bin/pip"
    for words in ("install tiny", "install --user tiny", "install --dry-run tiny", "uninstall -y tiny"):
        assert ends(Pip(), field, f"{pip} {words}") == ("stops", "externally-managed")
    assert lands(Pip(), field, f"{pip} install -t t tiny") == "t"
    assert ends(Pip(), field, f"{pip} install --dry-run --report r tiny") == ("nothing", "no-landing")
    own = ".pyenv/versions/3.11.7/lib/python3.11/site-packages"
    assert lands(Pip(), field, f"{pip} install --break-system-packages tiny") == own
    assert lands(Pip(), field, f"{pip} install tiny", PIP_BREAK_SYSTEM_PACKAGES="1") == own
    with_pip(field, base, "22.0.4")
    assert lands(Pip(), field, f"{pip} install tiny") == own


def test_an_old_pip_ignores_python_behind_the_command(field: Playfield, env: Path) -> None:
    """Before 23.2, --python behind the command has no effect."""
    with_pip(field, env, "23.0.1")
    assert lands(Pip(), field, f"{env}/bin/pip install --python other tiny") == OWN


def test_nothing_is_said_about_pips_that_are_not_known(field: Playfield, env: Path) -> None:
    """A pip without a version, an ancient one, and a newer one's unknown option are unknown, not errors."""
    line = f"{env}/bin/pip install tiny"
    with_pip(field, env, "9.0.1")
    assert ends(Pip(), field, line) == ("unknown", "unknown-settings")
    write(env / "lib" / "python3.11" / "site-packages" / "pip" / "__init__.py", "from x import __version__\n")
    assert ends(Pip(), field, line) == ("unknown", "unknown-settings")
    with_pip(field, env, "99.0")
    assert ends(Pip(), field, f"{env}/bin/pip install --brand-new tiny") == ("unknown", "unknown-settings")
    found = ask(Pip(), field, line)
    assert found is not None
    assert (found.outcome, found.certainty) == ("lands", "likely")


def test_a_word_nobody_knows(field: Playfield, env: Path) -> None:
    """A word that only the shell can expand may be an option."""
    context = caller(field.home, field.home)
    pip = os.fsencode(env / "bin" / "pip")
    for words in ((b"install", None), (b"install", b"-t", None), (None, b"install"), (b"--log", None)):
        found = Pip().predict((pip, *words), program.find(pip, context), context)
        assert found is not None
        assert (found.outcome, found.reason) == ("unknown", "unknown-word")


def test_no_program_no_module_no_interpreter(field: Playfield, env: Path) -> None:
    """What cannot be started lands nowhere."""
    context = caller(field.home, field.home)
    found = Pip().predict((b"pip", b"install", b"tiny"), None, context)
    assert found is not None
    assert found.reason == "no-such-command"
    bare = with_pip(field, field.venv(field.home / "bare"))
    (bare / "lib" / "python3.11" / "site-packages" / "pip" / "__init__.py").unlink()
    write(bare / "bin" / "pip", f"#!{bare}/bin/python\n").chmod(0o755)
    assert ends(Pip(), field, f"{bare}/bin/pip install tiny") == ("stops", "no-such-module")
    write(bare / "bin" / "pip", "#!/gone/python\n").chmod(0o755)
    assert ends(Pip(), field, f"{bare}/bin/pip install tiny") == ("stops", "interpreter-missing")


def test_requirements_for_the_replacement(field: Playfield, env: Path) -> None:
    """The words that say what is installed are kept; any other option makes the command no plain one."""
    found = ask(Pip(), field, f"{env}/bin/pip install a -r r.txt -e . b")
    assert found is not None
    assert (found.requirements, found.plain) == ((b"-r", b"r.txt", b"-e", b".", b"a", b"b"), True)
    found = ask(Pip(), field, f"{env}/bin/pip install -U a")
    assert found is not None
    assert (found.requirements, found.plain) == ((b"a",), False)


def test_uninstall_takes_what_is_found_first(field: Playfield, env: Path) -> None:
    """What is not there is left alone; what lies outside an environment, too; names are compared normalised."""
    assert ends(Pip(), field, f"{env}/bin/pip uninstall -y tiny") == ("nothing", "no-landing")
    write(env / "lib" / "python3.11" / "site-packages" / "Big_Thing-1.0.dist-info" / "METADATA")
    assert lands(Pip(), field, f"{env}/bin/pip uninstall -y big.thing") == OWN
    write(env / "pyvenv.cfg", (env / "pyvenv.cfg").read_text().replace("false", "true"))
    base = field.home / ".pyenv" / "versions" / "3.11.7"
    write(base / "lib" / "python3.11" / "site-packages" / "tiny-1.0.dist-info" / "METADATA")
    assert ends(Pip(), field, f"{env}/bin/pip uninstall -y tiny") == ("nothing", "no-landing")
    assert ends(Pip(), field, f"{env}/bin/pip uninstall") == ("stops", "bad-options")


def test_the_users_site_comes_first_for_a_base(field: Playfield) -> None:
    """Outside an environment pip removes the user's copy before its own."""
    base = with_pip(field, field.base("3.11.7"))
    user = ".local/lib/python3.11/site-packages"
    for site in (base / "lib" / "python3.11" / "site-packages", field.home / user):
        write(site / "tiny-1.0.dist-info" / "METADATA")
    assert lands(Pip(), field, f"{base}/bin/pip uninstall -y tiny") == user


def test_a_relative_root_that_is_not_there(field: Playfield, env: Path) -> None:
    """A relative root is climbed to nothing, which is not writable, so that the user's scheme is taken inside it."""
    base = with_pip(field, field.base("3.11.7"))
    line = f"{base}/bin/pip install --root r tiny"
    assert lands(Pip(), field, line) == f"r{field.home}/.local/lib/python3.11/site-packages"
    (field.home / "r").mkdir()
    assert lands(Pip(), field, line) == f"r{base}/lib/python3.11/site-packages"
    assert lands(Pip(), field, f"{env}/bin/pip install --root q tiny") == f"q{env}/lib/python3.11/site-packages"


def test_distutils_settings_are_not_guessed_at(field: Playfield) -> None:
    """Before Python 3.10, pip takes its scheme from distutils, whose files may set anything."""
    field.base("3.9.18")
    env = with_pip(field, field.venv(field.home / "old", "3.9.18"), minor="3.9")
    assert lands(Pip(), field, f"{env}/bin/pip install tiny") == "old/lib/python3.9/site-packages"
    write(field.home / ".pydistutils.cfg", "[install]\nprefix=/x\n")
    assert ends(Pip(), field, f"{env}/bin/pip install tiny") == ("unknown", "unknown-settings")


def test_the_interpreters_options(field: Playfield, env: Path) -> None:
    """-s and -I hide the user's site-packages from pip, -E shows them again; PYTHONUSERBASE counts all the same."""
    write(env / "pyvenv.cfg", (env / "pyvenv.cfg").read_text().replace("false", "true"))
    with_pip(field, env, "26.3")
    context = caller(field.home, field.home, {"PYTHONNOUSERSITE": "1", "PYTHONUSERBASE": str(field.home / "u")})

    def said(context: Context, flags: str) -> str:
        started = program.find(os.fsencode(env / "bin" / "python"), context)
        assert started is not None
        with_flags = replace(started, flags=frozenset(flags))
        found = Pip().predict((b"pip", b"install", b"--user", b"tiny"), with_flags, context)
        assert found is not None
        return found.outcome if found.landing is None else os.fsdecode(found.landing.prefix)

    assert said(context, "") == "stops"
    assert said(context, "s") == "stops"
    assert said(context, "I") == "stops"
    assert said(context, "E") == str(field.home / "u")
