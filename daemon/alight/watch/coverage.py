"""Which folders to watch, for whom: the most recently used projects within a budget (rules/discovery.md 5.2, 5.3)."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from alight.watch.names import USUAL, Interest

FOLDER_LIMIT = 2000
SYSTEM_SHARE = 100
"""One watch in so many of the system's: the user's editors need them, too."""

SHARED = b""
"""The root of folders that belong to no single project: pools, settings. It never makes room."""

SYSTEM_LIMIT_FILE = "/proc/sys/fs/inotify/max_user_watches"


def budget(system_limit_file: str = SYSTEM_LIMIT_FILE) -> int:
    """How many folders may be watched on this machine; FOLDER_LIMIT where the system names no limit."""
    try:
        with open(system_limit_file, encoding="ascii") as file:
            system = int(file.read())
    except (OSError, ValueError):
        return FOLDER_LIMIT
    return max(1, min(FOLDER_LIMIT, system // SYSTEM_SHARE))


@dataclass(frozen=True)
class Difference:
    """What to begin and what to cease watching."""

    added: tuple[bytes, ...] = ()
    dropped: tuple[bytes, ...] = ()


class Coverage:
    """Folders by root and roots by folder; the least recently covered roots make room. Not thread-safe."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._folders: OrderedDict[bytes, tuple[bytes, ...]] = OrderedDict()
        self._roots: dict[bytes, set[bytes]] = {}
        self._shared: Mapping[bytes, Interest] = {}

    @property
    def folders(self) -> tuple[bytes, ...]:
        """Every folder once, whoever wants it."""
        return tuple(self._roots)

    @property
    def roots(self) -> frozenset[bytes]:
        """Every root that is covered."""
        return frozenset(self._folders)

    def has_room(self, root: bytes, folders: Iterable[bytes]) -> bool:
        """Whether covering ``root`` so makes no other root leave."""
        wanted = tuple(folders)
        if self._folders.get(root) == wanted:
            return True
        return len(self._roots) + sum(folder not in self._roots for folder in wanted) <= self._limit

    def cover(self, root: bytes, folders: Iterable[bytes]) -> Difference:
        """Want these folders for ``root``, instead of those it had; a root without folders is no longer covered."""
        wanted = tuple(dict.fromkeys(folder for folder in folders if folder.startswith(b"/")))[: self._limit]
        if wanted and self._folders.get(root) == wanted:
            self._folders.move_to_end(root)
            return Difference()
        released = self._release(root)
        added = []
        for folder in wanted:
            if folder not in self._roots:
                added.append(folder)
            self._roots.setdefault(folder, set()).add(root)
        if wanted:
            self._folders[root] = wanted
        while len(self._roots) > self._limit:
            oldest = next((other for other in self._folders if other not in {SHARED, root}), None)
            if oldest is None:
                break
            released += self._release(oldest)
        again = set(released).intersection(added)
        return Difference(
            tuple(folder for folder in added if folder not in again),
            tuple(folder for folder in released if folder not in self._roots),
        )

    def share(self, folders: Mapping[bytes, Interest]) -> Difference:
        """Want these folders for everybody, instead of those before; at most half of the limit, the first ones."""
        chosen = list(folders.items())[: max(1, self._limit // 2)]
        self._shared = dict(chosen)
        return self.cover(SHARED, self._shared)

    def offer(self, root: bytes, folders: Iterable[bytes]) -> Difference:
        """Want these folders for ``root`` if there is room; they make room before all others."""
        wanted = tuple(folders)
        if self._folders.get(root) == wanted or len(self._roots) + len(wanted) > self._limit:
            return Difference()
        difference = self.cover(root, wanted)
        if root in self._folders:
            self._folders.move_to_end(root, last=False)
        return difference

    def interest(self, folder: bytes) -> Interest | None:
        """What matters in this folder; None when nobody wants it. May be called from any thread."""
        roots = self._roots.get(folder)
        if roots is None:
            return None
        shared = self._shared.get(folder)
        if shared is None:
            return USUAL
        return shared if len(roots) == 1 else shared.joined(USUAL)

    def roots_of(self, folder: bytes) -> frozenset[bytes]:
        """Who wants this folder."""
        return frozenset(self._roots.get(folder, ()))

    def below(self, path: bytes) -> tuple[bytes, ...]:
        """The wanted folders at this path and below it, whoever wants them."""
        prefix = path.rstrip(b"/") + b"/"
        return tuple(folder for folder in self._roots if folder == path or folder.startswith(prefix))

    def _release(self, root: bytes) -> list[bytes]:
        released = []
        for folder in self._folders.pop(root, ()):
            self._roots[folder].discard(root)
            if not self._roots[folder]:
                del self._roots[folder]
                released.append(folder)
        return released
