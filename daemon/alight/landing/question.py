"""What a shell is told about a line before it runs: nothing, a note, or a question (design sections 5 and 7)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from alight.commandline.simple import Simple
from alight.commandline.words import Span
from alight.model import Answer, GuardMode, Install
from alight.quoting import words_of
from alight.text import display, display_path
from alight.wire.messages import Verdict

FURTHER_LIMIT = 3
"""Installs that are spoken of beside the first."""

_BAD = frozenset({"global", "wrong-env"})


@dataclass(frozen=True, slots=True)
class Found:
    """An installer on the line. ``place`` are the octets of its words as far as they were typed, None when none was."""

    install: Install
    place: Span | None
    answer: Answer

    @property
    def is_bad(self) -> bool:
        """Whether it is worth a question: it lands in the wrong place, or is refused where there is a right one."""
        install = self.install
        return install.verdict in _BAD or (install.verdict == "refused" and install.instead is not None)

    @property
    def is_notable(self) -> bool:
        """Whether it is worth a quiet line: among conda's packages, or an environment is made on the way."""
        install, landing = self.install, self.install.landing
        if landing is None or landing.kind in ("directory", "tool"):
            return False
        creates = install.verdict == "ok" and install.action != "create" and not landing.exists
        return install.verdict == "mixed" or creates


def place_of(simple: Simple) -> Span | None:
    """From the first octet to the last of the words that were typed."""
    spans = [word.span for word in simple.words if word.span is not None]
    return (min(start for start, _ in spans), max(end for _, end in spans)) if spans else None


def within(found: Sequence[Found], start: int) -> list[Found]:
    """Those of which something stands behind ``start``, or whose place is not known."""
    return [one for one in found if one.place is None or one.place[1] > start]


def verdict(
    found: Sequence[Found], mode: GuardMode, start: int, shell: str, is_silenced: Callable[[Found], bool], token: str
) -> Verdict:
    """The reply about the installers on a line; ``start`` is where the octets begin that the shell can still edit."""
    if mode == "off":
        return Verdict("run")
    bad = [one for one in found if one.is_bad and not is_silenced(one)]
    if not bad:
        return _note(found)
    edits = _edits(bad, start)
    frames = [f"-{line}".encode("utf-8", "replace") for line in _lines(bad)]
    message = f"alight: {bad[0].install.message}"
    if mode == "ask":
        for (begin, end), words in edits:
            frames += [b"@%d:%d" % (begin, end), *(b"." + word for word in words)]
        return Verdict("ask", "", message, "rpac" if edits else "pac", token, tuple(frames))
    instead = bad[0].install.instead
    if instead is not None:
        frames.append(b"-" + _row("instead", words_of(instead, shell).decode("ascii")).encode())
    if mode == "warn":
        return Verdict("say", "", message, frames=tuple(frames))
    frames.append(b"-" + _row("not run", "the guard blocks this (`ALIGHT_GUARD=ask` asks instead)").encode())
    return Verdict("stop", "", message, frames=tuple(frames))


def expected_row(install: Install, answer: Answer) -> tuple[str, str]:
    """The label and the text of what was expected, with its Python and its owner where they are known."""
    expected = install.expected
    assert expected is not None
    prefix, environment = display_path(expected.prefix), answer.resolution.environment
    if environment is not None and environment.prefix == expected.prefix:
        known = ", ".join(filter(None, (f"Python {environment.python_version}".rstrip(), environment.system)))
        return "project", f"{prefix}  ({display(known)})"
    return ("active", prefix) if expected.exists else ("project", f"{prefix}  (not there yet)")


def _note(found: Sequence[Found]) -> Verdict:
    one = next((one for one in found if one.is_notable and one.install.landing is not None), None)
    if one is None or one.install.landing is None:
        return Verdict("run")
    once = f"{one.install.verdict}:{display_path(one.install.landing.prefix)}"
    return Verdict("say", once, f"alight: {one.install.message}")


def _edits(bad: Sequence[Found], start: int) -> list[tuple[Span, tuple[bytes, ...]]]:
    """One edit for each of them, in the order of the line; none when one of them cannot be put right."""
    edits: list[tuple[Span, tuple[bytes, ...]]] = []
    for one in bad:
        span, words = one.install.span, one.install.instead
        if span is None or words is None or span[0] < start:
            return []
        edits.append(((span[0] - start, span[1] - start), words))
    edits.sort()
    overlapping = any(former[0][1] > latter[0][0] for former, latter in pairwise(edits))
    return [] if overlapping else edits


def _lines(bad: Sequence[Found]) -> list[str]:
    first = bad[0]
    landing, lines = first.install.landing, []
    if landing is not None:
        lines.append(_row("lands in", display_path(landing.purelib or landing.prefix)))
    if first.install.expected is not None:
        lines.append(_row(*expected_row(first.install, first.answer)))
    lines += [_row("and", one.install.message) for one in bad[1 : 1 + FURTHER_LIMIT]]
    if len(bad) > 1 + FURTHER_LIMIT:
        lines.append(_row("and", f"{len(bad) - 1 - FURTHER_LIMIT} more on this line"))
    return lines


def _row(label: str, text: str) -> str:
    return f"  {label:<10} {text}"
