"""Words for shells, read back by the shells themselves."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import given, settings, strategies

from alight.quoting import QUOTERS, assignment, quote_sh

HOSTILE = [
    b"",
    b"plain",
    b"/a b/c",
    b"it's",
    b"''",
    b"'",
    b"\\",
    b"a\\'b\\\\",
    b'"double"',
    b"$(touch x) `id` ${HOME} $HOME",
    b"line\nbreak\ttab\rreturn",
    b"\x1b[31m\x07\x7f",
    b"\xff\xfe not utf-8 \xc3",
    "naïve 日本 é".encode(),
    b"-leading",
    b"~user",
    b"!history !!",
    b"*?[a-z]{1,2}",
    b"%1v %{x%}",
    b"#comment; & | < > ( )",
    b"\x01\x02377",
    b"\xe91",
]
STARTS = {
    "zsh": ["-f"],
    "zsh -o rc_quotes": ["-f", "-o", "rc_quotes"],
    "bash": ["--norc", "--noprofile"],
    "fish": ["--no-config"],
}


def read_back(shell: str, words: list[bytes], folder: Path, environ: dict[str, str]) -> list[bytes]:
    """Source a file of assignments and print each variable, ended by NUL."""
    kind = shell.split()[0]
    program = shutil.which(kind)
    assert program is not None
    lines = [assignment(kind, f"__alight_{index}", word) for index, word in enumerate(words)]
    lines += [b"printf '%%s\\0' \"$__alight_%d\"\n" % index for index in range(len(words))]
    script = folder / "script"
    script.write_bytes(b"".join(lines))
    result = subprocess.run(
        [program, *STARTS[shell], script],
        capture_output=True,
        check=True,
        env={"PATH": "/usr/bin:/bin", "HOME": str(folder), **environ},
        cwd=folder,
        timeout=30,
    )
    assert result.stderr == b""
    return result.stdout.split(b"\0")[:-1]


@pytest.mark.parametrize("locale", ["C.UTF-8", "C"])
@pytest.mark.parametrize("shell", STARTS)
def test_every_word_comes_back(shell: str, locale: str, tmp_path: Path) -> None:
    """Each shell reads back exactly the octets that were quoted, in UTF-8 and in the C locale."""
    assert read_back(shell, HOSTILE, tmp_path, {"LC_ALL": locale}) == HOSTILE


@pytest.mark.parametrize("shell", ["zsh", "bash", "fish"])
def test_every_octet_comes_back(shell: str, tmp_path: Path) -> None:
    """Every octet but NUL survives, alone and before a digit, which no escape may swallow."""
    words = [bytes((octet,)) for octet in range(1, 256)] + [bytes((octet,)) + b"7f" for octet in range(1, 256)]
    assert read_back(shell, words, tmp_path, {"LC_ALL": "C.UTF-8"}) == words


@pytest.mark.parametrize("shell", ["sh", "bash", "zsh"])
def test_posix_words_come_back(shell: str, tmp_path: Path) -> None:
    """The quoting for any POSIX shell is read back by three of them."""
    program = shutil.which(shell)
    assert program is not None
    script = tmp_path / "script"
    script.write_bytes(b"".join(b"printf '%s\\0' " + quote_sh(word) + b"\n" for word in HOSTILE if word[:1] != b"-"))
    result = subprocess.run([program, script], capture_output=True, check=True, timeout=30)
    assert result.stdout.split(b"\0")[:-1] == [word for word in HOSTILE if word[:1] != b"-"]


@pytest.mark.parametrize("shell", QUOTERS)
@settings(derandomize=True, database=None)
@given(word=strategies.binary(max_size=40))
def test_the_source_is_one_line_of_ascii(shell: str, word: bytes) -> None:
    """Whatever the word, its source is printable ASCII: nothing to misread in any locale."""
    quoted = QUOTERS[shell](word)
    assert quoted.isascii()
    assert quoted.decode().isprintable()
