"""A network disk: a FUSE file system that shows another directory, and never says when something changes there.

``python -m conformance.freshness.passthrough HOME COMMAND...`` mounts it over HOME, in mount and user namespaces of its
own, and runs the command there. What HOME was before can be changed from outside, as another machine would. Only
reading is possible, and nothing is cached, as on a network disk that is asked each time.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import os
import signal
import stat
import struct
import subprocess
import sys
import threading
from collections.abc import Sequence

LOOKUP, FORGET, GETATTR, READLINK, OPEN, READ, STATFS, RELEASE = 1, 2, 3, 5, 14, 15, 17, 18
FLUSH, INIT, OPENDIR, READDIR, RELEASEDIR, ACCESS, INTERRUPT, BATCH_FORGET = 25, 26, 27, 28, 29, 34, 36, 42
SILENT = {FORGET, INTERRUPT, BATCH_FORGET}
REQUEST = struct.Struct("<IIQQIIIHH")
REPLY = struct.Struct("<IiQ")
ATTRIBUTES = struct.Struct("<QQQQQQIIIIIIIIII")
BUFFER = 1 << 17
PR_SET_PDEATHSIG = 1
MS_REC, MS_PRIVATE = 1 << 14, 1 << 18


class Passthrough:
    """Answers the kernel's requests with what lies below ``root``, a descriptor opened before the mount."""

    def __init__(self, device: int, root: int) -> None:
        self._device = device
        self._root = root
        # A node is a path: what stands there is looked at each time.
        self._paths: dict[int, bytes] = {1: b"."}
        self._nodes: dict[bytes, int] = {b".": 1}

    def serve(self) -> None:
        """Until the file system is unmounted."""
        while True:
            try:
                request = os.read(self._device, BUFFER)
            except OSError as error:
                if error.errno in (errno.ENOENT, errno.EINTR, errno.EAGAIN):
                    continue
                return
            _, opcode, unique, node, *_ = REQUEST.unpack_from(request)
            if opcode in SILENT:
                continue
            try:
                body, number = self._answer(opcode, node, request[REQUEST.size :]), 0
            except OSError as error:
                body, number = b"", error.errno or errno.EIO
            with contextlib.suppress(OSError):
                os.write(self._device, REPLY.pack(REPLY.size + len(body), -number, unique) + body)

    def _answer(self, opcode: int, node: int, body: bytes) -> bytes:
        path = self._paths.get(node, b"")
        match opcode:
            case 26:  # INIT
                _, minor = struct.unpack_from("<II", body)
                return struct.pack("<IIIIHHII36x", 7, min(minor, 31), 65536, 0, 8, 6, 4096, 1)
            case 1:  # LOOKUP
                below = os.path.join(path, body.rstrip(b"\0")) if path != b"." else body.rstrip(b"\0")
                look = self._look(below)
                child = self._nodes.setdefault(below, len(self._nodes) + 1)
                self._paths[child] = below
                return struct.pack("<QQQQII", child, 0, 0, 0, 0, 0) + _attributes(look, child)
            case 3:  # GETATTR
                return struct.pack("<QII", 0, 0, 0) + _attributes(self._look(path), node)
            case 5:  # READLINK
                return os.readlink(path, dir_fd=self._root)
            case 14:  # OPEN
                flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK
                return struct.pack("<QII", os.open(path, flags, dir_fd=self._root), 1, 0)
            case 15:  # READ
                handle, offset, size = struct.unpack_from("<QQI", body)
                return os.pread(handle, size, offset)
            case 18 | 29:  # RELEASE, RELEASEDIR
                os.close(struct.unpack_from("<Q", body)[0])
                return b""
            case 27:  # OPENDIR
                return struct.pack("<QII", os.open(path, os.O_RDONLY | os.O_DIRECTORY, dir_fd=self._root), 0, 0)
            case 28:  # READDIR
                handle, offset, size = struct.unpack_from("<QQI", body)
                return _entries(handle, offset, size)
            case 17:  # STATFS
                return struct.pack("<QQQQQIIII24x", 1, 1, 1, 1, 1, 4096, 255, 4096, 0)
            case 25 | 34:  # FLUSH, ACCESS
                return b""
            case _:
                raise OSError(errno.ENOSYS, "not offered")

    def _look(self, path: bytes) -> os.stat_result:
        return os.stat(path, dir_fd=self._root, follow_symlinks=False)


def _attributes(look: os.stat_result, node: int) -> bytes:
    times = (look.st_atime_ns, look.st_mtime_ns, look.st_ctime_ns)
    return ATTRIBUTES.pack(
        look.st_ino or node, look.st_size, look.st_blocks,
        *(time // 10**9 for time in times), *(time % 10**9 for time in times),
        look.st_mode, look.st_nlink, look.st_uid, look.st_gid, 0, 4096, 0,
    )  # fmt: skip


def _entries(handle: int, offset: int, size: int) -> bytes:
    found = bytearray()
    names = [os.fsencode(name) for name in sorted(os.listdir(handle))]
    for number, name in enumerate(names[offset:], offset + 1):
        kind = stat.S_IFMT(os.stat(name, dir_fd=handle, follow_symlinks=False).st_mode) >> 12
        entry = struct.pack("<QQII", 0xFFFF, number, len(name), kind) + name
        entry += b"\0" * (-len(entry) % 8)
        if len(found) + len(entry) > size:
            break
        found += entry
    return bytes(found)


def mount(home: bytes) -> Passthrough:
    """Mount it over ``home``, as ``sshfs`` would be named."""
    root = os.open(home, os.O_RDONLY | os.O_DIRECTORY)
    device = os.open("/dev/fuse", os.O_RDWR)
    options = f"fd={device},rootmode=40000,user_id={os.getuid()},group_id={os.getgid()},allow_other"
    libc = ctypes.CDLL(None, use_errno=True)
    # Nothing of this may be seen outside: not the mount, and not its end.
    if libc.mount(b"none", b"/", None, MS_REC | MS_PRIVATE, None) != 0:
        raise OSError(ctypes.get_errno(), "no mount namespace of its own")
    if libc.mount(b"elsewhere", home, b"fuse.sshfs", 0, options.encode()) != 0:
        raise OSError(ctypes.get_errno(), "the mount was refused")
    return Passthrough(device, root)


def main(arguments: Sequence[str]) -> int:
    """Mount, run the command, and end with its exit code; the mount ends with the namespace."""
    disk = mount(os.fsencode(arguments[0]))
    process = subprocess.Popen(arguments[1:], preexec_fn=_end_with_parent)
    threading.Thread(target=disk.serve, daemon=True).start()
    code = process.wait()
    # Not by way of the interpreter's end: the thread may be waiting in the device.
    os._exit(code & 0xFF)


def _end_with_parent() -> None:
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
