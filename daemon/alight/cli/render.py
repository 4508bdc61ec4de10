"""The only module that prints.

Names and paths come from disk and may hold anything: whatever goes to a person passes ``clean``. Colour appears only
on a terminal, never with ``NO_COLOR`` or ``TERM=dumb``.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple, TextIO

from alight.errors import AlightError

if TYPE_CHECKING:
    from rich.console import Console

_UNSAFE = re.compile(
    "["
    "\x00-\x1f\x7f-\x9f"  # C0, DEL, C1
    "\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff"  # marks that reorder, hide or break text
    "\ud800-\udfff"  # octets that are not UTF-8
    "]"
)

COLOURS = ("black", "red", "green", "yellow", "blue", "magenta", "cyan", "white")


class Field(NamedTuple):
    """One line of a block: a label, a value as it came from disk or wire, and a colour for terminals."""

    label: str
    value: str
    colour: str = ""


class OutputClosed(Exception):
    """The reader of stdout went away; for a command that only prints, this is success."""


class OutputLost(AlightError):
    """Stdout exists but does not take what is written to it: a full disk, a closed descriptor."""


def text_of(octets: bytes) -> str:
    """Octets as text; those that are not UTF-8 become lone surrogates, as in ``os.fsdecode``.

    UTF-8 in every locale, so that JSON does not depend on the reader's ``LANG``.
    """
    return octets.decode("utf-8", "surrogateescape")


def clean(text: str) -> str:
    r"""Text without anything a terminal acts on: each such character is shown as ``\n``, ``\x1b`` or ``\u202e``."""
    return _UNSAFE.sub(_visible, text)


def shown(octets: bytes) -> str:
    """A path or name from disk, fit for a terminal."""
    return clean(text_of(octets))


def styled(text: str, **style: str | bool) -> str:
    """Clean text, in colour when stdout is a terminal that wants it."""
    cleaned = clean(text)
    return _painted(cleaned, **style) if colourful(sys.stdout) else cleaned


def colourful(stream: TextIO | None) -> bool:
    """Whether this stream is a terminal whose user did not ask for plain text."""
    return (
        stream is not None and stream.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
    )


def is_terminal() -> bool:
    """Whether a person reads what is printed, on whatever kind of terminal."""
    return sys.stdout is not None and sys.stdout.isatty()


def descriptor() -> int | None:
    """Where it is printed to, for those who wait until nobody reads it any more."""
    try:
        return sys.stdout.fileno()
    except (AttributeError, OSError, ValueError):
        return None


def console() -> Console:
    """The whole terminal, for a live view; what is drawn is cleaned by whoever draws it."""
    from rich.console import Console

    return Console(file=sys.stdout)


def line(*parts: str) -> None:
    """One line for a person; parts are clean already (``styled``, ``shown``, literals)."""
    _write(sys.stdout, " ".join(part for part in parts if part) + "\n")


def fields(lines: Sequence[Field]) -> None:
    """Lines of label and value, aligned; both are cleaned here."""
    width = max((len(field.label) for field in lines), default=0)
    for field in lines:
        value = styled(field.value, fg=field.colour) if field.colour else clean(field.value)
        line(styled(f"{field.label:<{width}} ", dim=True), value)


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Columns: fitted to the window on a terminal, else one tab-separated line per row without a head."""
    rows = _cleaned(rows)
    if not colourful(sys.stdout):
        _write(sys.stdout, "".join("\t".join(row) + "\n" for row in rows))
        return
    import shutil

    widths = [max(map(len, column)) for column in zip(head, *rows, strict=True)]
    room = shutil.get_terminal_size().columns
    if sum(widths) + len(widths) - 1 <= room and all(cell.isascii() for row in rows for cell in row):
        # What needs no fitting needs no help: drawing a thousand rows takes half a second.
        lines = [" ".join(map(str.ljust, row, widths)).rstrip() + "\n" for row in (head, *rows)]
        _write(sys.stdout, _painted(lines[0].rstrip("\n"), dim=True) + "\n" + "".join(lines[1:]))
        return
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    drawn = Table(*head, box=None, pad_edge=False, header_style="dim")
    for row in rows:
        drawn.add_row(*(Text(cell, overflow="fold") for cell in row))
    console = Console(file=sys.stdout)
    with console.capture() as captured:
        console.print(drawn)
    _write(sys.stdout, captured.get())


def _painted(text: str, *, fg: str | bool = "", bold: str | bool = False, dim: str | bool = False) -> str:
    """Text between SGR codes (ECMA-48); click's own would load click, which commands for programs do without."""
    codes = [str(30 + COLOURS.index(str(fg)))] if fg else []
    codes += ["1"] if bold else []
    codes += ["2"] if dim else []
    return "".join(f"\x1b[{code}m" for code in codes) + text + "\x1b[0m"


def _cleaned(rows: Sequence[Sequence[str]]) -> Sequence[Sequence[str]]:
    # One search over everything is twenty times faster than one for each cell, and nearly always finds nothing.
    if _UNSAFE.search("".join(cell for row in rows for cell in row)) is None:
        return rows
    return [tuple(map(clean, row)) for row in rows]


def document(value: object) -> None:
    r"""One JSON document; octets that are not UTF-8 appear as ``\udcXX``."""
    import json  # here, since most commands print none

    _write(sys.stdout, json.dumps(value, indent=2) + "\n")


def listing(lists: Mapping[str, Sequence[object]]) -> None:
    """One JSON document of long lists, an entry a line; that is also what the encoder does fast."""
    import json

    parts = []
    for name, entries in lists.items():
        lines = ",\n    ".join(map(json.dumps, entries))
        parts.append(f"  {json.dumps(name)}: [" + (f"\n    {lines}\n  ]" if lines else "]"))
    _write(sys.stdout, "{\n" + ",\n".join(parts) + "\n}\n")


def octets(data: bytes) -> None:
    """Octets as they are, for a shell to read."""
    _guarded(sys.stdout, lambda stream: (stream.flush(), stream.buffer.write(data)))


def note(message: str) -> None:
    """One line to stderr that is no failure."""
    _complain(f"alight: {clean(message)}")


def problem(message: str, remedy: str = "", details: Sequence[str] = ()) -> None:
    """What happened, to stderr, then what is known about it, and on the last line what to do."""
    _complain("\n".join([f"alight: {clean(message)}", *(f"  {clean(more)}" for more in (*details, remedy) if more)]))


def page(text: str) -> None:
    """Help as click made it."""
    _write(sys.stdout, text + "\n")


def flush() -> None:
    """Write out what is buffered; raises OutputClosed or OutputLost like every writer here."""
    _guarded(sys.stdout, lambda stream: stream.flush())


def abandon() -> None:
    """Forget what is buffered, so that the interpreter does not complain about it on its way out."""
    try:
        sink = os.open(os.devnull, os.O_WRONLY)
        os.dup2(sink, 1)
        os.close(sink)
    except OSError:
        sys.stdout = None


def _visible(match: re.Match[str]) -> str:
    code = ord(match[0])
    if match[0] in "\n\r\t":
        return {"\n": r"\n", "\r": r"\r", "\t": r"\t"}[match[0]]
    if 0xDC80 <= code <= 0xDCFF:
        return f"\\x{code - 0xDC00:02x}"
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"


def _write(stream: TextIO | None, text: str) -> None:
    if stream is None:
        return
    encoding = stream.encoding or "utf-8"
    fitted = text.encode(encoding, "backslashreplace").decode(encoding)
    _guarded(stream, lambda open_stream: open_stream.write(fitted))


def _guarded(stream: TextIO | None, action: object) -> None:
    if stream is None:
        return
    assert callable(action)
    try:
        action(stream)
    except BrokenPipeError as error:
        raise OutputClosed from error
    except OSError as error:
        raise OutputLost(f"cannot write the output: {error.strerror}", "see where stdout goes") from error


def _complain(text: str) -> None:
    if sys.stderr is None:
        return
    try:
        sys.stderr.write(text + "\n")
        sys.stderr.flush()
    except OSError:
        return  # nobody can be told; the exit code still says it
