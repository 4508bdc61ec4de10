"""Predictions beside what the project expects: verdict, reason, sentence and replacement (design sections 1 and 7)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

import msgspec

from alight.commandline.simple import Simple
from alight.files.disk import join
from alight.landing import dispatch, replacement, sentences
from alight.landing.base import Context, Prediction
from alight.landing.replacement import Aim
from alight.model import Answer, Certainty, Expected, Install, Landing, Reason, Verdict
from alight.systems import condaroots, prefixes

Answering: TypeAlias = Callable[[bytes, Mapping[str, bytes]], Answer]
"""What belongs to a directory under these variables, and whether the user trusts it."""

CONDA_TOOLS = frozenset({"conda", "mamba", "micromamba", "pixi"})
ABOVE_LIMIT = 8
"""Levels between a directory that packages go to and the environment it may lie in."""

_OWN_PLACE = frozenset({"creates-environment", "explicit-directory", "isolated-tool", "explicit-environment"})
_FALLS = frozenset({
    "active-without-pip", "runner-without-pip", "pyenv-lacks-version", "stale-hash", "stale-virtual-env",
    "moved-environment", "copied-environment", "active-over-project", "uv-pip-elsewhere", "other-project",
    "explicit-environment", "other-user",
})  # fmt: skip
"""Reasons that say more than what the landing is."""

_BASES = frozenset({"system-python", "homebrew-python", "pyenv-global", "managed-python", "conda-base", "user-site"})
_ACTIVE_FIRST = frozenset({"poetry", "pipenv", "pdm"})


@dataclass(frozen=True, slots=True)
class _Place:
    """Where it lands, as verdicts see it; ``prefix`` is that of the environment around an explicit directory."""

    prefix: bytes
    is_global: bool
    is_conda: bool
    is_free: bool


def installs(line: bytes, shell: str, caller: Context, answering: Answering) -> tuple[Install, ...]:
    """One entry for every installer on ``line``, in the order they run."""
    found = dispatch.predictions(line, shell, caller)
    return tuple(judge(simple, context, prediction, answering) for simple, context, prediction in found)


def judge(simple: Simple | None, context: Context, prediction: Prediction, answering: Answering) -> Install:
    """The prediction with its verdict; ``simple`` is None when it stands for no words of the line."""
    answer = answering(context.directory, context.variables)
    aim = aim_of(answer, context)
    place = _place(prediction.landing, prediction, context)
    verdict = _verdict(prediction, place, aim, context)
    landing = prediction.landing if verdict not in ("none", "refused", "unknown") else None
    reason = _reason(prediction, verdict, place, aim, context, answering)
    install = Install(
        tool=prediction.tool,
        action=prediction.action,
        argv=prediction.argv,
        directory=context.directory,
        landing=landing,
        expected=None if aim is None else Expected(aim.prefix, aim.exists),
        verdict=verdict,
        confidence=_confidence(prediction, verdict),
        reason=reason,
        because=prediction.because,
        message="",
    )
    instead = None
    if verdict in ("global", "wrong-env", "refused") and aim is not None and aim.usable and simple is not None:
        instead = replacement.find(prediction, context, aim)
    span = simple.span if simple is not None and instead is not None and _is_whole(simple) else None
    return msgspec.structs.replace(
        install, message=sentences.message(install, aim), instead=instead, span=span if instead is not None else None
    )


def aim_of(answer: Answer, context: Context) -> Aim | None:
    """What a command in this directory should use: the project's environment, else the active one, else None."""
    found = answer.resolution
    if found.condition == "found" and found.environment is not None:
        environment = found.environment
        return Aim(environment.prefix, True, answer, environment.kind, _owner(answer))
    if found.condition in ("missing", "broken"):
        if found.would_create is not None and found.would_create.prefix:
            return Aim(found.would_create.prefix, False, answer, "", _owner(answer))
        if found.environment is not None:
            return Aim(found.environment.prefix, False, answer, found.environment.kind, _owner(answer))
    active = active_prefix(context)
    if active is None:
        return None
    kind = "conda" if prefixes.stands(active, context.disk) else "venv"
    return Aim(active, True, answer, kind, "", is_active=True)


def active_prefix(context: Context) -> bytes | None:
    """The environment that is switched on: of two, the one that comes first on PATH; none that is gone or a base."""
    path = (context.variable("PATH") or b"").split(b":")
    found: list[tuple[int, int, bytes]] = []
    for rank, name in enumerate(("VIRTUAL_ENV", "CONDA_PREFIX")):
        prefix = (context.variable(name) or b"").rstrip(b"/")
        if not prefix.startswith(b"/") or not _is_environment(prefix, context):
            continue
        binaries = join(prefix, b"bin")
        found.append((path.index(binaries) if binaries in path else len(path), rank, prefix))
    return min(found)[2] if found else None


def is_same(one: bytes, other: bytes, context: Context) -> bool:
    """Whether two prefixes are one directory, however it is spelled."""
    disk = context.disk
    if one == other or disk.realpath(one) == disk.realpath(other):
        return True
    first, second = disk.stat(one), disk.stat(other)
    return first is not None and second is not None and (first.st_dev, first.st_ino) == (second.st_dev, second.st_ino)


def _owner(answer: Answer) -> str:
    project = answer.resolution.project
    return (project.system or "") if project is not None else ""


def _is_environment(prefix: bytes, context: Context) -> bool:
    disk = context.disk
    if disk.is_file(join(prefix, b"pyvenv.cfg")):
        return True
    return prefixes.stands(prefix, disk) and not condaroots.is_root(prefix, context.facts())


def _place(landing: Landing | None, prediction: Prediction, context: Context) -> _Place | None:
    if landing is None:
        return None
    prefix, disk = landing.prefix, context.disk
    if landing.kind == "tool":
        return _Place(prefix, is_global=False, is_conda=False, is_free=True)
    if landing.kind == "directory":
        around = _around(landing.purelib or prefix, context)
        if around is None:
            return _Place(prefix, is_global=False, is_conda=False, is_free=True)
        prefix = around
    is_conda = prefixes.stands(prefix, disk)
    is_base = is_conda and condaroots.is_root(prefix, context.facts())
    is_global = landing.kind in ("base", "user") or is_base or prediction.reason == "conda-base"
    return _Place(prefix, is_global, is_conda, is_free=False)


def _around(directory: bytes, context: Context) -> bytes | None:
    """The environment in which a directory lies."""
    level = context.disk.realpath(directory)
    for _ in range(ABOVE_LIMIT):
        if context.disk.is_file(join(level, b"pyvenv.cfg")) or prefixes.stands(level, context.disk):
            return level
        level = level.rpartition(b"/")[0]
        if not level:
            break
    return None


def _verdict(prediction: Prediction, place: _Place | None, aim: Aim | None, context: Context) -> Verdict:
    if prediction.outcome == "nothing":
        return "none"
    if prediction.outcome == "stops":
        return "refused"
    if prediction.outcome != "lands" or place is None or prediction.certainty == "unknown":
        return "unknown"
    if place.is_global:
        return "global"
    if place.is_free:
        return "ok"
    # What is made is as it was asked for, and what was made a moment ago is meant.
    is_meant = prediction.creates or prediction.action == "create" or prediction.fresh
    is_elsewhere = aim is not None and not is_meant and not is_same(place.prefix, aim.prefix, context)
    if aim is not None and is_elsewhere and not _is_own(prediction, place, aim):
        return "wrong-env"
    if place.is_conda and prediction.tool not in CONDA_TOOLS and not _mixes(aim, context):
        return "mixed"
    return "ok"


def _is_own(prediction: Prediction, place: _Place, aim: Aim) -> bool:
    """What a tool keeps for this very project: another of its environments (hatch, pixi), or its first one."""
    if aim.is_active:
        root = aim.answer.resolution.root.rstrip(b"/")
        return prediction.reason == "project-environment" and bool(root) and place.prefix.startswith(root + b"/")
    if prediction.tool != aim.owner:
        return False
    others = aim.answer.resolution.alternatives
    known = any(other.environment.prefix == place.prefix and other.rule.startswith(aim.owner) for other in others)
    return known or prediction.reason == "project-environment"


def _mixes(aim: Aim | None, context: Context) -> bool:
    """Whether the project's files ask for packages of the Python index in its conda environment."""
    project = aim.answer.resolution.project if aim is not None else None
    if project is None:
        return False
    documents, root = context.documents, project.root
    for name in (b"environment.yml", b"environment.yaml"):
        wanted = documents.yaml(join(root, name)).get("dependencies")
        if isinstance(wanted, list) and any(isinstance(entry, dict) and "pip" in entry for entry in wanted):
            return True
    pixi = documents.table(join(root, b"pixi.toml"), mention=b"pypi-dependencies")
    nested = documents.table(join(root, b"pyproject.toml"), "tool", "pixi", mention=b"pypi-dependencies")
    for table in (pixi, nested):
        features = table.get("feature")
        parts = [table, *(features.values() if isinstance(features, dict) else ())]
        if any(isinstance(part, dict) and "pypi-dependencies" in part for part in parts):
            return True
    return False


def _confidence(prediction: Prediction, verdict: Verdict) -> Certainty:
    return "unknown" if verdict == "unknown" else prediction.certainty


def _reason(
    prediction: Prediction,
    verdict: Verdict,
    place: _Place | None,
    aim: Aim | None,
    context: Context,
    answering: Answering,
) -> Reason:
    given = prediction.reason
    if verdict in ("none", "refused", "unknown") or place is None:
        return given
    if verdict == "global":
        if given in _BASES or given in _FALLS or prediction.landing is None:
            return given
        return "user-site" if prediction.landing.kind == "user" else "conda-base" if place.is_conda else "system-python"
    if verdict == "wrong-env":
        return given if given in _FALLS else _stray(prediction, place, context, answering)
    if verdict == "mixed":
        return "pip-in-conda"
    if given in _OWN_PLACE or place.is_free:
        return given
    if aim is None or (prediction.fresh and not is_same(place.prefix, aim.prefix, context)):
        return "explicit-environment"
    if aim.is_active and given != "project-environment":
        return "active-environment"
    return "project-environment"


def _stray(prediction: Prediction, place: _Place, context: Context, answering: Answering) -> Reason:
    """Why it is this environment and not the expected one, where the installer's rules do not say more."""
    active = context.variable("VIRTUAL_ENV") or context.variable("CONDA_PREFIX")
    is_uv_pip = replacement.is_uv_pip(prediction.argv)
    if active is None or not is_same(active.rstrip(b"/") or b"/", place.prefix, context):
        if is_uv_pip:
            return "uv-pip-elsewhere"
        around = answering(place.prefix.rpartition(b"/")[0] or b"/", context.variables).resolution
        belongs = around.environment is not None and is_same(around.environment.prefix, place.prefix, context)
        is_sure = around.confidence in ("certain", "high", "medium")
        return "other-project" if belongs and is_sure else "explicit-environment"
    return "active-over-project" if prediction.tool in _ACTIVE_FIRST or is_uv_pip else "stale-virtual-env"


def _is_whole(simple: Simple) -> bool:
    """Whether another command can stand where the words stood: not behind ``xargs``, nor as somebody else."""
    return not any(wrapper.kind in _NOT_REPLACED for wrapper in simple.wrappers)


_NOT_REPLACED = frozenset({"sudo", "doas", "xargs", "parallel", "find", "runner", "login", "builtin", "equals"})
