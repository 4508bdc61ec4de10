"""The plan: operations, prompt, notice and witnesses, also for hostile names and left-overs."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import msgspec
import pytest

from alight.activation.ownership import Surroundings
from alight.activation.plan import Published, make_plan, notice
from alight.activation.prompt import escaped, prompt_state, prompt_text
from alight.activation.session import Session
from alight.clock import SystemClock
from alight.files.disk import Disk
from alight.model import Answer, Environment, Finding, Owner, Project, Resolution, Stamp, State, Switch
from alight.wire import shellframe
from alight.wire.limits import MAX_MESSAGE
from alight.wire.messages import Header, Plan


def disk() -> Disk:
    return Disk(os.getuid(), SystemClock())


def environment(prefix: bytes, name: str = "app", version: str = "3.12.4", *health: Finding) -> Environment:
    return Environment(prefix, "venv", "venv", name, version, prefix + b"/bin/python", None, (), health)


def answer(own: Environment | None, state: State, *findings: Finding, reason: str = "", stamp: bytes = b"") -> Answer:
    root = own.prefix.rpartition(b"/")[0] if own is not None else b"/p"
    condition = "found" if state in ("trusted", "untrusted", "denied") else state
    resolution = Resolution(
        root, Project(root, ("pyproject.toml",)), own, None, condition, None, "r", "high", findings=findings
    )
    return Answer(resolution, state, reason, stamp)


def session(
    variables: Mapping[str, bytes] | None = None,
    shell: str = "zsh",
    directory: bytes = b"/p",
    *,
    applied: bytes = b"",
    owner: Owner = "",
    declined: bytes = b"",
    switch: Switch = "on",
    first: bool = False,
) -> Session:
    return Session(
        shell, directory, switch, owner, applied, declined, first, {"PATH": b"/usr/bin:/bin", **(variables or {})}
    )


def plan(asked: Session, reply: Answer, active: Environment | None = None, *, alive: bool = True) -> Plan:
    surroundings = Surroundings(
        same=lambda one, other: one == other, alive=lambda _prefix: alive, elsewhere=lambda _prefix: False
    )
    return make_plan(asked, reply, surroundings, active, disk(), Published(b"/run/x", "m1"), segment=True)


@pytest.fixture
def own(tmp_path: Path) -> Environment:
    """An environment with nothing but what the plan looks at."""
    (tmp_path / "p/.venv/bin").mkdir(parents=True)
    (tmp_path / "p/.venv/pyvenv.cfg").touch()
    return environment(os.fsencode(tmp_path / "p/.venv"))


def test_entering(own: Environment) -> None:
    """The whole plan of an ordinary entry."""
    root = own.prefix.rpartition(b"/")[0]
    made = plan(session(directory=root), answer(own, "trusted", stamp=b"/t/alight/trust/x.json"))
    assert (made.action, made.owner, made.prefix, made.root) == ("enter", "alight", own.prefix, root)
    assert made.stamp == b"/t/alight/trust/x.json"
    assert made.operations == (
        b"set VIRTUAL_ENV=" + own.prefix,
        b"set VIRTUAL_ENV_PROMPT=.venv",
        b"path-add " + own.prefix + b"/bin",
    )
    assert (made.state, made.name, made.prompt, made.notice) == ("active", "app", "(app 3.12.4)", "")
    assert (made.generation, made.mark, made.segment) == (b"/run/x", "m1", True)
    assert (made.witness_1, made.witness_2) == (own.prefix + b"/pyvenv.cfg", own.prefix + b"/bin/python")
    assert (made.witness_3, made.witness_4) == (root + b"/.venv", root + b"/pyproject.toml")


def test_pythonhome_is_cleared_and_pkg_config_extended(own: Environment) -> None:
    """An entry from another environment of ours clears PYTHONHOME again, and drops the other's pkg-config entry."""
    script = f"VIRTUAL_ENV='{os.fsdecode(own.prefix)}'\nPKG_CONFIG_PATH=\"$VIRTUAL_ENV/lib/pkgconfig:x\"\n"
    Path(os.fsdecode(own.prefix), "bin/activate").write_text(script)
    variables = {"VIRTUAL_ENV": b"/q/.venv", "PKG_CONFIG_PATH": b"/q/.venv/lib/pkgconfig:/mine"}
    made = plan(
        session(variables, applied=b"/q/.venv", owner="alight"), answer(own, "trusted"), environment(b"/q/.venv")
    )
    assert made.action == "enter"
    assert b"unset PYTHONHOME" in made.operations
    assert b"set PKG_CONFIG_PATH=" + own.prefix + b"/lib/pkgconfig:/mine" in made.operations


@pytest.mark.parametrize("state", ["untrusted", "denied", "broken", "missing", "none"])
def test_nothing_but_trusted_touches_anything(own: Environment, state: State) -> None:
    """No operation, no stamp and no prefix unless the user decided."""
    made = plan(session(), answer(own if state not in ("missing", "none") else None, state))
    assert (made.action, made.operations, made.stamp, made.prefix) == ("keep", (), b"", b"")


@pytest.mark.parametrize(
    ("prefix", "make", "removed"),
    [
        ("dead", None, True),
        ("venv", "pyvenv.cfg", True),
        ("conda", "conda-meta", True),
        ("usr", "", False),
    ],
)
def test_a_left_over_is_taken_out_of_path_only_where_it_is_an_environments(
    tmp_path: Path, prefix: str, make: str | None, removed: bool
) -> None:
    """VIRTUAL_ENV=/usr, as some images set it, must not cost the user /usr/bin."""
    place = tmp_path / prefix
    if make is not None:
        (place / "bin").mkdir(parents=True)
    if make:
        (place / make).touch()
    path = os.fsencode(place)
    made = plan(session({"VIRTUAL_ENV": path}), answer(None, "none"), environment(path), alive=False)
    assert made.action == "clean"
    assert made.operations[:2] == (b"drop VIRTUAL_ENV", b"drop VIRTUAL_ENV_PROMPT")
    assert (b"path-remove " + path + b"/bin" in made.operations) is removed


@pytest.mark.parametrize("prefix", [b"relative", b"/a:b", b"x/../.."])
def test_a_left_over_path_that_cannot_be_in_path_is_only_unset(prefix: bytes) -> None:
    """The hook would refuse a plan with such an entry, and then nothing would be cleaned at all."""
    made = plan(session({"VIRTUAL_ENV": prefix}), answer(None, "none"), environment(prefix), alive=False)
    assert made.operations == (b"drop VIRTUAL_ENV", b"drop VIRTUAL_ENV_PROMPT")
    assert plan(session({"VIRTUAL_ENV": prefix}), answer(None, "none"), environment(prefix)).prefix in (b"", b"/a:b")


def test_condas_variables_are_one_set() -> None:
    """A dead conda environment is dropped whole."""
    asked = session({"CONDA_PREFIX": b"/gone", "CONDA_DEFAULT_ENV": b"x"})
    made = plan(asked, answer(None, "none"), environment(b"/gone"), alive=False)
    assert made.operations == (
        b"drop CONDA_PREFIX",
        b"drop CONDA_DEFAULT_ENV",
        b"drop CONDA_PROMPT_MODIFIER",
        b"drop CONDA_SHLVL",
        b"path-remove /gone/bin",
    )


HOSTILE = (b"/p/$(touch x)`y`%F{red}\x1b[31m\x07\n\x1f\xff/.venv", b"/p/" + b"x" * 4000 + b"/.venv")


@pytest.mark.parametrize("prefix", HOSTILE)
@pytest.mark.parametrize("state", ["trusted", "untrusted", "broken", "denied"])
@pytest.mark.parametrize("shell", ["zsh", "bash", "fish"])
def test_hostile_names_are_sent_and_shown_tamely(prefix: bytes, state: State, shell: str) -> None:
    """Every plan fits the wire, and no text in it can talk to a terminal or be expanded by a prompt."""
    name = os.fsdecode(prefix[3:60])
    bad = Finding("unsafe-path", "error", "because\x1b]0;title\x07 " + name)
    own = environment(prefix, name, "3.12.4", *([bad] if state == "broken" else []))
    made = plan(session({}, shell), answer(own, state, reason="why\x1b[2J" + "x" * 500))
    frames = shellframe.encode_reply(Header("0", b"1", Stamp("e", 1), b"/p"), made)
    assert shellframe.decode_reply(frames)[1] == made
    assert sum(map(len, frames)) < MAX_MESSAGE
    for text in (made.name, made.prompt, made.notice, made.kind, made.python_version):
        assert text.isprintable()
        assert len(text) <= 200
    if shell == "zsh":
        assert "%" not in made.prompt.replace("%%", "")


def finding(code: str) -> Finding:
    return msgspec.convert({"code": code, "severity": "warning", "message": "m"}, Finding)


OWN, LONE = environment(b"/p/.venv"), environment(b"/envs/lone", "lone", "")


@pytest.mark.parametrize(
    ("state", "active", "codes", "expected", "text"),
    [
        ("trusted", OWN, (), "active", "(app 3.12.4)"),
        ("trusted", OWN, ("requires-python",), "mismatch", "(app 3.12.4 !)"),
        ("trusted", OWN, ("pinned-python",), "mismatch", "(app 3.12.4 !)"),
        ("trusted", LONE, (), "mismatch", "(lone != app)"),
        ("missing", LONE, (), "mismatch", "(lone !)"),
        ("none", LONE, (), "active", "(lone)"),
        ("broken", None, (), "broken", "(app broken)"),
        ("broken", LONE, (), "mismatch", "(lone != app)"),
        ("untrusted", None, (), "untrusted", "(app untrusted)"),
        ("denied", None, (), "untrusted", "(app untrusted)"),
        ("untrusted", OWN, (), "active", "(app 3.12.4)"),
        ("trusted", None, (), "inactive", "(app off)"),
        ("missing", None, (), "none", ""),
        ("none", None, (), "none", ""),
    ],
)
def test_the_first_prompt_state_that_holds(
    state: State, active: Environment | None, codes: tuple[str, ...], expected: str, text: str
) -> None:
    """The order of design section 5, with the text each state is shown as."""
    own = OWN if state not in ("missing", "none") else None
    reply = answer(own, state, *map(finding, codes))
    found = prompt_state(reply, active, own=active is OWN, on=active is not None)
    assert found == expected
    shown = active if active is not None else own if found in ("broken", "untrusted", "inactive") else None
    assert prompt_text(found, shown, own.name if own is not None else "") == text


def test_only_zsh_needs_escapes() -> None:
    """Zsh expands ``%`` in prompts, the others take the text as it is."""
    assert [escaped("50% $(x)", shell) for shell in ("zsh", "bash", "fish")] == ["50%% $(x)", "50% $(x)", "50% $(x)"]


def test_the_notice_names_the_way_out() -> None:
    """One line for what is untrusted or broken, with the command; silence for the rest."""
    assert "`alight allow`" in notice(answer(OWN, "untrusted"))
    assert "git tracks it now; `alight allow`" in notice(answer(OWN, "untrusted", reason="git tracks it now"))
    assert "`alight allow`" not in notice(answer(OWN, "untrusted", reason="/x can be changed by others"))
    broken = environment(b"/p/.venv", "app", "", Finding("interpreter-missing", "error", "python is absent"))
    assert "python is absent; `alight why`" in notice(answer(broken, "broken"))
    assert not any(notice(answer(OWN, state)) for state in ("trusted", "denied"))
    assert not notice(answer(None, "none"))


def test_a_declined_project_is_not_announced() -> None:
    """Who switched it off knows that it is off."""
    asked = session(declined=b"/p")
    assert plan(asked, answer(OWN, "untrusted")).notice == ""
    assert plan(session(switch="off"), answer(OWN, "untrusted")).notice == ""


def test_what_stands_in_front_is_told(own: Environment, tmp_path: Path) -> None:
    """Another python before the active environment's own on PATH is worth one line; nothing behind it is."""
    (tmp_path / "front").mkdir()
    (tmp_path / "front/python").touch()
    front, binaries = os.fsencode(tmp_path / "front"), own.prefix + b"/bin"

    def told(path: bytes) -> str:
        asked = session({"VIRTUAL_ENV": own.prefix, "PATH": path}, applied=own.prefix, owner="alight")
        return plan(asked, answer(own, "trusted"), own).notice

    assert "stands in front of app" in told(front + b":" + binaries)
    assert told(binaries + b":" + front) == ""
    assert told(b"relative::" + binaries + b":" + front) == ""
