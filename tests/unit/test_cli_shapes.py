"""The JSON contracts, key by key."""

from __future__ import annotations

import json
import os

import pytest

from alight.model import Alternative, Finding, Interpreter
from alight.wire.requests import AnswerReply, Decision, DecisionsReply, EnvironmentsReply, StatusReply
from support.commandline import HOSTILE, CannedService, alight, answer, answering, environment

ENV_KEYS = [
    "directory",
    "project",
    "environment",
    "interpreter",
    "state",
    "would_create",
    "rule",
    "confidence",
    "evidence",
    "alternatives",
    "findings",
]
ENVIRONMENT = {
    "prefix": "/code/app/.venv",
    "kind": "venv",
    "system": "uv",
    "name": "app",
    "python_version": "3.12.4",
    "interpreter": "/code/app/.venv/bin/python",
    "base": "/usr",
    "site_packages": ["/code/app/.venv/lib/python3.12/site-packages"],
    "health": [],
}
INTERPRETER = Interpreter(b"/usr/bin/python3.11", b"/usr", "3.11.2", "debian", externally_managed=True)
INTERPRETER_SHAPE = {
    "executable": "/usr/bin/python3.11",
    "prefix": "/usr",
    "python_version": "3.11.2",
    "origin": "debian",
    "externally_managed": True,
}


def printed(capsys: pytest.CaptureFixture[str]) -> dict[str, object]:
    out = capsys.readouterr().out
    assert out.isascii()
    loaded = json.loads(out)
    assert isinstance(loaded, dict)
    return loaded


def test_env_has_every_key_in_the_documented_order(capsys: pytest.CaptureFixture[str]) -> None:
    """``env --json`` has exactly the keys of the contract, in its order."""
    assert alight("env", "--json", "/", service=answering("trusted")) == 0
    shape = printed(capsys)
    assert list(shape) == ENV_KEYS
    assert shape["project"] == {"root": "/code/app", "markers": ["pyproject.toml", "uv.lock"], "system": "uv"}
    assert shape["environment"] == ENVIRONMENT
    assert list(ENVIRONMENT) == list(shape["environment"])  # type: ignore[call-overload]
    assert (shape["state"], shape["rule"], shape["confidence"]) == ("trusted", "uv-project", "high")
    assert shape["evidence"] == ["/code/app/uv.lock"]
    assert (shape["alternatives"], shape["findings"], shape["interpreter"]) == ([], [], None)


@pytest.mark.parametrize("state", ["none", "missing"])
def test_no_environment_is_null(state: str, capsys: pytest.CaptureFixture[str]) -> None:
    """``environment`` is null for the states none and missing."""
    assert alight("env", "--json", "/", service=answering(state)) == 1  # type: ignore[arg-type]
    assert printed(capsys)["environment"] is None


@pytest.mark.parametrize("state", ["none", "missing", "broken", "denied", "untrusted", "trusted"])
def test_would_create_speaks_only_of_the_missing(state: str, capsys: pytest.CaptureFixture[str]) -> None:
    """``would_create`` is filled when the state is missing, else null."""
    alight("env", "--json", "/", service=answering(state))  # type: ignore[arg-type]
    expected = {"command": "uv sync", "prefix": "/code/app/.venv"} if state == "missing" else None
    assert printed(capsys)["would_create"] == expected


def test_findings_health_alternatives_and_interpreter(capsys: pytest.CaptureFixture[str]) -> None:
    """Findings, health, alternatives and a pinned interpreter have the documented shapes."""
    import msgspec

    finding = Finding("moved", "warning", "made elsewhere", (b"/code/app/.venv/bin/pip",))
    base = answer("trusted")
    found = msgspec.structs.replace(
        base.resolution,
        environment=msgspec.structs.replace(environment(), health=(finding,), base=None),
        interpreter=INTERPRETER,
        alternatives=(Alternative("dot-venv", environment()),),
        findings=(finding,),
    )
    reply = AnswerReply(msgspec.structs.replace(base, resolution=found))
    assert alight("env", "--json", "/", service=CannedService({"answer": reply})) == 0
    shape = printed(capsys)
    finding_shape = {
        "code": "moved",
        "severity": "warning",
        "message": "made elsewhere",
        "evidence": ["/code/app/.venv/bin/pip"],
    }
    assert shape["findings"] == [finding_shape]
    assert shape["environment"] == ENVIRONMENT | {"health": [finding_shape], "base": None}
    assert shape["alternatives"] == [{"rule": "dot-venv", "environment": ENVIRONMENT}]
    assert shape["interpreter"] == INTERPRETER_SHAPE


def test_why_is_env_and_the_trail(capsys: pytest.CaptureFixture[str]) -> None:
    """``why --json`` is ``env --json`` plus the trail, and asks the daemon for it."""
    service = answering("trusted")
    assert alight("why", "--json", "/", service=service) == 0
    shape = printed(capsys)
    assert list(shape) == [*ENV_KEYS, "trail"]
    assert shape["trail"] == [
        {"rule": "uv-project", "outcome": "hit", "paths": ["/code/app/uv.lock"], "reason": "uv.lock is here"}
    ]
    assert service.asked[0].trail is True  # type: ignore[attr-defined]


def test_envs_lists_environments_and_interpreters(capsys: pytest.CaptureFixture[str]) -> None:
    """``envs --json`` has the two lists with the documented members."""
    reply = EnvironmentsReply((environment(),), (INTERPRETER,))
    assert alight("envs", "--json", service=CannedService({"environments": reply})) == 0
    shape = printed(capsys)
    assert shape == {"environments": [ENVIRONMENT], "interpreters": [INTERPRETER_SHAPE]}
    assert list(shape) == ["environments", "interpreters"]


def test_status_with_a_hook(capsys: pytest.CaptureFixture[str]) -> None:
    """``status --json`` joins the daemon's, the shell's and the folder's part."""
    service = CannedService(
        {"answer": AnswerReply(answer("trusted")), "status": StatusReply(pid=12, degraded=("no watches left",))}
    )
    facts = ["--shell-owner", "alight", "--shell-switch", "paused", "--shell-declined", "/code/app"]
    assert alight("status", "--json", *facts, service=service) == 0
    shape = printed(capsys)
    assert list(shape) == ["daemon", "shell", "answer"]
    assert shape["daemon"] == {
        "pid": 12,
        "version": "0.1.0",
        "epoch": "e1",
        "generation": 7,
        "degraded": ["no watches left"],
    }
    assert shape["shell"] == {"owner": "alight", "switch": "paused", "declined": "/code/app"}
    assert list(shape["answer"]) == ENV_KEYS  # type: ignore[call-overload]


def test_status_without_hook_and_daemon(capsys: pytest.CaptureFixture[str]) -> None:
    """Without a hook ``shell`` is null, and ``daemon`` is null when this process answered itself."""
    from alight.model import Stamp

    service = CannedService({"answer": AnswerReply(answer("none"))}, stamp=Stamp("", 0))
    assert alight("status", "--json", service=service) == 0
    shape = printed(capsys)
    assert (shape["daemon"], shape["shell"]) == (None, None)


def test_trust_list(capsys: pytest.CaptureFixture[str]) -> None:
    """``trust --list --json`` shows every decision with its identifier."""
    reply = DecisionsReply((Decision("ab12", "allow", b"/code/app", b"/code/app/.venv", "2026-01-02"),))
    assert alight("trust", "--list", "--json", service=CannedService({"trust-list": reply})) == 0
    assert printed(capsys) == {
        "decisions": [
            {
                "identifier": "ab12",
                "decision": "allow",
                "root": "/code/app",
                "prefix": "/code/app/.venv",
                "tool": None,
                "since": "2026-01-02",
            }
        ]
    }


def test_hostile_paths_round_trip(capsys: pytest.CaptureFixture[str]) -> None:
    """Octets that are not UTF-8 come back through ``os.fsencode``, whatever else is in the name."""
    assert alight("env", "--json", "/", service=answering("trusted", prefix=HOSTILE)) == 0
    shape = printed(capsys)
    found = shape["environment"]
    assert isinstance(found, dict)
    assert "\udcff" in found["prefix"]
    assert os.fsencode(found["prefix"]) == HOSTILE
