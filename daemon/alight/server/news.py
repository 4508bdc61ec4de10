"""Marks: one line of text per project that changes when there is news, on disk and pushed to listeners.

Hooks compare the line at each prompt with a builtin, and test whether a witness is newer than the file. So the
content changes only with news, and the file's time is set before the disk is read for a reply: a witness changed
after that reading is then newer than the file.
"""

from __future__ import annotations

import contextlib
import os
from collections import OrderedDict
from collections.abc import Callable

from alight.clock import Clock
from alight.digest import sha256
from alight.files.disk import RACY_NS
from alight.files.moment import Moment
from alight.model import Stamp
from alight.paths import Places
from alight.wire.messages import News as NewsMessage

PROJECT_LIMIT = 4096
LISTENER_LIMIT = 1024

Push = Callable[[bytes, NewsMessage], bool]
"""Sends a message to a routing id; False when that peer is gone."""


class News:
    """The daemon's logical clock and its marks. Used on the loop's thread only."""

    def __init__(self, places: Places, clock: Clock) -> None:
        self._places = places
        self._projects = os.path.join(os.fsencode(places.projects), b"")
        self._generation_file = os.fsencode(places.generation)
        self._epoch = f"{clock.wall_ns():x}-{os.getpid():x}"
        self._generation = 0
        self._global_mark = ""
        # root -> file name; the digest is not made anew for every question.
        self._names: dict[bytes, str] = {}
        # path -> (when the folder of the files had changed last, when the file was written), both as looked at
        self._written: dict[bytes, tuple[int, int]] = {}
        # File name -> mark, least recently used first.
        self._marks: OrderedDict[str, str] = OrderedDict()
        self._listeners: OrderedDict[bytes, tuple[bytes, str]] = OrderedDict()
        self._push: Push | None = None

    @property
    def stamp(self) -> Stamp:
        """What every reply carries."""
        return Stamp(self._epoch, self._generation)

    @property
    def projects(self) -> int:
        """How many projects have a mark."""
        return len(self._marks)

    def open(self, push: Push) -> None:
        """Take over the files of an earlier daemon: what it missed is unknown, so each of them has news."""
        self._push = push
        os.makedirs(self._places.projects, mode=0o700, exist_ok=True)
        with os.scandir(self._places.projects) as entries:
            left = sorted((entry.stat(follow_symlinks=False).st_mtime_ns, entry.name) for entry in entries)
        for _, name in left[:-PROJECT_LIMIT]:
            self._remove(name)
        for _, name in left[-PROJECT_LIMIT:]:
            if len(name) == 16:
                self._marks[name] = ""
            else:
                self._remove(name)
        self.bump_all()

    def file_of(self, root: bytes) -> bytes:
        """The generation file for a project; without a root, the global one."""
        return self._projects + self._name(root).encode() if root else self._generation_file

    def mark_of(self, root: bytes) -> str:
        """The mark a reply about ``root`` carries; its file exists after this."""
        if not root:
            return self._global_mark
        name = self._name(root)
        mark = self._marks.get(name)
        if mark is None:
            mark = self._next()
            self._set(name, mark)
        self._marks.move_to_end(name)
        return mark

    def written_ns(self, root: bytes, moment: Moment) -> int:
        """The time of the file for a project; 0 when there is none.

        Only this process changes one, and what removes one changes the folder they are in, which all have in common.
        """
        path, folder = self.file_of(root), moment.stat(self._projects) if root else None
        changed_ns = folder.st_mtime_ns if folder is not None else 0
        known = self._written.get(path)
        if known is not None and known[0] == changed_ns:
            return known[1]
        try:
            written_ns = os.stat(path).st_mtime_ns
        except OSError:
            return 0
        if 0 < changed_ns < moment.began_ns - RACY_NS:
            if len(self._written) >= PROJECT_LIMIT:
                self._written.clear()
            self._written[path] = (changed_ns, written_ns)
        return written_ns

    def prepare(self, root: bytes) -> str:
        """``mark_of`` and ``touch``: call it before the disk is read for a reply about ``root``."""
        mark = self.mark_of(root)
        self.touch(root)
        return mark

    def touch(self, root: bytes, seen_ns: int | None = None) -> None:
        """Set the file's time to now, or to ``seen_ns`` (wall clock) when the reading began earlier than this call.

        A file that somebody removed is written again.
        """
        path = self.file_of(root)
        self._written.pop(path, None)
        if not os.path.exists(path):
            self._write(path, self.mark_of(root))
        if seen_ns is None:
            os.utime(path)
        else:
            os.utime(path, ns=(seen_ns, seen_ns))

    def bump(self, root: bytes) -> None:
        """There is news about one project (or, without a root, about what concerns no single one)."""
        mark = self._next()
        if root:
            self._set(self._name(root), mark)
        else:
            self._set_global(mark)
        self._notify({root: mark})

    def bump_all(self) -> None:
        """Everything may have changed: an overflow of events, a new daemon, a new setting."""
        mark = self._next()
        for name in list(self._marks):
            self._set(name, mark)
        self._set_global(mark)
        self._notify({root: mark for root, _ in self._listeners.values()})

    def listen(self, routing_id: bytes, root: bytes, mark: str) -> None:
        """Push news about ``root`` to this connection; at once if ``mark`` is already another."""
        current = self.mark_of(root)
        self.follow(routing_id, root, current)
        if mark != current:
            self._tell(routing_id, root, current)

    def follow(self, routing_id: bytes, root: bytes, mark: str) -> None:
        """Push the next mark to a connection that was just told this one."""
        self._listeners[routing_id] = (root, mark)
        self._listeners.move_to_end(routing_id)
        while len(self._listeners) > LISTENER_LIMIT:
            self._listeners.popitem(last=False)

    def forget(self, routing_id: bytes) -> None:
        """The connection is gone."""
        self._listeners.pop(routing_id, None)

    def _notify(self, marks: dict[bytes, str]) -> None:
        for routing_id, (root, mark) in list(self._listeners.items()):
            current = marks.get(root)
            if current is not None and current != mark:
                self._tell(routing_id, root, current)

    def _tell(self, routing_id: bytes, root: bytes, mark: str) -> None:
        if self._push is not None and self._push(routing_id, NewsMessage(root, mark)):
            self._listeners[routing_id] = (root, mark)
        else:
            self.forget(routing_id)

    def _next(self) -> str:
        self._generation += 1
        return f"{self._epoch}-{self._generation}"

    def _set(self, name: str, mark: str) -> None:
        self._marks[name] = mark
        self._write(os.fsencode(self._places.projects / name), mark)
        while len(self._marks) > PROJECT_LIMIT:
            oldest, _ = self._marks.popitem(last=False)
            self._remove(oldest)

    def _set_global(self, mark: str) -> None:
        self._global_mark = mark
        self._write(os.fsencode(self._places.generation), mark)

    def _remove(self, name: str) -> None:
        with contextlib.suppress(OSError):
            os.unlink(self._places.projects / name)

    def _write(self, path: bytes, mark: str) -> None:
        self._written.pop(path, None)
        write_line(path, mark)

    def _name(self, root: bytes) -> str:
        name = self._names.get(root)
        if name is None:
            if len(self._names) >= PROJECT_LIMIT:
                self._names.clear()
            name = self._names[root] = sha256(root).hexdigest()[:16]
        return name


def write_line(path: bytes, line: str) -> None:
    """Replace a file of the runtime directory by one line, never seen half-written."""
    temporary = path + b".new"
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC
    descriptor = os.open(temporary, flags, 0o600)
    try:
        os.write(descriptor, line.encode() + b"\n")
    finally:
        os.close(descriptor)
    os.rename(temporary, path)
