"""Where each Python installs, by its scheme, its user's, or a directory that is asked for."""

from __future__ import annotations

import os
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from alight.landing.base import Context, Python
from alight.landing.python import inspect
from alight.landing.schemes import can_write, is_writable, land, packages, user_base, user_site_enabled
from support.callers import caller
from support.pythons import pythons

BASE = Python(b"/usr/bin/python3", b"/usr", b"/usr", b"python3.11", "base", "debian", system_site=True, managed=True)
VENV = Python(b"/e/bin/python", b"/e", b"/usr", b"python3.13t", "venv", "debian", system_site=False, managed=False)


@pytest.fixture
def context(tmp_path: Path) -> Context:
    """Somebody at home."""
    return caller(tmp_path, tmp_path)


def test_a_debian_python_installs_beside_the_distribution(context: Context) -> None:
    """Below /usr/local, unless Debian's own variable says otherwise."""
    found = land(BASE, context)
    assert (found.purelib, found.scheme, found.kind) == (
        b"/usr/local/lib/python3.11/dist-packages", "posix_local", "base",
    )  # fmt: skip
    for layout, purelib in (
        (b"deb", b"/usr/lib/python3/dist-packages"),
        (b"deb_system", b"/usr/lib/python3/dist-packages"),
        (b"unix", b"/usr/local/lib/python3.11/dist-packages"),
        (b"other", b"/usr/local/lib/python3.11/dist-packages"),
    ):
        chosen = context.inside(context.directory, DEB_PYTHON_INSTALL_LAYOUT=layout)
        assert land(BASE, chosen).purelib == purelib


@pytest.mark.skipif(not Path("/var/lib/dpkg/status").exists(), reason="this is no Debian")
@pytest.mark.parametrize("layout", ["", "deb", "deb_system", "unix", "other"])
def test_debian_itself_says_so(layout: str, tmp_path: Path) -> None:
    """The system's Python agrees for every value of the variable."""
    environ = {"HOME": str(tmp_path), "DEB_PYTHON_INSTALL_LAYOUT": layout}
    told = subprocess.run(
        ["/usr/bin/python3", "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"],
        env=environ, capture_output=True, check=True, timeout=30,
    )  # fmt: skip
    context = caller(tmp_path, tmp_path, environ)
    python = inspect(b"/usr/bin/python3", context)
    assert python is not None and land(python, context).purelib == told.stdout.strip()


@pytest.mark.parametrize(
    ("origin", "prefix", "purelib"),
    [
        ("pyenv", b"/p/versions/3.11.7", b"/p/versions/3.11.7/lib/python3.11/site-packages"),
        ("homebrew", b"/opt/homebrew/opt/python@3.11", b"/opt/homebrew/lib/python3.11/site-packages"),
        (
            "python.org",
            b"/Library/Frameworks/Python.framework/Versions/3.11",
            b"/Library/Frameworks/Python.framework/Versions/3.11/lib/python3.11/site-packages",
        ),
        ("xcode", b"/Applications/x/Python3.framework/Versions/3.11", b"/Library/Python/3.11/site-packages"),
        ("local", b"/usr/local", b"/usr/local/lib/python3.11/site-packages"),
    ],
)
def test_other_vendors(origin: str, prefix: bytes, purelib: bytes, context: Context) -> None:
    """Each vendor keeps packages where its own scheme says."""
    python = replace(BASE, prefix=prefix, base=prefix, origin=origin)
    assert land(python, context).purelib == purelib


def test_environments_and_free_threads(context: Context) -> None:
    """An environment takes packages into itself; free-threaded builds have a library of their own."""
    found = land(VENV, context)
    assert (found.purelib, found.scheme, found.kind) == (b"/e/lib/python3.13t/site-packages", "venv", "venv")
    assert not found.exists
    conda = replace(VENV, kind="conda", library=b"python3.12")
    assert (land(conda, context).scheme, land(conda, context).kind) == ("conda", "conda")


def test_the_user_site(context: Context, tmp_path: Path) -> None:
    """``~/.local``, what PYTHONUSERBASE names, or an Apple framework's folder."""
    home = os.fsencode(tmp_path)
    assert land(BASE, context, user=True).purelib == home + b"/.local/lib/python3.11/site-packages"
    assert land(BASE, context, user=True).kind == "user"
    for value, base in ((b"/u", b"/u"), (b"~/u", home + b"/u"), (b"u", home + b"/u")):
        assert user_base(context.inside(context.directory, PYTHONUSERBASE=value)) == base
    framework = replace(BASE, prefix=b"/L/Python.framework/Versions/3.11", base=b"/L/Python.framework/Versions/3.11")
    apple = replace(context, platform="darwin")
    found = land(framework, apple, user=True)
    assert found.purelib == home + b"/Library/Python/3.11/lib/python/site-packages"


def test_directories_that_are_asked_for(context: Context, tmp_path: Path) -> None:
    """A target is flat, a prefix has the environment layout, a root stands in front of everything."""
    home = os.fsencode(tmp_path)
    found = land(BASE, context, target=b"t/../u")
    assert (found.purelib, found.prefix, found.kind, found.scheme) == (
        home + b"/u", home + b"/u", "directory", "target",
    )  # fmt: skip
    assert land(BASE, context, prefix=b"/p").purelib == b"/p/lib/python3.11/site-packages"
    assert land(BASE, context, prefix=b"/p", local=True).purelib == b"/p/local/lib/python3.11/dist-packages"
    assert land(BASE, context, root=b"/r").purelib == b"/r/usr/local/lib/python3.11/dist-packages"
    assert land(BASE, context, root=b"/r", prefix=b"/p").purelib == b"/r/p/lib/python3.11/site-packages"
    assert (
        land(BASE, context, root=b"r", user=True).purelib
        == home + b"/r" + home + b"/.local/lib/python3.11/site-packages"
    )
    assert land(BASE, context, target=b"/usr/local/lib/python3.11/dist-packages").kind == "base"


def test_whether_the_user_site_counts(context: Context) -> None:
    """Not with -s and -I, not in a closed environment, and not where a variable says no, unless -E hides it."""
    none: frozenset[str] = frozenset()
    assert user_site_enabled(BASE, context, none) and not user_site_enabled(VENV, context, none)
    assert user_site_enabled(replace(VENV, system_site=True), context, none)
    assert not user_site_enabled(BASE, context, frozenset("s"))
    assert not user_site_enabled(BASE, context, frozenset("I"))
    off = context.inside(context.directory, PYTHONNOUSERSITE=b"1")
    assert not user_site_enabled(BASE, off, none) and user_site_enabled(BASE, off, frozenset("E"))
    assert user_site_enabled(BASE, context.inside(context.directory, PYTHONNOUSERSITE=b""), none)


def test_whether_one_may_write(context: Context, tmp_path: Path) -> None:
    """The nearest directory that exists decides, and root may behind sudo."""
    assert can_write(os.fsencode(tmp_path / "not/yet/there"), context)
    assert not can_write(b"/proc/self/nothing/there", context)
    assert can_write(b"/proc/self/nothing/there", replace(context, user="root"))
    mine = replace(VENV, prefix=os.fsencode(tmp_path / "e"))
    assert is_writable(mine, context)
    assert not is_writable(replace(VENV, prefix=b"/proc/self"), context)


@pytest.mark.parametrize("python", pythons()[-1:], ids=str)
def test_what_is_imported_comes_from_where_it_is_installed(python: object, context: Context) -> None:
    """The first directory of packages is the one that installs go to."""
    found = inspect(os.fsencode(python.executable), context)  # type: ignore[attr-defined]
    assert found is not None and packages(found, context)[0] == land(found, context).purelib
    assert b"/usr/lib/python3/dist-packages" in packages(BASE, context)
