"""Exit codes and words of the verbs."""

from __future__ import annotations

from pathlib import Path

import pytest

from alight.wire.messages import Failure
from alight.wire.requests import (
    AnswerReply,
    Decide,
    Decision,
    DecisionsReply,
    EnvironmentsReply,
    GetAnswer,
    TrustRevoke,
    TrustTree,
)
from support.commandline import HOSTILE, CannedService, alight, answer, answering

Capture = pytest.CaptureFixture[str]


@pytest.mark.parametrize("verb", ["env", "why"])
@pytest.mark.parametrize(
    ("state", "code"),
    [("none", 1), ("missing", 1), ("broken", 1), ("denied", 0), ("untrusted", 0), ("trusted", 0)],
)
def test_only_the_unusable_is_bad_news(verb: str, state: str, code: int, capsys: Capture) -> None:
    """``env`` and ``why`` exit 1 for none, missing and broken; trust does not matter to them."""
    assert alight(verb, "/", service=answering(state)) == code  # type: ignore[arg-type]
    assert state in capsys.readouterr().out


def test_the_next_step_is_named(capsys: Capture) -> None:
    """What is not usable comes with the command that helps."""
    for state, step in (("untrusted", "alight allow"), ("missing", "uv sync"), ("none", "python3 -m venv .venv")):
        alight("env", "/", service=answering(state))  # type: ignore[arg-type]
        assert step in capsys.readouterr().out


def test_why_prints_one_line_per_step(capsys: Capture) -> None:
    """Each rule looked at is a line with outcome, rule and reason."""
    alight("why", "/", service=answering("trusted"))
    assert "hit     uv-project uv.lock is here: /code/app/uv.lock" in capsys.readouterr().out.splitlines()


def test_nothing_from_disk_reaches_the_terminal_raw(capsys: Capture) -> None:
    """Names with escapes, newlines, bidi marks or broken UTF-8 are shown, not obeyed."""
    assert alight("env", "/", service=answering("trusted", prefix=HOSTILE, directory=HOSTILE)) == 0
    out = capsys.readouterr().out
    assert r"/tmp/a \xff\x1b[31m\n'$(x)\u202e" in out
    assert not {character for character in out if character != "\n" and not character.isprintable()}


def test_the_caller_decides_the_answer() -> None:
    """The request carries the caller's directory and variables, and no others."""
    service = answering("trusted")
    alight("env", "/usr", service=service, environ={b"VIRTUAL_ENV": b"/v", b"SECRET": b"x", b"HOME": b"/h"})
    assert service.asked == [GetAnswer(b"/usr", (b"VIRTUAL_ENV=/v", b"HOME=/h"))]


def test_allow_and_deny_send_the_decision(capsys: Capture) -> None:
    """``allow`` and ``deny`` ask the daemon to record exactly this decision, and exit 0 when it did."""
    for verb, state in (("allow", "trusted"), ("deny", "denied")):
        service = answering(state)  # type: ignore[arg-type]
        assert alight(verb, "/usr", service=service, environ={}) == 0
        assert service.asked == [Decide(verb, b"/usr", ())]
        assert state in capsys.readouterr().out


@pytest.mark.parametrize("state", ["none", "missing"])
def test_nothing_to_allow_is_bad_news(state: str, capsys: Capture) -> None:
    """``allow`` exits 1 when no environment is there."""
    assert alight("allow", "/usr", service=answering(state)) == 1  # type: ignore[arg-type]
    captured = capsys.readouterr()
    assert (captured.out, "nothing to allow in /usr" in captured.err) == ("", True)


def test_a_decision_that_did_not_take_is_bad_news(capsys: Capture) -> None:
    """When the environment is not trusted after ``allow``, reason and remedy are said and the exit code is 1."""
    reply = AnswerReply(answer("untrusted"), "its bin shadows git", ("remove it",))
    assert alight("allow", "/usr", service=CannedService({"decide": reply})) == 1
    assert capsys.readouterr().err == "alight: its bin shadows git\n  remove it\n"


@pytest.mark.parametrize(
    "words", [["allow"], ["deny"], ["trust", "/"], ["trust", "--list"], ["trust", "--revoke", "x"]]
)
def test_deciding_needs_a_daemon(words: list[str], capsys: Capture) -> None:
    """Without a daemon ``allow``, ``deny`` and ``trust`` exit 3 and say what to do."""
    assert alight(*words) == 3
    assert capsys.readouterr().err == "alight: no daemon answers\n  alight daemon start\n"


def test_trust_tree_is_absolute(tmp_path: Path, capsys: Capture) -> None:
    """``trust TREE`` sends the tree's absolute path and prints what was recorded."""
    service = CannedService({"trust-tree": DecisionsReply((), "recorded")})
    assert alight("trust", str(tmp_path), service=service) == 0
    assert service.asked == [TrustTree(bytes(tmp_path))]
    assert capsys.readouterr().out == "recorded\n"


def test_revoke_of_something_and_of_nothing(capsys: Capture) -> None:
    """``trust --revoke`` exits 0 when a decision is gone afterwards, else 1."""
    one = DecisionsReply((Decision("ab12", "deny", b"/a", b"/a/.venv", "2026"),))
    service = CannedService({"trust-list": one, "trust-revoke": DecisionsReply((), "forgotten")})
    assert alight("trust", "--revoke", "ab12", service=service) == 0
    assert isinstance(service.asked[1], TrustRevoke)
    assert service.asked[1].which == b"ab12"
    assert alight("trust", "--revoke", "zz", service=CannedService({"trust-list": one, "trust-revoke": one})) == 1
    assert "no decision is named zz" in capsys.readouterr().err


def test_trust_takes_one_thing_at_a_time() -> None:
    """TREE, ``--list`` and ``--revoke`` exclude each other."""
    assert alight("trust", "/", "--list") == 2


def test_lists_are_tab_separated_without_a_terminal(capsys: Capture) -> None:
    """``envs`` and ``trust`` print one line per entry, fields separated by tabs, names cleaned."""
    reply = DecisionsReply((Decision("ab12", "deny", b"/a\tb", b"/a/.venv", "2026"),))
    assert alight("trust", service=CannedService({"trust-list": reply})) == 0
    assert capsys.readouterr().out == "ab12\tdeny\t/a\\tb\t/a/.venv\t2026\n"
    assert alight("envs", service=CannedService({"environments": EnvironmentsReply((), ())})) == 0
    assert "nothing is known yet" in capsys.readouterr().err


@pytest.mark.parametrize("verb", ["on", "off", "pause"])
def test_switches_need_the_hook(verb: str, capsys: Capture) -> None:
    """Unhooked ``on``, ``off`` and ``pause`` exit 2 and name ``alight init``."""
    assert alight(verb, environ={b"SHELL": b"/bin/zsh"}) == 2
    assert 'eval "$(alight init zsh)"' in capsys.readouterr().err


@pytest.mark.parametrize("verb", ["env", "why", "allow", "deny", "trust", "export"])
def test_a_directory_that_is_not_there_is_named(verb: str, capsys: Capture) -> None:
    """A DIR that does not exist is a usage error with its name, shown safely."""
    assert alight(verb, "no\x1bwhere", service=answering("trusted")) == 2
    assert r"no\x1bwhere does not exist" in capsys.readouterr().err


@pytest.mark.parametrize(
    "words", [["frobnicate"], ["env", "--frobnicate"], ["env", "/", "/"], ["init", "tcsh"], ["init"], ["exec", "ls"]]
)
def test_wrong_usage_exits_2(words: list[str], capsys: Capture) -> None:
    """Unknown verbs, options and words exit 2, on stderr, and say where help is."""
    assert alight(*words, service=answering("trusted")) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("alight: ")


@pytest.mark.parametrize(
    ("code", "exit_code", "said"),
    [
        ("unknown-verb", 1, "alight daemon restart"),
        ("internal", 1, "alight: it is a link\n"),
        ("bad-field", 1, "it is a link (bad-field)"),
        ("unsafe-directory", 3, "it is a link"),
    ],
)
def test_failures_of_the_daemon_are_explained(code: str, exit_code: int, said: str, capsys: Capture) -> None:
    """A failure reply becomes a message with the next step, never a traceback."""
    service = CannedService({"answer": Failure(code, "it is a link")})
    assert alight("env", "/", service=service) == exit_code
    assert said in capsys.readouterr().err


def test_warnings_go_to_stderr(capsys: Capture) -> None:
    """Warnings of a reply do not mix with JSON."""
    reply = AnswerReply(answer("trusted"), warnings=("its bin shadows git",))
    assert alight("env", "--json", "/", service=CannedService({"answer": reply})) == 0
    captured = capsys.readouterr()
    assert captured.err == "alight: its bin shadows git\n"
    assert "shadows" not in captured.out
