"""What to run instead: words whose own prediction is that they land in the expected environment."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from alight.files.disk import join
from alight.landing import dispatch
from alight.landing.base import Context, Prediction
from alight.model import Answer

_ADD: dict[str, tuple[bytes, ...]] = {
    "uv": (b"uv", b"add"),
    "poetry": (b"poetry", b"add"),
    "pipenv": (b"pipenv", b"install"),
    "pdm": (b"pdm", b"add"),
    "pixi": (b"pixi", b"add", b"--pypi"),
}
_ACTIVE = ("VIRTUAL_ENV", "CONDA_PREFIX", "CONDA_DEFAULT_ENV")
_PIP_FLAGS = frozenset({b"--user", b"--no-user", b"--break-system-packages", b"--require-virtualenv"})
_UV_FLAGS = frozenset({b"--system", b"--no-system", b"--break-system-packages", b"--user", b"--active"})
_UV_VERBS = frozenset(b"pip run add remove sync lock tool venv python init export tree build publish".split())
_CONDA_WORDS = frozenset({b"conda", b"mamba", b"micromamba"})


@dataclass(frozen=True, slots=True)
class Aim:
    """The environment a command should use, and how it is known.

    ``owner`` is the tool that the project's files name, or "". ``is_active`` when no project has a word in it and it is
    merely switched on.
    """

    prefix: bytes
    exists: bool
    answer: Answer
    kind: str
    owner: str
    is_active: bool = False

    @property
    def is_trusted(self) -> bool:
        """Whether the user agreed to it: by ``alight allow``, or by switching it on."""
        return self.is_active or self.answer.state == "trusted"

    @property
    def usable(self) -> bool:
        """Whether something may be offered that runs in it."""
        return self.exists and self.is_trusted


def find(prediction: Prediction, context: Context, aim: Aim) -> tuple[bytes, ...] | None:
    """The first way to say the same that is predicted to land there; None when there is none."""
    if context.user is not None or prediction.action not in ("install", "uninstall", "sync"):
        return None
    return next((words for words in _candidates(prediction, context, aim) if _lands(words, context, aim)), None)


def is_uv_pip(argv: tuple[bytes, ...]) -> bool:
    """Whether these words are ``uv pip``, whatever options stand between."""
    is_uv = bool(argv) and argv[0].rpartition(b"/")[2] == b"uv"
    return is_uv and next((word for word in argv[1:] if word in _UV_VERBS), None) == b"pip"


def _candidates(prediction: Prediction, context: Context, aim: Aim) -> Iterator[tuple[bytes, ...]]:
    argv, tool = prediction.argv, prediction.tool
    python = join(aim.prefix, b"bin/python")
    if not argv:
        return
    if tool == "pip" or is_uv_pip(argv):
        yield from _added(prediction, aim)
        if aim.kind == "conda" and tool == "pip" and _is_plain(prediction) and prediction.action == "install":
            yield (b"conda", b"install", b"-p", aim.prefix, *prediction.requirements)
        if is_uv_pip(argv):
            yield _uv_pip(argv, aim.prefix)
        elif aim.owner == "uv":
            yield from _as_uv_pip(prediction, aim)
        if tool == "pip" and not is_uv_pip(argv):
            yield (python, b"-m", b"pip", *_without(argv[1:], _PIP_FLAGS, (b"--python",)))
            yield from _as_uv_pip(prediction, aim)
    elif tool in ("poetry", "pipenv", "pdm"):
        unset = [word for name in _ACTIVE if context.variable(name) for word in (b"-u", name.encode())]
        if unset:
            yield (b"env", *unset, *argv)
    elif argv[0].rpartition(b"/")[2] in _CONDA_WORDS and aim.kind == "conda" and len(argv) > 1:
        rest = _without(argv[2:], frozenset(), (b"-n", b"--name", b"-p", b"--prefix"))
        yield (argv[0], argv[1], b"-p", aim.prefix, *rest)
    elif tool in ("pip-sync", "pip-tools"):
        yield (argv[0], b"--python-executable", python, *_without(argv[1:], frozenset(), (b"--python-executable",)))
    elif tool == "flit" and len(argv) > 1:
        yield (argv[0], argv[1], b"--python", python, *_without(argv[2:], frozenset({b"--user"}), (b"--python",)))
    elif argv[0].endswith(b"uv") and context.variable("UV_PROJECT_ENVIRONMENT"):
        yield (b"env", b"-u", b"UV_PROJECT_ENVIRONMENT", *_without(argv, _UV_FLAGS, ()))
    elif argv[0].endswith(b"uv"):
        yield tuple(_without(argv, _UV_FLAGS, ()))


def _added(prediction: Prediction, aim: Aim) -> Iterator[tuple[bytes, ...]]:
    """The project's own tool, which writes it down, too."""
    if prediction.action == "install" and aim.owner in _ADD and _is_plain(prediction) and not aim.is_active:
        yield (*_ADD[aim.owner], *prediction.requirements)


def _as_uv_pip(prediction: Prediction, aim: Aim) -> Iterator[tuple[bytes, ...]]:
    """The command of pip for uv, where nothing is said that uv may not know."""
    if prediction.plain and prediction.requirements and prediction.action in ("install", "uninstall"):
        yield (b"uv", b"pip", prediction.action.encode(), b"--python", aim.prefix, *prediction.requirements)


def _is_plain(prediction: Prediction) -> bool:
    """Nothing but names and versions, which every tool's command takes."""
    wanted = prediction.requirements
    return (
        prediction.plain
        and bool(wanted)
        and not any(word.startswith((b"-", b".")) or b"/" in word or b"@" in word for word in wanted)
    )


def _uv_pip(argv: tuple[bytes, ...], prefix: bytes) -> tuple[bytes, ...]:
    at = argv.index(b"pip")
    rest = _without(argv[at + 2 :], _UV_FLAGS, (b"-p", b"--python"))
    return (*argv[: at + 2], b"--python", prefix, *rest)


def _without(words: tuple[bytes, ...], flags: frozenset[bytes], valued: tuple[bytes, ...]) -> tuple[bytes, ...]:
    """The words without these flags and these options with their values."""
    kept: list[bytes] = []
    skips = False
    for word in words:
        if skips:
            skips = False
        elif word in valued:
            skips = True
        elif word not in flags and not any(word.startswith(option + b"=") for option in valued if option[:2] == b"--"):
            kept.append(word)
    return tuple(kept)


def _lands(words: tuple[bytes, ...], context: Context, aim: Aim) -> bool:
    """Whether the rules that were asked about the typed line say that these words land where they should."""
    line = b" ".join(b"'" + word.replace(b"'", b"'\\''") + b"'" for word in words)
    # Whether it runs at all is another question than where it lands.
    found = dispatch.predictions(line, "bash", replace(context, conditional=False))
    if len(found) != 1:
        return False
    prediction, disk = found[0][2], context.disk
    landing = prediction.landing
    if prediction.outcome != "lands" or prediction.certainty != "sure" or landing is None:
        return False
    return landing.kind in ("venv", "conda", "pep582") and disk.realpath(landing.prefix) == disk.realpath(aim.prefix)
