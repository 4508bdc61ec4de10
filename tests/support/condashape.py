"""Prefixes, roots and pixi environments as conda, mamba and pixi leave them on disk: a fake of their layout.

The programs themselves are in no registry that tests may use; what is written here follows their sources.
"""

from __future__ import annotations

import json
import os
import sys
import zlib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from support.playfield import link, write

PIXI_HISTORY = "// not relevant for pixi but for `conda run -p`"
BUILD = "h2628c8c_0_cpython"

Json = dict[str, object]


def conda_prefix(
    path: Path,
    python: str | None = "3.12.4",
    *,
    build: str = BUILD,
    interpreter: Path | str | None = None,
    packages: Iterable[str] = (),
    history: str | None = "",
    made_as: str | None = None,
    activate: Mapping[str, str] | None = None,
    deactivate: Mapping[str, str] | None = None,
    state: Mapping[str, str] | str | None = None,
    env_vars: Mapping[str, Mapping[str, str] | str] | None = None,
    user: Path | None = None,
) -> Path:
    """One prefix, as ``conda create -p path python=… packages`` makes it.

    ``python`` None is a prefix without Python. ``packages`` are ``name-version-build`` file stems of further records.
    ``history`` is the file's text, "" the usual one, None leaves it out (a half-made prefix); ``made_as`` is the path
    in its ``# cmd:`` line. ``activate`` and ``deactivate`` map file names (``10-x.sh``, ``x.fish``) to texts,
    ``state`` is the variables of ``conda-meta/state`` or the file's raw text, ``env_vars`` the files of
    ``etc/conda/env_vars.d``. ``user`` is a home whose ``~/.conda/environments.txt`` gets the prefix.
    ``interpreter`` is the real Python that ``bin/python`` starts; by default the one that runs the tests.
    """
    metadata = path / "conda-meta"
    metadata.mkdir(parents=True, exist_ok=True)
    if history is not None:
        write(metadata / "history", history or _history(made_as or str(path), python, packages))
    record(path, f"ca-certificates-2024.7.4-{BUILD.split('_', 1)[0]}_0", ("ssl/cacert.pem",))
    (path / "bin").mkdir(exist_ok=True)
    if python is not None:
        _python(path, python, build, interpreter)
    for stem in packages:
        record(path, stem)
    for kind, files in (("activate.d", activate), ("deactivate.d", deactivate)):
        for name, text in (files or {}).items():
            write(path / "etc" / "conda" / kind / name, text)
    if state is not None:
        variables(path, state)
    for name, content in (env_vars or {}).items():
        text = content if isinstance(content, str) else json.dumps(dict(content))
        write(path / "etc" / "conda" / "env_vars.d" / name, text)
    if user is not None:
        environments_txt(user, path)
    return path


def conda_root(
    path: Path,
    python: str = "3.12.4",
    *,
    version: str = "24.5.0",
    environments: Sequence[str] = (),
    interpreter: Path | str | None = None,
    user: Path | None = None,
) -> Path:
    """A conda installation: a prefix with ``condabin``, ``envs``, ``pkgs`` and the conda package itself.

    ``environments`` are the names of prefixes made in its ``envs``, with the same Python.
    """
    conda_prefix(path, python, interpreter=interpreter, user=user)
    record(path, f"conda-{version}-py{''.join(python.split('.')[:2])}h06a4308_0", ("bin/conda", "condabin/conda"))
    for name in ("bin/conda", "condabin/conda"):
        write(path / name, f"#!{path}/bin/python\n# conda {version}\n").chmod(0o755)
    for folder in ("envs", "pkgs", "etc/profile.d"):
        (path / folder).mkdir(parents=True, exist_ok=True)
    write(path / "envs" / ".conda_envs_dir_test")
    write(path / "etc" / "profile.d" / "conda.sh", f"export CONDA_EXE='{path}/bin/conda'\n")
    for name in environments:
        conda_prefix(path / "envs" / name, python, interpreter=interpreter, user=user)
    return path


def micromamba_root(path: Path, *, environments: Sequence[str] = ()) -> Path:
    """A root as micromamba makes it: packages and environments, no Python and no ``conda-meta`` of its own."""
    for folder in ("envs", "pkgs"):
        (path / folder).mkdir(parents=True, exist_ok=True)
    for name in environments:
        conda_prefix(path / "envs" / name)
    return path


def pixi_environment(
    project: Path,
    name: str = "default",
    detached: Path | None = None,
    *,
    python: str | None = "3.12.4",
    manifest: str = "pixi.toml",
    manifest_path: str | None = None,
    version: str = "0.50.2",
    interpreter: Path | str | None = None,
    **details: object,
) -> Path:
    """One environment of a pixi project, as ``pixi install`` makes it; the prefix as it really lies on the disk.

    ``detached`` is the directory of ``detached-environments``: the environment is made below it, and ``.pixi/envs``
    becomes a link there. A ``pixi.toml`` is written when the manifest is absent and is that one. ``details`` go to
    ``conda_prefix``.
    """
    if manifest == "pixi.toml" and not (project / manifest).exists():
        pixi_manifest(project)
    environments = project / ".pixi" / "envs"
    if detached is not None:
        # pixi appends xxh3_64 of the root in decimal; any number will do, as nothing computes it.
        below = detached / f"{project.name}-{zlib.crc32(os.fsencode(project))}" / "envs"
        below.mkdir(parents=True, exist_ok=True)
        if environments.is_symlink():
            below = environments.resolve()
        else:
            link(environments, str(below))
        environments = below
    prefix = environments / name
    conda_prefix(prefix, python, history=PIXI_HISTORY, interpreter=interpreter, **details)  # type: ignore[arg-type]
    back_link = {
        "manifest_path": manifest_path or str(project / manifest),
        "environment_name": name,
        "pixi_version": version,
        "environment_lock_file_hash": "4b69b0e3a0b3f3c1",
    }
    write(prefix / "conda-meta" / "pixi", json.dumps(back_link, indent=2))
    write(prefix / "conda-meta" / "pixi_env_prefix", str(prefix / "conda-meta"))
    return prefix


def pixi_manifest(
    project: Path,
    *,
    name: str | None = "",
    version: str | None = "0.1.0",
    platforms: Sequence[str] = ("linux-64",),
    environments: Sequence[str] = (),
    activation: str = "",
) -> Path:
    """A ``pixi.toml``; ``name`` "" is the directory's own, None leaves it out. ``activation`` is added as it is."""
    lines = ["[workspace]", 'channels = ["conda-forge"]', f"platforms = {json.dumps(list(platforms))}"]
    if name is not None:
        lines.append(f"name = {json.dumps(name or project.name)}")
    if version is not None:
        lines.append(f"version = {json.dumps(version)}")
    lines += ["", "[dependencies]", 'python = "3.12.*"']
    if environments:
        lines += ["", "[environments]", *(f"{environment} = []" for environment in environments)]
    return write(project / "pixi.toml", "\n".join(lines) + "\n" + activation)


def record(prefix: Path, stem: str, files: Sequence[str] = ()) -> Path:
    """The record of one installed package, ``conda-meta/<name>-<version>-<build>.json``."""
    name, version, build = stem.rsplit("-", 2)
    content: Json = {
        "name": name, "version": version, "build": build, "build_number": 0,
        "channel": "conda-forge", "subdir": "noarch" if "py" in build else "linux-64",
        "fn": f"{stem}.conda", "url": f"https://conda.invalid/linux-64/{stem}.conda",
        "depends": [], "constrains": [], "files": list(files),
        "paths_data": {"paths_version": 1, "paths": [{"_path": file, "path_type": "hardlink"} for file in files]},
        "link": {"source": f"/pkgs/{stem}", "type": 1}, "requested_spec": "",
    }  # fmt: skip
    return write(prefix / "conda-meta" / f"{stem}.json", json.dumps(content, indent=2))


def distribution(prefix: Path, python: str, name: str, version: str, *, installer: str = "conda") -> Path:
    """A Python distribution in the prefix; with installer ``conda`` its package's record is written, too."""
    site = _site(python)
    info = f"{site}/{name}-{version}.dist-info"
    files = [f"{site}/{name}/__init__.py", f"{info}/METADATA", f"{info}/INSTALLER", f"{info}/RECORD"]
    write(prefix / files[0])
    write(prefix / files[1], f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
    write(prefix / files[2], f"{installer}\n")
    write(prefix / files[3], "".join(f"{file.removeprefix(site + '/')},,\n" for file in files))
    if installer == "conda":
        record(prefix, f"{name}-{version}-pyhd8ed1ab_0", files)
    return prefix / info


def variables(prefix: Path, state: Mapping[str, str] | str) -> Path:
    """``conda-meta/state`` with these variables, as ``conda env config vars set`` writes it, or with this raw text."""
    text = state if isinstance(state, str) else json.dumps({"version": 1, "env_vars": dict(state)})
    return write(prefix / "conda-meta" / "state", text)


def environments_txt(home: Path, *prefixes: Path | str) -> Path:
    """``~/.conda/environments.txt`` with these prefixes added, one a line."""
    path = home / ".conda" / "environments.txt"
    known = path.read_bytes() if path.exists() else b""
    return write(path, known + b"".join(os.fsencode(prefix) + b"\n" for prefix in prefixes))


def condarc(path: Path, **settings: object) -> Path:
    """A configuration file with these settings; JSON is YAML. ``path`` is the file, or the home it is written in."""
    target = path / ".condarc" if path.is_dir() else path
    return write(target, json.dumps(settings) + "\n")


def _python(path: Path, version: str, build: str, interpreter: Path | str | None) -> None:
    minor = ".".join(version.split(".")[:2])
    # A link to a Python elsewhere would make that one's prefix the answer of sys.prefix's finder: conda's is a file.
    write(path / "bin" / f"python{minor}", f'#!/bin/sh\nexec "{interpreter or sys.executable}" "$@"\n').chmod(0o755)
    link(path / "bin" / "python3", f"python{minor}")
    link(path / "bin" / "python", f"python{minor}")
    write(path / "lib" / f"python{minor}" / "os.py")
    write(path / "include" / f"python{minor}" / "patchlevel.h", f'#define PY_VERSION      "{version}"\n')
    (path / _site(version)).mkdir(parents=True, exist_ok=True)
    files = ("bin/python", "bin/python3", f"bin/python{minor}", f"lib/python{minor}/os.py")
    record(path, f"python-{version}-{build}", files)


def _site(python: str) -> str:
    return f"lib/python{'.'.join(python.split('.')[:2])}/site-packages"


def _history(prefix: str, python: str | None, packages: Iterable[str]) -> str:
    wanted = [*([] if python is None else [f"python={python}"]), *(stem.rsplit("-", 2)[0] for stem in packages)]
    installed = [*([] if python is None else [f"python-{python}-{BUILD}"]), *packages]
    return "\n".join([
        "==> 2024-06-11 10:00:00 <==",
        f"# cmd: /opt/conda/bin/conda create -y -p {prefix} {' '.join(wanted)}".rstrip(),
        "# conda version: 24.5.0",
        *(f"+conda-forge/linux-64::{stem}" for stem in installed),
        f"# update specs: {wanted!r}",
        "",
    ])  # fmt: skip
