"""Network disks are known by where they are mounted, without a look behind that place."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from alight.watch.mounts import READ_AGAIN_SECONDS, Mount, Mounts, is_remote
from alight.watch.observer import Watch
from alight.watch.watches import RECONCILE_SECONDS, Watches
from support.arms import FakeArms, FakeClock
from support.until import until

LINE = "36 35 98:0 / {point} rw,noatime master:1 - {kind} server:/x rw\n"


def table(folder: Path, **mounts: str) -> str:
    """A file like ``mountinfo``: each name below the folder with its type."""
    file = folder / "mountinfo"
    points = [(str(folder / name).replace(" ", "\\040"), kind) for name, kind in mounts.items()]
    file.write_text(LINE.format(point="/", kind="ext4") + "".join(LINE.format(point=p, kind=k) for p, k in points))
    return str(file)


@pytest.mark.parametrize("kind", ["nfs", "nfs4", "cifs", "9p", "virtiofs", "fuse.sshfs", "fuse", "autofs"])
def test_network_disks(kind: str) -> None:
    """What other machines write, and all of FUSE."""
    assert is_remote(kind)


@pytest.mark.parametrize("kind", ["ext4", "btrfs", "xfs", "tmpfs", "overlay", "fuseblk", "zfs", "apfs"])
def test_local_disks(kind: str) -> None:
    """What only this machine writes; ``fuseblk`` is a local NTFS."""
    assert not is_remote(kind)


def test_the_disk_a_path_leads_to(tmp_path: Path) -> None:
    """By whole parts, through links, and without touching what lies behind the mount."""
    root = tmp_path.resolve()
    (root / "net").mkdir()
    (root / "link").symlink_to("net/home")
    (root / "loop").symlink_to("loop")
    mounts = Mounts(FakeClock(), table(root, net="nfs4"))
    here = Mount(os.fsencode(root / "net"), "nfs4")
    assert mounts.remote(os.fsencode(root / "net/home/app")) == here
    assert mounts.remote(os.fsencode(root / "link/app")) == here
    assert mounts.remote(os.fsencode(root / "net")) == here
    assert mounts.remote(os.fsencode(root / "network")) is None
    assert mounts.remote(os.fsencode(root / "net/../local")) == here
    assert mounts.remote(os.fsencode(root / "loop/app")) is None


def test_mounts_come_and_go(tmp_path: Path) -> None:
    """The table is read again, though not at every look; names with spaces are written with numbers there."""
    clock, root = FakeClock(), tmp_path.resolve()
    mounts = Mounts(clock, table(root))
    path = os.fsencode(root / "my files/app")
    assert mounts.remote(path) is None
    table(root, **{"my files": "cifs"})
    assert mounts.remote(path) is None
    clock.now += READ_AGAIN_SECONDS
    assert mounts.remote(path) == Mount(os.fsencode(root / "my files"), "cifs")
    assert Mounts(clock, str(root / "absent")).remote(path) is None


def test_nothing_is_watched_on_a_network_disk(tmp_path: Path) -> None:
    """Not even tried there, said once per disk, and watched as soon as the disk is a local one."""
    clock, root = FakeClock(), tmp_path.resolve()
    arms, folder = FakeArms(), os.fsencode(root / "net/app")
    arms.disk = {folder: 1}
    watches = Watches(arms, clock, Mounts(clock, table(root, net="nfs")))
    assert watches.add([folder, folder + b"/.venv"], 0) == set()
    assert (arms.tried, len(watches)) == ([], 0)
    assert watches.remote == (Mount(os.fsencode(root / "net"), "nfs"),)
    assert watches.wait() == RECONCILE_SECONDS
    assert watches.overdue([folder]) == ()
    table(root)
    clock.now += RECONCILE_SECONDS
    assert watches.tick(lambda: [folder, folder + b"/.venv"]) == {folder}
    assert watches.remote == ()


def test_status_names_the_disk(tmp_path: Path) -> None:
    """What is degraded, and why, is said in words; hostile names of mount points are not."""
    root = tmp_path.resolve()
    (root / "net").mkdir()
    watch = Watch(lambda _roots: None, FakeClock(), mounts_file=table(root, net="nfs4"))
    watch.start()
    try:
        watch.cover(os.fsencode(root / "net"), [os.fsencode(root / "net")])
        said = f"watches: {root / 'net'} is a network disk (nfs4)"
        until("the disk is named", lambda: watch.degraded == (said,))
        assert watch.watched == 0
    finally:
        watch.stop()
