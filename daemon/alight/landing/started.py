"""What a runner starts in an environment, also in one that it makes first (landing rules 1.12)."""

from __future__ import annotations

import re
from dataclasses import replace

import msgspec

from alight.files.disk import join
from alight.landing import program as programs
from alight.landing.base import Context, Prediction, Run, Words
from alight.landing.pip import Pip, is_pip
from alight.landing.standing import Ending, Standing, ended, lands, start_of
from alight.landing.upcoming import after_creation
from alight.model import Reason
from alight.text import display_path

HEARD = (b"PIP_", b"UV_", b"PYTHON", b"VIRTUAL_ENV", b"POETRY_", b"PIPENV_", b"PDM_", b"HATCH_", b"CONDA_", b" PATH")
"""What a script or a file of variables may set that changes where an installer writes."""

_INSTALLERS = frozenset({
    b"uv", b"poetry", b"pipenv", b"pdm", b"hatch", b"pixi", b"conda", b"mamba", b"micromamba", b"pip-sync", b"flit",
    b"pipx", b"easy_install", b"bash", b"sh", b"zsh", b"fish", b"env", b"xargs",
})  # fmt: skip
_PYTHON = re.compile(rb"(?:python|pypy)[\d.]*t?\Z")


def started(
    argv: Words, start: int, standing: Standing, inside: Context, runner: str, outer: Context, *, seeded: bool = True
) -> Run | Reason:
    """The inner command in ``inside``; ``seeded`` says that an environment made first gets a pip of its own."""
    because = (f"{runner} puts {display_path(standing.prefix)} first on PATH", *standing.because)
    if not standing.creates:
        return Run(start, inside, because, None, runner)
    tool = runner.partition(" ")[0]
    making = preparation(tool, argv, standing, outer)
    if making.outcome != "lands":
        return Run(None, None, because, making, runner)
    planned = _planned(making, inside, seeded=seeded)
    if planned is None:
        return "unknown-settings" if _matters(argv[start]) else Run(None, None, because, making, runner)
    return Run(start, planned, because, making, runner)


def direct(
    words: Words, standing: Standing | None, inside: Context, runner: str, outer: Context, *, seeded: bool = True
) -> Run | Reason:
    """The same for words that do not stand on the line as they are started: pip's rules are asked here."""
    word = words[0] or b""
    if not is_pip(word.decode("utf-8", "replace")):
        if _matters(word):
            return "unknown-settings"
        making = None
        if standing is not None and standing.creates:
            making = preparation(runner.partition(" ")[0], words, standing, outer)
        return Run(None, None, (), making, runner)
    if standing is not None and standing.creates:
        making = preparation(runner.partition(" ")[0], words, standing, outer)
        planned = _planned(making, inside, seeded=seeded) if making.outcome == "lands" else None
        if planned is None:
            return "unknown-settings"
        inside = planned
    found = programs.find(word, inside)
    answer = Pip().predict(words, found, inside)
    if answer is None:
        return Run(None, None, (), None, runner)
    if standing is not None and found is not None and not found.path.startswith(join(standing.prefix, b"")):
        answer = replace(answer, reason="runner-without-pip") if answer.outcome == "lands" else answer
    because = () if standing is None else (f"{runner} puts {display_path(standing.prefix)} first on PATH",)
    answer = replace(answer, because=(*because, *answer.because), plain=False)
    if standing is not None and standing.creates and answer.landing is not None:
        # One prediction stands for both: the environment is made, and gets the packages.
        if answer.landing.prefix != standing.prefix:
            return "unknown-settings"
        answer = replace(answer, landing=msgspec.structs.replace(answer.landing, exists=False), creates=True)
    return Run(None, None, (), answer, runner)


def stopped(start: Prediction, ending: Ending, runner: str) -> Run | Reason:
    """The runner ends before it starts anything."""
    if ending.outcome == "unknown":
        return ending.reason
    return Run(None, None, (), ended(start, ending), runner)


def preparation(tool: str, argv: Words, standing: Standing, context: Context) -> Prediction:
    """The environment that the runner makes first."""
    return lands(start_of(tool, "create", argv), standing, context)


def _planned(making: Prediction, inside: Context, *, seeded: bool) -> Context | None:
    """The inner context on the disk as it is once the environment stands; None when too little of that is known."""
    words = (b"virtualenv",) if seeded else (b"virtualenv", b"--no-pip")
    return after_creation(replace(making, tool="virtualenv", argv=words), inside)


def _matters(word: bytes | None) -> bool:
    """Whether an installer may be behind the word."""
    if word is None:
        return True
    name = word.rpartition(b"/")[2]
    return name in _INSTALLERS or _PYTHON.match(name) is not None or is_pip(name.decode("utf-8", "replace"))
