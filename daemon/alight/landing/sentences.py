"""The one sentence a person reads about an install."""

from __future__ import annotations

from alight.landing.replacement import Aim
from alight.model import Install, Landing
from alight.text import display, display_path

_VERBS = {
    "install": "installs into",
    "uninstall": "uninstalls from",
    "sync": "changes",
    "create": "creates",
    "other": "writes into",
}
_NOT = {"install": "not into", "uninstall": "not from", "sync": "not", "create": "not", "other": "not into"}
_CAUSES = {
    "active-without-pip": "the active environment has no pip: ",
    "runner-without-pip": "the environment that this runs in has no pip: ",
    "pyenv-lacks-version": "pyenv does not have the Python that .python-version names: ",
    "stale-hash": "the shell remembers another file than PATH gives: ",
    "stale-virtual-env": "another environment is still active: ",
    "moved-environment": "this environment was moved and its scripts still name the old place: ",
    "copied-environment": "this environment is a copy and its scripts name the original: ",
    "active-over-project": "the active environment comes before the project's: ",
}
_REFUSED = {
    "externally-managed": "{tool} will refuse: this Python is externally managed",
    "require-virtualenv": "{tool} will refuse: it is to work in virtual environments only, and this Python is in none",
    "no-such-command": "there is no such command on PATH, so nothing is installed",
    "no-such-module": "this Python does not have {tool}, so nothing is installed",
    "interpreter-missing": "the Python that this {tool} was made for is gone, so nothing is installed",
    "not-writable": "{tool} will fail: it may not write there",
    "bad-options": "{tool} will refuse these options",
    "no-project": "{tool} finds no project here",
    "no-environment": "{tool} finds no environment to install into",
    "frozen-environment": "{tool} will refuse: the environment is frozen",
}
_UNKNOWN = {
    "unknown-word": "where {tool} lands depends on a word that only the shell can expand",
    "opaque-line": "what runs before {tool} on this line cannot be known, nor where it lands",
    "unknown-program": "this {tool} is no program whose rules are known",
    "unknown-settings": "where {tool} lands depends on settings that cannot be read",
    "other-user": "where {tool} lands depends on another user's settings",
}


def message(install: Install, aim: Aim | None) -> str:
    """One sentence without a full stop; nothing from the disk is shown that a terminal would act on."""
    tool = display(install.tool)
    match install.verdict:
        case "none":
            return f"this {tool} command {'removes' if install.action == 'uninstall' else 'installs'} nothing"
        case "refused":
            said = _REFUSED.get(install.reason, "{tool} will refuse or fail").format(tool=tool)
            if install.reason == "no-such-command" and install.argv:
                word = display_path(install.argv[0])
                said = f"there is no {word}{'' if '/' in word else ' on PATH'}, so nothing is installed"
            if install.confidence == "likely":
                said = said.replace(" will ", " will probably ", 1)
            if aim is None or install.reason != "externally-managed":
                return said
            return f"{said}, and not {expected_name(aim)}{_remark(aim)}"
        case "unknown":
            return _UNKNOWN.get(install.reason, "it cannot be known where {tool} lands").format(tool=tool)
    assert install.landing is not None
    verb = _VERBS[install.action]
    if install.confidence == "likely":
        verb = f"probably {verb}"
    is_expected = install.verdict in ("ok", "mixed") and aim is not None and aim.prefix == install.landing.prefix
    where = landing_name(install.landing, aim if is_expected else None)
    if install.verdict == "mixed":
        return f"this {tool} {verb} {where}, whose packages are conda's"
    if install.verdict == "ok":
        makes = not install.landing.exists and install.landing.kind != "directory"
        if makes and install.action != "create":
            return f"this {tool} creates {where} first"
        return f"this {tool} {verb} {where}"
    said = f"{_CAUSES.get(install.reason, '')}this {tool} {verb} {where}"
    if install.verdict == "global":
        said += " (global)"
    if aim is None:
        return said + "; no environment is active" if install.verdict == "global" else said
    return f"{said}, {_NOT[install.action]} {expected_name(aim)}{_remark(aim)}"


def landing_name(landing: Landing, aim: Aim | None = None) -> str:
    """Where it lands, in words; ``aim`` when that is what was expected."""
    if landing.kind in ("directory", "tool"):
        return display_path(landing.purelib or landing.prefix) if landing.kind == "directory" else "its own environment"
    if aim is not None:
        return expected_name(aim)
    if landing.kind == "base":
        return display(landing.name) or display_path(landing.prefix)
    if landing.kind == "user":
        return f"your user site {display_path(landing.purelib or landing.prefix)}"
    if landing.kind == "conda":
        return f"the conda environment {display(landing.name) or display_path(landing.prefix)}"
    return f"the environment {display_path(landing.prefix)}"


def expected_name(aim: Aim) -> str:
    """What was expected, in words: short where it lies in the project."""
    if aim.is_active:
        return f"the active environment {display_path(aim.prefix)}"
    root = aim.answer.resolution.root
    if root and aim.prefix.startswith(root.rstrip(b"/") + b"/"):
        return f"this project's {display_path(aim.prefix[len(root.rstrip(b'/')) + 1 :])}"
    return f"this project's environment {display_path(aim.prefix)}"


def _remark(aim: Aim) -> str:
    found = aim.answer.resolution
    if not aim.exists:
        if found.condition == "broken":
            return ", which is broken"
        command = f" (`{display(found.would_create.command)}` makes it)" if found.would_create is not None else ""
        return f", which is not there yet{command}"
    return "" if aim.is_trusted else ", which is not trusted (`alight allow`)"
