"""Puts the shell files and, where a C compiler works, the compiled client into the wheel.

An editable install must not carry a copy of the shell files: it would stay behind the checkout, where the package finds
the originals by itself.

A wheel with the compiled client is for one platform, one without it for all: without a compiler, with one that fails,
or with ``ALIGHT_NO_COMPILE`` in the environment the client in Python serves. ``shell/query/build-wheels`` compiles for
other platforms: ``ALIGHT_WHEEL_PLATFORM`` then is the wheel's platform tag, and a failing compiler is an error.
"""

from __future__ import annotations

import contextlib
import os
import shlex
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface
from packaging.tags import platform_tags

CLIENT = "alight-query"
OPTIONS = ("-std=c99", "-O2", "-s")
BARE = ("-DALIGHT_BARE", "-static", "-nostdlib", "-ffreestanding", "-fno-stack-protector", "-U_FORTIFY_SOURCE")
"""Without a C library, where the source knows the processor."""

LINKING = (BARE, ("-static",), ()) if sys.platform == "linux" else ((),)
"""In this order: nothing to load at each start, no user's LD_PRELOAD, and older systems can run it. The GNU C library
begins by asking the processor what it can, which takes a virtual machine 0.3 ms: as much as all the rest."""

COMPILER_SECONDS, CROSS_SECONDS, ANSWER_SECONDS = 60, 900, 10
"""A compiler for another platform may have to make that one's C library first."""

ABSENT, INCOMPATIBLE = 3, 5
"""How the client ends where nobody serves, and where somebody else does (shell/PROTOCOL.md, 6)."""


class ShellFiles(BuildHookInterface[Any]):
    """The build hook of the wheel; an sdist takes ``shell/`` as it is."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Ship ``shell/`` as ``alight/shell``; ``version`` is ``standard`` or ``editable``."""
        if self.target_name != "wheel" or version != "standard":
            return
        shell = os.path.join(self.root, "shell")
        for directory, _, names in os.walk(shell):
            for name in names:
                if not name.endswith(".zwc"):  # what zsh compiled here fits no other zsh
                    source = os.path.join(directory, name)
                    build_data["force_include"][source] = f"alight/shell/{os.path.relpath(source, shell)}"

        self._scratch = tempfile.TemporaryDirectory(prefix="alight-build-")
        client = os.path.join(self._scratch.name, CLIENT)
        platform = os.environ.get("ALIGHT_WHEEL_PLATFORM", "")
        if compiled(os.path.join(shell, "query", f"{CLIENT}.c"), client, is_native=not platform):
            build_data["force_include"][client] = f"alight/{CLIENT}"
            build_data["pure_python"] = False
            build_data["tag"] = f"py3-none-{platform or native_platform()}"
        elif platform:
            raise RuntimeError(f"no compiler made {CLIENT} for {platform}")

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:  # noqa: ARG002
        """Remove what was compiled; the wheel has it."""
        if hasattr(self, "_scratch"):
            self._scratch.cleanup()


def compiled(source: str, target: str, *, is_native: bool = True) -> bool:
    """Whether ``source`` could be compiled into ``target``; a native program also has to run."""
    if os.environ.get("ALIGHT_NO_COMPILE"):
        return False
    for compiler in compilers(others=is_native):
        for linking in LINKING if is_native else ((),):
            command = [*compiler, *OPTIONS, *linking, "-o", target, source]
            made = code_of(command, COMPILER_SECONDS if is_native else CROSS_SECONDS, is_loud=not is_native)
            if made == 0 and os.path.isfile(target):
                os.chmod(target, 0o755)  # noqa: S103 - a program, whatever the umask
                if not is_native or is_working(target):
                    return True
    return False


def is_working(program: str) -> bool:
    """Whether the client finds nobody where nobody is, and where somebody is, that it is no daemon."""
    if code_of([program, "/dev/null/alight.sock", "ping"], ANSWER_SECONDS) != ABSENT:
        return False
    with tempfile.TemporaryDirectory(prefix="alight-") as folder, socket.socket(socket.AF_UNIX) as server:
        path = os.path.join(folder, "s")
        try:
            server.bind(path)
        except OSError:  # a temporary directory with a long name
            return True
        server.listen()
        server.settimeout(ANSWER_SECONDS)
        other = threading.Thread(target=be_another, args=(server,))
        other.start()
        ended = code_of([program, path, "ping"], ANSWER_SECONDS, env={"ALIGHT_DEADLINE": "5"})
        other.join()
    return ended == INCOMPATIBLE


def be_another(server: socket.socket) -> None:
    """Answer one client as a server of another kind does."""
    with contextlib.suppress(OSError), server.accept()[0] as peer:
        peer.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        peer.recv(1)


def compilers(*, others: bool) -> Iterator[list[str]]:
    """The commands to try, each with its own options: what ``CC`` says, then the usual ones."""
    try:
        chosen = shlex.split(os.environ.get("CC", ""))
    except ValueError:
        chosen = []
    for words in (chosen, *([["cc"], ["gcc"], ["clang"]] if others else [])):
        program = shutil.which(words[0]) if words else None
        if program and not is_bait(program):
            yield [program, *words[1:]]


def is_bait(program: str) -> bool:
    """Whether it is macOS's stand-in, which opens a window that offers to install the compiler."""
    return sys.platform == "darwin" and program.startswith("/usr/bin/") and code_of(["xcode-select", "-p"], 10) != 0


def code_of(
    command: list[str], seconds: float, *, is_loud: bool = False, env: dict[str, str] | None = None
) -> int | None:
    """How a program ended, silently unless ``is_loud``; None when it could not be started or did not end in time."""
    output = None if is_loud else subprocess.DEVNULL
    try:
        ended = subprocess.run(  # noqa: S603 - the compiler, and what it made
            command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, timeout=seconds, check=False, env=env
        )
    except (OSError, subprocess.SubprocessError, ValueError):
        return None
    return ended.returncode


def native_platform() -> str:
    """The platform tag of what is compiled here, without a promise about other systems' libraries."""
    return next(tag for tag in platform_tags() if not tag.startswith(("manylinux", "musllinux")))
