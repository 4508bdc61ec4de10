"""The command as a whole: help, version, interruption, imports, and who prints."""

from __future__ import annotations

import ast
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

import alight as package
from alight.cli.group import VERBS
from alight.cli.main import run
from alight.cli.session import of_process
from alight.wire.messages import Message
from support.commandline import CannedService, alight, answering

Capture = pytest.CaptureFixture[str]
SOURCES = Path(package.__file__).parent


@pytest.mark.parametrize("words", [[], ["--help"], ["-h"]])
def test_the_top_help_starts_with_every_day(words: list[str], capsys: Capture) -> None:
    """Without words, and with ``--help``, the verbs are shown, those of every day first; exit 0."""
    assert alight(*words) == 0
    out = capsys.readouterr().out
    assert all(f"  {verb.name} " in out for verb in VERBS)
    assert out.index("Every day:") < out.index("Setting up:") < out.index("Options:")


@pytest.mark.parametrize("verb", [verb.name for verb in VERBS])
def test_each_verb_has_help_worth_reading(verb: str, capsys: Capture) -> None:
    """Each verb says what it does in more than its usage line."""
    assert alight(verb, "--help") == 0
    out = capsys.readouterr().out
    assert out.startswith(f"Usage: alight {verb}")
    assert len(out.split("Options:")[0].split()) > 15


@pytest.mark.parametrize("verb", ["status", "why", "env", "envs", "export", "config", "trust"])
def test_reading_verbs_take_json(verb: str, capsys: Capture) -> None:
    """Every reading verb offers ``--json``."""
    alight(verb, "--help")
    assert "--json" in capsys.readouterr().out


def test_version(capsys: Capture) -> None:
    """``--version`` prints the package's version."""
    assert alight("--version") == 0
    assert capsys.readouterr().out == f"alight {package.__version__}\n"


@pytest.mark.parametrize("words", [["--version"], ["--help"], ["on"]])
def test_light_verbs_import_nothing_heavy(words: list[str]) -> None:
    """What needs no daemon loads no sockets, no wire, no watchers and no tables."""
    code = (
        "import sys; from alight.cli.main import run; from alight.cli.session import of_process;"
        "run(sys.argv[1:], of_process());"
        "sys.exit(bool({'zmq', 'msgspec', 'watchdog', 'rich', 'platformdirs'} & set(sys.modules)))"
    )
    environ = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    assert (
        subprocess.run(
            [sys.executable, "-c", code, *words], env=environ, capture_output=True, check=False, timeout=30
        ).returncode
        == 0
    )


def test_interruption_is_130_without_a_traceback(capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C while waiting for the daemon ends with 130 and not a word."""
    monkeypatch.setattr("alight.cli.render.abandon", lambda: None)

    def interrupted(_message: Message) -> Message:
        signal.raise_signal(signal.SIGINT)
        raise AssertionError("the signal was not delivered")

    assert alight("env", "/", service=CannedService({"answer": interrupted})) == 130
    captured = capsys.readouterr()
    assert (captured.out, captured.err) == ("", "")


def test_a_refusal_of_the_system_is_a_message(capsys: Capture) -> None:
    """An OSError while answering is one line with the file's name, cleaned."""

    def refused(_message: Message) -> Message:
        raise PermissionError(13, "Permission denied", "/a\x1bb")

    assert alight("env", "/", service=CannedService({"answer": refused})) == 1
    assert capsys.readouterr().err.startswith("alight: /a\\x1bb: Permission denied\n")


def test_the_process_session_needs_nothing_yet() -> None:
    """Building the session of this process asks nobody and starts nothing."""
    assert run(["--version"], of_process()) == 0


def test_only_render_prints() -> None:
    """No module but ``cli/render.py`` and the stand-alone clients of the shells touches print, click.echo or stdout."""
    own_programs = {SOURCES / "cli" / "render.py", SOURCES / "query.py", SOURCES / "lifecycle" / "detach.py"}
    for source in set(SOURCES.rglob("*.py")) - own_programs:
        for node in ast.walk(ast.parse(source.read_bytes())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                assert node.func.id != "print", source
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
                spelled = f"{node.value.id}.{node.attr}"
                assert spelled not in {"click.echo", "click.secho", "sys.stdout"}, source


def test_verbs_are_thin_and_apart() -> None:
    """No verb's module imports another's, but for what ``why`` shares with ``env``."""
    modules = {verb.where.partition(":")[0] for verb in VERBS}
    for module in modules:
        tree = ast.parse((SOURCES / "cli" / f"{module}.py").read_bytes())
        imported = {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.module}
        crossing = {name for name in imported if name.removeprefix("alight.cli.") in modules - {module}}
        assert crossing <= ({"alight.cli.env"} if module == "why" else set()), module


def test_answers_do_not_depend_on_words_order(capsys: Capture) -> None:
    """Options may stand before and after DIR."""
    assert alight("env", "--json", "/", service=answering("trusted")) == 0
    first = capsys.readouterr().out
    assert alight("env", "/", "--json", service=answering("trusted")) == 0
    assert capsys.readouterr().out == first
