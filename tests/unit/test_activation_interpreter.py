"""A bare interpreter: what a .python-version names, on PATH only with the user's word and without pyenv's shims."""

from __future__ import annotations

import os
from collections.abc import Mapping

import pytest

from alight.activation.ownership import Surroundings
from alight.activation.plan import Published, make_plan
from alight.activation.session import Session
from alight.clock import SystemClock
from alight.files.disk import Disk
from alight.model import Answer, Condition, Environment, Interpreter, Kind, Owner, Project, Resolution, State
from alight.wire.messages import Plan

PREFIX = b"/home/u/.pyenv/versions/3.12.4"
VENV = b"/p/.venv"


def answer(
    *,
    stamp: bytes = b"/t/alight/trust/x.json",
    origin: str = "pyenv",
    condition: Condition = "none",
    root: bytes = b"/p",
) -> Answer:
    python = Interpreter(PREFIX + b"/bin/python3.12", PREFIX, "3.12.4", origin)
    found = Resolution(
        root, Project(root, (".python-version",)), None, python, condition, None, "interpreter-only", "high"
    )
    return Answer(found, "missing" if condition == "missing" else "none", stamp=stamp)


def environment(kind: Kind = "venv", state: State = "trusted") -> Answer:
    own = Environment(VENV, kind, "pdm", "app", "3.12.4", VENV + b"/bin/python", None, ())
    return Answer(
        Resolution(b"/p", Project(b"/p", ()), own, None, "found", None, "r", "high"),
        state,
        stamp=b"/t/alight/trust/x.json",
    )


def plan(
    reply: Answer,
    variables: Mapping[str, bytes] | None = None,
    *,
    applied: bytes = b"",
    owner: Owner = "",
    declined: bytes = b"",
) -> Plan:
    given = {"PATH": b"/usr/bin:/bin", "HOME": b"/home/u", **(variables or {})}
    session = Session("bash", b"/p", "on", owner, applied, declined, False, given)
    ask = Surroundings(
        same=lambda one, other: one == other, alive=lambda _prefix: True, elsewhere=lambda _prefix: False
    )
    active = None
    if session.active:
        active = Environment(session.active, "venv", "", "lone", "", b"/x", None, ())
    disk = Disk(os.getuid(), SystemClock())
    return make_plan(session, reply, ask, active, disk, Published(b"/g", "m"), segment=True)


def test_entering() -> None:
    """Its bin is put first in PATH and nothing else happens; no environment is shown, its version is."""
    made = plan(answer())
    assert (made.action, made.owner, made.prefix, made.stamp) == ("enter", "alight", PREFIX, b"/t/alight/trust/x.json")
    assert made.operations == (b"path-add " + PREFIX + b"/bin",)
    assert (made.state, made.name, made.kind, made.python_version, made.prompt) == ("none", "", "", "3.12.4", "")
    assert b"/p/.python-version" in (made.witness_1, made.witness_2, made.witness_3, made.witness_4)


def test_it_serves_until_the_environment_is_made() -> None:
    """Where a tool's environment is missing the allowed interpreter is used, and nobody is asked for it."""
    assert plan(answer(condition="missing")).action == "enter"
    made = plan(answer(condition="missing", stamp=b""))
    assert (made.action, made.notice) == ("keep", "")


def test_it_stays_while_it_belongs() -> None:
    """At the next prompt nothing changes, and the hook hears that it is ours."""
    made = plan(answer(), applied=PREFIX, owner="alight")
    assert (made.action, made.owner, made.prefix, made.python_version) == ("keep", "alight", PREFIX, "3.12.4")
    assert made.operations == ()


@pytest.mark.parametrize(
    ("reply", "declined"),
    [(answer(stamp=b""), b""), (answer(origin="uv"), b""), (answer(), b"/p")],
)
def test_it_goes_when_the_answer_changes(reply: Answer, declined: bytes) -> None:
    """Without the user's word, of another origin, or declined: it is left, and not entered."""
    assert plan(reply, applied=PREFIX, owner="alight", declined=declined).action == "leave"
    assert plan(reply, declined=declined).action == "keep"


@pytest.mark.parametrize(
    "variables",
    [
        {"PATH": b"/home/u/.pyenv/shims:/usr/bin"},
        {"PATH": b"/usr/bin:/opt/pyenv/shims/", "PYENV_ROOT": b"/opt/pyenv"},
        {"PATH": b"/home/u/.pyenv/shims:/usr/bin", "PYENV_ROOT": b"/opt/pyenv"},
    ],
)
def test_shims_do_it_themselves(variables: dict[str, bytes]) -> None:
    """Where pyenv's shims stand on PATH nothing is added, and nothing is said."""
    for reply in (answer(), answer(stamp=b"")):
        made = plan(reply, variables)
        assert (made.action, made.operations, made.notice) == ("keep", (), "")


def test_never_over_an_active_environment() -> None:
    """What the user has on stays in front, and is theirs."""
    made = plan(answer(), {"VIRTUAL_ENV": b"/lone"})
    assert (made.action, made.owner) == ("keep", "user")
    made = plan(answer(), {"VIRTUAL_ENV": b"/lone"}, applied=PREFIX, owner="alight")
    assert (made.action, made.owner) == ("leave", "user")


def test_from_and_to_an_environment() -> None:
    """A hop either way is one step: the hook undoes the one before it enters the other."""
    made = plan(environment(), applied=PREFIX, owner="alight")
    assert (made.action, made.prefix) == ("enter", VENV)
    made = plan(answer(), {"VIRTUAL_ENV": b"/q/.venv"}, applied=b"/q/.venv", owner="alight")
    assert (made.action, made.prefix) == ("enter", PREFIX)


def test_it_asks_for_the_users_word_once() -> None:
    """One line with the way out; silence once it is allowed, declined, or something else belongs here."""
    line = "alight: .python-version names Python 3.12.4 (pyenv); `alight allow` puts it on PATH"
    assert plan(answer(stamp=b"")).notice == line
    assert plan(answer(stamp=b""), {"PYENV_VERSION": b"3.12.4"}).notice == line.replace(
        ".python-version", "PYENV_VERSION"
    )
    assert plan(answer()).notice == ""
    assert plan(answer(stamp=b""), declined=b"/p").notice == ""
    assert plan(answer(stamp=b"", origin="debian")).notice == ""


@pytest.mark.parametrize("state", ["trusted", "untrusted", "denied"])
def test_pep582_is_never_entered_and_never_nags(state: State) -> None:
    """A __pypackages__ has nothing to switch on: no operation, no notice, no prompt text."""
    made = plan(environment("pep582", state))
    assert (made.action, made.operations, made.notice, made.prompt, made.state) == ("keep", (), "", "", "none")
    made = plan(
        environment("pep582", state), applied=b"/q/.venv", owner="alight", variables={"VIRTUAL_ENV": b"/q/.venv"}
    )
    assert made.action == "leave"
