"""Base Pythons found and dated without running one."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

from alight.interpreters import (
    base_version,
    default_scheme,
    find_interpreter,
    list_interpreters,
    pools,
    scanned_version,
)
from alight.model import Interpreter
from support.playfield import Playfield, link, write
from support.pythons import pythons


def listed(field: Playfield, overrides: dict[str, bytes] | None = None) -> list[tuple[str, str]]:
    """(origin, version) of what lies in this home."""
    found = list_interpreters(field.disk(), overrides or {}, os.fsencode(field.home))
    home = os.fsencode(field.home)
    return sorted((one.origin, one.python_version) for one in found if one.prefix.startswith(home))


def test_every_pool_and_each_python_once(field: Playfield) -> None:
    """pyenv, uv and mise are listed; second names and environments among them are not."""
    field.base("3.11.7")
    field.base("3.12.4", field.home / ".local/share/uv/python/cpython-3.12.4-linux-x86_64-gnu")
    link(field.home / ".local/share/uv/python/cpython-3.12-linux-x86_64-gnu", "cpython-3.12.4-linux-x86_64-gnu")
    field.base("3.13.0", field.home / ".local/share/mise/installs/python/3.13.0")
    link(field.home / ".local/share/mise/installs/python/latest", "3.13.0")
    field.venv(field.home / ".pyenv/versions/web", "3.11.7")
    link(field.home / ".pyenv/versions/alias", "3.11.7")
    write(field.home / ".pyenv/versions/broken/bin/python3.10")
    assert listed(field) == [("mise", "3.13.0"), ("pyenv", "3.11.7"), ("uv", "3.12.4")]


def test_pools_follow_the_shells_variables(field: Playfield) -> None:
    """PYENV_ROOT and UV_PYTHON_INSTALL_DIR come from the shell, and only absolute ones count."""
    field.base("3.11.7", field.home / "py/versions/3.11.7")
    field.base("3.12.4", field.home / "uv/cpython-3.12.4-linux")
    overrides = {"PYENV_ROOT": os.fsencode(field.home / "py"), "UV_PYTHON_INSTALL_DIR": os.fsencode(field.home / "uv")}
    assert listed(field, overrides) == [("pyenv", "3.11.7"), ("uv", "3.12.4")]
    assert listed(field, {"PYENV_ROOT": b"py"}) == []


def test_where_a_version_comes_from(field: Playfield) -> None:
    """build-details.json before patchlevel.h before the directory's name; another X.Y's word is not taken."""
    prefix = field.base("3.14.1", field.home / "cpython-3.14.0-linux")
    (octets, library) = os.fsencode(prefix), b"python3.14"
    assert base_version(octets, library, field.disk()) == "3.14.1"
    details = prefix / "lib/python3.14/build-details.json"
    write(details, '{"language": {"version": "3.14"}, "implementation": {"version": {"major":3,"minor":14,"micro":2}}}')
    assert base_version(octets, library, field.disk()) == "3.14.2"
    write(details, "[" * 100_000)
    write(prefix / "include/python3.14/patchlevel.h", '#define PY_VERSION "2.7.18"\n')
    assert base_version(octets, library, field.disk()) == "3.14.0"
    assert base_version(octets, b"python3.9", field.disk()) == ""


def test_a_binary_names_its_version_among_others(field: Playfield) -> None:
    """The scan of a binary is filtered by X.Y, since binaries hold other numbers, too."""
    binary = write(field.home / "python3.11", b"\x7fELF\0" + b"3.2.0\0" + b"3.11.2\0" + b"3.12.1\0")
    assert scanned_version(os.fsencode(binary), "3.11", field.disk()) == "3.11.2"
    assert scanned_version(os.fsencode(binary), "3.10", field.disk()) == ""


def test_externally_managed(field: Playfield) -> None:
    """PEP 668's marker in the standard library is reported."""
    prefix = field.base("3.11.7")
    write(prefix / "lib/python3.11/EXTERNALLY-MANAGED")
    found = find_interpreter(b"3.11.7", field.disk(), {}, os.fsencode(field.home))
    assert found is not None
    assert found.externally_managed
    assert found.executable == os.fsencode(prefix / "bin/python3.11")


def test_a_request_takes_the_newest_match(field: Playfield) -> None:
    """An exact pyenv version first, else the newest whose numbers begin as asked; other words match nothing."""
    for version in ("3.8.9", "3.8.10", "3.80.0"):
        field.base(version)
    home = os.fsencode(field.home)

    def asked(request: bytes) -> str | None:
        found = find_interpreter(request, field.disk(), {}, home)
        return None if found is None else found.python_version

    assert asked(b"3.8.9") == "3.8.9"
    assert asked(b"3.8") == "3.8.10"
    assert asked(b"python-3.8") == "3.8.10"
    assert [asked(word) for word in (b"", b"system", b"../3.8.9", b"3.8.9/..", b"web")] == [None] * 5


@pytest.mark.parametrize(
    ("place", "origin"),
    [
        (".local/share/hatch/pythons/3.12/python", "hatch"),
        (".local/share/hatch/env/virtual/.pythons/3.12/python/install", "hatch"),
        (".local/share/pypoetry/python/cpython@3.12.4", "poetry"),
        (".local/share/pypoetry/python/cpython@3.12.4/install", "poetry"),
        (".local/share/pdm/python/cpython@3.12.4", "pdm"),
        (".asdf/installs/python/3.12.4", "asdf"),
    ],
)
def test_pythons_of_project_tools(field: Playfield, place: str, origin: str) -> None:
    """Hatch's, Poetry's, PDM's and asdf's own Pythons are found, also where a build has one more folder."""
    field.base("3.12.4", field.home / place)
    assert listed(field) == [(origin, "3.12.4")]


def test_pools_on_macos(field: Playfield) -> None:
    """There data lies in Application Support, but for uv, mise and pyenv, and frameworks are looked at."""
    home = os.fsencode(field.home)
    overrides = {"HATCH_DATA_DIR": b"/h"}
    found = {pool.origin: pool.directory for pool in pools({}, home, "darwin")}
    assert found["poetry"] == home + b"/Library/Application Support/pypoetry/python"
    assert found["uv"] == home + b"/.local/share/uv/python"
    assert {"python.org", "commandlinetools", "xcode"} <= found.keys()
    assert {b"/h/pythons", b"/h/env/virtual/.pythons"} <= {pool.directory for pool in pools(overrides, home, "linux")}
    assert "python.org" not in {pool.origin for pool in pools({}, home, "linux")}


def framework(field: Playfield, place: str, version: str, bundle: str) -> Path:
    """A framework build as the rule book describes it: no real one can be had off a Mac."""
    minor = ".".join(version.split(".")[:2])
    prefix = field.base(version, field.home / "mac" / place / "Versions" / minor)
    (prefix / "include" / f"python{minor}" / "patchlevel.h").unlink()
    write(
        prefix / "Resources/Info.plist",
        f"<dict>\n<key>CFBundleShortVersionString</key>\n\t<string>{bundle}</string>\n</dict>",
    )
    link(prefix.parent / "Current", minor)
    return prefix


def test_a_mac(field: Playfield) -> None:
    """python.org's, Apple's and Homebrew's Pythons of a Mac, built from the rule book: each once, never the stub."""
    mac = field.home / "mac"
    framework(field, "Library/Frameworks/Python.framework", "3.12.4", "3.12.4")
    framework(field, "Library/Developer/CommandLineTools/Library/Frameworks/Python3.framework", "3.9.6", "Python 3.9.6")
    developer = "Applications/Xcode-beta.app/Contents/Developer"
    framework(field, f"{developer}/Library/Frameworks/Python3.framework", "3.9.13", "no version")
    link(mac / "var/db/xcode_select_link", f"/{developer}")
    cellar = "opt/homebrew/Cellar/python@3.13/3.13.1_2"
    framework(field, f"{cellar}/Frameworks/Python.framework", "3.13.1", "3.13.1")
    link(mac / "opt/homebrew/opt/python@3.13", "../Cellar/python@3.13/3.13.1_2")
    write(mac / "usr/bin/python3", "#!/bin/false\n").chmod(0o755)
    write(mac / "usr/lib/python3.9/os.py")
    write(mac / "usr/bin/python3.9")
    link(mac / "usr/local/bin/python3.12", "/Library/Frameworks/Python.framework/Versions/3.12/bin/python3.12")
    found = list_interpreters(field.disk(), {}, os.fsencode(field.home), "darwin", os.fsencode(mac))
    assert {(one.origin, one.python_version) for one in found} == {
        ("python.org", "3.12.4"),
        ("commandlinetools", "3.9.6"),
        ("xcode", "3.9"),
        ("homebrew", "3.13.1"),
    }
    assert not [one for one in found if one.executable.startswith(os.fsencode(mac / "usr"))]
    brewed = next(one for one in found if one.origin == "homebrew")
    assert b"/opt/homebrew/opt/python@3.13/" in brewed.prefix
    assert default_scheme(brewed, field.disk()).purelib == os.fsencode(
        mac / "opt/homebrew/lib/python3.13/site-packages"
    )


def test_homebrew_on_linux_and_its_links(field: Playfield) -> None:
    """A Linux Homebrew, built from the rule book: through `opt`, and not again through a link in /usr/local."""
    root = field.home / "linux"
    brew = root / "home/linuxbrew/.linuxbrew"
    field.base("3.11.9", brew / "Cellar/python@3.11/3.11.9")
    link(brew / "opt/python@3.11", "../Cellar/python@3.11/3.11.9")
    link(root / "usr/local/bin/python3.11", str(brew / "Cellar/python@3.11/3.11.9/bin/python3.11"))
    write(root / "usr/local/lib/python3.11/os.py")
    field.base("3.12.1", root / "usr")
    found = list_interpreters(field.disk(), {}, os.fsencode(field.home), "linux", os.fsencode(root))
    assert [(one.origin, one.python_version) for one in found] == [("homebrew", "3.11.9"), ("system", "3.12.1")]
    assert found[0].prefix == os.fsencode(brew / "opt/python@3.11")


def test_apples_packages_lie_in_a_shared_folder(field: Playfield) -> None:
    """Apple's Python installs into /Library/Python; that no real one is asked here is why the rule book is believed."""
    prefix = b"/Library/Developer/CommandLineTools/Library/Frameworks/Python3.framework/Versions/3.9"
    apple = Interpreter(prefix + b"/bin/python3.9", prefix, "3.9.6", "commandlinetools")
    assert default_scheme(apple, field.disk()).purelib == b"/Library/Python/3.9/site-packages"


QUESTION = """
import json, sys, sysconfig
scheme = getattr(sysconfig, "get_preferred_scheme", lambda key: "posix_prefix")("prefix")
paths = sysconfig.get_paths(scheme)
print(json.dumps([scheme, paths["purelib"], paths["scripts"], ".".join(map(str, sys.version_info[:3]))]))
"""


def test_real_pythons_agree(field: Playfield) -> None:
    """Version, scheme and directories of this machine's own Pythons are what they say themselves."""
    root = next((one.executable.parents[3] for one in pythons() if "versions" in one.executable.parts), None)
    overrides = {} if root is None else {"PYENV_ROOT": os.fsencode(root)}
    known = {one.executable.resolve() for one in pythons()}
    compared = 0
    for one in list_interpreters(field.disk(), overrides, os.fsencode(field.home)):
        if Path(os.fsdecode(one.executable)).resolve() not in known:
            continue
        command = [os.fsdecode(one.executable), "-I", "-c", QUESTION]
        name, *said = json.loads(subprocess.run(command, capture_output=True, timeout=30, check=True).stdout)
        scheme = default_scheme(one, field.disk())
        assert [os.fsdecode(scheme.purelib), os.fsdecode(scheme.scripts), one.python_version] == said
        # The name is known to interpreters from 3.10 on.
        assert one.python_version.startswith(("3.6.", "3.7.", "3.8.", "3.9.")) or scheme.name == name
        compared += 1
    assert compared
