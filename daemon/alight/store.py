"""What the daemon knew when it last ran, in one file, so that a restarted one need not find it all out again.

Nothing here is believed: everything comes with the looks that decided it and counts only while the disk still gives
the same ones. It holds no decisions. A file that cannot be used is set aside and never fatal.
"""

from __future__ import annotations

import contextlib
import gc
import logging
import os
import stat
import sys
import tempfile
import time
import zlib
from collections.abc import Callable, Generator, Iterator, Sequence
from pathlib import Path

import msgspec

from alight import __version__
from alight.files.disk import Fingerprint
from alight.model import Interpreter, Resolution
from alight.systems.described import Described
from alight.systems.linktable import Entry
from alight.systems.pools import Listed

VERSION = 2
"""Of the file's form. What is in it also depends on the rules, which ``maker`` tells."""

SIZE_LIMIT = 64 * 1024 * 1024
ENVIRONMENTS_OCTETS = 24 * 1024 * 1024
LISTS_OCTETS = 8 * 1024 * 1024
"""Of all environments, and of each of the other lists: what was used least recently is left out beyond."""

ANSWERS_LIMIT = 256
"""Answers that are kept, those asked for last; one takes 8 KiB."""

CHUNK_OCTETS = 64 * 1024

LEFT_SECONDS = 60.0
"""Age from which a temporary file is nobody's any more."""

UNUSABLE = (msgspec.MsgspecError, RecursionError, UnicodeDecodeError, ValueError, TypeError)

Steps = Generator[None, None, Sequence[bytes]]
"""Work in short steps that gives the parts of a file."""


class KnownInterpreters(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """The base Pythons for one set of override variables."""

    overrides: tuple[tuple[str, bytes], ...]
    interpreters: tuple[Interpreter, ...]
    fingerprint: Fingerprint


class KnownAnswer(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """An answer, as long as environments in pools also say what they said."""

    directory: bytes
    overrides: tuple[tuple[str, bytes], ...]
    resolution: Resolution
    fingerprint: Fingerprint


class Memory(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """All of it, each list with what was used last first. ``home`` is that of shells that send none."""

    home: bytes
    environments: list[tuple[bytes, Described]]
    interpreters: list[KnownInterpreters]
    views: list[Listed]
    links: list[tuple[bytes, Entry]]
    answers: list[KnownAnswer]


class _File(msgspec.Struct, frozen=True, array_like=True):
    version: int
    maker: str
    checksum: int
    content: bytes


class _Head(msgspec.Struct, frozen=True, array_like=True):
    version: int


_encoder = msgspec.msgpack.Encoder()


class Store:
    """The file. ``maker`` is whose rules and whose machine found out what is in it: another's is left alone, unread.

    The directory is made by whoever writes the log. Nothing here raises for what the disk does.
    """

    def __init__(self, path: Path, uid: int, log: logging.Logger, maker: str = "") -> None:
        self.path = path
        self._uid = uid
        self._log = log
        self._maker = maker or this_maker()
        self._complaint = ""

    def recall(self, take: Callable[[Memory], None]) -> bool:
        """Hand over what is there; False when that is nothing. ``take`` raises ValueError for what makes no sense."""
        try:
            with self._directory() as directory:
                self._sweep(directory)
                content = self._read(directory)
                if content is None:
                    return False
                try:
                    return self._taken(content, take)
                except UNUSABLE as error:
                    self._set_aside(directory, str(error) or type(error).__name__)
        except OSError as error:
            self._complain("cannot be read", error)
        return False

    @staticmethod
    def encoded(memory: Memory) -> Steps:
        """What ``write`` takes, in short steps."""
        parts = [_array(6), _encoder.encode(memory.home)]
        lists: tuple[tuple[Sequence[object], int], ...] = (
            (memory.environments, ENVIRONMENTS_OCTETS),
            (memory.interpreters, LISTS_OCTETS),
            (memory.views, LISTS_OCTETS),
            (memory.links, LISTS_OCTETS),
            (memory.answers, LISTS_OCTETS),
        )
        for items, limit in lists:
            count, size = 0, 0
            chunks, chunk = list[bytes](), bytearray()
            for item in items:
                octets = _encoder.encode(item)
                if size + len(octets) <= limit:
                    count, size = count + 1, size + len(octets)
                    chunk += octets
                    if len(chunk) >= CHUNK_OCTETS:
                        chunks.append(bytes(chunk))
                        chunk.clear()
                yield
            parts += [_array(count), *chunks, bytes(chunk)]
        return parts

    def write(self, parts: Sequence[bytes]) -> bool:
        """Replace the file, whole or not at all; callable from any thread."""
        size, checksum = 0, 0
        for part in parts:
            size, checksum = size + len(part), zlib.crc32(part, checksum)
        head = (_encoder.encode(value) for value in (VERSION, self._maker, checksum))
        content = (b"\x94", *head, b"\xc6" + size.to_bytes(4, "big"), *parts)  # an array of four, the last one octets
        try:
            with self._directory() as directory:
                self._replace(directory, content)
        except OSError as error:
            self._complain("cannot be written", error)
            return False
        self._complaint = ""
        return True

    def _taken(self, content: bytes, take: Callable[[Memory], None]) -> bool:
        version = msgspec.msgpack.decode(content, type=_Head).version
        if version != VERSION:
            raise ValueError(f"its version is {version}, not {VERSION}")
        file = msgspec.msgpack.decode(content, type=_File)
        if file.maker != self._maker:
            self._log.info("the index was made by another alight (%s): not used", file.maker)
            return False
        if zlib.crc32(file.content) != file.checksum:
            raise ValueError("its checksum is wrong")
        # What is made here stays; walking over it again and again while it grows takes longer than making it.
        gc.disable()
        try:
            take(msgspec.msgpack.decode(file.content, type=Memory))
        finally:
            gc.enable()
        return True

    def _read(self, directory: int) -> bytes | None:
        """The file's octets; None when there is nothing to use. What is no file of ours is set aside."""
        try:
            flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
            descriptor = os.open(self.path.name, flags, dir_fd=directory)
        except FileNotFoundError:
            return None
        except OSError as error:
            self._set_aside(directory, error.strerror or "it cannot be opened")
            return None
        with contextlib.ExitStack() as stack:
            stack.callback(os.close, descriptor)
            facts = os.fstat(descriptor)
            if not stat.S_ISREG(facts.st_mode) or facts.st_uid != self._uid or facts.st_mode & 0o077:
                self._set_aside(directory, "it is no file of ours alone")
                return None
            with os.fdopen(descriptor, "rb", closefd=False) as stream:
                content = stream.read(SIZE_LIMIT + 1) if facts.st_size <= SIZE_LIMIT else b""
        if not content or len(content) > SIZE_LIMIT:
            self._set_aside(directory, "it is empty" if not content and not facts.st_size else "it is too large")
            return None
        return content

    def _replace(self, directory: int, content: Sequence[bytes]) -> None:
        # A name of its own, mode 0600: two writers never share a file.
        descriptor, temporary = tempfile.mkstemp(".tmp", f".{self.path.name}.", self.path.parent)
        try:
            with os.fdopen(descriptor, "wb") as stream:
                stream.writelines(content)
                stream.flush()
                os.fsync(stream.fileno())
            os.replace(os.path.basename(temporary), self.path.name, src_dir_fd=directory, dst_dir_fd=directory)
        except OSError:
            with contextlib.suppress(OSError):
                os.unlink(temporary)
            raise

    def _sweep(self, directory: int) -> None:
        """Remove what a writer that was killed left behind."""
        for name in os.listdir(directory):
            if name.startswith(f".{self.path.name}.") and name.endswith(".tmp"):
                facts = os.stat(name, dir_fd=directory, follow_symlinks=False)
                if time.time() - facts.st_mtime > LEFT_SECONDS:
                    os.unlink(name, dir_fd=directory)

    @contextlib.contextmanager
    def _directory(self) -> Iterator[int]:
        descriptor = os.open(self.path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
        try:
            facts = os.fstat(descriptor)
            if facts.st_uid != self._uid or facts.st_mode & 0o022:
                raise PermissionError(0, "its directory can be changed by others", str(self.path.parent))
            yield descriptor
        finally:
            os.close(descriptor)

    def _set_aside(self, directory: int, reason: str) -> None:
        # What is no file does not take the place of one: then it gets a name of its own.
        for bad in (f"{self.path.name}.bad", f"{self.path.name}.{time.time_ns()}.bad"):
            with contextlib.suppress(OSError):
                os.replace(self.path.name, bad, src_dir_fd=directory, dst_dir_fd=directory)
                self._log.warning("the index cannot be used (%s): set aside as %s", reason, bad)
                return
        self._log.warning("the index cannot be used (%s), nor set aside", reason)

    def _complain(self, what: str, error: OSError) -> None:
        # Once, not every few seconds: a disk that is full stays so for a while.
        complaint = f"{what}: {error.strerror or error}"
        if complaint != self._complaint and not isinstance(error, FileNotFoundError):
            self._log.warning("the index %s", complaint)
        self._complaint = complaint


def this_maker() -> str:
    """Names this alight on this machine: other rules or another kind of interpreter would have found something else.

    Releases are patched without another number, so the rules are told by how their files look.
    """
    looks = zlib.crc32(b"")
    for directory, folders, names in os.walk(os.path.dirname(os.path.abspath(__file__))):
        folders.sort()
        for name in sorted(name for name in names if name.endswith(".py")):
            facts = os.stat(os.path.join(directory, name))
            looks = zlib.crc32(b"%s %d %d" % (os.fsencode(name), facts.st_mtime_ns, facts.st_size), looks)
    tag, width = sys.implementation.cache_tag, sys.hash_info.width
    return f"alight {__version__} {looks:08x}, {tag} {width}, {sys.platform} {os.uname().nodename}"


def _array(count: int) -> bytes:
    """The head of a msgpack array with so many items to follow."""
    return b"\xdd" + count.to_bytes(4, "big")
