"""A disk that is thrown away: a mount namespace whose ``/`` is an overlay, with processes and network of its own.

Everything a process in it writes, anywhere, ends up in ``Disk.uppers`` and nowhere else, which is also how it is found.
"""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import os
import socket
import stat
import struct
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

_NEWNS, _NEWNET, _NEWPID, _NEWIPC, _NEWUSER = 0x00020000, 0x40000000, 0x20000000, 0x08000000, 0x10000000
_BIND, _REC, _PRIVATE = 4096, 16384, 1 << 18
_REAL = frozenset({"ext2", "ext3", "ext4", "xfs", "btrfs", "overlay", "tmpfs", "zfs", "f2fs"})
_NOT_BELOW = ("/dev", "/proc", "/sys", "/run")
_libc = ctypes.CDLL(None, use_errno=True)


@dataclass(frozen=True)
class Disk:
    """The overlays of one namespace: what is written below ``place`` is found below its directory."""

    merged: Path
    uppers: Mapping[str, Path]

    def written(self, place: str) -> Iterator[tuple[str, os.stat_result]]:
        """Every path written below an overlay, as processes inside name it; whiteouts are character devices 0:0."""
        upper = os.fspath(self.uppers[place])
        for folder, directories, files in os.walk(upper):
            for name in (*directories, *files):
                path = os.path.join(folder, name)
                with contextlib.suppress(OSError):
                    yield place.rstrip("/") + path.removeprefix(upper), os.lstat(path)


def is_whiteout(found: os.stat_result) -> bool:
    """Whether the overlay hides what stood here."""
    return stat.S_ISCHR(found.st_mode) and found.st_rdev == 0


def available() -> str:
    """What this process may do: ``root`` (a second user, too), ``user`` (one user), or nothing."""
    if sys.platform != "linux":
        return ""
    lines = f"import sys; sys.path[:0] = {sys.path!r}; from conformance.landing import namespace; namespace.probe()"
    done = subprocess.run([sys.executable, "-c", lines], capture_output=True, timeout=30, check=False)
    if done.returncode == 0:
        return "root" if os.geteuid() == 0 else "user"
    return ""


def probe() -> None:
    """Enter a namespace and write into ``/``; raises OSError when that is not allowed here."""
    with contextlib.ExitStack() as stack:
        import tempfile

        scratch = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="al-")))
        pid = os.fork()
        if pid == 0:
            try:
                isolate()
                disk = make_disk(scratch, {})
                (disk.merged / "usr" / "alight-was-here").touch()
            except OSError:
                os._exit(1)
            os._exit(0)
        if os.waitpid(pid, 0)[1]:
            sys.exit(1)


def isolate() -> None:
    """Leave the machine's mounts, network and processes; the next child is the first process of its own world."""
    flags = _NEWNS | _NEWNET | _NEWPID | _NEWIPC
    uid, gid = os.geteuid(), os.getegid()
    _call(_libc.unshare(flags | (_NEWUSER if uid else 0)))
    if uid:
        Path("/proc/self/setgroups").write_text("deny")
        Path("/proc/self/uid_map").write_text(f"0 {uid} 1")
        Path("/proc/self/gid_map").write_text(f"0 {gid} 1")
    _mount("none", "/", "", _REC | _PRIVATE)


def make_disk(scratch: Path, layers: Mapping[str, Path], *, size: str = "2g") -> Disk:
    """Overlays over every real disk of the machine, and over ``layers`` (place: directory) on top of them."""
    _mount("tmpfs", str(scratch), "tmpfs", 0, f"size={size},mode=755")
    merged = scratch / "merged"
    merged.mkdir()
    places = {"/": "/", **{place: place for place in _more_disks(scratch)}}
    places |= {place: str(directory) for place, directory in layers.items()}
    uppers: dict[str, Path] = {}
    for number, (place, lower) in enumerate(places.items()):
        upper, work, target = scratch / f"u{number}", scratch / f"w{number}", Path(f"{merged}{place}")
        upper.mkdir()
        work.mkdir()
        upper.chmod(stat.S_IMODE(os.stat(lower).st_mode))
        target.mkdir(parents=True, exist_ok=True)
        _mount("overlay", str(target), "overlay", 0, f"lowerdir={lower},upperdir={upper},workdir={work}")
        uppers[place] = upper
    return Disk(merged, uppers)


def bind(source: Path, target: Path) -> None:
    """The same directory in another place, written through."""
    target.mkdir(parents=True, exist_ok=True)
    _mount(str(source), str(target), "", _BIND)


def enter(disk: Disk) -> None:
    """From here on the overlay is all there is."""
    _mount("/dev", f"{disk.merged}/dev", "", _BIND | _REC)
    _mount("proc", f"{disk.merged}/proc", "proc", 0)
    os.chroot(disk.merged)
    os.chdir("/")
    with socket.socket() as loopback:
        fcntl.ioctl(loopback, 0x8914, struct.pack("16sH14x", b"lo", 0x41))  # SIOCSIFFLAGS: up, running


def die_with_parent() -> None:
    """Have the kernel end this process when its parent ends."""
    _call(_libc.prctl(1, 9, 0, 0, 0))  # PR_SET_PDEATHSIG, SIGKILL


def _more_disks(scratch: Path) -> list[str]:
    """Directories on other disks than ``/``; what is mounted on files or by the kernel is not written to."""
    found = []
    for entry in Path("/proc/self/mounts").read_text(encoding="utf-8", errors="replace").splitlines():
        _, place, kind, *_ = entry.split(" ")
        ordinary = place != "/" and not place.startswith(_NOT_BELOW) and place != str(scratch)
        if ordinary and kind in _REAL and os.path.isdir(place):
            found.append(place)
    return sorted(set(found))


def _mount(source: str, target: str, kind: str, flags: int, data: str = "") -> None:
    done = _libc.mount(source.encode(), target.encode(), kind.encode() or None, flags, data.encode() or None)
    _call(done, target)


def _call(done: int, what: str = "") -> None:
    if done != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{os.strerror(number)}: {what}")
