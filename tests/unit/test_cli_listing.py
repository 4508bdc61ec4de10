"""``alight envs``: page by page, the same with and without click, with a bar for those who wait."""

from __future__ import annotations

import json
import sys
from io import StringIO

import pytest

from alight.cli import progress
from alight.cli.progress import PATIENCE_SECONDS, Progress
from alight.model import Interpreter
from alight.wire.messages import Message
from alight.wire.requests import EnvironmentsReply, GetEnvironments
from support.commandline import HOSTILE, CannedService, alight, environment

Capture = pytest.CaptureFixture[str]
PYTHON = Interpreter(b"/usr/bin/python3.11", b"/usr", "3.11.2", "debian", externally_managed=True)
PREFIXES = tuple(b"/envs/%03d" % number for number in range(7))


class Terminal(StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


def paged(size: int = 3, empty: int = 2) -> CannedService:
    """A daemon that counts for ``empty`` pages and then gives ``size`` environments a page."""
    waiting = [EnvironmentsReply((), (PYTHON,), 0, more=True) for _ in range(empty)]

    def reply(request: Message) -> Message:
        assert isinstance(request, GetEnvironments)
        if waiting:
            return waiting.pop()
        left = [prefix for prefix in PREFIXES if prefix > request.after]
        page = tuple(environment(prefix, name=prefix.decode()[-3:]) for prefix in left[:size])
        return EnvironmentsReply(page, () if request.after else (PYTHON,), len(PREFIXES), more=len(left) > size)

    return CannedService({"environments": reply})


@pytest.mark.parametrize("empty", [0, 2])
def test_every_page_is_fetched(capsys: Capture, empty: int) -> None:
    """All pages make one list, in order, and interpreters come once, at the end."""
    service = paged(empty=empty)
    assert alight("envs", service=service) == 0
    lines = [line.split("\t") for line in capsys.readouterr().out.splitlines()]
    assert [line[3].encode() for line in lines] == [*PREFIXES, PYTHON.executable]
    assert lines[0][:3] == ["000", "3.12.4", "uv"]
    assert lines[-1][:3] == ["-", "3.11.2", "debian"]
    afters = [request.after for request in service.asked if isinstance(request, GetEnvironments)]
    assert afters == [b""] * (empty + 1) + [b"/envs/002", b"/envs/005"]


def test_json_is_one_document(capsys: Capture) -> None:
    """``--json`` prints what is known as two lists, an entry a line."""
    assert alight("envs", "--json", service=paged()) == 0
    out = capsys.readouterr().out
    document = json.loads(out)
    assert list(document) == ["environments", "interpreters"]
    assert [one["prefix"].encode() for one in document["environments"]] == list(PREFIXES)
    assert document["environments"][0]["site_packages"] == ["/envs/000/lib/python3.12/site-packages"]
    assert document["interpreters"][0]["externally_managed"] is True
    assert sum(line.startswith("    {") for line in out.splitlines()) == len(PREFIXES) + 1


def test_nothing_at_all(capsys: Capture) -> None:
    """Empty lists are lists, and a person is told what to do."""
    service = CannedService({"environments": EnvironmentsReply((), ())})
    assert alight("envs", "--json", service=service) == 0
    assert json.loads(capsys.readouterr().out) == {"environments": [], "interpreters": []}
    assert alight("envs", service=service) == 0
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "nothing is known yet" in captured.err


def test_names_from_disk_stay_harmless(capsys: Capture) -> None:
    """One hostile path among many is spelled out, and round-trips in JSON."""
    page = EnvironmentsReply((environment(b"/a"), environment(HOSTILE)), ())
    service = CannedService({"environments": page})
    assert alight("envs", service=service) == 0
    out = capsys.readouterr().out
    assert len(out.splitlines()) == 2
    assert "\x1b" not in out
    assert "\u202e" not in out
    assert alight("envs", "--json", service=service) == 0
    assert json.loads(capsys.readouterr().out)["environments"][1]["prefix"] == HOSTILE.decode(
        "utf-8", "surrogateescape"
    )


@pytest.mark.parametrize("looping", [True, False])
def test_a_list_without_end_is_an_error(capsys: Capture, monkeypatch: pytest.MonkeyPatch, looping: bool) -> None:
    """A daemon that gives the same page for ever, or none, does not keep the command for ever."""
    monkeypatch.setattr("alight.cli.listing.EMPTY_LIMIT", 20)
    page = EnvironmentsReply((environment(b"/a"),) if looping else (), (), 5, more=True)
    assert alight("envs", service=CannedService({"environments": page})) == 1
    assert "does not come to an end" in capsys.readouterr().err


def test_click_and_the_short_way_agree(capsys: Capture) -> None:
    """What is parsed by click prints what the short way prints."""
    assert alight("envs", "--json", "--json", service=paged()) == 0
    parsed = capsys.readouterr().out
    assert alight("envs", "--json", service=paged()) == 0
    assert capsys.readouterr().out == parsed


@pytest.mark.parametrize(("seconds", "drawn"), [(0.0, False), (PATIENCE_SECONDS, True)])
def test_a_bar_for_those_who_wait(monkeypatch: pytest.MonkeyPatch, seconds: float, drawn: bool) -> None:
    """On a terminal a bar appears when it takes longer than one notices, and is gone afterwards."""
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    monkeypatch.setenv("TERM", "xterm")
    times = iter([0.0, seconds])
    with Progress("reading", lambda: next(times)) as shown:
        shown.update(3, 10)
        if drawn:
            shown.update(5, 10)
    assert ("reading" in terminal.getvalue()) is drawn
    assert terminal.getvalue().endswith("\x1b[2K") is drawn


def test_no_bar_in_a_file(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a terminal nothing is written, however long it takes."""
    stream = StringIO()
    monkeypatch.setattr(sys, "stderr", stream)
    times = iter([0.0, 60.0, 120.0])
    with Progress("reading", lambda: next(times)) as shown:
        shown.update(3, 0)
        shown.update(5, 10)
    assert stream.getvalue() == ""
    assert progress.PATIENCE_SECONDS < 1


@pytest.mark.parametrize("wide", [False, True])
def test_a_table_on_a_terminal(monkeypatch: pytest.MonkeyPatch, wide: bool) -> None:
    """What fits is aligned in columns below a head; what does not is folded, never cut."""
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "60")
    monkeypatch.delenv("NO_COLOR", raising=False)
    terminal = Terminal()
    monkeypatch.setattr(sys, "stdout", terminal)
    name = b"/envs/" + b"x" * (100 if wide else 5)
    service = CannedService({"environments": EnvironmentsReply((environment(name), environment(b"/envs/y")), ())})
    assert alight("envs", service=service) == 0
    text = terminal.getvalue()
    assert text.count("x") == (100 if wide else 5)
    assert "made by" in text
    starts = {line.index("/envs/") for line in text.splitlines() if "/envs/" in line}
    assert len(starts) == 1
