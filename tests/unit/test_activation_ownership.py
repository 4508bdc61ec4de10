"""Every row of the ownership state machine."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import pytest

from alight.activation.ownership import Decision, Surroundings, decide
from alight.activation.session import NO_ROOT, Session
from alight.model import Answer, Environment, Owner, Project, Resolution, State, Switch
from support.foreign import direnv_variables, mise_variables

ROOT, OWN, OTHER, LONE, DEAD = b"/p", b"/p/.venv", b"/q/.venv", b"/envs/lone", b"/gone/.venv"


def environment(prefix: bytes = OWN) -> Environment:
    return Environment(prefix, "venv", "venv", "p", "3.12.1", prefix + b"/bin/python", None, ())


def answer(state: State, root: bytes = ROOT) -> Answer:
    has = state not in ("none", "missing")
    condition = "found" if state in ("trusted", "untrusted", "denied") else state
    project = Project(root, ("pyproject.toml",)) if root else None
    return Answer(Resolution(root, project, environment() if has else None, None, condition, None, "r", "high"), state)


def surroundings() -> Surroundings:
    """``/link`` leads to the project's own environment; OTHER is another project's."""

    def real(path: bytes) -> bytes:
        return OWN if path == b"/link" else path

    return Surroundings(
        same=lambda one, other: real(one) == real(other),
        alive=lambda prefix: prefix != DEAD,
        elsewhere=lambda prefix: prefix == OTHER,
    )


@dataclass(frozen=True)
class Row:
    """One situation, and what follows from it."""

    name: str
    state: State
    expected: Decision
    active: bytes = b""
    conda: bytes = b""
    conda_name: bytes = b"x"
    applied: bytes = b""
    owner: Owner = ""
    declined: bytes = b""
    switch: Switch = "on"
    first: bool = False
    root: bytes = ROOT
    more: Mapping[str, bytes] = field(default_factory=dict)


DIRENV = direnv_variables({"PATH": "/bin"}, {"PATH": "/bin", "VIRTUAL_ENV": "/p/.venv"})
BROKEN = {"CONDA_SHLVL": b"1"}
PLAIN_DIRENV = direnv_variables({"PATH": "/bin"}, {"PATH": "/bin:/p/scripts", "FLAVOUR": "mint"})
MISE = mise_variables({}, {"VIRTUAL_ENV": "/p/.venv"}, [])

# fmt: off
ROWS = [
    # nothing active
    Row("trusted-enters", "trusted", Decision("enter", "alight")),
    Row("untrusted-waits", "untrusted", Decision("keep", "")),
    Row("denied-stays-off", "denied", Decision("keep", "")),
    Row("broken-stays-off", "broken", Decision("keep", "")),
    Row("missing", "missing", Decision("keep", "")),
    Row("nothing-here", "none", Decision("keep", "")),
    Row("declined-stays-off", "trusted", Decision("keep", "", declined=True), declined=ROOT),
    Row("declined-elsewhere-counts-no-more", "trusted", Decision("enter", "alight"), declined=b"/q"),
    Row("conda-base-is-merely-there", "trusted", Decision("enter", "alight"), conda=b"/conda", conda_name=b"base"),
    Row("conda-base-by-its-path", "trusted", Decision("enter", "alight"), conda=b"/conda", conda_name=b"/conda",
        more={"CONDA_EXE": b"/conda/bin/conda"}),
    Row("conda-base-outside-projects", "none", Decision("keep", "inherited"), conda=b"/conda", conda_name=b"base"),
    Row("conda-base-typed-over-another", "trusted", Decision("keep", "user"), owner="user",
        conda=b"/conda", conda_name=b"base", more={"CONDA_SHLVL": b"2", "CONDA_PREFIX_1": LONE}),
    Row("conda-base-by-a-start-up-file", "trusted", Decision("enter", "alight"), first=True, owner="user",
        conda=b"/conda", conda_name=b"base", more={"CONDA_SHLVL": b"2", "CONDA_PREFIX_1": LONE}),
    Row("conda-base-after-the-users", "trusted", Decision("enter", "alight"), owner="user",
        conda=b"/conda", conda_name=b"base", more={"CONDA_SHLVL": b"1"}),
    # conda's variables contradict each other
    Row("broken-stack", "none", Decision("clean", "", mended=True), more=BROKEN),
    Row("broken-stack-here", "trusted", Decision("enter", "alight", mended=True), more=BROKEN),
    Row("broken-stack-below-the-users", "none", Decision("clean", "user", mended=True), active=LONE, more=BROKEN),
    Row("broken-stack-below-the-own", "trusted", Decision("clean", "user", mended=True), active=OWN, more=BROKEN),
    Row("broken-stack-below-a-dead-one", "none", Decision("clean", "", dropped=DEAD, mended=True),
        active=DEAD, more=BROKEN),
    Row("broken-stack-below-ours", "trusted", Decision("keep", "alight"),
        owner="alight", applied=OWN, active=OWN, more=BROKEN),
    Row("broken-stack-with-a-hole", "none", Decision("clean", "", mended=True),
        conda=LONE, more={"CONDA_SHLVL": b"2"}),
    Row("broken-stack-of-direnvs", "trusted", Decision("keep", "direnv"), active=OWN, more={**DIRENV, **BROKEN}),
    Row("broken-stack-while-off", "none", Decision("keep", "", declined=True), switch="off", more=BROKEN),
    # switched off or paused
    Row("off", "trusted", Decision("keep", "", declined=True), switch="off"),
    Row("off-with-the-users", "trusted", Decision("keep", "user", declined=True),
        switch="off", owner="user", active=LONE),
    Row("paused-here", "trusted", Decision("keep", "alight", declined=True, paused=True),
        switch="paused", declined=ROOT, owner="alight", applied=OWN, active=OWN),
    Row("paused-elsewhere-is-over", "trusted", Decision("enter", "alight"), switch="paused", declined=b"/q"),
    Row("paused-where-no-project-is", "none", Decision("keep", "", declined=True, paused=True),
        switch="paused", declined=NO_ROOT, root=b""),
    # another tool
    Row("direnv-owns", "trusted", Decision("keep", "direnv"), more=DIRENV, active=OWN),
    Row("direnv-over-ours", "trusted", Decision("keep", "direnv"), more=DIRENV, active=OWN, applied=OWN),
    Row("direnv-without-python", "trusted", Decision("enter", "alight"), more=PLAIN_DIRENV),
    Row("mise-owns", "trusted", Decision("keep", "mise"), more=MISE, active=OWN),
    Row("mise-over-ours", "trusted", Decision("keep", "mise"), more=MISE, active=OWN, applied=OWN),
    Row("left-over-of-direnv", "none", Decision("clean", "", dropped=OTHER), owner="direnv", active=OTHER),
    Row("left-over-of-mise-is-replaced", "trusted", Decision("enter", "alight", dropped=OTHER),
        owner="mise", active=OTHER),
    Row("vscode-said-so", "trusted", Decision("keep", "vscode"), owner="vscode", active=OTHER),
    Row("vscode-terminal", "trusted", Decision("keep", "vscode"),
        first=True, active=OWN, more={"TERM_PROGRAM": b"vscode"}),
    Row("vscode-terminal-later", "trusted", Decision("keep", "user"), active=OTHER, more={"TERM_PROGRAM": b"vscode"}),
    # ours is on
    Row("ours-stays", "trusted", Decision("keep", "alight"), owner="alight", applied=OWN, active=OWN),
    Row("ours-stays-by-another-name", "trusted", Decision("keep", "alight"),
        owner="alight", applied=OWN, active=b"/link"),
    Row("ours-hops", "trusted", Decision("enter", "alight"), owner="alight", applied=OTHER, active=OTHER),
    Row("ours-leaves", "none", Decision("leave", ""), owner="alight", applied=OTHER, active=OTHER),
    Row("ours-leaves-the-denied", "denied", Decision("leave", ""), owner="alight", applied=OWN, active=OWN),
    Row("ours-leaves-the-changed", "untrusted", Decision("leave", ""), owner="alight", applied=OWN, active=OWN),
    Row("ours-leaves-the-broken", "broken", Decision("leave", ""), owner="alight", applied=OWN, active=OWN),
    Row("ours-leaves-the-declined", "trusted", Decision("leave", "", declined=True),
        owner="alight", applied=OWN, active=OWN, declined=ROOT),
    Row("ours-taken-away", "trusted", Decision("leave", ""), owner="alight", applied=OWN),
    Row("ours-taken-away-and-another-belongs", "trusted", Decision("enter", "alight"), owner="alight", applied=OTHER),
    Row("ours-below-the-users-conda", "trusted", Decision("leave", "user"), owner="alight", applied=OWN,
        conda=LONE, more={"CONDA_SHLVL": b"2", "CONDA_PREFIX_1": OWN}),
    Row("ours-below-the-users-base", "trusted", Decision("leave", "user"), owner="alight", applied=OWN,
        conda=b"/conda", conda_name=b"base", more={"CONDA_SHLVL": b"2", "CONDA_PREFIX_1": OWN}),
    Row("ours-popped-to-base", "trusted", Decision("leave", ""), owner="alight", applied=OWN,
        conda=b"/conda", conda_name=b"base", more={"CONDA_SHLVL": b"1"}),
    Row("ours-replaced-by-the-user", "trusted", Decision("leave", "user"), owner="alight", applied=OWN, active=LONE),
    # the user's
    Row("users-stays", "trusted", Decision("keep", "user"), active=LONE, owner="user"),
    Row("users-other-project-stays", "trusted", Decision("keep", "user"), active=OTHER, owner="user"),
    Row("users-conda-stays", "trusted", Decision("keep", "user"), conda=b"/conda/envs/x"),
    Row("users-own-is-adopted", "trusted", Decision("adopt", "alight"), active=OWN),
    Row("users-own-by-another-name", "trusted", Decision("adopt", "alight"), active=b"/link"),
    Row("users-own-untrusted", "untrusted", Decision("adopt", "user"), active=OWN),
    Row("users-own-declined", "trusted", Decision("adopt", "user", declined=True), active=OWN, declined=ROOT),
    Row("users-own-denied", "denied", Decision("keep", "user"), active=OWN),
    Row("adopted-untrusted-stays", "untrusted", Decision("keep", "user"), owner="user", applied=OWN, active=OWN),
    Row("adopted-declined-stays", "trusted", Decision("keep", "user", declined=True),
        owner="user", applied=OWN, active=OWN, declined=ROOT),
    Row("adopted-then-allowed", "trusted", Decision("keep", "alight"), owner="user", applied=OWN, active=OWN),
    Row("adopted-then-denied", "denied", Decision("leave", ""), owner="user", applied=OWN, active=OWN),
    Row("adopted-is-left-with-the-tree", "none", Decision("leave", ""), owner="user", applied=OTHER, active=OTHER),
    # inherited
    Row("inherited-own-is-completed", "trusted", Decision("enter", "alight", dropped=OWN), first=True, active=OWN),
    Row("inherited-own-untrusted", "untrusted", Decision("adopt", "user"), first=True, active=OWN),
    Row("inherited-other-projects", "trusted", Decision("enter", "alight", dropped=OTHER), first=True, active=OTHER),
    Row("inherited-other-projects-outside", "none", Decision("clean", "", dropped=OTHER), first=True, active=OTHER),
    Row("inherited-lone-is-the-users", "trusted", Decision("keep", "user"), first=True, active=LONE),
    Row("inherited-in-poetry-shell", "none", Decision("keep", "user"), first=True, active=OTHER,
        more={"POETRY_ACTIVE": b"1"}),
    Row("dead-is-cleaned", "none", Decision("clean", "", dropped=DEAD), active=DEAD),
    Row("dead-is-replaced", "trusted", Decision("enter", "alight", dropped=DEAD), active=DEAD),
    Row("dead-in-poetry-shell", "none", Decision("clean", "", dropped=DEAD), first=True, active=DEAD,
        more={"POETRY_ACTIVE": b"1"}),
    Row("dead-and-declined", "trusted", Decision("clean", "", dropped=DEAD, declined=True), active=DEAD, declined=ROOT),
]
# fmt: on


@pytest.mark.parametrize("row", ROWS, ids=[row.name for row in ROWS])
def test_row(row: Row) -> None:
    """Each situation has exactly the consequence of design section 5."""
    variables = dict(row.more)
    if row.active:
        variables["VIRTUAL_ENV"] = row.active
    if row.conda:
        variables |= {"CONDA_PREFIX": row.conda, "CONDA_DEFAULT_ENV": row.conda_name}
    session = Session("bash", row.root or b"/", row.switch, row.owner, row.applied, row.declined, row.first, variables)
    assert decide(session, answer(row.state, row.root), surroundings()) == row.expected


@pytest.mark.parametrize("name", ["POETRY_ACTIVE", "PIPENV_ACTIVE", "HATCH_ENV_ACTIVE", "PIXI_IN_SHELL"])
def test_child_shells_of_tools(name: str) -> None:
    """Every tool that opens a shell of its own is known; an empty variable says nothing."""

    def session(value: bytes) -> Session:
        return Session("zsh", b"/", "on", "", b"", b"", True, {name: value})

    assert session(b"1").inside_tool_shell
    assert not session(b"").inside_tool_shell


def test_only_a_real_environment_is_adopted_where_there_is_none() -> None:
    """Without an answer nothing is one's own: what is active is the user's."""
    session = Session("fish", b"/p", "on", "", b"", b"", False, {"VIRTUAL_ENV": OWN})
    assert decide(session, answer("missing"), surroundings()) == Decision("keep", "user")
