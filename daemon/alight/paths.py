"""Every file and directory alight owns: name, owner, mode. The only user of platformdirs.

The runtime directory comes from the uid, not from the session's variables, so that a shell under tmux, ssh or
cron and the daemon always agree on it.
"""

from __future__ import annotations

import contextlib
import os
import stat
import sys
from collections.abc import Mapping
from pathlib import Path

import msgspec

from alight.errors import UnsafeDirectory

SUN_PATH_LIMIT = 103 if sys.platform == "darwin" else 107
"""Octets of a unix socket's path, without the final NUL."""


class RuntimePlaces(msgspec.Struct, frozen=True):
    """What is in one user's runtime directory: all that it takes to reach the daemon."""

    runtime: Path

    @property
    def socket(self) -> Path:
        return self.runtime / "alight.sock"

    @property
    def lock(self) -> Path:
        return self.runtime / "lock"

    @property
    def spawn_lock(self) -> Path:
        return self.runtime / "spawn.lock"

    @property
    def alive(self) -> Path:
        return self.runtime / "alive"

    @property
    def generation(self) -> Path:
        return self.runtime / "generation"

    @property
    def projects(self) -> Path:
        return self.runtime / "projects"


class Places(RuntimePlaces, frozen=True):
    """Where things are for one user. Nothing is created here."""

    config: Path
    data: Path
    state: Path

    @property
    def config_file(self) -> Path:
        return self.config / "config.toml"

    @property
    def trust(self) -> Path:
        return self.data / "trust"

    @property
    def hooks(self) -> Path:
        return self.data / "hooks"

    @property
    def log(self) -> Path:
        return self.state / "daemon.log"

    @property
    def index(self) -> Path:
        return self.state / "index.msgpack"


def runtime_directory(environ: Mapping[str, str], uid: int, platform: str = sys.platform) -> Path:
    """The runtime directory of ``uid``; raises UnsafeDirectory when the socket's path would be too long."""
    chosen = environ.get("ALIGHT_RUNTIME_DIR")
    if chosen:
        directory = Path(chosen)
    elif platform == "darwin":
        directory = Path(os.path.realpath(_darwin_temporary())) / "alight"
    else:
        session = Path(f"/run/user/{uid}")
        directory = session / "alight" if _is_own_directory(session, uid) else Path(f"/tmp/alight-{uid}")  # noqa: S108 - checked by ``secure``
    if len(os.fsencode(directory / "alight.sock")) > SUN_PATH_LIMIT:
        raise UnsafeDirectory(
            f"the socket's path would be longer than {SUN_PATH_LIMIT} octets: {directory}",
            "set ALIGHT_RUNTIME_DIR to a shorter directory of your own",
        )
    return directory


def places(environ: Mapping[str, str], uid: int) -> Places:
    """All places of this user, from the uid and the platform's conventions."""
    # Who only talks to the daemon does without: loading it takes as long as the question.
    import platformdirs

    directories = platformdirs.PlatformDirs("alight", appauthor=False)
    return Places(
        runtime=runtime_directory(environ, uid),
        config=Path(directories.user_config_dir),
        data=Path(directories.user_data_dir),
        state=Path(directories.user_state_dir),
    )


def secure(directory: Path, uid: int, *, create: bool = True) -> int:
    """Open a directory that must be ours alone and return its descriptor.

    Checked through the descriptor, so that it cannot be swapped in between. Raises UnsafeDirectory with the exact
    fix when it is a link, not a directory, somebody else's, or open to group or others.
    """
    if create:
        directory.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with contextlib.suppress(FileExistsError):
            directory.mkdir(mode=0o700)
    try:
        descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError as error:
        raise UnsafeDirectory(
            f"{directory} is not a directory of ours ({error.strerror})",
            f"look at it and remove it: ls -ld {directory}",
        ) from error
    facts = os.fstat(descriptor)
    if facts.st_uid != uid:
        os.close(descriptor)
        raise UnsafeDirectory(
            f"{directory} belongs to uid {facts.st_uid}, not to {uid}",
            "ask its owner to remove it, or set ALIGHT_RUNTIME_DIR to a directory of your own",
        )
    if stat.S_IMODE(facts.st_mode) & 0o077:
        os.close(descriptor)
        raise UnsafeDirectory(f"{directory} is open to other users", f"chmod 700 {directory}")
    return descriptor


def _is_own_directory(directory: Path, uid: int) -> bool:
    try:
        facts = os.lstat(directory)
    except OSError:
        return False
    return stat.S_ISDIR(facts.st_mode) and facts.st_uid == uid


def _darwin_temporary() -> str:
    return os.confstr("CS_DARWIN_USER_TEMP_DIR") or "/tmp"  # noqa: S108 - the fallback is checked by ``secure``
