"""The few paths whose change may alter an answer: a hook tests them at each prompt, without asking."""

from __future__ import annotations

from alight.activation.session import Session
from alight.model import Answer
from alight.trust.pins import pinned


def witnesses(session: Session, answer: Answer) -> tuple[bytes, bytes, bytes, bytes]:
    """At most four paths whose appearance, disappearance or change may alter the answer.

    Where there is an environment these are files that rarely change for other reasons; where there is none, the
    directories in which one would appear.
    """
    resolution = answer.resolution
    environment, directory, root = resolution.environment, session.directory, resolution.root
    lone = pinned(resolution)
    if environment is not None and environment.kind == "conda":
        outside = (path for path in resolution.evidence if not path.startswith(environment.prefix + b"/"))
        wanted = [
            environment.prefix + b"/conda-meta",
            environment.prefix + b"/conda-meta/state",
            directory + b"/.venv",
            next(outside, root + b"/pyproject.toml"),
        ]
    elif environment is not None:
        wanted = [
            environment.prefix + b"/pyvenv.cfg",
            environment.interpreter,
            directory + b"/.venv",
            root + b"/pyproject.toml",
        ]
    elif lone is not None:
        wanted = [
            directory,
            directory + b"/.venv/pyvenv.cfg",
            (root or directory) + b"/.python-version",
            lone.executable,
        ]
    else:
        # the directory's time tells of a new entry, but not of one that was empty when somebody looked
        wanted = [
            directory,
            directory + b"/.venv/pyvenv.cfg",
            *((root, root + b"/.venv/pyvenv.cfg") if root else ()),
        ]
    unique = [path for path in dict.fromkeys(wanted) if path.startswith(b"/") and b"\x1f" not in path]
    padded = [*unique[:4], b"", b"", b"", b""]
    return padded[0], padded[1], padded[2], padded[3]
