"""``uv pip install``, ``uninstall`` and ``sync``: the active environment, else the nearest (landing rules 1.5)."""

from __future__ import annotations

from alight.landing import schemes
from alight.landing.base import Context as Place
from alight.landing.base import Prediction, Program, Words
from alight.landing.uvdiscovery import Found, Mode, find, may_fetch
from alight.landing.uvoptions import Line, parse
from alight.landing.uvsettings import (
    Refusal,
    Surroundings,
    absolute,
    octets,
    prediction,
    stop,
    surroundings,
    unknown,
)
from alight.landing.uvwish import Wish, wish
from alight.model import Certainty, InstallAction, Landing, Scheme

TOOL = "uv pip"
ACTIONS: dict[str, InstallAction] = {"pip install": "install", "pip uninstall": "uninstall", "pip sync": "sync"}
PRETENDING = ("dry-run", "check", "help", "version")
_GIVEN = frozenset({"requirements", "editable"})
_LOCAL = (b"git+", b"http://", b"https://", b"file:", b"-")


class UvPip:
    """The rules of ``uv pip``."""

    name = TOOL
    words = frozenset({"uv"})

    def predict(self, argv: Words, program: Program | None, context: Place) -> Prediction | None:
        """Where it would write; None for what only shows."""
        line = parse(argv)
        action = ACTIONS.get(line.command)
        if action is None:
            if line.command == "pip compile":
                return prediction(TOOL, "other", argv, "nothing", "no-landing", "it writes a list of requirements")
            return None
        try:
            return _predict(action, argv, line, program, context)
        except Refusal as refusal:
            return prediction(TOOL, action, argv, refusal.outcome, refusal.reason, refusal.because)


def _predict(action: InstallAction, argv: Words, line: Line, program: Program | None, context: Place) -> Prediction:
    if line.has("help") and not line.opaque:
        return prediction(TOOL, action, argv, "nothing", "no-landing", "it shows its help")
    around = surroundings(line, program, context)
    _check(action, line, around)
    said = tuple(option for option in PRETENDING if line.has(option))
    system = around.switch("system", "UV_SYSTEM_PYTHON")
    breaking = around.switch("break-system-packages", "UV_BREAK_SYSTEM_PACKAGES")
    wanted = wish(around.value("python", "UV_PYTHON"), around.context)
    target, prefix = around.value("target"), around.value("prefix")
    only_system = system is not None and bool(system.value)
    free = (target is not None or prefix is not None) and action != "uninstall"
    mode: Mode = "system" if only_system else "any" if free else "environment"
    preference = _preference(around, only_system=only_system) if free else "system" if only_system else "managed"
    found = find(wanted, mode, around, preference)
    if target is not None or prefix is not None:
        if found is None and action == "uninstall":
            raise stop("no-environment", "uv wants an environment even here, and finds none")
        landed = _elsewhere(action, argv, line, around, found, wanted, preference)
    else:
        if found is None:
            raise stop("no-environment", _nothing(wanted, only_system=only_system))
        because = found.because if not only_system or system is None else (f"{system.source} is on", *found.because)
        if found.python.managed and not (breaking is not None and breaking.value):
            raise stop("externally-managed", f"{_shown(found.python.prefix)} is marked as externally managed")
        if not schemes.is_writable(found.python, around.context) and not said:
            raise stop("not-writable", f"{_shown(found.python.prefix)} cannot be written, and uv has no other place")
        landing = schemes.land(found.python, around.context)
        landed = _landed(action, argv, line, landing, found, because)
    if said:
        return prediction(TOOL, action, argv, "nothing", "no-landing", f"--{said[0]} changes nothing")
    return landed


def _check(action: InstallAction, line: Line, around: Surroundings) -> None:
    """What the parser and the first steps refuse."""
    if line.has("user"):
        raise stop("bad-options", "uv pip has no --user")
    if line.has("target") and line.has("prefix"):
        raise stop("bad-options", "--target and --prefix exclude each other")
    given = bool(line.words) or any(line.has(name) for name in ("requirements", "editable", "group"))
    if not given:
        raise stop("bad-options", "nothing is named")
    files = [*line.values("requirements"), *(line.words if action == "sync" else ())]
    for name in files:
        if name is None:
            raise unknown("unknown-word", "a word of the command is not known")
        if not name.startswith(_LOCAL) and not around.context.disk.exists(around.context.path(name)):
            raise stop("bad-options", f"{_shown(name)} does not exist")


def _preference(around: Surroundings, *, only_system: bool) -> str:
    """``managed``, ``only-managed``, ``system`` or ``only-system``."""
    managed = around.switch("managed-python", "UV_MANAGED_PYTHON")
    unmanaged = around.context.variables.get("UV_NO_MANAGED_PYTHON")
    chosen = "managed"
    if managed is not None:
        chosen = "only-managed" if managed.value else "only-system"
    elif unmanaged is not None:
        chosen = "only-system"
    else:
        setting = around.value("python-preference", "UV_PYTHON_PREFERENCE")
        if setting is not None:
            chosen = setting.value.decode("utf-8", "replace")
    return "system" if only_system and chosen == "managed" else chosen


def _elsewhere(
    action: InstallAction,
    argv: Words,
    line: Line,
    around: Surroundings,
    found: Found | None,
    wanted: Wish,
    preference: str,
) -> Prediction:
    """``--target`` and ``--prefix``; a target, even the configuration's, wins over a prefix."""
    context = around.context
    target, prefix = around.value("target"), around.value("prefix")
    chosen = target or prefix
    assert chosen is not None
    if found is not None:
        place = {"target": chosen.value} if target is not None else {"prefix": chosen.value}
        landing = schemes.land(found.python, context, **place)
    elif wanted.request is None or not may_fetch(around, preference):
        raise stop("no-environment", _nothing(wanted, only_system=True))
    else:
        path = absolute(chosen.value, context)
        scheme: Scheme = "prefix" if target is None else "target"
        purelib = path if target is not None else None
        landing = Landing(None, path, scheme, purelib, "directory", _shown(path), context.disk.exists(path))
    if not schemes.can_write(landing.purelib or landing.prefix, context):
        raise stop("not-writable", f"{_shown(landing.prefix)} cannot be written")
    because = f"{chosen.source} names {_shown(chosen.value)}"
    certainty: Certainty = "likely" if found is None else "sure"
    return Prediction(TOOL, action, octets(argv), "lands", "explicit-directory", landing, (because,), certainty,
                      requirements=requirements(line), plain=False)  # fmt: skip


def _landed(
    action: InstallAction, argv: Words, line: Line, landing: Landing, found: Found, because: tuple[str, ...]
) -> Prediction:
    certainty: Certainty = "sure" if found.sure else "likely"
    return Prediction(TOOL, action, octets(argv), "lands", found.reason, landing, because, certainty,
                      requirements=requirements(line), plain=is_plain(line))  # fmt: skip


def requirements(line: Line) -> tuple[bytes, ...]:
    """What is installed, as another command can repeat it."""
    found = [word for word in line.words if word is not None]
    for name, value in line.options:
        if name in _GIVEN and value is not None:
            found += [b"-" + name[:1].encode(), value]
    return tuple(found)


def is_plain(line: Line) -> bool:
    """Whether nothing else is said."""
    return all(name in _GIVEN for name, _ in line.options)


def _nothing(wanted: Wish, *, only_system: bool) -> str:
    what = "Python that is no environment" if only_system else "environment"
    return f"uv finds no {what}" + (f" for {wanted.source}" if wanted.source else "")


def _shown(path: bytes) -> str:
    return path.decode("utf-8", "backslashreplace")
