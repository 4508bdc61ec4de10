"""Base Pythons found and dated without running one."""

from __future__ import annotations

import os

from alight.interpreters import base_version, find_interpreter, list_interpreters, scanned_version
from support.playfield import Playfield, link, write


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
