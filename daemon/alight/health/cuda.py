"""Two CUDAs in one process: the environment's own and the one the shell names (discovery rules 3.2).

``LD_LIBRARY_PATH`` is searched before the wheels' own RUNPATH, so that the system's ``libnvJitLink`` is loaded below
the environment's libraries. ``CUDA_HOME`` alone only decides what extensions are compiled against.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from alight.files.disk import Disk, join
from alight.health.packages import Installed, names_of
from alight.model import Environment, Finding

LEADS_TO = "undefined symbol: __nvJitLinkComplete_12_4"

_WHEEL = re.compile(r"nvidia-[a-z0-9-]+-cu(?P<major>1\d)\Z")
_UNSUFFIXED = frozenset({
    "nvidia-cublas", "nvidia-cuda-cupti", "nvidia-cuda-nvrtc", "nvidia-cuda-runtime", "nvidia-cudnn", "nvidia-cufft",
    "nvidia-curand", "nvidia-cusolver", "nvidia-cusparse", "nvidia-nvjitlink", "nvidia-nvtx",
})  # fmt: skip
"""Wheels of CUDA 13 and later carry no number; ``nvidia-ml-py`` and its like bring no CUDA."""

_LOCAL = re.compile(r"\+(?:[a-z0-9.]+\.)?cu(?P<major>\d{1,2})(?P<minor>\d)\b")
_CONDA = re.compile(rb"(?P<name>cuda-version|cudatoolkit|cuda-cudart)-(?P<version>\d+\.\d+)[^/]*\.json\Z")
_SYSTEM = re.compile(rb"/(?:usr/local|opt)/cuda[^/]*(?:/|\Z)")
_NAMED = re.compile(rb"cuda-(\d{1,2}\.\d{1,2})")
_TEXT = re.compile(rb"CUDA Version (\d{1,2}\.\d{1,2})")
_NUMBERS = re.compile(r"\d+\.\d+")


def shadowed(
    environment: Environment, present: Installed, variables: Mapping[str, bytes], disk: Disk
) -> Iterator[Finding]:
    """What the shell's variables do to the CUDA that the environment ships, if it ships one."""
    shipped = ships(environment, present)
    if shipped is None:
        return
    version, evidence = shipped
    homes = {name: variables[name].rstrip(b"/") for name in ("CUDA_HOME", "CUDA_PATH") if variables.get(name)}
    own = f"CUDA {version}" if version else "its own CUDA"
    for entry in dict.fromkeys(variables.get("LD_LIBRARY_PATH", b"").split(b":")):
        if not _is_system(entry, homes.values()) or _inside(entry, environment, disk):
            continue
        other = _version_of(_root(entry), disk)
        same = bool(version) and other == version
        what = (
            f"LD_LIBRARY_PATH puts {_shown(entry)}{f' (CUDA {other})' if other else ''} before the environment's {own}"
        )
        leads = (
            "the same release, but two copies may meet in one process"
            if same
            else f"importing torch may fail with `{LEADS_TO}`"
        )
        message = f"{what}: {leads}; `unset LD_LIBRARY_PATH`, or take that folder out of it"
        yield Finding("cuda-shadowed", "info" if same else "warning", message, (entry, evidence))
    for name, home in homes.items():
        other = _version_of(home, disk)
        if _inside(home, environment, disk) or not other or not version or _agree(other, version):
            continue
        message = (
            f"{name} names CUDA {other} in {_shown(home)}, the environment has {version}: extensions would be compiled "
            f"for the wrong one; `unset {name}`, or set it to CUDA {version}"
        )
        yield Finding("cuda-home", "warning", message, (home, evidence))


def ships(environment: Environment, present: Installed) -> tuple[str, bytes] | None:
    """(the version of the CUDA in the environment, "" when unknown; what shows it), or None when it has none."""
    found: list[tuple[str, bytes]] = []
    for package in present.packages:
        local = _LOCAL.search(package.version) if package.name.startswith("torch") else None
        wheel = _WHEEL.match(package.name)
        if local is not None:
            found.append((f"{local['major']}.{local['minor']}", package.path))
        elif wheel is not None or package.name in _UNSUFFIXED:
            runtime = package.name.startswith("nvidia-cuda-runtime")
            numbers = _NUMBERS.match(package.version) if runtime else None
            # Of libraries other than the runtime, the number is their own; CUDA's major stands in the name.
            found.append((numbers[0] if numbers else wheel["major"] if wheel is not None else "", package.path))
    directory = join(environment.prefix, b"conda-meta")
    for name in names_of(directory) or () if environment.kind == "conda" else ():
        record = _CONDA.match(name)
        if record is not None:
            found.append((record["version"].decode(), join(directory, name)))
    return max(found, key=lambda one: (one[0].count("."), bool(one[0])), default=None)


def _is_system(entry: bytes, homes: Iterable[bytes]) -> bool:
    return bool(_SYSTEM.match(entry)) or any(home and entry.startswith(join(home, b"lib")) for home in homes)


def _inside(path: bytes, environment: Environment, disk: Disk) -> bool:
    prefixes = (environment.prefix, disk.realpath(environment.prefix))
    return any(
        one == prefix or one.startswith(join(prefix, b"")) for one in (path, disk.realpath(path)) for prefix in prefixes
    )


def _root(entry: bytes) -> bytes:
    """The toolkit's folder of ``…/lib64`` or ``…/targets/x86_64-linux/lib``."""
    return re.sub(rb"(?:/targets/[^/]+)?/lib(?:64)?(?:/.*)?\Z", b"", entry.rstrip(b"/"))


def _version_of(home: bytes, disk: Disk) -> str:
    """The X.Y of a toolkit by its version.json, its version.txt (until 11), or its folder's name."""
    if not home.startswith(b"/"):
        return ""
    try:
        document: Any = json.loads(disk.read(join(home, b"version.json")) or b"{}")
    except (ValueError, RecursionError):
        document = {}
    entry = document.get("cuda") if isinstance(document, dict) else None
    version = entry.get("version") if isinstance(entry, dict) else None
    numbers = _NUMBERS.match(version) if isinstance(version, str) else None
    if numbers is not None:
        return numbers[0]
    text = _TEXT.search(disk.read(join(home, b"version.txt")) or b"") or _NAMED.search(disk.realpath(home))
    return text[1].decode() if text is not None else ""


def _agree(one: str, other: str) -> bool:
    """Equal, as far as both are known."""
    parts, others = one.split("."), other.split(".")
    length = min(len(parts), len(others))
    return parts[:length] == others[:length]


def _shown(path: bytes) -> str:
    return path.decode("utf-8", "backslashreplace")
