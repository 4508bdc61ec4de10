"""Core commands that an environment's ``bin`` would put itself in front of."""

from __future__ import annotations

from alight.files.disk import Disk

CORE_COMMANDS: frozenset[bytes] = frozenset(
    b"""
    awk bash bzip2 cat cd chgrp chmod chown clear cmp cp curl cut date dd df diff dirname doas du echo ed emacs env
    expr false find fish git gpg grep gunzip gzip head hg hostname id install kill less ln login ls make man mkdir
    more mount mv nano nice nohup open passwd pkill printenv printf ps pwd readlink realpath rm rmdir rsync scp screen
    sed sh sleep sort ssh ssh-add ssh-agent stat su sudo svn systemctl tail tar tee test tmux top touch tr true
    umount uname uniq unzip vi vim wc wget which who whoami xargs xdg-open zip zsh
    """.split()
)
"""What a person types without thinking of Python; an environment that brings one of these is looked at twice."""


def shadowed(disk: Disk, prefix: bytes) -> tuple[str, ...]:
    """The core commands in ``<prefix>/bin``, sorted; () when there are none."""
    directory = prefix + b"/bin"
    names = disk.names(directory)
    found = (
        {name.lower() for name in names} & CORE_COMMANDS  # where case is ignored, GIT is git
        if names is not None
        else {name for name in CORE_COMMANDS if disk.lstat(directory + b"/" + name) is not None}
    )
    return tuple(sorted(name.decode("ascii") for name in found))
