"""What a runner starts in an environment, also in one that it makes first (landing rules 1.12)."""

from __future__ import annotations

from dataclasses import replace

from alight.landing.base import Context, Prediction, Run, Words
from alight.landing.standing import Ending, Standing, ended, lands, start_of
from alight.landing.upcoming import after_creation
from alight.model import Reason
from alight.text import display_path

HEARD = (b"PIP_", b"UV_", b"PYTHON", b"VIRTUAL_ENV", b"POETRY_", b"PIPENV_", b"PDM_", b"HATCH_", b"CONDA_", b" PATH")
"""What a script or a file of variables may set that changes where an installer writes."""


def started(
    argv: Words,
    start: int,
    standing: Standing,
    inside: Context,
    runner: str,
    outer: Context,
    *,
    seeded: bool = True,
    front: tuple[bytes, ...] = (),
) -> Run:
    """The inner command in ``inside``, ``front`` before its words.

    ``seeded`` says that an environment made first gets a pip of its own.
    """
    because = (f"{runner} puts {display_path(standing.prefix)} first on PATH", *standing.because)
    if not standing.creates:
        return Run(start, inside, because, None, runner, front)
    tool = runner.partition(" ")[0]
    making = preparation(tool, argv, standing, outer)
    if making.outcome != "lands":
        return Run(None, None, because, making, runner)
    return Run(start, _planned(making, inside, seeded=seeded), because, making, runner, front)


def stopped(start: Prediction, ending: Ending, runner: str) -> Run | Reason:
    """The runner ends before it starts anything."""
    if ending.outcome == "unknown":
        return ending.reason
    return Run(None, None, (), ended(start, ending), runner)


def preparation(tool: str, argv: Words, standing: Standing, context: Context) -> Prediction:
    """The environment that the runner makes first."""
    return lands(start_of(tool, "create", argv), standing, context)


def _planned(making: Prediction, inside: Context, *, seeded: bool) -> Context:
    """The inner context on the disk as it is once the environment stands."""
    words = (b"virtualenv",) if seeded else (b"virtualenv", b"--no-pip")
    return after_creation(replace(making, tool="virtualenv", argv=words), inside)
