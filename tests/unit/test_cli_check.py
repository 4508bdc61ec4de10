"""``alight check``: what is asked, what is printed, and how it ends."""

from __future__ import annotations

import json
import os

import msgspec
import pytest

from alight.model import Expected, Install, Landing, Verdict
from alight.wire.facts import collect_landing, parse_landing
from alight.wire.requests import AnswerReply, Check, CheckReply
from support.commandline import HOSTILE, CannedService, alight, answer

Capture = pytest.CaptureFixture[str]
KEYS = ["tool", "action", "argv", "directory", "landing", "expected", "verdict", "confidence", "reason", "because",
        "message", "instead"]  # fmt: skip


def install(verdict: Verdict = "global", **more: object) -> Install:
    """One install with everything in it."""
    purelib = b"/usr/local/lib/python3.11/dist-packages"
    known: dict[str, object] = {
        "landing": Landing(b"/usr/bin/python3.11", b"/usr", "posix_local", purelib, "base", "Debian Python 3.11"),
        "instead": (b"/code/app/.venv/bin/python", b"-m", b"pip", b"install", b"a b"),
    } | more
    return Install(
        tool="pip",
        action="install",
        argv=(b"pip", b"install", b"a b"),
        directory=b"/code/app",
        expected=Expected(b"/code/app/.venv", exists=True),
        verdict=verdict,
        confidence="sure",
        reason="system-python",
        because=("/usr/bin/pip3: first line",),
        message="this pip installs into Debian Python 3.11 (global), not into this project's .venv",
        **known,  # type: ignore[arg-type]
    )


def checking(*installs: Install) -> CannedService:
    """A daemon that sees these installs on every line."""
    return CannedService({"check": CheckReply(installs), "answer": AnswerReply(answer("trusted"))})


@pytest.mark.parametrize(
    ("verdict", "code"),
    [("none", 0), ("refused", 0), ("unknown", 0), ("ok", 0), ("global", 1), ("wrong-env", 1), ("mixed", 1)],
)
def test_only_a_wrong_place_is_bad_news(verdict: Verdict, code: int) -> None:
    """Exit code 1 when a verdict is global, wrong-env or mixed, even one of several; else 0."""
    assert alight("check", "--", "pip install x", service=checking(install(verdict))) == code
    assert alight("check", "--", "pip install x", service=checking(install("ok"), install(verdict))) == code


def test_a_line_without_installers_is_fine(capsys: Capture) -> None:
    """No installer on the line: an empty list, a sentence for people, and 0."""
    assert alight("check", "--json", "--", "ls", service=checking()) == 0
    assert json.loads(capsys.readouterr().out)["installs"] == []
    assert alight("check", "--", "ls", service=checking()) == 0
    assert capsys.readouterr().out == "nothing on this line installs packages\n"


def test_the_json_is_the_contract(capsys: Capture) -> None:
    """Every key of the documents, in their order; ``landing``, ``expected`` and ``instead`` may be null."""
    assert alight("check", "--json", "--", "pip install x", service=checking(install())) == 1
    printed = json.loads(capsys.readouterr().out)
    assert list(printed) == ["command", "directory", "installs"]
    (found,) = printed["installs"]
    assert list(found) == KEYS
    assert list(found["landing"]) == ["interpreter", "prefix", "scheme", "purelib", "kind", "name", "exists"]
    assert found["expected"] == {"prefix": "/code/app/.venv", "exists": True}
    assert found["instead"] == ["/code/app/.venv/bin/python", "-m", "pip", "install", "a b"]
    bare = msgspec.structs.replace(install("refused"), landing=None, expected=None, instead=None)
    alight("check", "--json", "--", "pip install x", service=checking(bare))
    (found,) = json.loads(capsys.readouterr().out)["installs"]
    assert [found[name] for name in ("landing", "expected", "instead")] == [None, None, None]


def test_octets_round_trip(capsys: Capture) -> None:
    r"""Octets that are not UTF-8 appear as ``\udcXX`` and come back by ``os.fsencode``."""
    place = Landing(None, HOSTILE, "venv", HOSTILE, "venv", "x", exists=False)
    alight("check", "--json", "--", os.fsdecode(HOSTILE), service=checking(install("ok", landing=place)))
    printed = json.loads(capsys.readouterr().out)
    assert os.fsencode(printed["command"]) == HOSTILE
    assert os.fsencode(printed["installs"][0]["landing"]["prefix"]) == HOSTILE


def test_people_get_a_block(capsys: Capture) -> None:
    """The sentence, where it lands, what the project has, why, and what to run instead; nothing raw."""
    assert alight("check", "--", "pip install x", service=checking(install())) == 1
    assert capsys.readouterr().out.splitlines() == [
        "alight: this pip installs into Debian Python 3.11 (global), not into this project's .venv",
        "  lands in   /usr/local/lib/python3.11/dist-packages",
        "  project    /code/app/.venv  (Python 3.12.4, uv)",
        "  because    /usr/bin/pip3: first line",
        "  instead    /code/app/.venv/bin/python -m pip install 'a b'",
    ]
    place = Landing(None, HOSTILE, "venv", HOSTILE, "venv", "x", exists=False)
    alight("check", "--", "pip install x", service=checking(install("ok", landing=place)))
    assert not {found for found in capsys.readouterr().out if found != "\n" and not found.isprintable()}


def test_one_word_is_a_line_and_several_are_a_command() -> None:
    """One word goes as it is, in the syntax of ``--shell``; several are quoted for it so that they stay words."""
    service = checking()
    line = "cd api && pip install -r requirements.txt"
    for shell, words, sent in (
        ("bash", [line], line),
        ("fish", [line], line),
        ("bash", ["pip", "install", "a b; rm"], "pip install 'a b; rm'"),
        ("fish", ["pip", "install", "it's"], r"pip install 'it'\''s'"),
    ):
        alight("check", "--shell", shell, "--", *words, service=service, environ={})
        asked = service.asked[-1]
        assert isinstance(asked, Check)
        assert (asked.shell, asked.line.decode()) == (shell, sent)


def test_the_callers_variables_are_sent_and_no_secrets() -> None:
    """What may change the landing goes along, and what the line names; passwords, tokens and indexes do not."""
    environ = {
        b"PATH": b"/bin", b"HOME": b"/h", b"PIP_TARGET": b"t", b"UV_PYTHON": b"p", b"PYTHONUSERBASE": b"b",
        b"CONDA_PREFIX": b"c", b"VIRTUAL_ENV": b"v", b"POETRY_VIRTUALENVS_CREATE": b"0", b"CI": b"1", b"WANTED": b"w",
        b"OTHER": b"o", b"UV_INDEX_X_PASSWORD": b"s", b"PIP_INDEX_URL": b"s", b"POETRY_HTTP_BASIC_X_PASSWORD": b"s",
        b"BASH_FUNC_x%%": b"() { :; }", b"PIPENV_LONG": b"x" * 9000,
    }  # fmt: skip
    service = checking()
    alight("check", "--", "pip install $WANTED", service=service, environ=environ)
    asked = service.asked[0]
    assert isinstance(asked, Check)
    assert set(parse_landing(asked.variables)) == {
        "PATH", "HOME", "PIP_TARGET", "UV_PYTHON", "PYTHONUSERBASE", "CONDA_PREFIX", "VIRTUAL_ENV",
        "POETRY_VIRTUALENVS_CREATE", "CI", "WANTED",
    }  # fmt: skip
    assert collect_landing({b"A=B": b"x", b"": b"y"}, b"") == ()


@pytest.mark.parametrize(
    "arguments",
    [("check",), ("check", "--"), ("check", "--", ""), ("check", "pip"), ("check", "--shell", "tcsh", "--", "x")],
)
def test_wrong_usage_is_2(arguments: tuple[str, ...], capsys: Capture) -> None:
    """Without a command after two dashes, or for an unknown shell, it says how it is meant."""
    assert alight(*arguments, service=checking()) == 2
    assert "alight check" in capsys.readouterr().err


def test_what_the_shell_knows_goes_along() -> None:
    """The hook's facts about words are handed on as they are."""
    service = checking()
    alight("check", "--word", "hash pip=/bin/pip", "--word", "function uv", "--", "pip install x", service=service)
    asked = service.asked[0]
    assert isinstance(asked, Check)
    assert asked.words == (b"hash pip=/bin/pip", b"function uv")


@pytest.mark.parametrize(
    ("words", "typed"),
    [
        (["pip", "install", "a b"], "alight check -- pip install 'a b'"),
        (["--json", "cd api && pip install x"], "alight check --json -- 'cd api && pip install x'"),
        (["--shell", "fish", "pip", "install", "-r", "a.txt"], "alight check --shell fish -- pip install -r a.txt"),
        (["pip", "--", "install", "x"], "alight check -- pip install x"),
        ([], "alight check -- pip install NAME"),
    ],
)
def test_without_the_dashes_it_says_what_to_type(words: list[str], typed: str, capsys: Capture) -> None:
    """A command that does not stand behind ``--`` is wrong usage, and the very line to type is printed."""
    assert alight("check", *words, service=checking()) == 2
    assert capsys.readouterr().err.splitlines()[-1].strip() == typed
