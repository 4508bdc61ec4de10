"""A small channel of packages made here, and real prefixes installed from it by rattler, the library under pixi.

What stands in such a prefix was written by rattler, not by a test. Its Python is a real one: a copy of an interpreter
of this machine with as much of its standard library as it needs to start.
"""

from __future__ import annotations

import asyncio
import hashlib
import io
import json
import subprocess
import tarfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import rattler
from rattler.index import index_fs

from support.pythons import Python

PLACEHOLDER = "/placeholder" + "_placeholder" * 12
"""The prefix packages are built for, which the installer replaces; its length is the longest path it can become."""

_LOADED = """
import json, sys, sysconfig
sysconfig.get_path("purelib", "posix_prefix")
print(json.dumps([module.__file__ for module in sys.modules.values() if getattr(module, "__file__", None)]))
"""


@dataclass
class Package:
    """One package: ``files`` are texts or octets by path, ``links`` targets by path; executable are those in bin."""

    name: str
    version: str
    build: str = "0"
    subdir: str = "linux-64"
    files: Mapping[str, str | bytes] = field(default_factory=dict)
    links: Mapping[str, str] = field(default_factory=dict)
    depends: Sequence[str] = ()
    entry_points: Sequence[str] = ()

    @property
    def stem(self) -> str:
        return f"{self.name}-{self.version}-{self.build}"


def python_package(python: Python) -> Package:
    """The package called python with the version of a real interpreter of this machine."""
    minor = ".".join(python.version.split(".")[:2])
    command = [str(python.executable), "-I", "-S", "-c", _LOADED]
    loaded = json.loads(subprocess.run(command, capture_output=True, text=True, timeout=30, check=True).stdout)
    library = next(Path(file).parent for file in loaded if file.endswith("/os.py"))
    modules = [Path(file) for file in loaded if file.startswith(f"{library}/")] + [library / "os.py"]
    modules += sorted((library / "encodings").glob("*.py"))
    files: dict[str, str | bytes] = {
        f"lib/python{minor}/{module.relative_to(library)}": module.read_bytes() for module in modules
    }
    files[f"bin/python{minor}"] = python.executable.resolve().read_bytes()
    files[f"include/python{minor}/patchlevel.h"] = f'#define PY_VERSION      "{python.version}"\n'
    files[f"lib/python{minor}/site-packages/README.txt"] = "Packages go here.\n"
    links = {"bin/python": f"python{minor}", "bin/python3": f"python{minor}"}
    return Package("python", python.version, "h2628c8c_0_cpython", files=files, links=links)


def channel(directory: Path, *packages: Package) -> Path:
    """A channel that holds these packages, with its index."""
    for package in packages:
        _write(directory / package.subdir, package)
    (directory / "noarch").mkdir(exist_ok=True)
    asyncio.run(index_fs(directory))
    return directory


def install(source: Path, prefix: Path, *specs: str, cache: Path) -> Path:
    """Solve and install into the prefix, as pixi does, without a network."""

    async def run() -> None:
        gateway = rattler.Gateway(cache_dir=cache / "repodata")
        records = await rattler.solve(
            [rattler.Channel(source.as_uri())], list(specs), gateway=gateway, platforms=["linux-64", "noarch"]
        )
        await rattler.install(records, prefix, cache_dir=cache / "pkgs", show_progress=False)

    asyncio.run(run())
    return prefix


def _write(directory: Path, package: Package) -> None:
    contents = {path: text.encode() if isinstance(text, str) else text for path, text in package.files.items()}
    paths = [_path(path, content) for path, content in contents.items()]
    empty = hashlib.sha256(b"").hexdigest()
    paths += [{"_path": p, "path_type": "softlink", "sha256": empty, "size_in_bytes": 0} for p in package.links]
    index: dict[str, object] = {
        "name": package.name, "version": package.version, "build": package.build, "build_number": 0,
        "depends": list(package.depends), "subdir": package.subdir, "license": "MIT", "timestamp": 1718000000000,
    }  # fmt: skip
    if package.subdir == "noarch":
        index["noarch"] = "python"
        noarch = {"type": "python", "entry_points": list(package.entry_points)}
        contents["info/link.json"] = json.dumps({"noarch": noarch, "package_metadata_version": 1}).encode()
    else:
        index |= {"arch": "x86_64", "platform": "linux"}
    contents["info/index.json"] = json.dumps(index).encode()
    contents["info/paths.json"] = json.dumps({"paths_version": 1, "paths": paths}).encode()
    contents["info/files"] = "\n".join([*package.files, *package.links]).encode()
    directory.mkdir(parents=True, exist_ok=True)
    with tarfile.open(directory / f"{package.stem}.tar.bz2", "w:bz2", compresslevel=1) as archive:
        for path, content in contents.items():
            entry = tarfile.TarInfo(path)
            entry.size, entry.mode = len(content), 0o755 if path.startswith("bin/") else 0o644
            archive.addfile(entry, io.BytesIO(content))
        for path, target in package.links.items():
            entry = tarfile.TarInfo(path)
            entry.type, entry.linkname = tarfile.SYMTYPE, target
            archive.addfile(entry)


def _path(path: str, content: bytes) -> dict[str, object]:
    entry: dict[str, object] = {
        "_path": path, "path_type": "hardlink",
        "sha256": hashlib.sha256(content).hexdigest(), "size_in_bytes": len(content),
    }  # fmt: skip
    if PLACEHOLDER.encode() in content:
        entry |= {"prefix_placeholder": PLACEHOLDER, "file_mode": "text"}
    return entry
